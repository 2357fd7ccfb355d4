/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Files below a root directory (base/root), read once, and overlays of them.
 *
 * Nothing but a regular file is opened for reading: a look at what a path is
 * goes through O_PATH, which has no side effect on a FIFO or a device.
 */

#include <dirent.h>
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
#include <unistd.h>

#include "base/fs.h"
#include "base/root.h"
#include "base/vec.h"

#define TRIES_MAX 32 /* against what moves under our feet */

struct kr_fs {
	struct kr_root root;
	struct kr_fs *below; /* an overlay's */
	void *files;         /* tsearch(3) tree of struct kr_file by path */
	void *overlay;       /* the same by real path */
	struct put_perms {   /* of an overlay */
		char *real;
		struct kr_perms perms;
	} * perms;
	size_t n_perms;
	size_t n_bytes, n_files;
};

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
	struct kr_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->line = calloc(1, sizeof(*file->line));
	if (!file->line) {
		free(file);
		return NULL;
	}
	return file;
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

int kr_fs_new(int root_fd, struct kr_fs **ret)
{
	struct kr_fs *fs = calloc(1, sizeof(*fs));
	int r;

	if (!fs)
		return -ENOMEM;
	fs->root.fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 3);
	if (fs->root.fd < 0) {
		r = -errno;
		free(fs);
		return r;
	}
	*ret = fs;
	return 0;
}

int kr_fs_new_overlay(struct kr_fs *below, struct kr_fs **ret)
{
	int r = kr_fs_new(below->root.fd, ret);

	if (r < 0)
		return r;
	(*ret)->below = below;
	return 0;
}

struct kr_fs *kr_fs_free(struct kr_fs *fs)
{
	if (!fs)
		return NULL;
	tdestroy(fs->files, file_free);
	tdestroy(fs->overlay, file_free);
	for (size_t i = 0; i < fs->n_perms; i++)
		free(fs->perms[i].real);
	free(fs->perms);
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

/* Whether the file was written to between two looks. */
static bool is_changed(const struct stat *a, const struct stat *b)
{
	return a->st_size != b->st_size ||
	       a->st_mtim.tv_sec != b->st_mtim.tv_sec ||
	       a->st_mtim.tv_nsec != b->st_mtim.tv_nsec;
}

/* ROOM is what its bytes may take. */
static int load(struct kr_fs *fs, const char *path, size_t room,
                struct kr_file *file)
{
	_cleanup_close_ int path_fd = -1, fd = -1;
	struct stat before;
	struct statx stx;
	int r;

	path_fd = kr_root_resolve(&fs->root, path, true, &file->real);
	if (path_fd < 0)
		return path_fd;
	if (fstat(path_fd, &file->st) < 0)
		return -errno;
	if (S_ISDIR(file->st.st_mode))
		return -EISDIR;
	if (!S_ISREG(file->st.st_mode))
		return -EINVAL;
	if ((uint64_t)file->st.st_size > KR_FILE_SIZE_MAX ||
	    (uint64_t)file->st.st_size > room)
		return -EFBIG;
	fd = kr_root_open_file(&fs->root, file->real, &file->st);
	if (fd < 0)
		return fd;
	before = file->st;
	r = read_all(fd, (size_t)before.st_size, &file->data, &file->size);
	if (r < 0)
		return r;
	/* what is kept must not be older than the bytes, nor they be torn */
	if (fstat(fd, &file->st) < 0)
		return -errno;
	if (is_changed(&before, &file->st))
		return -EAGAIN;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &stx) == 0 &&
	    (stx.stx_mask & STATX_BTIME)) {
		file->btime.tv_sec = stx.stx_btime.tv_sec;
		file->btime.tv_nsec = stx.stx_btime.tv_nsec;
	}
	return 0;
}

/* The real path that PATH has, or will have, where only an overlay has the
 * file: that of its folder, if the disk has it, and its last name. */
static int overlay_real(struct kr_fs *fs, const char *path, char **ret)
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
		err = overlay_real(fs, path, &real);
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
		return -EEXIST;
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

/* The first SIZE bytes of the file at PATH. 1; 0: it has not as many, is no
 * file, or not there; an errno. */
static int read_start(struct kr_fs *fs, const char *path, void *ret,
                      size_t size)
{
	_cleanup_free_ char *real = NULL;
	_cleanup_close_ int path_fd = -1, fd = -1;
	struct stat st;

	path_fd = kr_root_resolve(&fs->root, path, true, &real);
	if (path_fd == -ENOENT)
		return 0;
	if (path_fd < 0)
		return path_fd;
	if (fstat(path_fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	fd = kr_root_open_file(&fs->root, real, &st);
	if (fd < 0)
		return fd;
	return read(fd, ret, size) == (ssize_t)size;
}

bool kr_fs_is_device(struct kr_fs *fs, const char *path)
{
	_cleanup_stat_ struct kr_stat st = {0};

	return kr_fs_stat(fs, path, true, &st) == 0 &&
	       (S_ISCHR(st.st.st_mode) || S_ISBLK(st.st.st_mode));
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

/* --- folders ------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct kr_dir_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int add_entry(struct kr_dir *dir, const char *name, unsigned char type)
{
	struct kr_dir_entry *next = KR_VEC_NEXT(dir->entries, dir->n_entries);

	if (!next)
		return -ENOMEM;
	next->name = strdup(name);
	if (!next->name)
		return -ENOMEM;
	next->type = type;
	dir->n_entries++;
	return 0;
}

static unsigned char entry_type(DIR *d, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type;
	if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return DT_UNKNOWN;
	return IFTODT(st.st_mode);
}

static int list_disk(struct kr_fs *fs, const char *path, struct kr_dir *dir,
                     char **ret_real)
{
	_cleanup_close_ int fd = kr_root_open_folder(&fs->root, path, ret_real);
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *e;

	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d)
		return -errno;
	TAKE_FD(fd);
	while (errno = 0, e = readdir(d)) {
		int r;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		r = add_entry(dir, e->d_name, entry_type(d, e));
		if (r < 0)
			return r;
	}
	return -errno;
}

struct overlay_scan {
	const char *folder; /* real path */
	struct kr_dir *dir;
	size_t n_below; /* entries that are there without this overlay */
	int r;
};

static void scan_one(const void *node, VISIT visit, void *closure)
{
	const struct kr_file *file = *(struct kr_file *const *)node;
	struct overlay_scan *scan = closure;
	const char *slash = strrchr(file->real, '/');
	size_t length = strlen(scan->folder);

	if (visit != postorder && visit != leaf)
		return;
	if (length == 1)
		length = 0;
	if ((size_t)(slash - file->real) != length ||
	    memcmp(file->real, scan->folder, length) != 0)
		return;
	for (size_t i = 0; i < scan->n_below; i++) {
		struct kr_dir_entry *e = &scan->dir->entries[i];

		if (strcmp(e->name, slash + 1) != 0)
			continue;
		if (!file->data)
			e->type = DT_WHT; /* taken out below */
		return;
	}
	if (scan->r >= 0 && file->data)
		scan->r = add_entry(scan->dir, slash + 1, DT_REG);
}

/* Entries that an overlay hides. */
static void drop_hidden(struct kr_dir *dir)
{
	size_t n = 0;

	for (size_t i = 0; i < dir->n_entries; i++) {
		if (dir->entries[i].type == DT_WHT)
			free(dir->entries[i].name);
		else
			dir->entries[n++] = dir->entries[i];
	}
	dir->n_entries = n;
}

int kr_fs_list(struct kr_fs *fs, const char *path, struct kr_dir *ret)
{
	_cleanup_dir_ struct kr_dir dir = {0};
	_cleanup_free_ char *real = NULL;
	struct overlay_scan scan = {.dir = &dir};
	int r = list_disk(fs, path, &dir, &real);

	if (r < 0 && (r != -ENOENT || !fs->below))
		return r;
	if (!real && overlay_real(fs, path, &real) < 0)
		return -ENOMEM;
	scan.folder = real;
	for (struct kr_fs *o = fs; o; o = o->below) {
		scan.n_below = dir.n_entries;
		twalk_r(o->overlay, scan_one, &scan);
	}
	if (scan.r < 0)
		return scan.r;
	drop_hidden(&dir);
	if (r < 0 && dir.n_entries == 0)
		return r;
	if (dir.n_entries > 0)
		qsort(dir.entries, dir.n_entries, sizeof(*dir.entries),
		      by_name);
	*ret = dir;
	dir = (struct kr_dir){0};
	return 0;
}

void kr_dir_done(struct kr_dir *dir)
{
	for (size_t i = 0; i < dir->n_entries; i++)
		free(dir->entries[i].name);
	free(dir->entries);
	*dir = (struct kr_dir){0};
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

static int stat_overlay(struct kr_fs *fs, const char *path, struct kr_stat *ret)
{
	_cleanup_free_ char *real = NULL;
	const struct kr_file *file;
	int r = overlay_real(fs, path, &real);

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

int kr_fs_put_perms(struct kr_fs *fs, const char *real,
                    const struct kr_perms *perms)
{
	struct put_perms *next = KR_VEC_NEXT(fs->perms, fs->n_perms);

	if (!next)
		return -ENOMEM;
	*next = (struct put_perms){strdup(real), *perms};
	if (!next->real)
		return -ENOMEM;
	fs->n_perms++;
	return 0;
}

/* The uppermost overlay that says something of it. */
static void take_perms(const struct kr_fs *fs, struct kr_stat *st)
{
	for (; fs; fs = fs->below) {
		for (size_t i = 0; i < fs->n_perms; i++) {
			const struct put_perms *p = &fs->perms[i];

			if (strcmp(p->real, st->real) != 0)
				continue;
			st->st.st_mode &= ~KR_PERMS_MASK;
			st->st.st_mode |= p->perms.mode;
			st->st.st_uid = p->perms.uid;
			st->st.st_gid = p->perms.gid;
			return;
		}
	}
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
	take_perms(fs, &st);
	if (S_ISLNK(st.st.st_mode)) {
		n = readlinkat(fd, "", target, sizeof(target) - 1);
		if (n < 0)
			return -errno;
		target[n] = '\0';
		st.target = strdup(target);
		if (!st.target)
			return -ENOMEM;
	}
	*ret = st;
	st = (struct kr_stat){0};
	return 0;
}

void kr_stat_done(struct kr_stat *st)
{
	free(st->real);
	free(st->target);
	*st = (struct kr_stat){0};
}
