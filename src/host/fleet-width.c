/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How many nodes are asked at one time, as far as that makes it faster.
 *
 * Nodes that take long to answer are waited for by many questions at one time;
 * an API server that has enough to do is not given more. Both look alike: an
 * answer takes long. So more is tried, and kept only if it helps.
 *
 *	round    as many answers as there are questions at one time
 *	wanted   what RATE_WANTED answers a second take, by how long one took in
 *	         the round (Little's law)
 *	trial    up to GROWTH times as many as now, if more are wanted. If the
 *	         next round does not bring GAIN times as many answers a second,
 *	         the width goes back, and HELD rounds go by without a trial
 *	busy     429, or the like: half as many, and no trial for as long
 *
 * So 5,000 nodes of 100 ms each are asked with 500 questions at one time from
 * the third round on; where the server is what is slow, it soon has 32 again.
 */

#include "host/fleet-width.h"
#include "base/clock.h"

#define RATE_WANTED  5000 /* a second */
#define GROWTH       4
#define GAIN         1.3
#define HELD         8
#define USUAL_WEIGHT 16 /* of what is usual against a new one */

void kr_fleet_width_init(struct kr_fleet_width *width, unsigned least,
                         unsigned most, uint64_t now_usec)
{
	*width = (struct kr_fleet_width){
		.now = least,
		.least = least,
		.most = most,
		.since_usec = now_usec,
	};
}

static unsigned clamp(const struct kr_fleet_width *w, uint64_t n)
{
	return n < w->least ? w->least : n > w->most ? w->most : (unsigned)n;
}

static void begin_round(struct kr_fleet_width *w, uint64_t now_usec)
{
	w->n_heard = 0;
	w->sum_usec = 0;
	w->since_usec = now_usec;
}

static void begin_trial(struct kr_fleet_width *w, double rate)
{
	uint64_t wanted =
		w->sum_usec / w->n_heard * RATE_WANTED / KR_USEC_PER_SEC;
	uint64_t most = (uint64_t)w->now * GROWTH;

	wanted = clamp(w, wanted < most ? wanted : most);
	if (wanted > w->now) {
		w->before = w->now;
		w->before_rate = rate;
	}
	w->now = (unsigned)wanted;
}

static void end_round(struct kr_fleet_width *w, uint64_t now_usec)
{
	uint64_t took = now_usec - w->since_usec;
	double rate = (double)w->n_heard * (double)KR_USEC_PER_SEC /
	              (double)(took > 0 ? took : 1);

	if (w->before > 0 && rate < w->before_rate * GAIN) {
		w->now = w->before;
		w->n_held = HELD;
	}
	w->before = 0;
	if (w->n_held > 0)
		w->n_held--;
	else
		begin_trial(w, rate);
	begin_round(w, now_usec);
}

void kr_fleet_width_hear(struct kr_fleet_width *w, uint64_t took_usec,
                         bool busy, uint64_t now_usec)
{
	/* the first one is usual */
	if (w->usual_usec == 0)
		w->usual_usec = took_usec;
	w->usual_usec =
		(w->usual_usec * (USUAL_WEIGHT - 1) + took_usec) / USUAL_WEIGHT;
	if (busy) {
		w->now = clamp(w, w->now / 2);
		w->before = 0;
		w->n_held = HELD;
		begin_round(w, now_usec);
		return;
	}
	w->sum_usec += took_usec;
	if (++w->n_heard >= w->now)
		end_round(w, now_usec);
}
