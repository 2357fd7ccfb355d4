/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fix --configz: what kubelet says of itself through the API server, before and
 * after (CIS remediation 3).
 *
 * Before the first write it must say something: an API server that cannot be
 * reached, or does not let us in, would be found out only after the restart,
 * and all would be put back for nothing. It may be silent where kubelet is not
 * healthy, since that cannot answer; that the API server is there shows in
 * its own status (5xx).
 *
 * Each control that the restart changes must have the planned value there. A
 * control that the plan does not edit and that was wrong there before is left
 * out. That the API server gets an answer at all is the proof of its own way
 * in (fix/ports).
 *
 * After the restart kubelet has settled, but its API port and the API server's
 * way to it may need longer: it is asked until the deadline, and once in any
 * case, with time enough to answer. What it says then is final, it reads its
 * configuration once.
 */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/vec.h"
#include "fix/apply.h"

#define PAUSE_USEC (500 * KR_USEC_PER_MSEC)
#define ASK_USEC   (5 * KR_USEC_PER_SEC)

/* The usual control, which every configz shows, tells whether this is one; what
 * it says of the others is read from the same answer. */
static int ask(struct kr_applying *f, const struct kr_live_wait *wait,
               struct kr_diag *diag)
{
	const int field = kr_rules_usual.items[0]->fields[0];
	int r = kr_live_ask(&f->live, field, wait, diag);

	if (r < 0)
		return r;
	kr_configz_values_done(&f->live_values);
	f->live_values = (struct kr_configz_values){0};
	return f->live.state == KR_STATE_ABSENT
	               ? 0
	               : kr_live_values(&f->live, &f->live_values);
}

int kr_apply_ask_live(struct kr_applying *f)
{
	const struct kr_live_wait wait = {
		.timeout_usec = KR_LIVE_ASK_USEC,
		.tick = f->options->tick,
		.closure = f->options->closure,
		.what = "configz",
		.since_usec = kr_now_usec(),
		.limit_usec = KR_LIVE_ASK_USEC,
	};
	int r;

	kr_live_done(&f->live);
	r = kr_live_open(&f->live, f->options->api, kr_apply_node(f), f->diag);
	if (r < 0)
		return r;
	r = ask(f, &wait, f->diag);
	return r == -EINTR ? kr_apply_end_interrupted(f) : r;
}

void kr_apply_forget_live(struct kr_applying *f)
{
	static const char why[] = "not asked after everything was put back";

	kr_live_forget(&f->live, why);
	KR_EACH(struct kr_configz_value, said, f->live_values.items,
	        KR_N_FIELDS) {
		if (said->state == KR_STATE_ABSENT)
			continue;
		kr_value_done(&said->value);
		*said = (struct kr_configz_value){.state = KR_STATE_UNKNOWN,
		                                  .reason = why};
	}
}

int kr_apply_check_live(struct kr_applying *f)
{
	bool only_files = !f->fix->restarts && f->fix->plan->edits.n_files > 0;

	if (f->live.state != KR_STATE_UNKNOWN || only_files)
		return KR_STEP_GO_ON;
	if (!f->was_healthy && f->live.status >= 500) {
		kr_diag_add(f->diag, KR_WARNING, "live-unknown", KR_SPAN_NONE,
		            "configz does not answer, kubelet is not healthy: "
		            "%s",
		            f->live.reason);
		return KR_STEP_GO_ON;
	}
	kr_diag_add(f->diag, KR_ERROR, "live-unknown", KR_SPAN_NONE,
	            "configz must answer before anything is changed: %s",
	            f->live.reason);
	return kr_apply_end(f, KR_OUTCOME_REFUSED,
	                    "configz must answer before anything is changed: "
	                    "%s",
	                    f->live.reason);
}

/* Until it says something: PROVED, or SILENT; what tick gave; -ENOMEM. */
static int ask_until(struct kr_applying *f, uint64_t deadline_usec)
{
	const struct kr_live_wait wait = {
		.timeout_usec = ASK_USEC,
		.tick = f->options->tick,
		.closure = f->options->closure,
		.what = "configz",
		.since_usec = kr_now_usec(),
		.limit_usec = kr_left_usec(deadline_usec),
	};

	for (;;) {
		int r = ask(f, &wait, NULL);

		if (r < 0 || f->live.state != KR_STATE_UNKNOWN)
			return r;
		if (kr_left_usec(deadline_usec) <= PAUSE_USEC)
			return KR_PROOF_SILENT;
		kr_pause_usec(PAUSE_USEC);
	}
}

/* Of the rule I, which the restart changes: whether configz has the value that
 * was planned. One that it never shows, or not surely, tells nothing. */
static bool is_as_planned(const struct kr_applying *f, size_t i)
{
	const struct kr_rule *rule = f->fix->before->items[i].rule;
	const struct kr_view *wanted = kr_apply_planned_view(f, i);
	const struct kr_configz_value *said;

	if (rule->n_fields != 1 || !kr_state_is_value(wanted->state))
		return true;
	said = &f->live_values.items[rule->fields[0]];
	return !kr_state_is_value(said->state) ||
	       kr_value_equal(&said->value, &wanted->value);
}

/* What configz showed before, too, and the plan does not edit: nothing that the
 * plan did is the cause. It stays as it is, and fails. */
static bool is_as_before(const struct kr_applying *f, size_t i)
{
	const struct kr_judgement *before = &f->fix->before->items[i];

	return !kr_plan_fixes(f->fix->plan, before->rule) &&
	       before->live.answer == KR_ANSWER_FAIL;
}

/* What configz says of the others. An enum kr_proof. */
static int prove_values(struct kr_applying *f, char **ret_failure)
{
	const struct kr_audit *before = f->fix->before;

	for (size_t i = 0; i < before->n_items; i++) {
		const struct kr_rule *rule = before->items[i].rule;
		_cleanup_free_ char *value = NULL;
		int r;

		if (!kr_apply_changes(f, rule) || is_as_planned(f, i) ||
		    is_as_before(f, i))
			continue;
		r = kr_value_format(
			&f->live_values.items[rule->fields[0]].value, &value);
		if (r == 0)
			r = kr_format(ret_failure,
			              "configz says %s = %s after the restart",
			              rule->name, value);
		if (r < 0)
			return r;
		if (kr_plan_fixes(f->fix->plan, rule))
			f->blamed = rule;
		return KR_PROOF_BAD;
	}
	return KR_PROOF_GOOD;
}

static int prove_usual(struct kr_applying *f, char **ret_failure)
{
	int r;

	if (f->live.state == kr_apply_planned_state(f))
		return KR_PROOF_GOOD;
	r = kr_format(ret_failure, "configz says %s after the restart",
	              kr_state_to_string(f->live.state));
	return r < 0 ? r : KR_PROOF_BAD;
}

int kr_apply_prove_live(struct kr_applying *f, uint64_t deadline_usec,
                        char **ret_failure)
{
	const bool usual = kr_apply_is_usual(f);
	uint64_t since;
	int r;

	if (!f->fix->asks_live)
		return KR_PROOF_GOOD;
	since = kr_actions_begin(&f->fix->actions, "configz");
	r = ask_until(f, deadline_usec);
	if (r == -ENOMEM ||
	    kr_actions_add(&f->fix->actions, "configz",
	                   usual || f->live.state == KR_STATE_UNKNOWN
	                           ? kr_state_to_string(f->live.state)
	                           : "done",
	                   since) < 0)
		return -ENOMEM;
	if (r < 0)
		return r;
	if (r == KR_PROOF_SILENT) {
		r = kr_format(
			ret_failure, "configz did not say %s in time: %s",
			usual ? kr_state_to_string(kr_apply_planned_state(f))
			      : "anything",
			f->live.reason);
		return r < 0 ? r : KR_PROOF_SILENT;
	}
	return usual ? prove_usual(f, ret_failure)
	             : prove_values(f, ret_failure);
}
