/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Files below a root directory (base/root), read once, and overlays of them.
 *
 * Nothing but a regular file is opened for reading: a look at what a path is
 * goes through O_PATH, which has no side effect on a FIFO or a device. Where
 * the root is our own one stat(2) is a look, too: no link leads it elsewhere
 * than the node's own processes.
 */

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/fs-private.h"

#define TRIES_MAX      32 /* against what moves under our feet */
#define REMEMBERED_MIN ((size_t)4096)

struct overlay_perms {
	char *real;
	struct kr_perms perms;
};

static void perms_free(void *p)
{
	struct overlay_perms *o = p;

	free(o->real);
	free(o);
}

static int by_real(const void *a, const void *b)
{
	const struct overlay_perms *x = a, *y = b;

	return strcmp(x->real, y->real);
}

struct kr_file *kr_file_free(struct kr_file *file)
{
	if (!file)
		return NULL;
	if (file->path != file->real)
		free(file->path);
	free(file->real);
	free(file->data);
	free(file->line);
	free(file);
	return NULL;
}

static void file_free(void *p)
{
	kr_file_free(p);
}

static struct kr_file *file_new(void)
{
	return calloc(1, sizeof(struct kr_file));
}

/* A short file is counted again: there may be very many. 0 or -ENOMEM. */
static int remember_line(struct kr_file *file)
{
	if (file->size < REMEMBERED_MIN)
		return 0;
	file->line = calloc(1, sizeof(*file->line));
	return file->line ? 0 : -ENOMEM;
}

static int by_path(const void *a, const void *b)
{
	const struct kr_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static struct kr_file *find(void *const *tree, const char *path)
{
	struct kr_file key = {.path = (char *)(uintptr_t)path};
	void *node = tfind(&key, tree, by_path);

	return node ? *(struct kr_file **)node : NULL;
}

/* Takes ROOT_FD over; negative: opening it has failed. */
static int new_at(int root_fd, struct kr_fs **ret)
{
	_cleanup_close_ int fd = root_fd;
	struct kr_fs *fs;

	if (fd < 0)
		return -errno;
	fs = calloc(1, sizeof(*fs));
	if (!fs)
		return -ENOMEM;
	fs->root.fd = TAKE_FD(fd);
	*ret = fs;
	return 0;
}

int kr_fs_new(int root_fd, struct kr_fs **ret)
{
	return new_at(fcntl(root_fd, F_DUPFD_CLOEXEC, 3), ret);
}

int kr_fs_open(const char *root, struct kr_fs **ret)
{
	int r = new_at(open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), ret);

	if (r == 0)
		(*ret)->is_own = strcmp(root, "/") == 0;
	return r;
}

int kr_fs_new_overlay(struct kr_fs *below, struct kr_fs **ret)
{
	struct kr_fs *fs = calloc(1, sizeof(*fs));

	if (!fs)
		return -ENOMEM;
	fs->root = below->root;
	fs->below = below;
	*ret = fs;
	return 0;
}

struct kr_fs *kr_fs_free(struct kr_fs *fs)
{
	if (!fs)
		return NULL;
	tdestroy(fs->files, file_free);
	tdestroy(fs->overlay, file_free);
	tdestroy(fs->perms, perms_free);
	if (!fs->below)
		close(fs->root.fd);
	free(fs);
	return NULL;
}

int kr_fs_root_fd(const struct kr_fs *fs)
{
	return fs->root.fd;
}

int kr_fs_open_folder(struct kr_fs *fs, const char *path)
{
	return kr_root_open_folder(&fs->root, path, NULL);
}

int kr_fs_make_folder(struct kr_fs *fs, const char *path, mode_t mode)
{
	return kr_root_make_folder(&fs->root, path, mode);
}

int kr_fs_open_parent(struct kr_fs *fs, const char *real, const char **ret_name)
{
	return kr_root_open_parent(&fs->root, real, ret_name);
}

/* --- reading ------------------------------------------------------------- */

/* HINT bytes, if it has a size: more would show in the stat(2) behind. */
static int read_all(int fd, size_t hint, char **ret, size_t *ret_size)
{
	size_t size = 0, room = hint + 1;
	_cleanup_free_ char *data = malloc(room + 1);

	if (!data)
		return -ENOMEM;
	while (hint == 0 || size < hint) {
		ssize_t n = read(fd, data + size, room - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		size += (size_t)n;
		if (size > KR_FILE_SIZE_MAX)
			return -EFBIG;
		if (size == room) {
			char *grown = realloc(data, 2 * room + 1);

			if (!grown)
				return -ENOMEM;
			data = grown;
			room *= 2;
		}
	}
	data[size] = '\0';
	*ret = TAKE_PTR(data);
	*ret_size = size;
	return 0;
}

/* lstat(2) of PATH, or fstat(2) of FD where that is "", and the birth where
 * that is known, by one call. */
static int look(int fd, const char *path, struct stat *ret,
                struct timespec *ret_birth)
{
	const int flags = AT_SYMLINK_NOFOLLOW | (*path ? 0 : AT_EMPTY_PATH);
	struct statx x;

	if (statx(fd, path, flags, STATX_BASIC_STATS | STATX_BTIME, &x) < 0) {
		if (errno != ENOSYS && errno != EPERM)
			return -errno;
		/* an old filter of system calls */
		return fstatat(fd, path, ret, flags) < 0 ? -errno : 0;
	}
	*ret = (struct stat){
		.st_dev = makedev(x.stx_dev_major, x.stx_dev_minor),
		.st_ino = x.stx_ino,
		.st_mode = x.stx_mode,
		.st_nlink = x.stx_nlink,
		.st_uid = x.stx_uid,
		.st_gid = x.stx_gid,
		.st_size = (off_t)x.stx_size,
		.st_mtim = {x.stx_mtime.tv_sec, x.stx_mtime.tv_nsec},
	};
	if (x.stx_mask & STATX_BTIME)
		*ret_birth = (struct timespec){x.stx_btime.tv_sec,
		                               x.stx_btime.tv_nsec};
	return 0;
}

/* Whether the file is another one, or was written to, between two looks. */
static bool is_changed(const struct stat *a, const struct stat *b)
{
	return a->st_dev != b->st_dev || a->st_ino != b->st_ino ||
	       a->st_size != b->st_size ||
	       a->st_mtim.tv_sec != b->st_mtim.tv_sec ||
	       a->st_mtim.tv_nsec != b->st_mtim.tv_nsec;
}

/* Opens the file at PATH, links followed; BEFORE is what it was until then. */
static int open_looked_at(struct kr_fs *fs, const char *path,
                          struct kr_file *file, struct stat *before)
{
	_cleanup_close_ int path_fd = -1;
	int r;

	path_fd = kr_root_resolve(&fs->root, path, true, &file->real);
	if (path_fd < 0)
		return path_fd;
	r = look(path_fd, "", before, &file->btime);
	if (r < 0)
		return r;
	if (S_ISDIR(before->st_mode))
		return -EISDIR;
	if (!S_ISREG(before->st_mode))
		return -EINVAL;
	return kr_root_open_file(&fs->root, file->real, NULL);
}

/* The same by two calls instead of four, in our own root. -ELOOP: it must go
 * the long way, most often for a link. */
static int open_plain(struct kr_fs *fs, const char *path, struct kr_file *file,
                      struct stat *before)
{
	_cleanup_close_ int fd = -1;
	int r;

	before->st_mode = 0;
	if (!fs->is_own || *path != '/')
		return -ELOOP;
	r = look(AT_FDCWD, path, before, &file->btime);
	if (r == -ENOENT)
		return r;
	if (r < 0 || !S_ISREG(before->st_mode))
		return -ELOOP;
	/* as it was given: behind a link ".." leads elsewhere */
	fd = kr_root_open_file(&fs->root, path, NULL);
	if (fd < 0)
		return -ELOOP;
	file->real = kr_path_normalise(path);
	return file->real ? TAKE_FD(fd) : -ENOMEM;
}

/* The real path and the birth go into FILE. -EISDIR; -EINVAL: it is no regular
 * file; other errnos. */
static int open_regular(struct kr_fs *fs, const char *path,
                        struct kr_file *file, struct stat *before)
{
	_cleanup_free_ char *target = NULL;
	int fd = open_plain(fs, path, file, before);

	if (fd == -ELOOP && S_ISLNK(before->st_mode)) {
		target = kr_root_read_link(&fs->root, path);
		if (target)
			fd = open_plain(fs, target, file, before);
	}
	return fd == -ELOOP ? open_looked_at(fs, path, file, before) : fd;
}

/* ROOM is what its bytes may take. */
static int load(struct kr_fs *fs, const char *path, size_t room,
                struct kr_file *file)
{
	struct stat before, st;
	_cleanup_close_ int fd = open_regular(fs, path, file, &before);
	int r;

	if (fd < 0)
		return fd;
	if ((uint64_t)before.st_size > KR_FILE_SIZE_MAX ||
	    (uint64_t)before.st_size > room)
		return -EFBIG;
	r = read_all(fd, (size_t)before.st_size, &file->data, &file->size);
	if (r < 0)
		return r;
	/* what is kept must not be older than the bytes, nor they be torn */
	if (fstat(fd, &st) < 0)
		return -errno;
	if (is_changed(&before, &st))
		return -EAGAIN;
	file->st = (struct kr_file_stat){
		.st_mtim = st.st_mtim,
		.st_ctim = st.st_ctim,
		.st_mode = st.st_mode,
		.st_uid = st.st_uid,
		.st_gid = st.st_gid,
		.st_nlink = (uint32_t)st.st_nlink,
	};
	return 0;
}

int kr_fs_overlay_real(struct kr_fs *fs, const char *path, char **ret)
{
	_cleanup_free_ char *normal = kr_path_normalise(path);
	_cleanup_free_ char *folder = NULL, *folder_real = NULL;
	const char *name = strrchr(path, '/');
	int fd;

	if (!normal)
		return -ENOMEM;
	if (!name || name == path || !strcmp(name, "/") ||
	    !strcmp(name, "/.") || !strcmp(name, "/..")) {
		*ret = TAKE_PTR(normal);
		return 0;
	}
	folder = strndup(path, (size_t)(name - path));
	if (!folder)
		return -ENOMEM;
	fd = kr_root_resolve(&fs->root, folder, true, &folder_real);
	if (fd == -ENOMEM)
		return fd;
	if (fd < 0) {
		*ret = TAKE_PTR(normal);
		return 0;
	}
	close(fd);
	*ret = kr_path_join(folder_real, name + 1);
	return *ret ? 0 : -ENOMEM;
}

static int read_below(struct kr_fs *fs, const char *path,
                      const struct kr_file **ret)
{
	_cleanup_free_ char *real = NULL;
	const struct kr_file *file, *changed;
	int r = kr_fs_read(fs->below, path, &file), err = 0;

	if (r < 0 && r != -ENOENT)
		return r;
	if (r < 0)
		err = kr_fs_overlay_real(fs, path, &real);
	if (err < 0)
		return err;
	changed = find(&fs->overlay, r < 0 ? real : file->real);
	if (!changed && r < 0)
		return r;
	if (changed && !changed->data)
		return -ENOENT;
	*ret = changed ? changed : file;
	return 0;
}

static int load_again(struct kr_fs *fs, const char *path, size_t room,
                      struct kr_file **ret)
{
	_cleanup_file_ struct kr_file *file = NULL;
	unsigned tries = 0;
	int r;

	do { /* replaced or written to between two looks: look again */
		kr_file_free(file);
		file = file_new();
		if (!file)
			return -ENOMEM;
		r = load(fs, path, room, file);
	} while (r == -EAGAIN && ++tries < TRIES_MAX);
	if (r < 0)
		return r;
	/* most often it is the same, of a hundred thousand files, too */
	file->path = strcmp(path, file->real) == 0 ? file->real : strdup(path);
	if (!file->path)
		return -ENOMEM;
	r = remember_line(file);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(file);
	return 0;
}

int kr_fs_read(struct kr_fs *fs, const char *path, const struct kr_file **ret)
{
	_cleanup_file_ struct kr_file *file = NULL;
	int r;

	if (fs->below)
		return read_below(fs, path, ret);
	*ret = find(&fs->files, path);
	if (*ret)
		return 0;
	if (fs->n_files == KR_FS_FILES_MAX)
		return -EFBIG;
	r = load_again(fs, path, KR_FS_BYTES_MAX - fs->n_bytes, &file);
	if (r < 0)
		return r;
	/* what /proc has shows no size before it is read */
	if (file->size > KR_FS_BYTES_MAX - fs->n_bytes)
		return -EFBIG;
	if (!tsearch(file, &fs->files, by_path))
		return -ENOMEM;
	fs->n_bytes += file->size;
	fs->n_files++;
	*ret = TAKE_PTR(file);
	return 0;
}

int kr_fs_read_once(struct kr_fs *fs, const char *path, struct kr_file **ret)
{
	return load_again(fs, path, KR_FILE_SIZE_MAX, ret);
}

const char *kr_fs_strerror(int error)
{
	if (error != EFBIG)
		return strerror(error);
	return "too large: a file may have 16 MiB, all that are read 24 MiB, "
	       "and there may be 110,000 of them";
}

/* DATA NULL: a file that is hidden. */
static int put(struct kr_fs *fs, const char *real, const char *data,
               size_t size)
{
	_cleanup_file_ struct kr_file *file = NULL;

	if (find(&fs->overlay, real))
		return KR_COLLIDES;
	file = file_new();
	if (!file)
		return -ENOMEM;
	file->path = strdup(real);
	file->real = strdup(real);
	file->data = data ? malloc(size + 1) : NULL;
	if (!file->path || !file->real || (data && !file->data))
		return -ENOMEM;
	if (data) {
		memcpy(file->data, data, size);
		file->data[size] = '\0';
	}
	file->size = size;
	file->overlay = true;
	if (remember_line(file) < 0)
		return -ENOMEM;
	if (!tsearch(file, &fs->overlay, by_path))
		return -ENOMEM;
	TAKE_PTR(file);
	return 0;
}

int kr_fs_put(struct kr_fs *fs, const char *real, const char *data, size_t size)
{
	return put(fs, real, data, size);
}

int kr_fs_hide(struct kr_fs *fs, const char *real)
{
	return put(fs, real, NULL, 0);
}

int kr_fs_set_perms(struct kr_fs *fs, const char *real,
                    const struct kr_perms *perms)
{
	struct overlay_perms *o = malloc(sizeof(*o)), **found;

	if (!o)
		return -ENOMEM;
	*o = (struct overlay_perms){strdup(real), *perms};
	found = o->real ? tsearch(o, &fs->perms, by_real) : NULL;
	if (found && *found == o)
		return 0;
	perms_free(o);
	return found ? KR_COLLIDES : -ENOMEM;
}

/* The first SIZE bytes of the file at PATH. 1; 0: it has not as many, is no
 * file, or not there; an errno. */
static int read_start(struct kr_fs *fs, const char *path, void *ret,
                      size_t size)
{
	_cleanup_file_ struct kr_file *file = file_new();
	_cleanup_close_ int fd = -1;
	struct stat before;

	if (!file)
		return -ENOMEM;
	fd = open_regular(fs, path, file, &before);
	if (fd == -ENOENT || fd == -EISDIR || fd == -EINVAL)
		return 0;
	if (fd < 0)
		return fd;
	return read(fd, ret, size) == (ssize_t)size;
}

bool kr_fs_is_device(struct kr_fs *fs, const char *path)
{
	struct stat st;

	return kr_fs_look(fs, path, true, &st) == 0 &&
	       (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode));
}

int kr_fs_is_script(struct kr_fs *fs, const char *path)
{
	char start[2];
	int r = read_start(fs, path, start, sizeof(start));

	return r > 0 ? memcmp(start, "#!", 2) == 0 : r;
}

int kr_fs_machine(struct kr_fs *fs, const char *path)
{
	Elf64_Ehdr header;
	int r = read_start(fs, path, &header, sizeof(header));

	if (r <= 0 || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return r < 0 ? r : 0;
	/* both kinds of machine that a node can be are little-endian */
	return le16toh(header.e_machine);
}

/* --- looking ------------------------------------------------------------- */

/* What the uppermost overlay that says something of REAL says; NULL: none. */
static struct kr_file *find_changed(struct kr_fs *fs, const char *real)
{
	struct kr_file *file = NULL;

	for (struct kr_fs *o = fs; o && !file; o = o->below)
		file = find(&o->overlay, real);
	return file;
}

/* What the uppermost overlay that says it makes of REAL's mode and owner. */
static void change_perms(struct kr_fs *fs, const char *real, struct stat *st)
{
	struct overlay_perms key = {.real = (char *)(uintptr_t)real};
	struct overlay_perms *const *found = NULL;

	for (struct kr_fs *o = fs; o && !found; o = o->below)
		found = tfind(&key, &o->perms, by_real);
	if (!found)
		return;
	st->st_mode = (st->st_mode & ~KR_PERMS_MASK) | (*found)->perms.mode;
	st->st_uid = (*found)->perms.uid;
	st->st_gid = (*found)->perms.gid;
}

static int stat_overlay(struct kr_fs *fs, const char *path, struct kr_stat *ret)
{
	_cleanup_free_ char *real = NULL;
	const struct kr_file *file;
	int r = kr_fs_overlay_real(fs, path, &real);

	if (r < 0)
		return r;
	file = find_changed(fs, real);
	if (!file || !file->data)
		return -ENOENT;
	ret->st.st_mode = S_IFREG | 0644;
	ret->st.st_size = (off_t)file->size;
	ret->real = TAKE_PTR(real);
	return 0;
}

int kr_fs_stat(struct kr_fs *fs, const char *path, bool follow,
               struct kr_stat *ret)
{
	_cleanup_stat_ struct kr_stat st = {0};
	_cleanup_close_ int fd =
		kr_root_resolve(&fs->root, path, follow, &st.real);
	const struct kr_file *changed;
	char target[PATH_MAX];
	ssize_t n;
	int r;

	changed = fd >= 0 && fs->below ? find_changed(fs, st.real) : NULL;
	if (changed && !changed->data)
		return -ENOENT;
	if (fd == -ENOENT && fs->below) {
		r = stat_overlay(fs, path, &st);
		if (r < 0)
			return r;
	} else if (fd < 0) {
		return fd;
	} else if (fstat(fd, &st.st) < 0) {
		return -errno;
	}
	change_perms(fs, st.real, &st.st);
	if (S_ISLNK(st.st.st_mode)) {
		n = readlinkat(fd, "", target, sizeof(target) - 1);
		if (n < 0)
			return -errno;
		target[n] = '\0';
		st.target = strdup(target);
		if (!st.target)
			return -ENOMEM;
	}
	*ret = TAKE(st);
	return 0;
}

int kr_fs_look(struct kr_fs *fs, const char *path, bool follow,
               struct stat *ret)
{
	_cleanup_stat_ struct kr_stat st = {0};
	int r;

	if (fs->is_own)
		return fstatat(fs->root.fd, path, ret,
		               follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0
		               ? -errno
		               : 0;
	r = kr_fs_stat(fs, path, follow, &st);
	*ret = st.st;
	return r;
}

int kr_fs_real(struct kr_fs *fs, const char *path, char **ret)
{
	_cleanup_stat_ struct kr_stat st = {0};
	_cleanup_close_ int fd = -1;
	int r;

	if (!fs->below) {
		fd = kr_root_resolve(&fs->root, path, true, ret);
		return fd < 0 ? fd : 0;
	}
	r = kr_fs_stat(fs, path, true, &st);
	if (r == 0)
		*ret = TAKE_PTR(st.real);
	return r;
}

bool kr_fs_is_link(struct kr_fs *fs, const char *name, char *ret_target,
                   size_t size)
{
	ssize_t n = readlinkat(fs->root.fd, name, ret_target, size - 1);

	if (n < 0)
		return false;
	ret_target[n] = '\0';
	return true;
}

void kr_stat_done(struct kr_stat *st)
{
	free(st->real);
	free(st->target);
	*st = (struct kr_stat){0};
}
