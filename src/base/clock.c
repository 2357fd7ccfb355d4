/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Time: monotonic for everything that waits, real for what is shown or
 * compared with a file's times.
 */

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

void kr_rfc3339(uint64_t realtime_usec, char ret[static KR_RFC3339_SIZE])
{
	time_t seconds = (time_t)(realtime_usec / KR_USEC_PER_SEC);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) ||
	    strftime(ret, KR_RFC3339_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		ret[0] = '\0';
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
