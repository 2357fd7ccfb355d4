/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The edit that makes a field say what it should, where kubelet looks for it.
 *
 * How it is written is doc/edit's to know. What is known here: under which
 * names kubelet has the field, in which case, and which of its uses count. All
 * of several that say otherwise are changed, also those that a later one
 * undoes. A file that kubelet refuses for another reason is not edited: no edit
 * would have an effect there.
 *
 * In a drop-in a name must not come twice, not even by a merge key; else what a
 * merge key brings is overridden by a member of the mapping itself.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "doc/edit.h"
#include "kubelet/config.h"

static int refuse(struct kr_diag *diag, const struct kr_file *file,
                  struct kr_span span, const char *reason)
{
	if (span.file && span.file == file)
		return kr_diag_refuse(diag, "config-edit", span,
		                      "no safe edit here: %s", reason);
	return kr_diag_refuse_path(diag, "config-edit", file->path,
	                           "no safe edit: %s", reason);
}

static int add_go_name(struct kr_strings *names, const char *name)
{
	_cleanup_free_ char *go = malloc(strlen(name) + 1);

	if (!go)
		return -ENOMEM;
	kr_field_go_name(name, strlen(name), go);
	return kr_strings_add(names, go);
}

/* Where FIELD, which is not a flag alone, stands in a file that was read as
 * CONFIG. 0 or -ENOMEM. */
static int find_path(const struct kr_config *config, int field,
                     struct kr_doc_path *ret)
{
	_cleanup_doc_path_ struct kr_doc_path v1beta1 = {0};
	bool gate = kr_field(field)->combine == KR_COMBINE_GATE;
	_cleanup_doc_path_ struct kr_doc_path path = {
		.fold = config->dropin,
		.exact_last = gate,
		/* RFC 7386: it takes all that earlier files have */
		.null_counts = config->dropin,
	};
	int r = kr_doc_path_parse(kr_field(field)->path, &v1beta1);

	if (r < 0)
		return r;
	for (size_t i = 0; i < v1beta1.names.n_items; i++) {
		const char *name = v1beta1.names.items[i];

		/* a gate is a key of a map, not a field of Go's */
		if (config->internal &&
		    !(gate && i + 1 == v1beta1.names.n_items))
			r = add_go_name(&path.names, name);
		else
			r = kr_strings_add(&path.names, name);
		if (r < 0)
			return r;
	}
	*ret = path;
	path.names = (struct kr_strings){0};
	return 0;
}

/* VALUE, no map, as it is to be written; RET refers to it and to TEXT, which
 * the caller frees. 0 or -ENOMEM. */
static int write_value(const struct kr_value *value, char **text,
                       struct kr_doc_value *ret)
{
	int r;

	*text = NULL;
	*ret = (struct kr_doc_value){.type = KR_DOC_WORD};
	if (value->type == KR_TYPE_LIST) {
		*ret = (struct kr_doc_value){KR_DOC_LIST, NULL, &value->list};
		return 0;
	}
	assert(value->type != KR_TYPE_TREE);
	if (value->type == KR_TYPE_STRING || value->type == KR_TYPE_DURATION)
		ret->type = KR_DOC_STRING;
	r = kr_value_format(value, text);
	if (r < 0)
		return r;
	ret->text = *text;
	return 0;
}

/* Whether USE says VALUE, or what it says is undone without its being written
 * here. */
static bool use_is(const struct kr_config_use *use,
                   const struct kr_value *value)
{
	return (kr_state_is_value(use->state) &&
	        kr_value_equal(&use->v, value)) ||
	       (use->merged && use->overridden);
}

/* Whether merge keys alone bring the field, and an own member may undo that. */
static bool is_brought(const struct kr_config *config, int field)
{
	const struct kr_config_use *use;
	size_t at = 0;

	while ((use = kr_config_next(config, field, &at))) {
		if (!use->merged)
			return false;
	}
	return at > 0 && !config->dropin;
}

/* Whether a use has to be changed: the first that has, and cannot be, is RET.
 */
static bool is_unsettled(const struct kr_config *config, int field,
                         const struct kr_value *value,
                         const struct kr_config_use **ret)
{
	const struct kr_config_use *use;
	bool unsettled = false;
	size_t at = 0;

	*ret = NULL;
	while ((use = kr_config_next(config, field, &at))) {
		if (use_is(use, value))
			continue;
		unsettled = true;
		if (!*ret && use->reason)
			*ret = use;
	}
	return unsettled;
}

static bool is_invalid(const struct kr_config *config, int field)
{
	const struct kr_config_use *use;
	size_t at = 0;

	while ((use = kr_config_next(config, field, &at))) {
		if (use->state == KR_STATE_INVALID)
			return true;
	}
	return false;
}

int kr_config_edit(int field, const struct kr_config *config,
                   const struct kr_file *file, const struct kr_value *value,
                   struct kr_diag *diag, struct kr_edits *edits)
{
	const struct kr_config_use none = {.field = field};

	if (kr_config_stops(config, field))
		return refuse(diag, file, KR_SPAN_NONE,
		              kr_config_use_reason(config, &none));
	return kr_config_edit_together(field, config, file, value, diag, edits);
}

int kr_config_edit_together(int field, const struct kr_config *config,
                            const struct kr_file *file,
                            const struct kr_value *value, struct kr_diag *diag,
                            struct kr_edits *edits)
{
	const struct kr_config_use none = {.field = field}, *fixed;
	_cleanup_doc_path_ struct kr_doc_path path = {0};
	_cleanup_free_ char *text = NULL;
	struct kr_doc_value written;
	bool unsettled, insert;
	size_t at = 0;
	int r;

	if (config->refused || config->doubtful ||
	    (kr_config_stops(config, field) && !is_invalid(config, field)))
		return refuse(diag, file, KR_SPAN_NONE,
		              kr_config_use_reason(config, &none));
	unsettled = is_unsettled(config, field, value, &fixed);
	if (kr_config_next(config, field, &at) && !unsettled)
		return 0;
	insert = !unsettled || is_brought(config, field);
	if (fixed && !insert)
		return refuse(diag, file, fixed->value, fixed->reason);
	if (insert && config->layout.reason)
		return refuse(diag, file, config->layout.root,
		              config->layout.reason);
	r = find_path(config, field, &path);
	if (r < 0)
		return r;
	r = write_value(value, &text, &written);
	if (r < 0)
		return r;
	r = kr_doc_edit(file, config->format == KR_CONFIG_YAML, &path, &written,
	                diag, edits);
	return r == KR_DOC_REFUSED ? KR_REFUSED : r;
}

/* TEXT, a file that is made, with one field more. */
static int make_more(char **text, int field, const struct kr_value *value)
{
	char path[] = "90-kubelet-remedy.conf";
	const struct kr_file file = {
		.path = path,
		.real = path,
		.data = *text,
		.size = strlen(*text),
	};
	_cleanup_config_ struct kr_config config = {0};
	_cleanup_edits_ struct kr_edits edits = {0};
	char *more;
	size_t size;
	int r;

	r = kr_config_parse(&file, NULL, NULL, &config);
	if (r < 0)
		return r;
	r = kr_config_edit(field, &config, &file, value, NULL, &edits);
	if (r < 0 || edits.n_files == 0)
		return r;
	r = kr_file_edits_apply(&edits.files[0], &more, &size);
	if (r < 0)
		return r;
	free(*text);
	*text = more;
	return 0;
}

/* of a drop-in only some versions look at these two */
static const char made_head[] = "# Made by kubelet-remedy.\n"
				"apiVersion: kubelet.config.k8s.io/v1beta1\n"
				"kind: KubeletConfiguration\n";

int kr_config_make(const int *fields, const struct kr_value *values, size_t n,
                   char **ret)
{
	_cleanup_free_ char *text = strdup(made_head);

	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int r = 0;

		if (kr_field(fields[i])->path)
			r = make_more(&text, fields[i], &values[i]);
		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(text);
	return 0;
}

int kr_config_make_members(const int *fields, const struct kr_value *values,
                           size_t n, char **ret)
{
	_cleanup_free_ char *text = NULL;
	int r = kr_config_make(fields, values, n, &text);

	if (r < 0)
		return r;
	*ret = strdup(text + strlen(made_head));
	return *ret ? 0 : -ENOMEM;
}

/*
 * The proof that an edit changed one field and nothing else: of the bytes and
 * by a second reader (doc/edit), and by what kubelet makes of both states of
 * the file, of this field and of every other one.
 */

struct proof {
	int field;
	const struct kr_value *value;
	const struct kr_file *after;
	struct kr_config old, new;
	struct kr_diag *diag;
};

static int differ(const struct proof *p, size_t offset, const char *text)
{
	struct kr_span span = {p->after, offset, 0};

	kr_diag_add(p->diag, KR_ERROR, "config-proof", span, "%s", text);
	return KR_MALFORMED;
}

/* Whether FIELD is the map that OURS is a key of. */
static bool is_map_of(int field, int ours)
{
	const char *path = kr_field(field)->path;
	size_t length = path ? strlen(path) : 0;

	return path && strncmp(path, kr_field(ours)->path, length) == 0 &&
	       kr_field(ours)->path[length] == '.';
}

/* Where our field was at fault, nothing was said of others. */
static bool is_same(const struct proof *p, int field)
{
	const struct kr_config_use *x, *y;
	enum kr_state old = kr_config_state(&p->old, field, &x);
	enum kr_state new = kr_config_state(&p->new, field, &y);

	if (field == p->field || is_map_of(field, p->field) ||
	    kr_config_stops(&p->old, field))
		return true;
	/* a map that was null says as little as one without the key */
	if ((old == KR_STATE_NULL || old == KR_STATE_ABSENT) &&
	    (new == KR_STATE_NULL || new == KR_STATE_ABSENT))
		return true;
	return old == new && (!x || !y || !kr_state_is_value(old) ||
	                      kr_value_equal(&x->v, &y->v));
}

static int prove_fields(const struct proof *p)
{
	const struct kr_config_use *use;
	size_t at = 0;

	/* another field, which was at fault before, still is: nothing is known
	 * of any; who puts several right has the last of them proved */
	if (kr_config_stops(&p->old, -1) && p->new.invalid_field >= 0 &&
	    p->new.invalid_field != p->field && !p->new.refused &&
	    !p->new.doubtful)
		return 0;
	kr_config_state(&p->new, p->field, &use);
	if (!use || !kr_state_is_value(use->state) ||
	    !kr_value_equal(&use->v, p->value) ||
	    kr_config_stops(&p->new, p->field))
		return differ(p, 0, "the key must be decided here");
	while ((use = kr_config_next(&p->new, p->field, &at))) {
		if (!use_is(use, p->value))
			return differ(p, use->value.offset,
			              "this value must be changed "
			              "too");
	}
	for (int i = 0; i < KR_N_FIELDS; i++) {
		if (!is_same(p, i))
			return differ(p, 0,
			              "every other field must be as "
			              "before");
	}
	return 0;
}

static int prove(const struct proof *p, const struct kr_file *before)
{
	_cleanup_doc_path_ struct kr_doc_path path = {0};
	_cleanup_free_ char *text = NULL;
	struct kr_doc_value written;
	int r;

	if (p->old.format != p->new.format)
		return differ(p, 0,
		              "the file must stay JSON or YAML "
		              "as it was");
	r = prove_fields(p);
	if (r < 0)
		return r;
	r = find_path(&p->new, p->field, &path);
	if (r < 0)
		return r;
	r = write_value(p->value, &text, &written);
	if (r < 0)
		return r;
	r = kr_doc_prove(before, p->after, p->new.format == KR_CONFIG_YAML,
	                 &path, &written, p->diag);
	return r == KR_DOC_REFUSED ? KR_MALFORMED : r;
}

int kr_config_prove(int field, const struct kr_file *before,
                    const struct kr_file *after,
                    const struct kr_config_options *options,
                    const struct kr_value *value, struct kr_diag *diag)
{
	_cleanup_config_ struct kr_config old = {0}, new = {0};
	struct proof p = {
		.field = field,
		.value = value,
		.after = after,
		.diag = diag,
	};
	int r;

	r = kr_config_parse(before, options, NULL, &old);
	if (r < 0)
		return r;
	r = kr_config_parse(after, options, diag, &new);
	if (r < 0)
		return r;
	p.old = old;
	p.new = new;
	return prove(&p, before);
}
