/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The mark of a run that is not at its end. It is set before the first record
 * "prepared" is written and removed after the last, and after what lay beside
 * the files is gone, so that after a power cut there is never one of these
 * without it; the mark alone may be left.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/boot-mark.h"

#define NAME "pending"

int kr_boot_mark_set(int state_fd)
{
	_cleanup_close_ int fd =
		openat(state_fd, NAME,
	               O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 || fsync(state_fd) < 0 ? -errno : 0;
}

int kr_boot_mark_is_set(struct kr_fs *fs)
{
	_cleanup_close_ int fd = kr_fs_open_folder(fs, KR_STATE_DIR);
	struct stat st;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	/* not faccessat(2): see kr_may_write_in() */
	if (fstatat(fd, NAME, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

void kr_boot_mark_clear(int state_fd)
{
	unlinkat(state_fd, NAME, 0);
}
