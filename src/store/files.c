/* SPDX-License-Identifier: Apache-2.0 */

/* Small steps on files and folders that several others take. What is changed is
 * brought to the disk. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/files.h"
#include "store/metadata.h"

int kr_write_all(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size > 0) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		/* a limit of file sizes: no room, for us. -EFBIG would be one
		 * of what was read */
		if (n < 0)
			return errno == EFBIG ? -ENOSPC : -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

bool kr_is_there(int dir_fd, const char *name)
{
	struct stat st;

	return name && *name &&
	       fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int kr_make_parent(struct kr_fs *fs, const char *real)
{
	_cleanup_free_ char *folder =
		strndup(real, (size_t)(strrchr(real, '/') - real));
	_cleanup_close_ int fd = -1;

	if (!folder)
		return -ENOMEM;
	if (!*folder)
		return 0;
	fd = kr_fs_make_folder(fs, folder, 0755);
	return fd < 0 ? fd : 0;
}

/* 0, also where it is not empty or not there, or an errno. */
static int remove_empty_folder(struct kr_fs *fs, const char *path)
{
	const char *name;
	_cleanup_close_ int fd = kr_fs_open_parent(fs, path, &name);

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	if (unlinkat(fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT &&
	    errno != ENOTEMPTY && errno != EEXIST)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

int kr_remove_folder(struct kr_fs *fs, const char *path, const char *first)
{
	_cleanup_dir_ struct kr_dir dir = {0};
	_cleanup_close_ int fd = -1;
	int r = kr_fs_list(fs, path, &dir);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	fd = kr_fs_open_folder(fs, path);
	if (fd < 0)
		return fd;
	if (first)
		unlinkat(fd, first, 0);
	for (size_t i = 0; i < dir.n_entries; i++)
		unlinkat(fd, dir.entries[i].name, 0);
	return remove_empty_folder(fs, path);
}

int kr_remove_empty_parents(struct kr_fs *fs, const char *real,
                            const char *topmost)
{
	_cleanup_free_ char *folder = topmost ? strdup(real) : NULL;

	if (!folder)
		return topmost ? -ENOMEM : 0;
	for (;;) {
		int r;

		*strrchr(folder, '/') = '\0';
		if (strlen(folder) < strlen(topmost))
			return 0;
		r = remove_empty_folder(fs, folder);
		if (r < 0)
			return r;
	}
}

int kr_write_file(int dir_fd, const char *name, const void *data, size_t size,
                  int metadata_fd)
{
	_cleanup_close_ int fd = openat(
		dir_fd, name,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = kr_write_all(fd, data, size);
	if (r < 0)
		return r;
	r = metadata_fd >= 0 ? kr_metadata_copy(metadata_fd, fd) : 0;
	if (r < 0)
		return r;
	return fsync(fd) < 0 ? -errno : 0;
}

int kr_open_nearest(struct kr_fs *fs, const char *path, char **ret_missing)
{
	_cleanup_free_ char *folder = strdup(path), *missing = NULL;
	int fd = -ENOENT;

	if (!folder)
		return -ENOMEM;
	while (fd == -ENOENT) {
		char *slash = strrchr(folder, '/');

		*slash = '\0';
		fd = kr_fs_open_folder(fs, *folder ? folder : "/");
		if (fd != -ENOENT || !*folder)
			break;
		free(missing);
		missing = strdup(folder);
		if (!missing)
			return -ENOMEM;
	}
	if (fd >= 0)
		*ret_missing = TAKE_PTR(missing);
	return fd;
}

int kr_may_write_in(int dir_fd)
{
	char path[64];

	if (faccessat(dir_fd, ".", W_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	if (errno != EPERM)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir_fd);
	return access(path, W_OK | X_OK) < 0 ? -errno : 0;
}
