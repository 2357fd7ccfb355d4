/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From written files to a kubelet that runs on them, or back.
 *
 *   Reload ── restart ── settled? ── configz says so, where asked? ── done
 *      │         │           │ no       │ no
 *      │         │ refused   └──────────┴─ files back ── Reload ── restart ──
 * 5, │ refused └── files back ── Reload ── kubelet is untouched: 4     or 6 └──
 * files back ── kubelet is untouched: 4
 *
 * The record says that the files were put back when kubelet has them, not
 * before: who finds us killed in between (the timer) must see to kubelet.
 *
 * A signal is asked about between the steps; before the restart it sends only
 * the files back. kubelet is restarted on the old files only if it was on the
 * new ones. A right change is never put back because of a kubelet that was not
 * well before it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fix/apply.h"
#include "fix/health.h"

int kr_apply_interrupted(struct kr_applying *f)
{
	if (!f->options->tick)
		return 0;
	return f->options->tick(f->options->closure, "", 0, 0);
}

const struct kr_inputs *kr_apply_planned(struct kr_applying *f)
{
	return f->fix->plan->after ? &f->fix->plan->after->disk.inputs
	                           : &kr_apply_node(f)->disk.inputs;
}

static int end_broken(struct kr_applying *f, const char *why)
{
	if (!f->fix->transaction[0])
		return kr_apply_end(f, KR_OUTCOME_BROKEN, "%s", why);
	return kr_apply_end(f, KR_OUTCOME_BROKEN,
	                    "%s; the old files are kept in %s/%s", why,
	                    KR_STATE_DIR, f->fix->transaction);
}

/* --- the way back -------------------------------------------------------- */

/* REASON NULL: nobody disliked the change, it may be tried again. 0; -EIO: not
 * all files are back; -ENOMEM. */
static int revert(struct kr_applying *f, const char *reason)
{
	uint64_t since = kr_now_usec();
	int r;

	if (!f->tx)
		return 0;
	r = kr_transaction_revert(f->tx, reason, f->diag);
	if (kr_actions_add(&f->fix->actions, "put-back",
	                   r < 0 ? "not all of it" : "done", since) < 0)
		return -ENOMEM;
	return r < 0 ? -EIO : 0;
}

static int reload(struct kr_applying *f)
{
	if (!f->fix->reloads || !kr_apply_can_restart(f))
		return 0;
	return kr_activation_reload(f->fix->host, &f->fix->actions, f->diag);
}

/* kubelet was not touched: the files go back, and what systemd has read. */
static int back_without_restart(struct kr_applying *f, enum kr_outcome outcome,
                                const char *why)
{
	int r = revert(f, NULL), reloaded;

	if (r == -ENOMEM)
		return r;
	reloaded = reload(f);
	if (r < 0)
		return end_broken(f, "not all files could be put back");
	if (f->tx)
		kr_transaction_reverted(f->tx, f->diag);
	if (reloaded < 0)
		kr_diag_add(f->diag, KR_WARNING, "reload-owed", KR_SPAN_NONE,
		            "systemd could not be told to read %s anew",
		            kr_apply_node(f)->unit_name);
	return kr_apply_end(f, outcome, "%s; %skubelet is untouched", why,
	                    f->tx ? "the files were put back, " : "");
}

/*
 * kubelet was restarted, and is again, on the old files. FAILED: the restart
 * that kubelet did not survive, NULL: it did.
 */
static int back_with_restart(struct kr_applying *f, const char *why, bool again,
                             const struct kr_activation *failed)
{
	struct kr_activation act = {.wait_usec = f->options->wait_usec,
	                            .back = true};
	int reverted = revert(f, again ? NULL : why), r;

	kr_live_forget(&f->live, "not asked after everything was put back");
	if (reverted == -ENOMEM)
		return reverted;
	r = reload(f);
	kr_watchdog_rearm(&f->watchdog, f->fix->host);
	if (r == 0)
		r = kr_activation_restart(f->fix->host, &act, &f->fix->actions,
		                          f->diag);
	if (r < 0)
		kr_diag_add(f->diag, KR_ERROR, "broken", KR_SPAN_NONE,
		            "kubelet is not healthy after it was restarted "
		            "once more: %s",
		            act.failure ? act.failure : strerror(-r));
	free(act.failure);
	if (failed)
		kr_apply_want_log(f, failed, &act);
	if (reverted < 0)
		return end_broken(f, "not all files could be put back");
	if (f->tx)
		kr_transaction_reverted(f->tx, f->diag);
	if (r < 0)
		return end_broken(
			f, f->tx ? "kubelet is not healthy, neither with the "
				   "new files nor with the old ones"
				 : "kubelet is not healthy, no file was "
				   "changed");
	return kr_apply_end(f, KR_OUTCOME_ROLLED_BACK,
	                    "%s; %skubelet is healthy again", why,
	                    f->tx ? "everything was put back and " : "");
}

/* --- forward ------------------------------------------------------------- */

/* One that was not well before has no say. WELL: it is now. */
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
	return kr_apply_end(f, KR_OUTCOME_CHANGED,
	                    "the files are right now, but kubelet is still "
	                    "not healthy: %s",
	                    failure);
}

/* kubelet runs and is well, but configz does not say what it should. */
static int failed_proof(struct kr_applying *f, const char *failure, int error)
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
	return back_with_restart(f, failure, error != -EHOSTDOWN, NULL);
}

static int failed_restart(struct kr_applying *f, struct kr_activation *act,
                          int error)
{
	const char *failure =
		act->failure      ? act->failure
		: error == -EINTR ? "interrupted while kubelet was restarted"
				  : strerror(-error);

	if (!act->asked)
		return back_without_restart(f, KR_OUTCOME_FAILED, failure);
	kr_apply_want_log(f, act, NULL);
	if (error == -EINTR)
		return back_with_restart(f, failure, true, act);
	if (!f->was_healthy)
		return end_unhealthy_before(f, failure, false);
	if (f->options->no_rollback) {
		f->stays = true;
		return end_broken(f, failure);
	}
	return back_with_restart(f, failure, error != -EHOSTDOWN, act);
}

static int restart(struct kr_applying *f)
{
	const struct kr_inputs *planned = kr_apply_planned(f);
	struct kr_activation act = {
		.wait_usec = f->options->wait_usec,
		.argv = planned->argv,
		.argc = planned->argc,
		.tick = f->options->tick,
		.closure = f->options->closure,
	};
	_cleanup_free_ char *failure = NULL;
	int r = kr_activation_restart(f->fix->host, &act, &f->fix->actions,
	                              f->diag);

	if (r == 0)
		r = kr_apply_prove_live(f, act.since_usec + act.wait_usec,
		                        &failure);
	if (r < 0 && failure)
		r = failed_proof(f, failure, r);
	else if (r < 0 && r != -ENOMEM)
		r = failed_restart(f, &act, r);
	free(act.failure);
	return r;
}

int kr_apply_activate(struct kr_applying *f)
{
	int r;

	if (kr_apply_interrupted(f) < 0)
		return back_without_restart(f, KR_OUTCOME_ROLLED_BACK,
		                            "interrupted");
	r = reload(f);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return back_without_restart(f, KR_OUTCOME_FAILED,
		                            "systemd could not be told to read "
		                            "the unit anew");
	if (kr_apply_interrupted(f) < 0)
		return back_without_restart(f, KR_OUTCOME_ROLLED_BACK,
		                            "interrupted");
	kr_watchdog_rearm(&f->watchdog, f->fix->host);
	return f->fix->restarts ? restart(f) : 0;
}

int kr_apply_give_up(struct kr_applying *f, const char *why)
{
	if (f->fix->restarts)
		return back_with_restart(f, why, true, NULL);
	return back_without_restart(f, KR_OUTCOME_FAILED, why);
}
