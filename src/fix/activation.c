/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From files to a running kubelet.
 *
 *   reset-failed   the start limit would refuse our restart
 *   restart        our own job's JobRemoved, under a deadline
 *   settle         one GetAll every 200 ms, healthz beside it
 *
 * For Type=simple the job is "done" even when kubelet dies 300 ms later, and a
 * kubelet that does not like its configuration may die only some 6 s after its
 * start (validation behind the runtime's probes). So success is: the same new
 * InvocationID, MainPID and NRestarts from the first look until SETTLE after
 * the process's start, active all the time, healthz ok at the end. Failure is
 * told at once: a unit that is failed, inactive or waiting for its automatic
 * restart, or another process than before.
 *
 * A slow node is no broken one. Only a look that began when the time was over
 * can say that kubelet is not healthy, not one that we were stopped behind; a
 * kubelet that was healthy may be silent for a while; and on the way back,
 * where to give up would help nobody, it has BACK at least.
 *
 * Somebody else may restart it meanwhile: an operator, a path unit that watches
 * the file we have just written, the restart of a unit that it is bound to.
 * That says nothing about kubelet, and the new process has to settle instead,
 * within the same time. systemd counts the restarts that it makes itself, and
 * begins with 0 when it is asked for one.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/format.h"
#include "fix/activation.h"
#include "fix/health.h"

#define SETTLE_USEC      (8 * KR_USEC_PER_SEC)
#define LOOK_USEC        (200 * KR_USEC_PER_MSEC)
#define HEALTHZ_USEC     KR_USEC_PER_SEC
#define BACK_USEC        (60 * KR_USEC_PER_SEC)
#define TIMEOUT_CAP_USEC (600 * KR_USEC_PER_SEC)
#define JOB_SLACK_USEC   (5 * KR_USEC_PER_SEC)

int kr_actions_add(struct kr_actions *actions, const char *action,
                   const char *result, uint64_t since_usec)
{
	struct kr_action *grown = reallocarray(
		actions->actions, actions->n_actions + 1, sizeof(*grown));
	char *copy = strdup(result);

	if (grown)
		actions->actions = grown;
	if (!grown || !copy) {
		free(copy);
		return -ENOMEM;
	}
	grown[actions->n_actions++] = (struct kr_action){
		.action = action,
		.result = copy,
		.seconds = (double)(kr_now_usec() - since_usec) /
	                   (double)KR_USEC_PER_SEC,
	};
	return 0;
}

void kr_actions_done(struct kr_actions *actions)
{
	for (size_t i = 0; i < actions->n_actions; i++)
		free(actions->actions[i].result);
	free(actions->actions);
	*actions = (struct kr_actions){0};
}

static int fail(struct kr_activation *act, const char *format, ...)
	_printf_(2, 3);

static int fail(struct kr_activation *act, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = kr_vformat(&act->failure, format, args);
	va_end(args);
	return r < 0 ? r : -EHOSTDOWN;
}

int kr_activation_reload(struct kr_host *host, struct kr_actions *actions,
                         struct kr_diag *diag)
{
	uint64_t since = kr_now_usec();
	int r = kr_manager_reload(host->manager, diag);
	int added = kr_actions_add(actions, "reload",
	                           r < 0 ? strerror(-r) : "done", since);

	return r < 0 ? r : added;
}

/* --- the job ------------------------------------------------------------- */

struct waiting {
	struct kr_activation *act;
	const char *what;
	uint64_t since_usec, limit_usec;
};

static int tick(void *closure)
{
	const struct waiting *w = closure;

	if (!w->act->tick)
		return 0;
	return w->act->tick(w->act->closure, w->what,
	                    kr_now_usec() - w->since_usec, w->limit_usec);
}

static uint64_t capped(uint64_t usec, uint64_t cap)
{
	return usec < cap ? usec : cap;
}

/* How the main process ended, in systemctl's words. */
static void describe_end(const struct kr_loaded_unit *u, char *ret, size_t size)
{
	if (u->exec_main_code == CLD_EXITED)
		snprintf(ret, size, "exit status %d", u->exec_main_status);
	else if (u->exec_main_code == CLD_KILLED ||
	         u->exec_main_code == CLD_DUMPED)
		snprintf(ret, size, "killed by signal %d (%s)",
		         u->exec_main_status,
		         sigabbrev_np(u->exec_main_status)
		                 ? sigabbrev_np(u->exec_main_status)
		                 : "?");
	else
		snprintf(ret, size, "result %s", u->result);
}

static bool is_lost(int error)
{
	return error == -ECONNRESET || error == -ENOTCONN || error == -EPIPE ||
	       error == -ESHUTDOWN;
}

/* A bus that was restarted meanwhile is opened anew, once. */
static int look(struct kr_host *host, struct kr_diag *diag,
                struct kr_loaded_unit **ret)
{
	_cleanup_diag_ struct kr_diag lost = {0};
	struct kr_loaded_unit *unit = NULL;
	int r = kr_manager_get_unit(host->manager, host->node->unit_name, &lost,
	                            &unit);

	if (is_lost(r)) {
		r = kr_host_reconnect(host, diag);
		if (r == 0)
			r = kr_manager_get_unit(host->manager,
			                        host->node->unit_name, diag,
			                        &unit);
	} else {
		kr_diag_merge(diag, &lost);
	}
	if (r < 0)
		return r;
	kr_loaded_unit_free(*ret);
	*ret = unit;
	return 0;
}

static int job_failed(struct kr_host *host, struct kr_activation *act,
                      enum kr_job_result result, struct kr_diag *diag)
{
	_cleanup_loaded_unit_ struct kr_loaded_unit *unit = NULL;
	char how[64];
	int r = look(host, diag, &unit);

	if (r < 0)
		return r;
	describe_end(unit, how, sizeof(how));
	return fail(act, "the start job of %s ended with '%s' (%s)",
	            host->node->unit_name, kr_job_result_to_string(result),
	            how);
}

/* What systemd may take for the job. */
static uint64_t job_limit(const struct kr_host *host, uint64_t wait_usec)
{
	return capped(host->loaded->timeout_stop_usec, TIMEOUT_CAP_USEC) +
	       capped(host->loaded->timeout_start_usec, wait_usec) +
	       JOB_SLACK_USEC;
}

/* How long kubelet may take to be healthy. */
static uint64_t patience_usec(const struct kr_activation *act)
{
	return act->back && act->wait_usec < BACK_USEC ? BACK_USEC
	                                               : act->wait_usec;
}

uint64_t kr_activation_limit_usec(const struct kr_host *host,
                                  uint64_t wait_usec)
{
	return job_limit(host, wait_usec) + wait_usec;
}

/* systemd did not take the wish: kubelet is as it was. */
static bool is_refusal(int error)
{
	return error == -EACCES || error == -EPERM || error == -ENOENT ||
	       error == -EBADMSG || error == -ERFKILL || error == -EINVAL ||
	       error == -EOPNOTSUPP || error == -EDEADLK ||
	       error == -ECANCELED || error == -EBADR;
}

static int run_job(struct kr_host *host, struct kr_activation *act,
                   struct kr_actions *actions, struct kr_diag *diag)
{
	uint64_t since = kr_now_usec();
	uint64_t limit = job_limit(host, patience_usec(act));
	struct waiting w = {act, "the restart", since, limit};
	const struct kr_manager_wait wait = {
		.deadline_usec = since + limit,
		.tick = tick,
		.closure = &w,
	};
	enum kr_job_result result = KR_JOB_OTHER;
	int r = kr_manager_reset_failed(host->manager, host->node->unit_name,
	                                diag);

	if (r == 0)
		r = kr_manager_restart(host->manager, host->node->unit_name,
		                       &wait, diag, &result);
	act->asked = !is_refusal(r);
	if (r == -ETIMEDOUT)
		r = fail(act, "the restart of %s did not end within %llu s",
		         host->node->unit_name,
		         (unsigned long long)(limit / KR_USEC_PER_SEC));
	else if (r == 0 && result != KR_JOB_DONE)
		r = job_failed(host, act, result, diag);
	if (kr_actions_add(actions, "restart",
	                   act->failure ? act->failure
	                   : r < 0      ? strerror(-r)
	                                : "done",
	                   since) < 0)
		return -ENOMEM;
	return r;
}

/* --- settling ------------------------------------------------------------ */

struct settling {
	struct kr_host *host;
	struct kr_activation *act;
	struct kr_loaded_unit *unit; /* as it was last seen */
	char invocation_id[KR_INVOCATION_ID_SIZE];
	pid_t main_pid;
	unsigned n_restarts;
	uint64_t start_usec; /* of the process, monotonic */
	struct kr_health_probe probe;
	bool healthy;
	uint64_t healthy_usec; /* when it was that last; 0: never */
	char *why;             /* not healthy */
};

static void settling_done(struct settling *s)
{
	kr_loaded_unit_free(s->unit);
	free(s->why);
}

static int ended(struct settling *s)
{
	char how[64];

	describe_end(s->unit, how, sizeof(how));
	return fail(s->act, "kubelet ended after %.1f s (%s)",
	            (double)(kr_now_usec() - s->start_usec) / KR_USEC_PER_SEC,
	            how);
}

static struct kr_invocation invocation(const struct kr_loaded_unit *u)
{
	struct kr_invocation inv = {.pid = u->main_pid};

	strlcpy(inv.id, u->invocation_id, sizeof(inv.id));
	return inv;
}

/* The first look after the job: what must stay as it is from here on. */
static int first_look(struct settling *s)
{
	const struct kr_loaded_unit *u = s->unit;

	strlcpy(s->invocation_id, u->invocation_id, sizeof(s->invocation_id));
	s->main_pid = u->main_pid;
	s->act->new = invocation(u);
	s->n_restarts = u->n_restarts;
	s->start_usec = u->started_monotonic_usec ? u->started_monotonic_usec
	                                          : kr_now_usec();
	if (u->main_pid > 0)
		kr_health_probe_find(s->host->node,
		                     s->host->node->disk.inputs_valid
		                             ? &s->host->node->disk.inputs
		                             : NULL,
		                     u->main_pid, &s->probe);
	return 0;
}

/* -EHOSTDOWN where the unit shows that kubelet is gone. */
static int check_unit(struct settling *s)
{
	const struct kr_loaded_unit *u = s->unit;

	if (strcmp(u->active_state, "active") != 0 || u->main_pid == 0) {
		if (u->exited_realtime_usec > 0 || u->exec_main_code != 0)
			return ended(s);
		return fail(s->act, "%s is %s (%s) after the restart",
		            s->host->node->unit_name, u->active_state,
		            u->sub_state);
	}
	if (u->main_pid != s->main_pid || u->n_restarts != s->n_restarts ||
	    strcmp(u->invocation_id, s->invocation_id) != 0)
		return fail(s->act,
		            "kubelet ended and systemd started it again");
	return 0;
}

/* It is stopped, or started, because somebody has asked for that. */
static bool is_being_restarted(const struct settling *s)
{
	const struct kr_loaded_unit *u = s->unit;

	return u->job_id != 0 && strcmp(u->active_state, "active") != 0 &&
	       u->n_restarts <= s->n_restarts;
}

static bool was_restarted_by_others(const struct settling *s)
{
	const struct kr_loaded_unit *u = s->unit;
	bool counted_anew = u->n_restarts == 0 || u->n_restarts < s->n_restarts;

	return strcmp(u->active_state, "active") == 0 && u->main_pid > 0 &&
	       *s->invocation_id && counted_anew &&
	       strcmp(u->invocation_id, s->invocation_id) != 0;
}

/* 1: there is no process to be judged. */
static int check_others(struct settling *s, struct kr_diag *diag)
{
	bool restarted = was_restarted_by_others(s);

	if (!restarted && !is_being_restarted(s))
		return 0;
	s->healthy = false;
	s->healthy_usec = 0;
	free(s->why);
	s->why = strdup("it was restarted by somebody else");
	if (!s->why)
		return -ENOMEM;
	if (!restarted)
		return 1;
	kr_diag_add(diag, KR_NOTE, "restarted-by-others", KR_SPAN_NONE,
	            "somebody else restarted kubelet meanwhile: that one is "
	            "waited for");
	return first_look(s);
}

static int check_health(struct settling *s)
{
	char *why = NULL;
	int r = kr_health_probe_ask(&s->probe, HEALTHZ_USEC, &why);

	if (r < 0)
		return r;
	s->healthy = r == 1;
	if (s->healthy)
		s->healthy_usec = kr_now_usec();
	free(s->why);
	s->why = why;
	return 0;
}

static int check_argv(struct settling *s, struct kr_diag *diag)
{
	_cleanup_process_ struct kr_process p = {.root_fd = -1};
	const struct kr_activation *act = s->act;
	int first, r;

	if (!act->argv || s->host->node->proc_fd < 0)
		return 0;
	r = kr_process_read(s->host->node->proc_fd, s->main_pid, diag, &p);
	if (r == -ESRCH)
		return ended(s);
	if (r < 0)
		return r;
	first = kr_process_kubelet_word((const char *const *)p.argv, p.argc);
	if (first < 0)
		first = 0;
	if (p.argc - (size_t)first != act->argc)
		return fail(s->act,
		            "kubelet runs with %zu arguments, %zu were planned",
		            p.argc - (size_t)first - 1, act->argc - 1);
	for (size_t i = 1; i < act->argc; i++) {
		if (strcmp(p.argv[(size_t)first + i], act->argv[i]) != 0)
			return fail(s->act,
			            "kubelet runs with the argument '%s' "
			            "where '%s' was planned",
			            p.argv[(size_t)first + i], act->argv[i]);
	}
	return 0;
}

static bool has_settled(const struct settling *s, uint64_t usec)
{
	return kr_now_usec() - s->start_usec >= usec;
}

/* One look; 1: settled, 0: not yet. */
static int settle_step(struct settling *s, bool first, struct kr_diag *diag)
{
	int r = look(s->host, diag, &s->unit);

	if (r < 0)
		return r;
	if (first)
		r = first_look(s);
	if (r == 0)
		r = check_others(s, diag);
	if (r == 1)
		return 0;
	if (r == 0)
		r = check_unit(s);
	if (r == 0)
		r = check_health(s);
	if (r < 0)
		return r;
	return s->healthy && has_settled(s, SETTLE_USEC);
}

/* When a look must begin to be the last one, if kubelet is not healthy then. */
static uint64_t end_usec(const struct settling *s, uint64_t since_usec)
{
	uint64_t end = since_usec + patience_usec(s->act);
	uint64_t silent = s->healthy_usec ? s->healthy_usec + SETTLE_USEC : 0;

	return silent > end ? silent : end;
}

static int settle(struct kr_host *host, struct kr_activation *act,
                  struct kr_diag *diag)
{
	_cleanup_(settling_done) struct settling s = {.host = host, .act = act};
	uint64_t since = kr_now_usec();
	struct waiting w = {act, "kubelet to be healthy", since,
	                    patience_usec(act)};
	bool first = true;

	for (;;) {
		uint64_t looked = kr_now_usec();
		int r = settle_step(&s, first, diag);

		if (r == 1)
			return check_argv(&s, diag);
		if (r == 0)
			r = tick(&w);
		if (r < 0)
			return r;
		first = false;
		if (s.healthy && kr_now_usec() - since >= act->wait_usec &&
		    has_settled(&s, capped(act->wait_usec, SETTLE_USEC)))
			return check_argv(&s, diag);
		if (!s.healthy && looked >= end_usec(&s, since))
			return fail(act,
			            "kubelet is not healthy after %llu s: "
			            "%s",
			            (unsigned long long)((looked - since) /
			                                 KR_USEC_PER_SEC),
			            s.why ? s.why : "it gives no answer");
		kr_pause_usec(LOOK_USEC);
	}
}

int kr_activation_restart(struct kr_host *host, struct kr_activation *act,
                          struct kr_actions *actions, struct kr_diag *diag)
{
	uint64_t since;
	int r;

	free(act->failure);
	act->failure = NULL;
	act->asked = false;
	act->asked_usec = kr_realtime_usec();
	act->old = invocation(host->loaded);
	act->new = (struct kr_invocation){0};
	r = run_job(host, act, actions, diag);
	if (r < 0)
		return r;
	since = act->since_usec = kr_now_usec();
	r = settle(host, act, diag);
	if (kr_actions_add(actions, "settle",
	                   act->failure ? act->failure
	                   : r < 0      ? strerror(-r)
	                                : "healthy",
	                   since) < 0)
		return -ENOMEM;
	return r;
}
