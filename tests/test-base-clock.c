/* SPDX-License-Identifier: Apache-2.0 */

/* base/clock: two clocks that are read while we are stopped. */

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "testing.h"

/* Before the reading of this number, from 1, all clocks go on by STOP_SEC. */
static unsigned stop_at, n_read;
static time_t ahead_sec;

#define STOP_SEC 2

int clock_gettime(clockid_t id, struct timespec *ts)
{
	if (++n_read == stop_at)
		ahead_sec += STOP_SEC;
	if (syscall(SYS_clock_gettime, id, ts) < 0)
		return -1;
	ts->tv_sec += ahead_sec;
	return 0;
}

/* However we are stopped, it is the time of the same boot. */
START_TEST(test_boot)
{
	uint64_t want = kr_boot_usec(), got;

	n_read = 0;
	stop_at = (unsigned)_i;
	got = kr_boot_usec();
	stop_at = 0;
	ck_assert_uint_ge(got, want - 2 * KR_USEC_PER_MSEC);
	ck_assert_uint_le(got, want + 2 * KR_USEC_PER_MSEC);
}
END_TEST

static void add(Suite *s)
{
	TCase *tc = kr_test_case(s, "clock", NULL, NULL);

	tcase_add_loop_test(tc, test_boot, 0, 8);
}

KR_TEST_MAIN(add);
