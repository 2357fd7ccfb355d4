/* SPDX-License-Identifier: Apache-2.0 */

/*
 * host/fleet-width against servers of other kinds, in a time of its own: each
 * question takes its node's time and, at the server, one behind the other, the
 * server's.
 */

#include <stdlib.h>

#include "base/clock.h"
#include "host/fleet-width.h"
#include "testing.h"

#define MSEC KR_USEC_PER_MSEC

struct server {
	const char *name;
	uint64_t node_usec, slow_usec; /* of most nodes; of each tenth, or 0 */
	uint64_t server_usec;          /* for each question, one at a time */
	unsigned busy_above;           /* so many at one time are too many; 0 */
	unsigned n_nodes;
	/* what comes out */
	unsigned least_widest, most_widest, most_last;
	uint64_t most_usec;
};

static const struct server servers[] = {
	{"100 ms each", .node_usec = 100 * MSEC, .n_nodes = 5000,
         .least_widest = 480, .most_widest = 512, .most_last = 512,
         .most_usec = 1300 * MSEC},
	{"10 ms each", .node_usec = 10 * MSEC, .n_nodes = 5000,
         .least_widest = 45, .most_widest = 80, .most_last = 80,
         .most_usec = 1300 * MSEC},
	{"1 s each", .node_usec = 1000 * MSEC, .n_nodes = 5000,
         .least_widest = 512, .most_widest = 512, .most_last = 512,
         .most_usec = 13000 * MSEC},
	{"no time at all", .node_usec = 10, .server_usec = 20, .n_nodes = 5000,
         .least_widest = 32, .most_widest = 32, .most_last = 32,
         .most_usec = 110 * MSEC},
	{"the server is slow", .node_usec = 10, .server_usec = 2 * MSEC,
         .n_nodes = 5000, .least_widest = 32, .most_widest = 128,
         .most_last = 128, .most_usec = 10100 * MSEC},
	{"the server is slow, and the nodes, too", .node_usec = 100 * MSEC,
         .server_usec = 1 * MSEC, .n_nodes = 5000, .least_widest = 128,
         .most_widest = 512, .most_last = 512, .most_usec = 6000 * MSEC},
	{"each tenth is slow", .node_usec = 5 * MSEC, .slow_usec = 200 * MSEC,
         .n_nodes = 5000, .least_widest = 64, .most_widest = 512,
         .most_last = 512, .most_usec = 2500 * MSEC},
	{"200 at one time are too many", .node_usec = 100 * MSEC,
         .busy_above = 200, .n_nodes = 5000, .least_widest = 201,
         .most_widest = 512, .most_last = 256, .most_usec = 6000 * MSEC},
	{"few nodes", .node_usec = 100 * MSEC, .n_nodes = 20,
         .least_widest = 32, .most_widest = 32, .most_last = 32,
         .most_usec = 110 * MSEC},
};

struct question {
	uint64_t since, until;
	bool busy;
};

static int by_end(const void *a, const void *b)
{
	const struct question *x = a, *y = b;

	return x->until < y->until ? -1 : x->until > y->until;
}

/* Asks all nodes of SERVER; the time that it took. */
static uint64_t ask_all(const struct server *s, struct kr_fleet_width *w,
                        unsigned *ret_widest)
{
	struct question under_way[KR_FLEET_WIDTH_MOST];
	unsigned n = 0, n_asked = 0, n_done = 0;
	uint64_t now = 1, free_at = 0;

	*ret_widest = 0;
	while (n_done < s->n_nodes) {
		struct question first;

		for (; n < w->now && n_asked < s->n_nodes; n++, n_asked++) {
			bool slow = s->slow_usec && n_asked % 10 == 9;
			uint64_t at = free_at > now ? free_at : now;

			free_at = at + s->server_usec;
			under_way[n] = (struct question){
				.since = now,
				.until = free_at +
			                 (slow ? s->slow_usec : s->node_usec),
				.busy = s->busy_above && n >= s->busy_above,
			};
			if (under_way[n].busy)
				under_way[n].until = now + MSEC;
		}
		if (w->now > *ret_widest)
			*ret_widest = w->now;
		qsort(under_way, n, sizeof(*under_way), by_end);
		first = under_way[0];
		n--;
		for (unsigned i = 0; i < n; i++)
			under_way[i] = under_way[i + 1];
		now = first.until;
		kr_fleet_width_hear(w, now - first.since, first.busy, now);
		/* it is asked once more */
		if (first.busy)
			n_asked--;
		else
			n_done++;
	}
	return now;
}

START_TEST(test_servers)
{
	const struct server *s = &servers[_i];
	struct kr_fleet_width width;
	unsigned widest;
	uint64_t took;

	kr_fleet_width_init(&width, KR_FLEET_WIDTH_LEAST, KR_FLEET_WIDTH_MOST,
	                    1);
	took = ask_all(s, &width, &widest);
	ck_assert_msg(widest >= s->least_widest && widest <= s->most_widest,
	              "%s: %u at one time", s->name, widest);
	ck_assert_msg(width.now <= s->most_last, "%s: %u in the end", s->name,
	              width.now);
	ck_assert_msg(took <= s->most_usec, "%s: %ju us", s->name,
	              (uintmax_t)took);
}
END_TEST

/* Where a number was asked for, that is it. */
START_TEST(test_fixed)
{
	struct kr_fleet_width width;
	unsigned widest;

	kr_fleet_width_init(&width, 7, 7, 1);
	ask_all(&servers[_i], &width, &widest);
	ck_assert_uint_eq(widest, 7);
	ck_assert_uint_eq(width.now, 7);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "fleet-width", NULL, NULL);

	tcase_add_loop_test(tc, test_servers, 0, ARRAY_SIZE(servers));
	tcase_add_loop_test(tc, test_fixed, 0, ARRAY_SIZE(servers));
}

KR_TEST_MAIN(add_tests);
