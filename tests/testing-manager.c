/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A manager that a test plays.
 *
 * It is both the bus (Hello, AddMatch) and the one who has systemd's name on
 * it. What it does not know it answers with no arguments, as systemd answers
 * Subscribe.
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "systemd/bus.h"
#include "testing-manager.h"
#include "testing.h"

#define N_JOBS    8
#define N_MEMBERS 64

struct kr_fake_manager {
	const char *unit_name;
	kr_fake_hook_t before, after;
	struct kr_fake_unit unit;
	struct {
		uint32_t id;
		const char *type;
	} jobs[N_JOBS];
	size_t n_jobs;
	char members[N_MEMBERS][32]; /* that were called */
	size_t n_members;
	const struct kr_fake_step *steps; /* that are still to be made */
	size_t n_steps;
	uint64_t begun_usec; /* somebody has subscribed first; 0: not yet */
	bool subscribed;     /* on this connection */
	int listen_fd;
	sd_bus *bus;
	pthread_t thread;
	atomic_bool over;
};

static void job_path(uint32_t id, char ret[64])
{
	snprintf(ret, 64, "/org/freedesktop/systemd1/job/%u", id);
}

/*
 * What has come of a message to the one who called. He may have left
 * meanwhile: his time was over, or a test ends.
 */
static void check_sent(int r)
{
	if (r < 0 && r != -ECONNRESET && r != -EPIPE && r != -ENOTCONN)
		ck_abort_msg("cannot send: %s", strerror(-r));
}

static void append_invocation(struct kr_fake_manager *m, sd_bus_message *reply)
{
	const uint8_t id[16] = {[15] = m->unit.invocation};

	ck_assert_int_ge(sd_bus_message_open_container(reply, 'e', "sv"), 0);
	ck_assert_int_ge(sd_bus_message_append(reply, "s", "InvocationID"), 0);
	ck_assert_int_ge(sd_bus_message_open_container(reply, 'v', "ay"), 0);
	ck_assert_int_ge(
		sd_bus_message_append_array(
			reply, 'y', id, m->unit.invocation ? sizeof(id) : 0),
		0);
	ck_assert_int_ge(sd_bus_message_close_container(reply), 0);
	ck_assert_int_ge(sd_bus_message_close_container(reply), 0);
}

#define APPEND(...)                                                            \
	ck_assert_int_ge(sd_bus_message_append(reply, "{sv}", __VA_ARGS__), 0)

static void append_properties(struct kr_fake_manager *m, sd_bus_message *reply)
{
	const struct kr_fake_unit *u = &m->unit;
	char path[64];

	job_path(u->job_id, path);
	ck_assert_int_ge(sd_bus_message_open_container(reply, 'a', "{sv}"), 0);
	APPEND("Id", "s", m->unit_name);
	APPEND("LoadState", "s", "loaded");
	APPEND("ActiveState", "s", u->active_state);
	APPEND("SubState", "s", u->sub_state);
	APPEND("Result", "s", u->result);
	APPEND("Job", "(uo)", u->job_id, u->job_id ? path : "/");
	APPEND("MainPID", "u", u->main_pid);
	APPEND("NRestarts", "u", u->n_restarts);
	APPEND("ExecMainCode", "i", u->exec_main_code);
	APPEND("ExecMainStatus", "i", u->exec_main_status);
	append_invocation(m, reply);
	ck_assert_int_ge(sd_bus_message_close_container(reply), 0);
}

/* The type of the job whose property is asked for; NULL: it is over. */
static const char *find_job(const struct kr_fake_manager *m, const char *path)
{
	for (size_t i = 0; i < m->n_jobs; i++) {
		char its[64];

		job_path(m->jobs[i].id, its);
		if (strcmp(its, path) == 0)
			return m->jobs[i].type;
	}
	return NULL;
}

static void answer_get(struct kr_fake_manager *m, sd_bus_message *call)
{
	const char *interface, *name, *value;

	ck_assert_int_ge(sd_bus_message_read(call, "ss", &interface, &name), 0);
	if (strcmp(name, "MainPID") == 0) {
		check_sent(sd_bus_reply_method_return(call, "v", "u",
		                                      m->unit.main_pid));
		return;
	}
	if (strcmp(name, "Version") == 0)
		value = "252";
	else if (strcmp(name, "SystemState") == 0)
		value = m->unit.system_stops ? "stopping" : "running";
	else
		value = find_job(m, sd_bus_message_get_path(call));
	if (value)
		check_sent(sd_bus_reply_method_return(call, "v", "s", value));
	else
		check_sent(sd_bus_reply_method_errorf(
			call, SD_BUS_ERROR_UNKNOWN_OBJECT, "no such job"));
}

static void answer(struct kr_fake_manager *m, sd_bus_message *call,
                   const char *member)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

	if (strcmp(member, "Hello") == 0) {
		check_sent(sd_bus_reply_method_return(call, "s", ":1.1"));
	} else if (strcmp(member, "Get") == 0) {
		answer_get(m, call);
	} else if (strcmp(member, "GetAll") == 0) {
		ck_assert_int_ge(sd_bus_message_new_method_return(call, &reply),
		                 0);
		append_properties(m, reply);
		check_sent(sd_bus_send(m->bus, reply, NULL));
	} else {
		check_sent(sd_bus_reply_method_return(call, NULL));
	}
}

static int on_call(sd_bus_message *call, void *userdata, sd_bus_error *e)
{
	struct kr_fake_manager *m = userdata;
	const char *member = sd_bus_message_get_member(call);

	if (!sd_bus_message_is_method_call(call, NULL, NULL))
		return 0;
	if (m->n_members < N_MEMBERS)
		strlcpy(m->members[m->n_members++], member,
		        sizeof(m->members[0]));
	if (strcmp(member, "Subscribe") == 0) {
		m->subscribed = true;
		m->begun_usec = m->begun_usec ?: kr_now_usec();
	}
	if (m->before)
		m->before(m, member);
	answer(m, call, member);
	if (m->after)
		m->after(m, member);
	return 1;
}

static void emit_changed(struct kr_fake_manager *m)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *signal = NULL;
	_cleanup_free_ char *path = NULL;

	if (!m->subscribed)
		return;
	ck_assert_int_ge(kr_bus_unit_path(m->unit_name, &path), 0);
	ck_assert_int_ge(sd_bus_message_new_signal(m->bus, &signal, path,
	                                           KR_BUS_PROPERTIES,
	                                           "PropertiesChanged"),
	                 0);
	ck_assert_int_ge(sd_bus_message_set_sender(signal, KR_BUS_DESTINATION),
	                 0);
	ck_assert_int_ge(
		sd_bus_message_append(signal, "sa{sv}as", KR_BUS_UNIT, 0, 0),
		0);
	check_sent(sd_bus_send(m->bus, signal, NULL));
}

/* The steps whose time has come; false: the connection ends. */
static bool make_steps(struct kr_fake_manager *m)
{
	while (m->begun_usec && m->n_steps > 0) {
		const struct kr_fake_step *step = m->steps;

		if (kr_now_usec() <
		    m->begun_usec + step->at_msec * KR_USEC_PER_MSEC)
			return true;
		m->steps++;
		m->n_steps--;
		if (step->job)
			kr_fake_manager_add_job(m, step->job, step->job_type);
		if (step->unit) {
			m->unit = *step->unit;
			emit_changed(m);
		}
		if (step->hang_up)
			return false;
	}
	return true;
}

static void serve(struct kr_fake_manager *m, int fd)
{
	sd_id128_t id;

	m->subscribed = false;
	ck_assert_int_ge(sd_id128_randomize(&id), 0);
	ck_assert_int_ge(sd_bus_new(&m->bus), 0);
	ck_assert_int_ge(sd_bus_set_fd(m->bus, fd, fd), 0);
	ck_assert_int_ge(sd_bus_set_server(m->bus, true, id), 0);
	ck_assert_int_ge(sd_bus_set_anonymous(m->bus, true), 0);
	ck_assert_int_ge(sd_bus_add_filter(m->bus, NULL, on_call, m), 0);
	ck_assert_int_ge(sd_bus_start(m->bus), 0);
	while (!m->over && make_steps(m)) {
		int r = sd_bus_process(m->bus, NULL);

		if (r < 0)
			break; /* the other end has gone */
		if (r == 0)
			sd_bus_wait(m->bus, UINT64_C(10000));
	}
	m->bus = sd_bus_close_unref(m->bus);
}

static void *run(void *closure)
{
	struct kr_fake_manager *m = closure;

	while (!m->over) {
		int fd = accept4(m->listen_fd, NULL, NULL,
		                 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
			serve(m, fd);
	}
	return NULL;
}

struct kr_fake_manager *kr_fake_manager_new(const char *unit,
                                            kr_fake_hook_t before,
                                            kr_fake_hook_t after)
{
	struct kr_fake_manager *m = calloc(1, sizeof(*m));
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = sizeof(address);
	char text[64];

	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(kr_sd_load(NULL), 0);
	m->unit_name = unit;
	m->before = before;
	m->after = after;
	m->unit = (struct kr_fake_unit){"active", "running", "success"};
	m->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* the kernel chooses an abstract name, of five digits */
	ck_assert_int_eq(bind(m->listen_fd, (struct sockaddr *)&address,
	                      sizeof(address.sun_family)),
	                 0);
	ck_assert_int_eq(
		getsockname(m->listen_fd, (struct sockaddr *)&address, &length),
		0);
	ck_assert_int_eq(listen(m->listen_fd, 1), 0);
	snprintf(text, sizeof(text), "unix:abstract=%.5s",
	         &address.sun_path[1]);
	ck_assert_int_eq(setenv("DBUS_SYSTEM_BUS_ADDRESS", text, 1), 0);
	ck_assert_int_eq(pthread_create(&m->thread, NULL, run, m), 0);
	return m;
}

void kr_fake_manager_free(struct kr_fake_manager *m)
{
	m->over = true;
	shutdown(m->listen_fd, SHUT_RDWR);
	pthread_join(m->thread, NULL);
	close(m->listen_fd);
	unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
	free(m);
}

void kr_fake_manager_play(struct kr_fake_manager *m,
                          const struct kr_fake_step *steps, size_t n)
{
	m->steps = steps;
	m->n_steps = n;
}

void kr_fake_manager_set(struct kr_fake_manager *m,
                         const struct kr_fake_unit *unit)
{
	m->unit = *unit;
}

size_t kr_fake_manager_calls(const struct kr_fake_manager *m,
                             const char *method)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_members; i++)
		n += strcmp(m->members[i], method) == 0;
	return n;
}

void kr_fake_manager_add_job(struct kr_fake_manager *m, uint32_t id,
                             const char *type)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *signal = NULL;
	char path[64];

	ck_assert_uint_lt(m->n_jobs, N_JOBS);
	if (type) {
		m->jobs[m->n_jobs].id = id;
		m->jobs[m->n_jobs++].type = type;
	}
	job_path(id, path);
	ck_assert_int_ge(sd_bus_message_new_signal(m->bus, &signal,
	                                           KR_BUS_MANAGER_PATH,
	                                           KR_BUS_MANAGER, "JobNew"),
	                 0);
	/* a bus names the sender */
	ck_assert_int_ge(sd_bus_message_set_sender(signal, KR_BUS_DESTINATION),
	                 0);
	ck_assert_int_ge(
		sd_bus_message_append(signal, "uos", id, path, m->unit_name),
		0);
	check_sent(sd_bus_send(m->bus, signal, NULL));
}
