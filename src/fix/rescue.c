/* SPDX-License-Identifier: Apache-2.0 */

/*
 * recover: the end of a run that was killed.
 *
 *   the lock ── held: a run is at work, and is waited for until the time
 *     │         that the record gives it; then it is ended, or passed
 *   a record that has not come to its end? ── no: confirmed, or put back
 *     │ yes
 *   the old files back (store/recover)
 *     │
 *   kubelet healthy, and older than the record? ── yes: it never saw them
 *     │ no
 *   Reload ── ResetFailedUnit, restart ── settled?
 *     │
 *   the record ends: a run that is killed before does it all again
 *
 * It is run without a terminal, so its result is for the journal.
 * That kubelet is healthy on the new files is no reason to keep them: the
 * run that would have looked at the rest of the proof is gone.
 *
 * The record tells which unit and which config file the run was asked to take.
 * A process that it was asked to take (--pid) is not asked for: kubelet is
 * another one by now, or is going to be.
 *
 * At boot it runs before kubelet's start, which waits for it: a restart would
 * wait for itself. So there it only reloads, where systemd has read the units
 * as the interrupted run had left them.
 *
 * A run that owns the record (store/owner) beyond its time is stuck: it
 * is stopped, or in a frozen control group, and kubelet may be dead meanwhile.
 * It gets SIGKILL, which needs no more than that it can be found (host/holder).
 * One that does not end (cgroup v1, a system call that hangs), or that we do
 * not see (another pid namespace), is passed: the record is taken away from it,
 * and all is done without the lock, so that it can do no harm when it goes on
 * (store/recover-file). Only a run is passed, not another recovery.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fix/apply.h"
#include "fix/rescue.h"
#include "host/figures.h"
#include "host/health.h"
#include "host/holder.h"
#include "host/program.h"
#include "store/lock.h"
#include "store/recover.h"

/* For an owner that does not say until when it is at work, one of an older
 * version: longer than any that still makes progress. */
#define UNTOLD_USEC (3600 * KR_USEC_PER_SEC)
/* A run that is slow is no reason to kill it at the very second; and one whose
 * record is at its end has little left to do. */
#define GRACE_USEC (5 * KR_USEC_PER_SEC)
/* What SIGKILL takes where it can end a process. */
#define KILL_USEC (5 * KR_USEC_PER_SEC)
/* How often the records are looked at meanwhile. */
#define LOOK_USEC KR_USEC_PER_SEC

/* The one of ID, or the last; NULL: none that is interrupted. */
static const struct kr_manifest *find(struct kr_fs *fs,
                                      const struct kr_manifests *list,
                                      const char *id)
{
	const struct kr_manifest *m;

	if (!id)
		return kr_recover_find(fs, list);
	m = kr_manifests_find(list, id);
	return m && kr_manifest_is_pending(m->state) ? m : NULL;
}

/* --- the lock ------------------------------------------------------------ */

enum waited {
	WAITED_ON,     /* it is not over */
	WAITED_LOCKED, /* the lock is ours */
	WAITED_PASSED, /* the process that has it does not end */
	WAITED_OVER,   /* he has it, but there is nothing to be reverted */
	WAITED_BUSY,   /* he has it, and can neither be ended nor passed */
};

struct waiting {
	struct kr_applying *a;
	const struct kr_node *node;
	const char *id; /* of the record; NULL: any */
	int lock_fd;
	uint64_t since_usec, looked_usec;
	uint64_t over_usec;   /* since when no record is pending; 0: one is */
	uint64_t killed_usec; /* when its owner was; 0: it was not */
	uint64_t told_usec;   /* the end that was said; 0: none */
	/* as it was seen last */
	struct kr_owner_seen owner;
	char pending[KR_TRANSACTION_ID_SIZE]; /* "": none */
};

/* It is run without a terminal: who looks into the journal sees why nothing
 * happens. */
static void tell(struct waiting *w, uint64_t until_usec)
{
	_cleanup_free_ char *text = NULL;
	char when[KR_RFC3339_SIZE];

	if (!w->node->live || w->told_usec == until_usec)
		return;
	w->told_usec = until_usec;
	kr_local_hour(kr_realtime_usec() + kr_left_usec(until_usec), when);
	if (asprintf(&text,
	             "recover: the run %s is at work: waiting for it until %s "
	             "at most",
	             w->pending, when) < 0) {
		text = NULL;
		return;
	}
	kr_journal_send(
		(const struct kr_journal_field[]){
			{"MESSAGE", text},
			{"PRIORITY", "6"},
			{"KUBELET_REMEDY_COMMAND", "recover"},
			{"KUBELET_REMEDY_TRANSACTION", w->pending},
		},
		4);
}

/* The record that is pending, and its owner. */
static int look(struct waiting *w)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_fs_ struct kr_fs *fs = NULL;
	_cleanup_close_ int folder_fd = -1;
	_cleanup_free_ char *path = NULL;
	const struct kr_manifest *m;
	int r = kr_fs_new(kr_fs_root_fd(w->node->fs), &fs);

	if (r < 0)
		return r;
	r = kr_manifests_read(fs, w->a->diag, &list);
	if (r < 0)
		return r;
	m = find(fs, &list, w->id);
	strlcpy(w->pending, m ? m->id : "", sizeof(w->pending));
	w->owner = (struct kr_owner_seen){0};
	if (!m)
		return 0;
	path = kr_path_join(KR_STATE_DIR, m->id);
	if (!path)
		return -ENOMEM;
	folder_fd = kr_fs_open_folder(fs, path);
	return folder_fd < 0 ? folder_fd : kr_owner_look(folder_fd, &w->owner);
}

/* Until when the lock is waited for. Where the owner is gone others have
 * it, and what the record says may be of another boot. */
static uint64_t until_usec(const struct waiting *w)
{
	uint64_t most = w->since_usec + (w->owner.there && !w->owner.lives
	                                         ? KR_OWNER_USEC
	                                         : UNTOLD_USEC);

	return w->owner.there && w->owner.until_usec < most
	               ? w->owner.until_usec
	               : most;
}

static void end_owner(struct waiting *w)
{
	struct kr_holder holder = {0};
	enum kr_killed killed = KR_KILLED_CANNOT;

	w->killed_usec = kr_now_usec();
	if (w->owner.lives &&
	    kr_holder_find(w->node->proc_fd, &w->owner.st, &holder) == 0)
		killed = kr_holder_kill(w->node->proc_fd, &holder);
	if (killed == KR_KILLED)
		kr_diag_add(w->a->diag, KR_WARNING, "run-ended", KR_SPAN_NONE,
		            "the run %s did not continue in time: its process "
		            "%d%s was ended",
		            w->pending, (int)holder.pid,
		            holder.stopped ? ", which was stopped," : "");
}

/* The owner is beyond its time: it is ended, and if that does not help
 * passed. */
static int go_past(struct waiting *w)
{
	if (w->killed_usec == 0) {
		end_owner(w);
		return WAITED_ON;
	}
	if (kr_now_usec() < w->killed_usec + KILL_USEC)
		return WAITED_ON;
	/* its version does not ask whether it may go on, or it uses the names
	 * that we do */
	if (w->owner.there && !(w->owner.lives && w->owner.recovers))
		return WAITED_PASSED;
	kr_diag_add_path(w->a->diag, KR_ERROR, "busy", KR_RUNTIME_DIR "/lock",
	                 "another run of this program has it, is stuck, and "
	                 "cannot be ended");
	return WAITED_BUSY;
}

/* An enum waited, or an errno, with words. */
static int judge(struct waiting *w)
{
	uint64_t now = kr_now_usec();
	int r;

	if (now < w->looked_usec + LOOK_USEC)
		return WAITED_ON;
	w->looked_usec = now;
	r = look(w);
	if (r < 0)
		return r;
	if (!*w->pending) {
		if (w->over_usec == 0)
			w->over_usec = now;
		return now < w->over_usec + GRACE_USEC ? WAITED_ON
		                                       : WAITED_OVER;
	}
	w->over_usec = 0;
	if (now < until_usec(w) + GRACE_USEC) {
		w->killed_usec = 0;
		tell(w, until_usec(w));
		return WAITED_ON;
	}
	return go_past(w);
}

static int ask_tick(struct waiting *w)
{
	const struct kr_fix_options *options = w->a->options;
	uint64_t end = until_usec(w);

	if (!options->tick)
		return 0;
	return options->tick(options->closure, "another run of this program",
	                     kr_now_usec() - w->since_usec,
	                     end > w->since_usec ? end - w->since_usec : 0);
}

/* An enum waited, what the tick gave, or an errno, with words. */
static int wait_for_lock(struct waiting *w)
{
	int r;

	w->since_usec = kr_now_usec();
	w->lock_fd = kr_lock_open(w->node->fs, w->a->diag);
	if (w->lock_fd < 0)
		return w->lock_fd;
	for (;;) {
		r = kr_lock_try(w->lock_fd, w->a->diag);
		if (r < 0)
			return r;
		if (r == KR_LOCK_OURS)
			return WAITED_LOCKED;
		r = judge(w);
		if (r != WAITED_ON)
			return r;
		r = ask_tick(w);
		if (r < 0)
			return r;
		kr_pause_usec(KR_LOCK_LOOK_USEC);
	}
}

/* --- kubelet ------------------------------------------------------------- */

static bool never_saw_it(const struct kr_host *host,
                         const struct kr_manifest *m, bool healthy)
{
	return healthy && !kr_host_is_newer(host, m);
}

/* Whether kubelet need not be restarted, as far as its process tells. */
static bool stays_without_systemd(const struct kr_applying *a,
                                  const struct kr_manifest *m)
{
	return a->options->restart == KR_RESTART_NEVER ||
	       (a->options->restart == KR_RESTART_AUTO &&
	        !kr_host_is_newer(a->fix->host, m));
}

static int restart(struct kr_applying *a)
{
	_cleanup_activation_ struct kr_activation act = {
		.settling = {.host = a->fix->host,
	                     .wait_usec = a->options->wait_usec,
	                     .watch_usec = KR_SETTLED_RECOVER_USEC,
	                     .tick = a->options->tick,
	                     .closure = a->options->closure},
		.back = true,
	};
	enum kr_settled end = KR_SETTLED_NOT;
	int r;

	r = kr_activation_restart(&act, &a->fix->actions, a->diag, &end);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		end = KR_SETTLED_NOT;
	if (end == KR_SETTLED)
		return KR_STEP_GO_ON;
	if (end == KR_SETTLED_STOPPED)
		return kr_apply_end(
			a, KR_OUTCOME_ROLLED_BACK,
			"the old files are back; others "
			"stopped kubelet, it was not started again");
	return kr_apply_end(a, KR_OUTCOME_BROKEN,
	                    "the old files are back, but kubelet is not "
	                    "healthy: %s",
	                    act.settling.failure ? act.settling.failure
	                                         : strerror(-r));
}

static int bring_back(struct kr_applying *a, const struct kr_manifest *m)
{
	struct kr_host *host = a->fix->host;
	enum kr_restart when = a->options->restart;
	_cleanup_health_report_ struct kr_health_report report = {0};
	int r = 0;

	if (!host->node->live)
		return KR_STEP_GO_ON;
	if (!host->manager || !host->loaded)
		return stays_without_systemd(a, m)
		               ? KR_STEP_GO_ON
		               : kr_apply_end(
					 a, KR_OUTCOME_BROKEN,
					 "the old files are back, but systemd "
					 "cannot be asked to restart kubelet");
	if (kr_node_reload_needed(host->node, NULL))
		r = kr_activation_reload(host, &a->fix->actions, a->diag);
	if (r < 0 && r != -ENOMEM)
		return kr_apply_end(a, KR_OUTCOME_BROKEN,
		                    "the old files are back, but systemd does "
		                    "not reload: %s",
		                    strerror(-r));
	if (r < 0 || when == KR_RESTART_NEVER)
		return r;
	r = kr_host_health(host, &report);
	if (r < 0)
		return r;
	if (when == KR_RESTART_AUTO &&
	    never_saw_it(host, m, report.state != KR_HEALTH_BAD))
		return KR_STEP_GO_ON;
	a->fix->restarts = true;
	return restart(a);
}

/* --- files --------------------------------------------------------------- */

static int end_busy(struct kr_applying *a)
{
	return kr_apply_end_by_error(a, KR_OUTCOME_FAILED, "");
}

static int put_back(struct kr_applying *a, struct kr_fs *fs,
                    const struct kr_manifest *m)
{
	uint64_t since = kr_actions_begin(&a->fix->actions, "put-back");
	int r = kr_recover_run(fs, &a->recovery, a->diag);

	if (r == -ENOMEM)
		return r;
	if (r == KR_RECOVERED_BUSY)
		return end_busy(a);
	if (r < 0)
		return kr_apply_end_by_error(a, KR_OUTCOME_BROKEN,
		                             "the files cannot be put back");
	strlcpy(a->fix->transaction, m->id, sizeof(a->fix->transaction));
	return kr_actions_add(&a->fix->actions, "put-back", "done", since);
}

/* RESULT is the step that brought kubelet back. Where it could not even be
 * restarted, the next run does that. */
static int end_record(struct kr_applying *a, struct kr_fs *fs, int result)
{
	int r;

	if (result != KR_STEP_GO_ON &&
	    !(result == KR_STEP_ENDED && a->fix->restarts))
		return result;
	r = kr_recover_end(fs, &a->recovery, a->diag);
	if (r == -ENOMEM)
		return r;
	if (r >= 0 && a->fix->host)
		kr_watchdog_stop(a->fix->host, a->fix->transaction);
	return r < 0 && result == KR_STEP_GO_ON
	               ? kr_apply_end_by_error(a, KR_OUTCOME_BROKEN, "")
	               : result;
}

static int nothing(struct kr_applying *a, struct kr_fs *fs,
                   const struct kr_manifests *list)
{
	/* one that had come to its end, but had not tidied up; or a mark that a
	 * power cut left */
	int r = kr_recover_find(fs, list)
	                ? KR_RECOVERED_NOTHING
	                : kr_recover_run(fs, &a->recovery, a->diag);

	if (r < 0)
		return r;
	if (r == KR_RECOVERED_BUSY)
		return end_busy(a);
	return kr_apply_end(a, KR_OUTCOME_UNCHANGED,
	                    "there is no interrupted run to revert");
}

static int take_back(struct kr_applying *a, struct kr_node_options *options,
                     struct kr_fs *fs, const char *id)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	const struct kr_manifest *m;
	int r = kr_manifests_read(fs, a->diag, &list);

	if (r < 0)
		return r;
	a->recovery.usec = KR_OWNER_USEC;
	m = find(fs, &list, id);
	if (!m)
		return nothing(a, fs, &list);
	r = put_back(a, fs, m);
	if (r != KR_STEP_GO_ON)
		return r;
	if (!options->unit)
		options->unit = m->unit;
	if (!options->config)
		options->config = m->config;
	r = kr_host_open(options, a->diag, &a->fix->host);
	if (r >= 0) {
		kr_recovery_extend(&a->recovery, kr_apply_phase_usec(a, true));
		r = bring_back(a, m);
	}
	r = end_record(a, fs, r);
	/* these words are the list's */
	if (a->fix->host)
		a->fix->host->options.unit = a->fix->host->options.config =
			NULL;
	if (r != KR_STEP_GO_ON)
		return r;
	return kr_apply_end(
		a, KR_OUTCOME_ROLLED_BACK,
		"the run %s was interrupted: everything was put "
		"back%s",
		m->id, a->fix->restarts ? " and kubelet is healthy again" : "");
}

static int end_unread(struct kr_applying *a, int error)
{
	if (!kr_diag_first(a->diag, KR_ERROR))
		kr_diag_add_path(a->diag, KR_ERROR, "recover", KR_STATE_DIR,
		                 "what an interrupted run left cannot be "
		                 "reverted: %s",
		                 strerror(-error));
	return kr_apply_end_by_error(a,
	                             a->fix->transaction[0] ? KR_OUTCOME_BROKEN
	                                                    : KR_OUTCOME_FAILED,
	                             "");
}

/* With the lock, or past a run that does not end. */
static int rescue_node(struct kr_applying *a, struct kr_node_options *options,
                       struct kr_node *node, const char *id)
{
	struct waiting w = {.a = a, .node = node, .id = id, .lock_fd = -1};
	_cleanup_fs_ struct kr_fs *now = NULL;
	int r = wait_for_lock(&w);

	a->lock_fd = w.lock_fd;
	if (r < 0)
		return r;
	if (r == WAITED_BUSY)
		return end_busy(a);
	if (r == WAITED_OVER)
		return kr_apply_end(a, KR_OUTCOME_UNCHANGED,
		                    "there is no interrupted run to revert");
	if (r == WAITED_PASSED) {
		a->recovery.passes = true;
		a->recovery.passed = w.owner.st;
		kr_diag_add(a->diag, KR_WARNING, "run-passed", KR_SPAN_NONE,
		            "the process that holds the lock is stuck and "
		            "cannot be "
		            "ended: the run %s is reverted anyway",
		            w.pending);
	}
	/* what was read before that may be another one by now */
	r = kr_fs_new(kr_fs_root_fd(node->fs), &now);
	if (r >= 0)
		r = take_back(a, options, now, id);
	/* where a container had put it we are it; another one that needs a copy
	 * takes the lock first, and makes its own */
	kr_program_remove(node->fs);
	return r;
}

static int rescue(struct kr_applying *a,
                  const struct kr_node_options *node_options, const char *id)
{
	_cleanup_node_ struct kr_node *node = NULL;
	struct kr_node_options options = *node_options;
	int r = kr_node_open(node_options, a->diag, &node);

	return r < 0 ? r : rescue_node(a, &options, node, id);
}

int kr_rescue_run(const struct kr_node_options *node_options,
                  const struct kr_fix_options *options, const char *id,
                  struct kr_diag *diag, struct kr_fix **ret)
{
	_cleanup_fix_ struct kr_fix *fix = calloc(1, sizeof(*fix));
	_cleanup_(kr_applying_done) struct kr_applying a = {
		.options = options, .fix = fix, .diag = diag, .lock_fd = -1};
	int r;

	if (!fix)
		return -ENOMEM;
	fix->actions.teller = options->teller;
	r = rescue(&a, node_options, id);
	if (r < 0 && r != -ENOMEM)
		r = end_unread(&a, r);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(fix);
	return 0;
}
