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
 * No edit where its effect could not be told from the bytes: a file that
 * kubelet refuses for another reason, values that come from an anchor or a
 * merge, an encoding other than UTF-8.
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

static int change_uses(const struct kr_config *config,
                       const struct kr_file *file, bool value,
                       struct kr_diag *diag, struct kr_edits *edits)
{
	enum kr_state wanted = value ? KR_STATE_TRUE : KR_STATE_FALSE;
	int r;

	for (size_t i = 0; i < config->n_uses; i++) {
		const struct kr_config_use *use = &config->uses[i];

		if (use->state != wanted && !use->editable)
			return refuse(diag, file, use->value, use->reason);
	}
	for (size_t i = 0; i < config->n_uses; i++) {
		const struct kr_config_use *use = &config->uses[i];
		char text[8];

		if (use->state == wanted)
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

static int insert_json(const struct kr_setting *setting,
                       const struct kr_config *config,
                       const struct kr_file *file, bool value,
                       struct kr_edits *edits)
{
	const struct kr_config_layout *layout = &config->layout;
	struct kr_span blanks = blanks_before(file, layout->last_key.offset);
	size_t colon = kr_span_end(layout->last_key);
	struct kr_span place = {file, kr_span_end(layout->last_value), 0};
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text, ",%.*s\"%s\"%.*s%s", (int)blanks.length,
	             file->data + blanks.offset, setting->key,
	             (int)(layout->last_value.offset - colon),
	             file->data + colon, word_of(value)) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	return kr_edits_add(edits, place, text);
}

int kr_config_edit(const struct kr_setting *setting,
                   const struct kr_config *config, const struct kr_file *file,
                   bool value, struct kr_diag *diag, struct kr_edits *edits)
{
	const struct kr_config_layout *layout = &config->layout;

	if (config->n_uses > 0)
		return change_uses(config, file, value, diag, edits);
	if (layout->reason)
		return refuse(diag, file, layout->root, layout->reason);
	return insert_json(setting, config, file, value, edits);
}
