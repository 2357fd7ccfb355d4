/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The plan: which rules are fixed, and what is edited for that.
 *
 * The rules join it one by one (policy/joining). Of a lone rule a refusal is
 * that of the plan, with all its messages; of several one sentence stays of it.
 * What all have joined is written to the platform's durable place, too, and put
 * into the order in which the files are to be replaced (policy/proof).
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "policy/joining.h"
#include "policy/plan.h"
#include "policy/proof.h"
#include "policy/refusal.h"
#include "policy/step.h"

/*
 * What is known of a plan's edits by themselves, whatever they are for: whether
 * systemd has to read anything again, and the name by which plans differ.
 */

/* --- Reload --------------------------------------------------------------- */

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
		    kr_inputs_find_file(&node->disk.inputs, real) < 0 &&
		    !kr_step_is_in_config_dir(node, real) &&
		    !is_environment_file(node, real))
			return true;
	}
	return false;
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

/* What the place is to have; the texts by which this program fixes another node
 * have what was asked for here. */
static struct kr_durable_options durable_options(const struct kr_joining *m,
                                                 enum kr_method method)
{
	const bool flag = method == KR_METHOD_FLAG;
	const bool named = flag && kr_step_method(m->node) != method;
	static const char *const how[2][2] = {
		{"", " --method=flag"},
		{" --explicit", " --explicit --method=flag"},
	};

	return (struct kr_durable_options){
		.no_persist = m->options->no_persist,
		.medium = m->options->medium,
		.flag = flag,
		.how = how[m->options->explicit_wanted][named],
	};
}

static int make_durable(struct kr_joining *m)
{
	const struct kr_durable_options durable =
		durable_options(m, m->plan->method);
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

static bool is_refused(const struct kr_candidate *c)
{
	return c->left.text && c->left.why == KR_WHY_REFUSED;
}

/* Whether what was left makes the whole a refusal; its words go to DIAG. */
static bool refuses_whole(struct kr_joining *m)
{
	bool whole = false;

	for (size_t i = 0; i < m->audit->n_items; i++) {
		struct kr_candidate *c = &m->candidates[i];

		if (!is_refused(c) ||
		    !(kr_joining_is_lone(m) || c->left.invalid))
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

/* All whose values kubelet may refuse the node for, together. */
struct cure {
	struct kr_rule *own; /* copies: each value is there to be written */
	const struct kr_rule **items;
	size_t n;
	bool asks;     /* the owner has to say so */
	char *options; /* by which a fix takes them */
};

static void cure_done(struct cure *c)
{
	for (size_t i = 0; i < c->n; i++) {
		if (c->items[i] == &c->own[i])
			kr_value_done(&c->own[i].want);
	}
	free(c->own);
	free(c->items);
	free(c->options);
}

static int add_to_cure(struct cure *c, const struct kr_rule *rule, char **sets)
{
	struct kr_rule *own = &c->own[c->n];
	int r = kr_format(&c->options, "%s%s%s",
	                  c->options ? c->options : "--control=",
	                  c->options ? "," : "", rule->name);

	if (r < 0)
		return r;
	c->items[c->n] = rule;
	if (rule->owners_value) {
		*own = *rule;
		r = kr_joining_set(own);
		if (r < 0)
			return r;
		c->items[c->n] = own;
		r = kr_format(sets, "%s --set=%s=VALUE", *sets ? *sets : "",
		              rule->name);
	}
	c->n++;
	return r;
}

/* Whether a fix of them makes a node that kubelet starts with. 1, 0 or an
 * errno. */
static int is_cure(struct kr_joining *m, const struct cure *c)
{
	const struct kr_rules rules = {c->items, c->n, m->audit->edition};
	const struct kr_audit_options how = {.live = KR_STATE_ABSENT};
	const struct kr_plan_options options = {
		.method = m->options->method,
		.no_persist = true,
		.check_files = m->options->check_files,
	};
	_cleanup_diag_ struct kr_diag ignored = {0};
	_cleanup_audit_ struct kr_audit *audit = NULL;
	_cleanup_plan_ struct kr_plan *plan = NULL;
	int r = kr_audit_run(m->node, &rules, &how, &ignored, &audit);

	if (r == 0)
		r = kr_plan_make(m->node, audit, &options, &ignored, &plan);
	if (r == 0)
		return plan->n_left == 0 && plan->edits.n_files > 0;
	return r == KR_REFUSED ? 0 : r;
}

/* What the owner has to say of all that kubelet may refuse the node for is one
 * command. */
static int name_cure(struct kr_joining *m)
{
	const size_t n = m->audit->n_items;
	_cleanup_(cure_done) struct cure c = {
		.own = calloc(n, sizeof(*c.own)),
		.items = calloc(n, sizeof(*c.items)),
	};
	_cleanup_free_ char *sets = NULL;
	int r = c.own && c.items ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && r == 0; i++) {
		const struct kr_left *left = &m->candidates[i].left;

		if (!kr_joining_may_cure(m, i))
			continue;
		if (left->options) /* it is enough */
			return 0;
		c.asks = c.asks || (left->text && left->why == KR_WHY_ASK);
		r = add_to_cure(&c, m->audit->items[i].rule, &sets);
	}
	if (r < 0 || c.n < 2 || !c.asks)
		return r;
	r = is_cure(m, &c);
	for (size_t i = 0; i < n && r > 0; i++) {
		struct kr_left *left = &m->candidates[i].left;

		if (kr_joining_may_cure(m, i) && left->text &&
		    left->why == KR_WHY_ASK &&
		    kr_format(&left->options, "%s%s", c.options,
		              sets ? sets : "") < 0)
			r = -ENOMEM;
	}
	return r < 0 ? r : 0;
}

/* What is left only as kubelet refuses the node gets the command that ends
 * that. 0 or -ENOMEM. */
static int share_cure(struct kr_joining *m)
{
	const char *options = NULL;

	for (size_t i = 0; i < m->audit->n_items && !options; i++)
		options = kr_joining_may_cure(m, i)
		                  ? m->candidates[i].left.options
		                  : NULL;
	for (size_t i = 0; i < m->audit->n_items && options; i++) {
		struct kr_left *left = &m->candidates[i].left;

		if (left->invalid && !left->options &&
		    kr_format(&left->options, "%s", options) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* What is left gets no command that would be refused. 0 or an errno. */
static int check_commands(struct kr_joining *m)
{
	int r = kr_joining_check_commands(m);

	if (r < 0 || (m->plan->audit && !kr_joining_is_refused(m->plan->audit)))
		return r;
	r = name_cure(m);
	return r < 0 ? r : share_cure(m);
}

/* Those that would be fixed are left with the whole. KR_REFUSED; -ENOMEM;
 * another errno. */
static int refuse_all(struct kr_joining *m)
{
	_cleanup_free_ char *why = kr_diag_reason(m->diag, "");
	int r = why ? 0 : -ENOMEM;

	if (m->draft.draft || kr_joining_is_lone(m))
		return KR_REFUSED;
	for (size_t i = 0; i < m->audit->n_items && r >= 0; i++) {
		if (m->candidates[i].fixed)
			r = kr_joining_leave(m, i, why);
	}
	if (r >= 0)
		r = check_commands(m);
	return r < 0 ? r : KR_REFUSED;
}

/* What is fixed, in the order of the audit. */
static int sum_up_fixed(struct kr_joining *m)
{
	struct kr_plan *plan = m->plan;

	plan->rules = calloc(m->audit->n_items + 1, sizeof(*plan->rules));
	if (!plan->rules)
		return -ENOMEM;
	for (size_t i = 0; i < m->audit->n_items; i++) {
		const struct kr_candidate *c = &m->candidates[i];

		if (c->fixed || c->part)
			plan->rules[plan->n_rules++] = m->audit->items[i].rule;
	}
	return 0;
}

/* What is left, in the order of the audit: the candidates have it no more. */
static int sum_up_left(struct kr_joining *m)
{
	struct kr_plan *plan = m->plan;

	if (!plan->left)
		plan->left = calloc(m->audit->n_items + 1, sizeof(*plan->left));
	if (!plan->left)
		return -ENOMEM;
	for (size_t i = 0; i < m->audit->n_items; i++) {
		struct kr_candidate *c = &m->candidates[i];

		if (!c->left.text)
			continue;
		plan->left[plan->n_left] = c->left;
		plan->left[plan->n_left++].rule = m->audit->items[i].rule;
		c->left = (struct kr_left){0};
	}
	return 0;
}

static int finish(struct kr_joining *m)
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
static int plan_unconfigured(struct kr_joining *m)
{
	int r = 0;

	if (m->options->draft)
		return 0;
	for (size_t i = 0; i < m->audit->n_items && r >= 0; i++) {
		struct kr_candidate *c = &m->candidates[i];

		c->fixed = !kr_step_is_done(m->node, kr_joining_judgement(m, i),
		                            m->options);
		r = c->fixed ? kr_joining_triage(m, i) : 0;
		c->fixed = c->fixed && r == 0;
	}
	if (r >= 0)
		r = sum_up_fixed(m);
	if (r == 0)
		r = sum_up_left(m);
	if (r < 0)
		return r;
	m->plan->unconfigured = true;
	if (m->plan->n_rules == 0)
		return KR_NOTHING_YET;
	r = make_durable(m);
	return r == 0 && m->plan->edits.n_files == 0 ? KR_NOTHING_YET : r;
}

/* Nothing can be edited on this node: one of several rules says it, and each is
 * left in its own words. KR_REFUSED; as kr_joining_refuse(). */
static int refuse_each(struct kr_joining *m)
{
	_cleanup_free_ char *why = kr_step_hopeless_why(m->node);
	const bool refused = m->node->platform && m->node->platform->refusal;
	int r = 0;

	for (size_t i = 0; i < m->audit->n_items && r >= 0; i++)
		r = kr_joining_refuse(m, i);
	if (r < 0)
		return r;
	if (why)
		return kr_diag_refuse(m->diag,
		                      refused ? "platform" : "not-a-unit",
		                      KR_SPAN_NONE, "%s", why);
	for (size_t i = 0;
	     i < m->audit->n_items && !kr_diag_first(m->diag, KR_ERROR); i++)
		kr_diag_merge(m->diag, &m->candidates[i].diag);
	return KR_REFUSED;
}

/* The only rule, and whatever an audit foresees: the first that is refused. */
static int refuse_first(struct kr_joining *m)
{
	int r = 0;

	for (size_t i = 0; i < m->audit->n_items; i++) {
		if (kr_step_is_done(m->node, kr_joining_judgement(m, i),
		                    m->options))
			continue;
		r = kr_joining_refuse_step(m, i, m->options, m->diag);
		if (r != KR_REFUSED || !m->node->disk.foreign)
			break;
	}
	return r;
}

/* Whether RULE I is refused for what starts kubelet alone, and not by its owner
 * or for harm. 1, 0 or -ENOMEM. */
static int is_for_medium(const struct kr_joining *m, size_t i)
{
	const struct kr_judgement *j = kr_joining_judgement(m, i);
	const struct kr_left *left = &m->candidates[i].left;
	const struct kr_consent *said = kr_joining_consent(m, i);
	_cleanup_diag_ struct kr_diag ignored = {0};
	_cleanup_free_ char *why = NULL;
	int r;

	if (!j->rule->test || j->disk.answer == KR_ANSWER_PASS || j->waiver ||
	    !kr_rule_is_written(j->rule) ||
	    (left->text && left->why != KR_WHY_REFUSED) ||
	    (said->held && !said->allowed))
		return 0;
	r = kr_refusal_find(m->node, m->node, j->rule, &ignored, &why);
	return r < 0 ? r : r == 0;
}

/* Where another program starts kubelet, the medium of the node may be known all
 * the same. 0 or -ENOMEM. */
static int describe_medium(struct kr_joining *m, struct kr_rules *rules,
                           const struct kr_rule **items)
{
	const struct kr_durable_options options =
		durable_options(m, m->options->method);

	for (size_t i = 0; i < m->audit->n_items; i++) {
		int r = is_for_medium(m, i);

		if (r < 0)
			return r;
		if (r > 0)
			items[rules->n_items++] = m->audit->items[i].rule;
	}
	return kr_durable_describe_medium(m->node, rules, &options,
	                                  &m->plan->durable);
}

/* What reaches kubelet here is what another program hands to it: not all media
 * are read by that. */
static bool is_medium_read(const struct kr_joining *m)
{
	const struct kr_foreign *f = m->node->disk.foreign;

	return m->options->medium && f &&
	       !(m->node->platform && m->node->platform->refusal) &&
	       kr_foreign_reads(f, m->options->medium->id);
}

/* The words of the medium that was named would do nothing here. */
static void warn_unread(const struct kr_joining *m)
{
	const struct kr_platform *medium = m->options->medium;
	const struct kr_platform *p = m->node->platform;
	const struct kr_foreign *f = m->node->disk.foreign;
	const char *who = p && p->refusal ? p->name : f ? f->name : NULL;

	if (!medium || is_medium_read(m))
		return;
	if (kr_durable_runs_fix(medium))
		who = "fix, which it runs, is refused here";
	kr_diag_add(m->diag, KR_WARNING, "medium-unread", KR_SPAN_NONE,
	            "nothing is printed for --for=%s: %s%s", medium->id,
	            who ? who
	                : "where kubelet's arguments come from is unknown",
	            who && !kr_durable_runs_fix(medium)
	                    ? " does not read what it writes"
	                    : "");
}

/* What those that are refused are to have where it is put by hand. 0 or
 * -ENOMEM. */
static int describe_by_hand(struct kr_joining *m)
{
	const struct kr_platform *by_hand = NULL;
	_cleanup_free_ const struct kr_rule **items =
		calloc(m->audit->n_items + 1, sizeof(*items));
	struct kr_rules rules = {items, 0, m->audit->edition};

	if (!items)
		return -ENOMEM;
	if (is_medium_read(m))
		return describe_medium(m, &rules, items);
	for (size_t i = 0; i < m->audit->n_items; i++) {
		const struct kr_candidate *c = &m->candidates[i];

		if (!c->by_hand ||
		    (c->left.text && c->left.why != KR_WHY_REFUSED))
			continue;
		by_hand = c->by_hand;
		items[rules.n_items++] = m->audit->items[i].rule;
	}
	return by_hand ? kr_durable_describe(m->node, by_hand, &rules,
	                                     &m->plan->durable)
	               : 0;
}

static int refuse_node(struct kr_joining *m)
{
	const bool first = kr_joining_is_lone(m) || m->draft.draft;
	int refused = first ? refuse_first(m) : refuse_each(m), r;

	if (refused == KR_NOTHING_YET)
		return plan_unconfigured(m);
	if (refused != KR_REFUSED || m->draft.draft)
		return refused;
	warn_unread(m);
	r = describe_by_hand(m);
	if (r == 0)
		r = kr_joining_check_commands(m);
	return r < 0 ? r : refused;
}

static bool all_done(const struct kr_joining *m)
{
	for (size_t i = 0; i < m->audit->n_items; i++) {
		if (!kr_step_is_done(m->node, kr_joining_judgement(m, i),
		                     m->options) ||
		    kr_joining_is_held_back(m, i))
			return false;
	}
	return true;
}

static int make(struct kr_joining *m)
{
	int r;

	if (all_done(m))
		return sum_up_left(m);
	if (kr_step_is_hopeless(m->node))
		return refuse_node(m);
	r = kr_joining_run(m);
	if (r < 0)
		return r;
	if (refuses_whole(m))
		return refuse_all(m);
	r = m->draft.draft ? 0 : check_commands(m);
	if (r == 0)
		r = sum_up_fixed(m);
	if (r == 0)
		r = finish(m);
	if (r == KR_REFUSED) {
		kr_durable_done(&m->plan->durable);
		return refuse_all(m);
	}
	return r < 0 ? r : sum_up_left(m);
}

/* Of a plan that is refused there is what was left of several, and what is put
 * somewhere by hand. 0 or -ENOMEM. */
static int keep_refused(struct kr_joining *m)
{
	struct kr_plan *plan = m->plan;
	int r = kr_joining_is_lone(m) ? 0 : sum_up_left(m);

	plan->method = KR_METHOD_AUTO;
	plan->n_rules = 0;
	kr_edits_done(&plan->edits);
	plan->after = kr_node_free(plan->after);
	plan->audit = kr_audit_free(plan->audit);
	return r;
}

int kr_plan_make(struct kr_node *node, const struct kr_audit *audit,
                 const struct kr_plan_options *options, struct kr_diag *diag,
                 struct kr_plan **ret)
{
	_cleanup_plan_ struct kr_plan *plan = calloc(1, sizeof(*plan));
	struct kr_plan_options own = *options;
	struct kr_joining m = {
		.node = node,
		.audit = audit,
		.options = &own,
		.draft = *options,
		.drafts = options->draft && audit->n_items > 1,
		.diag = diag,
		.plan = plan,
		.candidates = calloc(audit->n_items, sizeof(*m.candidates)),
	};
	int r = plan && m.candidates ? 0 : -ENOMEM;

	own.draft = options->draft &&
	            (audit->n_items == 1 || !kr_joining_is_refused(audit));
	if (r == 0) {
		plan->method = options->method == KR_METHOD_AUTO
		                       ? kr_step_method(node)
		                       : options->method;
		r = make(&m);
	}
	if (r == KR_REFUSED && keep_refused(&m) < 0)
		r = -ENOMEM;
	for (size_t i = 0; m.candidates && i < audit->n_items; i++) {
		kr_left_done(&m.candidates[i].left);
		kr_diag_done(&m.candidates[i].diag);
	}
	free(m.candidates);
	kr_strings_done(&m.changeable);
	r = kr_diag_result(diag, r);
	if (r == 0 || r == KR_REFUSED)
		*ret = TAKE_PTR(plan);
	return r;
}

bool kr_plan_fixes(const struct kr_plan *plan, const struct kr_rule *rule)
{
	return KR_ANY(one, plan->rules, plan->n_rules, *one == rule);
}

const struct kr_left *kr_plan_left(const struct kr_plan *plan,
                                   const struct kr_rule *rule)
{
	return KR_FIRST(l, plan->left, plan->n_left, l->rule == rule);
}

size_t kr_plan_n_failing(const struct kr_plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; plan && i < plan->n_left; i++)
		n += plan->left[i].why != KR_WHY_WAIVED;
	return n;
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
		kr_left_done(&plan->left[i]);
	free(plan->left);
	free(plan->rules);
	free(plan);
	return NULL;
}
