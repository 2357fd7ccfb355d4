/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The edit that makes the key say what it should, in the file's own hand.
 *
 * A value that is there is exchanged, byte for byte and nothing around it; all
 * of several are, so that no reader can find another one. A key that is not
 * there is put behind the last member, with the blanks that stand before that
 * member and the colon as it is written there:
 *
 *	{"a":1}         {"a":1,"key":true}
 *	{               {
 *	  "a" : 1         "a" : 1,
 *	}                 "key" : true
 *	                }
 *
 * In YAML's block style it becomes a line of its own where the document ends,
 * so that comments and the line ends of a block scalar stay what they were:
 *
 *	a: 1  # c       a: 1  # c
 *	---             key: true
 *	                ---
 *
 * What a merge key brings is written at another place, and may be wanted there:
 * it is left alone. A member of the mapping itself that stands behind it
 * overrides it, so that is changed, or put there where it is missing:
 *
 *	<<: *defaults   <<: *defaults
 *	                key: true
 *
 * Not so in a drop-in, in which a name must not come twice.
 *
 * No edit where its effect could not be told from the bytes: a file that
 * kubelet refuses for another reason, values that come from an anchor, or from
 * a merge key behind the member, an encoding other than UTF-8.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kubelet/config.h"

static const char *word_of(bool value)
{
	return value ? "true" : "false";
}

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

/* Whether all that says something of our key is brought by merge keys, and
 * wrong. */
static bool is_brought(const struct kr_setting *setting,
                       const struct kr_config *config, enum kr_state wanted)
{
	const struct kr_config_use *use;
	size_t at = 0;

	if (config->dropin ||
	    kr_config_state(config, setting->field, NULL) == wanted)
		return false;
	while ((use = kr_config_next(config, setting->field, &at))) {
		if (!use->merged)
			return false;
	}
	return at > 0;
}

static bool is_settled(const struct kr_config_use *use, enum kr_state wanted)
{
	return use->state == wanted || (use->merged && use->overridden);
}

static int change_uses(const struct kr_setting *setting,
                       const struct kr_config *config,
                       const struct kr_file *file, bool value,
                       struct kr_diag *diag, struct kr_edits *edits)
{
	enum kr_state wanted = value ? KR_STATE_TRUE : KR_STATE_FALSE;
	const struct kr_config_use *use;
	size_t at = 0;

	while ((use = kr_config_next(config, setting->field, &at))) {
		const char *reason = kr_config_use_reason(config, use);

		if (!is_settled(use, wanted) && reason)
			return refuse(diag, file, use->value, reason);
	}
	at = 0;
	while ((use = kr_config_next(config, setting->field, &at))) {
		char text[8];
		int r;

		if (is_settled(use, wanted))
			continue;
		snprintf(text, sizeof(text), "%s%s",
		         use->value.length == 0 ? " " : "", word_of(value));
		r = kr_edits_add(edits, use->value, text);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The blanks before byte OFFSET. */
static struct kr_span blanks_before(const struct kr_file *file, size_t offset)
{
	size_t start = offset;

	while (start > 0 && strchr(" \t\r\n", file->data[start - 1]) &&
	       file->data[start - 1])
		start--;
	return (struct kr_span){file, start, offset - start};
}

/* Whether a name in the file is written in double quotes. */
static bool is_quoted(struct kr_span name)
{
	const char *s = name.file->data + name.offset;

	return name.length > 1 && s[0] == '"';
}

/* What stands between a name and its value, if that is no more than a colon and
 * blanks; else what YAML and people are content with. */
static struct kr_span colon_of(const struct kr_layout *layout)
{
	static char text[] = ": ";
	static const struct kr_file usual = {.data = text, .size = 2};
	struct kr_span span = layout->last_key;
	const char *s;
	size_t n_colons = 0;

	span.offset = kr_span_end(span);
	if (layout->last_value.offset <= span.offset)
		return (struct kr_span){&usual, 0, 2};
	span.length = layout->last_value.offset - span.offset;
	s = span.file->data + span.offset;
	for (size_t i = 0; i < span.length; i++) {
		n_colons += s[i] == ':';
		if (!s[i] || !strchr(": \t", s[i]))
			return (struct kr_span){&usual, 0, 2};
	}
	/* a plain name's colon needs a blank behind it */
	if (n_colons != 1 ||
	    (!is_quoted(layout->last_key) && s[span.length - 1] == ':'))
		return (struct kr_span){&usual, 0, 2};
	return span;
}

static int insert_flow(const struct kr_setting *setting,
                       const struct kr_config *config,
                       const struct kr_file *file, bool value,
                       struct kr_edits *edits)
{
	const struct kr_layout *layout = &config->layout;
	struct kr_span blanks = blanks_before(file, layout->last_key.offset);
	struct kr_span place = {file, kr_layout_end(layout), 0};
	struct kr_span colon = colon_of(layout);
	const char *quote = is_quoted(layout->last_key) ? "\"" : "";
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text, ",%.*s%s%s%s%.*s%s", (int)blanks.length,
	             file->data + blanks.offset, quote, setting->key, quote,
	             (int)colon.length, colon.file->data + colon.offset,
	             word_of(value)) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	return kr_edits_add(edits, place, text);
}

/* How the file ends its lines. */
static const char *line_end(const struct kr_file *file)
{
	const char *lf = memchr(file->data, '\n', file->size);

	if (!lf)
		return memchr(file->data, '\r', file->size) ? "\r" : "\n";
	return lf > file->data && lf[-1] == '\r' ? "\r\n" : "\n";
}

/* The blanks that the last member's line starts with; false: something else
 * stands before the name. */
static bool indent_of(const struct kr_layout *layout, struct kr_span *ret)
{
	const struct kr_file *file = layout->last_key.file;
	size_t end = layout->last_key.offset, start = end;

	while (start > 0 && file->data[start - 1] == ' ')
		start--;
	*ret = (struct kr_span){file, start, end - start};
	if (start == 3 && memcmp(file->data, "\xef\xbb\xbf", 3) == 0)
		return true;
	return start == 0 || file->data[start - 1] == '\n' ||
	       file->data[start - 1] == '\r';
}

static int insert_block(const struct kr_setting *setting,
                        const struct kr_config *config,
                        const struct kr_file *file, bool value,
                        struct kr_diag *diag, struct kr_edits *edits)
{
	const struct kr_layout *layout = &config->layout;
	struct kr_span place = {file, layout->end, 0}, indent;
	const char *end = line_end(file);
	_cleanup_free_ char *text = NULL;
	bool at_line;

	if (!indent_of(layout, &indent))
		return refuse(diag, file, layout->last_key,
		              "the last name would have to start its line");
	at_line = place.offset > 0 &&
	          strchr("\r\n", file->data[place.offset - 1]);
	if (!at_line && layout->open_ended)
		return refuse(diag, file, layout->last_value,
		              "the block scalar would have to end with a line "
		              "end");
	if (!at_line && place.offset < file->size)
		return refuse(diag, file, place,
		              "the document would have to end at the start of "
		              "a line");
	if (asprintf(&text, "%s%.*s%s: %s%s", at_line ? "" : end,
	             (int)indent.length, file->data + indent.offset,
	             setting->key, word_of(value), at_line ? end : "") < 0) {
		text = NULL;
		return -ENOMEM;
	}
	return kr_edits_add(edits, place, text);
}

int kr_config_edit(const struct kr_setting *setting,
                   const struct kr_config *config, const struct kr_file *file,
                   bool value, struct kr_diag *diag, struct kr_edits *edits)
{
	const struct kr_layout *layout = &config->layout;
	enum kr_state wanted = value ? KR_STATE_TRUE : KR_STATE_FALSE;
	const struct kr_config_use none = {.field = setting->field};
	size_t at = 0;

	if (kr_config_stops(config, setting->field))
		return refuse(diag, file, KR_SPAN_NONE,
		              kr_config_use_reason(config, &none));
	if (kr_config_next(config, setting->field, &at) &&
	    !is_brought(setting, config, wanted))
		return change_uses(setting, config, file, value, diag, edits);
	if (layout->reason)
		return refuse(diag, file, layout->root, layout->reason);
	if (!layout->last_key.file)
		return refuse(diag, file, layout->root,
		              "there would have to be a member to stand "
		              "behind");
	if (layout->flow)
		return insert_flow(setting, config, file, value, edits);
	return insert_block(setting, config, file, value, diag, edits);
}
