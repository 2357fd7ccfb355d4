/* SPDX-License-Identifier: Apache-2.0 */

/*
 * As --wrap of ld(1) names them: __wrap_fsync() is called where fsync() is
 * written, __real_fsync() is the C library's.
 */

#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "testing-calls.h"

static enum kr_test_call wanted;
static unsigned countdown;
static void (*hook)(void);
static int failure;

void kr_test_before_call(enum kr_test_call call, unsigned nth,
                         void (*what)(void))
{
	wanted = call;
	countdown = what ? nth : 0;
	hook = what;
	failure = 0;
}

void kr_test_fail_call(enum kr_test_call call, unsigned nth, int error)
{
	wanted = call;
	countdown = nth;
	hook = NULL;
	failure = error;
}

int kr_test_call_to_come(void)
{
	return countdown > 0;
}

/* Whether it fails. */
static int comes(enum kr_test_call call)
{
	if (countdown == 0 || (wanted != KR_TEST_ANY_CALL && wanted != call) ||
	    --countdown > 0)
		return 0;
	if (!hook) {
		errno = failure;
		return 1;
	}
	/* which may ask for another call */
	hook();
	return 0;
}

#define WRAP(call, type, name, parameters, arguments)                          \
	type __real_##name parameters;                                         \
	type __wrap_##name parameters;                                         \
	type __wrap_##name parameters                                          \
	{                                                                      \
		return comes(call) ? -1 : __real_##name arguments;             \
	}                                                                      \
	struct kr_allow_semicolon

WRAP(KR_TEST_FCHOWN, int, fchown, (int fd, uid_t uid, gid_t gid),
     (fd, uid, gid));
WRAP(KR_TEST_FCHMOD, int, fchmod, (int fd, mode_t mode), (fd, mode));
WRAP(KR_TEST_FSYNC, int, fsync, (int fd), (fd));
WRAP(KR_TEST_RENAMEAT, int, renameat,
     (int from_fd, const char *from, int to_fd, const char *to),
     (from_fd, from, to_fd, to));
WRAP(KR_TEST_RENAMEAT2, int, renameat2,
     (int from_fd, const char *from, int to_fd, const char *to, unsigned flags),
     (from_fd, from, to_fd, to, flags));
WRAP(KR_TEST_UNLINKAT, int, unlinkat, (int fd, const char *name, int flags),
     (fd, name, flags));
WRAP(KR_TEST_MKDIRAT, int, mkdirat, (int fd, const char *name, mode_t mode),
     (fd, name, mode));
WRAP(KR_TEST_WRITE, ssize_t, write, (int fd, const void *data, size_t size),
     (fd, data, size));
