/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From a plan to its end.
 *
 *   what else would a restart apply? ── may we, can the files be replaced?
 *        │ nothing is written up to here: refused, 4
 *   new contents beside their targets, copies in /var/lib, a timer that takes
 *   it back if we are killed (host/watchdog)
 *        │ failed, 4: they are removed again
 *   rename all ── kubelet (fix/back) ── read and audit again ── kept: 0
 *
 * A recovery that is tired of us (fix/rescue) may take the change away: that is
 * looked for before each step (kr_apply_is_mine()), and ends with 4.
 *
 * kubelet's health is looked at before the first write. One that was down or
 * unhealthy is not restarted by "auto"; but where the disk was invalid by our
 * own setting it is, and must get healthy. A kubelet that runs while systemd
 * cannot be reached is not one that is down: a restart that is owed and cannot
 * be made is refused.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/format.h"
#include "fix/apply.h"
#include "fix/pending.h"
#include "host/figures.h"
#include "host/health.h"
#include "policy/iptables.h"
#include "store/files.h"
#include "store/others.h"
#include "store/prune.h"

/* How often the node is audited after the change, at most. */
#define LOOKS_MAX 3

void kr_applying_done(struct kr_applying *f)
{
	kr_transaction_free(f->tx);
	kr_watchdog_done(&f->watchdog);
	kr_activation_done(&f->forward);
	kr_live_done(&f->live);
	kr_manifest_done(&f->recovered);
	kr_recovery_done(&f->recovery);
	free(f->unhealthy_why);
	if (f->lock_fd >= 0)
		close(f->lock_fd);
}

/* --- before the first write ---------------------------------------------- */

static bool has_edits(const struct kr_applying *f)
{
	return f->fix->plan->edits.n_files > 0;
}

static bool has_work(const struct kr_applying *f)
{
	return has_edits(f) || f->fix->restarts || f->fix->reloads;
}

static int look_at_health(struct kr_applying *f)
{
	_cleanup_health_report_ struct kr_health_report report = {0};
	int r;

	free(f->unhealthy_why);
	f->unhealthy_why = NULL;
	f->was_healthy = false;
	if (!kr_apply_can_restart(f) || f->fix->starting ||
	    (f->options->restart == KR_RESTART_NEVER &&
	     f->live.state == KR_STATE_ABSENT)) {
		/* nobody can tell, not yet, or need not: it is taken to be well
		 */
		f->was_healthy = kr_apply_node(f)->has_process;
		return 0;
	}
	if (f->starts_later)
		return kr_format(&f->unhealthy_why,
		                 "its start waits for another unit's job");
	r = kr_host_health(f->fix->host, &report);
	if (r < 0)
		return r;
	f->was_healthy = report.state != KR_HEALTH_BAD;
	if (!f->was_healthy)
		f->unhealthy_why = TAKE_PTR(report.why);
	return 0;
}

static bool wants_restart(struct kr_applying *f)
{
	bool reads_it =
		has_edits(f) && !kr_edits_in_place(&f->fix->plan->edits);

	/* it reads the files that are there then, and we would wait for
	 * ourselves */
	if (f->starts_later)
		return false;
	switch (f->options->restart) {
	case KR_RESTART_ALWAYS:
		return true;
	case KR_RESTART_NEVER:
		return false;
	default:
		break;
	}
	if (f->undo) /* kubelet does not read what only the platform does, nor
	              * modes and owners again */
		return f->was_healthy &&
		       !kr_durable_only(&f->fix->plan->edits) &&
		       !kr_edits_in_place(&f->fix->plan->edits) &&
		       kr_host_is_newer(f->fix->host, f->undone);
	if (f->was_healthy)
		return reads_it ||
		       kr_apply_find(f, f->fix->before, kr_apply_runs_wrong);
	return reads_it && f->was_invalid;
}

static int decide_restart(struct kr_applying *f)
{
	const struct kr_audit *before = f->fix->before;
	int r;

	f->fix->restarts = f->fix->reloads = f->fix->watched = false;
	f->fix->asks_live = false;
	f->was_invalid = kr_apply_find(f, before, kr_apply_is_own_fault);
	if (!kr_apply_node(f)->live || f->fix->plan->unconfigured)
		return 0;
	r = look_at_health(f);
	if (r < 0)
		return r;
	f->fix->restarts = wants_restart(f);
	f->fix->watched =
		f->fix->restarts && has_edits(f) && !f->options->no_rollback;
	f->fix->reloads = f->fix->plan->unit_changes || before->reload_needed;
	f->fix->asks_live = f->fix->restarts &&
	                    kr_apply_before(f)->live.state != KR_STATE_ABSENT;
	return 0;
}

/* Whether kubelet will have its iptables chains, and that is looked for. */
static bool plans_chains(const struct kr_applying *f)
{
	for (size_t i = 0; i < f->options->rules->n_items; i++) {
		const struct kr_rule *rule = f->options->rules->items[i];

		if (rule->n_fields > 0 &&
		    rule->fields[0] == KR_FIELD_IPTABLES &&
		    !kr_apply_is_left(f, i))
			return kr_apply_planned_view(f, i)->state ==
			       KR_STATE_TRUE;
	}
	return false;
}

/* With edits the plan has looked at it. */
static int check_bits(struct kr_applying *f)
{
	int bit, r;

	if (!f->fix->restarts || f->undo || !plans_chains(f))
		return KR_STEP_GO_ON;
	r = kr_iptables_bits_fatal(kr_apply_node(f), kr_apply_planned(f), &bit);
	if (r <= 0)
		return r < 0 ? r : KR_STEP_GO_ON;
	kr_diag_add(f->diag, KR_ERROR, "mark-bits-equal", KR_SPAN_NONE,
	            "iptablesMasqueradeBit and iptablesDropBit are both %d: a "
	            "kubelet before 1.28 would not survive the restart, one of "
	            "them would have to be another bit",
	            bit);
	return kr_apply_end(f, KR_OUTCOME_REFUSED,
	                    "kubelet might not survive the restart: its two "
	                    "iptables mark bits are the same");
}

static int check_pending(struct kr_applying *f)
{
	const struct kr_audit *before = f->fix->before;
	bool refuses = f->options->restart == KR_RESTART_AUTO;
	int r;

	if (!f->fix->restarts)
		return KR_STEP_GO_ON;
	for (size_t i = 0; i < before->changed.n_items; i++)
		kr_diag_add_path(f->diag, KR_WARNING, "pending-file",
		                 before->changed.items[i],
		                 "changed after kubelet was started: the "
		                 "restart applies that, too");
	r = kr_pending_arguments(kr_apply_node(f), kr_apply_planned(f),
	                         f->options->rules,
	                         refuses ? KR_ERROR : KR_WARNING, f->diag);
	if (r < 0)
		return r;
	if (r == KR_PENDING_NOTHING || !refuses)
		return KR_STEP_GO_ON;
	kr_diag_add(f->diag, KR_NOTE, "pending-help", KR_SPAN_NONE,
	            "--restart=always accepts this, --restart=never changes "
	            "only the files");
	return kr_apply_end(f, KR_OUTCOME_REFUSED,
	                    "a restart would apply other changes of kubelet's "
	                    "arguments, too");
}

/* In kubelet's own unit, for example as its ExecStartPre=: the restart would
 * wait for us, and end us. */
static int check_own_unit(struct kr_applying *f)
{
	const char *unit = kr_apply_node(f)->unit_name;
	bool in_unit;
	int r;

	if (!f->fix->restarts)
		return KR_STEP_GO_ON;
	r = kr_apply_is_in_unit(f, &in_unit);
	if (r < 0 || !in_unit)
		return r;
	kr_diag_add(f->diag, KR_ERROR, "own-unit", KR_SPAN_NONE,
	            "this program runs inside %s, whose restart would end it: "
	            "--restart=never changes only the files",
	            unit);
	return kr_apply_end(f, KR_OUTCOME_REFUSED,
	                    "this program runs inside %s, whose restart would "
	                    "end it",
	                    unit);
}

static int check_bus(struct kr_applying *f)
{
	if (!kr_apply_node(f)->live || !has_work(f))
		return KR_STEP_GO_ON;
	if (kr_apply_can_restart(f))
		return check_own_unit(f);
	if (f->fix->restarts) {
		kr_diag_add(f->diag, KR_ERROR, "no-bus", KR_SPAN_NONE,
		            "kubelet cannot be restarted, since systemd "
		            "cannot be reached: --restart=never changes only "
		            "the files");
		return kr_apply_end(f, KR_OUTCOME_REFUSED,
		                    "kubelet cannot be restarted, since "
		                    "systemd cannot be reached");
	}
	if (f->fix->reloads)
		kr_diag_add(f->diag, KR_WARNING, "reload-owed", KR_SPAN_NONE,
		            "systemd cannot be reached: it has to be told to "
		            "read %s anew (systemctl daemon-reload)",
		            kr_apply_node(f)->unit_name);
	f->fix->reloads = false;
	return KR_STEP_GO_ON;
}

/* What a preview can look at without writing is refused there, too. */
static int check_files(struct kr_applying *f)
{
	struct kr_node *node = kr_apply_node(f);
	const struct kr_edits *edits = &f->fix->plan->edits;
	int r;

	if (!has_work(f))
		return KR_STEP_GO_ON;
	r = kr_others_warn(node->fs, edits, node->live, f->diag);
	if (r < 0 || (!kr_apply_may_write(f) && f->options->dry_run))
		return r;
	if (!kr_apply_may_write(f)) {
		kr_diag_add(f->diag, KR_ERROR, "not-root", KR_SPAN_NONE,
		            "only root may change this node: run it with sudo");
		return kr_apply_end(f, KR_OUTCOME_REFUSED,
		                    "only root may change this node");
	}
	r = kr_transaction_check(node->fs, edits, f->diag);
	if (r == -ENOMEM)
		return r;
	if (r != KR_CHANGE_DONE)
		return kr_apply_end_by_error(f, KR_OUTCOME_REFUSED,
		                             "the files cannot be replaced");
	return KR_STEP_GO_ON;
}

static int end_preview(struct kr_applying *f)
{
	size_t n = f->fix->plan->edits.n_files;

	if (n > 0)
		return kr_apply_end(f, KR_OUTCOME_WOULD_FIX,
		                    "%zu file%s would be changed, kubelet "
		                    "would %sbe restarted",
		                    n, n == 1 ? "" : "s",
		                    f->fix->restarts ? "" : "not ");
	return kr_apply_end(f, KR_OUTCOME_WOULD_FIX,
	                    f->fix->restarts
	                            ? "no file would be changed, kubelet would "
	                              "be restarted"
	                            : "no file would be changed, systemd would "
	                              "read kubelet's unit anew");
}

/* The files say what is wanted, and nothing is to be done about kubelet. */
static int end_compliant(struct kr_applying *f)
{
	const struct kr_audit *before = f->fix->before;

	if (before->verdict == KR_VERDICT_PASS)
		return kr_apply_end(f, KR_OUTCOME_UNCHANGED, "%s%s",
		                    before->n_items == 1 ? before->reason
		                                         : "no control fails",
		                    f->options->dry_run
		                            ? ""
		                            : "; nothing was changed, nothing "
		                              "was restarted");
	if (f->options->restart == KR_RESTART_AUTO && f->unhealthy_why) {
		kr_diag_add(f->diag, KR_WARNING, "unhealthy-before",
		            KR_SPAN_NONE,
		            "kubelet is not healthy (%s) and was not restarted",
		            f->unhealthy_why);
		kr_apply_want_log(f, NULL, NULL);
	}
	return kr_apply_end(f, KR_OUTCOME_UNCHANGED,
	                    "the files are right already, kubelet was not "
	                    "restarted: %s",
	                    before->reason);
}

/* --- writing ------------------------------------------------------------- */

/* The first rule that the edits are for: by it an undo sees that it is one. */
static const struct kr_judgement *first_fixed(const struct kr_applying *f)
{
	const struct kr_plan *plan = f->fix->plan;
	size_t i = 0;

	while (plan->n_rules > 0 &&
	       f->fix->before->items[i].rule != plan->rules[0])
		i++;
	return &f->fix->before->items[i];
}

static int prepare(struct kr_applying *f)
{
	const struct kr_loaded_unit *loaded = f->fix->host->loaded;
	const struct kr_plan *plan = f->fix->plan;
	_cleanup_free_ const char **names =
		calloc(plan->n_rules + 1, sizeof(*names));
	const struct kr_transaction_about about = {
		.unit = kr_apply_node(f)->unit_name,
		.config = kr_apply_node(f)->config_override,
		.invocation_id = loaded ? loaded->invocation_id : NULL,
		.disk_before = kr_state_to_string(first_fixed(f)->disk.state),
		.controls = names,
		.n_controls = plan->n_rules,
		.undone = f->undone,
	};
	struct kr_fs *fs = kr_apply_node(f)->fs;
	/* a fix adds one; an undo may be of the oldest */
	int r;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < plan->n_rules; i++)
		names[i] = plan->rules[i]->name;
	r = kr_prune(fs, f->undo ? KR_HISTORY_MAX : KR_HISTORY_MAX - 1);
	if (r < 0 && r != -ENOMEM)
		kr_diag_add_path(f->diag, KR_ERROR, "tidy", KR_STATE_DIR,
		                 "cannot be tidied up: %s", strerror(-r));
	if (r < 0)
		return r;
	return kr_transaction_prepare(fs, &f->fix->plan->edits, &about, f->diag,
	                              &f->tx);
}

/* Before the first rename: from here on systemd takes it back if we cannot. */
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
		                             "systemd cannot be made to take "
		                             "the change back");
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
	uint64_t since = kr_now_usec();
	int r;

	if (kr_apply_interrupted(f) < 0)
		return kr_apply_end_interrupted(f);
	if (!has_edits(f))
		return KR_STEP_GO_ON;
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
	/* whoever configures kubelet may have done so meanwhile */
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

/* "NAME = VALUE", or how many there are. */
static int name_planned(const struct kr_applying *f, char **ret)
{
	const struct kr_audit *before = f->fix->before;
	const struct kr_plan *plan = f->fix->plan;
	_cleanup_free_ char *value = NULL;
	int r;

	if (before->n_items > 1 && plan->n_rules > 0) {
		for (size_t i = 0; i < plan->n_rules; i++) {
			r = kr_format(ret, "%s%s%s", *ret ? *ret : "",
			              i == 0                   ? ""
			              : i + 1 == plan->n_rules ? " and "
			                                       : ", ",
			              plan->rules[i]->name);
			if (r < 0)
				return r;
		}
		return kr_format(ret, "%s as demanded", *ret);
	}
	if (before->n_items > 1)
		return kr_format(ret, "what its files say");
	r = kr_value_format(&kr_apply_planned_view(f, 0)->value, &value);
	return r < 0 ? r
	             : kr_format(ret, "%s = %s", before->items[0].rule->name,
	                         value);
}

static int end_restarted(struct kr_applying *f)
{
	const char *unasked = f->forward.settling.unasked;
	_cleanup_free_ char *with = NULL;
	int r = name_planned(f, &with);

	if (r < 0)
		return r;
	if (!unasked)
		return kr_apply_end(f, KR_OUTCOME_FIXED,
		                    "kubelet runs with %s now and is healthy",
		                    with);
	return kr_apply_end(
		f, KR_OUTCOME_FIXED,
		"kubelet runs with %s now, and has for %llu s; "
		"whether it is healthy was not asked: %s",
		with,
		(unsigned long long)(KR_SETTLED_UNASKED_USEC / KR_USEC_PER_SEC),
		unasked);
}

/* How many controls the plan leaves, but for those that are waived. */
static size_t count_left(const struct kr_applying *f)
{
	const struct kr_plan *plan = f->fix->plan;
	size_t n = 0;

	for (size_t i = 0; plan && i < plan->n_left; i++)
		n += plan->left[i].why != KR_WHY_WAIVED;
	return n;
}

/* The files, which are right unless something is left. */
static int end_written(struct kr_applying *f, const char *rest)
{
	_cleanup_free_ char *planned = NULL;
	int r;

	if (count_left(f) == 0)
		return kr_apply_end(f, KR_OUTCOME_FIXED,
		                    "the files are right now%s", rest);
	r = name_planned(f, &planned);
	return r < 0 ? r
	             : kr_apply_end(f, KR_OUTCOME_FIXED,
	                            "the files have %s now%s", planned, rest);
}

static int end_done(struct kr_applying *f)
{
	struct kr_node *node = kr_apply_node(f);

	if (f->fix->plan->unconfigured)
		return kr_apply_end(f, KR_OUTCOME_UNCONFIGURED,
		                    "%s; %s was written for when it is",
		                    kr_apply_before(f)->disk.reason,
		                    f->fix->plan->durable.place);
	if (f->fix->restarts)
		return end_restarted(f);
	if (!has_edits(f))
		return kr_apply_end(f, KR_OUTCOME_FIXED,
		                    "systemd has read %s anew, nothing else "
		                    "was changed",
		                    node->unit_name);
	if (!node->live)
		return end_written(f, "");
	if (f->options->restart == KR_RESTART_AUTO && f->unhealthy_why) {
		kr_diag_add(f->diag, KR_WARNING, "unhealthy-before",
		            KR_SPAN_NONE,
		            "kubelet was not healthy before (%s) and was not "
		            "restarted",
		            f->unhealthy_why);
		kr_apply_want_log(f, NULL, NULL);
	}
	return end_written(f, "; kubelet was not restarted");
}

/* What was wrong with the node before is no error any more. */
static void calm_down(struct kr_applying *f)
{
	for (size_t i = 0; i < f->n_before; i++) {
		if (f->diag->messages[i].severity == KR_ERROR)
			f->diag->messages[i].severity = KR_NOTE;
	}
}

/* The folders that the undone fix made and that are empty now. Those in which
 * an old file still lies go with it. */
static int remove_folders(struct kr_applying *f)
{
	for (size_t i = 0; i < f->undone->n_files; i++) {
		const struct kr_manifest_file *file = &f->undone->files[i];
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
 * The change stands: its record says so; one that took another back leaves
 * none. A change whose record does not say that it stands would be taken back
 * by the next run: better now, unless it stays for want of a better end.
 */
static int keep(struct kr_applying *f)
{
	int r;

	if (!f->tx)
		return KR_STEP_GO_ON;
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

/* The change is tried and proven, or taken back. */
static int try_it(struct kr_applying *f)
{
	int r = kr_apply_activate(f);

	if (r != KR_STEP_GO_ON)
		return r;
	r = verify(f);
	return r == KR_STEP_GO_ON ? end_done(f) : r;
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

/* What kubelet runs with for the rule I, where that fails: of a kubelet that
 * stayed it may only be known from before, since its file is another now. NULL:
 * it does not fail, or nobody can tell. */
static const struct kr_value *find_wrong(const struct kr_applying *f,
                                         const struct kr_audit *last, size_t i)
{
	const struct kr_judgement *before = &f->fix->before->items[i];
	const struct kr_judgement *now = &last->items[i];

	if (now->running.answer == KR_ANSWER_FAIL)
		return &now->running.value;
	if (now->live.answer == KR_ANSWER_FAIL)
		return &now->live.value;
	if (now->running.state == KR_STATE_UNKNOWN &&
	    !kr_state_is_value(now->live.state) && !f->fix->restarts &&
	    last->pid > 0 && last->pid == f->fix->before->pid &&
	    before->running.answer == KR_ANSWER_FAIL)
		return &before->running.value;
	return NULL;
}

/*
 * The files are right, and kubelet runs with the old value: that is no end for
 * who did not ask for it, and is not passed over in silence by who did.
 */
static int check_running(struct kr_applying *f)
{
	const struct kr_audit *last =
		f->fix->after ? f->fix->after : f->fix->before;
	enum kr_outcome outcome = f->fix->outcome;
	const struct kr_judgement *wrong = NULL;
	_cleanup_free_ char *first = NULL;
	bool stays =
		outcome == KR_OUTCOME_FIXED || outcome == KR_OUTCOME_UNCHANGED;

	if (f->undo || f->options->dry_run || !stays || !last)
		return KR_STEP_ENDED;
	for (size_t i = 0; i < last->n_items; i++) {
		const struct kr_judgement *now = &last->items[i];
		const struct kr_value *has = find_wrong(f, last, i);
		_cleanup_free_ char *value = NULL;
		int r;

		if (kr_apply_is_left(f, i) || !has)
			continue;
		r = kr_value_format(has, &value);
		if (r < 0)
			return r;
		kr_diag_add(f->diag, KR_WARNING, KR_STILL_FALSE, KR_SPAN_NONE,
		            "kubelet still runs with %s = %s until it is "
		            "restarted",
		            now->rule->name, value);
		if (!wrong)
			first = TAKE_PTR(value);
		wrong = wrong ? wrong : now;
	}
	if (!wrong || f->options->restart == KR_RESTART_NEVER)
		return KR_STEP_ENDED;
	return kr_apply_end(f, KR_OUTCOME_PARTLY,
	                    "the files are right, but kubelet still runs with "
	                    "%s = %s: it was not restarted (%s)",
	                    wrong->rule->name, first,
	                    f->unhealthy_why ? f->unhealthy_why
	                                     : "it is not healthy");
}

/* What is left keeps a fix from being whole. */
static int check_left(struct kr_applying *f)
{
	_cleanup_free_ char *reason = NULL;
	size_t n = count_left(f);
	int r;

	if (n == 0 || (f->fix->outcome != KR_OUTCOME_FIXED &&
	               f->fix->outcome != KR_OUTCOME_UNCHANGED))
		return KR_STEP_ENDED;
	if (f->fix->outcome == KR_OUTCOME_UNCHANGED)
		return kr_apply_end(f, KR_OUTCOME_UNCHANGED,
		                    "nothing %s changed: %zu control%s left as "
		                    "%s",
		                    f->options->dry_run ? "would be" : "was", n,
		                    n == 1 ? " is" : "s are",
		                    n == 1 ? "it is" : "they are");
	reason = TAKE_PTR(f->fix->reason);
	r = kr_apply_end(f, KR_OUTCOME_PARTLY, "%s; %zu control%s left", reason,
	                 n, n == 1 ? " is" : "s are");
	return r;
}

/* Whatever it looked like to us. */
static int end_taken(struct kr_applying *f)
{
	f->stays = false;
	kr_diag_add(f->diag, KR_WARNING, "taken-back", KR_SPAN_NONE,
	            "this run did not go on in its time: 'kubelet-remedy "
	            "recover' has taken it back, or is about it");
	return kr_apply_end(f, KR_OUTCOME_FAILED,
	                    "this run did not go on in its time and was taken "
	                    "back by recover meanwhile");
}

/* The steps up to the first write, which is none of them. */
static int (*const checks[])(struct kr_applying *) = {
	kr_apply_wait_starting, decide_restart, check_bits,
	check_pending,          check_files,    check_bus,
	kr_apply_check_live,
};

static int run(struct kr_applying *f)
{
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		r = checks[i](f);
		if (r != KR_STEP_GO_ON)
			return r;
	}
	if (!has_work(f))
		return end_compliant(f);
	if (f->options->dry_run)
		return end_preview(f);
	r = kr_apply_lock(f);
	if (r != KR_STEP_GO_ON)
		return r;
	r = write_files(f);
	if (r == KR_STEP_GO_ON)
		r = finish(f);
	if (r == KR_STEP_TAKEN || (r != -ENOMEM && !kr_apply_is_mine(f)))
		return end_taken(f);
	/* else one that is armed does what we cannot */
	if (r >= 0 && !f->owes_restart)
		kr_watchdog_disarm(&f->watchdog, f->fix->host);
	return r;
}

int kr_apply_run(struct kr_applying *f)
{
	int r = run(f);

	if (r != KR_STEP_ENDED)
		return r;
	r = check_running(f);
	if (r < 0)
		return r;
	r = check_left(f);
	if (r < 0)
		return r;
	kr_apply_read_log(f);
	return r;
}
