/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One change of a node at a time: flock(2) on a file of ours in /run. The
 * kernel gives it back whatever ends us, so that no stale lock can stay.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "base/clock.h"
#include "fix/lock.h"

#define LOOK_USEC (100 * KR_USEC_PER_MSEC)

static int fail(struct kr_diag *diag, int error)
{
	kr_diag_add_path(diag, KR_ERROR, "lock", KR_RUNTIME_DIR,
	                 "no lock can be taken there: %s", strerror(-error));
	return error;
}

static int open_lock(struct kr_fs *fs)
{
	_cleanup_close_ int folder =
		kr_fs_make_folder(fs, KR_RUNTIME_DIR, 0700);
	int fd;

	if (folder < 0)
		return folder;
	fd = openat(folder, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
	            0600);
	return fd < 0 ? -errno : fd;
}

int kr_lock_take(struct kr_fs *fs, uint64_t wait_usec,
                 kr_activation_tick_t tick, void *closure, struct kr_diag *diag,
                 int *ret_fd)
{
	_cleanup_close_ int fd = open_lock(fs);
	uint64_t since = kr_now_usec();
	bool waited = false;
	int r;

	if (fd < 0)
		return fail(diag, fd);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail(diag, -errno);
		waited = true;
		r = tick ? tick(closure, "another run of this program",
		                kr_now_usec() - since, wait_usec)
		         : 0;
		if (r < 0)
			return r;
		if (kr_now_usec() - since >= wait_usec) {
			kr_diag_add_path(diag, KR_ERROR, "busy",
			                 KR_RUNTIME_DIR "/lock",
			                 "another run of this program is "
			                 "changing this node");
			return -EBUSY;
		}
		kr_pause_usec(LOOK_USEC);
	}
	*ret_fd = TAKE_FD(fd);
	return waited;
}
