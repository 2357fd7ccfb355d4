/* SPDX-License-Identifier: Apache-2.0 */

/* systemd/bus: paths of units, and the calls that are sent in one flight. */

#include <errno.h>
#include <string.h>

#include "systemd/bus.h"
#include "testing-manager.h"
#include "testing.h"

#define UNIT "kubelet.service"

/* --- paths --------------------------------------------------------------- */

static const struct path_row {
	const char *unit, *want;
} paths[] = {
	{UNIT, "kubelet_2eservice"},
	{"9a.service", "_39a_2eservice"},
	{"a9B.service", "a9B_2eservice"},
	{"x@y-z.service", "x_40y_2dz_2eservice"},
	{"a_b`[{.service", "a_5fb_60_5b_7b_2eservice"},
	{"\xc3\xa4.service", "_c3_a4_2eservice"},
	{"", "_"},
};

START_TEST(test_path)
{
	const struct path_row *row = &paths[_i];
	_cleanup_free_ char *path = NULL, *want = NULL, *theirs = NULL;

	ck_assert_int_eq(kr_bus_unit_path(row->unit, &path), 0);
	ck_assert_int_gt(asprintf(&want, KR_BUS_UNIT_PATH "/%s", row->want), 0);
	ck_assert_str_eq(path, want);
	ck_assert_int_ge(
		sd_bus_path_encode(KR_BUS_UNIT_PATH, row->unit, &theirs), 0);
	ck_assert_str_eq(path, theirs);
}
END_TEST

/* --- one flight ---------------------------------------------------------- */

static const struct kr_fake_unit running = {"active", "running", "success",
                                            .main_pid = 7};
static const struct kr_fake_unit failed = {"failed", "failed", "exit-code"};

static void check_state(struct kr_manager *manager, const char *want)
{
	_cleanup_loaded_unit_ struct kr_loaded_unit *unit = NULL;
	_cleanup_diag_ struct kr_diag diag = {0};
	int r = kr_manager_get_unit(manager, UNIT, &diag, &unit);

	ck_assert_msg(r == 0, "%d: %s", r, kr_test_messages(&diag));
	ck_assert_str_eq(unit->active_state, want);
}

static size_t n_getall; /* before the version was asked for */

static void before_call(struct kr_fake_manager *m, const char *member)
{
	/* the last Get of the flight is that of the version */
	if (strcmp(member, "Get") == 0)
		n_getall = kr_fake_manager_calls(m, "GetAll");
}

static void start(bool early, struct kr_fake_manager **ret_fake,
                  struct kr_manager **ret)
{
	static const char *const names[] = {"a.service", NULL};
	const struct kr_manager_options options = {
		.unit = early ? UNIT : NULL,
		.names = names,
	};
	_cleanup_diag_ struct kr_diag diag = {0};
	int r;

	n_getall = 0;
	*ret_fake = kr_fake_manager_new(UNIT, before_call, NULL);
	kr_fake_manager_set(*ret_fake, &running);
	r = kr_manager_open(&options, &diag, ret);
	ck_assert_msg(r == 0, "%d: %s", r, kr_test_messages(&diag));
}

/* The first look needs no further call, the second is one of its own. */
START_TEST(test_early)
{
	struct kr_fake_manager *fake;
	struct kr_manager *manager;

	start(true, &fake, &manager);
	ck_assert_uint_eq(n_getall, 1);
	check_state(manager, "active");
	ck_assert_uint_eq(kr_fake_manager_calls(fake, "GetAll"), 1);
	kr_fake_manager_set(fake, &failed);
	check_state(manager, "failed");
	ck_assert_uint_eq(kr_fake_manager_calls(fake, "GetAll"), 2);
	kr_manager_free(manager);
	kr_fake_manager_free(fake);
}
END_TEST

START_TEST(test_not_early)
{
	struct kr_fake_manager *fake;
	struct kr_manager *manager;

	start(false, &fake, &manager);
	ck_assert_uint_eq(kr_fake_manager_calls(fake, "GetAll"), 0);
	check_state(manager, "active");
	ck_assert_uint_eq(kr_fake_manager_calls(fake, "GetAll"), 1);
	kr_manager_free(manager);
	kr_fake_manager_free(fake);
}
END_TEST

/* What was sent over a connection that is gone is asked again. */
START_TEST(test_lost)
{
	struct kr_fake_manager *fake;
	struct kr_manager *manager;

	start(true, &fake, &manager);
	kr_fake_manager_set(fake, &failed);
	kr_bus_close(kr_bus_of_manager(manager));
	check_state(manager, "failed");
	/* another call opens it: nothing may be of that time afterwards */
	kr_bus_close(kr_bus_of_manager(manager));
	ck_assert_int_eq(kr_manager_is_stopping(manager), 0);
	kr_fake_manager_set(fake, &running);
	check_state(manager, "active");
	kr_manager_free(manager);
	kr_fake_manager_free(fake);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "bus", NULL, NULL);

	tcase_add_loop_test(tc, test_path, 0, ARRAY_SIZE(paths));
	tcase_add_test(tc, test_early);
	tcase_add_test(tc, test_not_early);
	tcase_add_test(tc, test_lost);
}

KR_TEST_MAIN(add_tests);
