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

#define N_TIMES 14

/* As the C library has it. */
START_TEST(test_rfc3339)
{
	static const time_t seconds[N_TIMES] = {
		0,
		86399,
		86400,
		951782399, /* 2000-02-28 */
		951782400,
		951868800, /* 2000-02-29, 2000-03-01 */
		1709164800,
		1735689599, /* 2024-02-29, 2024-12-31 */
		1763626443,
		4107542399,
		4107542400, /* 2100 has no 29 */
		13569465600,
		253402300799,   /* the era's end, 9999 */
		18446744073708, /* what 64 bits hold */
	};
	time_t at = seconds[_i];
	char got[KR_RFC3339_SIZE], want[KR_RFC3339_SIZE];
	struct tm tm;

	ck_assert_ptr_nonnull(gmtime_r(&at, &tm));
	ck_assert_uint_gt(
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm), 0);
	kr_rfc3339((uint64_t)at * KR_USEC_PER_SEC + 999999, got);
	ck_assert_str_eq(got, want);
}
END_TEST

static void add(Suite *s)
{
	TCase *tc = kr_test_case(s, "clock", NULL, NULL);

	tcase_add_loop_test(tc, test_rfc3339, 0, N_TIMES);

	tcase_add_loop_test(tc, test_boot, 0, 8);
}

KR_TEST_MAIN(add);
