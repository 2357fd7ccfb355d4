/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From written files to a kubelet that runs on them, or back.
 *
 *   Reload ── restart ── settled? ── proved, where that is asked? ── done
 *      │         │           │ no       │ no
 *      │         │ refused   └──────────┴─ files back ── Reload ── restart ──
 * 5, │ refused └── files back ── Reload ── kubelet is untouched: 4     or 6 └──
 * files back ── kubelet is untouched: 4
 *
 * Where others stops kubelet meanwhile, or the system goes down, that is
 * a wish: files back, Reload, nothing is started: 4.
 *
 * A systemd that does not answer is no unhealthy kubelet. What cannot be
 * asked of systemd is asked of kubelet itself; as long as that is healthy the
 * end is neither 5 nor 6.
 *
 * The record says that the files were put back when kubelet has them, not
 * before: who finds us killed in between (the timer) must see to kubelet.
 *
 * A signal is asked about between the steps; before the restart it sends only
 * the files back. kubelet is restarted on the old files only if it was on the
 * new ones. A right change is never put back because of a kubelet that was not
 * healthy before it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "fix/apply.h"
#include "host/health.h"
#include "host/rewriters.h"

static int end_broken(struct kr_applying *f, const char *why)
{
	if (!f->fix->transaction[0])
		return kr_apply_end(f, KR_OUTCOME_BROKEN, "%s", why);
	return kr_apply_end(f, KR_OUTCOME_BROKEN,
	                    "%s; the old files are kept in %s/%s", why,
	                    KR_STATE_DIR, f->fix->transaction);
}

/* --- the way back -------------------------------------------------------- */

/* REASON NULL: no kubelet disliked the change, it may be tried again; WHY it is
 * put back then. As kr_transaction_revert(); -ENOMEM. */
static int revert(struct kr_applying *f, const char *reason, const char *why)
{
	uint64_t since;
	int r;

	if (!f->tx)
		return KR_CHANGE_DONE;
	if (reason && f->blamed)
		kr_transaction_blame(f->tx, f->blamed->name, f->diag);
	if (!reason)
		kr_transaction_note_why(f->tx, why);
	f->disliked = reason;
	since = kr_actions_begin(&f->fix->actions, "put-back");
	r = kr_transaction_revert(f->tx, reason, f->diag);
	if (r == KR_CHANGE_TAKEN)
		return r;
	if (kr_actions_add(&f->fix->actions, "put-back",
	                   r == KR_CHANGE_STUCK ? "not all of it" : "done",
	                   since) < 0)
		return -ENOMEM;
	return r;
}

/* While systemd reloads. */
struct reloading {
	struct kr_applying *f;
	uint64_t since_usec;
};

static int tick_reload(void *closure)
{
	const struct reloading *w = closure;

	return kr_apply_tick_on(w->f, "the reload",
	                        kr_now_usec() - w->since_usec, 0);
}

/* A signal is answered meanwhile, and heeded behind it. */
static int reload(struct kr_applying *f)
{
	struct kr_manager *manager = f->fix->host->manager;
	struct reloading w = {f, kr_now_usec()};
	int r;

	if (!f->fix->reloads || !kr_apply_can_restart(f))
		return 0;
	kr_manager_set_patience(manager, 0, tick_reload, &w);
	r = kr_activation_reload(f->fix->host, &f->fix->actions, f->diag);
	kr_manager_set_patience(manager, 0, NULL, NULL);
	return r;
}

/* Everything goes back, for WHY: said at once, and once. */
static void tell_back(struct kr_applying *f, const char *why)
{
	if (!f->back_told)
		kr_actions_say(&f->fix->actions, "%s: %s", why,
		               f->tx ? "putting the old files back"
		                     : "restarting kubelet once more");
	f->back_told = true;
	kr_actions_answer(&f->fix->actions, KR_APPLY_ON_THE_WAY_BACK);
}

/* The same for a signal, which was answered when it came. */
static void tell_interrupted(struct kr_applying *f)
{
	f->back_told = true;
	tell_back(f, "");
}

/*
 * The files go back, and what systemd has read; kubelet is left alone. WHY is
 * the first half of the sentence, WHAT its last. DISLIKED: why the change is
 * not to be tried again; NULL: it may be.
 */
static int back_without_restart(struct kr_applying *f, enum kr_outcome outcome,
                                const char *disliked, const char *why,
                                const char *what)
{
	int r, reloaded;

	if (f->tx)
		tell_back(f, why);
	r = revert(f, disliked, why);
	if (r < 0)
		return r;
	if (r == KR_CHANGE_TAKEN || !kr_apply_is_mine(f))
		return KR_STEP_TAKEN;
	reloaded = reload(f);
	if (r == KR_CHANGE_STUCK)
		return end_broken(f, "not all files could be put back");
	if (f->tx)
		kr_transaction_reverted(f->tx, f->diag);
	if (reloaded < 0)
		kr_diag_add(f->diag, KR_WARNING, "reload-owed", KR_SPAN_NONE,
		            "systemd could not be asked to read %s again "
		            "(systemctl daemon-reload)",
		            kr_apply_node(f)->unit_name);
	return kr_apply_end(f, outcome, "%s; %s", why, what);
}

static int back_untouched(struct kr_applying *f, enum kr_outcome outcome,
                          const char *why)
{
	return back_without_restart(
		f, outcome, NULL, why,
		f->tx ? "the files were put back, kubelet is untouched"
		      : "kubelet is untouched");
}

bool kr_apply_is_rewritten(struct kr_applying *f)
{
	return !kr_apply_is_as_planned(f, false) ||
	       f->fix->after->changed.n_items > 0 ||
	       (f->tx && kr_transaction_find_foreign(f->tx));
}

/* kubelet is healthy, and what was written decides nothing: others were at it.
 */
int kr_apply_end_rewritten(struct kr_applying *f)
{
	const char *path = f->tx ? kr_transaction_find_foreign(f->tx) : NULL;
	const char *when = f->fix->restarts ? "while kubelet was being started"
	                                    : "meanwhile";
	_cleanup_free_ char *why = NULL;
	int r;

	if (path)
		r = kr_format(&why, "%s was rewritten %s", path, when);
	else
		r = kr_format(&why, "others changed kubelet's files %s: %s",
		              when, f->fix->after->reason);
	if (r < 0)
		return r;
	if (!f->fix->restarts)
		return back_without_restart(
			f, KR_OUTCOME_FAILED, NULL, why,
			"what was left of the change was put back");
	kr_rewriters_name(f->fix->host_after, f->forward.asked_usec, f->diag);
	return back_without_restart(f, KR_OUTCOME_FAILED, why, why,
	                            "what was left of the change was put back, "
	                            "kubelet was not restarted again");
}

static int check_rewritten(struct kr_applying *f)
{
	int r = kr_apply_audit_again(f);

	if (r == -ENOMEM)
		return r;
	if (r < 0 || !kr_apply_is_rewritten(f))
		return KR_STEP_GO_ON;
	return kr_apply_end_rewritten(f);
}

/* Whether others have started kubelet again since it was stopped. */
static bool was_started_again(struct kr_applying *f)
{
	_cleanup_loaded_unit_ struct kr_loaded_unit *unit = NULL;
	_cleanup_diag_ struct kr_diag ignored = {0};
	struct kr_host *host = f->fix->host;

	return kr_manager_get_unit(host->manager, kr_host_unit(host), &ignored,
	                           &unit) == 0 &&
	       unit->main_pid > 0;
}

/* Others stopped kubelet, or the system goes down. */
static int back_stopped(struct kr_applying *f)
{
	static const char why[] = "others stopped kubelet meanwhile, or "
				  "the system is shutting down";

	if (was_started_again(f))
		return back_without_restart(
			f, KR_OUTCOME_FAILED, NULL,
			"others stopped kubelet meanwhile and started "
			"it "
			"again",
			f->tx ? "the files were put back: kubelet may run with "
				"the new ones until it is restarted"
			      : "kubelet was left alone");
	return back_without_restart(
		f, KR_OUTCOME_FAILED, NULL, why,
		f->tx ? "the files were put back, this run did not start "
			"kubelet again"
		      : "this run did not start kubelet again");
}

/* What else the restart has applied, which may be what kubelet does not bear.
 */
static int end_broken_kubelet(struct kr_applying *f)
{
	const struct kr_audit *before = f->fix->before;
	_cleanup_free_ char *why = NULL;
	int r;

	r = kr_format(&why, "kubelet is not healthy, %s",
	              f->tx ? "neither with the new files nor with the old "
	                      "ones"
	                    : "no file was changed");
	if (r < 0)
		return r;
	if (before->changed.n_items > 0)
		r = kr_format(&why,
		              "%s; the restart also applied %s%s, changed "
		              "after kubelet had started",
		              why, before->changed.items[0],
		              before->changed.n_items > 1 ? " and others" : "");
	return r < 0 ? r : end_broken(f, why);
}

static bool runs(const struct kr_node *node, pid_t pid, uint64_t start_ticks)
{
	uint64_t ticks;

	return pid > 0 && kr_process_start(node->proc_fd, pid, &ticks) == 0 &&
	       ticks == start_ticks;
}

/* The kubelet that was followed, or that ran before, and still does; 0:
 * neither.
 */
static pid_t known_process(struct kr_applying *f)
{
	const struct kr_settling *s = &f->forward.settling;
	const struct kr_node *node = kr_apply_node(f);

	if (runs(node, s->pid, s->start_ticks))
		return s->pid;
	if (node->has_process &&
	    runs(node, node->process.pid, node->process.start_ticks))
		return node->process.pid;
	return 0;
}

/* systemd has not said what became of the restart. */
static int end_unanswered(struct kr_applying *f, int error)
{
	_cleanup_health_report_ struct kr_health_report report = {0};
	int r;

	r = kr_host_health_without_systemd(f->fix->host, known_process(f),
	                                   &report);
	if (r < 0)
		return r;
	if (report.state == KR_HEALTH_BAD)
		return end_broken_kubelet(f);
	/* the record stays as it is: the timer, or the next run, goes on */
	f->owes_restart = true;
	return kr_apply_end(f, KR_OUTCOME_FAILED,
	                    "systemd could not be made to restart kubelet "
	                    "(%s): the files were put back, but kubelet, which "
	                    "is healthy, may run with the new ones until it is "
	                    "restarted",
	                    strerror(-error));
}

/* systemd takes no wish of that kind any more. */
static bool is_shutdown(int error)
{
	return error == -ECANCELED || error == -EDEADLK;
}

/* kubelet is on the old files again, and well. */
static int end_back(struct kr_applying *f, const char *why)
{
	if (!f->tx)
		return kr_apply_end(f, KR_OUTCOME_ROLLED_BACK,
		                    "%s; kubelet is healthy again", why);
	kr_transaction_reverted(f->tx, f->diag);
	if (kr_transaction_n_foreign(f->tx) == 0)
		return kr_apply_end(f, KR_OUTCOME_ROLLED_BACK,
		                    "%s; everything was put back and kubelet "
		                    "is healthy again",
		                    why);
	return kr_apply_end(f, KR_OUTCOME_FAILED,
	                    "%s; what was left of the change was put back, "
	                    "what others have written meanwhile stays, and "
	                    "kubelet is healthy again",
	                    why);
}

/*
 * kubelet was restarted, and is again, on the old files. AGAIN: no kubelet
 * disliked the change. FAILED: the restart that kubelet did not survive, NULL:
 * it did.
 */
static int back_with_restart(struct kr_applying *f, const char *why, bool again,
                             const struct kr_activation *failed)
{
	_cleanup_activation_ struct kr_activation act = {
		.settling = {.host = f->fix->host,
	                     .wait_usec = f->options->wait_usec,
	                     .tick = kr_apply_tick_on,
	                     .closure = f},
		.back = true,
	};
	enum kr_settled end = KR_SETTLED_NOT;
	int reverted, r;

	tell_back(f, failed && *failed->settling.ended ? failed->settling.ended
	                                               : why);
	reverted = revert(f, again ? NULL : why, why);
	kr_apply_forget_live(f);
	if (reverted < 0)
		return reverted;
	if (reverted == KR_CHANGE_TAKEN || !kr_apply_is_mine(f))
		return KR_STEP_TAKEN;
	r = reload(f);
	if (!kr_apply_is_mine(f))
		return KR_STEP_TAKEN;
	kr_apply_begin_phase(f, true);
	if (r >= 0)
		r = kr_activation_restart(&act, &f->fix->actions, f->diag,
		                          &end);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		kr_diag_add(f->diag, KR_ERROR, "broken", KR_SPAN_NONE,
		            "kubelet could not be restarted once more: %s",
		            strerror(-r));
	else if (end == KR_SETTLED_NOT)
		kr_diag_add(f->diag, KR_ERROR, "broken", KR_SPAN_NONE,
		            "kubelet is not healthy after it was restarted "
		            "once more: %s",
		            act.settling.failure);
	if (failed)
		kr_apply_want_log(f, failed, &act);
	if (reverted == KR_CHANGE_STUCK)
		return end_broken(f, "not all files could be put back");
	if (r < 0 && is_shutdown(r))
		return back_stopped(f);
	if (r < 0)
		return end_unanswered(f, r);
	if (end == KR_SETTLED_STOPPED)
		return back_stopped(f);
	if (end == KR_SETTLED)
		return end_back(f, why);
	if (f->tx)
		kr_transaction_reverted(f->tx, f->diag);
	if (act.settling.unwatched)
		return kr_apply_end(
			f, KR_OUTCOME_FAILED,
			"%s; everything was put back and kubelet "
			"runs, but others restart it again and "
			"again: it could not be watched long enough",
			why);
	return end_broken_kubelet(f);
}

/* --- forward ------------------------------------------------------------- */

/* A kubelet that was not healthy before has no say. WELL: it is now. */
static int end_unhealthy_before(struct kr_applying *f, const char *failure,
                                bool well)
{
	f->stays = true;
	kr_diag_add(f->diag, KR_WARNING, "unhealthy-before", KR_SPAN_NONE,
	            "kubelet was not healthy before the change%s: the change "
	            "stays",
	            well ? "" : " either");
	if (f->was_invalid || well)
		return end_broken(f, failure);
	return kr_apply_end(f, f->undo ? KR_OUTCOME_BROKEN : KR_OUTCOME_FIXED,
	                    "the files are %s, but kubelet is still not "
	                    "healthy: %s",
	                    f->undo ? "as they were before the fix" : "correct",
	                    failure);
}

/* kubelet runs and is healthy, but does not prove what it should. */
static int failed_proof(struct kr_applying *f, const char *failure,
                        bool otherwise)
{
	if (!f->was_healthy)
		return end_unhealthy_before(f, failure, true);
	if (!f->tx) /* a restart more would change nothing */
		return kr_apply_end(f, KR_OUTCOME_ROLLED_BACK,
		                    "%s; no file was changed, kubelet is "
		                    "healthy",
		                    failure);
	if (f->options->no_rollback) {
		f->stays = true;
		return end_broken(f, failure);
	}
	return back_with_restart(f, failure, !otherwise, NULL);
}

/* kubelet was restarted and is not healthy. */
static int failed_restart(struct kr_applying *f)
{
	const struct kr_settling *s = &f->forward.settling;

	kr_apply_want_log(f, &f->forward, NULL);
	if (!f->was_healthy)
		return end_unhealthy_before(f, s->failure, false);
	if (f->options->no_rollback) {
		f->stays = true;
		return end_broken(f, s->failure);
	}
	return back_with_restart(f, s->failure, s->by_others, &f->forward);
}

/* The kubelet that ran before the restart was asked for still does, and is
 * healthy. */
static int is_untouched(struct kr_applying *f, bool *ret)
{
	_cleanup_health_report_ struct kr_health_report report = {0};
	const struct kr_node *node = kr_apply_node(f);
	int r;

	*ret = false;
	if (!node->has_process ||
	    !runs(node, node->process.pid, node->process.start_ticks))
		return 0;
	r = kr_host_health_without_systemd(f->fix->host, node->process.pid,
	                                   &report);
	*ret = report.state != KR_HEALTH_BAD;
	return r;
}

/* No restart, or an unknown one. */
static int failed_call(struct kr_applying *f, int error)
{
	const struct kr_activation *act = &f->forward;
	bool untouched;
	int r;

	if (error == -EINTR) {
		tell_interrupted(f);
		kr_apply_want_log(f, act, NULL);
		return back_with_restart(
			f, "interrupted while kubelet was being restarted",
			true, act);
	}
	if (!act->asked)
		return back_untouched(f, KR_OUTCOME_FAILED, strerror(-error));
	r = is_untouched(f, &untouched);
	if (r < 0)
		return r;
	if (untouched)
		return back_untouched(f, KR_OUTCOME_FAILED,
		                      "systemd did not restart kubelet and "
		                      "does not answer");
	return back_with_restart(f, strerror(-error), true, act);
}

/* What healthz does not tell, in this order. */
static int (*const proofs[])(struct kr_applying *, uint64_t, char **) = {
	kr_apply_prove_live,
	kr_apply_prove_ports,
};

static int prove(struct kr_applying *f)
{
	uint64_t deadline = f->forward.since_usec + f->options->wait_usec;
	_cleanup_free_ char *failure = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(proofs); i++) {
		int r = proofs[i](f, deadline, &failure);

		if (r == -ENOMEM)
			return r;
		if (r < 0)
			return failed_call(f, r);
		if (r != KR_PROOF_GOOD)
			return failed_proof(f, failure, r == KR_PROOF_BAD);
	}
	return KR_STEP_GO_ON;
}

/* What came of a restart, or of one look more. */
static int judge_end(struct kr_applying *f, int error, enum kr_settled end)
{
	if (error == -ENOMEM)
		return error;
	if (error < 0)
		return failed_call(f, error);
	switch (end) {
	case KR_SETTLED:
		return prove(f);
	case KR_SETTLED_STOPPED:
		return back_stopped(f);
	default:
		break;
	}
	/* other arguments may be what others have written meanwhile */
	if (f->forward.settling.other_words) {
		int r = check_rewritten(f);

		if (r != KR_STEP_GO_ON)
			return r;
	}
	return failed_restart(f);
}

/* The timer's time begins with each process that has to settle. */
static void rearm(void *closure)
{
	struct kr_applying *f = closure;

	kr_watchdog_rearm(&f->watchdog, f->fix->host);
}

static int tick(void *closure, const char *what, uint64_t passed_usec,
                uint64_t limit_usec)
{
	const struct kr_applying *f = closure;

	if (!f->options->tick)
		return 0;
	return f->options->tick(f->options->closure, what, passed_usec,
	                        limit_usec);
}

static int restart(struct kr_applying *f)
{
	const struct kr_inputs *planned = kr_apply_planned(f);
	enum kr_settled end = KR_SETTLED_NOT;
	int r;

	kr_activation_done(&f->forward);
	f->forward = (struct kr_activation){
		.settling = {.host = f->fix->host,
	                     .wait_usec = f->options->wait_usec,
	                     .argv = planned->argv,
	                     .argc = planned->argc,
	                     .tick = tick,
	                     .begins_again = rearm,
	                     .closure = f},
	};
	r = kr_activation_restart(&f->forward, &f->fix->actions, f->diag, &end);
	if (!kr_apply_is_mine(f))
		return KR_STEP_TAKEN;
	return judge_end(f, r, end);
}

int kr_apply_settle_again(struct kr_applying *f)
{
	enum kr_settled end = KR_SETTLED_NOT;
	int r;

	r = kr_activation_go_on(&f->forward, &f->fix->actions, f->diag, &end);
	if (!kr_apply_is_mine(f))
		return KR_STEP_TAKEN;
	return judge_end(f, r, end);
}

static int back_interrupted(struct kr_applying *f)
{
	tell_interrupted(f);
	return back_untouched(f, KR_OUTCOME_ROLLED_BACK, "interrupted");
}

int kr_apply_activate(struct kr_applying *f)
{
	int r;

	if (kr_apply_interrupted(f) < 0)
		return back_interrupted(f);
	if (!kr_apply_is_mine(f))
		return KR_STEP_TAKEN;
	r = reload(f);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return back_untouched(f, KR_OUTCOME_FAILED,
		                      "systemd could not be asked to read the "
		                      "unit again");
	if (kr_apply_interrupted(f) < 0)
		return back_interrupted(f);
	if (!kr_apply_is_mine(f))
		return KR_STEP_TAKEN;
	kr_apply_begin_phase(f, false);
	return f->fix->restarts ? restart(f) : KR_STEP_GO_ON;
}

int kr_apply_heed(struct kr_applying *f)
{
	if (kr_apply_interrupted(f) < 0)
		return f->fix->restarts ? failed_call(f, -EINTR)
		                        : back_interrupted(f);
	kr_actions_answer(&f->fix->actions, NULL);
	return KR_STEP_GO_ON;
}

int kr_apply_give_up(struct kr_applying *f, const char *why)
{
	if (f->fix->restarts)
		return back_with_restart(f, why, true, NULL);
	return back_untouched(f, KR_OUTCOME_FAILED, why);
}
