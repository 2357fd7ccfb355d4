/* SPDX-License-Identifier: Apache-2.0 */

/* base/clock: two clocks that are read while we are stopped. */

#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
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

static const struct {
	time_t seconds;
	const char *want;
} times[] = {
	{0, "1970-01-01T00:00:00Z"},
	{951782400, "2000-02-29T00:00:00Z"},
	{1735689599, "2024-12-31T23:59:59Z"},
	{253402300799, "9999-12-31T23:59:59Z"},
};

START_TEST(test_rfc3339)
{
	char got[KR_RFC3339_SIZE];

	ck_assert_int_eq(setenv("TZ", "Asia/Kathmandu", 1), 0);
	kr_rfc3339((uint64_t)times[_i].seconds * KR_USEC_PER_SEC + 999999, got);
	ck_assert_str_eq(got, times[_i].want);
}
END_TEST

static void add(Suite *s)
{
	TCase *tc = kr_test_case(s, "clock", NULL, NULL);

	tcase_add_loop_test(tc, test_rfc3339, 0, ARRAY_SIZE(times));
	tcase_add_loop_test(tc, test_boot, 0, 8);
}

KR_TEST_MAIN(add);
