/* SPDX-License-Identifier: Apache-2.0 */

/* systemd/bus-error: each error's errno and words, and a job's result. */

#include <errno.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "systemd/bus-error.h"
#include "systemd/manager.h"
#include "systemd/sd.h"
#include "testing.h"

#define SYSTEMD "org.freedesktop.systemd1."

static const struct error_row {
	const char *name, *error, *message;
	int want;
	const char *code, *words;
} errors[] = {
	{"no unit", SYSTEMD "NoSuchUnit", "Unit k.service not found.", -ENOENT,
         "unit-not-found",
         "org.freedesktop.systemd1: RestartUnit of k.service: Unit k.service "
         "not found (org.freedesktop.systemd1.NoSuchUnit): a unit file"},
	{"bad setting", SYSTEMD "BadUnitSetting", "Unit k.service has a bad",
         -EBADMSG, "unit-bad-setting", "systemd-analyze verify"},
	{"masked", SYSTEMD "UnitMasked", "Unit k.service is masked.", -ERFKILL,
         "unit-masked", "systemctl unmask"},
	{"polkit masked", SYSTEMD "UnitMasked", "Unit polkit.service is masked",
         -EACCES, "bus-denied", "must be root"},
	{"denied", "org.freedesktop.DBus.Error.AccessDenied", "Permission",
         -EACCES, "bus-denied", "must be root"},
	{"polkit wants to ask",
         "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
         "Interactive", -EACCES, "bus-denied", "must be root"},
	{"no systemd", "org.freedesktop.DBus.Error.ServiceUnknown", "No name",
         -ENOTSUP, "bus-no-systemd", "PID 1"},
	{"subscribed", SYSTEMD "AlreadySubscribed", "Client is already",
         -EALREADY, "bus-error", "already"},
	{"nobody to start systemd", "org.freedesktop.DBus.Error.TimedOut",
         "Failed to activate", -ENOTSUP, "bus-no-systemd", "PID 1"},
	{"errno of sd-bus", "System.Error.EXFULL", "Full", -EXFULL, "bus-error",
         "Full (System.Error.EXFULL)"},
	{"unheard of", "org.example.What", NULL, -EIO, "bus-error",
         "no words (org.example.What)"},
	{"no words", SYSTEMD "NoSuchUnit", "", -ENOENT, "unit-not-found",
         "NoSuchUnit"},
};

START_TEST(test_error)
{
	const struct error_row *row = &errors[_i];
	_cleanup_diag_ struct kr_diag diag = {0};
	const sd_bus_error error =
		SD_BUS_ERROR_MAKE_CONST(row->error, row->message);
	int r;

	ck_assert_int_eq(kr_sd_load(NULL), 0);
	r = kr_bus_error_add(&diag, "RestartUnit", "k.service", &error);
	ck_assert_msg(r == row->want, "%s: got %d", row->name, r);
	ck_assert_msg(diag.n_messages == 1 &&
	                      strcmp(diag.messages[0].code, row->code) == 0 &&
	                      strstr(diag.messages[0].text, row->words),
	              "%s:%s", row->name, kr_test_messages(&diag));
}
END_TEST

static const struct reach_row {
	const char *error;
	enum kr_bus_reach want;
} reaches[] = {
	{SYSTEMD "NoSuchUnit", KR_BUS_REACHED},
	{"org.freedesktop.DBus.Error.AccessDenied", KR_BUS_REACHED},
	{"org.freedesktop.DBus.Error.Timeout", KR_BUS_REACHED},
	{"org.example.What", KR_BUS_REACHED},
	{"org.freedesktop.DBus.Error.NoReply", KR_BUS_WENT},
	{"org.freedesktop.DBus.Error.NameHasNoOwner", KR_BUS_ABSENT},
	{"org.freedesktop.DBus.Error.ServiceUnknown", KR_BUS_ABSENT},
	{"org.freedesktop.DBus.Error.Spawn.ChildExited", KR_BUS_ABSENT},
	{"org.freedesktop.DBus.Error.TimedOut", KR_BUS_ABSENT},
};

START_TEST(test_reach)
{
	const sd_bus_error error =
		SD_BUS_ERROR_MAKE_CONST(reaches[_i].error, "words");

	ck_assert_msg(kr_bus_error_reach(&error) == reaches[_i].want, "%s",
	              reaches[_i].error);
}
END_TEST

START_TEST(test_lost)
{
	ck_assert(kr_bus_error_is_lost(-ECONNRESET));
	ck_assert(kr_bus_error_is_lost(-ENOTCONN));
	ck_assert(kr_bus_error_is_lost(-EPIPE));
	ck_assert(!kr_bus_error_is_lost(0));
	ck_assert(!kr_bus_error_is_lost(-ETIMEDOUT));
	ck_assert(!kr_bus_error_is_lost(-EINTR));
	ck_assert(!kr_bus_error_is_lost(-ECONNREFUSED));
}
END_TEST

START_TEST(test_results)
{
	static const char *const names[] = {
		"done",       "failed",  "canceled", "timeout",
		"dependency", "skipped", "other",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_str_eq(kr_job_result_to_string((enum kr_job_result)i),
		                 names[i]);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "errors", NULL, NULL);

	tcase_add_loop_test(tc, test_error, 0, ARRAY_SIZE(errors));
	tcase_add_loop_test(tc, test_reach, 0, ARRAY_SIZE(reaches));
	tcase_add_test(tc, test_lost);
	tcase_add_test(tc, test_results);
}

KR_TEST_MAIN(add_tests);
