/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What kubelet refuses, as tables of rules.
 *
 * kubelet validates what flags, files and defaults have come to; then it sets
 * up TLS, its clients and its managers, each of which stops it for words that
 * it does not know. A rule (validate-constraint.h) is one such condition, with
 * the minors that have it. Each rule is asked for each minor that may run, and
 * what refuses is a finding.
 *
 * A minor may run if it is the node's, or, where that is not known, if it has
 * all the flags that are given. Where each minor that may run has a finding,
 * kubelet would not start; else each finding is a warning that names its
 * minors.
 *
 * A rule speaks of its first field that is set, and of each item there that it
 * refuses; of one item one rule speaks. What more minors refuse comes first.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "kubelet/flag-table.h"
#include "kubelet/validate-constraint.h"
#include "kubelet/validate.h"

#define N_MINORS (KR_VALIDATE_LAST_MINOR - KR_VALIDATE_FIRST_MINOR + 1)
/* The first version that is not long out of support. */
#define SUPPORTED_MINOR 29U

/* --- what was found ------------------------------------------------------ */

struct finding {
	const struct kr_constraint *rule;
	unsigned minors; /* a bit for each that refuses */
	int field;       /* that is spoken of */
	struct kr_held held;
	struct kr_span place;
	bool argument; /* it is one of the arguments, which may lack it */
	char *item;    /* of the field, that is spoken of; NULL: all of it */
	char *what;    /* "port would have to be ..." */
	unsigned said; /* those of MINORS that were spoken of */
};

static unsigned bit(unsigned minor)
{
	return 1U << (minor - KR_VALIDATE_FIRST_MINOR);
}

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
	if (j->minor < rule->from || j->minor > rule->to)
		return false;
	j->item = j->item_value = j->path = NULL;
	j->n_refused = 0;
	j->needer = NULL;
	j->blamed = NULL;
	j->words[0] = '\0';
	return rule->refuses(j, rule) && gates_fit(j, rule);
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

static int say_rule(const struct kr_validation *j,
                    const struct kr_constraint *rule, struct finding *f)
{
	const struct kr_field *field;
	const char *words = *j->words ? j->words : rule->words;
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
	if (words)
		r = kr_format(&f->what, "%s%s %s", dashes, name, words);
	else
		r = kr_format(&f->what,
		              "%s%s would have to be from %lld to %lld", dashes,
		              name, (long long)rule->min, (long long)rule->max);
	if (*j->words)
		return r;
	if (r == 0 && j->needer) {
		_cleanup_free_ char *before = TAKE_PTR(f->what);

		r = kr_format(&f->what, "%s: %s needs %s, which is off", before,
		              j->needer, j->item);
	} else if (r == 0 && j->item) {
		_cleanup_free_ char *before = TAKE_PTR(f->what);

		r = kr_format(&f->what, "%s, not \"%.60s%s%.60s\"", before,
		              j->item, j->item_value ? ": " : "",
		              j->item_value ?: "");
	}
	return r;
}

/* "1.20 to 1.22, 1.30 to 1.36" */
static int name_minors(unsigned minors, char **ret)
{
	_cleanup_free_ char *text = NULL;
	int r = 0;

	for (unsigned m = KR_VALIDATE_FIRST_MINOR;
	     r == 0 && m <= KR_VALIDATE_LAST_MINOR; m++) {
		_cleanup_free_ char *before = NULL;
		unsigned last = m;

		if (!(minors & bit(m)))
			continue;
		while (last < KR_VALIDATE_LAST_MINOR &&
		       (minors & bit(last + 1)))
			last++;
		before = TAKE_PTR(text);
		r = kr_format(&text, "%s%s1.%u", before ?: "",
		              before ? ", " : "", m);
		if (r == 0 && last > m) {
			free(before);
			before = TAKE_PTR(text);
			r = kr_format(&text, "%s to 1.%u", before, last);
		}
		m = last;
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(text);
	return 0;
}

struct verdict {
	struct kr_inputs *in;
	struct kr_diag *diag;
	unsigned may_run; /* a bit for each minor */
	struct finding *findings;
	size_t n_findings;
};

static void finding_done(struct finding *f)
{
	free(f->item);
	free(f->what);
}
#define _cleanup_finding_ _cleanup_(finding_done)

/* RULE refuses: a finding, or one more minor of one. */
static int add_finding(struct verdict *v, const struct kr_validation *j,
                       const struct kr_constraint *rule)
{
	_cleanup_finding_ struct finding f = {.rule = rule,
	                                      .minors = bit(j->minor)};
	int r = say_rule(j, rule, &f);

	if (r < 0)
		return r;
	for (size_t i = 0; i < v->n_findings; i++) {
		struct finding *old = &v->findings[i];

		/* two rules may say the same, each of its own minors */
		if (old->rule->warns != rule->warns || old->field != f.field ||
		    strcmp(old->what, f.what) != 0)
			continue;
		old->minors |= bit(j->minor);
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
	return KR_VEC_MOVE(v->findings, v->n_findings, &f);
}

/* Of one rule so many items are spoken of in one value. */
#define ITEMS_SAID 20

/* Asks RULE of J's minor. */
static int ask_rule(struct verdict *v, struct kr_validation *j,
                    const struct kr_constraint *rule)
{
	for (j->n_skipped = 0; j->n_skipped < ITEMS_SAID; j->n_skipped++) {
		int r;

		if (!refuses(j, rule))
			return 0;
		r = add_finding(v, j, rule);
		if (r < 0 || j->n_refused == 0)
			return r;
	}
	return 0;
}

/* Asks all rules of J's minor. */
static int ask(struct verdict *v, struct kr_validation *j)
{
	static const struct kr_constraint *(*const tables[])(size_t *) = {
		kr_constraints_config,
		kr_constraints_start,
		kr_constraints_managers,
		kr_constraints_gates,
	};

	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		size_t n;
		const struct kr_constraint *rules = tables[t](&n);

		for (size_t i = 0; i < n; i++) {
			int r = ask_rule(v, j, &rules[i]);

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
static struct finding *find_refusal(const struct verdict *v,
                                    const struct kr_config_refusal *refusal)
{
	for (size_t i = 0; i < v->n_findings; i++) {
		struct finding *f = &v->findings[i];

		if (f->place.file == refusal->place.file &&
		    f->place.offset == refusal->place.offset &&
		    strcmp(f->what, refusal->text) == 0)
			return f;
	}
	return NULL;
}

/* KNOWN: the minors that CONFIG is of. */
static int add_refusals(struct verdict *v, const struct kr_config *config,
                        uint64_t known)
{
	for (size_t i = 0; i < config->n_refusals; i++) {
		const struct kr_config_refusal *refusal = &config->refusals[i];
		uint64_t minors = refusal->minors & known;
		struct finding *next;

		minors = (minors >> KR_FIRST_MINOR) & v->may_run;
		if (minors == 0)
			continue;
		next = find_refusal(v, refusal);
		if (next) {
			next->minors |= (unsigned)minors;
			continue;
		}
		next = KR_VEC_NEXT(v->findings, v->n_findings);
		if (!next)
			return -ENOMEM;
		*next = (struct finding){
			.rule = &wrong_type,
			.minors = (unsigned)minors,
			.field = -1,
			.place = refusal->place,
			.what = strdup(refusal->text),
		};
		if (!next->what)
			return -ENOMEM;
		v->n_findings++;
	}
	return 0;
}

static int add_merge(struct verdict *v, const struct kr_merged *merged,
                     unsigned first, unsigned last)
{
	uint64_t known = kr_minors_range(first, last);

	for (size_t i = 0; i < merged->n_configs; i++) {
		int r = add_refusals(v, &merged->configs[i], known);

		if (r < 0)
			return r;
	}
	return add_refusals(v, &merged->result, known);
}

static int add_types(struct verdict *v)
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

/* The minors that do not come to the rules. */
static unsigned refuse_types(const struct verdict *v)
{
	unsigned minors = 0;

	for (size_t i = 0; i < v->n_findings; i++) {
		if (v->findings[i].rule == &wrong_type)
			minors |= v->findings[i].minors;
	}
	return minors;
}

/* What advice there is goes by it: at the file, or at the argument. */
static const char *code_of(const struct finding *f)
{
	if (f->rule->code)
		return f->rule->code;
	if (f->rule->words)
		return f->argument ? "flag-invalid" : "config-invalid";
	return f->argument ? "flag-range" : "config-range";
}

static int say_error(struct verdict *v, const struct finding *f)
{
	const char *code = code_of(f);
	int r;

	if (f->argument) {
		/* of one that is not given it is the command */
		r = kr_flags_add_remark(&v->in->flags,
		                        f->held.flag ? f->held.flag->arg : 0,
		                        true, code, "%s", f->what);
		if (r < 0)
			return r;
	} else if (!f->place.file && v->in->config_path) {
		kr_diag_add_path(v->diag, KR_ERROR, code, v->in->config_path,
		                 "%s", f->what);
	} else {
		kr_diag_add(v->diag, KR_ERROR, code, f->place, "%s", f->what);
	}
	return kr_inputs_fault(
		v->in, KR_STATE_INVALID, "kubelet would refuse its %s: %s",
		f->argument ? "arguments" : "configuration", f->what);
}

static int say_warning(struct verdict *v, const struct finding *f,
                       unsigned refusing)
{
	_cleanup_free_ char *minors = NULL;
	int r = name_minors(refusing, &minors);

	if (r < 0)
		return r;
	if (f->argument)
		return kr_flags_add_remark(
			&v->in->flags, f->held.flag ? f->held.flag->arg : 0,
			false, "config-version",
			"%s, or kubelet %s would refuse it", f->what, minors);
	kr_diag_add(v->diag, KR_WARNING, "config-version", f->place,
	            "%s, or kubelet %s would refuse it", f->what, minors);
	return 0;
}

/* Of one field, and of one item of it, one rule speaks. */
static bool is_same(const struct finding *a, const struct finding *b)
{
	/* a wrong type is of no field */
	return a->field >= 0 && a->field == b->field &&
	       (!a->item || !b->item || strcmp(a->item, b->item) == 0);
}

/* The minors of F that were not spoken of. */
static unsigned unsaid(const struct verdict *v, const struct finding *f)
{
	unsigned minors = f->minors;

	for (size_t i = 0; i < v->n_findings; i++) {
		if (v->findings[i].said && is_same(&v->findings[i], f))
			minors &= ~v->findings[i].said;
	}
	return minors;
}

/* The newest of MINORS. */
static unsigned newest_of(unsigned minors)
{
	unsigned newest = 0;

	for (unsigned m = 0; m < N_MINORS; m++) {
		if (minors & 1U << m)
			newest = 1U << m;
	}
	return newest;
}

/* Whether the merges of drop-ins make different things of the field of F. */
static bool is_by_merge(const struct verdict *v, const struct finding *f)
{
	const struct kr_value *newer, *older;

	if (!v->in->older_valid || f->held.flag || f->rule == &wrong_type)
		return false;
	newer = kr_merged_value(&v->in->merged, f->field);
	older = kr_merged_value(&v->in->older, f->field);
	if (!newer || !older)
		return newer != older;
	return !kr_value_equal(newer, older);
}

/* RULE never makes an error: a kubelet that is newer than all whose rules are
 * known may have learnt what it does not. */
static bool only_warns(const struct verdict *v,
                       const struct kr_constraint *rule)
{
	return rule->warns || (v->in->kubelet_minor > KR_VALIDATE_LAST_MINOR &&
	                       (rule->grows || rule->names || rule->gate));
}

/* Only kubelets refuse it that are long out of support: so does the file of any
 * newer one look to them. */
static bool is_old(const struct verdict *v, unsigned minors)
{
	return v->may_run >= bit(SUPPORTED_MINOR) &&
	       minors < bit(SUPPORTED_MINOR);
}

/* Some versions, MINORS, refuse what F says. */
static int say_some(struct verdict *v, const struct finding *f, unsigned minors)
{
	if (v->in->kubelet_minor == 0 && is_old(v, minors))
		return 0;
	v->in->version_matters = v->in->kubelet_minor == 0;
	if (only_warns(v, f->rule) || !is_by_merge(v, f))
		return say_warning(v, f, minors);
	v->in->fault_by_version = true;
	return kr_inputs_fault(
		v->in, KR_STATE_UNKNOWN,
		"whether kubelet would refuse %s depends on its version, which "
		"must be said (--kubelet-version)",
		kr_field_name(f->field));
}

/* All that is no error, what most versions refuse first. */
static int say_others(struct verdict *v, bool refused)
{
	for (int n = N_MINORS; n > 0; n--) {
		for (size_t i = 0; i < v->n_findings; i++) {
			struct finding *f = &v->findings[i];
			unsigned minors;
			int r;

			if (__builtin_popcount(f->minors) != n ||
			    (refused && !only_warns(v, f->rule)))
				continue;
			minors = unsaid(v, f);
			if (minors == 0)
				continue;
			f->said = minors;
			r = say_some(v, f, minors);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int conclude(struct verdict *v)
{
	unsigned all = 0, newest = newest_of(v->may_run);
	bool refused;

	for (size_t i = 0; i < v->n_findings; i++) {
		if (!only_warns(v, v->findings[i].rule))
			all |= v->findings[i].minors;
	}
	refused = v->may_run != 0 && all == v->may_run;
	for (size_t i = 0; refused && i < v->n_findings; i++) {
		struct finding *f = &v->findings[i];
		int r;

		if (only_warns(v, f->rule) || !(unsaid(v, f) & newest))
			continue;
		f->said = f->minors;
		r = say_error(v, f);
		if (r < 0)
			return r;
	}
	return say_others(v, refused);
}

/* --- the way through ----------------------------------------------------- */

static bool has_all_flags(const struct kr_inputs *in, unsigned minor)
{
	const struct kr_flag *table;
	size_t n;

	table = kr_flag_table(&n);
	for (size_t i = 0; in->flags.given && i < n; i++) {
		if (in->flags.given[i] &&
		    (minor < table[i].first ||
		     (table[i].last > 0 && minor > table[i].last)))
			return false;
	}
	return true;
}

/* The minors that may run, a bit for each. */
static unsigned minors_of(const struct kr_inputs *in)
{
	unsigned minor = in->kubelet_minor, minors = 0;

	if (minor > KR_VALIDATE_LAST_MINOR)
		minor = KR_VALIDATE_LAST_MINOR;
	if (minor > 0 && minor < KR_VALIDATE_FIRST_MINOR)
		minor = KR_VALIDATE_FIRST_MINOR;
	if (minor > 0)
		return bit(minor);
	for (unsigned m = KR_VALIDATE_FIRST_MINOR; m <= KR_VALIDATE_LAST_MINOR;
	     m++) {
		if (has_all_flags(in, m))
			minors |= bit(m);
	}
	/* 1.28 has a merge of its own, which does not count */
	if (in->older_valid && minors >= bit(SUPPORTED_MINOR))
		minors &= ~(bit(SUPPORTED_MINOR) - 1);
	return minors;
}

/* A flag that the node's kubelet does not have. */
static int check_flags(struct kr_inputs *in)
{
	unsigned minor = in->kubelet_minor;
	const struct kr_flag *table;
	size_t n;

	table = kr_flag_table(&n);
	if (minor < KR_VALIDATE_FIRST_MINOR || !in->flags.given)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const struct kr_flag *f = &table[i];
		bool early = minor < f->first;
		int r;

		if (!in->flags.given[i] ||
		    (!early && (f->last == 0 || minor <= f->last)))
			continue;
		r = kr_flags_add_remark(
			&in->flags, in->flags.given[i] - 1, true,
			"flag-version",
			"--%s: kubelet 1.%u has no such flag, 1.%u %s that "
			"has it",
			f->name, minor, early ? f->first : f->last,
			early ? "is the first" : "is the last");
		if (r < 0)
			return r;
		r = kr_inputs_fault(in, KR_STATE_INVALID,
		                    "kubelet would refuse its arguments: 1.%u "
		                    "has no --%s",
		                    minor, f->name);
		if (r < 0)
			return r;
	}
	return 0;
}

static void verdict_done(struct verdict *v)
{
	for (size_t i = 0; i < v->n_findings; i++)
		finding_done(&v->findings[i]);
	free(v->findings);
	free(v);
}

static int judge(struct verdict *v, struct kr_validation *j)
{
	unsigned decoded;
	int r = check_flags(v->in);

	if (r < 0)
		return r;
	r = add_types(v);
	if (r < 0)
		return r;
	decoded = v->may_run & ~refuse_types(v);
	r = kr_validation_prepare(j);
	if (r < 0)
		return r;
	for (unsigned m = KR_VALIDATE_FIRST_MINOR; m <= KR_VALIDATE_LAST_MINOR;
	     m++) {
		if (!(decoded & bit(m)))
			continue;
		j->minor = m;
		r = ask(v, j);
		if (r < 0)
			return r;
	}
	return conclude(v);
}

int kr_validate(struct kr_inputs *in, struct kr_diag *diag)
{
	struct kr_validation *j = calloc(1, sizeof(*j));
	struct verdict *v = calloc(1, sizeof(*v));
	int r = -ENOMEM;

	if (j && v) {
		j->in = v->in = in;
		v->diag = diag;
		v->may_run = minors_of(in);
		r = judge(v, j);
	}
	if (j)
		kr_validation_done(j);
	if (v)
		verdict_done(v);
	free(j);
	return r;
}
