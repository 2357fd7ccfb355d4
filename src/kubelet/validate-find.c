/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What kubelet refuses: each rule is asked of each minor, and what refuses is a
 * finding, in words and with its place. One that several minors have is one. A
 * wrong type of a field that only some minors have was found when the files
 * were read, and is a finding of those.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "kubelet/minors.h"
#include "kubelet/validate-constraint.h"

/* Whether the gates are so that RULE is asked. */
static bool gates_fit(const struct kr_validation *j,
                      const struct kr_constraint *rule)
{
	enum kr_gate_is want = rule->gate_on ? KR_GATE_IS_ON : KR_GATE_IS_OFF;

	if (rule->manager &&
	    kr_validation_gate(j, rule->manager) != KR_GATE_IS_ON)
		return false;
	return !rule->gate || kr_validation_gate(j, rule->gate) == want;
}

static bool refuses(struct kr_validation *j, const struct kr_constraint *rule)
{
	j->item = j->item_value = j->path = NULL;
	j->n_refused = 0;
	j->main_file = false;
	j->needer = NULL;
	j->blamed = NULL;
	j->words[0] = '\0';
	j->rule = rule;
	return rule->refuses(j) && gates_fit(j, rule);
}

/* The field of RULE that is spoken of: the first that anything sets. */
static int field_of(const struct kr_validation *j,
                    const struct kr_constraint *rule)
{
	for (size_t i = 0; i < ARRAY_SIZE(rule->fields); i++) {
		if ((i == 0 || rule->fields[i]) &&
		    kr_validation_is_set(j, rule->fields[i]))
			return rule->fields[i];
	}
	return rule->fields[0];
}

/* Of several flags the one that has what is refused. */
static int blame_flag(const struct kr_validation *j, struct kr_held *held,
                      int field)
{
	enum kr_type type = kr_field(field)->type;

	if (j->blamed)
		return kr_validation_flag_of(j, KR_FIELD_GATE_ROTATE_SERVER,
		                             KR_TYPE_TREE, j->path,
		                             &held->flag);
	if (!held->flag || j->n_refused == 0 ||
	    (type != KR_TYPE_LIST && type != KR_TYPE_TREE))
		return 0;
	return kr_validation_flag_of(j, field, type, j->path, &held->flag);
}

/* WHAT of F, without the item: DASHES and the NAME of its field, and words. */
static int say_words(const struct kr_validation *j,
                     const struct kr_constraint *rule, const char *dashes,
                     const char *name, struct kr_finding *f)
{
	if (*j->words)
		return kr_format(&f->what, "%s%s %s", dashes, name, j->words);
	if (!rule->words)
		return kr_format(&f->what, "%s%s must be from %lld to %lld",
		                 dashes, name, (long long)rule->min,
		                 (long long)rule->max);
	if (rule->gate && !rule->gate_on)
		return kr_format(&f->what,
		                 "%s%s %s while the feature gate %s is off",
		                 dashes, name, rule->words, rule->gate);
	return kr_format(&f->what, "%s%s %s", dashes, name, rule->words);
}

static int say_rule(const struct kr_validation *j,
                    const struct kr_constraint *rule, struct kr_finding *f)
{
	const struct kr_field *field;
	const char *name, *dashes = "";
	int r;

	f->field = field_of(j, rule);
	f->held = kr_validation_hold(j, f->field);
	field = kr_field(f->field);
	name = kr_field_name(f->field);
	if (j->blamed)
		f->held = (struct kr_held){.whence = KR_WHENCE_FLAG,
		                           .flag = j->blamed};
	r = blame_flag(j, &f->held, f->field);
	if (r < 0)
		return r;
	/* a file's field may have been a flag alone */
	f->argument = f->held.flag || !field->path ||
	              (field->flag && field->first_minor > j->minor);
	if (f->argument) {
		name = field->flag ?: "feature-gates";
		dashes = "--";
	}
	r = say_words(j, rule, dashes, name, f);
	if (r < 0 || *j->words || !(j->needer || j->item))
		return r;
	if (j->needer)
		return kr_format(&f->what, "%s: %s needs %s, which is off",
		                 f->what, j->needer, j->item);
	if (j->item_value && !*j->item_value)
		return kr_format(&f->what, "%s, not an empty \"%.60s\"",
		                 f->what, j->item);
	return kr_format(&f->what, "%s, not \"%.60s%s%.60s\"", f->what, j->item,
	                 j->item_value ? ": " : "", j->item_value ?: "");
}

void kr_finding_done(struct kr_finding *f)
{
	free(f->item);
	free(f->what);
}
#define _cleanup_finding_ _cleanup_(kr_finding_done)

/* RULE refuses: a finding, or one more minor of one. */
static int add_finding(struct kr_findings *v, const struct kr_validation *j,
                       const struct kr_constraint *rule)
{
	_cleanup_finding_ struct kr_finding f = {
		.rule = rule, .minors = kr_minors_bit(j->minor)};
	int r = say_rule(j, rule, &f);

	if (r < 0)
		return r;
	KR_EACH(struct kr_finding, old, v->items, v->n) {
		/* two rules may say the same, each of its own minors */
		if (old->rule->warns != rule->warns || old->field != f.field ||
		    strcmp(old->what, f.what) != 0)
			continue;
		old->minors |= kr_minors_bit(j->minor);
		return 0;
	}
	r = kr_validation_place(j, f.field, &f.held, &f.place);
	if (r < 0)
		return r;
	if (j->item) {
		f.item = strdup(j->item);
		if (!f.item)
			return -ENOMEM;
	}
	return KR_VEC_MOVE(v->items, v->n, &f);
}

/* Of one rule so many items are spoken of in one value. */
#define ITEMS_SAID 20

/* Asks RULE of J's minor. SETTLED then: it refuses of no later minor either. */
static int ask_rule(struct kr_findings *v, struct kr_validation *j,
                    const struct kr_constraint *rule, bool *settled)
{
	bool by_minor = false;

	if (*settled || j->minor < rule->from || j->minor > rule->to)
		return 0;
	j->by_minor = &by_minor;
	for (j->n_skipped = 0; j->n_skipped < ITEMS_SAID; j->n_skipped++) {
		int r;

		if (!refuses(j, rule)) {
			*settled = !by_minor && j->n_skipped == 0;
			return 0;
		}
		r = add_finding(v, j, rule);
		if (r < 0 || j->n_refused == 0)
			return r;
	}
	return 0;
}

int kr_findings_ask(struct kr_findings *v, struct kr_validation *j)
{
	static const struct kr_constraint *const tables[] = {
		kr_constraints_config, kr_constraints_start,
		kr_constraints_managers, kr_constraints_gates};
	size_t n = 0;

	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		const struct kr_constraint *rule = tables[t];

		for (; rule->refuses; rule++) {
			bool ignored = false;
			int r = ask_rule(v, j, rule,
			                 n < ARRAY_SIZE(v->settled)
			                         ? &v->settled[n++]
			                         : &ignored);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* --- wrong types of fields that only some have ---------------------------- */

static const struct kr_constraint wrong_type = {
	.code = "config-type",
	.words = "",
};

/* The same of another merge; NULL: there is none. */
static struct kr_finding *find_refusal(const struct kr_findings *v,
                                       const struct kr_config_refusal *refusal)
{
	return KR_FIRST(f, v->items, v->n,
	                f->place.file == refusal->place.file &&
	                        f->place.offset == refusal->place.offset &&
	                        strcmp(f->what, refusal->text) == 0);
}

/* KNOWN: the minors that CONFIG is of. */
static int add_refusals(struct kr_findings *v, const struct kr_config *config,
                        uint64_t known)
{
	KR_EACH(const struct kr_config_refusal, refusal, config->refusals,
	        config->n_refusals) {
		uint64_t minors = refusal->minors & known;
		struct kr_finding *next;

		minors &= v->asked;
		if (minors == 0)
			continue;
		next = find_refusal(v, refusal);
		if (next) {
			next->minors |= minors;
			continue;
		}
		next = KR_VEC_NEXT(v->items, v->n);
		if (!next)
			return -ENOMEM;
		*next = (struct kr_finding){
			.rule = &wrong_type,
			.minors = minors,
			.field = -1,
			.place = refusal->place,
			.what = strdup(refusal->text),
		};
		if (!next->what)
			return -ENOMEM;
		v->n++;
	}
	return 0;
}

static int add_merge(struct kr_findings *v, const struct kr_merged *merged,
                     unsigned first, unsigned last)
{
	uint64_t known = kr_minors_range(first, last);

	for (size_t i = 0; i < merged->n_configs; i++) {
		int r = add_refusals(v, merged->configs[i], known);

		if (r < 0)
			return r;
	}
	return add_refusals(v, &merged->result, known);
}

int kr_findings_add_types(struct kr_findings *v)
{
	const struct kr_inputs *in = v->in;
	int r;

	if (!in->merged_valid)
		return 0;
	if (!in->older_valid)
		return add_merge(v, &in->merged, KR_FIRST_MINOR, KR_LAST_MINOR);
	r = add_merge(v, &in->merged, 32, KR_LAST_MINOR);
	return r < 0 ? r : add_merge(v, &in->older, 29, 31);
}
