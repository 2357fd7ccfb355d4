/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libyaml by itself, without our tree, spans and aliases: it reads both states
 * of a file side by side, and all events must be alike: kinds, styles, tags,
 * anchors and decoded texts. The members with our name at the top are left out
 * on both sides; in the new state each of them must hold the value, and there
 * must be one.
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
	const char *key;
	bool fold, value;
	size_t depth;   /* of mappings and sequences */
	bool root_map;  /* the outermost one is a mapping */
	bool name_next; /* at the top of it a name comes next */
	size_t found, right;
};

static int next(struct side *s)
{
	yaml_event_delete(&s->event);
	if (yaml_parser_parse(&s->parser, &s->event))
		return 0;
	return s->parser.error == YAML_MEMORY_ERROR ? -ENOMEM : -EBADMSG;
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

/* Follows the event that was read: how deep, and what comes next at the top. */
static void track(struct side *s)
{
	const yaml_event_t *e = &s->event;

	if (starts(e)) {
		if (s->depth++ == 0) {
			s->root_map = e->type == YAML_MAPPING_START_EVENT;
			s->name_next = true;
			return;
		}
	} else if (ends(e)) {
		s->depth--;
	}
	if (s->depth == 1 && (ends(e) || e->type == YAML_SCALAR_EVENT ||
	                      e->type == YAML_ALIAS_EVENT))
		s->name_next = !s->name_next;
}

static bool is_name(const struct side *s)
{
	const yaml_event_t *e = &s->event;

	return s->depth == 1 && s->root_map && s->name_next &&
	       e->type == YAML_SCALAR_EVENT &&
	       kr_name_equal(s->key, (const char *)e->data.scalar.value,
	                     e->data.scalar.length, s->fold);
}

/* Whether the value of our key is the one that is wanted. 0 or -ENOMEM. */
static int judge(struct side *s)
{
	const yaml_event_t *e = &s->event;
	enum kr_yaml_type type,
		wanted = s->value ? KR_YAML_TRUE : KR_YAML_FALSE;
	char number[KR_YAML_NUMBER_SIZE];
	int r;

	s->found++;
	if (e->type != YAML_SCALAR_EVENT ||
	    (!e->data.scalar.tag && !e->data.scalar.plain_implicit))
		return 0;
	r = kr_yaml_resolve((const char *)e->data.scalar.tag,
	                    (const char *)e->data.scalar.value,
	                    e->data.scalar.length, &type, number);
	if (r == 0 && type == wanted)
		s->right++;
	return r == -ENOMEM ? r : 0;
}

/* The next event that is not one of our members'. */
static int next_other(struct side *s)
{
	int r;

	for (;;) {
		r = next(s);
		if (r < 0 || !is_name(s))
			return r;
		track(s);
		r = next(s);
		if (r < 0)
			return r;
		r = judge(s);
		if (r < 0)
			return r;
		track(s);
		while (s->depth > 1) {
			r = next(s);
			if (r < 0)
				return r;
			track(s);
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
		if (r == 0)
			r = next_other(new);
		if (r < 0)
			return r;
		if (!same_event(&old->event, &new->event))
			return -EBADMSG;
		track(old);
		track(new);
	} while (old->event.type != YAML_DOCUMENT_END_EVENT &&
	         old->event.type != YAML_STREAM_END_EVENT);
	return new->found > 0 && new->found == new->right ? 0 : -EBADMSG;
}

static bool start(struct side *s, const struct kr_file *file)
{
	if (!yaml_parser_initialize(&s->parser))
		return false;
	yaml_parser_set_input_string(
		&s->parser, (const unsigned char *)file->data, file->size);
	return true;
}

int kr_yaml_compare(const char *key, bool fold, const struct kr_file *before,
                    const struct kr_file *after, bool value, size_t *ret)
{
	struct side old = {.key = key, .fold = fold, .value = value};
	struct side new = old;
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
