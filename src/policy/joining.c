/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How the rules join a plan.
 *
 * Each step (policy/step) is made on the node as the steps before it leave it,
 * which is an overlay, and proved there: nothing but this rule's fields is
 * different afterwards. Then the whole is read once more, from the one set of
 * edits that all steps come to: every file has the bytes that the step gave it,
 * and every rule that was fixed still passes.
 *
 * A rule that does not join is left. Why is looked for in this order: the owner
 * lives with it (waived); it is never changed; it would do harm (refused,
 * policy/refusal); it was tried before (refused); it must be allowed (ask);
 * something was seen on the node (hold); there is no safe edit (refused). What
 * is refused may have to wait for a rule behind it: it is asked again as long
 * as others join.
 *
 * A file that cannot be changed where it lies (immutable, with an ACL) is such
 * a refusal, too: only its own rules are left.
 *
 * A draft reads nothing: a rule joins it whose edits can be made on the node as
 * it is. Of a node that kubelet refuses that says too little, as an edit may
 * cure it or not: there several are planned in full, those for which something
 * wrong is written, until the cure is in the plan.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "policy/demands.h"
#include "policy/joining.h"
#include "policy/refusal.h"
#include "policy/step.h"

static size_t n_rules(const struct kr_joining *m)
{
	return m->audit->n_items;
}

bool kr_joining_is_lone(const struct kr_joining *m)
{
	return n_rules(m) == 1;
}

const struct kr_judgement *kr_joining_judgement(const struct kr_joining *m,
                                                size_t i)
{
	return m->plan->audit ? &m->plan->audit->items[i] : &m->audit->items[i];
}

static struct kr_node *node_now(const struct kr_joining *m)
{
	return m->plan->after ? m->plan->after : m->node;
}

void kr_left_done(struct kr_left *left)
{
	free(left->text);
	free(left->options);
	*left = (struct kr_left){0};
}

static int leave(struct kr_candidate *c, enum kr_why why, const char *format,
                 ...) _printf_(3, 4);

static int leave(struct kr_candidate *c, enum kr_why why, const char *format,
                 ...)
{
	va_list args;
	int r;

	kr_left_done(&c->left);
	c->left.why = why;
	va_start(args, format);
	r = kr_vformat(&c->left.text, format, args);
	va_end(args);
	return r;
}

/* The file that the platform has for RULE; NULL: none, or more than one. */
static const char *find_offer(struct kr_fs *fs, const struct kr_rule *rule)
{
	const char *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rule->offers); i++) {
		struct stat st;

		if (!rule->offers[i] ||
		    kr_fs_look(fs, rule->offers[i], true, &st) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		if (found)
			return NULL;
		found = rule->offers[i];
	}
	return found;
}

/* The owner has to say so: how, and what may come of it. */
static int leave_asking(struct kr_candidate *c, const struct kr_rule *rule,
                        struct kr_fs *fs)
{
	const char *offer = find_offer(fs, rule);
	int r = leave(c, KR_WHY_ASK, "%s%s%s",
	              rule->owners_value ? "its value must be chosen"
	                                 : "it must be allowed",
	              rule->risk ? ": " : "", rule->risk ? rule->risk : "");

	if (r < 0)
		return r;
	if (rule->owners_value)
		return kr_format(&c->left.options, "--control=%s --set=%s=%s",
		                 rule->name, rule->name,
		                 offer ? offer : "VALUE");
	return kr_format(&c->left.options, "--control=%s", rule->name);
}

static int leave_held(struct kr_candidate *c, const struct kr_rule *rule,
                      const char *held)
{
	int r = leave(c, KR_WHY_HOLD, "%s", held);

	return r < 0 ? r
	             : kr_format(&c->left.options, "--control=%s --allow=%s",
	                         rule->name, rule->name);
}

/* The errors of C, each with its place, in one sentence. 0 or -ENOMEM. */
static int join_errors(const struct kr_candidate *c, char **ret)
{
	KR_EACH(const struct kr_message, m, c->diag.messages,
	        c->diag.n_messages) {
		_cleanup_free_ char *text = NULL;
		int r = 0;

		if (m->severity != KR_ERROR)
			continue;
		text = kr_diag_sentence(m);
		r = text ? kr_format(ret, "%s%s%s", *ret ? *ret : "",
		                     *ret ? "; " : "", text)
		         : -ENOMEM;
		if (r < 0)
			return r;
	}
	return 0;
}

/* The files that stay as they are, each with its reason. */
static int leave_files(struct kr_candidate *c)
{
	_cleanup_free_ char *text = NULL;
	int r = join_errors(c, &text);

	if (r < 0)
		return r;
	/* a file that is another's stays as it is */
	return leave(c, KR_WHY_NEVER, "%s",
	             text ? text : "there is no safe edit");
}

/* kubelet refuses the node, and not for J's own flag or key. */
static bool is_refused_elsewhere(const struct kr_judgement *j)
{
	return j->disk.state == KR_STATE_INVALID && !j->by_setting;
}

/* The rule I is left since kubelet refuses the node for something else: what,
 * and where, is said as the whole says it. 0 or -ENOMEM. */
static int leave_invalid(struct kr_joining *m, size_t i)
{
	const struct kr_judgement *j = kr_joining_judgement(m, i);
	struct kr_candidate *c = &m->candidates[i];
	_cleanup_free_ char *said = NULL;
	int r;

	KR_EACH(const struct kr_message, o, m->diag->messages,
	        m->diag->n_messages) {
		if (o->severity != KR_ERROR || !o->file || said ||
		    !strstr(j->disk.reason, o->text))
			continue;
		said = kr_diag_sentence(o);
		if (!said)
			return -ENOMEM;
	}
	r = said ? leave(c, KR_WHY_REFUSED, "%s", said)
	         : leave(c, KR_WHY_REFUSED, "%s: this must be corrected first",
	                 j->disk.reason);
	if (!kr_diag_first(&c->diag, KR_ERROR))
		kr_diag_add(&c->diag, KR_ERROR, "not-by-setting", KR_SPAN_NONE,
		            "%s: this must be corrected first", j->disk.reason);
	/* modes are changed whatever kubelet makes of its settings */
	c->left.invalid = j->rule->n_fields > 0;
	return r;
}

/* What DIAG says of it, which is the candidate's from now on. */
static int leave_refused(struct kr_joining *m, size_t i)
{
	const struct kr_judgement *j = kr_joining_judgement(m, i);
	struct kr_candidate *c = &m->candidates[i];
	_cleanup_free_ char *reason = NULL;
	int r;

	if (is_refused_elsewhere(j) &&
	    (j->rule->n_fields == 0 ||
	     kr_diag_find(&c->diag, "not-by-setting")))
		return leave_invalid(m, i);
	if (j->rule->n_fields == 0)
		return leave_files(c);
	reason = kr_diag_reason(&c->diag, "there is no safe edit");
	if (!reason)
		return -ENOMEM;
	r = leave(c, KR_WHY_REFUSED, "%s", reason);
	c->left.invalid = is_refused_elsewhere(j);
	return r;
}

/* --- one rule ------------------------------------------------------------- */

/* Whether something that is written down for it is wrong by itself. */
static bool is_wrong(const struct kr_judgement *j)
{
	KR_EACH(const struct kr_source, s, j->sources.items, j->sources.n) {
		const struct kr_decision said = {.state = s->state,
		                                 .value = s->value};

		if (s->kind != KR_SOURCE_DEFAULT && s->kind != KR_SOURCE_FILE &&
		    kr_judge_ask(j->rule, &said) != KR_ANSWER_PASS)
			return true;
	}
	return false;
}

/* What IN has for FIELD, which no source tells of. 0 or -ENOMEM. */
static int decide_aside(const struct kr_inputs *in, int field,
                        struct kr_decision *ret)
{
	int r = in ? kr_decide_refused(in, field, ret) : 0;

	if (r != 0)
		return r < 0 ? r : 0;
	r = kr_field_default(field, in && in->n_files == 0,
	                     in ? in->kubelet_minor : 0, &ret->value);
	ret->by = KR_BY_DEFAULT;
	ret->state = r == 0 ? kr_value_state(&ret->value) : KR_STATE_UNKNOWN;
	return r == -ENOMEM ? r : 0;
}

/* What J's rule answers to what is written for it, whatever else kubelet
 * refuses the node for. 0 or -ENOMEM. */
static int ask_alone(const struct kr_joining *m, const struct kr_judgement *j,
                     enum kr_answer *ret)
{
	const struct kr_inputs *in = kr_node_inputs(node_now(m));
	const struct kr_rule *rule = j->rule;
	struct kr_decision d[KR_RULE_FIELDS_MAX] = {0};
	const size_t n = rule->n_fields + rule->n_also;
	int r = 0;

	KR_EACH(const struct kr_source, s, j->sources.items, j->sources.n) {
		for (size_t i = 0; i < rule->n_fields; i++) {
			if (s->field != rule->fields[i] ||
			    s->state == KR_STATE_NULL)
				continue;
			d[i].state = s->state;
			d[i].value = s->value;
			d[i].by = s->kind == KR_SOURCE_DEFAULT ? KR_BY_DEFAULT
			                                       : KR_BY_CONFIG;
		}
	}
	for (size_t i = rule->n_fields; i < n && r == 0; i++)
		r = decide_aside(in, rule->fields[i], &d[i]);
	*ret = kr_rule_ask(rule, m->audit->edition, d);
	for (size_t i = rule->n_fields; i < n; i++)
		kr_decision_done(&d[i]);
	return r;
}

/* 1: of J's rule nothing is wrong, or nothing is known, but that kubelet
 * refuses the node for something else; 0; -ENOMEM. */
static int is_victim(const struct kr_joining *m, const struct kr_judgement *j)
{
	enum kr_answer alone;
	int r;

	if (!is_refused_elsewhere(j) || j->rule->n_fields == 0)
		return is_refused_elsewhere(j);
	if (j->rule->n_fields == 1 && is_wrong(j))
		return 0;
	r = ask_alone(m, j, &alone);
	return r < 0 ? r : alone != KR_ANSWER_FAIL;
}

const struct kr_consent *kr_joining_consent(const struct kr_joining *m,
                                            size_t i)
{
	static const struct kr_consent all = {.named = true};

	return m->options->consents ? &m->options->consents[i] : &all;
}

/* 1: the rule I stays as it is, whatever there is to be changed; 0; -ENOMEM. */
static int leave_kept(struct kr_joining *m, size_t i)
{
	const struct kr_judgement *j = kr_joining_judgement(m, i);
	struct kr_candidate *c = &m->candidates[i];
	int r = j->waiver ? 0 : is_victim(m, j);

	if (j->waiver)
		r = leave(c, KR_WHY_WAIVED, "%s", j->waiver->reason);
	else if (r > 0)
		r = leave_invalid(m, i);
	else if (r == 0 && j->rule->policy == KR_POLICY_NEVER)
		r = leave(c, KR_WHY_NEVER, "the owner must choose its value");
	else
		return r;
	return r < 0 ? r : 1;
}

bool kr_joining_is_held_back(const struct kr_joining *m, size_t i)
{
	const struct kr_judgement *j = &m->audit->items[i];
	const struct kr_consent *said = kr_joining_consent(m, i);

	return said->held && !said->allowed && !j->waiver &&
	       j->disk.answer == KR_ANSWER_PASS && kr_judgement_runs_wrong(j);
}

/* 1: it has to be allowed, and is not; 0; -ENOMEM. */
static int leave_unallowed(const struct kr_joining *m, size_t i)
{
	const struct kr_judgement *j = kr_joining_judgement(m, i);
	const struct kr_consent *said = kr_joining_consent(m, i);
	struct kr_candidate *c = &m->candidates[i];
	int r;

	/* of a file that cannot be read: it may be what is demanded */
	if (j->rule->names_file && j->disk.state == KR_STATE_UNKNOWN &&
	    !kr_step_is_hopeless(m->node))
		return 0;
	if (j->rule->owners_value ||
	    (j->policy == KR_POLICY_ASK && !said->named && !said->allowed))
		r = leave_asking(c, j->rule, m->node->fs);
	else if (said->held && !said->allowed)
		r = leave_held(c, j->rule, said->held);
	else
		return 0;
	return r < 0 ? r : 1;
}

int kr_joining_triage(struct kr_joining *m, size_t i)
{
	const struct kr_judgement *j = kr_joining_judgement(m, i);
	const struct kr_consent *said = kr_joining_consent(m, i);
	struct kr_candidate *c = &m->candidates[i];
	_cleanup_free_ char *why = NULL;
	int r = leave_kept(m, i);

	if (r != 0)
		return r;
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
	return leave_unallowed(m, i);
}

int kr_joining_leave(struct kr_joining *m, size_t i, const char *why)
{
	m->candidates[i].fixed = false;
	return leave(&m->candidates[i], KR_WHY_REFUSED, "%s", why);
}

int kr_joining_refuse_step(struct kr_joining *m, size_t i,
                           const struct kr_plan_options *options,
                           struct kr_diag *diag)
{
	const struct kr_judgement *j = kr_joining_judgement(m, i);
	_cleanup_step_ struct kr_plan step = {.method = m->plan->method};
	int r = j->rule->n_fields == 0
	                ? kr_step_refuse_perms(m->node, m->audit->edition, j,
	                                       options->brief, diag)
	                : kr_step_make(m->node, j, options, diag, &step);

	m->candidates[i].by_hand = step.by_hand;
	return r;
}

/* No command does what is asked for on this node: its own way is said. 1 or
 * -ENOMEM. */
static int add_way(struct kr_joining *m, size_t i)
{
	const struct kr_rule *rule = kr_joining_judgement(m, i)->rule;
	struct kr_candidate *c = &m->candidates[i];
	_cleanup_free_ char *way = NULL;
	int r = 0;

	if (c->left.why != KR_WHY_ASK)
		return 1;
	if (rule->owners_value)
		way = kr_step_way(m->node, rule);
	else
		r = join_errors(c, &way);
	if (r == 0 && (way || rule->owners_value))
		r = way ? kr_format(&c->left.text, "%s; %s", c->left.text, way)
		        : -ENOMEM;
	return r < 0 ? r : 1;
}

int kr_joining_refuse(struct kr_joining *m, size_t i)
{
	const struct kr_judgement *j = kr_joining_judgement(m, i);
	struct kr_plan_options brief = *m->options;
	struct kr_candidate *c = &m->candidates[i];
	_cleanup_free_ char *text = NULL;
	int r;

	if (kr_step_is_done(m->node, j, m->options))
		return 0;
	r = leave_kept(m, i);
	if (r != 0)
		return r;
	brief.brief = true;
	r = kr_joining_refuse_step(m, i, &brief, &c->diag);
	if (r != KR_REFUSED)
		return r;
	/* harm that it would do is said of one that would be asked for, too */
	r = kr_diag_find(&c->diag, "refused") ? 0 : leave_unallowed(m, i);
	if (r != 0)
		return r < 0 ? r : add_way(m, i);
	r = join_errors(c, &text);
	return r < 0 ? r
	             : leave(c, KR_WHY_REFUSED, "%s",
	                     text ? text : "there is no safe edit");
}

/* The files of EDITS are those of FS, and not of an overlay that goes. */
static int refer(struct kr_edits *edits, struct kr_fs *fs)
{
	KR_EACH(struct kr_file_edits, f, edits->files, edits->n_files) {
		int r = f->file ? kr_fs_read(fs, f->path, &f->file) : 0;

		if (r < 0)
			return r;
	}
	return 0;
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
static int audit_all(const struct kr_joining *m, struct kr_node *after,
                     struct kr_diag *diag, struct kr_audit **ret)
{
	const struct kr_audit_options options = {
		.explicit_wanted = m->options->explicit_wanted,
		.waivers = m->audit->waivers,
		.live = KR_STATE_ABSENT,
	};
	_cleanup_free_ const struct kr_rule **items =
		calloc(n_rules(m), sizeof(*items));
	struct kr_rules rules = {items, n_rules(m), m->audit->edition};

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < n_rules(m); i++)
		items[i] = m->audit->items[i].rule;
	return kr_audit_run(after, &rules, &options, diag, ret);
}

/* The first rule that AUDIT, of AFTER, shows undone, of those that were fixed
 * and of I; NULL: all are done. */
static const struct kr_rule *find_undone(const struct kr_joining *m, size_t i,
                                         const struct kr_node *after,
                                         const struct kr_audit *audit)
{
	for (size_t k = 0; k < n_rules(m); k++) {
		if ((k == i || m->candidates[k].fixed) &&
		    !kr_step_is_done(after, &audit->items[k], m->options))
			return audit->items[k].rule;
	}
	return NULL;
}

/* The edits of the plan, then those of STEP, of the files of the node itself.
 * 0; 1: a file cannot be changed, with words; an errno. */
static int combine(struct kr_joining *m, const struct kr_plan *step,
                   struct kr_diag *diag, struct kr_edits *all)
{
	int r = kr_edits_then(all, &m->plan->edits);

	if (r < 0)
		return r;
	r = kr_edits_then(all, &step->edits);
	if (r < 0)
		return r;
	r = refer(all, m->node->fs);
	if (r < 0 || !m->options->check_files)
		return r;
	return m->options->check_files(m->node->fs, all, diag);
}

/* The node after ALL, which has the bytes that STEP gave it. 1; 0: they do not
 * go together; an errno. */
static int overlay(struct kr_joining *m, const struct kr_plan *step,
                   const struct kr_edits *all, struct kr_diag *found,
                   struct kr_node **ret)
{
	int r = kr_node_with_edits(m->node, all, found, ret);

	return r < 0 ? r : are_alike(all, *ret, step->after);
}

/*
 * STEP, which rule I made, joins the plan; PART: the rule does not pass all the
 * same. 0; KR_REFUSED, with words: the plan
 * would not be what its steps are, and is as before.
 */
static int join(struct kr_joining *m, size_t i, bool part, struct kr_plan *step)
{
	struct kr_diag *diag = &m->candidates[i].diag;
	_cleanup_edits_ struct kr_edits all = {0};
	_cleanup_node_ struct kr_node *after = NULL;
	_cleanup_audit_ struct kr_audit *audit = NULL;
	_cleanup_diag_ struct kr_diag found = {0};
	const struct kr_rule *undone;
	int r = combine(m, step, diag, &all);

	if (r > 0)
		return KR_REFUSED;
	r = r < 0 ? r : overlay(m, step, &all, &found, &after);
	if (r == 0 || r == KR_COLLIDES)
		return kr_diag_refuse(
			diag, "not-proven", KR_SPAN_NONE,
			"its edits do not go together with the others");
	r = r < 0 ? r : audit_all(m, after, &found, &audit);
	if (r < 0) {
		kr_diag_merge(diag, &found);
		return r;
	}
	undone = m->options->together
	                 ? NULL
	                 : find_undone(m, part ? n_rules(m) : i, after, audit);
	if (undone)
		return kr_diag_refuse(
			diag, "not-proven", KR_SPAN_NONE,
			"with its edits %s would not be as demanded",
			undone->name);
	kr_audit_free(m->plan->audit);
	kr_node_free(m->plan->after);
	kr_edits_done(&m->plan->edits);
	m->plan->audit = TAKE_PTR(audit);
	m->plan->after = TAKE_PTR(after);
	m->plan->edits = TAKE(all);
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

/* The least strict mode that the controls of this audit accept of what a step
 * makes at PATH: a drop-in of kubelet's unit (policy/vendor), or of its
 * configuration. 0: none of them asks. */
static mode_t made_mode(const struct kr_joining *m, const char *path)
{
	enum kr_files files = kr_step_is_in_config_dir(m->node, path)
	                              ? KR_FILES_CONFIG
	                              : KR_FILES_UNIT;

	for (size_t i = 0; i < n_rules(m); i++) {
		const struct kr_rule *rule = m->audit->items[i].rule;

		if (rule->subject == KR_SUBJECT_MODE && rule->files == files)
			return kr_demand_mode(rule, m->audit->edition);
	}
	return 0;
}

/* Whether the files of STEP, rule I of a draft, can be changed; each is looked
 * at once, in each way of changing it. 0; KR_REFUSED, with words; -ENOMEM. */
static int check_draft(struct kr_joining *m, size_t i, struct kr_plan *step)
{
	for (size_t k = 0; m->options->check_files && k < step->edits.n_files;
	     k++) {
		struct kr_file_edits *f = &step->edits.files[k];
		_cleanup_free_ char *way = NULL;
		int r = f->file ? kr_fs_read(m->node->fs, f->path, &f->file)
		                : 0;

		if (r == -ENOENT) /* the plan makes it */
			continue;
		if (r < 0)
			return r;
		if (asprintf(&way, "%d %s", kr_file_edits_in_place(f),
		             f->path) < 0)
			return -ENOMEM;
		if (kr_strings_contain(&m->changeable, way))
			continue;
		r = m->options->check_files(m->node->fs,
		                            &(struct kr_edits){f, 1},
		                            &m->candidates[i].diag);
		if (r != 0)
			return r < 0 ? r : KR_REFUSED;
		r = kr_strings_consume(&m->changeable, TAKE_PTR(way));
		if (r < 0)
			return r;
	}
	return 0;
}

/* As kr_step_make(); 1: it is a part of what is demanded. */
static int make_step(struct kr_joining *m, const struct kr_judgement *j,
                     struct kr_diag *diag, struct kr_plan *step)
{
	int part, r;

	if (j->rule->n_fields > 0)
		return kr_step_make(node_now(m), j, m->options, diag, step);
	part = kr_step_make_perms(m->node, m->audit->edition, j, m->options,
	                          diag, step);
	if (part < 0 || m->options->draft)
		return part;
	r = kr_step_prove_perms(node_now(m), m->audit->edition, j, part == 0,
	                        diag, step);
	return r < 0 ? r : part;
}

/* As make_step(). */
static int add_step(struct kr_joining *m, size_t i)
{
	const struct kr_judgement *j = kr_joining_judgement(m, i);
	struct kr_candidate *c = &m->candidates[i];
	_cleanup_step_ struct kr_plan step = {.method = m->plan->method};
	int part = make_step(m, j, &c->diag, &step), r = 0;

	if (part < 0)
		return part;
	KR_EACH(struct kr_file_edits, made, step.edits.files,
	        step.edits.n_files) {
		if (!made->file)
			made->made_mode = made_mode(m, made->path);
		r = kr_file_edits_tell(made, j->rule->name);
		if (r < 0)
			return r;
	}
	if (!kr_joining_is_lone(m)) {
		r = m->options->draft ? check_draft(m, i, &step)
		                      : join(m, i, part, &step);
		return r < 0 ? r : part;
	}
	if (!m->options->draft && !part &&
	    !kr_step_is_done(step.after, &step.audit->items[0], m->options))
		return kr_diag_refuse(
			&c->diag, "not-proven", KR_SPAN_NONE,
			"%s would still not be written down: behind the "
			"edit something else decides it",
			j->rule->name);
	take_step(m->plan, &step);
	return part;
}

bool kr_joining_is_refused(const struct kr_audit *audit)
{
	return KR_ANY(j, audit->items, audit->n_items,
	              j->disk.state == KR_STATE_INVALID);
}

/* In a draft: kubelet refuses the node for another reason, and nothing that is
 * written for this rule is wrong: its edits are not the cure, which would take
 * a reading of the node to see. */
static bool is_no_cure(const struct kr_joining *m, const struct kr_judgement *j)
{
	return m->drafts && is_refused_elsewhere(j) && !is_wrong(j);
}

/* 1: something is different now, others may fit; 0; an errno. */
static int try_rule(struct kr_joining *m, size_t i)
{
	struct kr_candidate *c = &m->candidates[i];
	int r;

	if (kr_joining_is_held_back(m, i))
		return leave_held(c, m->audit->items[i].rule,
		                  kr_joining_consent(m, i)->held);
	if (kr_step_is_done(node_now(m), kr_joining_judgement(m, i),
	                    m->options)) {
		kr_left_done(&c->left);
		return 0;
	}
	kr_diag_done(&c->diag);
	r = kr_joining_triage(m, i);
	if (r != 0)
		return r < 0 ? r : 0;
	/* the cure is in the plan: what else there is is drafted */
	if (m->drafts && m->plan->audit &&
	    !kr_joining_is_refused(m->plan->audit))
		m->options = &m->draft;
	r = is_no_cure(m, kr_joining_judgement(m, i)) ? KR_REFUSED
	                                              : add_step(m, i);
	if (r == KR_REFUSED)
		return leave_refused(m, i);
	if (r < 0) {
		kr_diag_merge(m->diag, &c->diag);
		return r;
	}
	if (r > 0) {
		c->part = true;
		r = leave_files(c);
		return r < 0 ? r : 1;
	}
	c->fixed = true;
	kr_left_done(&c->left);
	kr_diag_merge(m->diag, &c->diag);
	return 1;
}

/* --- several that kubelet refuses ----------------------------------------- */

/* 1: I is one of those that have to go together; 0; -ENOMEM. */
static int is_of_group(struct kr_joining *m, size_t i)
{
	const struct kr_judgement *j = kr_joining_judgement(m, i);
	int r;

	if (j->disk.state != KR_STATE_INVALID || j->rule->n_fields == 0 ||
	    !is_wrong(j) || kr_step_is_done(node_now(m), j, m->options))
		return 0;
	kr_diag_done(&m->candidates[i].diag);
	r = kr_joining_triage(m, i);
	return r < 0 ? r : r == 0;
}

static void forget_all(struct kr_joining *m)
{
	kr_edits_done(&m->plan->edits);
	m->plan->after = kr_node_free(m->plan->after);
	m->plan->audit = kr_audit_free(m->plan->audit);
}

static int join_group(struct kr_joining *m, const bool *group)
{
	bool joined[KR_N_RULES] = {false}, again;

	/* of those in one file kubelet tells the first one only: another cannot
	 * be edited before */
	do {
		again = false;
		for (size_t i = 0; i < n_rules(m) && i < KR_N_RULES; i++) {
			int r = 1;

			if (group[i] && !joined[i]) {
				/* what an earlier try was refused for */
				kr_diag_done(&m->candidates[i].diag);
				r = add_step(m, i);
			}
			joined[i] = joined[i] || r == 0;
			again = again || r == 0;
			if (r < 0 && r != KR_REFUSED)
				return r;
		}
	} while (again);
	for (size_t i = 0; i < n_rules(m); i++) {
		if (group[i] &&
		    kr_joining_judgement(m, i)->disk.answer != KR_ANSWER_PASS)
			return KR_REFUSED;
	}
	return 0;
}

/*
 * Several wrong settings, each of which kubelet refuses: none of them joins
 * alone, as it would not start then, either. The edits of each are proved but
 * for that, and all pass in the end, or none of them is made.
 */
static int try_group(struct kr_joining *m)
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
	if (r == KR_REFUSED)
		return 0;
	for (size_t i = 0; i < n_rules(m) && r == 0; i++) {
		struct kr_candidate *c = &m->candidates[i];

		if (!group[i])
			continue;
		c->fixed = true;
		kr_left_done(&c->left);
		kr_diag_merge(m->diag, &c->diag);
	}
	return r;
}

/* --- the commands of what is left ----------------------------------------- */

/* Each setting whose value is the owner's to say takes it. */
#define ANY_VALUE "1"

int kr_joining_set(struct kr_rule *rule)
{
	rule->owners_value = false;
	return kr_value_parse(kr_field(rule->fields[0])->type, ANY_VALUE,
	                      strlen(ANY_VALUE), &rule->want);
}

bool kr_joining_may_cure(const struct kr_joining *m, size_t i)
{
	const struct kr_judgement *j = &m->audit->items[i];
	const struct kr_left *left = &m->candidates[i].left;

	return j->disk.state == KR_STATE_INVALID && j->rule->n_fields == 1 &&
	       (j->by_setting || is_wrong(j)) &&
	       (!left->text || left->why == KR_WHY_ASK ||
	        left->why == KR_WHY_REFUSED);
}

/* Whether a fix of J's rule alone is known to be refused on NODE, which J is
 * of. 1, 0, or an errno. */
static int is_refused_alone(const struct kr_joining *m, struct kr_node *node,
                            const struct kr_judgement *j)
{
	_cleanup_step_ struct kr_plan step = {.method = m->plan->method};
	_cleanup_diag_ struct kr_diag ignored = {0};
	struct kr_plan_options options = *m->options;
	struct kr_judgement own = *j;
	struct kr_rule rule = *j->rule;
	int r = 0;

	if (rule.n_fields == 0)
		return 0;
	/* whether another is the cure is proved */
	if (is_refused_elsewhere(j) && !is_wrong(j))
		return 1;
	own.rule = &rule;
	options.draft = true;
	if (rule.owners_value)
		r = kr_joining_set(&rule);
	if (r == 0)
		r = kr_step_make(node, &own, &options, &ignored, &step);
	if (j->rule->owners_value)
		kr_value_done(&rule.want);
	return r == KR_REFUSED ? 1 : r == KR_NOTHING_YET || r > 0 ? 0 : r;
}

int kr_joining_check_commands(struct kr_joining *m)
{
	for (size_t i = 0; i < n_rules(m); i++) {
		struct kr_left *left = &m->candidates[i].left;
		const bool preview = m->options->preview;
		int r;

		if (!left->options)
			continue;
		r = is_refused_alone(m, preview ? m->node : node_now(m),
		                     preview ? &m->audit->items[i]
		                             : kr_joining_judgement(m, i));
		if (r < 0)
			return r;
		if (r > 0) {
			free(left->options);
			left->options = NULL;
		}
	}
	return 0;
}

int kr_joining_run(struct kr_joining *m)
{
	bool again;
	int r = kr_joining_is_lone(m) ? 0 : try_group(m);

	if (r < 0)
		return r;
	do {
		again = false;
		for (size_t i = 0; i < n_rules(m); i++) {
			/* one that needed nothing may, after the others */
			r = m->candidates[i].fixed ? 0 : try_rule(m, i);
			if (r < 0)
				return r;
			/* a draft changes nothing for the others */
			again = again || (r > 0 && !m->options->draft);
		}
	} while (again && !kr_joining_is_lone(m));
	return 0;
}
