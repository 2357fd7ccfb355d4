/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The owner of a record: the run that works at it, from its beginning to its
 * end, or the recovery that reverts what such a run left.
 *
 *   ID/owner    UNTIL run|recover
 *
 * UNTIL is a time of CLOCK_MONOTONIC, which a systemd timer counts by, too: a
 * run that is not at its end by then is stuck (it is stopped, or its
 * control group is frozen). It is moved on in place, which needs no room on the
 * disk. Nothing is fsynced: after a power cut no run owns anything. Of an owner
 * that is gone it says little: it may be a time of another boot.
 *
 * The owner has the file open and locked (flock(2)): the kernel gives that back
 * whatever ends it, so that a look tells whether it lives.
 *
 * The file itself is the token. An owner that cannot be ended finds, before its
 * next step, that another one stands at the name (kr_owner_is_mine()). Such a
 * look leaves a gap before the step, so that on its own it proves nothing about
 * a rename: who took the token away then takes away all that the step would
 * rename, which was there before the look (store/recover-file). A look that
 * comes later finds the token gone.
 *
 * Two that claim one record at a time do so in turn: they lock its folder. What
 * recovers is not passed in its turn: it uses the same names as its successor.
 * A full disk is no reason not to put the old files back: who claims a record
 * takes over the file of an owner that is gone, and goes without one where none
 * can be made.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/macro.h"
#include "store/files.h"
#include "store/owner.h"

#define NAME "owner"
#define NEW  "owner.new"

#define LINE_SIZE  64
#define TRIES      20
#define PAUSE_USEC (50 * KR_USEC_PER_MSEC)

/* As long as any other, so that it is written over another one. */
static void format(bool recovers, uint64_t usec, char ret[static LINE_SIZE])
{
	snprintf(ret, LINE_SIZE, "%020llu %-7s\n",
	         (unsigned long long)(kr_now_usec() + usec),
	         recovers ? "recover" : "run");
}

/* --- being it ------------------------------------------------------------ */

static int make(int folder_fd, const char *name, bool recovers, uint64_t usec,
                struct kr_owner *ret)
{
	_cleanup_close_ int fd = openat(
		folder_fd, name,
		O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	char line[LINE_SIZE];
	struct stat st;
	int r;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0)
		return -errno;
	format(recovers, usec, line);
	r = kr_write_all(fd, line, strlen(line));
	if (r < 0)
		return r;
	*ret = (struct kr_owner){.fd = TAKE_FD(fd),
	                         .dev = st.st_dev,
	                         .ino = st.st_ino,
	                         .recovers = recovers};
	return 0;
}

/* A record that is not written yet is not looked at. */
int kr_owner_make(int folder_fd, uint64_t usec, struct kr_owner *ret)
{
	return make(folder_fd, NAME, false, usec, ret);
}

static int lock(int fd)
{
	for (int i = 0; i < TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return KR_CLAIM_MADE;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		kr_pause_usec(PAUSE_USEC);
	}
	return KR_CLAIM_BUSY;
}

/* It is never seen without its lock. */
static int make_over(int folder_fd, uint64_t usec, struct kr_owner *ret)
{
	int r = make(folder_fd, NEW, true, usec, ret);

	if (r < 0)
		return r;
	if (renameat(folder_fd, NEW, folder_fd, NAME) == 0)
		return KR_CLAIM_MADE;
	r = -errno;
	kr_owner_done(ret);
	return r;
}

/* One of our own, in place of what is there. */
static int replace(int folder_fd, uint64_t usec, struct kr_owner *ret)
{
	int r;

	if (unlinkat(folder_fd, NEW, 0) < 0 && errno != ENOENT)
		return -errno;
	r = make_over(folder_fd, usec, ret);
	if (r != -ENOSPC && r != -EDQUOT)
		return r;
	if (unlinkat(folder_fd, NAME, 0) < 0 && errno != ENOENT)
		return -errno;
	*ret = (struct kr_owner){.fd = -1, .recovers = true};
	return KR_CLAIM_MADE;
}

static int claim(int folder_fd, const struct stat *passed, uint64_t usec,
                 struct kr_owner *ret)
{
	_cleanup_close_ int fd = openat(
		folder_fd, NAME, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0)
		return errno == ENOENT ? replace(folder_fd, usec, ret) : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (passed && st.st_dev == passed->st_dev &&
	    st.st_ino == passed->st_ino)
		return replace(folder_fd, usec, ret);
	/* who looks (kr_owner_look()) has it locked, too, for a moment */
	r = lock(fd);
	if (r != KR_CLAIM_MADE)
		return r;
	*ret = (struct kr_owner){.fd = TAKE_FD(fd),
	                         .dev = st.st_dev,
	                         .ino = st.st_ino,
	                         .recovers = true};
	kr_owner_extend(ret, usec);
	return KR_CLAIM_MADE;
}

int kr_owner_claim(int folder_fd, const struct stat *passed, uint64_t usec,
                   struct kr_owner *ret)
{
	/* the holder does nothing but this: the lock is free soon, or never */
	int r = lock(folder_fd);

	if (r != KR_CLAIM_MADE)
		return r;
	r = claim(folder_fd, passed, usec, ret);
	flock(folder_fd, LOCK_UN);
	return r;
}

bool kr_owner_is_mine(const struct kr_owner *owner, int folder_fd)
{
	struct stat st;

	if (owner->fd < 0)
		return true;
	if (fstatat(folder_fd, NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno != ENOENT;
	return st.st_dev == owner->dev && st.st_ino == owner->ino;
}

void kr_owner_extend(const struct kr_owner *owner, uint64_t usec)
{
	char line[LINE_SIZE];

	if (owner->fd < 0 || lseek(owner->fd, 0, SEEK_SET) < 0)
		return;
	format(owner->recovers, usec, line);
	/* one that stays as it was is over too early: then a run that is slow
	 * may be ended, and what it did is reverted */
	kr_write_all(owner->fd, line, strlen(line));
}

void kr_owner_end(struct kr_owner *owner, int folder_fd)
{
	if (owner->fd >= 0 && kr_owner_is_mine(owner, folder_fd))
		unlinkat(folder_fd, NAME, 0);
	kr_owner_done(owner);
}

void kr_owner_done(struct kr_owner *owner)
{
	if (owner->fd >= 0)
		close(owner->fd);
	*owner = KR_OWNER_NONE;
}

/* --- looking at it ------------------------------------------------------- */

static void parse(const char *line, struct kr_owner_seen *seen)
{
	unsigned long long until;
	char kind[8];

	if (sscanf(line, "%20llu %7s", &until, kind) != 2)
		return; /* it was killed before it had written it */
	seen->recovers = strcmp(kind, "recover") == 0;
	seen->until_usec = until;
}

int kr_owner_look(int folder_fd, struct kr_owner_seen *ret)
{
	_cleanup_close_ int fd =
		openat(folder_fd, NAME,
	               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct kr_owner_seen seen = {.there = true};
	char line[LINE_SIZE];
	ssize_t n;

	if (fd < 0 && errno == ENOENT) {
		*ret = (struct kr_owner_seen){0};
		return 0;
	}
	if (fd < 0 || fstat(fd, &seen.st) < 0)
		return -errno;
	n = read(fd, line, sizeof(line) - 1);
	if (n < 0)
		return -errno;
	line[n] = '\0';
	parse(line, &seen);
	/* a shared one, which goes with FD: others look at the same time */
	if (flock(fd, LOCK_SH | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return -errno;
		seen.lives = true;
	}
	*ret = seen;
	return 0;
}
