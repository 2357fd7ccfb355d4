/* SPDX-License-Identifier: Apache-2.0 */

/* host/fleet-queue: who is asked again, when, and in which order. */

#include <string.h>

#include "base/clock.h"
#include "host/fleet-queue.h"
#include "testing.h"

#define MSEC KR_USEC_PER_MSEC

struct row {
	const char *name;
	enum kr_http_error error;
	unsigned status;
	uint64_t retry_after_usec;
	unsigned n_tries;
	uint64_t least, most; /* 0: not asked again */
	const char *body;
};

#define SAYS(message) "{\"kind\":\"Status\",\"message\":\"" message "\"}"
/* what API servers said: Kubernetes 1.20 and minikube's issue 11966 */
#define NO_ROUTE                                                               \
	SAYS("error trying to reach service: dial tcp 10.0.0.5:10250: "        \
	     "connect: no route to host")
#define NO_ROLE(list)                                                          \
	SAYS("nodes \\\"n1\\\" is forbidden: User \\\"u\\\" cannot get "       \
	     "resource \\\"nodes/proxy\\\" in API group \\\"\\\" at the "      \
	     "cluster "                                                        \
	     "scope: RBAC: " list)
#define ROLE(name)                                                             \
	"clusterrole.rbac.authorization.k8s.io \\\"" name "\\\" not found"

static const struct row rows[] = {
	{"429", 0, 429, 0, 1, 50 * MSEC, 100 * MSEC},
	{"429, the second time", 0, 429, 0, 2, 100 * MSEC, 200 * MSEC},
	{"429, the fourth time", 0, 429, 0, 4, 400 * MSEC, 800 * MSEC},
	{"429, the last time", 0, 429, 0, KR_FLEET_TRIES_MAX},
	{"429, asked to wait", 0, 429, 2000 * MSEC, 1, 2000 * MSEC,
         2100 * MSEC},
	{"429, asked to wait less than we do", 0, 429, 1 * MSEC, 4, 400 * MSEC,
         800 * MSEC},
	{"429, asked to wait, the last time", 0, 429, 2000 * MSEC,
         KR_FLEET_TRIES_MAX},
	{"429, asked to wait a year", 0, 429, 31536000000 * MSEC, 1,
         31536000000 * MSEC, 31536000100 * MSEC},
	{"500", 0, 500, 0, 1, 50 * MSEC, 100 * MSEC},
	{"502", 0, 502, 0, 1, 50 * MSEC, 100 * MSEC},
	{"503, asked to wait", 0, 503, 1000 * MSEC, 3, 1000 * MSEC,
         1100 * MSEC},
	{"599", 0, 599, 0, 1, 50 * MSEC, 100 * MSEC},
	{"refused", KR_HTTP_REFUSED, 0, 0, 1, 50 * MSEC, 100 * MSEC},
	{"no way there", KR_HTTP_UNREACHED, 0, 0, 1, 50 * MSEC, 100 * MSEC},
	{"cut", KR_HTTP_CUT, 0, 0, 1, 50 * MSEC, 100 * MSEC},
	{"200", 0, 200, 0, 1},
	{"200, asked to wait", 0, 200, 1000 * MSEC, 1},
	{"302", 0, 302, 0, 1},
	{"401", 0, 401, 0, 1},
	{"403", 0, 403, 1000 * MSEC, 1},
	{"404", 0, 404, 0, 1},
	{"428", 0, 428, 0, 1},
	{"600", 0, 600, 0, 1},
	{"no route to the node", 0, 503, 0, 1, 50 * MSEC, 100 * MSEC, NO_ROUTE},
	{"no route, the second time", 0, 503, 0, 2, 0, 0, NO_ROUTE},
	{"no route, asked to wait", 0, 503, 1000 * MSEC, 2, 0, 0, NO_ROUTE},
	{"no route, 500", 0, 500, 0, 2, 0, 0, NO_ROUTE},
	{"no route, 502", 0, 502, 0, 1, 50 * MSEC, 100 * MSEC, NO_ROUTE},
	{"no route, 502, the second time", 0, 502, 0, 2, 0, 0, NO_ROUTE},
	{"no route, as text", 0, 503, 0, 2, 0, 0,
         "Error trying to reach service: 'EOF'"},
	{"no address", 0, 500, 0, 2, 0, 0,
         SAYS("no preferred addresses found; known addresses: []")},
	{"kubelet is too slow", 0, 504, 0, 1, 50 * MSEC, 100 * MSEC},
	{"kubelet is too slow, the second time", 0, 504, 0, 2},
	{"503, the second time", 0, 503, 0, 2, 100 * MSEC, 200 * MSEC},
	{"a role is not there", 0, 403, 0, 1, 250 * MSEC, 500 * MSEC,
         NO_ROLE(ROLE("cluster-admin"))},
	{"no role is there, the fourth time", 0, 403, 0, 4, 2000 * MSEC,
         4000 * MSEC,
         NO_ROLE("[" ROLE("system:discovery") ", " ROLE("cluster-admin") "]")},
	{"no role is there, the last time", 0, 403, 0, KR_FLEET_TRIES_MAX, 0, 0,
         NO_ROLE(ROLE("cluster-admin"))},
	{"a role of the namespace", 0, 403, 0, 1, 250 * MSEC, 500 * MSEC,
         NO_ROLE("role.rbac.authorization.k8s.io \\\"r\\\" not found")},
	{"no right to look at roles", 0, 403, 0, 1, 0, 0,
         SAYS("clusterroles.rbac.authorization.k8s.io \\\"x\\\" is "
              "forbidden: User \\\"u\\\" cannot get resource "
              "\\\"clusterroles\\\" in API group "
              "\\\"rbac.authorization.k8s.io\\\"")},
	{"kubelet's own 403", 0, 403, 0, 1, 0, 0,
         "Forbidden (user=u, verb=get, resource=nodes, subresource=proxy)"},
	{"too slow", KR_HTTP_TIMED_OUT, 0, 0, 1},
	{"not who it should be", KR_HTTP_TLS, 0, 0, 1},
	{"too large", KR_HTTP_TOO_LARGE, 0, 0, 1},
	{"our token", KR_HTTP_CREDENTIAL, 0, 0, 1},
	{"stopped", KR_HTTP_STOPPED, 0, 0, 1},
	{"something else", KR_HTTP_OTHER, 0, 0, 1},
};

START_TEST(test_backoff)
{
	const struct row *row = &rows[_i];
	const struct kr_http_answer answer = {
		.error = row->error,
		.status = row->status,
		.body = row->body,
		.body_size = row->body ? strlen(row->body) : 0,
	};
	struct kr_configz said;
	uint64_t first;
	bool differ = false;

	kr_configz_judge(&answer, "x", &said);
	first = kr_fleet_backoff_usec(said.again, row->retry_after_usec,
	                              row->n_tries);

	for (int i = 0; i < 100; i++) {
		uint64_t got = kr_fleet_backoff_usec(
			said.again, row->retry_after_usec, row->n_tries);

		ck_assert_msg(got >= row->least && got <= row->most,
		              "%s: %ju us", row->name, (uintmax_t)got);
		differ = differ || got != first;
	}
	ck_assert_msg(differ == (row->most > 0),
	              "%s: those who failed together come back together",
	              row->name);
}
END_TEST

/* In the order in which they are due, and not before. */
START_TEST(test_order)
{
	static const uint64_t due[] = {50, 10, 40, 10, 30};
	static const uint64_t order[] = {10, 10, 30, 40, 50};
	struct kr_fleet_queue queue;
	struct kr_fleet_task task;

	ck_assert_int_eq(kr_fleet_queue_init(&queue, ARRAY_SIZE(due)), 0);
	ck_assert(kr_fleet_queue_due_usec(&queue) == UINT64_MAX);
	ck_assert(!kr_fleet_queue_take(&queue, UINT64_MAX - 1, &task));
	for (size_t i = 0; i < ARRAY_SIZE(due); i++)
		kr_fleet_queue_put(
			&queue,
			(struct kr_fleet_task){.node = {.name = strdup("x")},
		                               .not_before_usec = due[i]});
	for (size_t i = 0; i < ARRAY_SIZE(due); i++) {
		ck_assert(kr_fleet_queue_due_usec(&queue) == order[i]);
		ck_assert(!kr_fleet_queue_take(&queue, order[i] - 1, &task));
		ck_assert(kr_fleet_queue_take(&queue, order[i], &task));
		ck_assert(task.not_before_usec == order[i]);
		free(task.node.name);
	}
	ck_assert_uint_eq(queue.n_tasks, 0);
	kr_fleet_queue_done(&queue);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "queue", NULL, NULL);

	tcase_add_loop_test(tc, test_backoff, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_order);
}

KR_TEST_MAIN(add_tests);
