/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is looked at before the first write: whether kubelet has to be restarted
 * for the plan, and whether anything speaks against it.
 *
 * kubelet's health is looked at before the first write. "auto" does not restart
 * a kubelet that was down or unhealthy, with two exceptions, which must get
 * healthy: the disk was invalid and the plan corrects that; or an undo finds
 * kubelet unhealthy after the fix. A kubelet that runs while systemd cannot be
 * reached is not a kubelet that is down: a restart that is owed and cannot be
 * made is refused.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "fix/apply.h"
#include "fix/pending.h"
#include "host/health.h"
#include "policy/iptables.h"
#include "store/others.h"

bool kr_apply_has_edits(const struct kr_applying *f)
{
	return f->fix->plan->edits.n_files > 0;
}

bool kr_apply_has_work(const struct kr_applying *f)
{
	return kr_apply_has_edits(f) || f->fix->restarts || f->fix->reloads;
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
		/* not known, not yet, or need not be: it is taken to be healthy
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

/* An undo restarts the kubelet that was started after the fix, also one that
 * the fix has made ill: it is the way back. One that was stopped is a wish. */
static bool wants_restart_back(struct kr_applying *f)
{
	const struct kr_loaded_unit *unit = f->fix->host->loaded;
	bool stopped = unit && strcmp(unit->active_state, "inactive") == 0;

	/* kubelet does not read what only the platform does, nor modes and
	 * owners again */
	return (f->was_healthy || !stopped) &&
	       !kr_durable_only(&f->fix->plan->edits) &&
	       !kr_edits_in_place(&f->fix->plan->edits) &&
	       kr_host_is_newer(f->fix->host, f->undone);
}

/* Whether kubelet reads what the plan changes; not modes and owners again. */
static bool reads_edits(const struct kr_applying *f)
{
	return kr_apply_has_edits(f) &&
	       !kr_edits_in_place(&f->fix->plan->edits);
}

/* Whether a restart brings a control that is not left what it demands. */
static bool restart_serves(const struct kr_applying *f)
{
	return reads_edits(f) ||
	       kr_apply_find(f, f->fix->before, kr_judgement_runs_wrong);
}

static bool wants_restart(struct kr_applying *f)
{
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
	if (f->undo)
		return wants_restart_back(f);
	return f->was_healthy ? restart_serves(f)
	                      : reads_edits(f) && f->was_invalid;
}

static int decide_restart(struct kr_applying *f)
{
	const struct kr_audit *before = f->fix->before;
	int r;

	f->fix->restarts = f->fix->reloads = f->fix->watched = false;
	f->fix->asks_live = false;
	f->was_invalid = kr_apply_cures(f);
	if (!kr_apply_node(f)->live || f->fix->plan->unconfigured)
		return 0;
	r = look_at_health(f);
	if (r < 0)
		return r;
	f->fix->restarts = wants_restart(f);
	f->fix->watched = f->fix->restarts && kr_apply_has_edits(f) &&
	                  !f->options->no_rollback;
	f->fix->reloads = f->fix->plan->unit_changes || before->reload_needed;
	f->fix->asks_live =
		f->fix->restarts && f->live.state != KR_STATE_ABSENT;
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
	return kr_apply_refuse(
		f, "mark-bits-equal",
		"iptablesMasqueradeBit and iptablesDropBit are both %d: a "
		"kubelet before 1.28 would not survive the restart, one of "
		"them "
		"must be another bit",
		bit);
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
	return kr_apply_end(f, KR_OUTCOME_REFUSED, "%s",
	                    kr_diag_find(f->diag, "pending-arguments")->text);
}

static bool is_held(const struct kr_applying *f, const struct kr_judgement *j)
{
	const struct kr_left *left = kr_plan_left(f->fix->plan, j->rule);

	return left && left->why == KR_WHY_HOLD &&
	       j->disk.answer == KR_ANSWER_PASS && kr_judgement_runs_wrong(j);
}

/* The first control that a restart alone would change, and that is held. */
static const struct kr_judgement *find_held(const struct kr_applying *f)
{
	const struct kr_audit *before = f->fix->before;

	return KR_FIRST(j, before->items, before->n_items, is_held(f, j));
}

/* A restart for others would change what is held, too: it is refused. One that
 * serves nothing else (--restart=always) is not made, and the control is left.
 */
static int check_held(struct kr_applying *f)
{
	const struct kr_judgement *held =
		f->fix->restarts && !f->undo ? find_held(f) : NULL;

	if (!held)
		return KR_STEP_GO_ON;
	if (restart_serves(f))
		return kr_apply_refuse(
			f, "held",
			"a restart would change %s, and that is held: %s",
			held->rule->name,
			kr_plan_left(f->fix->plan, held->rule)->text);
	f->fix->restarts = f->fix->watched = f->fix->asks_live = false;
	return KR_STEP_GO_ON;
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
	return kr_apply_refuse(f, "own-unit",
	                       "this program runs inside %s, whose restart "
	                       "would end it",
	                       unit);
}

static int check_bus(struct kr_applying *f)
{
	if (!kr_apply_node(f)->live || !kr_apply_has_work(f))
		return KR_STEP_GO_ON;
	if (kr_apply_can_restart(f))
		return check_own_unit(f);
	if (f->fix->restarts) {
		return kr_apply_refuse(f, "no-bus",
		                       "kubelet cannot be restarted, since "
		                       "systemd cannot be reached");
	}
	if (f->fix->reloads)
		kr_diag_add(f->diag, KR_WARNING, "reload-owed", KR_SPAN_NONE,
		            "systemd cannot be reached: it has to "
		            "read %s again (systemctl daemon-reload)",
		            kr_apply_node(f)->unit_name);
	f->fix->reloads = false;
	return KR_STEP_GO_ON;
}

#define NOT_ROOT "only root may change this node: run this with sudo"

/* What a preview can look at without writing is refused there, too. */
static int check_files(struct kr_applying *f)
{
	struct kr_node *node = kr_apply_node(f);
	const struct kr_edits *edits = &f->fix->plan->edits;
	int r;

	if (!kr_apply_has_work(f))
		return KR_STEP_GO_ON;
	r = kr_others_warn(node->fs, edits, node->live, f->diag);
	if (r < 0 || (!kr_apply_may_write(f) && f->options->dry_run))
		return r;
	if (!kr_apply_may_write(f)) {
		kr_diag_add(f->diag, KR_ERROR, "not-root", KR_SPAN_NONE,
		            NOT_ROOT);
		return kr_apply_end(f, KR_OUTCOME_REFUSED, NOT_ROOT);
	}
	r = kr_transaction_check(node->fs, edits, f->diag);
	if (r == -ENOMEM)
		return r;
	if (r != KR_CHANGE_DONE)
		return kr_apply_end_by_error(f, KR_OUTCOME_REFUSED,
		                             "the files cannot be replaced");
	return KR_STEP_GO_ON;
}

/* The steps before the first write. */
static int (*const checks[])(struct kr_applying *) = {
	kr_apply_wait_starting, decide_restart, check_bits, check_held,
	check_pending,          check_files,    check_bus,  kr_apply_check_live,
	kr_apply_check_ports,
};

int kr_apply_check(struct kr_applying *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		int r = checks[i](f);

		if (r != KR_STEP_GO_ON)
			return r;
	}
	return KR_STEP_GO_ON;
}
