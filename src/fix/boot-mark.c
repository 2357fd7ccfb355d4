/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The mark of a run that is not at its end. It is set before the first record
 * "prepared" is written and removed after the last, so that after a power cut
 * there is never such a record without it; the mark alone may be left.
 */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fix/boot-mark.h"

#define NAME "pending"

int kr_boot_mark_set(int state_fd)
{
	_cleanup_close_ int fd =
		openat(state_fd, NAME,
	               O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 || fsync(state_fd) < 0 ? -errno : 0;
}

void kr_boot_mark_clear(int state_fd)
{
	unlinkat(state_fd, NAME, 0);
}
