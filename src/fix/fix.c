/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fix: read the node, audit it, make a plan that is proven, and apply it
 * (fix/apply). What is known beside the node's files is found before the plan:
 * what its owner said, what is seen on the node (fix/holds), and what was tried
 * before (fix/remembered).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/vec.h"
#include "fix/apply.h"
#include "fix/fix.h"
#include "fix/holds.h"
#include "fix/remembered.h"

static const char *const outcome_names[] = {
	[KR_OUTCOME_UNCHANGED] = "unchanged",
	[KR_OUTCOME_FIXED] = "fixed",
	[KR_OUTCOME_PARTLY] = "partly-fixed",
	[KR_OUTCOME_WOULD_FIX] = "would-fix",
	[KR_OUTCOME_UNCONFIGURED] = "unconfigured",
	[KR_OUTCOME_REFUSED] = "refused",
	[KR_OUTCOME_FAILED] = "failed",
	[KR_OUTCOME_ROLLED_BACK] = "rolled-back",
	[KR_OUTCOME_BROKEN] = "broken",
};

static_assert(ARRAY_SIZE(outcome_names) == _KR_OUTCOME_MAX, "a name for each");

static const char *const restart_names[] = {
	[KR_RESTART_AUTO] = "auto",
	[KR_RESTART_ALWAYS] = "always",
	[KR_RESTART_NEVER] = "never",
};

static_assert(ARRAY_SIZE(restart_names) == _KR_RESTART_MAX, "a name for each");

const char *kr_fix_outcome(const struct kr_fix *fix)
{
	if (fix->undo && fix->outcome == KR_OUTCOME_FIXED)
		return "undone";
	if (fix->undo && fix->outcome == KR_OUTCOME_WOULD_FIX)
		return "would-undo";
	return outcome_names[fix->outcome];
}

int kr_restart_from_string(const char *s, enum kr_restart *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(restart_names); i++) {
		if (strcmp(s, restart_names[i]) == 0) {
			*ret = (enum kr_restart)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* The unit of another program that starts kubelet runs more than kubelet. */
static int check_restart(struct kr_applying *f)
{
	const struct kr_foreign *foreign = f->fix->host->node->disk.foreign;

	if (!foreign || f->options->restart != KR_RESTART_ALWAYS)
		return KR_STEP_GO_ON;
	kr_diag_add(f->diag, KR_ERROR, "not-a-unit", KR_SPAN_NONE,
	            "%s starts kubelet and is not restarted by this program: "
	            "run '%s'",
	            foreign->name, foreign->restart);
	return kr_apply_end_by_error(f, KR_OUTCOME_REFUSED, "not kubelet's");
}

/* What the plan would cure. */
static bool is_own(const struct kr_message *m, const void *userdata)
{
	const struct kr_audit *before = userdata;

	return KR_ANY(j, before->items, before->n_items,
	              kr_judgement_owns(j, m));
}

/* What stops the plan comes before what it would cure. */
static int end_refused(struct kr_applying *f)
{
	int r = kr_diag_put_last(f->diag, is_own, f->fix->before);

	return r < 0 ? r
	             : kr_apply_end_by_error(f, KR_OUTCOME_REFUSED,
	                                     "no safe edit");
}

/* A control is named and waived: the owner has to say which of both is
 * meant. */
static int check_waived(struct kr_applying *f)
{
	const struct kr_consent *said = f->options->consents;

	for (size_t i = 0; said && i < f->options->rules->n_items; i++) {
		const struct kr_judgement *j = &f->fix->before->items[i];

		if (!j->waiver || !said[i].named)
			continue;
		kr_diag_add(f->diag, KR_ERROR, "waived", KR_SPAN_NONE,
		            "%s is waived: %s", j->rule->name,
		            j->waiver->reason);
		return kr_apply_end_by_error(f, KR_OUTCOME_REFUSED, "waived");
	}
	return KR_STEP_GO_ON;
}

/* The plan that was shown may be another one by now. One that changes no file
 * has nothing to hide: it was made already. */
static int check_expected(struct kr_applying *f)
{
	const char *expect = f->options->expect;
	int r = kr_plan_hash(&f->fix->plan->edits, f->fix->hash);

	if (r < 0 || !expect || !*f->fix->hash ||
	    strcmp(expect, f->fix->hash) == 0)
		return r < 0 ? r : KR_STEP_GO_ON;
	kr_diag_add(f->diag, KR_ERROR, "other-plan", KR_SPAN_NONE,
	            "the plan is not %s: it is %s now, which 'fix -n' shows",
	            expect, f->fix->hash);
	return kr_apply_end_by_error(f, KR_OUTCOME_REFUSED, "another plan");
}

static int plan_with(struct kr_applying *f, const struct kr_consent *consents)
{
	const struct kr_plan_options options = {
		.method = f->options->method,
		.consents = consents,
		.explicit_wanted = f->options->explicit_wanted,
		.no_persist = f->options->no_persist,
		.medium = f->options->medium,
		.preview = f->options->dry_run,
		/* else it is the preview of what root would do */
		.check_files = kr_apply_may_write(f)
	                               ? kr_transaction_check_files
	                               : NULL,
	};

	return kr_plan_make(f->fix->host->node, f->fix->before, &options,
	                    f->diag, &f->fix->plan);
}

/* A value of --set that is there already, or that this kubelet has no place
 * for, is not passed over in silence. */
static void name_idle_sets(struct kr_applying *f)
{
	const struct kr_plan *plan = f->fix->plan;

	KR_EACH(const struct kr_judgement, j, f->fix->before->items,
	        f->fix->before->n_items) {
		if (j->rule->of && !kr_plan_fixes(plan, j->rule) &&
		    !kr_plan_left(plan, j->rule))
			kr_diag_add(f->diag, KR_NOTE, "set-idle", KR_SPAN_NONE,
			            "--set=%s writes nothing: %s",
			            j->rule->name, j->reason);
	}
}

static int make_plan(struct kr_applying *f)
{
	struct kr_holds holds = {0};
	int r = check_waived(f);

	if (r != KR_STEP_GO_ON)
		return r;
	r = kr_holds_find(f, &holds);
	if (r != KR_STEP_GO_ON)
		return r;
	r = kr_remembered_bar(f, &holds);
	if (r < 0) {
		kr_holds_done(&holds);
		return r;
	}
	r = plan_with(f, holds.consents);
	kr_holds_done(&holds);
	if (r == KR_NOTHING_YET)
		return kr_apply_end(f, KR_OUTCOME_UNCONFIGURED, "%s",
		                    kr_apply_unconfigured(f));
	if (r == KR_REFUSED)
		return end_refused(f);
	if (r < 0 && r != -ENOMEM)
		return kr_apply_end_unread(f, r);
	if (r < 0)
		return r;
	name_idle_sets(f);
	r = check_expected(f);
	return r == KR_STEP_GO_ON ? check_restart(f) : r;
}

static int run(struct kr_applying *f,
               const struct kr_node_options *node_options)
{
	int r = kr_apply_read(f, node_options);

	if (r != KR_STEP_GO_ON)
		return r;
	r = make_plan(f);
	if (r != KR_STEP_GO_ON)
		return r;
	r = kr_remembered_check(f);
	return r == KR_STEP_GO_ON ? kr_apply_run(f) : r;
}

int kr_fix_run(const struct kr_node_options *node_options,
               const struct kr_fix_options *options, struct kr_diag *diag,
               struct kr_fix **ret)
{
	_cleanup_fix_ struct kr_fix *fix = calloc(1, sizeof(*fix));
	_cleanup_(kr_applying_done) struct kr_applying f = {
		.options = options, .fix = fix, .diag = diag, .lock_fd = -1};
	int r;

	if (!fix)
		return -ENOMEM;
	fix->api = options->api;
	fix->wait_usec = options->wait_usec;
	fix->actions.teller = options->teller;
	do {
		r = run(&f, node_options);
	} while (r == KR_STEP_AGAIN);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(fix);
	return 0;
}

const struct kr_durable *kr_fix_durable(const struct kr_fix *fix)
{
	return fix->plan && fix->plan->durable.platform ? &fix->plan->durable
	                                                : NULL;
}

char *kr_fix_reason(const struct kr_fix *fix)
{
	const size_t length = fix->lines ? strlen(fix->lines) - 1 : 0;
	char *whole = NULL;

	return kr_format(&whole, "%s%s%.*s", fix->reason,
	                 length > 0 ? "\n" : "", (int)length,
	                 fix->lines ? fix->lines : "") < 0
	               ? NULL
	               : whole;
}

struct kr_fix *kr_fix_free(struct kr_fix *fix)
{
	if (!fix)
		return NULL;
	kr_plan_free(fix->plan);
	kr_audit_free(fix->before);
	kr_audit_free(fix->after);
	kr_actions_done(&fix->actions);
	kr_log_done(&fix->log);
	kr_host_free(fix->host);
	kr_host_free(fix->host_after);
	free(fix->recovered_unit);
	free(fix->recovered_config);
	free(fix->unit);
	free(fix->config);
	free(fix->reason);
	free(fix->lines);
	free(fix);
	return NULL;
}
