/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Time: monotonic for everything that waits, real for what is shown or
 * compared with a file's times.
 */

#include <stdbool.h>
#include <stdio.h>

#include "base/clock.h"

uint64_t kr_timespec_usec(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * KR_USEC_PER_SEC +
	       (uint64_t)ts->tv_nsec / 1000;
}

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return kr_timespec_usec(&ts);
}

uint64_t kr_now_usec(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t kr_realtime_usec(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t kr_boot_usec(void)
{
	uint64_t best = 0, width = UINT64_MAX;

	for (int i = 0; i < 100 && width > KR_USEC_PER_MSEC; i++) {
		uint64_t before = read_clock(CLOCK_BOOTTIME);
		uint64_t real = read_clock(CLOCK_REALTIME);
		uint64_t between = read_clock(CLOCK_BOOTTIME) - before;

		if (between < width) {
			width = between;
			best = real - before;
		}
	}
	return best;
}

uint64_t kr_left_usec(uint64_t deadline_usec)
{
	uint64_t now = kr_now_usec();

	return now < deadline_usec ? deadline_usec - now : 0;
}

void kr_pause_usec(uint64_t usec)
{
	const struct timespec ts = {
		.tv_sec = (time_t)(usec / KR_USEC_PER_SEC),
		.tv_nsec = (long)(usec % KR_USEC_PER_SEC) * 1000,
	};

	nanosleep(&ts, NULL);
}

/* --- time for people ------------------------------------------------------ */

static bool is_leap(uint64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_of(uint64_t year, unsigned month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30,
	                                     31, 31, 30, 31, 30, 31};

	return days[month] + (month == 1 && is_leap(year));
}

/* gmtime_r(3) would read the local time zone's file: seven calls. */
void kr_rfc3339(uint64_t realtime_usec, char ret[static KR_RFC3339_SIZE])
{
	const uint64_t day = 24 * 60 * 60, days_of_400_years = 146097;
	uint64_t seconds = realtime_usec / KR_USEC_PER_SEC;
	uint64_t days = seconds / day;
	uint64_t year = 1970 + 400 * (days / days_of_400_years);
	unsigned month = 0, second = (unsigned)(seconds % day);

	days %= days_of_400_years;
	for (; days >= 365U + is_leap(year); year++)
		days -= 365U + is_leap(year);
	for (; days >= days_of(year, month); month++)
		days -= days_of(year, month);
	snprintf(ret, KR_RFC3339_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ",
	         (unsigned)year, month + 1, (unsigned)days + 1, second / 3600,
	         second / 60 % 60, second % 60);
}

static void format_local(uint64_t realtime_usec, const char *pattern,
                         char ret[static KR_RFC3339_SIZE])
{
	time_t seconds = (time_t)(realtime_usec / KR_USEC_PER_SEC);
	struct tm tm;

	if (!localtime_r(&seconds, &tm) ||
	    strftime(ret, KR_RFC3339_SIZE, pattern, &tm) == 0)
		ret[0] = '\0';
}

void kr_local_time(uint64_t realtime_usec, char ret[static KR_RFC3339_SIZE])
{
	format_local(realtime_usec, "%Y-%m-%d %H:%M:%S %Z", ret);
}

void kr_journal_time(uint64_t realtime_usec, char ret[static KR_RFC3339_SIZE])
{
	format_local(realtime_usec, "%Y-%m-%d %H:%M:%S", ret);
}

void kr_local_hour(uint64_t realtime_usec, char ret[static KR_RFC3339_SIZE])
{
	format_local(realtime_usec, "%H:%M:%S %Z", ret);
}
