/* SPDX-License-Identifier: Apache-2.0 */

/*
 * systemd/unit-watch: who stopped the unit, in every order in which the signal
 * of a job, the end of the job and the answers can come.
 */

#include <string.h>

#include "base/clock.h"
#include "systemd/bus.h"
#include "systemd/unit-watch.h"
#include "testing-manager.h"
#include "testing.h"

#define UNIT    "kubelet.service"
#define OWN_JOB 5

static const struct kr_fake_unit running = {"active", "running", "success"};
static const struct kr_fake_unit stopping = {"deactivating", "stop-sigterm",
                                             "success", 7};
static const struct kr_fake_unit stopped = {"inactive", "dead", "success"};
static const struct kr_fake_unit failed = {"failed", "failed", "exit-code"};

/* When the job is signalled, and the unit is another. */
enum moment {
	BEFORE_FIRST, /* answer to the first look */
	AFTER_FIRST,
	NEVER,
};

static const struct row {
	const char *name;
	enum moment signalled;
	uint32_t job;
	const char *type; /* NULL: over before it can be asked */
	const struct kr_fake_unit *first, *then;
	bool stop;
} rows[] = {
	{"a stop", BEFORE_FIRST, 7, "stop", &stopping, &stopped, true},
	{"a stop after the look", AFTER_FIRST, 7, "stop", &running, &stopped,
         true},
	{"a restart", BEFORE_FIRST, 7, "restart", &running, &stopped, false},
	{"a start", AFTER_FIRST, 7, "start", &running, &stopped, false},
	/* the unit is read before the job ends, and the job asked for after */
	{"over during the look", BEFORE_FIRST, 7, NULL, &stopping, &stopped,
         true},
	{"over during the look of a running unit", BEFORE_FIRST, 7, NULL,
         &running, &stopped, true},
	{"over at once", BEFORE_FIRST, 7, NULL, &stopped, &stopped, true},
	{"over between the looks", AFTER_FIRST, 7, NULL, &running, &stopped,
         true},
	{"over, and the unit failed", BEFORE_FIRST, 7, NULL, &running, &failed,
         false},
	{"over, and the unit runs", BEFORE_FIRST, 7, NULL, &running, &running,
         false},
	{"our own, over", BEFORE_FIRST, OWN_JOB, NULL, &running, &stopped,
         false},
	{"none", NEVER, 0, NULL, &running, &stopped, false},
};

static const struct row *row;

static void at(struct kr_fake_manager *m, enum moment moment,
               const char *member)
{
	if (strcmp(member, "GetAll") != 0 ||
	    kr_fake_manager_calls(m, "GetAll") != 1)
		return;
	if (row->signalled == moment)
		kr_fake_manager_add_job(m, row->job, row->type);
	if (moment == AFTER_FIRST)
		kr_fake_manager_set(m, row->then);
}

static void before(struct kr_fake_manager *m, const char *member)
{
	at(m, BEFORE_FIRST, member);
}

static void after(struct kr_fake_manager *m, const char *member)
{
	at(m, AFTER_FIRST, member);
}

static void look(struct kr_unit_watch *watch, const char *active_state)
{
	_cleanup_loaded_unit_ struct kr_loaded_unit *unit = NULL;
	struct kr_diag diag = {0};

	ck_assert_int_eq(kr_unit_watch_look(watch, &diag, &unit), 0);
	ck_assert_msg(strcmp(unit->active_state, active_state) == 0, "%s: %s",
	              row->name, unit->active_state);
	kr_diag_done(&diag);
}

static struct kr_manager *open_manager(void)
{
	static const struct kr_manager_options options = {0};
	struct kr_diag diag = {0};
	struct kr_manager *manager;

	ck_assert_int_eq(kr_manager_open(&options, &diag, &manager), 0);
	kr_diag_done(&diag);
	strlcpy(kr_bus_of_manager(manager)->own_job,
	        "/org/freedesktop/systemd1/job/5",
	        sizeof(kr_bus_of_manager(manager)->own_job));
	return manager;
}

/* Waits for a change where the job, or its end, is one. */
static void await(struct kr_unit_watch *watch)
{
	const struct kr_manager_wait wait = {
		.deadline_usec = kr_now_usec() + 10 * KR_USEC_PER_SEC,
	};
	struct kr_diag diag = {0};

	if (row->signalled != NEVER)
		ck_assert_msg(kr_unit_watch_wait(watch, &wait, &diag) == 1,
		              "%s: nothing has changed", row->name);
	kr_diag_done(&diag);
}

START_TEST(stops)
{
	struct kr_fake_manager *fake;
	_cleanup_manager_ struct kr_manager *manager = NULL;
	_cleanup_(kr_unit_watch_freep) struct kr_unit_watch *watch = NULL;
	struct kr_diag diag = {0};

	row = &rows[_i];
	fake = kr_fake_manager_new(UNIT, before, after);
	kr_fake_manager_set(fake, row->first);
	manager = open_manager();
	ck_assert_int_eq(kr_unit_watch_new(manager, UNIT, &diag, &watch), 0);
	look(watch, row->first->active_state);
	await(watch);
	look(watch, row->then->active_state);
	ck_assert_msg(kr_unit_watch_saw_stop(watch) == row->stop, "%s: %s",
	              row->name, row->stop ? "no stop" : "a stop");
	watch = kr_unit_watch_free(watch);
	manager = kr_manager_free(manager);
	kr_fake_manager_free(fake);
	kr_diag_done(&diag);
}
END_TEST

static void add(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "unit-watch", NULL, NULL);

	tcase_add_loop_test(tc, stops, 0, ARRAY_SIZE(rows));
}

KR_TEST_MAIN(add);
