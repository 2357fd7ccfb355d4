/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Files below a root directory.
 *
 * The kernel resolves: openat2(2) with RESOLVE_IN_ROOT, so that neither ".."
 * nor an absolute link leads out. Asked with RESOLVE_NO_SYMLINKS first, since
 * then the path is also the real one. Where a link is met (ELOOP), or the
 * kernel or a seccomp filter has no openat2 (ENOSYS, EPERM), walk() does it
 * name by name with O_NOFOLLOW and the same rules, and learns the real path.
 *
 * Nothing but a regular file is opened for reading: a look at what a path is
 * goes through O_PATH, which has no side effect on a FIFO or a device.
 *
 * Limits: 40 links as the kernel, PATH_MAX bytes.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"

#define LINKS_MAX 40
#define TRIES_MAX 32 /* against what moves under our feet */

struct kr_fs {
	int root_fd;
	struct kr_fs *below; /* an overlay's */
	void *files;         /* tsearch(3) tree of struct kr_file by path */
	void *overlay;       /* the same by real path */
	bool no_openat2;
};

static void file_free(void *p)
{
	struct kr_file *file = p;

	if (!file)
		return;
	free(file->path);
	free(file->real);
	free(file->data);
	free(file);
}

static inline void file_freep(struct kr_file **file)
{
	file_free(*file);
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
	fs->root_fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 3);
	if (fs->root_fd < 0) {
		r = -errno;
		free(fs);
		return r;
	}
	*ret = fs;
	return 0;
}

int kr_fs_new_overlay(struct kr_fs *below, struct kr_fs **ret)
{
	int r = kr_fs_new(below->root_fd, ret);

	if (r == 0)
		(*ret)->below = below;
	return r;
}

struct kr_fs *kr_fs_free(struct kr_fs *fs)
{
	if (!fs)
		return NULL;
	tdestroy(fs->files, file_free);
	tdestroy(fs->overlay, file_free);
	close(fs->root_fd);
	free(fs);
	return NULL;
}

int kr_fs_root_fd(const struct kr_fs *fs)
{
	return fs->root_fd;
}

char *kr_path_normalise(const char *path)
{
	char *out = malloc(strlen(path) + 2);
	size_t n = 0;

	if (!out)
		return NULL;
	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 2 && memcmp(path, "..", 2) == 0) {
			while (n > 0 && out[--n] != '/')
				;
		} else if (length > 0 && !(length == 1 && *path == '.')) {
			out[n++] = '/';
			memcpy(out + n, path, length);
			n += length;
		}
		path += length;
		path += *path == '/';
	}
	if (n == 0)
		out[n++] = '/';
	out[n] = '\0';
	return out;
}

char *kr_path_join(const char *dir, const char *name)
{
	size_t length = strlen(dir);
	char *out;

	while (length > 0 && dir[length - 1] == '/')
		length--;
	if (asprintf(&out, "%.*s/%s", (int)length, dir, name) < 0)
		return NULL;
	return out;
}

/* --- resolving ----------------------------------------------------------- */

/* openat2(2) counts a leading slash as the root's, "" is not a path. */
static int open_in_root(struct kr_fs *fs, const char *path, int flags,
                        uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
	};
	unsigned tries = 0;
	int fd;

	if (fs->no_openat2)
		return -ENOSYS;
	do { /* EAGAIN: a rename or a mount while ".." was resolved */
		fd = (int)syscall(SYS_openat2, fs->root_fd, path, &how,
		                  sizeof(how));
	} while (fd < 0 && (errno == EAGAIN || errno == EINTR) &&
	         ++tries < TRIES_MAX);
	if (fd >= 0)
		return fd;
	if (errno == EPERM || errno == ENOSYS)
		fs->no_openat2 = true;
	return -errno;
}

struct walk {
	char todo[2 * PATH_MAX]; /* what is still to be resolved */
	char real[PATH_MAX];     /* what is resolved: "" or "/a/b" */
	unsigned n_links;
	int fd; /* of REAL, O_PATH */
};

/* Opens WALK's real path anew: no name in it is a link, or somebody swapped
 * one in since, which is refused. */
static int walk_reopen(struct kr_fs *fs, struct walk *w)
{
	char *name = w->real;
	int fd = openat(fs->root_fd, ".", O_PATH | O_CLOEXEC | O_DIRECTORY);

	while (fd >= 0 && *name) {
		char *end = strchrnul(name + 1, '/');
		char saved = *end;
		int next;

		*end = '\0';
		next = openat(fd, name + 1,
		              O_PATH | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY);
		*end = saved;
		close(fd);
		fd = next;
		name = end;
	}
	if (fd < 0)
		return -errno;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = fd;
	return 0;
}

static int walk_link(struct kr_fs *fs, struct walk *w, int link_fd,
                     const char *rest)
{
	char target[PATH_MAX];
	char next[2 * PATH_MAX];
	ssize_t n = readlinkat(link_fd, "", target, sizeof(target) - 1);
	int length;

	if (n < 0)
		return -errno;
	if (++w->n_links > LINKS_MAX)
		return -ELOOP;
	target[n] = '\0';
	length = snprintf(next, sizeof(next), "%s%s", target, rest);
	if (length >= (int)sizeof(next))
		return -ENAMETOOLONG;
	memcpy(w->todo, next, (size_t)length + 1);
	if (target[0] != '/')
		return 0;
	w->real[0] = '\0';
	return walk_reopen(fs, w);
}

static int walk_up(struct kr_fs *fs, struct walk *w)
{
	char *slash = strrchr(w->real, '/');

	if (slash)
		*slash = '\0';
	return walk_reopen(fs, w);
}

static int walk_name(struct kr_fs *fs, struct walk *w, const char *name,
                     const char *rest, bool follow)
{
	_cleanup_close_ int fd =
		openat(w->fd, name, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	size_t length = strlen(w->real);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode) && (follow || *rest))
		return walk_link(fs, w, fd, rest);
	if (*rest && !S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (length + 1 + strlen(name) >= sizeof(w->real))
		return -ENAMETOOLONG;
	w->real[length] = '/';
	strcpy(w->real + length + 1, name);
	memmove(w->todo, rest, strlen(rest) + 1);
	close(w->fd);
	w->fd = TAKE_FD(fd);
	return 0;
}

/* Resolves PATH name by name. The fd (O_PATH) and the real path. */
static int walk(struct kr_fs *fs, const char *path, bool follow,
                char **ret_real)
{
	struct walk w = {.fd = -1};
	int r;

	if (!*path)
		return -ENOENT;
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(w.todo, path);
	r = walk_reopen(fs, &w);
	while (r == 0) {
		char name[NAME_MAX + 1];
		char *start = w.todo + strspn(w.todo, "/");
		size_t length = strcspn(start, "/");

		if (length == 0)
			break;
		if (length > NAME_MAX) {
			r = -ENAMETOOLONG;
			break;
		}
		memcpy(name, start, length);
		name[length] = '\0';
		start += length;
		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
			r = walk_name(fs, &w, name, start, follow);
			continue;
		}
		memmove(w.todo, start, strlen(start) + 1);
		if (name[1] == '.')
			r = walk_up(fs, &w);
	}
	if (r == 0) {
		*ret_real = strdup(*w.real ? w.real : "/");
		r = *ret_real ? 0 : -ENOMEM;
	}
	if (r < 0) {
		if (w.fd >= 0)
			close(w.fd);
		return r;
	}
	return w.fd;
}

/* Whether ".." stands behind another name: that name may be a link, and then
 * only a walk knows what is above it. */
static bool climbs_late(const char *target)
{
	bool named = false;

	while (*target) {
		size_t length = strcspn(target, "/");
		bool stays = length == 0 || (length == 1 && *target == '.');
		bool up = length == 2 && memcmp(target, "..", 2) == 0;

		if (up && named)
			return true;
		named = named || (!stays && !up);
		target += length;
		target += *target == '/';
	}
	return false;
}

/* Where the link LINK_FD leads that is the last name of PATH and the only link
 * in it. NULL: it must be walked. */
static char *link_leads(int link_fd, const char *path)
{
	_cleanup_free_ char *joined = NULL;
	char target[PATH_MAX];
	ssize_t n = readlinkat(link_fd, "", target, sizeof(target) - 1);

	if (n <= 0 || target[n - 1] == '/' || target[n - 1] == '.')
		return NULL;
	target[n] = '\0';
	if (climbs_late(target))
		return NULL;
	if (target[0] == '/')
		return kr_path_normalise(target);
	if (asprintf(&joined, "%s/../%s", path, target) < 0) {
		joined = NULL;
		return NULL;
	}
	return kr_path_normalise(joined);
}

/* Follows the one link LINK_FD at the end of PATH, which most links of a system
 * are, without a walk. -ELOOP: it must be walked. */
static int resolve_link(struct kr_fs *fs, int link_fd, const char *path,
                        char **ret_real)
{
	_cleanup_free_ char *real = link_leads(link_fd, path);
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (!real)
		return -ELOOP;
	fd = open_in_root(fs, real, O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
	if (fd < 0 || fstat(fd, &st) < 0 || S_ISLNK(st.st_mode))
		return -ELOOP;
	*ret_real = TAKE_PTR(real);
	return TAKE_FD(fd);
}

/* An O_PATH fd of what is at PATH, and its real path. */
static int resolve(struct kr_fs *fs, const char *path, bool follow,
                   char **ret_real)
{
	int fd = open_in_root(fs, path, O_PATH | O_NOFOLLOW,
	                      RESOLVE_NO_SYMLINKS);
	struct stat st;
	char *real;

	if (fd == -ELOOP || fs->no_openat2)
		return walk(fs, path, follow, ret_real);
	if (fd < 0)
		return fd;
	/* O_PATH | O_NOFOLLOW opens a link itself in spite of NO_SYMLINKS */
	if (follow && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode)) {
		int target_fd = resolve_link(fs, fd, path, ret_real);

		close(fd);
		return target_fd >= 0 ? target_fd
		                      : walk(fs, path, follow, ret_real);
	}
	real = kr_path_normalise(path);
	if (!real) {
		close(fd);
		return -ENOMEM;
	}
	*ret_real = real;
	return fd;
}

int kr_fs_open_folder(struct kr_fs *fs, const char *path)
{
	_cleanup_free_ char *real = NULL;
	_cleanup_close_ int fd = resolve(fs, path, true, &real);
	int dir_fd;

	if (fd < 0)
		return fd;
	dir_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -errno : dir_fd;
}

int kr_fs_make_folder(struct kr_fs *fs, const char *path, mode_t mode)
{
	_cleanup_free_ char *normal = NULL, *parent = NULL;
	_cleanup_close_ int parent_fd = -1;
	const char *name;
	int fd = kr_fs_open_folder(fs, path);

	if (fd != -ENOENT)
		return fd;
	normal = kr_path_normalise(path);
	if (!normal)
		return -ENOMEM;
	name = strrchr(normal, '/') + 1;
	parent = strndup(normal, (size_t)(name - normal));
	if (!parent)
		return -ENOMEM;
	if (strcmp(parent, normal) == 0)
		return -ENOENT;
	parent_fd = kr_fs_make_folder(fs, parent, 0755);
	if (parent_fd < 0)
		return parent_fd;
	if (mkdirat(parent_fd, name, mode) < 0 && errno != EEXIST)
		return -errno;
	return kr_fs_open_folder(fs, path);
}

int kr_fs_open_parent(struct kr_fs *fs, const char *real, const char **ret_name)
{
	const char *slash = strrchr(real, '/');
	_cleanup_free_ char *folder = strndup(real, (size_t)(slash - real));
	_cleanup_free_ char *folder_real = NULL;
	_cleanup_close_ int fd = -1;
	int dir_fd;

	if (!folder)
		return -ENOMEM;
	fd = resolve(fs, *folder ? folder : "/", true, &folder_real);
	if (fd < 0)
		return fd;
	if (strcmp(folder_real, *folder ? folder : "/") != 0)
		return -ELOOP;
	dir_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return -errno;
	*ret_name = slash + 1;
	return dir_fd;
}

/* --- reading ------------------------------------------------------------- */

static int read_all(int fd, size_t hint, char **ret, size_t *ret_size)
{
	size_t size = 0, room = hint + 1;
	_cleanup_free_ char *data = malloc(room + 1);

	if (!data)
		return -ENOMEM;
	for (;;) {
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

/* The inode behind the O_PATH fd PATH_FD for reading, through its folder: an
 * O_PATH fd can be opened anew only by way of /proc, which need not be there.
 */
static int open_inode(struct kr_fs *fs, const char *real,
                      const struct stat *want)
{
	_cleanup_close_ int dir_fd = -1;
	const char *name;
	struct stat st;
	int fd;

	fd = open_in_root(fs, real,
	                  O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW,
	                  RESOLVE_NO_SYMLINKS);
	if (fd < 0 && fs->no_openat2) {
		dir_fd = kr_fs_open_parent(fs, real, &name);
		if (dir_fd < 0)
			return dir_fd;
		fd = openat(dir_fd, name,
		            O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW |
		                    O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	if (fd < 0) /* ELOOP: a link took its place */
		return fd == -ELOOP ? -EAGAIN : fd;
	if (fstat(fd, &st) == 0 && st.st_dev == want->st_dev &&
	    st.st_ino == want->st_ino)
		return fd;
	close(fd);
	return -EAGAIN;
}

/* Whether the file was written to between two looks. */
static bool is_changed(const struct stat *a, const struct stat *b)
{
	return a->st_size != b->st_size ||
	       a->st_mtim.tv_sec != b->st_mtim.tv_sec ||
	       a->st_mtim.tv_nsec != b->st_mtim.tv_nsec;
}

static int load(struct kr_fs *fs, const char *path, struct kr_file *file)
{
	_cleanup_close_ int path_fd = -1, fd = -1;
	struct stat before;
	struct statx stx;
	int r;

	path_fd = resolve(fs, path, true, &file->real);
	if (path_fd < 0)
		return path_fd;
	if (fstat(path_fd, &file->st) < 0)
		return -errno;
	if (S_ISDIR(file->st.st_mode))
		return -EISDIR;
	if (!S_ISREG(file->st.st_mode))
		return -EINVAL;
	if ((uint64_t)file->st.st_size > KR_FILE_SIZE_MAX)
		return -EFBIG;
	fd = open_inode(fs, file->real, &file->st);
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
	fd = resolve(fs, folder, true, &folder_real);
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

int kr_fs_read(struct kr_fs *fs, const char *path, const struct kr_file **ret)
{
	_cleanup_(file_freep) struct kr_file *file = NULL;
	unsigned tries = 0;
	int r;

	if (fs->below)
		return read_below(fs, path, ret);
	*ret = find(&fs->files, path);
	if (*ret)
		return 0;
	do { /* replaced or written to between two looks: look again */
		file_freep(&file);
		file = calloc(1, sizeof(*file));
		if (!file)
			return -ENOMEM;
		r = load(fs, path, file);
	} while (r == -EAGAIN && ++tries < TRIES_MAX);
	if (r < 0)
		return r;
	file->path = strdup(path);
	if (!file->path || !tsearch(file, &fs->files, by_path))
		return -ENOMEM;
	*ret = TAKE_PTR(file);
	return 0;
}

/* DATA NULL: a file that is hidden. */
static int put(struct kr_fs *fs, const char *real, const char *data,
               size_t size)
{
	_cleanup_(file_freep) struct kr_file *file = NULL;

	if (find(&fs->overlay, real))
		return -EEXIST;
	file = calloc(1, sizeof(*file));
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

/* --- folders ------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct kr_dir_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int add_entry(struct kr_dir *dir, size_t *size, const char *name,
                     unsigned char type)
{
	struct kr_dir_entry *grown;

	if (dir->n_entries == *size) {
		size_t wanted = *size ? 2 * *size : 16;

		grown = reallocarray(dir->entries, wanted, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		dir->entries = grown;
		*size = wanted;
	}
	dir->entries[dir->n_entries].name = strdup(name);
	if (!dir->entries[dir->n_entries].name)
		return -ENOMEM;
	dir->entries[dir->n_entries++].type = type;
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
                     size_t *size, char **ret_real)
{
	_cleanup_close_ int path_fd = resolve(fs, path, true, ret_real);
	struct dirent *e;
	DIR *d;
	int fd, r = 0;

	if (path_fd < 0)
		return path_fd;
	fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (!d) {
		r = -errno;
		close(fd);
		return r;
	}
	errno = 0;
	while (r == 0 && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = add_entry(dir, size, e->d_name, entry_type(d, e));
		errno = 0;
	}
	if (r == 0 && errno != 0)
		r = -errno;
	closedir(d);
	return r;
}

struct overlay_scan {
	const char *folder; /* real path */
	struct kr_dir *dir;
	size_t *size;
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
	if (scan->r == 0 && file->data)
		scan->r = add_entry(scan->dir, scan->size, slash + 1, DT_REG);
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
	size_t size = 0;
	int r = list_disk(fs, path, &dir, &size, &real);

	if (r < 0 && (r != -ENOENT || !fs->below))
		return r;
	if (!real && overlay_real(fs, path, &real) < 0)
		return -ENOMEM;
	scan.folder = real;
	scan.size = &size;
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

int kr_fs_stat(struct kr_fs *fs, const char *path, bool follow,
               struct kr_stat *ret)
{
	_cleanup_stat_ struct kr_stat st = {0};
	_cleanup_close_ int fd = resolve(fs, path, follow, &st.real);
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
