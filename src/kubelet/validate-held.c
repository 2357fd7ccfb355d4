/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What kubelet has for a field, as far as it is known, and the conditions
 * that fit any field.
 *
 * kubelet lays its flags over its files and the defaults below both. What comes
 * out differs from minor to minor by the merge of drop-ins, the defaults and
 * the feature gates, so that it is asked for one minor at a time.
 *
 * What is unknown is unknown, and no condition holds for it: a value that
 * an unknown argument may have taken, a flag of a form that is not read here, a
 * gate whose point releases differ, the zero values of the internal version.
 *
 * Source: kubernetes cmd/kubelet/app/server.go and options, component-base
 * featuregate, of 1.20, 1.21 and 1.23 to 1.36.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kubelet/gates.h"
#include "kubelet/validate-constraint.h"

unsigned kr_validation_minor(const struct kr_validation *j)
{
	*j->by_minor = true;
	return j->minor;
}

enum kr_merges_of kr_validation_merge_of(const struct kr_validation *j)
{
	if (!j->in->older_valid || kr_validation_minor(j) >= 32)
		return KR_MERGES_NEW;
	return j->minor >= 29 ? KR_MERGES_OLD : KR_MERGES_OLDEST;
}

static struct kr_held unknown(void)
{
	return (struct kr_held){.whence = KR_WHENCE_UNKNOWN, .file = -1};
}

/* What the files, MERGED, make of FIELD, which no flag sets. */
static struct kr_held hold_by_files(const struct kr_validation *j,
                                    const struct kr_merged *merged, int field)
{
	const struct kr_field *f = kr_field(field);
	struct kr_held held = {.file = -1};
	struct kr_merged_value found = {0};

	if (j->default_known[field])
		held.value = &j->defaults[field];
	if (!f->path || !merged)
		return held;
	if (merged->fault != KR_STATE_ABSENT)
		return unknown();
	held.first_minor = f->first_minor;
	kr_merged_find(merged, field, &found);
	if (merged->merge == KR_MERGE_STRUCTS && merged->n_configs > 1 &&
	    (f->type == KR_TYPE_LIST || f->type == KR_TYPE_TREE)) {
		held.whence = KR_WHENCE_UNKNOWN;
		held.value = NULL;
	} else if (found.value && found.state != KR_STATE_ABSENT) {
		held.whence = KR_WHENCE_FILE;
		held.value = found.value;
		held.use = found.use;
		held.file = found.file;
	} else if (!merged->no_base && merged->n_configs > 0 &&
	           merged->configs[0]->internal) {
		held.whence = KR_WHENCE_UNKNOWN;
		held.value = NULL;
	} else if (found.value) {
		held.value = found.value;
	}
	return held;
}

/* For all minors that have the merge MERGED. */
static struct kr_held hold(const struct kr_validation *j,
                           const struct kr_merged *merged, int field)
{
	const struct kr_flags *flags = &j->in->flags;
	const struct kr_field *f = kr_field(field);

	if (j->in->doubts[field] ||
	    (flags->ambiguous && flags->ambiguous[field]))
		return unknown();
	if (f->unread_flag && kr_flags_given(flags, f->unread_flag))
		return unknown();
	if (j->flag_uses[field])
		return (struct kr_held){.whence = KR_WHENCE_FLAG,
		                        .value = &j->flags[field],
		                        .flag = j->flag_uses[field],
		                        .file = -1};
	if (f->path && j->dynamic)
		return unknown();
	return hold_by_files(j, merged, field);
}

struct kr_held kr_validation_hold(const struct kr_validation *j, int field)
{
	const struct kr_held *held = &j->held[kr_validation_merge_of(j)][field];

	if (held->first_minor <= j->minor)
		return *held;
	*j->by_minor = true;
	return (struct kr_held){.file = -1};
}

bool kr_validation_is_unknown(const struct kr_validation *j, int field)
{
	return kr_validation_hold(j, field).whence == KR_WHENCE_UNKNOWN;
}

bool kr_validation_is_set(const struct kr_validation *j, int field)
{
	enum kr_whence whence = kr_validation_hold(j, field).whence;

	return whence == KR_WHENCE_FILE || whence == KR_WHENCE_FLAG;
}

bool kr_validation_number(const struct kr_validation *j, int field,
                          int64_t *ret)
{
	struct kr_held held = kr_validation_hold(j, field);

	if (!held.value || held.whence == KR_WHENCE_UNKNOWN)
		return false;
	*ret = held.value->n;
	return true;
}

const char *kr_validation_text(const struct kr_validation *j, int field)
{
	struct kr_held held = kr_validation_hold(j, field);

	return held.value && held.whence != KR_WHENCE_UNKNOWN ? held.value->s
	                                                      : NULL;
}

bool kr_validation_is_text(const struct kr_validation *j, int field,
                           const char *want)
{
	const char *s = kr_validation_text(j, field);

	return s && strcmp(s, want) == 0;
}

bool kr_validation_is_bool(const struct kr_validation *j, int field, bool want)
{
	struct kr_held held = kr_validation_hold(j, field);

	return held.value && held.whence != KR_WHENCE_UNKNOWN &&
	       held.value->b == want;
}

bool kr_validation_is_not_empty(const struct kr_validation *j, int field)
{
	const char *s = kr_validation_text(j, field);

	return s && *s;
}

/* Each item is compared with the others: a list that is longer is not judged.
 */
#define ITEMS_MAX 2000

const struct kr_strings *kr_validation_items(const struct kr_validation *j,
                                             int field)
{
	static const struct kr_strings none;
	struct kr_held held = kr_validation_hold(j, field);

	if (!held.value || held.whence == KR_WHENCE_UNKNOWN ||
	    held.value->list.n_items > ITEMS_MAX)
		return &none;
	return &held.value->list;
}

bool kr_validation_has_item(const struct kr_validation *j, int field,
                            const char *item)
{
	return kr_strings_contain(kr_validation_items(j, field), item);
}

const char *kr_validation_entry(const struct kr_validation *j, int field,
                                const char *path)
{
	struct kr_held held = kr_validation_hold(j, field);

	return held.value && held.whence != KR_WHENCE_UNKNOWN
	               ? kr_value_at(held.value, path)
	               : NULL;
}

bool kr_validation_counts(const struct kr_strings *pairs, size_t i)
{
	for (size_t k = i + 2; k + 1 < pairs->n_items; k += 2) {
		if (strcmp(pairs->items[k], pairs->items[i]) == 0)
			return false;
	}
	return true;
}

bool kr_validation_refuse_at(struct kr_validation *j, const char *path)
{
	j->path = path;
	j->is_value = false;
	j->item = j->item_value = NULL;
	return j->n_refused++ >= j->n_skipped;
}

bool kr_validation_refuse(struct kr_validation *j,
                          const struct kr_strings *list, size_t i)
{
	j->element = i;
	if (!kr_validation_refuse_at(j, NULL))
		return false;
	j->item = list->items[i];
	return true;
}

bool kr_validation_refuse_name(struct kr_validation *j,
                               const struct kr_strings *pairs, size_t i)
{
	if (!kr_validation_refuse_at(j, pairs->items[i]))
		return false;
	j->item = pairs->items[i];
	return true;
}

bool kr_validation_refuse_pair(struct kr_validation *j,
                               const struct kr_strings *pairs, size_t i)
{
	if (!kr_validation_refuse_name(j, pairs, i))
		return false;
	j->item_value = pairs->items[i + 1];
	return true;
}

bool kr_validation_refuse_value(struct kr_validation *j,
                                const struct kr_strings *pairs, size_t i)
{
	if (!kr_validation_refuse_at(j, pairs->items[i]))
		return false;
	j->is_value = true;
	j->item = pairs->items[i + 1];
	return true;
}

bool kr_validation_refuse_items(struct kr_validation *j,
                                bool (*valid)(struct kr_validation *j,
                                              const char *item))
{
	const struct kr_strings *list =
		kr_validation_items(j, j->rule->fields[0]);

	for (size_t i = 0; i < list->n_items; i++) {
		if (!valid(j, list->items[i]) &&
		    kr_validation_refuse(j, list, i))
			return true;
	}
	return false;
}

bool kr_validation_refuse_pairs(struct kr_validation *j,
                                bool (*valid)(struct kr_validation *j,
                                              const char *name,
                                              const char *value))
{
	const struct kr_strings *pairs =
		kr_validation_items(j, j->rule->fields[0]);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		j->words[0] = '\0';
		/* what takes long comes last */
		if (!valid(j, pairs->items[i], pairs->items[i + 1]) &&
		    kr_validation_counts(pairs, i) &&
		    kr_validation_refuse_pair(j, pairs, i))
			return true;
	}
	return false;
}

/* What flags and files say of the gate NAME. */
static enum kr_gate_is gate_setting(const struct kr_validation *j,
                                    const char *name)
{
	const struct kr_flag_use *use;
	const char *value;
	bool on;

	if (kr_validation_is_unknown(j, KR_FIELD_GATE_ROTATE_SERVER))
		return KR_GATE_IS_UNSURE;
	if (kr_inputs_flag_gate(j->in, name, &on, &use))
		return on ? KR_GATE_IS_ON : KR_GATE_IS_OFF;
	if (kr_validation_is_unknown(j, KR_FIELD_GATES))
		return KR_GATE_IS_UNSURE;
	value = kr_validation_entry(j, KR_FIELD_GATES, name);
	if (!value)
		return KR_GATE_IS_UNSET;
	return strcmp(value, "true") == 0 ? KR_GATE_IS_ON : KR_GATE_IS_OFF;
}

/* A gate that a minor does not know any more is on. */
enum kr_gate_is kr_validation_gate(const struct kr_validation *j,
                                   const char *name)
{
	enum kr_gate_is answer = gate_setting(j, name);
	struct kr_gate_state state;

	if (answer != KR_GATE_IS_UNSET)
		return answer;
	switch (kr_gate_find(name, strlen(name), kr_validation_minor(j),
	                     &state)) {
	case KR_GATE_UNKNOWN:
		return KR_GATE_IS_ON;
	case KR_GATE_NOT_SURE:
		return KR_GATE_IS_UNSURE;
	case KR_GATE_KNOWN:
		break;
	}
	if (state.stage == KR_GATE_ALPHA)
		answer = gate_setting(j, "AllAlpha");
	else if (state.stage == KR_GATE_BETA)
		answer = gate_setting(j, "AllBeta");
	if (answer != KR_GATE_IS_UNSET)
		return answer;
	/* OpenShift's own kubelet has it on, 1.27 to 1.35 */
	if (j->in->openshift && strcmp(name, "NodeLogQuery") == 0)
		return KR_GATE_IS_ON;
	return state.by_default ? KR_GATE_IS_ON : KR_GATE_IS_OFF;
}

/* --- conditions of any field --------------------------------------------- */

bool kr_constraint_out_of_range(struct kr_validation *j)
{
	int64_t n;

	return kr_validation_number(j, j->rule->fields[0], &n) &&
	       (n < j->rule->min || n > j->rule->max);
}

bool kr_constraint_is_name(const char *s, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(*names, s) == 0)
			return true;
	}
	return false;
}

bool kr_constraint_no_name(struct kr_validation *j)
{
	const char *s = kr_validation_text(j, j->rule->fields[0]);

	return s && !kr_constraint_is_name(s, j->rule->names);
}

bool kr_constraint_says(struct kr_validation *j)
{
	struct kr_held held = kr_validation_hold(j, j->rule->fields[0]);

	return held.value && held.whence != KR_WHENCE_UNKNOWN &&
	       !kr_value_is_zero(held.value);
}

bool kr_constraint_is_true(struct kr_validation *j)
{
	return kr_validation_is_bool(j, j->rule->fields[0], true);
}

bool kr_constraint_is_named(struct kr_validation *j)
{
	const char *s = kr_validation_text(j, j->rule->fields[0]);

	return s && kr_constraint_is_name(s, j->rule->names);
}

/* --- its way ------------------------------------------------------------- */

/* The rules ask for the same fields again and again, of each minor. */
static int hold_all(struct kr_validation *j)
{
	const struct kr_inputs *in = j->in;
	const int n = in->older_valid ? KR_N_MERGES : 1;

	static_assert(KR_MERGES_NEW == 0, "the only one where none differs");
	if (in->merged_valid)
		j->merges[KR_MERGES_NEW] = &in->merged;
	if (in->older_valid) {
		j->merges[KR_MERGES_OLD] = &in->older;
		j->merges[KR_MERGES_OLDEST] = &in->oldest;
	}
	j->held = calloc((size_t)n, sizeof(*j->held));
	if (!j->held)
		return -ENOMEM;
	for (int m = 0; m < n; m++) {
		for (int i = 0; i < KR_N_FIELDS; i++)
			j->held[m][i] = hold(j, j->merges[m], i);
	}
	return 0;
}

/* The pairs of all --feature-gates. */
static int prepare_gates(struct kr_validation *j)
{
	const struct kr_flag_use *use;
	size_t at = 0;

	j->flag_gates.type = KR_TYPE_TREE;
	if (j->in->doubts[KR_FIELD_GATE_ROTATE_SERVER])
		return 0;
	while ((use = kr_flags_next(&j->in->flags, KR_FIELD_GATE_ROTATE_SERVER,
	                            &at))) {
		_cleanup_value_ struct kr_value more = {0};
		int r;

		if (!use->text)
			continue;
		r = kr_value_parse(KR_TYPE_TREE, use->text, strlen(use->text),
		                   &more);
		if (r < 0)
			return r;
		r = kr_value_append(&j->flag_gates, &more);
		if (r < 0)
			return r;
		j->flag_gates_use = use;
	}
	return 0;
}

int kr_validation_prepare(struct kr_validation *j)
{
	const struct kr_inputs *in = j->in;
	const char *dir =
		kr_flags_text(&in->flags, KR_FIELD_DYNAMIC_CONFIG_DIR);
	int r;

	j->dynamic = dir && *dir;
	r = prepare_gates(j);
	if (r < 0)
		return r;
	for (int i = 0; i < KR_N_FIELDS; i++) {
		r = kr_inputs_flag(in, i, &j->flags[i], &j->flag_uses[i]);
		if (r < 0)
			return r;
		r = kr_field_default(i, in->n_files == 0, in->kubelet_minor,
		                     &j->defaults[i]);
		if (r == -ENOMEM)
			return r;
		j->default_known[i] = r == 0;
	}
	/* it does not take a file's value away */
	if (j->flag_uses[KR_FIELD_SECCOMP_DEFAULT] &&
	    !j->flags[KR_FIELD_SECCOMP_DEFAULT].b)
		j->flag_uses[KR_FIELD_SECCOMP_DEFAULT] = NULL;
	return hold_all(j);
}

void kr_validation_done(struct kr_validation *j)
{
	for (int i = 0; i < KR_N_FIELDS; i++) {
		kr_value_done(&j->flags[i]);
		kr_value_done(&j->defaults[i]);
	}
	kr_value_done(&j->flag_gates);
	free(j->held);
}
