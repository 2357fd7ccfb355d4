/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From a plan to its end.
 *
 *   what else would a restart apply? ── may we? ── interrupted?
 *        │ nothing is written up to here: refused, 4
 *   new contents beside their targets, copies in /var/lib
 *        │ failed, 4: they are removed again
 *   rename all ── Reload ── restart ── settled? ── read and audit again: 0
 *                                        │ no
 *                rename the old ones back ── Reload ── restart ── settled? 5
 *                                                          │ no: 6
 *
 * kubelet's health is looked at before the first write. One that was down or
 * unhealthy is not restarted by "auto", and a right change is never put back
 * because of it; but where the disk was invalid by our own setting it is, and
 * must get healthy.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "fix/apply.h"
#include "fix/health.h"
#include "fix/lock.h"
#include "fix/pending.h"
#include "fix/recover.h"
#include "fix/replace.h"

#define LOG_LINES 10

void kr_applying_done(struct kr_applying *f)
{
	kr_transaction_free(f->tx);
	free(f->unhealthy_why);
	if (f->lock_fd >= 0)
		close(f->lock_fd);
}

/* Sets the outcome; 1 tells the steps below that there is no more to do. */
int kr_apply_end(struct kr_applying *f, enum kr_outcome outcome,
                 const char *format, ...)
{
	va_list args;
	int r;

	free(f->fix->reason);
	f->fix->outcome = outcome;
	va_start(args, format);
	r = vasprintf(&f->fix->reason, format, args);
	va_end(args);
	if (r < 0) {
		f->fix->reason = NULL;
		return -ENOMEM;
	}
	return 1;
}

/* The first error that was found, as the reason of an end. */
int kr_apply_end_by_error(struct kr_applying *f, enum kr_outcome outcome,
                          const char *otherwise)
{
	const struct kr_message *m = kr_diag_first(f->diag, KR_ERROR);

	if (m && m->file)
		return kr_apply_end(f, outcome, "%s: %s", m->file, m->text);
	return kr_apply_end(f, outcome, "%s", m ? m->text : otherwise);
}

int kr_apply_end_unread(struct kr_applying *f, int error)
{
	if (!kr_diag_first(f->diag, KR_ERROR))
		kr_diag_add_path(f->diag, KR_ERROR, "node-unreadable", f->root,
		                 "the node cannot be read: %s",
		                 strerror(-error));
	return kr_apply_end_by_error(f, KR_OUTCOME_FAILED, "");
}

static struct kr_node *node_of(struct kr_applying *f)
{
	return f->fix->host->node;
}

static bool can_restart(struct kr_applying *f)
{
	return node_of(f)->live && f->fix->host->manager &&
	       f->fix->host->loaded;
}

static int open_host(struct kr_applying *f, const struct kr_setting *setting,
                     const struct kr_node_options *node_options)
{
	const struct kr_audit_options options = {
		.explicit_wanted = f->options->explicit_wanted,
		.live = KR_STATE_ABSENT,
	};
	struct kr_fix *fix = f->fix;
	int r;

	fix->plan = kr_plan_free(fix->plan);
	fix->before = kr_audit_free(fix->before);
	fix->host = kr_host_free(fix->host);
	r = kr_host_open(setting, node_options, f->diag, &fix->host);
	if (r == 0)
		r = kr_audit_run(node_of(f), &options, f->diag, &fix->before);
	return r;
}

static bool may_write(struct kr_applying *f)
{
	return !node_of(f)->live || geteuid() == 0;
}

/* 1: another run was waited for; 2: the outcome is set. */
static int take_lock(struct kr_applying *f)
{
	int r;

	if (f->lock_fd >= 0)
		return 0;
	r = kr_lock_take(node_of(f)->fs, f->options->wait_usec,
	                 f->options->tick, f->options->closure, f->diag,
	                 &f->lock_fd);
	if (r >= 0 || r == -ENOMEM)
		return r;
	r = r == -EINTR ? kr_apply_end(f, KR_OUTCOME_FAILED,
	                               "interrupted before anything was "
	                               "changed")
	                : kr_apply_end_by_error(f, KR_OUTCOME_REFUSED,
	                                        "the lock cannot be taken");
	return r < 0 ? r : 2;
}

/* kubelet as the interrupted run left it is on the new files, or dead. */
static int revive_kubelet(struct kr_applying *f)
{
	struct kr_activation act = {.wait_usec = f->options->wait_usec};
	_cleanup_free_ char *why = NULL;
	int r;

	if (!can_restart(f))
		return 0;
	r = kr_health_now(f->fix->host, &why);
	if (r != 0)
		return r < 0 ? r : 0;
	r = kr_activation_reload(f->fix->host, &f->fix->actions, f->diag);
	if (r == 0)
		r = kr_activation_restart(f->fix->host, &act, &f->fix->actions,
		                          f->diag);
	if (r < 0 && r != -ENOMEM)
		kr_diag_add(f->diag, KR_WARNING, "recovered", KR_SPAN_NONE,
		            "kubelet is not healthy on the files from before "
		            "the interruption: %s",
		            act.failure ? act.failure : strerror(-r));
	free(act.failure);
	return r == -ENOMEM ? r : 0;
}

/* 1: something was taken back, read anew; 2: the outcome is set. */
static int recover(struct kr_applying *f)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_fs_ struct kr_fs *fs = NULL;
	int r;

	if (f->options->dry_run || !may_write(f))
		return 0;
	r = kr_manifests_read(node_of(f)->fs, f->diag, &list);
	if (r < 0 && r != -ENOMEM) {
		r = kr_apply_end_by_error(f, KR_OUTCOME_FAILED, "");
		return r < 0 ? r : 2;
	}
	if (r < 0 || !kr_recover_find(node_of(f)->fs, &list))
		return r;
	r = take_lock(f);
	if (r < 0 || r == 2)
		return r;
	/* what was read before the lock was ours may be another one by now */
	r = kr_fs_new(kr_fs_root_fd(node_of(f)->fs), &fs);
	if (r == 0)
		r = kr_recover_run(fs, f->diag);
	else if (r != -ENOMEM)
		kr_diag_add_path(f->diag, KR_ERROR, "recover", KR_STATE_DIR,
		                 "what an interrupted run left cannot be taken "
		                 "back: %s",
		                 strerror(-r));
	if (r < 0 && r != -ENOMEM) {
		r = kr_apply_end_by_error(f, KR_OUTCOME_BROKEN,
		                          "an interrupted run cannot be "
		                          "taken back");
		return r < 0 ? r : 2;
	}
	return r < 0 ? r : 1;
}

int kr_apply_read(struct kr_applying *f, const struct kr_setting *setting,
                  const struct kr_node_options *node_options)
{
	int r;

	f->root = node_options->root ? node_options->root : "/";
	r = open_host(f, setting, node_options);
	if (r == 0)
		r = recover(f);
	if (r == 1) {
		r = open_host(f, setting, node_options);
		if (r == 0)
			r = revive_kubelet(f);
		if (r == 0)
			r = open_host(f, setting, node_options);
	}
	if (r < 0 && r != -ENOMEM)
		return kr_apply_end_unread(f, r);
	return r < 0 ? r : r == 2;
}

/* --- before the first write ---------------------------------------------- */

/* Whether kubelet will be restarted, and whether it may be. */
static int decide_restart(struct kr_applying *f)
{
	const struct kr_audit *before = f->fix->before;
	const struct kr_plan *plan = f->fix->plan;
	enum kr_restart restart = f->options->restart;
	bool edits = plan->edits.n_files > 0;
	int r;

	f->was_invalid = before->disk.state == KR_STATE_INVALID &&
	                 node_of(f)->disk.inputs.by_setting;
	if (!node_of(f)->live)
		return 0;
	free(f->unhealthy_why);
	f->unhealthy_why = NULL;
	if (can_restart(f)) {
		r = kr_health_now(f->fix->host, &f->unhealthy_why);
		if (r < 0)
			return r;
		f->was_healthy = r == 1;
	} else {
		/* nobody to ask: one that runs is taken for healthy, so that a
		 * restart that it needs is not passed over in silence */
		f->was_healthy = node_of(f)->has_process;
	}
	f->fix->reloads = plan->unit_changes || before->reload_needed;
	if (restart == KR_RESTART_NEVER) {
		f->fix->reloads = f->fix->reloads && edits;
		return 0;
	}
	if (restart == KR_RESTART_ALWAYS)
		f->fix->restarts = true;
	else if (f->undo)
		f->fix->restarts =
			f->was_healthy &&
			before->started_usec > f->undone->realtime_usec;
	else if (f->was_healthy)
		f->fix->restarts =
			edits || before->running.state == KR_STATE_FALSE;
	else
		f->fix->restarts = edits && f->was_invalid;
	f->fix->reloads = f->fix->reloads && (edits || f->fix->restarts);
	return 0;
}

static const struct kr_inputs *planned_inputs(struct kr_applying *f)
{
	return f->fix->plan->after ? &f->fix->plan->after->disk.inputs
	                           : &node_of(f)->disk.inputs;
}

static int check_pending(struct kr_applying *f)
{
	const struct kr_audit *before = f->fix->before;
	bool refuses = f->options->restart == KR_RESTART_AUTO;
	int r;

	if (!f->fix->restarts)
		return 0;
	if (!can_restart(f))
		return kr_apply_end_by_error(
			f, KR_OUTCOME_REFUSED,
			"systemd cannot be reached: --restart="
			"never changes only the files");
	for (size_t i = 0; i < before->n_changed; i++)
		kr_diag_add_path(f->diag, KR_WARNING, "pending-file",
		                 before->changed[i],
		                 "changed after kubelet was started: the "
		                 "restart applies that, too");
	r = kr_pending_arguments(node_of(f), planned_inputs(f),
	                         refuses ? KR_ERROR : KR_WARNING, f->diag);
	if (r <= 0 || !refuses)
		return r < 0 ? r : 0;
	kr_diag_add(f->diag, KR_NOTE, "pending-help", KR_SPAN_NONE,
	            "--restart=always accepts this, --restart=never changes "
	            "only the files");
	return kr_apply_end(f, KR_OUTCOME_REFUSED,
	                    "a restart would apply other changes of kubelet's "
	                    "arguments, too");
}

static int check_permission(struct kr_applying *f)
{
	if (!may_write(f)) {
		kr_diag_add(f->diag, KR_ERROR, "not-root", KR_SPAN_NONE,
		            "only root may change this node: run it with sudo");
		return kr_apply_end(f, KR_OUTCOME_REFUSED,
		                    "only root may change this node");
	}
	return 0;
}

static int end_preview(struct kr_applying *f)
{
	size_t n = f->fix->plan->edits.n_files;

	if (n > 0)
		return kr_apply_end(f, KR_OUTCOME_WOULD_CHANGE,
		                    "%zu file%s would be changed, kubelet "
		                    "would %sbe restarted",
		                    n, n == 1 ? "" : "s",
		                    f->fix->restarts ? "" : "not ");
	if (f->fix->restarts)
		return kr_apply_end(f, KR_OUTCOME_WOULD_CHANGE,
		                    "no file would be changed, kubelet would "
		                    "be restarted");
	return kr_apply_end(f, KR_OUTCOME_COMPLIANT, "%s",
	                    f->fix->before->reason);
}

/* --- writing ------------------------------------------------------------- */

static int interrupted(struct kr_applying *f)
{
	return f->options->tick
	               ? f->options->tick(f->options->closure, "", 0, 0)
	               : 0;
}

static int write_files(struct kr_applying *f)
{
	struct kr_fix *fix = f->fix;
	const struct kr_transaction_about about = {
		.unit = node_of(f)->unit_name,
		.disk_before = fix->before->disk.state,
	};
	uint64_t since = kr_now_usec();
	int r;

	if (fix->plan->edits.n_files == 0)
		return 0;
	if (interrupted(f) < 0)
		return kr_apply_end(f, KR_OUTCOME_FAILED,
		                    "interrupted before anything was changed");
	r = kr_recover_tidy(node_of(f)->fs);
	if (r < 0 && r != -ENOMEM)
		kr_diag_add_path(f->diag, KR_ERROR, "tidy", KR_STATE_DIR,
		                 "cannot be tidied up: %s", strerror(-r));
	if (r == 0)
		r = kr_transaction_prepare(node_of(f)->fs, &fix->plan->edits,
		                           &about, f->diag, &f->tx);
	if (r == 0)
		r = kr_transaction_commit(f->tx, f->diag);
	if (r == -ENOTRECOVERABLE)
		return kr_apply_end_by_error(f, KR_OUTCOME_BROKEN,
		                             "the files could not be put back");
	if (r < 0 && r != -ENOMEM)
		return kr_apply_end_by_error(f, KR_OUTCOME_FAILED,
		                             "the files could not be replaced");
	if (r < 0)
		return r;
	strlcpy(fix->transaction, kr_transaction_id(f->tx),
	        sizeof(fix->transaction));
	return kr_actions_add(&fix->actions, "write", "done", since);
}

/* --- the way back -------------------------------------------------------- */

static void show_log(struct kr_applying *f, const char *invocation_id)
{
	const struct kr_journal_query query = {
		.root = node_of(f)->root,
		.unit = node_of(f)->unit_name,
		.invocation_id = invocation_id,
		.n_max = LOG_LINES,
	};
	struct kr_log log = {0};

	if (kr_journal_read(&query, f->diag, &log) < 0)
		return;
	kr_log_done(&f->fix->log);
	f->fix->log = log;
}

static int end_broken(struct kr_applying *f, const char *why)
{
	if (!f->fix->transaction[0])
		return kr_apply_end(f, KR_OUTCOME_BROKEN, "%s", why);
	return kr_apply_end(f, KR_OUTCOME_BROKEN,
	                    "%s; the old files are kept in %s/%s", why,
	                    KR_STATE_DIR, f->fix->transaction);
}

static int go_back(struct kr_applying *f, const char *failure)
{
	_cleanup_free_ char *why = strdup(failure);
	struct kr_activation act = {.wait_usec = f->options->wait_usec};
	uint64_t since = kr_now_usec();
	int r = f->tx ? kr_transaction_revert(f->tx, failure, f->diag) : 0;

	if (!why)
		return -ENOMEM;
	if (r < 0)
		return end_broken(f, "the files could not be put back");
	if (kr_actions_add(&f->fix->actions, "put-back", "done", since) < 0)
		return -ENOMEM;
	if (f->fix->reloads)
		r = kr_activation_reload(f->fix->host, &f->fix->actions,
		                         f->diag);
	if (r == 0)
		r = kr_activation_restart(f->fix->host, &act, &f->fix->actions,
		                          f->diag);
	if (r == 0)
		return kr_apply_end(
			f, KR_OUTCOME_ROLLED_BACK,
			"%s; everything was put back and kubelet is "
			"healthy again",
			why);
	kr_diag_add(f->diag, KR_ERROR, "broken", KR_SPAN_NONE,
	            "kubelet is not healthy on the old files either: %s",
	            act.failure ? act.failure : strerror(-r));
	free(act.failure);
	return end_broken(f, "kubelet is not healthy, neither with the new "
	                     "files nor with the old ones");
}

/* --- activation ---------------------------------------------------------- */

static int failed_start(struct kr_applying *f, struct kr_activation *act,
                        int error)
{
	const char *failure =
		act->failure      ? act->failure
		: error == -EINTR ? "interrupted while kubelet was restarted"
				  : strerror(-error);

	if (act->invocation_id[0])
		show_log(f, act->invocation_id);
	if (!f->was_healthy && error != -EINTR) {
		kr_diag_add(f->diag, KR_WARNING, "unhealthy-before",
		            KR_SPAN_NONE,
		            "kubelet was not healthy before the change "
		            "either: the change stays");
		if (f->was_invalid)
			return end_broken(f, failure);
		return kr_apply_end(
			f, KR_OUTCOME_CHANGED,
			"the files are right now, but kubelet is still not "
			"healthy: %s",
			failure);
	}
	if (f->options->no_rollback && error != -EINTR)
		return end_broken(f, failure);
	return go_back(f, failure);
}

static int activate(struct kr_applying *f)
{
	struct kr_fix *fix = f->fix;
	const struct kr_inputs *planned = planned_inputs(f);
	struct kr_activation act = {
		.wait_usec = f->options->wait_usec,
		.argv = planned->argv,
		.argc = planned->argc,
		.tick = f->options->tick,
		.closure = f->options->closure,
	};
	int r = 0;

	if (fix->reloads && can_restart(f))
		r = kr_activation_reload(fix->host, &fix->actions, f->diag);
	if (r == 0 && fix->restarts)
		r = kr_activation_restart(fix->host, &act, &fix->actions,
		                          f->diag);
	if (r < 0 && r != -ENOMEM)
		r = failed_start(f, &act, r);
	free(act.failure);
	return r;
}

/* --- the end ------------------------------------------------------------- */

static int audit_again(struct kr_applying *f)
{
	const struct kr_audit_options options = {
		.explicit_wanted = f->options->explicit_wanted,
		.live = KR_STATE_ABSENT,
	};
	_cleanup_diag_ struct kr_diag found = {0};
	struct kr_host *now = NULL;
	int r = kr_host_open(f->fix->host->setting, &f->fix->host->options,
	                     &found, &now);

	if (r == 0)
		r = kr_audit_run(now->node, &options, &found, &f->fix->after);
	f->fix->host_after = now;
	return r == -ENOMEM ? r : 0;
}

static int end_done(struct kr_applying *f)
{
	struct kr_fix *fix = f->fix;

	if (fix->plan->edits.n_files == 0 && !fix->restarts)
		return kr_apply_end(
			f, KR_OUTCOME_COMPLIANT,
			"%s; nothing was changed, nothing was restarted",
			fix->before->reason);
	if (fix->restarts)
		return kr_apply_end(
			f, KR_OUTCOME_CHANGED,
			"kubelet runs with %s = %s now and is "
			"healthy",
			node_of(f)->setting->key,
			kr_state_to_string(planned_inputs(f)->state));
	if (!node_of(f)->live)
		return kr_apply_end(f, KR_OUTCOME_CHANGED,
		                    "the files are right now");
	if (f->options->restart == KR_RESTART_AUTO && f->unhealthy_why) {
		kr_diag_add(f->diag, KR_WARNING, "unhealthy-before",
		            KR_SPAN_NONE,
		            "kubelet was not healthy before (%s) and was not "
		            "restarted",
		            f->unhealthy_why);
		show_log(f, NULL);
	}
	return kr_apply_end(
		f, KR_OUTCOME_CHANGED,
		"the files are right now; kubelet was not restarted");
}

/* A change whose record does not say that it stands would be taken back by the
 * next run: better now. */
static int give_up(struct kr_applying *f)
{
	static const char why[] = "the record of the change cannot be kept";
	int r;

	if (f->fix->restarts)
		r = go_back(f, why);
	else
		r = kr_transaction_revert(f->tx, why, f->diag);
	if (r < 0)
		return r == -ENOMEM ? r : end_broken(f, why);
	/* kubelet had nothing against it: it may be tried again */
	if (f->fix->outcome != KR_OUTCOME_BROKEN)
		kr_transaction_forget(f->tx);
	if (f->fix->restarts)
		return r;
	if (f->fix->reloads && can_restart(f))
		kr_activation_reload(f->fix->host, &f->fix->actions, f->diag);
	return kr_apply_end_by_error(f, KR_OUTCOME_FAILED, why);
}

/* The folders that the undone fix made and that are empty now. */
static int remove_folders(struct kr_applying *f)
{
	for (size_t i = 0; i < f->undone->n_files; i++) {
		const char *folder = f->undone->files[i].folder;
		int r = folder ? kr_remove_empty_folder(node_of(f)->fs, folder)
		               : 0;

		if (r < 0 && r != -ENOMEM)
			kr_diag_add_path(f->diag, KR_ERROR, "folder-stays",
			                 folder, "cannot be removed again: %s",
			                 strerror(-r));
		if (r < 0)
			return r;
	}
	return 0;
}

static int forget(struct kr_applying *f)
{
	int r = remove_folders(f);

	if (r < 0)
		return r;
	r = kr_transaction_forget(f->tx);
	if (r < 0)
		kr_diag_add_path(f->diag, KR_ERROR, "transaction", KR_STATE_DIR,
		                 "the record of this undo cannot be removed: "
		                 "%s",
		                 strerror(-r));
	return r;
}

/* The change stands: its record says so; one that took another back leaves
 * none. */
static int keep(struct kr_applying *f)
{
	int r = 0;

	if (f->tx)
		r = f->undo ? forget(f) : kr_transaction_keep(f->tx, f->diag);
	return r < 0 ? give_up(f) : 0;
}

int kr_apply_run(struct kr_applying *f)
{
	struct kr_fix *fix = f->fix;
	int r;

	fix->restarts = fix->reloads = false;
	r = decide_restart(f);
	if (r == 0)
		r = check_pending(f);
	if (r == 0 && f->options->dry_run)
		return end_preview(f);
	if (r == 0 && (fix->plan->edits.n_files > 0 || fix->restarts))
		r = check_permission(f);
	if (r == 0 && (fix->plan->edits.n_files > 0 || fix->restarts)) {
		r = take_lock(f);
		if (r == 1)
			return -EAGAIN;
	}
	if (r == 0)
		r = write_files(f);
	if (r == 0)
		r = activate(f);
	if (r == 0)
		r = end_done(f);
	if (r >= 0 && fix->outcome == KR_OUTCOME_CHANGED)
		r = keep(f);
	if (r < 0 || fix->actions.n_actions == 0)
		return r;
	return audit_again(f);
}
