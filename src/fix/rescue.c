/* SPDX-License-Identifier: Apache-2.0 */

/*
 * recover: the end of a run that was killed.
 *
 *   the lock ── held: somebody is at work, and is waited for
 *     │
 *   a record that has not come to its end? ── no: confirmed, or put back
 *     │ yes
 *   the old files back (fix/recover)
 *     │
 *   kubelet healthy, and older than the record? ── yes: it never saw them
 *     │ no
 *   Reload ── ResetFailedUnit, restart ── settled?
 *     │
 *   the record ends: one that is killed before does it all again
 *
 * It is run without anybody at a terminal, so its result is for the journal.
 * That kubelet is healthy on the new files is no reason to keep them: whoever
 * would have looked at the rest of the proof is gone.
 *
 * The record tells which unit and which config file the run was told to take.
 * A process that it was told to take (--pid) is not asked for: kubelet is
 * another one by now, or is going to be.
 *
 * At boot it runs before kubelet's start, which waits for it: a restart would
 * wait for itself. So there it only reloads, where systemd has read the units
 * as the interrupted run had left them.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fix/apply.h"
#include "fix/figures.h"
#include "fix/health.h"
#include "fix/lock.h"
#include "fix/program.h"
#include "fix/recover.h"
#include "fix/rescue.h"

/* Longer than any run that still makes progress. */
#define LOCK_WAIT_USEC (3600 * KR_USEC_PER_SEC)

int kr_outcome_to_recover_status(enum kr_outcome outcome)
{
	return outcome == KR_OUTCOME_ROLLED_BACK
	               ? 0
	               : kr_outcome_to_status(outcome);
}

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

/* --- kubelet ------------------------------------------------------------- */

static bool never_saw_it(const struct kr_host *host,
                         const struct kr_manifest *m, bool healthy)
{
	return healthy && !kr_manifest_is_before(m, host->loaded);
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
	if (r == -ENOMEM || (r == 0 && end == KR_SETTLED))
		return r;
	if (r == 0 && end == KR_SETTLED_STOPPED)
		return kr_apply_end(
			a, KR_OUTCOME_ROLLED_BACK,
			"the old files are back; somebody else "
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
		return 0;
	if (!host->manager || !host->loaded)
		return kr_apply_end(a, KR_OUTCOME_BROKEN,
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
		return 0;
	a->fix->restarts = true;
	return restart(a);
}

/* --- files --------------------------------------------------------------- */

static int put_back(struct kr_applying *a, struct kr_fs *fs,
                    const struct kr_manifest *m)
{
	uint64_t since = kr_now_usec();
	int r = kr_recover_run(fs, a->diag);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return kr_apply_end_by_error(a, KR_OUTCOME_BROKEN,
		                             "the files cannot be put back");
	strlcpy(a->fix->transaction, m->id, sizeof(a->fix->transaction));
	return kr_actions_add(&a->fix->actions, "put-back", "done", since);
}

/* RESULT is kubelet's end. Where it could not even be restarted, the next run
 * does that. */
static int end_record(struct kr_applying *a, struct kr_fs *fs, int result)
{
	int r;

	if (result != 0 && !(result == 1 && a->fix->restarts))
		return result;
	r = kr_recover_end(fs, a->diag);
	if (r == -ENOMEM)
		return r;
	return r < 0 && result == 0
	               ? kr_apply_end_by_error(a, KR_OUTCOME_BROKEN, "")
	               : result;
}

static int nothing(struct kr_applying *a, struct kr_fs *fs,
                   const struct kr_manifests *list)
{
	/* one that had come to its end, but had not tidied up; or a mark that a
	 * power cut left */
	int r = kr_recover_find(fs, list) ? 0 : kr_recover_run(fs, a->diag);

	if (r < 0)
		return r;
	return kr_apply_end(a, KR_OUTCOME_COMPLIANT,
	                    "no interrupted run is to be taken back");
}

static int take_back(struct kr_applying *a, struct kr_node_options *options,
                     const struct kr_setting *setting, struct kr_fs *fs,
                     const char *id)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	const struct kr_manifest *m;
	int r = kr_manifests_read(fs, a->diag, &list);

	if (r < 0)
		return r;
	m = find(fs, &list, id);
	if (!m)
		return nothing(a, fs, &list);
	r = put_back(a, fs, m);
	if (r != 0)
		return r;
	if (!options->unit)
		options->unit = m->unit;
	if (!options->config)
		options->config = m->config;
	r = kr_host_open(setting, options, a->diag, &a->fix->host);
	if (r == 0)
		r = bring_back(a, m);
	r = end_record(a, fs, r);
	/* these words are the list's */
	if (a->fix->host)
		a->fix->host->options.unit = a->fix->host->options.config =
			NULL;
	if (r != 0)
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
		                 "what an interrupted run left cannot be taken "
		                 "back: %s",
		                 strerror(-error));
	return kr_apply_end_by_error(a,
	                             a->fix->transaction[0] ? KR_OUTCOME_BROKEN
	                                                    : KR_OUTCOME_FAILED,
	                             "");
}

int kr_rescue_run(const struct kr_setting *setting,
                  const struct kr_node_options *node_options,
                  const struct kr_fix_options *options, const char *id,
                  struct kr_diag *diag, struct kr_fix **ret)
{
	_cleanup_fix_ struct kr_fix *fix = calloc(1, sizeof(*fix));
	_cleanup_(kr_applying_done) struct kr_applying a = {
		.options = options, .fix = fix, .diag = diag, .lock_fd = -1};
	_cleanup_node_ struct kr_node *node = NULL;
	struct kr_node_options found = *node_options;
	int r;

	if (!fix)
		return -ENOMEM;
	r = kr_node_open(setting, node_options, diag, &node);
	if (r == 0)
		r = kr_lock_take(node->fs, LOCK_WAIT_USEC, options->tick,
		                 options->closure, diag, &a.lock_fd);
	if (r >= 0) {
		r = take_back(&a, &found, setting, node->fs, id);
		/* where a container had put it we are it; another one that
		 * needs a copy takes the lock first, and makes its own */
		kr_program_remove(node->fs);
	}
	if (r < 0 && r != -ENOMEM)
		r = end_unread(&a, r);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(fix);
	return 0;
}
