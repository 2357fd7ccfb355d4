/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From a plan to its end.
 *
 *   what else would a restart apply? ── may we, can the files be replaced?
 *        │ nothing is written up to here: refused, 4
 *   new contents beside their targets, copies in /var/lib, a timer that
 *   reverts it if we are killed (host/watchdog)
 *        │ failed, 4: they are removed again
 *   rename all ── kubelet (fix/back) ── read and audit again ── kept: 0
 *
 * What is looked at first is in fix/apply-checks, what is said of the end in
 * fix/apply-end.
 *
 * A recovery that is tired of us (fix/rescue) may take the change away: that is
 * looked for before each step (kr_apply_is_mine()), and ends with 4.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/format.h"
#include "base/vec.h"
#include "fix/apply.h"
#include "fix/undo.h"
#include "host/figures.h"
#include "store/files.h"
#include "store/prune.h"

/* How often the node is audited after the change, at most. */
#define LOOKS_MAX 3

void kr_applying_done(struct kr_applying *f)
{
	kr_transaction_free(f->tx);
	kr_watchdog_done(&f->watchdog);
	kr_activation_done(&f->forward);
	kr_live_done(&f->live);
	kr_configz_values_done(&f->live_values);
	kr_ports_done(&f->ports);
	kr_manifest_done(&f->recovered);
	kr_recovery_done(&f->recovery);
	free(f->unhealthy_why);
	if (f->lock_fd >= 0)
		close(f->lock_fd);
}

/* --- writing ------------------------------------------------------------- */

/* What was known before the fix of the rule I that the edits are for. */
static const struct kr_judgement *find_before(const struct kr_applying *f,
                                              size_t i)
{
	const struct kr_plan *plan = f->fix->plan;
	const struct kr_judgement *j = f->fix->before->items;

	while (plan->n_rules > 0 && j->rule != plan->rules[i])
		j++;
	return j;
}

/* By these an undo sees that it is one. */
static int keep_values(const struct kr_applying *f, struct kr_strings *names,
                       struct kr_strings *values)
{
	const struct kr_plan *plan = f->fix->plan;

	for (size_t i = 0; i < plan->n_rules; i++) {
		char *value = NULL;
		int r = kr_apply_describe_disk(find_before(f, i), &value);

		if (r == 0)
			r = kr_strings_consume(values, value);
		if (r == 0)
			r = kr_strings_add(names, plan->rules[i]->name);
		if (r < 0)
			return r;
	}
	return 0;
}

static int stands(struct kr_fs *fs, const struct kr_manifests *list,
                  const struct kr_manifest *m)
{
	const char *reason, *later = NULL;
	int r = kr_undo_edits(fs, list, m, NULL, NULL, &reason, &later);

	if (r == -ENOMEM)
		return r;
	/* of a file that cannot be read nothing is known */
	return r < 0 || r == KR_UNDO_POSSIBLE ||
	       (r == KR_UNDO_REFUSED && later);
}

static int prepare(struct kr_applying *f)
{
	const struct kr_loaded_unit *loaded = f->fix->host->loaded;
	_cleanup_strings_ struct kr_strings names = {0}, values = {0};
	struct kr_transaction_about about = {
		.unit = kr_apply_node(f)->unit_name,
		.config = kr_apply_node(f)->config_override,
		.invocation_id = loaded ? loaded->invocation_id : NULL,
		.disk_before =
			kr_state_to_string(find_before(f, 0)->disk.state),
		.undone = f->undone,
		.partly = kr_plan_n_failing(f->fix->plan) > 0,
	};
	const struct kr_edition *edition = f->options->rules->edition;
	_cleanup_manifests_ struct kr_manifests list = {0};
	struct kr_fs *fs = kr_apply_node(f)->fs;
	int r = keep_values(f, &names, &values);

	if (r < 0)
		return r;
	r = kr_manifests_read(fs, NULL, &list);
	if (r >= 0)
		r = kr_prune(fs, &list, stands);
	if (r < 0 && r != -ENOMEM)
		kr_diag_add_path(f->diag, KR_ERROR, "tidy", KR_STATE_DIR,
		                 "cannot be tidied up: %s", strerror(-r));
	if (r < 0)
		return r;
	f->number = about.number = kr_manifests_next_number(&list);
	about.edition = edition ? edition->name : NULL;
	about.controls = (const char *const *)names.items;
	about.values = (const char *const *)values.items;
	about.n_controls = names.n_items;
	return kr_transaction_prepare(fs, &f->fix->plan->edits, &about, f->diag,
	                              &f->tx);
}

/* Before the first rename: from here on systemd reverts it if we cannot. */
static int arm(struct kr_applying *f)
{
	int r;

	if (!f->fix->watched)
		return KR_STEP_GO_ON;
	r = kr_watchdog_arm(f->fix->host, kr_transaction_id(f->tx),
	                    f->options->wait_usec, f->diag, &f->watchdog);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return kr_apply_end_by_error(f, KR_OUTCOME_REFUSED,
		                             "systemd cannot be made to "
		                             "revert the change");
	/* the same time; one that was not done yet by then is ended */
	kr_transaction_extend(
		f->tx,
		kr_watchdog_limit_usec(f->fix->host, f->options->wait_usec));
	return KR_STEP_GO_ON;
}

/* For R, an enum kr_change or an errno. */
static int end_unwritten(struct kr_applying *f, int r)
{
	if (r == -ENOMEM)
		return r;
	if (r == KR_CHANGE_STUCK)
		return kr_apply_end_by_error(f, KR_OUTCOME_BROKEN,
		                             "the files could not be put back");
	return kr_apply_end_by_error(f, KR_OUTCOME_FAILED,
	                             "the files could not be replaced");
}

static int write_files(struct kr_applying *f)
{
	struct kr_fix *fix = f->fix;
	uint64_t since;
	int r;

	if (kr_apply_interrupted(f) < 0)
		return kr_apply_end_interrupted(f);
	if (!kr_apply_has_edits(f)) {
		kr_actions_answer(&fix->actions, KR_APPLY_INTERRUPTED);
		return KR_STEP_GO_ON;
	}
	since = kr_actions_begin(&fix->actions, "write");
	r = prepare(f);
	if (r != KR_CHANGE_DONE)
		return end_unwritten(f, r);
	if (kr_apply_interrupted(f) < 0) {
		f->tx = kr_transaction_free(f->tx);
		return kr_apply_end_interrupted(f);
	}
	r = arm(f);
	if (r != KR_STEP_GO_ON)
		return r;
	kr_actions_answer(&fix->actions, KR_APPLY_INTERRUPTED);
	r = kr_transaction_commit(f->tx, f->diag);
	if (r == KR_CHANGE_TAKEN)
		return KR_STEP_TAKEN;
	if (r != KR_CHANGE_DONE)
		return end_unwritten(f, r);
	strlcpy(fix->transaction, kr_transaction_id(f->tx),
	        sizeof(fix->transaction));
	return kr_actions_add(&fix->actions, "write", "done", since);
}

static bool is_reached(const struct kr_applying *f)
{
	/* the program that configures kubelet may have done so meanwhile */
	if (f->fix->plan->unconfigured)
		return true;
	return kr_apply_is_as_planned(f, f->fix->restarts);
}

/* The audit has seen the very process that has settled. */
static bool is_settled(const struct kr_applying *f)
{
	const struct kr_invocation *it = &f->forward.settling.invocation;
	const struct kr_host *now = f->fix->host_after;
	const struct kr_loaded_unit *u = now->loaded;

	if (!f->fix->restarts)
		return true;
	if (!u) /* no bus any more */
		return now->node->has_process &&
		       now->node->process.pid == it->pid;
	return u->main_pid == it->pid && kr_settling_is_at_rest(u) &&
	       strcmp(u->invocation_id, it->id) == 0;
}

static int end_unread(struct kr_applying *f, int error)
{
	kr_diag_add_path(f->diag, KR_ERROR, "node-unreadable", f->root,
	                 "no audit can be made after the change: %s",
	                 strerror(-error));
	return kr_apply_give_up(f, "no audit can be made after the change");
}

/*
 * What was reached must still be there, and the kubelet that has settled too:
 * it may have died since, and others may have written or restarted it. A look
 * that fails is had again: what is wrong with the node stays wrong.
 */
static int verify(struct kr_applying *f)
{
	_cleanup_free_ char *why = NULL;
	int r;

	for (unsigned i = 0; i < LOOKS_MAX; i++) {
		r = kr_apply_audit_again(f);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			continue;
		if (is_settled(f) && is_reached(f))
			return KR_STEP_GO_ON;
		if (is_settled(f))
			continue;
		r = kr_apply_settle_again(f);
		if (r != KR_STEP_GO_ON)
			return r;
	}
	if (r < 0)
		return end_unread(f, r);
	if (kr_apply_is_rewritten(f))
		return kr_apply_end_rewritten(f);
	r = kr_format(&why, "an audit afterwards does not find the change: %s",
	              f->fix->after->reason);
	return r < 0 ? r : kr_apply_give_up(f, why);
}

/* What systemd and the kubelet of before had, which have the files now. */
static bool is_over(const struct kr_message *m, const void *userdata)
{
	const struct kr_fix *fix = userdata;

	if (strcmp(m->code, "reload-needed") == 0)
		return fix->restarts || fix->reloads;
	return fix->restarts && strcmp(m->code, "ctime-later") == 0;
}

/* What was wrong with the node before is no error any more. */
static void calm_down(struct kr_applying *f)
{
	kr_apply_mark_cured(f);
	for (size_t i = 0; i < f->n_before; i++) {
		if (f->diag->messages[i].severity == KR_ERROR)
			f->diag->messages[i].severity = KR_NOTE;
	}
	kr_diag_remove(f->diag, is_over, f->fix);
	f->n_before = 0;
}

/* The folders that the undone fix made and that are empty now. Those in which
 * an old file still lies go with it. */
static int remove_folders(struct kr_applying *f)
{
	KR_EACH(const struct kr_manifest_file, file, f->undone->files,
	        f->undone->n_files) {
		int r = kr_remove_empty_parents(kr_apply_node(f)->fs,
		                                file->path, file->folder);

		if (r < 0) {
			kr_diag_add_path(
				f->diag, KR_ERROR, "folder-stays", file->folder,
				"cannot be removed again: %s", strerror(-r));
			return r;
		}
	}
	return 0;
}

/*
 * The change stands: its record says so; one that undid another leaves
 * none. A change whose record does not say that it stands would be reverted
 * by the next run: better now, unless it stays for want of a better end.
 */
static int keep(struct kr_applying *f)
{
	int r;

	if (!f->tx)
		return KR_STEP_GO_ON;
	if (f->fix->outcome == KR_OUTCOME_BROKEN)
		kr_transaction_note_broken(f->tx);
	r = f->undo ? remove_folders(f) : 0;
	if (r >= 0)
		r = kr_transaction_keep(f->tx, f->diag);
	if (r == KR_CHANGE_TAKEN)
		return KR_STEP_TAKEN;
	if (r == -ENOMEM)
		return r;
	if (r == KR_CHANGE_DONE || f->stays)
		return KR_STEP_GO_ON;
	return kr_apply_give_up(f, "the record of the change cannot be kept");
}

/* The change is tried and proven, or reverted. */
static int try_it(struct kr_applying *f)
{
	int r = kr_apply_activate(f);

	if (r != KR_STEP_GO_ON)
		return r;
	r = verify(f);
	if (r != KR_STEP_GO_ON)
		return r;
	r = kr_apply_heed(f);
	return r == KR_STEP_GO_ON ? kr_apply_end_done(f) : r;
}

static int finish(struct kr_applying *f)
{
	int r = try_it(f);

	if (r != KR_STEP_ENDED)
		return r;
	if (f->fix->outcome == KR_OUTCOME_FIXED ||
	    f->fix->outcome == KR_OUTCOME_UNCONFIGURED || f->stays) {
		r = keep(f);
		if (r < 0 || r == KR_STEP_TAKEN)
			return r;
	}
	if (f->fix->outcome == KR_OUTCOME_FIXED)
		calm_down(f);
	if (!f->fix->after && kr_apply_audit_again(f) == -ENOMEM)
		return -ENOMEM;
	return KR_STEP_ENDED;
}

static void disarm(struct kr_applying *f)
{
	bool armed = f->watchdog.name;

	kr_watchdog_disarm(&f->watchdog, f->fix->host);
	if (armed && (f->fix->outcome == KR_OUTCOME_FIXED || f->stays))
		kr_actions_say(&f->fix->actions,
		               "confirmed: the change stays, systemd's timer "
		               "is stopped");
}

static int run(struct kr_applying *f)
{
	int r = kr_apply_check(f);

	if (r != KR_STEP_GO_ON)
		return r;
	if (!kr_apply_has_work(f))
		return kr_apply_end_compliant(f);
	if (f->options->dry_run)
		return kr_apply_end_preview(f);
	r = kr_apply_lock(f);
	if (r != KR_STEP_GO_ON)
		return r;
	r = write_files(f);
	if (r == KR_STEP_GO_ON)
		r = finish(f);
	if (r == KR_STEP_TAKEN || (r != -ENOMEM && !kr_apply_is_mine(f)))
		return kr_apply_end_taken(f);
	/* else the armed timer does what we cannot */
	if (r >= 0 && !f->owes_restart)
		disarm(f);
	return r;
}

int kr_apply_run(struct kr_applying *f)
{
	int r = run(f);

	return r == KR_STEP_ENDED ? kr_apply_sum_up(f) : r;
}
