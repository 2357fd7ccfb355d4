/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From files to a running kubelet.
 *
 *   reset-failed   the start limit would refuse our restart
 *   restart        our own job's JobRemoved, under a deadline
 *   settle         until kubelet has proved that it is healthy (host/settle)
 *
 * kubelet's unit is watched from before the restart, so that a job of
 * others that takes the place of ours is seen. One that restarts kubelet, too,
 * ends ours as "canceled": what it starts is waited for.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "host/activation.h"
#include "host/figures.h"

uint64_t kr_actions_begin(const struct kr_actions *actions, const char *action)
{
	const struct kr_teller *t = actions->teller;

	if (t)
		t->begins(t->closure, action);
	return kr_now_usec();
}

void kr_actions_say(const struct kr_actions *actions, const char *format, ...)
{
	const struct kr_teller *t = actions->teller;
	_cleanup_free_ char *text = NULL;
	va_list args;
	int r;

	if (!t)
		return;
	va_start(args, format);
	r = kr_vformat(&text, format, args);
	va_end(args);
	if (r >= 0)
		t->says(t->closure, text);
}

void kr_actions_answer(const struct kr_actions *actions, const char *text)
{
	const struct kr_teller *t = actions->teller;

	if (t)
		t->answers(t->closure, text);
}

int kr_actions_add(struct kr_actions *actions, const char *action,
                   const char *result, uint64_t since_usec)
{
	struct kr_action *next =
		KR_VEC_NEXT(actions->actions, actions->n_actions);
	char *copy = strdup(result);

	if (!next || !copy) {
		free(copy);
		return -ENOMEM;
	}
	actions->n_actions++;
	*next = (struct kr_action){
		.action = action,
		.result = copy,
		.seconds = (double)(kr_now_usec() - since_usec) /
	                   (double)KR_USEC_PER_SEC,
	};
	if (actions->teller)
		actions->teller->ends(actions->teller->closure, next);
	return 0;
}

void kr_actions_done(struct kr_actions *actions)
{
	for (size_t i = 0; i < actions->n_actions; i++)
		free(actions->actions[i].result);
	free(actions->actions);
	*actions = (struct kr_actions){0};
}

int kr_activation_reload(struct kr_host *host, struct kr_actions *actions,
                         struct kr_diag *diag)
{
	uint64_t since = kr_actions_begin(actions, "reload");
	int r = kr_manager_reload(host->manager, diag);
	int added = kr_actions_add(actions, "reload",
	                           r < 0 ? strerror(-r) : "done", since);

	return r < 0 ? r : added;
}

/* --- the job ------------------------------------------------------------- */

struct job_wait {
	struct kr_activation *act;
	uint64_t since_usec, limit_usec;
	uint64_t start_usec; /* of the new process; 0: not seen yet */
	bool too_slow;
};

/* For Type=notify the job runs until kubelet is healthy, for as long as the
 * unit allows: --wait counts from the process' start all the same. */
static int check_start(struct job_wait *w)
{
	_cleanup_diag_ struct kr_diag ignored = {0};
	struct kr_settling *s = &w->act->settling;
	pid_t pid;
	int r;

	r = kr_unit_watch_peek(s->watch, &ignored, &pid);
	if (r < 0)
		return r == -ETIMEDOUT ? 0 : r;
	if (r > 0 && pid > 0 && pid != w->act->old.pid)
		w->start_usec = kr_now_usec();
	if (w->start_usec == 0 || kr_now_usec() < w->start_usec + s->wait_usec)
		return 0;
	w->too_slow = true;
	return -ETIME;
}

static int tick(void *closure)
{
	struct job_wait *w = closure;
	const struct kr_settling *s = &w->act->settling;
	int r = 0;

	if (s->tick)
		r = s->tick(s->closure, "the restart",
		            kr_now_usec() - w->since_usec, w->limit_usec);
	return r < 0 ? r : check_start(w);
}

static uint64_t capped(uint64_t usec, uint64_t cap)
{
	return usec < cap ? usec : cap;
}

/* What systemd may take for the job. */
static uint64_t job_limit(const struct kr_host *host, uint64_t wait_usec)
{
	return capped(host->loaded->timeout_stop_usec, KR_TIMEOUT_CAP_USEC) +
	       capped(host->loaded->timeout_start_usec, wait_usec) +
	       KR_JOB_SLACK_USEC;
}

/* What the process takes to settle, if it is asked as the one of now is. */
static uint64_t settle_limit(const struct kr_host *host)
{
	struct kr_health_probe probe;

	kr_health_probe_find(host->node, kr_node_inputs(host->node),
	                     host->loaded->main_pid, &probe);
	return probe.why_not ? KR_SETTLED_UNASKED_USEC : KR_SETTLED_USEC;
}

uint64_t kr_activation_limit_usec(const struct kr_host *host,
                                  uint64_t wait_usec)
{
	return job_limit(host, wait_usec) + wait_usec + settle_limit(host) +
	       KR_PROOF_USEC;
}

/* systemd did not take the wish: kubelet is as it was. */
static bool is_refusal(int error)
{
	return error == -EACCES || error == -EPERM || error == -ENOENT ||
	       error == -EBADMSG || error == -ERFKILL || error == -EINVAL ||
	       error == -EOPNOTSUPP || error == -EDEADLK ||
	       error == -ECANCELED || error == -EBADR;
}

/* The job did not end as "done". */
static int judge_job(struct kr_activation *act, enum kr_job_result result,
                     struct kr_diag *diag, enum kr_settled *ret)
{
	_cleanup_loaded_unit_ struct kr_loaded_unit *unit = NULL;
	struct kr_settling *s = &act->settling;
	int r;

	/* what others asked for took its place: it shows what that was */
	if (result == KR_JOB_CANCELED)
		return kr_settling_run(s, diag, ret);
	r = kr_unit_watch_look(s->watch, diag, &unit);
	if (r < 0)
		return r;
	if (kr_unit_watch_saw_stop(s->watch)) {
		*ret = KR_SETTLED_STOPPED;
		return 0;
	}
	/* nor has kubelet said anything against it */
	if (kr_settling_was_killed(unit))
		return kr_settling_run(s, diag, ret);
	s->invocation.pid = unit->main_pid;
	strlcpy(s->invocation.id, unit->invocation_id,
	        sizeof(s->invocation.id));
	*ret = KR_SETTLED_NOT;
	return kr_format(&s->failure,
	                 "the start job of %s ended with '%s' (result %s)",
	                 s->host->node->unit_name,
	                 kr_job_result_to_string(result), unit->result);
}

enum job {
	JOB_DONE,   /* what it has started has to settle */
	JOB_JUDGED, /* it is said how kubelet ended */
};

/* R is what came of saying it. */
static int judged(int r)
{
	return r < 0 ? r : JOB_JUDGED;
}

/* An enum job, JUDGED in *RET; or an errno. */
static int run_job(struct kr_activation *act, struct kr_diag *diag,
                   enum kr_settled *ret)
{
	struct kr_settling *s = &act->settling;
	const char *unit = s->host->node->unit_name;
	uint64_t since = kr_now_usec();
	uint64_t limit = job_limit(s->host, s->wait_usec);
	struct job_wait w = {act, since, limit};
	const struct kr_manager_wait wait = {
		.deadline_usec = since + limit,
		.tick = tick,
		.closure = &w,
	};
	enum kr_job_result result = KR_JOB_OTHER;
	int r;

	r = kr_manager_reset_failed(s->host->manager, unit, diag);
	if (r < 0)
		return r;
	r = kr_manager_restart(s->host->manager, unit, &wait, diag, &result);
	act->asked = !is_refusal(r);
	if (r == -ETIME && w.too_slow) {
		*ret = KR_SETTLED_NOT;
		s->too_slow = true;
		return judged(kr_format(
			&s->failure,
			"kubelet is not healthy after %llu s (--wait), "
			"and still runs: it may be starting",
			(unsigned long long)(s->wait_usec / KR_USEC_PER_SEC)));
	}
	if (r == -ETIMEDOUT && kr_diag_find(diag, "job-timeout")) {
		*ret = KR_SETTLED_NOT;
		return judged(kr_format(
			&s->failure,
			"the restart of %s did not end within %llu s", unit,
			(unsigned long long)(limit / KR_USEC_PER_SEC)));
	}
	if (r < 0)
		return r;
	if (result == KR_JOB_DONE)
		return JOB_DONE;
	return judged(judge_job(act, result, diag, ret));
}

/* --- the whole ----------------------------------------------------------- */

static int add_action(struct kr_activation *act, struct kr_actions *actions,
                      const char *action, int error, const char *result,
                      uint64_t since_usec)
{
	if (act->settling.failure)
		result = act->settling.failure;
	else if (error < 0)
		result = strerror(-error);
	return kr_actions_add(actions, action, result, since_usec);
}

int kr_activation_go_on(struct kr_activation *act, struct kr_actions *actions,
                        struct kr_diag *diag, enum kr_settled *ret)
{
	static const char *const results[] = {
		[KR_SETTLED] = "healthy",
		[KR_SETTLED_NOT] = "not healthy",
		[KR_SETTLED_STOPPED] = "stopped by others",
	};
	uint64_t since = kr_now_usec();
	int r = kr_settling_run(&act->settling, diag, ret);
	int added = add_action(act, actions, "settle", r, results[*ret], since);

	return r < 0 ? r : added;
}

int kr_activation_restart(struct kr_activation *act, struct kr_actions *actions,
                          struct kr_diag *diag, enum kr_settled *ret)
{
	struct kr_settling *s = &act->settling;
	uint64_t since = kr_actions_begin(actions, "restart");
	int r, added;

	if (act->back && s->wait_usec < KR_BACK_USEC)
		s->wait_usec = KR_BACK_USEC;
	s->again_and_again = act->back;
	act->asked = false;
	act->asked_usec = kr_realtime_usec();
	act->old.pid = s->host->loaded->main_pid;
	strlcpy(act->old.id, s->host->loaded->invocation_id,
	        sizeof(act->old.id));
	r = kr_settling_begin(s, diag);
	if (r < 0)
		return r;
	r = run_job(act, diag, ret);
	added = add_action(act, actions, "restart", r,
	                   r == JOB_DONE ? "done" : "not done", since);
	if (r != JOB_DONE || added < 0)
		return r < 0 ? r : added;
	act->since_usec = kr_now_usec();
	return kr_activation_go_on(act, actions, diag, ret);
}

void kr_activation_done(struct kr_activation *act)
{
	kr_settling_done(&act->settling);
}
