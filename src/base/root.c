/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Paths below a root directory.
 *
 * The kernel resolves: openat2(2) with RESOLVE_IN_ROOT, so that neither ".."
 * nor an absolute link leads out. Asked with RESOLVE_NO_SYMLINKS first, since
 * then the path is also the real one. Where a link is met (ELOOP), or the
 * kernel or a seccomp filter has no openat2 (ENOSYS, EPERM), walk() does it
 * name by name with O_NOFOLLOW and the same rules, and learns the real path.
 *
 * Limits: 40 links as the kernel, PATH_MAX bytes.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/path.h"
#include "base/root.h"

#define LINKS_MAX 40
#define TRIES_MAX 32 /* against what moves under our feet */

/* openat2(2) counts a leading slash as the root's, "" is not a path. */
static int open_in_root(struct kr_root *root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS |
	                   RESOLVE_NO_SYMLINKS,
	};
	unsigned tries = 0;
	int fd;

	if (root->no_openat2)
		return -ENOSYS;
	do { /* EAGAIN: a rename or a mount while ".." was resolved */
		fd = (int)syscall(SYS_openat2, root->fd, path, &how,
		                  sizeof(how));
	} while (fd < 0 && (errno == EAGAIN || errno == EINTR) &&
	         ++tries < TRIES_MAX);
	if (fd >= 0)
		return fd;
	if (errno == EPERM || errno == ENOSYS)
		root->no_openat2 = true;
	return -errno;
}

struct walk {
	char todo[2 * PATH_MAX]; /* what is still to be resolved */
	char real[PATH_MAX];     /* what is resolved: "" or "/a/b" */
	unsigned n_links;
	int fd; /* of REAL, O_PATH */
};

/* Opens WALK's real path again: no name in it is a link, or others swapped
 * one in since, which is refused. */
static int walk_reopen(struct kr_root *root, struct walk *w)
{
	char *name = w->real;
	int fd = openat(root->fd, ".", O_PATH | O_CLOEXEC | O_DIRECTORY);

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

static int walk_link(struct kr_root *root, struct walk *w, int link_fd,
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
	return walk_reopen(root, w);
}

static void walk_done(struct walk *w)
{
	kr_closep(&w->fd);
}

static int walk_up(struct kr_root *root, struct walk *w)
{
	char *slash = strrchr(w->real, '/');

	if (slash)
		*slash = '\0';
	return walk_reopen(root, w);
}

static int walk_name(struct kr_root *root, struct walk *w, const char *name,
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
		return walk_link(root, w, fd, rest);
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

/* The next name of those that are left. 1; 0: all are done; an errno. */
static int walk_on(struct kr_root *root, struct walk *w, bool follow)
{
	char name[NAME_MAX + 1];
	char *start = w->todo + strspn(w->todo, "/");
	size_t length = strcspn(start, "/");
	int r = 0;

	if (length == 0)
		return 0;
	if (length > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, start, length);
	name[length] = '\0';
	start += length;
	if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
		r = walk_name(root, w, name, start, follow);
		return r < 0 ? r : 1;
	}
	memmove(w->todo, start, strlen(start) + 1);
	if (name[1] == '.')
		r = walk_up(root, w);
	return r < 0 ? r : 1;
}

/* Resolves PATH name by name. The fd (O_PATH) and the real path. */
static int walk(struct kr_root *root, const char *path, bool follow,
                char **ret_real)
{
	_cleanup_(walk_done) struct walk w = {.fd = -1};
	int r;

	if (!*path)
		return -ENOENT;
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(w.todo, path);
	r = walk_reopen(root, &w);
	if (r < 0)
		return r;
	do {
		r = walk_on(root, &w, follow);
		if (r < 0)
			return r;
	} while (r > 0);
	*ret_real = strdup(*w.real ? w.real : "/");
	return *ret_real ? TAKE_FD(w.fd) : -ENOMEM;
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

char *kr_root_read_link(struct kr_root *root, const char *path)
{
	_cleanup_close_ int fd = open_in_root(root, path, O_PATH | O_NOFOLLOW);
	_cleanup_free_ char *joined = NULL;
	char target[PATH_MAX];
	ssize_t n =
		fd < 0 ? fd : readlinkat(fd, "", target, sizeof(target) - 1);

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

/* Some name on the way is a link: most often the last one alone, which needs
 * no walk. */
static int resolve_links(struct kr_root *root, const char *path,
                         char **ret_real)
{
	_cleanup_free_ char *real = kr_root_read_link(root, path);
	int fd = real ? open_in_root(root, real, O_PATH) : -ELOOP;

	if (fd < 0)
		return walk(root, path, true, ret_real);
	*ret_real = TAKE_PTR(real);
	return fd;
}

int kr_root_resolve(struct kr_root *root, const char *path, bool follow,
                    char **ret_real)
{
	/* O_PATH | O_NOFOLLOW opens a link itself in spite of NO_SYMLINKS */
	int fd = open_in_root(root, path, O_PATH | (follow ? 0 : O_NOFOLLOW));
	char *real;

	if (root->no_openat2 || (fd == -ELOOP && !follow))
		return walk(root, path, follow, ret_real);
	if (fd == -ELOOP)
		return resolve_links(root, path, ret_real);
	if (fd < 0)
		return fd;
	real = kr_path_normalise(path);
	if (!real) {
		close(fd);
		return -ENOMEM;
	}
	*ret_real = real;
	return fd;
}

/* Without a link on the way, as most are, in one step. */
static int open_plain_folder(struct kr_root *root, const char *path,
                             char **ret_real)
{
	int fd = open_in_root(root, path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd;
	*ret_real = kr_path_normalise(path);
	if (*ret_real)
		return fd;
	close(fd);
	return -ENOMEM;
}

int kr_root_open_folder(struct kr_root *root, const char *path, char **ret_real)
{
	_cleanup_free_ char *real = NULL;
	_cleanup_close_ int fd = -1;
	int dir_fd = open_plain_folder(root, path, &real);

	if (dir_fd == -ELOOP || root->no_openat2) {
		fd = kr_root_resolve(root, path, true, &real);
		if (fd < 0)
			return fd;
		dir_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir_fd < 0)
			dir_fd = -errno;
	}
	if (dir_fd >= 0 && ret_real)
		*ret_real = TAKE_PTR(real);
	return dir_fd;
}

int kr_root_make_folder(struct kr_root *root, const char *path, mode_t mode)
{
	_cleanup_free_ char *normal = NULL, *parent = NULL;
	_cleanup_close_ int parent_fd = -1;
	const char *name;
	int fd = kr_root_open_folder(root, path, NULL);

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
	parent_fd = kr_root_make_folder(root, parent, 0755);
	if (parent_fd < 0)
		return parent_fd;
	if (mkdirat(parent_fd, name, mode) < 0 && errno != EEXIST)
		return -errno;
	/* what is put into it must not be lost with it */
	if (fsync(parent_fd) < 0)
		return -errno;
	return kr_root_open_folder(root, path, NULL);
}

int kr_root_open_parent(struct kr_root *root, const char *real,
                        const char **ret_name)
{
	const char *slash = strrchr(real, '/');
	_cleanup_free_ char *folder = strndup(real, (size_t)(slash - real));
	_cleanup_free_ char *folder_real = NULL;
	_cleanup_close_ int fd = -1;

	if (!folder)
		return -ENOMEM;
	fd = kr_root_open_folder(root, *folder ? folder : "/", &folder_real);
	if (fd < 0)
		return fd;
	if (strcmp(folder_real, *folder ? folder : "/") != 0)
		return -ELOOP;
	*ret_name = slash + 1;
	return TAKE_FD(fd);
}

/* Through its path again: an O_PATH fd can be opened again only by way of
 * /proc, which need not be there. */
int kr_root_open_file(struct kr_root *root, const char *real,
                      const struct stat *want)
{
	_cleanup_close_ int dir_fd = -1;
	const char *name;
	struct stat st;
	int fd;

	fd = open_in_root(root, real,
	                  O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	if (fd < 0 && root->no_openat2) {
		dir_fd = kr_root_open_parent(root, real, &name);
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
	if (!want)
		return fd;
	if (fstat(fd, &st) == 0 && st.st_dev == want->st_dev &&
	    st.st_ino == want->st_ino)
		return fd;
	close(fd);
	return -EAGAIN;
}
