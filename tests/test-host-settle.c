/* SPDX-License-Identifier: Apache-2.0 */

/*
 * host/settle: how a kubelet ends that is watched, whatever its unit and
 * healthz show in between. The test plays systemd (testing-manager) and
 * kubelet: this process is its main process and has healthz's socket.
 */

#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/settle.h"
#include "testing-manager.h"
#include "testing.h"

#define UNIT    "kubelet.service"
#define WATCH   KR_USEC_PER_SEC
#define WAIT    (1500 * KR_USEC_PER_MSEC)
#define STEPS   5
#define NEVER   UINT_MAX
#define OURSELF 1 /* as main_pid: this process */

/* --- the unit ------------------------------------------------------------ */

#define RUNNING(n)                                                             \
	{                                                                      \
		"active", "running", "success", .main_pid = OURSELF,           \
						.invocation = n                \
	}
#define ENDED(active, sub, how, code, status)                                  \
	{                                                                      \
		active, sub, how, .exec_main_code = code,                      \
				  .exec_main_status = status, .invocation = 1  \
	}

static const struct kr_fake_unit first = RUNNING(1), second = RUNNING(2),
				 third = RUNNING(3);
static const struct kr_fake_unit counted = {
	"active",        "running",      "success", .main_pid = OURSELF,
	.n_restarts = 1, .invocation = 2};
static const struct kr_fake_unit starting = {"activating", "start-pre",
                                             "success", .job_id = 5};
static const struct kr_fake_unit never_ran = {"inactive", "dead", "success"};
static const struct kr_fake_unit restarting = {
	"deactivating",      "stop-sigterm", "success",
	.main_pid = OURSELF, .job_id = 7,    .invocation = 1};
static const struct kr_fake_unit between = {
	"inactive",  "dead",          "success",
	.job_id = 7, .invocation = 1, .exec_main_code = CLD_EXITED};
static const struct kr_fake_unit gone =
	ENDED("inactive", "dead", "success", CLD_EXITED, 0);
static const struct kr_fake_unit gone_with_the_system = {
	"inactive",
	"dead",
	"success",
	.exec_main_code = CLD_EXITED,
	.system_stops = true,
	.invocation = 1};
static const struct kr_fake_unit refused =
	ENDED("failed", "failed", "exit-code", CLD_EXITED, 255);
static const struct kr_fake_unit refused_again =
	ENDED("activating", "auto-restart", "exit-code", CLD_EXITED, 255);
static const struct kr_fake_unit queued =
	ENDED("activating", "auto-restart-queued", "exit-code", CLD_EXITED, 1);
static const struct kr_fake_unit crashed =
	ENDED("failed", "failed", "core-dump", CLD_DUMPED, SIGSEGV);
static const struct kr_fake_unit killed =
	ENDED("activating", "auto-restart", "signal", CLD_KILLED, SIGKILL);
static const struct kr_fake_unit killed_for_good =
	ENDED("failed", "failed", "signal", CLD_KILLED, SIGKILL);
static const struct kr_fake_unit out_of_memory =
	ENDED("activating", "auto-restart", "oom-kill", CLD_KILLED, SIGTERM);

/* --- the rows ------------------------------------------------------------ */

#define BEHIND 400 /* ms; by then healthz was asked */

static const struct row {
	const char *name;
	const struct kr_fake_unit *unit; /* at the beginning */
	unsigned ok_msec;                /* from then on healthz says ok */
	struct kr_fake_step steps[STEPS];
	enum kr_settled want;
	const char *failure; /* a part of it; NULL: there is none */
	const char *code;    /* of a message; NULL */
	bool by_others, again_and_again;
} rows[] = {
	{"well at once", &first, 0, {{0}}, KR_SETTLED},
	{"well later", &first, BEHIND, {{0}}, KR_SETTLED},
	{"started later", &starting, 0, {{BEHIND, &first}}, KR_SETTLED},
	{"never well",
         &first,
         NEVER,
         {{0}},
         KR_SETTLED_NOT,
         "not healthy after 1 s (--wait), and still runs"},
	{"never started",
         &starting,
         0,
         {{0}},
         KR_SETTLED_NOT,
         "is activating (start-pre) after 1 s"},
	{"a condition",
         &never_ran,
         0,
         {{0}},
         KR_SETTLED_NOT,
         "kubelet.service is inactive (dead)"},

	{"it ends",
         &first,
         NEVER,
         {{BEHIND, &refused}},
         KR_SETTLED_NOT,
         "exit status 255"},
	{"it ends, and comes again",
         &first,
         NEVER,
         {{BEHIND, &refused_again}},
         KR_SETTLED_NOT,
         "exit status 255"},
	{"it ends, in systemd 254's words",
         &first,
         NEVER,
         {{BEHIND, &queued}},
         KR_SETTLED_NOT,
         "exit status 1"},
	{"it has ended before it was seen",
         &refused_again,
         NEVER,
         {{0}},
         KR_SETTLED_NOT,
         "exit status 255"},
	{"it crashes",
         &first,
         NEVER,
         {{BEHIND, &crashed}},
         KR_SETTLED_NOT,
         "killed by signal 11 (SEGV)"},
	{"it ends behind the first ok",
         &first,
         0,
         {{150, &refused}},
         KR_SETTLED_NOT,
         "exit status 255"},
	{"it ended and nobody saw it",
         &first,
         NEVER,
         {{BEHIND, &counted}},
         KR_SETTLED_NOT,
         "systemd started it again"},
	{"it ends by itself with success",
         &first,
         NEVER,
         {{BEHIND, &gone}},
         KR_SETTLED_NOT,
         "exit status 0"},

	{"a stop",
         &first,
         NEVER,
         {{BEHIND, NULL, 7, "stop"}, {BEHIND, &gone}},
         KR_SETTLED_STOPPED},
	{"a stop behind the first ok",
         &first,
         0,
         {{150, &gone, 7, "stop"}},
         KR_SETTLED_STOPPED},
	{"a stop that is over at once",
         &first,
         NEVER,
         {{BEHIND, &gone, 7}},
         KR_SETTLED_STOPPED},
	{"a stop that is just asked for",
         &first,
         NEVER,
         {{BEHIND, NULL, 7, "stop"}},
         KR_SETTLED_STOPPED},
	{"a stop of what starts",
         &starting,
         NEVER,
         {{BEHIND, &gone, 7, "stop"}},
         KR_SETTLED_STOPPED},
	{"the whole system stops",
         &first,
         NEVER,
         {{BEHIND, &gone_with_the_system}},
         KR_SETTLED_STOPPED},
	{"a stop between two of them",
         &first,
         NEVER,
         {{BEHIND, &killed}, {BEHIND + 100, &gone, 7, "stop"}},
         KR_SETTLED_STOPPED,
         NULL,
         "restarted-by-others",
         true},

	{"a restart",
         &first,
         0,
         {{150, &restarting, 7, "restart"}, {250, &between}, {350, &second}},
         KR_SETTLED,
         NULL,
         "restarted-by-others"},
	{"a restart that nobody saw",
         &first,
         0,
         {{150, &second}},
         KR_SETTLED,
         NULL,
         "restarted-by-others"},
	{"two restarts",
         &first,
         NEVER,
         {{BEHIND, &second}, {2 * BEHIND, &third}},
         KR_SETTLED_NOT,
         "others restarted kubelet twice",
         "restarted-by-others",
         true},
	{"two restarts on the way back",
         &first,
         2 * BEHIND,
         {{BEHIND, &second}, {2 * BEHIND, &third}},
         KR_SETTLED,
         NULL,
         "restarted-by-others",
         false,
         true},
	{"a restart, and then it ends",
         &first,
         NEVER,
         {{BEHIND, &second}, {2 * BEHIND, &refused}},
         KR_SETTLED_NOT,
         "exit status 255",
         "restarted-by-others"},
	{"about to be stopped when it could settle",
         &first,
         0,
         {{150, &restarting, 7, "restart"}, {1800, &second}},
         KR_SETTLED,
         NULL,
         "restarted-by-others"},

	{"SIGKILL",
         &first,
         0,
         {{150, &killed}, {250, &second}},
         KR_SETTLED,
         NULL,
         "restarted-by-others"},
	{"out of memory",
         &first,
         0,
         {{150, &out_of_memory}, {250, &second}},
         KR_SETTLED,
         NULL,
         "restarted-by-others"},
	{"SIGKILL twice",
         &first,
         NEVER,
         {{BEHIND, &killed}, {BEHIND + 100, &second}, {3 * BEHIND, &killed}},
         KR_SETTLED_NOT,
         "killed (SIGKILL) twice",
         "restarted-by-others",
         true},
	{"SIGKILL, and nobody starts it",
         &first,
         NEVER,
         {{BEHIND, &killed_for_good}},
         KR_SETTLED_NOT,
         "killed by signal 9 (KILL)",
         NULL,
         true},
	{"SIGKILL, and nothing comes",
         &first,
         NEVER,
         {{BEHIND, &killed}},
         KR_SETTLED_NOT,
         "is activating (auto-restart) after 1 s",
         "restarted-by-others",
         true},

	{"the bus goes", &first, 0, {{150, .hang_up = true}}, KR_SETTLED},
	{"the bus goes, and it is another then",
         &first,
         0,
         {{150, .hang_up = true}, {150, &second}},
         KR_SETTLED,
         NULL,
         "restarted-by-others"},
	{"the bus goes, and it has ended then",
         &first,
         NEVER,
         {{BEHIND, .hang_up = true}, {BEHIND, &refused}},
         KR_SETTLED_NOT,
         "exit status 255"},
};

/* --- kubelet ------------------------------------------------------------- */

struct healthz {
	int fd;
	unsigned port;
	uint64_t ok_usec; /* from then on */
	pthread_t thread;
	atomic_bool over;
};

static void answer(const struct healthz *h, int fd)
{
	static const char good[] = "HTTP/1.1 200 OK\r\n\r\nok";
	static const char bad[] = "HTTP/1.1 500 Internal Server Error\r\n\r\n";
	bool ok = kr_now_usec() >= h->ok_usec;
	char request[512];

	if (read(fd, request, sizeof(request)) > 0)
		ck_assert_int_gt(write(fd, ok ? good : bad,
		                       ok ? sizeof(good) - 1 : sizeof(bad) - 1),
		                 0);
	close(fd);
}

static void *serve(void *closure)
{
	struct healthz *h = closure;

	while (!h->over) {
		int fd = accept4(h->fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			answer(h, fd);
	}
	return NULL;
}

static void healthz_begin(struct healthz *h, unsigned ok_msec)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t size = sizeof(in);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	h->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(h->fd, (struct sockaddr *)&in, size), 0);
	ck_assert_int_eq(listen(h->fd, 8), 0);
	ck_assert_int_eq(getsockname(h->fd, (struct sockaddr *)&in, &size), 0);
	h->port = ntohs(in.sin_port);
	h->ok_usec = ok_msec == NEVER
	                     ? UINT64_MAX
	                     : kr_now_usec() + ok_msec * KR_USEC_PER_MSEC;
	ck_assert_int_eq(pthread_create(&h->thread, NULL, serve, h), 0);
}

static void healthz_end(struct healthz *h)
{
	h->over = true;
	shutdown(h->fd, SHUT_RDWR);
	pthread_join(h->thread, NULL);
	close(h->fd);
}

/* --- a run --------------------------------------------------------------- */

static struct kr_fake_unit units[STEPS + 1];
static struct kr_fake_step steps[STEPS];

static const struct kr_fake_unit *alive(struct kr_fake_unit *unit)
{
	if (unit->main_pid == OURSELF)
		unit->main_pid = (uint32_t)getpid();
	return unit;
}

/* The row's steps, with our process in them. */
static size_t prepare_steps(const struct row *row)
{
	size_t n = 0;

	units[STEPS] = *row->unit;
	alive(&units[STEPS]);
	while (n < STEPS && row->steps[n].at_msec) {
		steps[n] = row->steps[n];
		if (steps[n].unit) {
			units[n] = *steps[n].unit;
			steps[n].unit = alive(&units[n]);
		}
		n++;
	}
	return n;
}

static void check_end(const struct row *row, const struct kr_settling *s,
                      const struct kr_diag *diag, enum kr_settled end)
{
	static const char *const names[] = {"settled", "not well", "stopped"};

	ck_assert_msg(end == row->want, "%s: %s (%s)", row->name, names[end],
	              s->failure ? s->failure : "");
	ck_assert_msg(
		!s->failure == !row->failure &&
			(!row->failure || strstr(s->failure, row->failure)),
		"%s: %s", row->name, s->failure ? s->failure : "nothing");
	ck_assert_msg(s->by_others == row->by_others, "%s: by others",
	              row->name);
	ck_assert_msg(diag->n_messages == (row->code != NULL) ||
	                      row->again_and_again,
	              "%s: %zu messages", row->name, diag->n_messages);
	ck_assert_msg(!row->code || kr_diag_find(diag, row->code), "%s: no %s",
	              row->name, row->code);
}

START_TEST(ends)
{
	static const struct kr_manager_options options = {0};
	static char root[] = "/", unit[] = UNIT;
	const struct row *row = &rows[_i];
	struct healthz healthz = {0};
	char port[32];
	const char *const argv[] = {"kubelet", port};
	struct kr_node node = {
		.root = root,
		.unit_name = unit,
		.disk.start = KR_START_COMMAND,
	};
	struct kr_loaded_unit loaded = {.id = unit};
	struct kr_host host = {.node = &node, .loaded = &loaded};
	struct kr_settling s = {
		.host = &host,
		.wait_usec = WAIT,
		.watch_usec = WATCH,
		.again_and_again = row->again_and_again,
	};
	struct kr_diag diag = {0};
	struct kr_fake_manager *fake;
	enum kr_settled end;

	healthz_begin(&healthz, row->ok_msec);
	snprintf(port, sizeof(port), "--healthz-port=%u", healthz.port);
	ck_assert_int_eq(kr_flags_parse(argv, 2, &node.disk.inputs.flags), 0);
	node.proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fake = kr_fake_manager_new(UNIT, NULL, NULL);
	kr_fake_manager_play(fake, steps, prepare_steps(row));
	kr_fake_manager_set(fake, &units[STEPS]);
	ck_assert_int_eq(kr_manager_open(&options, &diag, &host.manager), 0);
	ck_assert_int_eq(kr_settling_begin(&s, &diag), 0);
	ck_assert_int_eq(kr_settling_run(&s, &diag, &end), 0);
	check_end(row, &s, &diag, end);
	/* all that systemd says of a unit costs both sides a millisecond */
	if (end == KR_SETTLED && row->unit == &first && !row->steps[0].at_msec)
		ck_assert_uint_eq(kr_fake_manager_calls(fake, "GetAll"), 1);
	kr_settling_done(&s);
	kr_manager_free(host.manager);
	kr_fake_manager_free(fake);
	kr_flags_done(&node.disk.inputs.flags);
	close(node.proc_fd);
	healthz_end(&healthz);
	kr_diag_done(&diag);
}
END_TEST

static void add(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "settle", NULL, NULL);

	tcase_add_loop_test(tc, ends, 0, ARRAY_SIZE(rows));
}

KR_TEST_MAIN(add);
