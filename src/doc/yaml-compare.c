/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libyaml by itself, without our tree, spans and aliases: it reads both states
 * of a file side by side, and all events must be alike: kinds, styles, tags,
 * anchors and decoded texts. The members at the path's first CUT names are left
 * out on both sides; in the new state each of them must hold the value at the
 * rest of the path, and there must be one.
 */

#include <errno.h>
#include <string.h>

#include <yaml.h>

#include "base/macro.h"
#include "doc/name.h"
#include "doc/yaml-compare.h"
#include "doc/yaml-scalar.h"

struct side {
	yaml_parser_t parser;
	yaml_event_t event;
	const struct kr_doc_path *path;
	const struct kr_doc_value *value; /* NULL: it is not looked at */
	size_t cut;
	size_t matched; /* open mappings on the way, the outermost one first */
	size_t inner;   /* open mappings and sequences inside of the last one */
	bool started;
	bool name_next; /* in the last one a name comes next */
	bool on_way;    /* the name before was the next one of the path */
	size_t found, right;
};

static int next(struct side *s)
{
	yaml_event_delete(&s->event);
	if (yaml_parser_parse(&s->parser, &s->event))
		return 0;
	return s->parser.error == YAML_MEMORY_ERROR ? -ENOMEM : KR_MALFORMED;
}

static bool starts(const yaml_event_t *e)
{
	return e->type == YAML_MAPPING_START_EVENT ||
	       e->type == YAML_SEQUENCE_START_EVENT;
}

static bool ends(const yaml_event_t *e)
{
	return e->type == YAML_MAPPING_END_EVENT ||
	       e->type == YAML_SEQUENCE_END_EVENT;
}

/* Whether the event is part I of the path. */
static bool is_name(const struct side *s, size_t i)
{
	const yaml_event_t *e = &s->event;
	bool exact = s->path->exact_last && i + 1 == s->path->names.n_items;

	return e->type == YAML_SCALAR_EVENT &&
	       kr_name_equal(s->path->names.items[i],
	                     (const char *)e->data.scalar.value,
	                     e->data.scalar.length, s->path->fold && !exact);
}

/* Follows the event that was read: where it is, and what comes next there. */
static void track(struct side *s)
{
	const yaml_event_t *e = &s->event;
	bool on_way = s->on_way;

	s->on_way = false;
	if (starts(e)) {
		if (s->inner == 0 && e->type == YAML_MAPPING_START_EVENT &&
		    (on_way || !s->started)) {
			s->matched++;
			s->name_next = true;
		} else {
			s->inner++;
		}
		s->started = true;
		return;
	}
	if (ends(e) && s->inner == 0) {
		s->matched--;
		s->name_next = true;
		return;
	}
	if (ends(e))
		s->inner--;
	else if (e->type != YAML_SCALAR_EVENT && e->type != YAML_ALIAS_EVENT)
		return;
	s->started = true;
	if (s->inner > 0 || s->matched == 0)
		return;
	s->on_way = s->name_next && s->matched < s->cut &&
	            is_name(s, s->matched - 1);
	s->name_next = !s->name_next;
}

static bool is_ours(const struct side *s)
{
	return s->matched == s->cut && s->matched > 0 && s->inner == 0 &&
	       s->name_next && is_name(s, s->cut - 1);
}

/* Whether the event is a scalar that says TEXT, of a string or a word. >0, 0,
 * -ENOMEM. */
static int says(const struct side *s, const char *text, bool string)
{
	const yaml_event_t *e = &s->event;
	char number[KR_YAML_NUMBER_SIZE], wanted_number[KR_YAML_NUMBER_SIZE];
	enum kr_yaml_type type = KR_YAML_STRING, wanted;
	int r;

	if (e->type != YAML_SCALAR_EVENT)
		return 0;
	if (e->data.scalar.tag || e->data.scalar.plain_implicit) {
		r = kr_yaml_resolve((const char *)e->data.scalar.tag,
		                    (const char *)e->data.scalar.value,
		                    e->data.scalar.length, &type, number);
		if (r < 0)
			return r == -ENOMEM ? r : 0;
	}
	if (string)
		return type == KR_YAML_STRING &&
		       e->data.scalar.length == strlen(text) &&
		       strcmp((const char *)e->data.scalar.value, text) == 0;
	r = kr_yaml_resolve(NULL, text, strlen(text), &wanted, wanted_number);
	if (r < 0)
		return r;
	if (type != wanted || type == KR_YAML_STRING)
		return 0;
	return type == KR_YAML_TRUE || type == KR_YAML_FALSE ||
	       strcmp(number, wanted_number) == 0;
}

/* Reads the next event of a value of which DEPTH brackets are open. */
static int next_inside(struct side *s, size_t *depth)
{
	int r = next(s);

	if (r < 0)
		return r;
	if (starts(&s->event))
		(*depth)++;
	else if (ends(&s->event))
		(*depth)--;
	return 0;
}

/* Whether the list that starts here is the one that is wanted. */
static int says_list(struct side *s, size_t *depth)
{
	const struct kr_strings *list = s->value->list;
	int r;

	if (s->event.type != YAML_SEQUENCE_START_EVENT)
		return 0;
	for (size_t i = 0; i < list->n_items; i++) {
		r = next_inside(s, depth);
		if (r < 0)
			return r;
		r = says(s, list->items[i], true);
		if (r <= 0)
			return r;
	}
	r = next_inside(s, depth);
	return r < 0 ? r : s->event.type == YAML_SEQUENCE_END_EVENT;
}

/* Whether the value of our member, at whose first event we are, says what is
 * wanted, where the rest of the path leads to. >0, 0, < 0. */
static int judge(struct side *s, size_t *depth)
{
	int r;

	for (size_t i = s->cut; i < s->path->names.n_items; i++) {
		if (s->event.type != YAML_MAPPING_START_EVENT)
			return 0;
		r = next_inside(s, depth);
		if (r < 0)
			return r;
		if (!is_name(s, i))
			return 0;
		r = next_inside(s, depth);
		if (r < 0)
			return r;
	}
	if (s->value->type == KR_DOC_LIST)
		return says_list(s, depth);
	return says(s, s->value->text, s->value->type == KR_DOC_STRING);
}

/* The next event that is not one of our members'. */
static int next_other(struct side *s)
{
	int r;

	for (;;) {
		size_t depth = 0;

		r = next(s);
		if (r < 0 || !is_ours(s))
			return r;
		s->found++;
		r = next_inside(s, &depth);
		if (r < 0)
			return r;
		r = s->value ? judge(s, &depth) : 0;
		if (r < 0)
			return r;
		s->right += r > 0;
		while (depth > 0) {
			r = next_inside(s, &depth);
			if (r < 0)
				return r;
		}
	}
}

static bool same_text(const yaml_char_t *a, const yaml_char_t *b)
{
	return a == b ||
	       (a && b && strcmp((const char *)a, (const char *)b) == 0);
}

static bool same_event(const yaml_event_t *a, const yaml_event_t *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case YAML_SCALAR_EVENT:
		return a->data.scalar.length == b->data.scalar.length &&
		       memcmp(a->data.scalar.value, b->data.scalar.value,
		              a->data.scalar.length) == 0 &&
		       a->data.scalar.style == b->data.scalar.style &&
		       same_text(a->data.scalar.tag, b->data.scalar.tag) &&
		       same_text(a->data.scalar.anchor, b->data.scalar.anchor);
	case YAML_ALIAS_EVENT:
		return same_text(a->data.alias.anchor, b->data.alias.anchor);
	case YAML_MAPPING_START_EVENT:
		return a->data.mapping_start.style ==
		               b->data.mapping_start.style &&
		       same_text(a->data.mapping_start.tag,
		                 b->data.mapping_start.tag) &&
		       same_text(a->data.mapping_start.anchor,
		                 b->data.mapping_start.anchor);
	case YAML_SEQUENCE_START_EVENT:
		return a->data.sequence_start.style ==
		               b->data.sequence_start.style &&
		       same_text(a->data.sequence_start.tag,
		                 b->data.sequence_start.tag) &&
		       same_text(a->data.sequence_start.anchor,
		                 b->data.sequence_start.anchor);
	default:
		return true;
	}
}

static int compare(struct side *old, struct side *new)
{
	int r;

	do {
		r = next_other(old);
		if (r < 0)
			return r;
		r = next_other(new);
		if (r < 0)
			return r;
		if (!same_event(&old->event, &new->event))
			return KR_MALFORMED;
		track(old);
		track(new);
	} while (old->event.type != YAML_DOCUMENT_END_EVENT &&
	         old->event.type != YAML_STREAM_END_EVENT);
	if (!new->value)
		return new->found == 0 || new->cut < new->path->names.n_items
		               ? 0
		               : KR_MALFORMED;
	return new->found > 0 && new->found == new->right ? 0 : KR_MALFORMED;
}

static bool start(struct side *s, const struct kr_file *file)
{
	if (!yaml_parser_initialize(&s->parser))
		return false;
	yaml_parser_set_input_string(
		&s->parser, (const unsigned char *)file->data, file->size);
	return true;
}

int kr_yaml_compare(const struct kr_doc_path *path, size_t cut,
                    const struct kr_file *before, const struct kr_file *after,
                    const struct kr_doc_value *value, size_t *ret)
{
	struct side old = {.path = path, .cut = cut};
	struct side new = {.path = path, .cut = cut, .value = value};
	int r = -ENOMEM;

	if (!start(&old, before))
		return r;
	if (start(&new, after)) {
		r = compare(&old, &new);
		*ret = new.event.start_mark.index < after->size
		               ? new.event.start_mark.index
		               : after->size;
		yaml_event_delete(&new.event);
		yaml_parser_delete(&new.parser);
	}
	yaml_event_delete(&old.event);
	yaml_parser_delete(&old.parser);
	return r;
}
