/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How a run ends, in one sentence: what a preview would do, what stands now,
 * what kubelet still runs with, what is left, and which control is to blame
 * where all was put back. Nothing of the node is changed here.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "fix/apply.h"
#include "fix/blame.h"
#include "host/figures.h"
#include "host/watchdog.h"

/* The plan's audit becomes that of the node as it would be, with the kubelet
 * that runs then: the kubelet that the restart starts, or the one that stays.
 */
static int predict(struct kr_applying *f)
{
	struct kr_audit_options options = kr_apply_audit_options(f);
	_cleanup_diag_ struct kr_diag found = {0};
	struct kr_plan *plan = f->fix->plan;
	int r = 0;

	if (plan->unconfigured)
		return 0;
	if (!plan->after)
		r = kr_node_with_edits(kr_apply_node(f), &plan->edits, &found,
		                       &plan->after);
	if (r < 0)
		return r;
	if (f->fix->restarts)
		options = (struct kr_audit_options){
			.explicit_wanted = options.explicit_wanted,
			.waivers = options.waivers,
			.live = KR_STATE_ABSENT,
			.restarts = true,
		};
	else
		options.ran = f->fix->before;
	plan->audit = kr_audit_free(plan->audit);
	return kr_audit_run(plan->after, f->options->rules, &options, &found,
	                    &plan->audit);
}

/* Whether one of EDITS changes bytes that M is about. */
static bool cures(const struct kr_edits *edits, const struct kr_message *m)
{
	KR_EACH(const struct kr_file_edits, file, edits->files,
	        edits->n_files) {
		if (strcmp(file->path, m->file) != 0)
			continue;
		KR_EACH(const struct kr_edit, e, file->edits, file->n_edits) {
			if (m->offset - 1 < e->offset + e->length &&
			    e->offset < m->offset - 1 + m->length)
				return true;
		}
	}
	return false;
}

void kr_apply_mark_cured(struct kr_applying *f)
{
	for (size_t i = 0; !f->undo && i < f->n_before; i++) {
		struct kr_message *m = &f->diag->messages[i];

		m->cured = m->severity == KR_ERROR && m->file &&
		           m->offset > 0 && cures(&f->fix->plan->edits, m);
	}
}

int kr_apply_end_preview(struct kr_applying *f)
{
	size_t n = f->fix->plan->edits.n_files;
	int r = predict(f);

	if (r < 0)
		return r == -ENOMEM ? r : kr_apply_end_unread(f, r);
	if (f->fix->watched)
		kr_watchdog_warn_of_reboot(f->fix->host, f->diag);
	kr_apply_mark_cured(f);
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
	                              "read kubelet's unit again");
}

/* The files say what is wanted, and nothing is to be done about kubelet. */
int kr_apply_end_compliant(struct kr_applying *f)
{
	const struct kr_audit *before = f->fix->before;

	if (before->verdict == KR_VERDICT_PASS) {
		kr_host_warn_down(f->fix->host, f->diag);
		return kr_apply_end(f, KR_OUTCOME_UNCHANGED, "%s%s",
		                    before->n_items == 1 ? before->reason
		                                         : "no control fails",
		                    f->options->dry_run
		                            ? ""
		                            : "; nothing was changed, nothing "
		                              "was restarted");
	}
	if (f->options->restart == KR_RESTART_AUTO && f->unhealthy_why) {
		kr_diag_add(f->diag, KR_WARNING, "unhealthy-before",
		            KR_SPAN_NONE,
		            "kubelet is not healthy (%s) and was not restarted",
		            f->unhealthy_why);
		kr_apply_want_log(f, NULL, NULL);
	}
	return kr_apply_end(f, KR_OUTCOME_UNCHANGED,
	                    "the files are correct already, kubelet was not "
	                    "restarted: %s",
	                    before->reason);
}

/* So many are named in the sentence; each stands below it, with its value. */
#define N_NAMED 3

/* Which of several controls are fixed. */
static int say_fixed(const struct kr_plan *plan, char **ret)
{
	_cleanup_free_ char *names = NULL;
	size_t n = 0, named = 0;
	int r = 0;

	for (size_t i = 0; i < plan->n_rules; i++)
		n += !kr_plan_left(plan, plan->rules[i]);
	if (n == 0)
		return kr_format(ret, "a part of what is demanded is fixed");
	if (n > N_NAMED)
		return kr_format(ret, "%zu controls are fixed", n);
	for (size_t i = 0; r == 0 && i < plan->n_rules; i++) {
		if (kr_plan_left(plan, plan->rules[i]))
			continue;
		named++;
		r = kr_format(&names, "%s%s%s", names ? names : "",
		              named == 1   ? ""
		              : named == n ? " and "
		                           : ", ",
		              plan->rules[i]->name);
	}
	return r < 0 ? r
	             : kr_format(ret, "%s %s fixed", names,
	                         n == 1 ? "is" : "are");
}

/* "NAME = VALUE" of the only control. */
static int name_value(const struct kr_applying *f, char **ret)
{
	return kr_judge_say(f->fix->before->items[0].rule,
	                    kr_apply_planned_view(f, 0), " = ", ret);
}

/* Whether the only control is that kubelet runs with a value: modes and owners
 * are nothing that it runs with. */
static bool is_of_value(const struct kr_applying *f)
{
	const struct kr_audit *before = f->fix->before;

	return before->n_items == 1 && before->items[0].rule->n_fields > 0 &&
	       !kr_plan_left(f->fix->plan, before->items[0].rule);
}

/* What the plan has done, where that is not one value of kubelet. */
static int say_done(const struct kr_applying *f, char **ret)
{
	if (f->undo)
		return kr_format(ret,
		                 "the files are as they were before the fix");
	return f->fix->plan->n_rules > 0 ? say_fixed(f->fix->plan, ret)
	                                 : kr_format(ret, "the files are "
	                                                  "correct");
}

static int end_restarted(struct kr_applying *f)
{
	const char *unasked = f->forward.settling.unasked;
	_cleanup_free_ char *what = NULL;
	const bool value = is_of_value(f);
	int r = value ? name_value(f, &what) : say_done(f, &what);

	if (r < 0)
		return r;
	if (!unasked)
		return kr_apply_end(f, KR_OUTCOME_FIXED,
		                    value ? "kubelet runs with %s now and is "
		                            "healthy"
		                          : "%s; kubelet was restarted and is "
		                            "healthy",
		                    what);
	return kr_apply_end(
		f, KR_OUTCOME_FIXED,
		value ? "kubelet runs with %s now, and has for %llu s; "
			"whether it is healthy was not asked: %s"
		      : "%s; kubelet was restarted and runs for %llu s; "
			"whether it is healthy was not asked: %s",
		what,
		(unsigned long long)(KR_SETTLED_UNASKED_USEC / KR_USEC_PER_SEC),
		unasked);
}

/* What an undo leaves, which may be what fails. */
static int end_put_back(struct kr_applying *f, const char *rest)
{
	const struct kr_view *v = kr_apply_planned_view(f, 0);
	_cleanup_free_ char *said = NULL;
	int r;

	if (f->fix->before->n_items == 1 && v->state == KR_STATE_VALUE &&
	    f->fix->before->items[0].rule->n_fields == 0)
		return kr_apply_end(f, KR_OUTCOME_FIXED, "%s is %s now%s",
		                    f->fix->before->items[0].rule->name,
		                    v->value.s, rest);
	if (f->fix->before->n_items > 1 || !kr_state_is_value(v->state))
		return kr_apply_end(f, KR_OUTCOME_FIXED,
		                    "the files are as they were before the "
		                    "fix%s",
		                    rest);
	r = name_value(f, &said);
	return r < 0 ? r
	             : kr_apply_end(f, KR_OUTCOME_FIXED,
	                            "kubelet would start with %s now%s", said,
	                            rest);
}

/* The files, which are right unless something is left. */
static int end_written(struct kr_applying *f, const char *rest)
{
	_cleanup_free_ char *planned = NULL;
	int r;

	if (f->undo)
		return end_put_back(f, rest);
	if (kr_plan_n_failing(f->fix->plan) == 0)
		return kr_apply_end(f, KR_OUTCOME_FIXED,
		                    "the files are correct%s", rest);
	r = say_done(f, &planned);
	return r < 0 ? r
	             : kr_apply_end(f, KR_OUTCOME_FIXED, "%s%s", planned, rest);
}

const char *kr_apply_unconfigured(const struct kr_applying *a)
{
	const struct kr_node_disk *disk = &a->fix->host->node->disk;

	/* a file that is judged alone has a value */
	return disk->start == KR_START_FILE ? disk->reason
	                                    : kr_apply_before(a)->disk.reason;
}

int kr_apply_end_done(struct kr_applying *f)
{
	struct kr_node *node = kr_apply_node(f);

	if (f->fix->plan->unconfigured)
		return kr_apply_end(f, KR_OUTCOME_UNCONFIGURED,
		                    "%s; %s was written for when it is",
		                    kr_apply_unconfigured(f),
		                    f->fix->plan->durable.place);
	if (f->fix->restarts)
		return end_restarted(f);
	if (!kr_apply_has_edits(f))
		return kr_apply_end(f, KR_OUTCOME_FIXED,
		                    "systemd has read %s again, nothing else "
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

/* What kubelet runs with for the rule I, where that fails: of a kubelet that
 * stayed it may only be known from before, since its file is another now. NULL:
 * it does not fail, or that is unknown. */
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
 * The files are correct, and kubelet runs with the old value: that is no end
 * for who did not ask for it, and is not passed over in silence by who did.
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
		            "kubelet still runs with %s = %s %s",
		            now->rule->name, value,
		            f->fix->restarts ? "behind its restart"
		                             : "until it is restarted");
		if (!wrong)
			first = TAKE_PTR(value);
		wrong = wrong ? wrong : now;
	}
	if (!wrong || f->options->restart == KR_RESTART_NEVER)
		return KR_STEP_ENDED;
	if (f->fix->restarts)
		return kr_apply_end(f, KR_OUTCOME_PARTLY,
		                    "the files are correct and kubelet was "
		                    "restarted, but still runs with %s = %s",
		                    wrong->rule->name, first);
	return kr_apply_end(
		f, KR_OUTCOME_PARTLY,
		"the files are correct, but kubelet still runs with "
		"%s = %s: it was not restarted (%s)",
		wrong->rule->name, first,
		f->unhealthy_why ? f->unhealthy_why : "it is not healthy");
}

/* What is left keeps a fix from being whole. */
static int check_left(struct kr_applying *f)
{
	_cleanup_free_ char *reason = NULL;
	size_t n = kr_plan_n_failing(f->fix->plan);

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
	return kr_apply_end(f, KR_OUTCOME_PARTLY, "%s; %zu control%s left",
	                    reason, n, n == 1 ? " is" : "s are");
}

/* Whatever it looked like to us. */
int kr_apply_end_taken(struct kr_applying *f)
{
	f->stays = false;
	kr_diag_add(f->diag, KR_WARNING, "taken-back", KR_SPAN_NONE,
	            "this run did not continue in time: 'kubelet-remedy "
	            "recover' has reverted it, or is about to");
	return kr_apply_end(f, KR_OUTCOME_FAILED,
	                    "this run did not continue in time, and "
	                    "'kubelet-remedy recover' reverted it");
}

/* Which control a kubelet that did not come up means: later plans leave it out,
 * and do the rest. */
static int note_blame(struct kr_applying *f)
{
	const struct kr_plan *plan = f->fix->plan;
	int r = 0;

	if (f->undo || f->fix->outcome != KR_OUTCOME_ROLLED_BACK || !f->tx)
		return KR_STEP_ENDED;
	if (!f->blamed) {
		f->blamed =
			kr_blame_find(&f->fix->log, plan->rules, plan->n_rules);
		if (f->blamed)
			r = kr_transaction_blame(f->tx, f->blamed->name,
			                         f->diag);
	}
	if (r == -ENOMEM)
		return r;
	if (r == 0 && f->blamed && plan->n_rules > 1)
		kr_diag_add(f->diag, KR_NOTE, "blamed", KR_SPAN_NONE,
		            "it was put back for %s: the next fix leaves that "
		            "out and does the others, --retry tries it again",
		            f->blamed->name);
	if (r == 0 && !f->blamed && f->disliked && plan->n_rules > 1)
		kr_diag_add(f->diag, KR_NOTE, "not-blamed", KR_SPAN_NONE,
		            "to fix the other controls, leave out the one at "
		            "fault: --skip=NAME");
	return KR_STEP_ENDED;
}

int kr_apply_sum_up(struct kr_applying *f)
{
	int r = check_running(f);

	if (r < 0)
		return r;
	r = check_left(f);
	if (r < 0)
		return r;
	f->fix->wants_undo = f->fix->outcome == KR_OUTCOME_BROKEN && f->stays &&
	                     f->was_healthy && !f->undo;
	kr_apply_read_log(f);
	return note_blame(f);
}
