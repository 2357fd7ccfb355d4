/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Where the part of a field's value stands that a rule refuses: the flag that
 * brings it, of several of one name, or the bytes in the file that decides.
 *
 * A value keeps no places of its parts. The few files with something refused
 * are read once more for them, by the reader that the value came from, so that
 * comments, quotes and escapes count as they did then.
 *
 * kubelet lays file over file: a list comes whole from the last that has it,
 * the member of a map from the last file that has this member.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "kubelet/config-read.h"
#include "kubelet/validate-constraint.h"

#define DEPTH_MAX 16
#define PATH_SIZE 512

/* Listens for the place of PATH in the value that begins at START. */
struct search {
	uint32_t start;
	const char *path;
	bool value;   /* of the member, not its name */
	size_t depth; /* 0: not in the value */
	struct {
		size_t length; /* of the path to here */
		size_t n_elements;
		bool list;
	} levels[DEPTH_MAX];
	char here[PATH_SIZE]; /* the path to the value that comes next */
	size_t length;
	struct kr_span name;
	struct kr_span found;
};

/* Makes TEXT (LENGTH bytes) the last part of the path. What is too long is no
 * path that is looked for. */
static int set_last(struct search *s, const char *text, size_t length,
                    bool escaped)
{
	size_t at = s->levels[s->depth - 1].length;
	_cleanup_free_ char *plain = NULL;

	if (escaped) {
		plain = malloc(3 * length + 1);
		if (!plain)
			return -ENOMEM;
		length = kr_json_unescape(text, length, plain);
		text = plain;
	}
	if (at + 1 + length + 1 > sizeof(s->here)) {
		at = 0;
		length = 0;
	}
	if (at > 0)
		s->here[at++] = '/';
	memcpy(s->here + at, text, length);
	s->length = at + length;
	s->here[s->length] = '\0';
	return 0;
}

static int set_element(struct search *s, struct kr_span span)
{
	char number[24];
	int n = snprintf(number, sizeof(number), "%zu",
	                 s->levels[s->depth - 1].n_elements++);

	s->name = span;
	return set_last(s, number, (size_t)n, false);
}

static void enter(struct search *s, bool list)
{
	if (s->depth < DEPTH_MAX) {
		s->levels[s->depth].length = s->depth > 0 ? s->length : 0;
		s->levels[s->depth].n_elements = 0;
		s->levels[s->depth].list = list;
	}
	s->depth++;
}

static int hear(void *userdata, const struct kr_event *e)
{
	bool opens = e->type == KR_EVENT_MAP || e->type == KR_EVENT_LIST;
	struct search *s = userdata;
	int r = 0;

	if (s->depth == 0) {
		if (opens && e->span.offset == s->start)
			enter(s, e->type == KR_EVENT_LIST);
		return 0;
	}
	if (e->type == KR_EVENT_MAP_END || e->type == KR_EVENT_LIST_END) {
		s->depth--;
		return 0;
	}
	if (s->depth > DEPTH_MAX) {
		s->depth += opens;
		return 0;
	}
	if (e->key) {
		s->name = e->span;
		return set_last(s, e->text, e->length, e->escaped);
	}
	if (s->levels[s->depth - 1].list)
		r = set_element(s, e->span);
	if (r < 0)
		return r;
	if (!e->overridden && strcmp(s->here, s->path) == 0)
		s->found = s->value ? e->span : s->name;
	if (opens)
		enter(s, e->type == KR_EVENT_LIST);
	return 0;
}

/* The place of S's path in the value of USE, of CONFIG. 0 or -ENOMEM. */
static int search_use(const struct kr_validation *j,
                      const struct kr_config *config,
                      const struct kr_config_use *use, struct search *s)
{
	const struct kr_listener listener = {hear, s};
	struct kr_layout layout = {0};
	struct kr_span twice;
	int r;

	if (!use->value.file || use->overridden)
		return 0;
	s->start = use->value.offset;
	s->depth = 0;
	r = kr_config_read(use->value.file, config->format, &listener, NULL,
	                   &layout, &twice);
	return r == -ENOMEM ? r : 0;
}

int kr_validation_place(const struct kr_validation *j, int field,
                        const struct kr_held *held, struct kr_span *ret)
{
	const struct kr_merged *merged = j->merges[kr_validation_merge_of(j)];
	struct search s = {.path = j->path, .value = j->is_value};
	bool whole = kr_field(field)->type == KR_TYPE_LIST;
	char number[24];

	*ret = held->use ? held->use->value : KR_SPAN_NONE;
	if (j->n_refused == 0 || !merged)
		return 0;
	if (!j->path) {
		snprintf(number, sizeof(number), "%zu", j->element);
		s.path = number;
	}
	for (size_t i = j->main_file ? 1 : merged->n_configs;
	     i > 0 && !s.found.file; i--) {
		const struct kr_config *config = merged->configs[i - 1];
		const struct kr_config_use *use;
		size_t at = 0;

		while ((use = kr_config_next(config, field, &at))) {
			int r = 0;

			if (!whole || use == held->use)
				r = search_use(j, config, use, &s);
			if (r < 0)
				return r;
		}
	}
	if (s.found.file)
		*ret = s.found;
	return 0;
}

int kr_validation_flag_of(const struct kr_validation *j, int field,
                          enum kr_type type, const char *path,
                          const struct kr_flag_use **ret)
{
	const struct kr_flag_use *use;
	size_t at = 0, n = 0;

	while ((use = kr_flags_next(&j->in->flags, field, &at))) {
		_cleanup_value_ struct kr_value v = {0};
		int r;

		if (!use->text)
			continue;
		r = kr_value_parse(type, use->text, strlen(use->text), &v);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			continue;
		if (path && kr_value_at(&v, path))
			*ret = use;
		if (!path && j->element >= n && j->element < n + v.list.n_items)
			*ret = use;
		n += v.list.n_items;
	}
	return 0;
}
