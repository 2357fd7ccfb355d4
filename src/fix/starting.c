/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A kubelet that is on its way up or down is neither healthy nor ill. Every
 * kubelet is so for 6 to 13 s after each boot and restart, which is when
 * bootstrap scripts and handlers run: to judge it then would leave it on the
 * old value for ever. So it is waited for, until it has settled or has ended;
 * then everything is read again.
 *
 *   on its way      activating, deactivating, reloading; a job at work; a
 *                   process younger than the wait that is not yet healthy, or
 *                   that systemd has just started again by itself
 *   not waited for  disk is invalid, and we correct it: it cannot come up;
 *                   automatic restart: it does not come up;
 *                   its start job waits: a unit that is ordered before it runs,
 *                   perhaps ours, and the two would wait for each other;
 *                   we run in kubelet's own unit, as its ExecStartPre= does
 *
 * A preview waits for nothing and says what it has seen; --restart=never has no
 * need to know.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fix/apply.h"
#include "host/figures.h"

static bool is_in_transition(const struct kr_loaded_unit *u)
{
	return strcmp(u->active_state, "activating") == 0 ||
	       strcmp(u->active_state, "deactivating") == 0 ||
	       strcmp(u->active_state, "reloading") == 0;
}

static uint64_t age_usec(const struct kr_loaded_unit *u)
{
	uint64_t now = kr_now_usec();

	return now > u->started_monotonic_usec ? now - u->started_monotonic_usec
	                                       : 0;
}

/* systemd has started it again, not long ago: one ok is no proof that this was
 * the last time. */
static bool is_in_a_loop(const struct kr_applying *f, uint64_t age_usec)
{
	const struct kr_loaded_unit *u = f->fix->host->loaded;

	return u->n_restarts > 0 && age_usec < KR_SETTLED_UNASKED_USEC &&
	       strcmp(u->invocation_id, f->settled_id) != 0;
}

/* What settles it, for a process that cannot be asked, is time. */
static int is_young(struct kr_applying *f, bool *ret)
{
	_cleanup_health_report_ struct kr_health_report report = {0};
	const struct kr_loaded_unit *u = f->fix->host->loaded;
	uint64_t age = age_usec(u);
	int r;

	*ret = false;
	if (strcmp(u->active_state, "active") != 0 || u->main_pid == 0 ||
	    (age >= f->options->wait_usec && age >= KR_SETTLED_UNASKED_USEC))
		return 0;
	r = kr_host_health(f->fix->host, &report);
	if (r < 0)
		return r;
	if (report.state == KR_HEALTH_UNASKED) /* and settles in time */
		*ret = age < KR_SETTLED_UNASKED_USEC &&
		       age + f->options->wait_usec >= KR_SETTLED_UNASKED_USEC;
	else if (report.state == KR_HEALTH_GOOD)
		*ret = is_in_a_loop(f, age);
	else
		*ret = age < f->options->wait_usec;
	return 0;
}

/* Whether kubelet is on its way; JOB is what systemd does with it. */
static int is_on_its_way(struct kr_applying *f, enum kr_job_state job,
                         bool *ret)
{
	const struct kr_loaded_unit *u = f->fix->host->loaded;

	*ret = false;
	if (strncmp(u->sub_state, "auto-restart", 12) == 0)
		return 0;
	if (job == KR_JOB_RUNS || is_in_transition(u)) {
		*ret = true;
		return 0;
	}
	return is_young(f, ret);
}

/* Our own control group is that of kubelet's unit. Below a root our pid is
 * another one than systemd's, and no container's processes are kubelet's. */
int kr_apply_is_in_unit(struct kr_applying *f, bool *ret)
{
	_cleanup_free_ char *unit = NULL;
	_cleanup_diag_ struct kr_diag ignored = {0};
	const struct kr_node *node = kr_apply_node(f);
	int r;

	*ret = false;
	if (strcmp(node->root, "/") != 0)
		return 0;
	r = kr_manager_unit_of_pid(f->fix->host->manager, getpid(), &ignored,
	                           &unit);
	*ret = r >= 0 && strcmp(unit, kr_host_unit(f->fix->host)) == 0;
	return r == -ENOMEM ? r : 0;
}

static bool is_failing(const struct kr_judgement *j)
{
	return j->rule->n_fields > 0 && j->disk.answer != KR_ANSWER_PASS;
}

static bool may_restart(struct kr_applying *f)
{
	const struct kr_audit *before = f->fix->before;
	const struct kr_plan *plan = f->fix->plan;

	if (kr_apply_cures(f))
		return false;
	if (f->options->restart == KR_RESTART_ALWAYS ||
	    kr_apply_find(f, before, kr_judgement_runs_wrong))
		return true;
	if (!plan)
		return kr_apply_find(f, before, is_failing);
	return plan->edits.n_files > 0 && !kr_edits_in_place(&plan->edits);
}

static int settle(struct kr_applying *f, uint64_t wait_usec)
{
	_cleanup_settling_ struct kr_settling s = {
		.host = f->fix->host,
		.wait_usec = wait_usec,
		.tick = f->options->tick,
		.closure = f->options->closure,
	};
	uint64_t since = kr_now_usec();
	enum kr_settled end = KR_SETTLED_NOT;
	int r;

	r = kr_settling_begin(&s, f->diag);
	if (r >= 0)
		r = kr_settling_run(&s, f->diag, &end);
	f->waited_usec += kr_now_usec() - since;
	if (r < 0)
		return r;
	if (end == KR_SETTLED)
		strlcpy(f->settled_id, s.invocation.id, sizeof(f->settled_id));
	return kr_actions_add(&f->fix->actions, "starting",
	                      end == KR_SETTLED ? "kubelet is healthy"
	                      : s.failure       ? s.failure
	                                        : "kubelet was stopped",
	                      since);
}

int kr_apply_wait_starting(struct kr_applying *f)
{
	struct kr_host *host = f->fix->host;
	enum kr_job_state job;
	bool on_its_way, in_unit;
	int r;

	if (f->options->restart == KR_RESTART_NEVER ||
	    !kr_apply_can_restart(f) ||
	    (f->fix->plan && f->fix->plan->unconfigured))
		return KR_STEP_GO_ON;
	/* what systemd does not say now it will be asked again */
	r = kr_manager_job_state(host->manager, host->loaded, NULL, &job);
	if (r < 0)
		return r == -ENOMEM ? r : KR_STEP_GO_ON;
	f->starts_later = job == KR_JOB_START_WAITS;
	if (f->starts_later || !may_restart(f) ||
	    f->waited_usec >= f->options->wait_usec)
		return KR_STEP_GO_ON;
	/* it has died meanwhile, and systemd tries again */
	if (f->waited_usec > 0 && host->loaded->n_restarts > f->n_restarts)
		return KR_STEP_GO_ON;
	f->n_restarts = host->loaded->n_restarts;
	r = is_on_its_way(f, job, &on_its_way);
	if (r < 0 || !on_its_way)
		return r == -ENOMEM ? r : KR_STEP_GO_ON;
	r = kr_apply_is_in_unit(f, &in_unit);
	if (r < 0 || in_unit)
		return r;
	if (f->options->dry_run &&
	    strcmp(f->fix->host->loaded->active_state, "deactivating") == 0)
		return KR_STEP_GO_ON;
	if (f->options->dry_run && f->fix->starting)
		return KR_STEP_GO_ON;
	if (f->options->dry_run) {
		f->fix->starting = true;
		kr_diag_add(f->diag, KR_NOTE, "starting", KR_SPAN_NONE,
		            "kubelet is starting: fix waits for it, for %llu s "
		            "at most, before it goes on",
		            (unsigned long long)(f->options->wait_usec /
		                                 KR_USEC_PER_SEC));
		return KR_STEP_GO_ON;
	}
	r = settle(f, f->options->wait_usec - f->waited_usec);
	if (r >= 0)
		return KR_STEP_AGAIN;
	if (r == -ENOMEM)
		return r;
	if (r == -EINTR)
		return kr_apply_end_interrupted(f);
	return kr_apply_end(f, KR_OUTCOME_FAILED,
	                    "systemd does not answer before anything was "
	                    "changed");
}
