/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <time.h>

#define KR_USEC_PER_SEC  UINT64_C(1000000)
#define KR_USEC_PER_MSEC UINT64_C(1000)

/* CLOCK_MONOTONIC and CLOCK_REALTIME in microseconds. */
uint64_t kr_now_usec(void);
uint64_t kr_realtime_usec(void);

/* Of a time that is not negative. */
uint64_t kr_timespec_usec(const struct timespec *ts);

/* The realtime at which CLOCK_BOOTTIME was 0, right to a millisecond even if we
 * are stopped between the two clocks. */
uint64_t kr_boot_usec(void);

/* What is left until DEADLINE_USEC of kr_now_usec(); 0 when it is over. */
uint64_t kr_left_usec(uint64_t deadline_usec);

/* Sleeps that long, or until a signal comes. */
void kr_pause_usec(uint64_t usec);

#define KR_RFC3339_SIZE 32

/* "2026-11-20T08:14:03Z": a realtime in microseconds, UTC. */
void kr_rfc3339(uint64_t realtime_usec, char ret[static KR_RFC3339_SIZE]);

/* "2026-11-20 08:14:03 UTC" in local time. */
void kr_local_time(uint64_t realtime_usec, char ret[static KR_RFC3339_SIZE]);

/* The same without the zone: as journalctl prints it, and takes it. */
void kr_journal_time(uint64_t realtime_usec, char ret[static KR_RFC3339_SIZE]);

/* "08:14:03 UTC": the same day, in local time. */
void kr_local_hour(uint64_t realtime_usec, char ret[static KR_RFC3339_SIZE]);

/* Called while something is waited for, about every 100 ms. WHAT is static,
 * LIMIT_USEC the time it may take. Returning < 0 ends the wait with that. */
typedef int (*kr_tick_t)(void *closure, const char *what, uint64_t passed_usec,
                         uint64_t limit_usec);
