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

#include "kubelet/config-doc.h"

static int refuse(struct kr_diag *diag, const struct kr_file *file,
                  struct kr_span span, const char *reason)
{
	if (span.file && span.file == file)
		kr_diag_add(diag, KR_ERROR, "config-edit", span,
		            "no safe edit here: %s", reason);
	else
		kr_diag_add_path(diag, KR_ERROR, "config-edit", file->path,
		                 "no safe edit: %s", reason);
	return -EOPNOTSUPP;
}

static int add_go_name(struct kr_strings *names, const char *name)
{
	_cleanup_free_ char *go = malloc(strlen(name) + 1);

	if (!go)
		return -ENOMEM;
	kr_field_go_name(name, strlen(name), go);
	return kr_strings_add(names, go);
}

int kr_config_path(const struct kr_config *config, int field,
                   struct kr_doc_path *ret)
{
	_cleanup_doc_path_ struct kr_doc_path v1beta1 = {0};
	bool gate = kr_field(field)->combine == KR_COMBINE_GATE;
	struct kr_doc_path path = {
		.fold = config->dropin,
		.exact_last = gate,
		/* RFC 7386: it takes all that earlier files have */
		.null_counts = config->dropin,
	};
	int r = kr_doc_path_parse(kr_field(field)->path, &v1beta1);

	for (size_t i = 0; r == 0 && i < v1beta1.names.n_items; i++) {
		const char *name = v1beta1.names.items[i];

		/* a gate is a key of a map, not a field of Go's */
		if (config->internal &&
		    !(gate && i + 1 == v1beta1.names.n_items))
			r = add_go_name(&path.names, name);
		else
			r = kr_strings_add(&path.names, name);
	}
	if (r < 0) {
		kr_doc_path_done(&path);
		return r;
	}
	*ret = path;
	return 0;
}

int kr_config_doc_value(const struct kr_value *value, char **text,
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

bool kr_config_use_is(const struct kr_config_use *use,
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
		if (kr_config_use_is(use, value))
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
	r = kr_config_path(config, field, &path);
	if (r < 0)
		return r;
	r = kr_config_doc_value(value, &text, &written);
	if (r < 0)
		return r;
	r = kr_doc_edit(file, config->format == KR_CONFIG_YAML, &path, &written,
	                diag, edits);
	return r == KR_DOC_REFUSED ? -EOPNOTSUPP : r;
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
