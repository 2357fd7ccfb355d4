/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The plan: which rules are fixed, and what is edited for that.
 *
 * The rules join it one by one. Each step (policy/step) is made on the node as
 * the steps before it leave it, which is an overlay, and proved there: nothing
 * but this rule's fields is different afterwards. Then the whole is read once
 * more, from the one set of edits that all steps come to: every file has the
 * bytes that the step gave it, and every rule that was fixed still passes.
 *
 * A rule that does not join is left. Why is looked for in this order: the owner
 * lives with it (waived); it is never changed; it would do harm (refused,
 * policy/refusal); it was tried before (refused); it has to be allowed (ask);
 * something was seen on the node (hold); there is no safe edit (refused). What
 * is refused may have to wait for a rule behind it: it is asked again as long
 * as others join.
 *
 * Of a lone rule a refusal is that of the plan, with all its messages; of
 * several one sentence stays of it. A file that cannot be changed where it lies
 * (immutable, with an ACL) is such a refusal, too: only its own rules are left.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "policy/demands.h"
#include "policy/plan.h"
#include "policy/proof.h"
#include "policy/refusal.h"
#include "policy/step.h"

static const char *const method_names[] = {
	[KR_METHOD_AUTO] = "auto",
	[KR_METHOD_CONFIG] = "config",
	[KR_METHOD_FLAG] = "flag",
};

static_assert(ARRAY_SIZE(method_names) == _KR_METHOD_MAX,
              "a name for each method");

const char *kr_method_to_string(enum kr_method method)
{
	return method_names[method];
}

int kr_method_from_string(const char *s, enum kr_method *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(method_names); i++) {
		if (strcmp(s, method_names[i]) == 0) {
			*ret = (enum kr_method)i;
			return 0;
		}
	}
	return -EINVAL;
}

static const char *const why_names[] = {
	[KR_WHY_ASK] = "ask",       [KR_WHY_HOLD] = "hold",
	[KR_WHY_NEVER] = "never",   [KR_WHY_REFUSED] = "refused",
	[KR_WHY_WAIVED] = "waived",
};

static_assert(ARRAY_SIZE(why_names) == _KR_WHY_MAX, "a name for each");

const char *kr_why_to_string(enum kr_why why)
{
	return why_names[why];
}

/* --- Reload --------------------------------------------------------------- */

static bool is_config_file(const struct kr_inputs *in, const char *real)
{
	for (size_t i = 0; i < in->n_files; i++) {
		if (strcmp(in->files[i]->real, real) == 0)
			return true;
	}
	return false;
}

static bool is_environment_file(struct kr_node *node, const char *real)
{
	const struct kr_unit *unit = node->disk.unit;

	for (size_t i = 0; i < unit->environment_files.n_items; i++) {
		const struct kr_file *file;

		if (kr_fs_read(node->fs, unit->environment_files.items[i],
		               &file) == 0 &&
		    strcmp(file->real, real) == 0)
			return true;
	}
	return false;
}

/* kubelet's configuration may lie among the unit's drop-ins: systemd reads it,
 * too, and wants to read it again after a change. */
static bool is_dropin(const struct kr_node *node, const char *real)
{
	const struct kr_unit *unit = node->disk.unit;

	for (size_t i = 0; unit && i < unit->n_dropins; i++) {
		if (strcmp(unit->dropins[i]->real, real) == 0)
			return true;
	}
	return false;
}

bool kr_plan_unit_changes(struct kr_node *node, const struct kr_edits *edits)
{
	for (size_t i = 0; i < edits->n_files; i++) {
		const char *real = edits->files[i].path;

		/* systemd goes by what a file says, and when it was written */
		if (kr_file_edits_in_place(&edits->files[i]))
			continue;
		if (is_dropin(node, real))
			return true;
		if (!kr_durable_is_place(real) &&
		    !is_config_file(&node->disk.inputs, real) &&
		    !is_environment_file(node, real))
			return true;
	}
	return false;
}

/* --- what is left --------------------------------------------------------- */

/* A rule of the audit, on its way into the plan. */
struct candidate {
	bool settled;        /* it passes, with the plan or without it */
	bool fixed;          /* with it */
	struct kr_left left; /* its last refusal; no text: none */
	struct kr_diag diag; /* what was said of it */
};

struct making {
	struct kr_node *node;
	const struct kr_audit *audit; /* of the node as it is */
	const struct kr_plan_options *options;
	struct kr_diag *diag;
	struct kr_plan *plan;
	struct candidate *candidates; /* one a rule */
};

static size_t n_rules(const struct making *m)
{
	return m->audit->n_items;
}

static bool is_lone(const struct making *m)
{
	return n_rules(m) == 1;
}

static const struct kr_judgement *judgement(const struct making *m, size_t i)
{
	return m->plan->audit ? &m->plan->audit->items[i] : &m->audit->items[i];
}

static struct kr_node *node_now(const struct making *m)
{
	return m->plan->after ? m->plan->after : m->node;
}

static void left_done(struct kr_left *left)
{
	free(left->text);
	free(left->options);
	*left = (struct kr_left){0};
}

static int leave(struct candidate *c, enum kr_why why, const char *format, ...)
	_printf_(3, 4);

static int leave(struct candidate *c, enum kr_why why, const char *format, ...)
{
	va_list args;
	int r;

	left_done(&c->left);
	c->left.why = why;
	va_start(args, format);
	r = kr_vformat(&c->left.text, format, args);
	va_end(args);
	return r;
}

/* The owner has to say so: how, and what may come of it. */
static int leave_asking(struct candidate *c, const struct kr_rule *rule)
{
	int r = leave(c, KR_WHY_ASK, "%s%s%s",
	              rule->owners_value ? "its value is the owner's to say"
	                                 : "it has to be allowed",
	              rule->risk ? ": " : "", rule->risk ? rule->risk : "");

	if (r < 0)
		return r;
	if (rule->owners_value)
		return kr_format(&c->left.options,
		                 "--control=%s --set=%s=VALUE", rule->name,
		                 rule->name);
	return kr_format(&c->left.options, "--control=%s", rule->name);
}

static int leave_held(struct candidate *c, const struct kr_rule *rule,
                      const char *held)
{
	int r = leave(c, KR_WHY_HOLD, "%s", held);

	return r < 0 ? r
	             : kr_format(&c->left.options, "--control=%s --allow=%s",
	                         rule->name, rule->name);
}

/* What DIAG says of it, which is the candidate's from now on. */
static int leave_refused(struct candidate *c, const struct kr_judgement *j)
{
	_cleanup_free_ char *reason =
		kr_diag_reason(&c->diag, "there is no safe edit");
	int r;

	if (!reason)
		return -ENOMEM;
	/* a file that is another's stays as it is */
	r = leave(c, j->rule->n_fields == 0 ? KR_WHY_NEVER : KR_WHY_REFUSED,
	          "%s", reason);
	c->left.invalid = j->disk.state == KR_STATE_INVALID && !j->by_setting;
	return r;
}

/* --- one rule ------------------------------------------------------------- */

static const struct kr_consent *consent(const struct making *m, size_t i)
{
	static const struct kr_consent all = {.named = true};

	return m->options->consents ? &m->options->consents[i] : &all;
}

/* 1: it has to be left; 0: it may join; -ENOMEM. */
static int triage(struct making *m, size_t i)
{
	const struct kr_judgement *j = judgement(m, i);
	const struct kr_consent *said = consent(m, i);
	struct candidate *c = &m->candidates[i];
	_cleanup_free_ char *why = NULL;
	int r;

	if (said->waived) {
		r = leave(c, KR_WHY_WAIVED, "%s", said->waived);
		return r < 0 ? r : 1;
	}
	if (j->policy == KR_POLICY_NEVER) {
		r = leave(c, KR_WHY_NEVER, "it is the owner's to change");
		return r < 0 ? r : 1;
	}
	r = kr_refusal_find(m->node, node_now(m), j->rule, &c->diag, &why);
	if (r != 0) {
		r = r < 0 ? r : leave(c, KR_WHY_REFUSED, "%s", why);
		return r < 0 ? r : 1;
	}
	if (said->barred) {
		r = leave(c, KR_WHY_REFUSED, "%s", said->barred);
		if (r == 0)
			r = kr_format(&c->left.options, "--control=%s --retry",
			              j->rule->name);
		return r < 0 ? r : 1;
	}
	if (j->rule->owners_value ||
	    (j->policy == KR_POLICY_ASK && !said->named && !said->allowed)) {
		r = leave_asking(c, j->rule);
		return r < 0 ? r : 1;
	}
	if (said->held && !said->allowed) {
		r = leave_held(c, j->rule, said->held);
		return r < 0 ? r : 1;
	}
	return 0;
}

static void step_done(struct kr_plan *step)
{
	kr_audit_free(step->audit);
	kr_node_free(step->after);
	kr_edits_done(&step->edits);
}
#define _cleanup_step_ _cleanup_(step_done)

/* The files of EDITS are those of FS, and not of an overlay that goes. */
static int refer(struct kr_edits *edits, struct kr_fs *fs)
{
	for (size_t i = 0; i < edits->n_files; i++) {
		struct kr_file_edits *f = &edits->files[i];
		int r = f->file ? kr_fs_read(fs, f->path, &f->file) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static int copy_edits(struct kr_edits *to, const struct kr_edits *from)
{
	return kr_edits_then(to, from);
}

/* Whether the files of EDITS are alike in A and B. 1, 0 or an errno. */
static int are_alike(const struct kr_edits *edits, struct kr_node *a,
                     struct kr_node *b)
{
	for (size_t i = 0; i < edits->n_files; i++) {
		const struct kr_file *one, *other;
		int r = kr_fs_read(a->fs, edits->files[i].path, &one);

		if (r == 0)
			r = kr_fs_read(b->fs, edits->files[i].path, &other);
		if (r < 0)
			return r;
		if (one->size != other->size ||
		    memcmp(one->data, other->data, one->size) != 0)
			return 0;
	}
	return 1;
}

/* All rules, on the node AFTER. */
static int audit_all(const struct making *m, struct kr_node *after,
                     struct kr_diag *diag, struct kr_audit **ret)
{
	const struct kr_audit_options options = {.live = KR_STATE_ABSENT};
	_cleanup_free_ const struct kr_rule **items =
		calloc(n_rules(m), sizeof(*items));
	struct kr_rules rules = {items, n_rules(m), m->audit->edition};

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < n_rules(m); i++)
		items[i] = m->audit->items[i].rule;
	return kr_audit_run(after, &rules, &options, diag, ret);
}

/* The first rule that AUDIT shows undone, of those that were fixed and of I;
 * NULL: none is. */
static const struct kr_rule *find_undone(const struct making *m, size_t i,
                                         const struct kr_audit *audit)
{
	for (size_t k = 0; k < n_rules(m); k++) {
		if ((k == i || m->candidates[k].fixed) &&
		    audit->items[k].disk.answer != KR_ANSWER_PASS)
			return audit->items[k].rule;
	}
	return NULL;
}

/*
 * STEP, which rule I made, joins the plan. 0; -EOPNOTSUPP, with words: the plan
 * would not be what its steps are, and is as before.
 */
static int join(struct making *m, size_t i, struct kr_plan *step)
{
	struct kr_diag *diag = &m->candidates[i].diag;
	_cleanup_edits_ struct kr_edits all = {0};
	_cleanup_node_ struct kr_node *after = NULL;
	_cleanup_audit_ struct kr_audit *audit = NULL;
	_cleanup_diag_ struct kr_diag found = {0};
	const struct kr_rule *undone;
	int r = copy_edits(&all, &m->plan->edits);

	if (r == 0)
		r = kr_edits_then(&all, &step->edits);
	if (r == 0)
		r = refer(&all, m->node->fs);
	if (r == 0)
		r = m->options->check_files
		            ? m->options->check_files(m->node->fs, &all, diag)
		            : 0;
	if (r > 0)
		return -EOPNOTSUPP;
	if (r == 0)
		r = kr_node_with_edits(m->node, &all, &found, &after);
	if (r == 0)
		r = are_alike(&all, after, step->after);
	if (r == 0 || r == -EEXIST) {
		kr_diag_add(diag, KR_ERROR, "not-proven", KR_SPAN_NONE,
		            "its edits do not go together with the others");
		return -EOPNOTSUPP;
	}
	if (r == 1)
		r = audit_all(m, after, &found, &audit);
	if (r < 0) {
		kr_diag_merge(diag, &found);
		return r;
	}
	undone = m->options->together ? NULL : find_undone(m, i, audit);
	if (undone) {
		kr_diag_add(diag, KR_ERROR, "not-proven", KR_SPAN_NONE,
		            "with its edits %s would not be as demanded",
		            undone->name);
		return -EOPNOTSUPP;
	}
	kr_audit_free(m->plan->audit);
	kr_node_free(m->plan->after);
	kr_edits_done(&m->plan->edits);
	m->plan->audit = TAKE_PTR(audit);
	m->plan->after = TAKE_PTR(after);
	m->plan->edits = all;
	all = (struct kr_edits){0};
	return 0;
}

/* The only rule: what the step has proved is the plan. */
static void take_step(struct kr_plan *plan, struct kr_plan *step)
{
	plan->edits = step->edits;
	plan->after = TAKE_PTR(step->after);
	plan->audit = TAKE_PTR(step->audit);
	plan->n_uses = step->n_uses;
	step->edits = (struct kr_edits){0};
}

/* The least strict mode that the controls of this audit accept of a file of
 * kubelet's unit: what a step makes is a drop-in (policy/vendor). 0: none of
 * them asks. */
static mode_t made_mode(const struct making *m)
{
	for (size_t i = 0; i < n_rules(m); i++) {
		const struct kr_rule *rule = m->audit->items[i].rule;

		if (rule->subject == KR_SUBJECT_MODE &&
		    rule->files == KR_FILES_UNIT)
			return kr_demand_mode(rule, m->audit->edition);
	}
	return 0;
}

static int add_step(struct making *m, size_t i)
{
	struct candidate *c = &m->candidates[i];
	_cleanup_step_ struct kr_plan step = {.method = m->plan->method};
	int r;

	if (judgement(m, i)->rule->n_fields == 0)
		r = kr_step_make_perms(node_now(m), m->node, m->audit->edition,
		                       judgement(m, i), &c->diag, &step);
	else
		r = kr_step_make(node_now(m), judgement(m, i), m->options,
		                 &c->diag, &step);
	if (r < 0)
		return r;
	for (size_t f = 0; f < step.edits.n_files; f++) {
		struct kr_file_edits *made = &step.edits.files[f];

		if (!made->file)
			made->made_mode = made_mode(m);
		r = kr_file_edits_tell(made, judgement(m, i)->rule->name);
		if (r < 0)
			return r;
	}
	if (is_lone(m) || m->options->draft) {
		take_step(m->plan, &step);
		return 0;
	}
	return join(m, i, &step);
}

/* 1: something is different now, others may fit; 0; an errno. */
static int try_rule(struct making *m, size_t i)
{
	struct candidate *c = &m->candidates[i];
	int r;

	if (kr_step_is_done(node_now(m), judgement(m, i), m->options)) {
		c->settled = true;
		left_done(&c->left);
		return 0;
	}
	kr_diag_done(&c->diag);
	r = triage(m, i);
	if (r != 0)
		return r < 0 ? r : 0;
	r = add_step(m, i);
	if (r == -EOPNOTSUPP)
		return leave_refused(c, judgement(m, i));
	if (r < 0) {
		kr_diag_merge(m->diag, &c->diag);
		return r;
	}
	c->settled = c->fixed = true;
	left_done(&c->left);
	kr_diag_merge(m->diag, &c->diag);
	return 1;
}

/* --- several that kubelet refuses ----------------------------------------- */

/* Whether something that is written down for it is wrong by itself. */
static bool is_wrong(const struct kr_judgement *j)
{
	for (size_t i = 0; i < j->sources.n; i++) {
		const struct kr_source *s = &j->sources.items[i];
		const struct kr_decision said = {.state = s->state,
		                                 .value = s->value};

		if (s->kind != KR_SOURCE_DEFAULT && s->kind != KR_SOURCE_FILE &&
		    kr_judge_ask(j->rule, &said) != KR_ANSWER_PASS)
			return true;
	}
	return false;
}

/* 1: I is one of those that have to go together; 0; -ENOMEM. */
static int is_of_group(struct making *m, size_t i)
{
	const struct kr_judgement *j = judgement(m, i);
	int r;

	if (j->disk.state != KR_STATE_INVALID || j->rule->n_fields == 0 ||
	    !is_wrong(j) || kr_step_is_done(node_now(m), j, m->options))
		return 0;
	kr_diag_done(&m->candidates[i].diag);
	r = triage(m, i);
	return r < 0 ? r : r == 0;
}

static void forget_all(struct making *m)
{
	kr_edits_done(&m->plan->edits);
	m->plan->after = kr_node_free(m->plan->after);
	m->plan->audit = kr_audit_free(m->plan->audit);
}

static int join_group(struct making *m, const bool *group)
{
	bool joined[KR_N_RULES] = {false}, again;

	/* of those in one file kubelet tells the first one only: another cannot
	 * be edited before */
	do {
		again = false;
		for (size_t i = 0; i < n_rules(m) && i < KR_N_RULES; i++) {
			int r = group[i] && !joined[i] ? add_step(m, i) : 1;

			joined[i] = joined[i] || r == 0;
			again = again || r == 0;
			if (r < 0 && r != -EOPNOTSUPP)
				return r;
		}
	} while (again);
	for (size_t i = 0; i < n_rules(m); i++) {
		if (group[i] && judgement(m, i)->disk.answer != KR_ANSWER_PASS)
			return -EOPNOTSUPP;
	}
	return 0;
}

/*
 * Several wrong settings, each of which kubelet refuses: none of them joins
 * alone, as it would not start then, either. The edits of each are proved but
 * for that, and all pass in the end, or none of them is made.
 */
static int try_group(struct making *m)
{
	struct kr_plan_options own = *m->options;
	const struct kr_plan_options *options = m->options;
	_cleanup_free_ bool *group = calloc(n_rules(m), sizeof(*group));
	size_t n = 0;
	int r = group ? 0 : -ENOMEM;

	for (size_t i = 0; i < n_rules(m) && r >= 0; i++) {
		r = is_of_group(m, i);
		group[i] = r > 0;
		n += group[i];
	}
	if (r < 0 || n < 2)
		return r < 0 ? r : 0;
	own.together = true;
	m->options = &own;
	r = join_group(m, group);
	m->options = options;
	if (r < 0)
		forget_all(m);
	if (r == -EOPNOTSUPP)
		return 0;
	for (size_t i = 0; i < n_rules(m) && r == 0; i++) {
		struct candidate *c = &m->candidates[i];

		if (!group[i])
			continue;
		c->settled = c->fixed = true;
		left_done(&c->left);
		kr_diag_merge(m->diag, &c->diag);
	}
	return r;
}

static int try_all(struct making *m)
{
	bool again;
	int r = is_lone(m) ? 0 : try_group(m);

	if (r < 0)
		return r;
	do {
		again = false;
		for (size_t i = 0; i < n_rules(m); i++) {
			r = m->candidates[i].settled ? 0 : try_rule(m, i);
			if (r < 0)
				return r;
			again = again || r > 0;
		}
	} while (again && !is_lone(m) && !m->options->draft);
	return 0;
}

/* --- the whole ----------------------------------------------------------- */

static int make_durable(struct making *m)
{
	const struct kr_durable_options durable = {
		.no_persist = m->options->no_persist,
		.flag = m->plan->method == KR_METHOD_FLAG,
	};
	const struct kr_rules rules = {m->plan->rules, m->plan->n_rules,
	                               m->audit->edition};

	int r = kr_durable_plan(m->node, &rules, &m->plan->edits, &durable,
	                        m->diag, &m->plan->durable);

	for (size_t i = 0; r == 0 && i < m->plan->edits.n_files; i++) {
		struct kr_file_edits *f = &m->plan->edits.files[i];

		for (size_t k = 0; k < m->plan->n_rules && r == 0; k++) {
			if (kr_durable_is_place(f->path))
				r = kr_file_edits_tell(f,
				                       m->plan->rules[k]->name);
		}
	}
	return r;
}

static bool is_refused(const struct candidate *c)
{
	return c->left.text && c->left.why == KR_WHY_REFUSED;
}

/* Whether what was left makes the whole a refusal; its words go to DIAG. */
static bool refuses_whole(struct making *m)
{
	bool whole = false;

	for (size_t i = 0; i < n_rules(m); i++) {
		struct candidate *c = &m->candidates[i];

		if (!is_refused(c) || !(is_lone(m) || c->left.invalid))
			continue;
		if (!kr_diag_first(&c->diag, KR_ERROR))
			kr_diag_add(m->diag, KR_ERROR, "refused", KR_SPAN_NONE,
			            "%s: %s", m->audit->items[i].rule->name,
			            c->left.text);
		kr_diag_merge(m->diag, &c->diag);
		whole = true;
	}
	return whole;
}

/* What is fixed, and what is left: in the order of the audit. */
static int sum_up(struct making *m)
{
	struct kr_plan *plan = m->plan;

	plan->rules = calloc(n_rules(m) + 1, sizeof(*plan->rules));
	plan->left = calloc(n_rules(m) + 1, sizeof(*plan->left));
	if (!plan->rules || !plan->left)
		return -ENOMEM;
	for (size_t i = 0; i < n_rules(m); i++) {
		struct candidate *c = &m->candidates[i];

		if (c->fixed)
			plan->rules[plan->n_rules++] = m->audit->items[i].rule;
		if (!c->left.text)
			continue;
		plan->left[plan->n_left] = c->left;
		plan->left[plan->n_left++].rule = m->audit->items[i].rule;
		c->left = (struct kr_left){0};
	}
	return 0;
}

static int finish(struct making *m)
{
	struct kr_plan *plan = m->plan;
	const struct kr_rules rules = {plan->rules, plan->n_rules,
	                               m->audit->edition};
	int r;

	if (plan->edits.n_files == 0 || m->options->draft)
		return 0;
	r = make_durable(m);
	if (r == 0)
		r = kr_proof_order(m->node, &rules, plan, m->diag);
	if (r == 0)
		plan->unit_changes =
			kr_plan_unit_changes(m->node, &plan->edits);
	return r;
}

/* What kubelet reads is not there yet; what it will be made from may be. */
static int plan_unconfigured(struct making *m)
{
	int r = 0;

	if (m->options->draft)
		return 0;
	for (size_t i = 0; i < n_rules(m) && r >= 0; i++) {
		struct candidate *c = &m->candidates[i];

		c->fixed =
			!kr_step_is_done(m->node, judgement(m, i), m->options);
		r = c->fixed ? triage(m, i) : 0;
		c->fixed = c->fixed && r == 0;
	}
	if (r >= 0)
		r = sum_up(m);
	if (r < 0)
		return r;
	m->plan->unconfigured = true;
	if (m->plan->n_rules == 0)
		return -ENOENT;
	r = make_durable(m);
	return r == 0 && m->plan->edits.n_files == 0 ? -ENOENT : r;
}

/* Nothing can be edited on this node, whatever the rule: each says it in its
 * own words, where these differ. */
static int refuse_node(struct making *m)
{
	int r = 0;

	for (size_t i = 0; i < n_rules(m); i++) {
		_cleanup_step_ struct kr_plan step = {.method =
		                                              m->plan->method};
		const struct kr_judgement *j = judgement(m, i);

		if (kr_step_is_done(m->node, j, m->options))
			continue;
		r = j->rule->n_fields == 0
		            ? -EOPNOTSUPP
		            : kr_step_make(m->node, j, m->options, m->diag,
		                           &step);
		if (j->rule->n_fields == 0 && !kr_diag_first(m->diag, KR_ERROR))
			kr_diag_add(m->diag, KR_ERROR, "platform", KR_SPAN_NONE,
			            "%s: the files of this node are not "
			            "changed: they are another program's",
			            j->rule->name);
		if (r == -ENOENT)
			return plan_unconfigured(m);
		if (r != -EOPNOTSUPP || !m->node->disk.foreign)
			break;
	}
	return r;
}

static bool all_done(const struct making *m)
{
	for (size_t i = 0; i < n_rules(m); i++) {
		if (!kr_step_is_done(m->node, judgement(m, i), m->options))
			return false;
	}
	return true;
}

static int make(struct making *m)
{
	int r;

	if (all_done(m))
		return sum_up(m);
	if (kr_step_is_hopeless(m->node))
		return refuse_node(m);
	r = try_all(m);
	if (r < 0)
		return r;
	if (refuses_whole(m))
		return -EOPNOTSUPP;
	r = sum_up(m);
	return r < 0 ? r : finish(m);
}

int kr_plan_make(struct kr_node *node, const struct kr_audit *audit,
                 const struct kr_plan_options *options, struct kr_diag *diag,
                 struct kr_plan **ret)
{
	_cleanup_plan_ struct kr_plan *plan = calloc(1, sizeof(*plan));
	struct kr_plan_options own = *options;
	struct making m = {
		.node = node,
		.audit = audit,
		.options = &own,
		.diag = diag,
		.plan = plan,
		.candidates = calloc(audit->n_items, sizeof(*m.candidates)),
	};
	int r = plan && m.candidates ? 0 : -ENOMEM;

	/* how several go together shows in their proof */
	own.draft = options->draft && audit->n_items == 1;
	if (r == 0) {
		plan->method = options->method == KR_METHOD_AUTO
		                       ? kr_step_method(node)
		                       : options->method;
		r = make(&m);
	}
	for (size_t i = 0; m.candidates && i < audit->n_items; i++) {
		left_done(&m.candidates[i].left);
		kr_diag_done(&m.candidates[i].diag);
	}
	free(m.candidates);
	r = kr_diag_result(diag, r);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(plan);
	return 0;
}

/* --- its name ------------------------------------------------------------- */

static void print_file(FILE *out, const struct kr_file_edits *f)
{
	char hash[KR_SHA256_HEX_SIZE] = "-";

	if (f->file)
		kr_sha256_hex(f->file->data, f->file->size, hash);
	fprintf(out, "%s%c%s%c%d %o:%u:%u>%o:%u:%u\n", f->path, '\0', hash,
	        '\0', f->remove, (unsigned)f->perms.from.mode,
	        f->perms.from.uid, f->perms.from.gid,
	        (unsigned)(f->file ? f->perms.to.mode : f->made_mode),
	        f->perms.to.uid, f->perms.to.gid);
	for (size_t i = 0; i < f->n_edits; i++)
		fprintf(out, "%zu %zu %s%c", f->edits[i].offset,
		        f->edits[i].length, f->edits[i].text, '\0');
}

int kr_plan_hash(const struct kr_edits *edits, char ret[KR_PLAN_HASH_SIZE])
{
	char hash[KR_SHA256_HEX_SIZE];
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out;

	*ret = '\0';
	if (edits->n_files == 0)
		return 0;
	out = open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < edits->n_files; i++)
		print_file(out, &edits->files[i]);
	if (fclose(out) != 0)
		return -ENOMEM;
	kr_sha256_hex(text, size, hash);
	strlcpy(ret, hash, KR_PLAN_HASH_SIZE);
	return 0;
}

struct kr_plan *kr_plan_free(struct kr_plan *plan)
{
	if (!plan)
		return NULL;
	kr_audit_free(plan->audit);
	kr_node_free(plan->after);
	kr_edits_done(&plan->edits);
	kr_durable_done(&plan->durable);
	for (size_t i = 0; i < plan->n_left; i++)
		left_done(&plan->left[i]);
	free(plan->left);
	free(plan->rules);
	free(plan);
	return NULL;
}
