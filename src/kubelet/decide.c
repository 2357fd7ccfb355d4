/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What kubelet has for a field, of all that it was given.
 *
 *	override  the flag's last value, else the files', else the default
 *	list      the flags' values one behind the other, else as above
 *	or        true where the flag or the files say so
 *	gate      the flag's pair of that name, else the files', else false as
 *	          AllBeta is, else the default
 *
 * A relative path in the file of --config is one to that file's folder; in a
 * drop-in or a flag it stays what it is, and is kubelet's working directory's.
 *
 * Source: cmd/kubelet/app/server.go, pkg/kubelet/kubeletconfig/configfiles,
 * component-base featuregate; measured (tests/cases/section.jsonl).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/path.h"
#include "kubelet/decide.h"

int kr_inputs_fault(struct kr_inputs *in, enum kr_state state,
                    const char *format, ...)
{
	va_list args;
	int r;

	if (in->fault_reason)
		return 0;
	in->fault = state;
	va_start(args, format);
	r = kr_vformat(&in->fault_reason, format, args);
	va_end(args);
	return r;
}

/* Before VERSION the field was not there: its key is passed over. */
static bool is_too_old(const struct kr_inputs *in, int field)
{
	return in->kubelet_minor > 0 &&
	       in->kubelet_minor < kr_field(field)->first_minor;
}

static int set(struct kr_decision *d, enum kr_decider by, enum kr_state state,
               const char *format, ...) _printf_(4, 5);

static int set(struct kr_decision *d, enum kr_decider by, enum kr_state state,
               const char *format, ...)
{
	va_list args;
	int r;

	d->by = by;
	d->state = state;
	va_start(args, format);
	r = kr_vformat(&d->reason, format, args);
	va_end(args);
	return r;
}

/* --- versions ------------------------------------------------------------ */

/* What kubelet has by the files of MERGED alone: 0, its state, and VALUE for a
 * value; -ENOMEM. */
static int file_value(const struct kr_inputs *in,
                      const struct kr_merged *merged, int field,
                      enum kr_state *ret, struct kr_value *value)
{
	struct kr_merged_value found;
	int r = 0;

	kr_merged_find(merged, field, &found);
	*ret = found.state;
	if (found.state == KR_STATE_INVALID || found.state == KR_STATE_UNKNOWN)
		return 0;
	if (found.value)
		r = kr_value_copy(found.value, value);
	else
		r = kr_field_default(field, false, in->kubelet_minor, value);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	*ret = kr_value_state(value);
	return 0;
}

static int compare_merges(const struct kr_inputs *in, const struct kr_merged *a,
                          const struct kr_merged *b, int field, bool *ret_same,
                          bool *ret_values)
{
	_cleanup_value_ struct kr_value x = {0}, y = {0};
	enum kr_state x_state, y_state;
	int r = file_value(in, a, field, &x_state, &x);

	if (r < 0)
		return r;
	r = file_value(in, b, field, &y_state, &y);
	if (r < 0)
		return r;
	*ret_values = kr_state_is_value(x_state) && kr_state_is_value(y_state);
	*ret_same =
		x_state == y_state && (!*ret_values || kr_value_equal(&x, &y));
	return 0;
}

static int versions_agree(const struct kr_inputs *in, int field, bool *ret)
{
	bool ignored;

	*ret = true;
	if (!in->older_valid)
		return 0;
	return compare_merges(in, &in->merged, &in->older, field, ret,
	                      &ignored);
}

int kr_inputs_differ_1_28(const struct kr_inputs *in, int field)
{
	bool same, values;
	int r;

	if (!in->older_valid)
		return 0;
	r = compare_merges(in, &in->oldest, &in->merged, field, &same, &values);
	return r < 0 ? r : values && !same;
}

static int start_words(const struct kr_inputs *in,
                       const struct kr_merged *merged, int field, char **ret)
{
	_cleanup_value_ struct kr_value v = {0};
	_cleanup_free_ char *text = NULL;
	enum kr_state state;
	int r = file_value(in, merged, field, &state, &v);

	if (r < 0)
		return r;
	if (!kr_state_is_value(state))
		return kr_format(ret, "refuse its configuration");
	r = kr_value_format(&v, &text);
	return r < 0 ? r : kr_format(ret, "start with %s", text);
}

static int set_versions(const struct kr_inputs *in, int field,
                        struct kr_decision *d)
{
	_cleanup_free_ char *older = NULL, *newer = NULL;
	int r = start_words(in, &in->older, field, &older);

	if (r < 0)
		return r;
	r = start_words(in, &in->merged, field, &newer);
	if (r < 0)
		return r;
	d->needs_version = true;
	return set(d, KR_BY_NOTHING, KR_STATE_UNKNOWN,
	           "of these drop-ins kubelet 1.29 to 1.31 would %s, 1.32 and "
	           "later would %s: which one it is must be said "
	           "(--kubelet-version)",
	           older, newer);
}

/* --- faults -------------------------------------------------------------- */

/* Whether kubelet refuses what says FIELD, so that a fix may help. */
static bool is_at_fault(const struct kr_inputs *in, int field)
{
	const struct kr_merged *m = &in->merged;

	if (in->fault_by_file)
		return in->fault_field == field;
	if (in->merged_valid && m->fault == KR_STATE_INVALID)
		return m->fault_use && m->fault_use->field == field;
	return in->flags.refused && !in->flags.never_runs &&
	       kr_flags_invalid(&in->flags, field);
}

static int set_doubt(const struct kr_config *config, struct kr_decision *d)
{
	struct kr_span tag = config->layout.doubt;
	unsigned line, column;

	kr_span_position(tag, &line, &column);
	return set(d, KR_BY_NOTHING, KR_STATE_UNKNOWN, "%s:%u:%u: %s",
	           tag.file->path, line, column, KR_CONFIG_DOUBT);
}

/* AGREE: the versions' merges do, about FIELD. */
static int set_fault(const struct kr_inputs *in, int field, bool agree,
                     struct kr_decision *d)
{
	/* what was read is not what kubelet reads */
	if (in->files_doubt && !in->argv_refused)
		return 0;
	d->by_setting = is_at_fault(in, field);
	if (in->fault_reason) {
		d->needs_version = in->fault_by_version;
		return set(d, KR_BY_NOTHING, in->fault, "%s", in->fault_reason);
	}
	if (!in->merged_valid)
		return 0;
	if (!agree && (in->merged.fault == KR_STATE_INVALID ||
	               in->older.fault == KR_STATE_INVALID))
		return set_versions(in, field, d);
	if (in->merged.fault == KR_STATE_UNKNOWN)
		return set_doubt(in->merged.configs[in->merged.fault_file], d);
	if (in->merged.fault == KR_STATE_INVALID)
		return set(d, KR_BY_NOTHING, KR_STATE_INVALID,
		           "kubelet would refuse its configuration: %s",
		           in->merge_error ? in->merge_error : "not valid");
	return 0;
}

/* --- flags --------------------------------------------------------------- */

/* The value of the pair NAME in TEXT, "a=true, b=false", the last one of that
 * name; -ENOENT: there is none. */
static int find_pair(const char *text, const char *name, bool *ret)
{
	size_t length = strlen(name);
	int r = -ENOENT;

	while (*text) {
		const char *end = text + strcspn(text, ",");
		const char *equal = memchr(text, '=', end - text);
		const char *next = *end ? end + 1 : end, *key = text;
		struct kr_value v;

		key += strspn(key, " \t");
		if (equal && (size_t)(equal - key) >= length &&
		    memcmp(key, name, length) == 0 &&
		    key + length + strspn(key + length, " \t") == equal) {
			equal++;
			equal += strspn(equal, " \t");
			while (end > equal && strchr(" \t", end[-1]))
				end--;
			if (kr_value_parse(KR_TYPE_BOOL, equal, end - equal,
			                   &v) == 0) {
				*ret = v.b;
				r = 0;
			}
		}
		text = next;
	}
	return r;
}

/* The name of a gate: the last one of its path. */
static const char *gate_of(int field)
{
	return strrchr(kr_field(field)->path, '.') + 1;
}

bool kr_inputs_flag_gate(const struct kr_inputs *in, const char *name,
                         bool *ret, const struct kr_flag_use **ret_use)
{
	const struct kr_flag_use *use;
	bool found = false;
	size_t at = 0;

	while ((use = kr_flags_next(&in->flags, KR_FIELD_GATE_ROTATE_SERVER,
	                            &at))) {
		if (!use->text || find_pair(use->text, name, ret) < 0)
			continue;
		*ret_use = use;
		found = true;
	}
	return found;
}

/* A list or a map: of all flags, one behind the other. */
static int collect(const struct kr_inputs *in, int field, struct kr_value *ret)
{
	enum kr_type type = kr_field(field)->type;
	const struct kr_flag_use *use;
	size_t at = 0;

	*ret = (struct kr_value){.type = type};
	while ((use = kr_flags_next(&in->flags, field, &at))) {
		_cleanup_value_ struct kr_value more = {0};
		int r;

		if (!use->text)
			continue;
		r = kr_value_parse(type, use->text, strlen(use->text), &more);
		if (r < 0)
			return r;
		r = kr_value_append(ret, &more);
		if (r < 0)
			return r;
	}
	return 0;
}

int kr_inputs_flag(const struct kr_inputs *in, int field, struct kr_value *ret,
                   const struct kr_flag_use **ret_use)
{
	const struct kr_field *f = kr_field(field);
	const struct kr_flag_use *use = kr_flags_last(&in->flags, field);
	_cleanup_value_ struct kr_value v = {0};
	bool on = false;
	int r;

	if (!use)
		return 0;
	if (f->combine == KR_COMBINE_GATE) {
		if (!kr_inputs_flag_gate(in, gate_of(field), &on, &use))
			return 0;
		v = (struct kr_value){.type = KR_TYPE_BOOL, .b = on};
	} else if (f->type == KR_TYPE_LIST || f->type == KR_TYPE_TREE) {
		r = collect(in, field, &v);
		if (r < 0)
			return r;
	} else {
		r = kr_value_parse(f->type, use->text, strlen(use->text), &v);
		/* it was valid when it was read */
		if (r < 0)
			return r == -EINVAL ? 0 : r;
	}
	*ret = TAKE(v);
	*ret_use = use;
	return 1;
}

/* What the flags say of FIELD. 0: nothing, and D is as before; 1: it is set;
 * -ENOMEM. */
static int decide_flags(const struct kr_inputs *in, int field,
                        struct kr_decision *d)
{
	const struct kr_field *f = kr_field(field);
	const struct kr_flag_use *use;
	int r = kr_inputs_flag(in, field, &d->value, &use);

	if (r <= 0)
		return r;
	if (f->combine == KR_COMBINE_OR && !d->value.b)
		return 0;
	d->flag = use;
	r = set(d, KR_BY_FLAG, kr_value_state(&d->value),
	        "the flag --%s decides", f->flag);
	return r < 0 ? r : 1;
}

/* --- files --------------------------------------------------------------- */

/* A relative path of the file of --config, as filepath.Join() makes it: no link
 * counts. */
static int make_absolute(const struct kr_inputs *in, struct kr_value *v)
{
	_cleanup_free_ char *path = NULL;
	char *full;

	if (!*v->s || *v->s == '/' || !in->config_path)
		return 0;
	if (asprintf(&path, "%s/../%s", in->config_path, v->s) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	full = kr_path_normalise(path);
	if (!full)
		return -ENOMEM;
	free(v->s);
	v->s = full;
	return 0;
}

/* As decide_flags(). */
static int decide_files(const struct kr_inputs *in, int field,
                        struct kr_decision *d)
{
	struct kr_merged_value found;
	bool main_file;
	int r;

	if (!in->merged_valid || is_too_old(in, field))
		return 0;
	kr_merged_find(&in->merged, field, &found);
	if (!found.value || found.state == KR_STATE_ABSENT)
		return 0;
	kr_value_done(&d->value);
	r = kr_value_copy(found.value, &d->value);
	if (r < 0)
		return r;
	if (found.file < 0) {
		r = set(d, KR_BY_CONFIG, found.state,
		        "%s is of kubelet's internal version, which has no "
		        "defaults: a key that is not there is false",
		        in->files[0]->path);
		return r < 0 ? r : 1;
	}
	main_file = in->config_read && found.file == 0;
	if (main_file && kr_field(field)->is_path)
		r = make_absolute(in, &d->value);
	if (r < 0)
		return r;
	d->use = found.use;
	r = set(d, main_file ? KR_BY_CONFIG : KR_BY_DROPIN, found.state,
	        "%s decides", in->files[found.file]->path);
	return r < 0 ? r : 1;
}

/* --- defaults ------------------------------------------------------------ */

/* AllBeta=false turns a beta gate off that is not named. 1: it does, and D is
 * set; 0; -ENOMEM. */
static int decide_all_beta(const struct kr_inputs *in, int field,
                           struct kr_decision *d)
{
	_cleanup_(kr_decision_done) struct kr_decision all = {0};
	int r;

	if (kr_field(field)->combine != KR_COMBINE_GATE ||
	    field == KR_FIELD_GATE_ALL_BETA)
		return 0;
	r = kr_decide(in, KR_FIELD_GATE_ALL_BETA, &all);
	if (r < 0 || all.state != KR_STATE_FALSE)
		return r;
	d->use = all.use;
	d->flag = all.flag;
	d->value = (struct kr_value){.type = KR_TYPE_BOOL};
	r = set(d, all.by, KR_STATE_FALSE, "AllBeta is false: %s", all.reason);
	return r < 0 ? r : 1;
}

static int decide_default(const struct kr_inputs *in, int field,
                          struct kr_decision *d)
{
	const struct kr_field *f = kr_field(field);
	struct kr_merged_value found = {0};
	int r;

	kr_value_done(&d->value);
	if (f->since && in->kubelet_minor == 0) {
		d->needs_version = d->either_default = true;
		return set(
			d, KR_BY_NOTHING, KR_STATE_UNKNOWN,
			"nothing sets it, and kubelet's default is %s before "
			"1.%u and %s from then on: which one it is must be "
			"said (--kubelet-version)",
			f->before, f->since, f->by_default);
	}
	if (in->merged_valid)
		kr_merged_find(&in->merged, field, &found);
	/* one that was printed, and that no drop-in has taken away */
	if (found.value && found.state == KR_STATE_ABSENT)
		r = kr_value_copy(found.value, &d->value);
	else
		r = kr_field_default(field, in->n_files == 0, in->kubelet_minor,
		                     &d->value);
	if (r == -ENOENT)
		return set(d, KR_BY_DEFAULT, KR_STATE_ABSENT,
		           "nothing sets it: kubelet's default");
	if (r < 0)
		return r;
	return set(d, KR_BY_DEFAULT, kr_value_state(&d->value),
	           "nothing sets it: kubelet's default");
}

static int decide_value(const struct kr_inputs *in, int field, bool agree,
                        struct kr_decision *d)
{
	const char *dynamic =
		kr_flags_text(&in->flags, KR_FIELD_DYNAMIC_CONFIG_DIR);
	int r;

	if (in->doubts[field])
		return set(d, KR_BY_NOTHING, KR_STATE_UNKNOWN, "%s",
		           in->doubts[field]);
	if (kr_flags_state(&in->flags, field) == KR_STATE_UNKNOWN)
		return set(d, KR_BY_NOTHING, KR_STATE_UNKNOWN,
		           "an argument that is not known may take the next "
		           "one as its value");
	r = decide_flags(in, field, d);
	if (r != 0)
		return r;
	if (in->files_doubt)
		return set(d, KR_BY_NOTHING, KR_STATE_UNKNOWN, "%s",
		           in->files_doubt);
	if (dynamic && *dynamic)
		return set(d, KR_BY_NOTHING, KR_STATE_UNKNOWN,
		           "kubelet takes its configuration from a ConfigMap "
		           "(--dynamic-config-dir)");
	if (!agree) {
		d->by_version = true;
		return set_versions(in, field, d);
	}
	r = decide_files(in, field, d);
	if (r != 0)
		return r;
	r = decide_all_beta(in, field, d);
	if (r != 0)
		return r;
	return decide_default(in, field, d);
}

int kr_decide(const struct kr_inputs *in, int field, struct kr_decision *ret)
{
	_cleanup_decision_ struct kr_decision d = {0};
	bool agree;
	int r = versions_agree(in, field, &agree);

	if (r < 0)
		return r;
	r = set_fault(in, field, agree, &d);
	if (r < 0)
		return r;
	if (!d.reason)
		r = decide_value(in, field, agree, &d);
	if (r < 0)
		return r;
	*ret = TAKE(d);
	return 0;
}

int kr_decide_refused(const struct kr_inputs *in, int field,
                      struct kr_decision *ret)
{
	_cleanup_decision_ struct kr_decision d = {0};
	bool agree;
	int r = in->argv_refused ? 0 : versions_agree(in, field, &agree);

	if (r < 0 || in->argv_refused)
		return r;
	r = decide_value(in, field, agree, &d);
	if (r < 0)
		return r;
	if (!kr_state_is_value(d.state) ||
	    !(d.flag || (d.use && in->merged.fault == KR_STATE_ABSENT)))
		return 0;
	*ret = TAKE(d);
	return 1;
}

void kr_decision_done(struct kr_decision *d)
{
	kr_value_done(&d->value);
	free(d->reason);
	*d = (struct kr_decision){0};
}

int kr_inputs_find_file(const struct kr_inputs *in, const char *real)
{
	for (size_t i = 0; i < in->n_files; i++) {
		if (strcmp(in->files[i]->real, real) == 0)
			return (int)i;
	}
	return -1;
}

enum kr_state kr_inputs_state(const struct kr_inputs *in)
{
	if (in->fault_reason)
		return in->fault;
	if (!in->merged_valid)
		return KR_STATE_ABSENT;
	if (in->older_valid && in->older.fault != in->merged.fault)
		return KR_STATE_UNKNOWN;
	return in->merged.fault;
}

int kr_inputs_need_version(const struct kr_inputs *in)
{
	if (in->fault_by_version)
		return 1;
	for (int i = 0; in->older_valid && i < KR_N_SETTINGS; i++) {
		_cleanup_decision_ struct kr_decision d = {0};
		int r = kr_decide(in, i, &d);

		if (r < 0)
			return r;
		/* a default is not the files' */
		if (d.needs_version && !d.either_default)
			return 1;
	}
	return 0;
}

void kr_inputs_done(struct kr_inputs *in)
{
	free(in->argv);
	kr_strings_done(&in->folders);
	kr_flags_done(&in->flags);
	kr_merged_done(&in->merged);
	kr_merged_done(&in->older);
	kr_merged_done(&in->oldest);
	free(in->config_path);
	free(in->config_dir);
	free(in->files);
	free(in->fault_reason);
	free(in->merge_error);
	free(in->files_doubt);
	*in = (struct kr_inputs){0};
}
