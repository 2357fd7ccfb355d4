/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Calls one function of systemd/manager, systemd/journal or host/healthz and
 * prints what came of it, one NAME=VALUE a line: what the tests that need a
 * real systemd drive.
 *
 *   probe-manager [--root=DIR] [--timeout-ms=N] [--deadline-ms=N] [--raise=N]
 *                 [--for-ms=N [--again]] VERB [ARGUMENT]...
 *
 * --raise=N: the tick gives -EINTR when it is called for the Nth time.
 * --for-ms=N: the verb is repeated for that time, each with its own lines and
 * its r=; --again: each over a new connection.
 * Exit status: 0, or 1 where the function failed, or 2 for wrong usage.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "systemd/bus.h"
#include "systemd/journal.h"
#include "systemd/manager.h"
#include "systemd/transient.h"

struct probe {
	struct kr_manager_options options;
	struct kr_manager_wait wait;
	struct kr_manager *manager;
	struct kr_diag diag;
	unsigned n_ticks, raise, n_timers;
	uint64_t deadline_usec, for_usec;
	bool again;
};

static int on_tick(void *closure)
{
	struct probe *probe = closure;

	return ++probe->n_ticks == probe->raise ? -EINTR : 0;
}

static void print_list(const char *name, char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%s=%s\n", name, list[i]);
}

static void print_unit(const struct kr_loaded_unit *u)
{
	printf("id=%s\nload=%s\nactive=%s\nsub=%s\nresult=%s\ntype=%s\n", u->id,
	       u->load_state, u->active_state, u->sub_state, u->result,
	       u->type);
	printf("load_error=%s\nfragment=%s\ncgroup=%s\n",
	       u->load_error ? u->load_error : "", u->fragment_path,
	       u->control_group);
	print_list("dropin", u->dropin_paths, u->n_dropin_paths);
	print_list("environment", u->environment, u->n_environment);
	print_list("environment_file", u->environment_files,
	           u->n_environment_files);
	for (size_t i = 0; i < u->n_commands; i++) {
		printf("command=");
		for (char **arg = u->commands[i]; *arg; arg++)
			printf("[%s]", *arg);
		printf("\n");
	}
	printf("need_daemon_reload=%d\nmain_pid=%d\nn_restarts=%u\n",
	       u->need_daemon_reload, (int)u->main_pid, u->n_restarts);
	printf("invocation_id=%s\n", u->invocation_id);
	printf("started=%ju\nstarted_monotonic=%ju\nexited=%ju\n",
	       (uintmax_t)u->started_realtime_usec,
	       (uintmax_t)u->started_monotonic_usec,
	       (uintmax_t)u->exited_realtime_usec);
	printf("changed=%ju\nentered=%ju\nleft=%ju\n",
	       (uintmax_t)u->state_change_usec, (uintmax_t)u->active_enter_usec,
	       (uintmax_t)u->inactive_enter_usec);
	printf("exit_code=%d\nexit_status=%d\n", u->exec_main_code,
	       u->exec_main_status);
	printf("timeout_start=%ju\ntimeout_stop=%ju\n",
	       (uintmax_t)u->timeout_start_usec,
	       (uintmax_t)u->timeout_stop_usec);
}

static int do_open(struct probe *probe, char **args)
{
	printf("version=%u\n", kr_manager_version(probe->manager));
	return 0;
}

static int do_environment(struct probe *probe, char **args)
{
	const char *const *environment;
	int r;

	r = kr_manager_environment(probe->manager, &probe->diag, &environment);
	for (size_t i = 0; r >= 0 && environment[i]; i++)
		printf("environment=%s\n", environment[i]);
	return r;
}

static int do_active(struct probe *probe, char **args)
{
	const char *const *active;
	int r;

	r = kr_manager_active_units(probe->manager, (const char *const *)args,
	                            &probe->diag, &active);
	for (size_t i = 0; r >= 0 && active[i]; i++)
		printf("active=%s\n", active[i]);
	return r;
}

static int do_unit(struct probe *probe, char **args)
{
	_cleanup_loaded_unit_ struct kr_loaded_unit *unit = NULL;
	int r;

	r = kr_manager_get_unit(probe->manager, args[0], &probe->diag, &unit);
	if (r >= 0)
		print_unit(unit);
	return r;
}

static int do_pid(struct probe *probe, char **args)
{
	_cleanup_free_ char *unit = NULL;
	int r;

	r = kr_manager_unit_of_pid(probe->manager, (pid_t)atoi(args[0]),
	                           &probe->diag, &unit);
	if (r >= 0)
		printf("unit=%s\n", unit);
	return r;
}

static int do_enabled(struct probe *probe, char **args)
{
	int r = kr_manager_is_enabled(probe->manager, args[0], &probe->diag);

	if (r >= 0)
		printf("enabled=%d\n", r);
	return r < 0 ? r : 0;
}

static int do_reload(struct probe *probe, char **args)
{
	return kr_manager_reload(probe->manager, &probe->diag);
}

static int do_reset_failed(struct probe *probe, char **args)
{
	return kr_manager_reset_failed(probe->manager, args[0], &probe->diag);
}

static int do_job(struct probe *probe, char **args,
                  int (*verb)(struct kr_manager *, const char *,
                              const struct kr_manager_wait *, struct kr_diag *,
                              enum kr_job_result *))
{
	enum kr_job_result result;
	int r;

	r = verb(probe->manager, args[0], &probe->wait, &probe->diag, &result);
	if (r >= 0)
		printf("job=%s\n", kr_job_result_to_string(result));
	return r;
}

static int do_restart(struct probe *probe, char **args)
{
	return do_job(probe, args, kr_manager_restart);
}

static int do_stop(struct probe *probe, char **args)
{
	return do_job(probe, args, kr_manager_stop);
}

/* For a signal that never comes. */
static int do_listen(struct probe *probe, char **args)
{
	static const bool never;
	struct kr_bus *bus = kr_bus_of_manager(probe->manager);
	int r = kr_bus_subscribe(bus, &probe->wait, &probe->diag);

	/* as if this was another connection that has the name of the former */
	bus->subscribed = false;
	if (r >= 0)
		r = kr_bus_subscribe(bus, &probe->wait, &probe->diag);
	printf("listens=%d\n", r);
	fflush(stdout);
	return r < 0 ? r : kr_bus_wait(bus, &probe->wait, &never);
}

static int do_journal(struct probe *probe, char **args)
{
	_cleanup_log_ struct kr_log log = {0};
	const struct kr_journal_query query = {
		.root = probe->options.root,
		.unit = args[0],
		.n_max = (size_t)atoi(args[1]),
		.invocation_id = args[2],
	};
	int r;

	r = kr_journal_read(&query, &probe->diag, &log);
	for (size_t i = 0; r >= 0 && i < log.n_lines; i++)
		printf("line=%s[%s]: %s\n",
		       log.lines[i].identifier ? log.lines[i].identifier : "?",
		       log.lines[i].pid ? "pid" : "-", log.lines[i].text);
	return r;
}

static int do_sync(struct probe *probe, char **args)
{
	return kr_journal_sync(probe->options.root,
	                       (uint64_t)atoi(args[0]) * KR_USEC_PER_MSEC);
}

static int do_send(struct probe *probe, char **args)
{
	const struct kr_journal_field fields[] = {
		{"MESSAGE", args[0]},
		{"MESSAGE_ID", args[1]},
		{"UNIT", "probe.service"},
	};

	return kr_journal_send(fields, ARRAY_SIZE(fields));
}

static struct kr_transient transient(char **args)
{
	return (struct kr_transient){
		.name = args[0],
		.description = "a probe's",
		.folder = "/var/lib",
		.after_usec = (uint64_t)atoi(args[1]) * KR_USEC_PER_MSEC,
		.argv = (const char *const *)args + 2,
	};
}

static int do_arm(struct probe *probe, char **args)
{
	const struct kr_transient t = transient(args);

	return kr_transient_arm(probe->manager, &t, &probe->diag);
}

static int do_rearm(struct probe *probe, char **args)
{
	return kr_transient_rearm(probe->manager, args[0], &probe->diag);
}

static int do_disarm(struct probe *probe, char **args)
{
	return kr_transient_disarm(probe->manager, args[0], &probe->diag);
}

/* A timer from its beginning to its end, each time with a name of its own. */
static int do_timer(struct probe *probe, char **args)
{
	static const char *const argv[] = {"/bin/true", NULL};
	_cleanup_free_ char *name = NULL;
	struct kr_transient t = {
		.description = "a probe's",
		.after_usec = 600 * KR_USEC_PER_SEC,
		.argv = argv,
		.folder = "/var/lib",
	};
	int r;

	if (asprintf(&name, "%s-%u", args[0], probe->n_timers++) < 0)
		return -ENOMEM;
	t.name = name;
	r = kr_transient_arm(probe->manager, &t, &probe->diag);
	if (r >= 0)
		r = kr_transient_rearm(probe->manager, name, &probe->diag);
	if (r >= 0)
		r = kr_transient_disarm(probe->manager, name, &probe->diag);
	return r;
}

/* For at most the time that arm waits. */
static int do_once(struct probe *probe, char **args)
{
	const struct kr_transient t = transient(args);
	int status, r;

	r = kr_transient_run(probe->manager, &t, t.after_usec, &probe->diag,
	                     &status);
	if (r >= 0)
		printf("status=%d\n", status);
	return r;
}

static const struct verb {
	const char *name;
	int n_args;
	bool needs_bus;
	int (*run)(struct probe *probe, char **args);
} verbs[] = {
	{"open", 0, true, do_open},
	{"environment", 0, true, do_environment},
	{"active", 1, true, do_active},
	{"unit", 1, true, do_unit},
	{"pid", 1, true, do_pid},
	{"enabled", 1, true, do_enabled},
	{"reload", 0, true, do_reload},
	{"reset-failed", 1, true, do_reset_failed},
	{"restart", 1, true, do_restart},
	{"stop", 1, true, do_stop},
	{"listen", 0, true, do_listen},
	{"arm", 3, true, do_arm},
	{"rearm", 1, true, do_rearm},
	{"disarm", 1, true, do_disarm},
	{"timer", 1, true, do_timer},
	{"once", 3, true, do_once},
	{"journal", 2, false, do_journal},
	{"sync", 1, false, do_sync},
	{"send", 2, false, do_send},
};

static const struct verb *find(const char *name, int n_args)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].name, name) == 0 &&
		    n_args >= verbs[i].n_args)
			return &verbs[i];
	}
	return NULL;
}

static bool option(const char *arg, const char *name, const char **ret)
{
	size_t n = strlen(name);

	if (strncmp(arg, name, n) != 0)
		return false;
	*ret = arg + n;
	return true;
}

static uint64_t usec_of(const char *msec)
{
	return (uint64_t)atoi(msec) * KR_USEC_PER_MSEC;
}

static char **parse(struct probe *probe, char **args)
{
	const char *value;

	for (args++; *args && strncmp(*args, "--", 2) == 0; args++) {
		if (option(*args, "--root=", &value))
			probe->options.root = value;
		else if (option(*args, "--timeout-ms=", &value))
			probe->options.timeout_usec = usec_of(value);
		else if (option(*args, "--deadline-ms=", &value))
			probe->deadline_usec = usec_of(value);
		else if (option(*args, "--raise=", &value))
			probe->raise = (unsigned)atoi(value);
		else if (option(*args, "--for-ms=", &value))
			probe->for_usec = usec_of(value);
		else if (strcmp(*args, "--again") == 0)
			probe->again = true;
	}
	return args;
}

static int run_once(struct probe *probe, const struct verb *verb, char **args)
{
	int r = 0;

	probe->wait.deadline_usec = kr_now_usec() + probe->deadline_usec;
	if (probe->again) {
		kr_manager_free(probe->manager);
		probe->manager = NULL;
	}
	if (verb->needs_bus && !probe->manager)
		r = kr_manager_open(&probe->options, &probe->diag,
		                    &probe->manager);
	if (r >= 0)
		r = verb->run(probe, args);
	printf("r=%s\n", r < 0 ? strerrorname_np(-r) : "0");
	return r;
}

int main(int argc, char **argv)
{
	struct probe probe = {
		.options = {.tick = on_tick, .closure = &probe},
		.wait = {.tick = on_tick, .closure = &probe},
		.deadline_usec = 100 * KR_USEC_PER_SEC,
	};
	char **args = parse(&probe, argv);
	const struct verb *verb =
		find(args[0], (int)(argc - (args - argv)) - 1);
	uint64_t start = kr_now_usec();
	int r;

	if (!verb) {
		fprintf(stderr, "probe-manager: wrong usage\n");
		return 2;
	}
	do {
		r = run_once(&probe, verb, args + 1);
	} while (kr_now_usec() - start < probe.for_usec);
	printf("msec=%ju\nticks=%u\n",
	       (uintmax_t)((kr_now_usec() - start) / KR_USEC_PER_MSEC),
	       probe.n_ticks);
	for (size_t i = 0; i < probe.diag.n_messages; i++)
		printf("%s=%s %s\n",
		       kr_severity_to_string(probe.diag.messages[i].severity),
		       probe.diag.messages[i].code,
		       probe.diag.messages[i].text);
	kr_manager_free(probe.manager);
	kr_diag_done(&probe.diag);
	return r < 0 ? 1 : 0;
}
