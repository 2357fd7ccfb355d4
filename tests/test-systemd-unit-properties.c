/* SPDX-License-Identifier: Apache-2.0 */

/*
 * systemd/unit-properties: what comes over the bus, without a bus. Messages are
 * made on a connection whose other end is silent.
 */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <systemd/sd-bus.h>

#include "systemd/sd.h"
#include "systemd/unit-properties.h"
#include "testing.h"

static sd_bus *bus;
static int fds[2];
static sd_bus_message *message;

static void setup(void)
{
	ck_assert_int_eq(kr_sd_load(NULL), 0);
	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_ge(sd_bus_new(&bus), 0);
	ck_assert_int_ge(sd_bus_set_fd(bus, fds[0], fds[0]), 0);
	ck_assert_int_ge(sd_bus_start(bus), 0);
	ck_assert_int_ge(
		sd_bus_message_new_signal(bus, &message, "/x", "x.y", "Z"), 0);
}

static void teardown(void)
{
	message = sd_bus_message_unref(message);
	bus = sd_bus_close_unref(bus);
	close(fds[1]);
}

static void open_dictionary(void)
{
	ck_assert_int_ge(sd_bus_message_open_container(message, 'a', "{sv}"),
	                 0);
}

/* For reading, from the start. */
static void close_dictionary(void)
{
	ck_assert_int_ge(sd_bus_message_close_container(message), 0);
	ck_assert_int_ge(sd_bus_message_seal(message, 1, 0), 0);
	ck_assert_int_ge(sd_bus_message_rewind(message, true), 0);
}

#define ADD(...)                                                               \
	ck_assert_int_ge(sd_bus_message_append(message, "{sv}", __VA_ARGS__), 0)

static void add_invocation_id(const uint8_t *bytes, size_t size)
{
	ck_assert_int_ge(sd_bus_message_open_container(message, 'e', "sv"), 0);
	ck_assert_int_ge(sd_bus_message_append(message, "s", "InvocationID"),
	                 0);
	ck_assert_int_ge(sd_bus_message_open_container(message, 'v', "ay"), 0);
	ck_assert_int_ge(sd_bus_message_append_array(message, 'y', bytes, size),
	                 0);
	ck_assert_int_ge(sd_bus_message_close_container(message), 0);
	ck_assert_int_ge(sd_bus_message_close_container(message), 0);
}

static void add_everything(void)
{
	static const uint8_t id[16] = {0, 1, 0xab, [15] = 0xff};

	ADD("Id", "s", "k.service");
	ADD("LoadState", "s", "bad-setting");
	ADD("ActiveState", "s", "activating");
	ADD("SubState", "s", "auto-restart");
	ADD("Result", "s", "exit-code");
	ADD("Type", "s", "exec");
	ADD("LoadError", "(ss)", "org.x.Bad", "line 3");
	ADD("FragmentPath", "s", "/usr/lib/systemd/system/k.service");
	ADD("UnitFileState", "s", "enabled-runtime");
	ADD("ControlGroup", "s", "/system.slice/k.service");
	ADD("DropInPaths", "as", 2, "/a.conf", "/b c.conf");
	ADD("Environment", "as", 2, "A=1", "B=x y");
	ADD("EnvironmentFiles", "a(sb)", 2, "/etc/must", 0, "/etc/may", 1);
	ADD("ExecStart", "a(sasbttttuii)", 2, "/bin/k", 3, "/bin/k", "$ARGS",
	    "a b", 0, UINT64_C(1), UINT64_C(2), UINT64_C(3), UINT64_C(4), 5, 6,
	    7, "/bin/l", 1, "l", 1, UINT64_C(0), UINT64_C(0), UINT64_C(0),
	    UINT64_C(0), 0, 0, 0);
	ADD("NeedDaemonReload", "b", 1);
	ADD("MainPID", "u", 812);
	ADD("NRestarts", "u", 3);
	ADD("Job", "(uo)", 7, "/org/freedesktop/systemd1/job/7");
	add_invocation_id(id, sizeof(id));
	ADD("ExecMainStartTimestamp", "t", UINT64_C(11));
	ADD("ExecMainStartTimestampMonotonic", "t", UINT64_C(12));
	ADD("ExecMainExitTimestamp", "t", UINT64_C(13));
	ADD("StateChangeTimestamp", "t", UINT64_C(14));
	ADD("ActiveEnterTimestamp", "t", UINT64_C(15));
	ADD("InactiveEnterTimestamp", "t", UINT64_C(16));
	ADD("InactiveExitTimestampMonotonic", "t", UINT64_C(20));
	ADD("ExecMainCode", "i", 1);
	ADD("ExecMainStatus", "i", 203);
	ADD("TimeoutStartUSec", "t", UINT64_C(17));
	ADD("TimeoutStopUSec", "t", UINT64_MAX);
	ADD("MemoryCurrent", "t", UINT64_C(5368709120));
	ADD("TasksCurrent", "t", UINT64_C(18));
}

static void check_text(const struct kr_loaded_unit *u)
{
	ck_assert_str_eq(u->id, "k.service");
	ck_assert_str_eq(u->load_state, "bad-setting");
	ck_assert_str_eq(u->file_state, "enabled-runtime");
	ck_assert_str_eq(u->active_state, "activating");
	ck_assert_str_eq(u->sub_state, "auto-restart");
	ck_assert_str_eq(u->result, "exit-code");
	ck_assert_str_eq(u->type, "exec");
	ck_assert_str_eq(u->load_error, "line 3");
	ck_assert_str_eq(u->fragment_path, "/usr/lib/systemd/system/k.service");
	ck_assert_str_eq(u->control_group, "/system.slice/k.service");
	ck_assert_str_eq(u->invocation_id, "0001ab000000000000000000000000ff");
}

static void check_lists(const struct kr_loaded_unit *u)
{
	ck_assert_uint_eq(u->n_dropin_paths, 2);
	ck_assert_str_eq(u->dropin_paths[0], "/a.conf");
	ck_assert_str_eq(u->dropin_paths[1], "/b c.conf");
	ck_assert_uint_eq(u->n_environment, 2);
	ck_assert_str_eq(u->environment[1], "B=x y");
	ck_assert_uint_eq(u->n_environment_files, 2);
	ck_assert_str_eq(u->environment_files[0], "/etc/must");
	ck_assert_str_eq(u->environment_files[1], "-/etc/may");
	ck_assert_uint_eq(u->n_commands, 2);
	ck_assert_str_eq(u->commands[0][0], "/bin/k");
	ck_assert_str_eq(u->commands[0][1], "$ARGS");
	ck_assert_str_eq(u->commands[0][2], "a b");
	ck_assert_ptr_null(u->commands[0][3]);
	ck_assert_str_eq(u->commands[1][0], "l");
	ck_assert_ptr_null(u->commands[1][1]);
}

static void check_numbers(const struct kr_loaded_unit *u)
{
	ck_assert(u->need_daemon_reload);
	ck_assert_int_eq(u->main_pid, 812);
	ck_assert_uint_eq(u->n_restarts, 3);
	ck_assert_uint_eq(u->job_id, 7);
	ck_assert_uint_eq(u->started_realtime_usec, 11);
	ck_assert_uint_eq(u->started_monotonic_usec, 12);
	ck_assert_uint_eq(u->exited_realtime_usec, 13);
	ck_assert_uint_eq(u->state_change_usec, 14);
	ck_assert_uint_eq(u->active_enter_usec, 15);
	ck_assert_uint_eq(u->inactive_enter_usec, 16);
	ck_assert_uint_eq(u->inactive_exit_monotonic_usec, 20);
	ck_assert_int_eq(u->exec_main_code, 1);
	ck_assert_int_eq(u->exec_main_status, 203);
	ck_assert_uint_eq(u->timeout_start_usec, 17);
	ck_assert_uint_eq(u->timeout_stop_usec, UINT64_MAX);
	ck_assert_uint_eq(u->memory_bytes, UINT64_C(5368709120));
	ck_assert_uint_eq(u->n_tasks, 18);
}

START_TEST(test_everything)
{
	_cleanup_loaded_unit_ struct kr_loaded_unit *unit = NULL;

	open_dictionary();
	add_everything();
	ADD("Unknown", "a{sv}", 1, "k", "s", "v");
	close_dictionary();
	ck_assert_int_eq(kr_unit_properties_read(message, &unit), 0);
	check_text(unit);
	check_lists(unit);
	check_numbers(unit);
}
END_TEST

static void check_empty(const struct kr_loaded_unit *u)
{
	ck_assert_str_eq(u->id, "");
	ck_assert_str_eq(u->result, "");
	ck_assert_str_eq(u->fragment_path, "");
	ck_assert_str_eq(u->file_state, "");
	ck_assert_uint_eq(u->memory_bytes, 0);
	ck_assert_uint_eq(u->n_tasks, 0);
	ck_assert_ptr_null(u->load_error);
	ck_assert_str_eq(u->invocation_id, "");
	ck_assert_uint_eq(u->n_restarts, 0);
	ck_assert_uint_eq(u->job_id, 0);
	ck_assert_int_eq(u->main_pid, 0);
	ck_assert_uint_eq(u->n_commands, 0);
	ck_assert_uint_eq(u->n_environment, 0);
	ck_assert_uint_eq(u->n_environment_files, 0);
	ck_assert(!u->need_daemon_reload);
}

START_TEST(test_old_systemd)
{
	_cleanup_loaded_unit_ struct kr_loaded_unit *unit = NULL;

	open_dictionary();
	close_dictionary();
	ck_assert_int_eq(kr_unit_properties_read(message, &unit), 0);
	check_empty(unit);
}
END_TEST

/* A property of another type is one that we do not know. */
START_TEST(test_other_types)
{
	_cleanup_loaded_unit_ struct kr_loaded_unit *unit = NULL;
	static const uint8_t short_id[3] = {1, 2, 3};

	open_dictionary();
	ADD("Id", "u", 7);
	ADD("Result", "as", 1, "x");
	ADD("MainPID", "t", UINT64_C(812));
	ADD("NRestarts", "s", "3");
	ADD("NeedDaemonReload", "u", 1);
	ADD("Environment", "s", "A=1");
	ADD("EnvironmentFiles", "as", 1, "/etc/must");
	ADD("ExecStart", "a(sas)", 1, "/bin/k", 1, "/bin/k");
	ADD("LoadError", "(ss)", "", "");
	add_invocation_id(short_id, sizeof(short_id));
	close_dictionary();
	ck_assert_int_eq(kr_unit_properties_read(message, &unit), 0);
	check_empty(unit);
}
END_TEST

START_TEST(test_no_dictionary)
{
	struct kr_loaded_unit *unit = NULL;

	ck_assert_int_ge(sd_bus_message_append(message, "s", "x"), 0);
	ck_assert_int_ge(sd_bus_message_seal(message, 1, 0), 0);
	ck_assert_int_ge(sd_bus_message_rewind(message, true), 0);
	ck_assert_int_eq(kr_unit_properties_read(message, &unit), -EBADMSG);
	ck_assert_ptr_null(unit);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "messages", setup, teardown);

	tcase_add_test(tc, test_everything);
	tcase_add_test(tc, test_old_systemd);
	tcase_add_test(tc, test_other_types);
	tcase_add_test(tc, test_no_dictionary);
}

KR_TEST_MAIN(add_tests);
