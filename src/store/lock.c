/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One change of a node at a time: flock(2) on a file of ours in /run. The
 * kernel gives it back whatever ends us, so that no stale lock can stay.
 *
 * What stands at its name must be that: a regular file of root's with one name.
 * A FIFO or a device would be opened for nothing, or hang; a link would make a
 * file elsewhere; and other users could hold a lock on a file that they can
 * open.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "store/lock.h"
#include "store/others.h"

#define PATH KR_RUNTIME_DIR "/lock"

static int fail(struct kr_diag *diag, int error)
{
	kr_diag_add_path(diag, KR_ERROR, "lock", KR_RUNTIME_DIR,
	                 "no lock can be taken there: %s", strerror(-error));
	return error;
}

static const char *kind_of(const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return "a file";
	case S_IFLNK:
		return "a symbolic link";
	case S_IFDIR:
		return "a folder";
	default:
		return "a FIFO, socket or device";
	}
}

/* Who owns an image's root folder could replace all below it, as root could. */
static bool is_ours(struct kr_fs *fs, const struct stat *st)
{
	struct stat root;

	if (!S_ISREG(st->st_mode) || st->st_nlink > 1)
		return false;
	return st->st_uid == 0 || st->st_uid == geteuid() ||
	       (fstat(kr_fs_root_fd(fs), &root) == 0 &&
	        st->st_uid == root.st_uid);
}

static int refuse(struct kr_diag *diag, const struct stat *st)
{
	kr_diag_add_path(
		diag, KR_ERROR, "lock-file", PATH,
		"should be a regular file of root's with one name, "
		"and is %s (owner %u, %u names): see which program made it, "
		"remove it, then run this again",
		kind_of(st), (unsigned)st->st_uid, (unsigned)st->st_nlink);
	return -EINVAL;
}

int kr_lock_open(struct kr_fs *fs, struct kr_diag *diag)
{
	_cleanup_close_ int folder = -1, fd = -1;
	struct stat st;
	int r = kr_others_refuse(fs, KR_RUNTIME_DIR, diag);

	if (r < 0)
		return fail(diag, r);
	if (r == KR_OTHERS_WRITE)
		return -EPERM;
	folder = kr_fs_make_folder(fs, KR_RUNTIME_DIR, 0700);
	if (folder < 0)
		return fail(diag, folder);
	/* to open some devices is to do something */
	if (fstatat(folder, "lock", &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (!is_ours(fs, &st))
			return refuse(diag, &st);
	} else if (errno != ENOENT) {
		return fail(diag, -errno);
	}
	fd = openat(folder, "lock",
	            O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
	                    O_CLOEXEC,
	            0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(diag, -errno);
	if (!is_ours(fs, &st))
		return refuse(diag, &st);
	return TAKE_FD(fd);
}

int kr_lock_try(int fd, struct kr_diag *diag)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return KR_LOCK_OURS;
	if (errno == EWOULDBLOCK || errno == EINTR)
		return KR_LOCK_BUSY;
	return fail(diag, -errno);
}

int kr_lock_take(struct kr_fs *fs, uint64_t wait_usec, kr_tick_t tick,
                 void *closure, struct kr_diag *diag, int *ret_fd)
{
	_cleanup_close_ int fd = kr_lock_open(fs, diag);
	enum kr_lock got = KR_LOCK_OURS;
	uint64_t since = kr_now_usec();

	if (fd < 0)
		return fd;
	for (;;) {
		int r = kr_lock_try(fd, diag);

		if (r < 0)
			return r;
		if (r == KR_LOCK_OURS)
			break;
		got = KR_LOCK_WAITED;
		r = tick ? tick(closure, "another run of this program",
		                kr_now_usec() - since, wait_usec)
		         : 0;
		if (r < 0)
			return r;
		if (kr_now_usec() - since >= wait_usec) {
			kr_diag_add_path(diag, KR_ERROR, "busy", PATH,
			                 "another run of this program is "
			                 "changing this node");
			return KR_LOCK_BUSY;
		}
		kr_pause_usec(KR_LOCK_LOOK_USEC);
	}
	*ret_fd = TAKE_FD(fd);
	return got;
}
