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
 * A minor may run if it is the node's. Where that is not known, each from 1.20
 * to 1.36 may that has all the flags that are given. Where each minor that may
 * run has a finding, kubelet would not start; else each finding is a warning
 * that names its minors.
 *
 * A flag that some minors lack is a finding of theirs, too. It is spoken of
 * where it decides: where the minors that lack it would make another thing of
 * the rest.
 *
 * A rule speaks of its first field that is set, and of each item there that it
 * refuses (validate-find); of one item one rule speaks. What more minors refuse
 * comes first.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "kubelet/flag-table.h"
#include "kubelet/minors.h"
#include "kubelet/validate-constraint.h"
#include "kubelet/validate.h"

/* "1.20 to 1.22, 1.30 to 1.36" */
static int name_minors(uint64_t minors, char **ret)
{
	_cleanup_free_ char *text = NULL;

	for (unsigned m = KR_FIRST_MINOR; m <= KR_LAST_MINOR; m++) {
		const char *comma = text ? ", " : "";
		unsigned last = m;
		int r;

		if (!(minors & kr_minors_bit(m)))
			continue;
		while (last < KR_LAST_MINOR &&
		       (minors & kr_minors_bit(last + 1)))
			last++;
		if (last > m)
			r = kr_format(&text, "%s%s1.%u to 1.%u", text ?: "",
			              comma, m, last);
		else
			r = kr_format(&text, "%s%s1.%u", text ?: "", comma, m);
		if (r < 0)
			return r;
		m = last;
	}
	*ret = TAKE_PTR(text);
	return 0;
}

/* --- what is said of a finding -------------------------------------------- */

/* What advice there is goes by it: at the file, or at the argument. */
static const char *code_of(const struct kr_finding *f)
{
	if (f->rule->code)
		return f->rule->code;
	if (f->rule->words)
		return f->argument ? "flag-invalid" : "config-invalid";
	return f->argument ? "flag-range" : "config-range";
}

/* WORDS: what F says, with the minors where they matter. */
static int say_error(struct kr_findings *v, const struct kr_finding *f,
                     const char *words)
{
	const char *code = code_of(f);
	int r;

	if (f->argument) {
		/* without that flag it is the command */
		r = kr_flags_add_remark(&v->in->flags,
		                        f->held.flag ? f->held.flag->arg : 0,
		                        KR_ERROR, code, "%s", words);
		if (r < 0)
			return r;
	} else if (!f->place.file && v->in->config_path) {
		kr_diag_add_path(v->diag, KR_ERROR, code, v->in->config_path,
		                 "%s", words);
	} else {
		kr_diag_add(v->diag, KR_ERROR, code, f->place, "%s", words);
	}
	return 0;
}

static int say_warning(struct kr_findings *v, const struct kr_finding *f,
                       uint64_t refusing)
{
	_cleanup_free_ char *minors = NULL;
	int r = name_minors(refusing, &minors);

	if (r < 0)
		return r;
	if (f->argument)
		return kr_flags_add_remark(
			&v->in->flags, f->held.flag ? f->held.flag->arg : 0,
			KR_WARNING, "config-version",
			"kubelet %s would refuse this: %s", minors, f->what);
	kr_diag_add(v->diag, KR_WARNING, "config-version", f->place,
	            "kubelet %s would refuse this: %s", minors, f->what);
	return 0;
}

/* Of one field, and of one item of it, one rule speaks. */
static bool is_same(const struct kr_finding *a, const struct kr_finding *b)
{
	/* a wrong type is of no field */
	return a->field >= 0 && a->field == b->field &&
	       (!a->item || !b->item || strcmp(a->item, b->item) == 0);
}

/* The minors of F that were not spoken of. */
static uint64_t unsaid(const struct kr_findings *v, const struct kr_finding *f)
{
	uint64_t minors = f->minors;

	for (size_t i = 0; i < v->n; i++) {
		if (v->items[i].said && is_same(&v->items[i], f))
			minors &= ~v->items[i].said;
	}
	return minors;
}

/* The newest of MINORS alone. */
static uint64_t newest_of(uint64_t minors)
{
	return minors ? kr_minors_bit(63 - (unsigned)__builtin_clzll(minors))
	              : 0;
}

/* Whether the merges of drop-ins make different things of the field of F. */
static bool is_by_merge(const struct kr_findings *v, const struct kr_finding *f)
{
	const struct kr_value *newer, *older;

	if (!v->in->older_valid || f->held.flag || f->field < 0)
		return false;
	newer = kr_merged_value(&v->in->merged, f->field);
	older = kr_merged_value(&v->in->older, f->field);
	if (!newer || !older)
		return newer != older;
	return !kr_value_equal(newer, older);
}

/* RULE never makes an error: a kubelet that is newer than all whose rules are
 * known may have learnt what it does not. */
static bool only_warns(const struct kr_findings *v,
                       const struct kr_constraint *rule)
{
	return rule->warns || (v->in->kubelet_minor > KR_LAST_MINOR &&
	                       (rule->grows || rule->names || rule->gate));
}

/* Some versions, MINORS, refuse what F says. */
static int say_some(struct kr_findings *v, const struct kr_finding *f,
                    uint64_t minors)
{
	v->in->version_matters |= v->in->kubelet_minor == 0;
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
static int say_others(struct kr_findings *v, bool refused)
{
	for (int n = 64; n > 0; n--) {
		KR_EACH(struct kr_finding, f, v->items, v->n) {
			uint64_t minors;
			int r;

			if (__builtin_popcountll(f->minors) != n ||
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

/* The minors that refuse something, but for what only warns. */
static uint64_t refusing(const struct kr_findings *v)
{
	uint64_t all = 0;

	for (size_t i = 0; i < v->n; i++) {
		if (!only_warns(v, v->items[i].rule))
			all |= v->items[i].minors;
	}
	return all;
}

/* --- flags that only some have ---------------------------------------------
 */

/* The minors that lack FLAG, a bit for each. */
static uint64_t lacking(const struct kr_flag *flag)
{
	uint64_t minors = 0;

	for (unsigned m = KR_FIRST_MINOR; m <= KR_LAST_MINOR; m++) {
		if (!kr_flag_in(flag, m))
			minors |= kr_minors_bit(m);
	}
	return minors;
}

/* The next flag that is given, from *I of the table on, behind which *I is
 * then; NULL. */
static const struct kr_flag *next_given(const struct kr_flags *flags, size_t *i)
{
	while (flags->given && *i < kr_n_flags) {
		if (flags->given[(*i)++])
			return &kr_flag_table[*i - 1];
	}
	return NULL;
}

static size_t arg_of(const struct kr_findings *v, const struct kr_flag *flag)
{
	return v->in->flags.given[flag - kr_flag_table] - 1;
}

/* Two flags that no version has together. */
static int check_pairs(struct kr_findings *v)
{
	const struct kr_flag *flag, *early = NULL, *late = NULL;
	size_t i = 0;
	int r;

	while ((flag = next_given(&v->in->flags, &i))) {
		if (flag->first > (late ? late->first : 0))
			late = flag;
		if (flag->last > 0 && (!early || flag->last < early->last))
			early = flag;
	}
	if (!late || !early || early->last >= late->first)
		return 0;
	r = kr_flags_add_remark(
		&v->in->flags, arg_of(v, late), KR_ERROR, "flag-version",
		"--%s: only kubelet 1.%u and later have it, "
		"and only 1.%u and earlier have --%s",
		late->name, late->first, early->last, early->name);
	if (r < 0)
		return r;
	return kr_inputs_fault(v->in, KR_STATE_INVALID,
	                       "kubelet would refuse its arguments: no version "
	                       "has both --%s and --%s",
	                       late->name, early->name);
}

/* The minors for whose lack of flags what is found is an error, or is not
 * reported. */
static uint64_t decided_by_flags(const struct kr_findings *v, bool refused)
{
	uint64_t minors = 0;

	if (refused)
		return v->asked & ~refusing(v);
	for (size_t i = 0; i < v->n; i++)
		minors |= v->items[i].minors;
	return minors & ~v->may_run;
}

/* The flags by which the minors that are asked may not run: a warning where
 * that DECIDED what is found. */
static int say_flags(struct kr_findings *v, uint64_t decided)
{
	uint64_t minors = v->asked & ~v->may_run;
	const struct kr_flag *flag;
	size_t i = 0;

	while ((flag = next_given(&v->in->flags, &i))) {
		_cleanup_free_ char *text = NULL;
		int r;

		if (!(lacking(flag) & minors))
			continue;
		r = name_minors(lacking(flag), &text);
		if (r < 0)
			return r;
		r = kr_flags_add_remark(
			&v->in->flags, arg_of(v, flag),
			lacking(flag) & minors & decided ? KR_WARNING : KR_NOTE,
			"flag-version",
			"--%s: kubelet %s would refuse it, and "
			"only the others are judged",
			flag->name, text);
		minors &= ~lacking(flag);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- the conclusion ------------------------------------------------------ */

/* Whether what the newest minor refuses is refused by all that may run. */
static bool is_covered(const struct kr_findings *v)
{
	uint64_t newest = newest_of(v->may_run), all = 0;

	KR_EACH(const struct kr_finding, f, v->items, v->n) {
		if (!only_warns(v, f->rule) && (f->minors & newest))
			all |= f->minors;
	}
	return !(v->may_run & ~all);
}

static int word_error(const struct kr_finding *f, bool minors, char **ret)
{
	_cleanup_free_ char *names = NULL;
	int r;

	if (!minors)
		return kr_format(ret, "%s", f->what);
	r = name_minors(f->minors, &names);
	return r < 0 ? r
	             : kr_format(ret, "kubelet %s would refuse this: %s", names,
	                         f->what);
}

/* The first of them is the first's, each further one is of other minors. */
static int add_reason(const struct kr_finding *f, const char *words,
                      char **reason)
{
	if (*reason)
		return kr_format(reason, "%s; %s", *reason, words);
	return kr_format(reason, "kubelet would refuse its %s: %s",
	                 f->argument ? "arguments" : "configuration", words);
}

/* What is an error of the newest of LEFT, the minors that no error spoke of.
 * MINORS: they are named. REASON is longer by the first of them. */
static int say_errors(struct kr_findings *v, uint64_t *left, bool minors,
                      char **reason)
{
	uint64_t newest = newest_of(*left);
	bool first = true;

	*left &= ~newest;
	KR_EACH(struct kr_finding, f, v->items, v->n) {
		_cleanup_free_ char *words = NULL;
		int r;

		if (only_warns(v, f->rule) || !(unsaid(v, f) & newest))
			continue;
		f->said = f->minors;
		*left &= ~f->minors;
		r = word_error(f, minors, &words);
		if (r == 0)
			r = say_error(v, f, words);
		if (r == 0 && first)
			r = add_reason(f, words, reason);
		if (r < 0)
			return r;
		first = false;
	}
	return 0;
}

/* Each minor that may run refuses something: what the newest refuses, then, of
 * those that take that, what they do. */
static int say_refusal(struct kr_findings *v)
{
	_cleanup_free_ char *reason = NULL;
	uint64_t left = v->may_run;
	bool minors = !is_covered(v);

	while (left) {
		int r = say_errors(v, &left, minors, &reason);

		if (r < 0)
			return r;
	}
	return kr_inputs_fault(v->in, KR_STATE_INVALID, "%s", reason);
}

static int conclude(struct kr_findings *v)
{
	bool refused = v->may_run && !(v->may_run & ~refusing(v));
	int r = say_flags(v, decided_by_flags(v, refused));

	for (size_t i = 0; i < v->n; i++)
		v->items[i].minors &= v->may_run;
	if (r == 0 && refused)
		r = say_refusal(v);
	return r < 0 ? r : say_others(v, refused);
}

/* --- the way through ----------------------------------------------------- */

/* The minors that are asked, and of them those that may run. */
static void choose_minors(struct kr_findings *v)
{
	const struct kr_flag *flag;
	size_t i = 0;

	v->asked = kr_minors_of(v->in->kubelet_minor);
	/* 1.28 has a merge of its own, which does not count */
	if (v->in->older_valid)
		v->asked &= ~(kr_minors_bit(29) - 1);
	v->may_run = v->asked;
	/* of a version that is known the flags were looked at */
	if (v->in->kubelet_minor > 0)
		return;
	while ((flag = next_given(&v->in->flags, &i)))
		v->may_run &= ~lacking(flag);
	v->in->version_matters |= v->may_run != v->asked;
}

/* The minors that do not come to the rules. */
static uint64_t refuse_types(const struct kr_findings *v)
{
	uint64_t minors = 0;

	for (size_t i = 0; i < v->n; i++) {
		if (v->items[i].field < 0)
			minors |= v->items[i].minors;
	}
	return minors;
}

static void verdict_done(struct kr_findings *v)
{
	for (size_t i = 0; i < v->n; i++)
		kr_finding_done(&v->items[i]);
	free(v->items);
	free(v);
}

static int judge(struct kr_findings *v, struct kr_validation *j)
{
	uint64_t decoded;
	int r = 0;

	choose_minors(v);
	/* those of a version that is known were looked at before the files */
	if (v->in->kubelet_minor == 0)
		r = check_pairs(v);
	if (r < 0)
		return r;
	r = kr_findings_add_types(v);
	if (r < 0)
		return r;
	decoded = v->asked & ~refuse_types(v);
	r = kr_validation_prepare(j);
	if (r < 0)
		return r;
	for (unsigned m = KR_FIRST_MINOR; m <= KR_LAST_MINOR; m++) {
		if (!(decoded & kr_minors_bit(m)))
			continue;
		j->minor = m;
		r = kr_findings_ask(v, j);
		if (r < 0)
			return r;
	}
	return conclude(v);
}

int kr_validate(struct kr_inputs *in, struct kr_diag *diag)
{
	struct kr_validation *j = calloc(1, sizeof(*j));
	struct kr_findings *v = calloc(1, sizeof(*v));
	int r = -ENOMEM;

	if (j && v) {
		j->in = v->in = in;
		v->diag = diag;
		r = judge(v, j);
	}
	if (j)
		kr_validation_done(j);
	if (v)
		verdict_done(v);
	free(j);
	return r;
}
