/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How many nodes are asked at one time.
 */

#include <stdbool.h>
#include <stdint.h>

#define KR_FLEET_WIDTH_LEAST 32
#define KR_FLEET_WIDTH_MOST  512

struct kr_fleet_width {
	unsigned now; /* so many, at most */
	unsigned least, most;
	uint64_t usual_usec; /* how long an answer takes */

	/* the module's own */
	uint64_t since_usec; /* when the round began */
	unsigned n_heard;    /* in it */
	uint64_t sum_usec;   /* of what they took */
	unsigned n_held;     /* rounds without a trial */
	unsigned before;     /* the width before the trial; 0: there is none */
	double before_rate;  /* answers a second with it */
};

/* From LEAST to MOST; where they are the same, that is it for good. */
void kr_fleet_width_init(struct kr_fleet_width *width, unsigned least,
                         unsigned most, uint64_t now_usec);

/* An answer came at NOW_USEC that took TOOK_USEC; BUSY: it says that there is
 * too much to do. */
void kr_fleet_width_hear(struct kr_fleet_width *width, uint64_t took_usec,
                         bool busy, uint64_t now_usec);
