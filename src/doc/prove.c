/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The proof that an edit changed the member at one path and nothing else.
 *
 * Two witnesses who share no code with the edit. The first compares bytes: both
 * states of the file are read again and walked side by side along the path, as
 * far as both have it. There they may differ in one of these ways:
 *
 *	values      both have the member, as often: its values
 *	filled      a null or {} before, now a mapping with the rest of the path
 *	added       the member is the last of its mapping, and holds the rest
 *	removed     one member less; the only one of a block leaves {}
 *
 * and all that lies outside of that is the same, byte for byte; so the tokens
 * there are the same too, with every blank and every spelling of a number. What
 * is new holds nothing but names of the path, the value, and the marks between
 * them. The second witness is another parser (cJSON, libyaml), which must find
 * the value, and everything else as it was.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/macro.h"
#include "doc/edit.h"
#include "doc/name.h"
#include "doc/yaml-compare.h"

struct proof {
	const struct kr_file *before, *after;
	bool yaml;
	const struct kr_doc_path *path;
	const struct kr_doc_value *value;
	size_t cut; /* so many names of the path lead to what may differ */
	struct kr_diag *diag;
};

static int differ(const struct proof *p, size_t offset, const char *text)
{
	struct kr_span span = {p->after, offset, 0};

	kr_diag_add(p->diag, KR_ERROR, "config-proof", span, "%s", text);
	return KR_DOC_REFUSED;
}

/* --- bytes --------------------------------------------------------------- */

/* From A to C in the old state it must be as from B to D in the new one. */
static int same_stretch(const struct proof *p, size_t a, size_t c, size_t b,
                        size_t d)
{
	const char *x = p->before->data, *y = p->after->data;

	if (c < a || d < b || c - a != d - b)
		return differ(p, b,
		              "what stands here up to our key must be "
		              "that of the file before");
	for (; a < c; a++, b++) {
		if (x[a] != y[b])
			return differ(p, b,
			              "this byte must be that of the "
			              "file before");
	}
	return KR_DOC_DONE;
}

static struct kr_span value_span(const struct kr_yaml_node *node)
{
	struct kr_span span = node->span;

	span.length = kr_written_end(node) - span.offset;
	return span;
}

/* Outside of OLD and of what is NEW in its place, which stand behind byte *A
 * and *B; these are then the ends of both. */
static int pass_values(const struct proof *p, struct kr_span old,
                       struct kr_span new, size_t *a, size_t *b)
{
	int r;

	/* a value where there was none has a blank before it */
	if (old.length == 0 && new.length > 0 && new.offset > *b &&
	    p->after->data[new.offset - 1] == ' ') {
		new.offset--;
		new.length++;
	}
	r = same_stretch(p, *a, old.offset, *b, new.offset);
	*a = kr_span_end(old);
	*b = kr_span_end(new);
	return r;
}

static int same_rest(const struct proof *p, size_t a, size_t b)
{
	return same_stretch(p, a, p->before->size, b, p->after->size);
}

/* Whether only blanks and MARKS stand from A to B, and one comma at most, if it
 * is such a mark. */
static bool only_marks(const struct kr_file *file, size_t a, size_t b,
                       const char *marks)
{
	size_t n_commas = 0;

	for (; a < b; a++) {
		char c = file->data[a];

		if (!c || (!strchr(" \t\r\n", c) && !strchr(marks, c)))
			return false;
		n_commas += c == ',';
	}
	return n_commas <= 1;
}

/* Whether NAME, part I of the path, stands for the rest of it and nothing else:
 * RET is where its value ends. >0, 0, -ENOMEM. */
static int is_chain(const struct proof *p, const struct kr_yaml_node *name,
                    size_t i, size_t *ret)
{
	for (; i + 1 < p->path->names.n_items; i++) {
		const struct kr_yaml_node *map = name->next, *inner;

		if (map->kind != KR_YAML_MAPPING || map->anchor)
			return 0;
		inner = kr_written_find(map, p->path, i + 1, NULL);
		if (!inner || inner != map->first || inner->next->next ||
		    !only_marks(p->after, kr_span_end(name->span),
		                inner->span.offset, ":{"))
			return 0;
		name = inner;
	}
	*ret = kr_written_member_end(name);
	if (!only_marks(p->after, kr_span_end(name->span),
	                name->next->span.offset, ":"))
		return 0;
	return kr_written_says(name->next, p->value);
}

/* The start of the line that OFFSET is in, if only blanks stand between. */
static size_t line_start(const struct kr_file *file, size_t offset)
{
	while (offset > 0 && file->data[offset - 1] == ' ')
		offset--;
	return offset;
}

static const struct kr_yaml_node *name_before(const struct kr_yaml_node *map,
                                              const struct kr_yaml_node *name)
{
	const struct kr_yaml_node *before = NULL;

	for (const struct kr_yaml_node *c = map->first; c != name;
	     c = c->next->next)
		before = c;
	return before;
}

/* NEW has the member NAME, part I of the path, that the old state has not. */
static int prove_added(struct proof *p, const struct kr_yaml_node *new,
                       const struct kr_yaml_node *name, size_t i)
{
	size_t grown = p->after->size - p->before->size, place, end = 0;
	const struct kr_yaml_node *before = name_before(new, name);
	int r;

	if (!p->value || p->after->size <= p->before->size ||
	    name->next->next || !before)
		return differ(p, name->span.offset,
		              "the key must be added once, as the "
		              "last one");
	r = is_chain(p, name, i, &end);
	if (r < 0)
		return r;
	place = new->flow ? kr_written_member_end(before)
	                  : line_start(p->after, name->span.offset);
	if (!new->flow && place > p->before->size)
		place = p->before->size;
	if (r == 0 || end > place + grown || place > name->span.offset ||
	    !only_marks(p->after, place, name->span.offset,
	                new->flow ? "," : "") ||
	    !only_marks(p->after, end, place + grown, new->flow ? "}" : ""))
		return differ(p, name->span.offset,
		              "only the key and its value may "
		              "be added here");
	r = same_stretch(p, 0, place, 0, place);
	return r == KR_DOC_DONE ? same_rest(p, place, place + grown) : r;
}

/* The value OLD, a null or {}, is NEW, a mapping that starts with part I. */
static int prove_filled(struct proof *p, const struct kr_yaml_node *old,
                        const struct kr_yaml_node *new, size_t i)
{
	struct kr_yaml_node *name = kr_written_find(new, p->path, i, NULL);
	size_t a = 0, b = 0, end = 0;
	int r;

	p->cut = i;
	if (!p->value || !name || name != new->first || name->next->next ||
	    new->anchor || old->anchor)
		return differ(p, new->span.offset,
		              "only the key and its value may "
		              "be added here");
	r = is_chain(p, name, i, &end);
	if (r < 0)
		return r;
	if (r == 0 ||
	    !only_marks(p->after, new->span.offset, name->span.offset, "{") ||
	    !only_marks(p->after, end, kr_written_end(new), "}"))
		return differ(p, new->span.offset,
		              "only the key and its value may "
		              "be added here");
	r = pass_values(p, value_span(old), value_span(new), &a, &b);
	return r == KR_DOC_DONE ? same_rest(p, a, b) : r;
}

/* OLD had the member NAME alone, NEW is {}; a tag before it stays. */
static int prove_emptied(const struct proof *p, const struct kr_yaml_node *old,
                         const struct kr_yaml_node *name,
                         const struct kr_yaml_node *new)
{
	size_t open = name->span.offset, end = kr_written_end(old);
	size_t closed = kr_span_end(new->span);
	int r;

	if (old->flow) {
		while (open > 0 && p->before->data[open - 1] != '{')
			open--;
		open -= open > 0;
	}
	if (new->first || !new->flow || closed < open + 2 ||
	    memcmp(p->after->data + closed - 2, "{}", 2) != 0 ||
	    !only_marks(p->before, open, name->span.offset, "{") ||
	    !only_marks(p->before, kr_written_member_end(name), end, ",}"))
		return differ(p, new->span.offset, "the mapping must be empty");
	r = same_stretch(p, 0, open, 0, closed - 2);
	return r == KR_DOC_DONE ? same_rest(p, end, closed) : r;
}

/* OLD had the member NAME, part I of the path, that NEW has not. */
static int prove_removed(struct proof *p, const struct kr_yaml_node *old,
                         const struct kr_yaml_node *name,
                         const struct kr_yaml_node *new, size_t i)
{
	size_t shrunk = p->before->size - p->after->size, place;
	const struct kr_yaml_node *before = name_before(old, name);
	size_t end = kr_written_member_end(name);
	int r;

	if (p->value)
		return differ(p, new->span.offset,
		              "no use of the key may come or go");
	if (!before && !name->next->next) {
		p->cut = i;
		return prove_emptied(p, old, name, new);
	}
	place = line_start(p->before, name->span.offset);
	if (old->flow)
		place = name->next->next ? name->span.offset
		                         : kr_written_member_end(before);
	if (p->before->size <= p->after->size || end > place + shrunk ||
	    !only_marks(p->before, place, name->span.offset, ",") ||
	    (old->flow && !only_marks(p->before, end, place + shrunk, ",")) ||
	    (!old->flow && end < place + shrunk &&
	     memchr(p->before->data + end, '\n', place + shrunk - 1 - end)))
		return differ(p, place < p->after->size ? place : 0,
		              "only the key and its value may "
		              "be taken away here");
	r = same_stretch(p, 0, place, 0, place);
	return r == KR_DOC_DONE ? same_rest(p, place + shrunk, place) : r;
}

/* Both have members of the whole path. */
static int prove_values(const struct proof *p, const struct kr_yaml_node *old,
                        const struct kr_yaml_node *new, size_t i)
{
	struct kr_yaml_node *x = NULL, *y = NULL;
	size_t a = 0, b = 0;
	int r;

	for (;;) {
		x = kr_written_find(old, p->path, i, x);
		y = kr_written_find(new, p->path, i, y);
		if (!x && !y)
			return same_rest(p, a, b);
		if (!x || !y || !p->value)
			return differ(p, y ? y->span.offset : 0,
			              "no use of the key may come or go");
		/* what says so already is a part of the rest */
		r = kr_written_says(x->next, p->value);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		r = kr_written_says(y->next, p->value);
		if (r < 0)
			return r;
		if (r == 0 || y->next->tag || y->next->anchor)
			return differ(p, y->next->span.offset,
			              "this value must be changed "
			              "too");
		r = pass_values(p, value_span(x->next), value_span(y->next), &a,
		                &b);
		if (r != KR_DOC_DONE)
			return r;
	}
}

/* At part I of the path, of which one state at least has no mapping. */
static int prove_step(struct proof *p, const struct kr_yaml_node *old,
                      const struct kr_yaml_node *new, size_t i)
{
	int r = kr_written_is_null(old);

	if (r < 0)
		return r;
	if (!p->value)
		return same_stretch(p, 0, p->before->size, 0, p->after->size);
	if (r == 0 || new->kind != KR_YAML_MAPPING || p->path->null_counts)
		return differ(p, new->span.offset,
		              "the value must be a mapping");
	return prove_filled(p, old, new, i);
}

static int prove_bytes(struct proof *p, const struct kr_yaml_node *old,
                       const struct kr_yaml_node *new)
{
	for (size_t i = 0;; i++) {
		bool last = i + 1 == p->path->names.n_items;
		struct kr_yaml_node *x, *y;

		if (old->kind != KR_YAML_MAPPING ||
		    new->kind != KR_YAML_MAPPING)
			return prove_step(p, old, new, i);
		x = kr_written_find(old, p->path, i, NULL);
		y = kr_written_find(new, p->path, i, NULL);
		p->cut = i + 1;
		if (!x && !y && !p->value)
			return same_rest(p, 0, 0);
		if (!x && !y)
			return differ(p, new->span.offset,
			              "the key must be decided here");
		if (!x && old->flow && !old->first)
			return prove_filled(p, old, new, i);
		if (!x)
			return prove_added(p, new, y, i);
		if (!y)
			return prove_removed(p, old, x, new, i);
		if (last)
			return prove_values(p, old, new, i);
		if (kr_written_find(old, p->path, i, x) ||
		    kr_written_find(new, p->path, i, y))
			return differ(p, y->span.offset,
			              "the name must be there once");
		old = x->next;
		new = y->next;
	}
}

/* --- cJSON --------------------------------------------------------------- */

static bool is_escape(const char *s, char first, const char *second)
{
	return s[0] == '\\' && s[1] == 'u' && (s[2] | 0x20) == first &&
	       strchr(second, s[3] | 0x20);
}

/*
 * What kubelet reads and cJSON does not, or reads as the end of the string:
 * half a surrogate pair, and NUL. Both become U+FFFD, in as many bytes. TEXT is
 * JSON, in which only strings have backslashes.
 */
static void tame_escapes(char *text)
{
	for (char *s = strchr(text, '\\'); s; s = strchr(s, '\\')) {
		if (s[1] != 'u') {
			s += 2;
		} else if (is_escape(s, 'd', "89ab") &&
		           is_escape(s + 6, 'd', "cdef")) {
			s += 12;
		} else {
			if (is_escape(s, 'd', "89abcdef") ||
			    strncmp(s + 2, "0000", 4) == 0)
				memcpy(s + 2, "fffd", 4);
			s += 6;
		}
	}
}

static cJSON *read_json(const struct kr_file *file)
{
	_cleanup_free_ char *text = strdup(file->data);

	if (!text)
		return NULL;
	tame_escapes(text);
	return cJSON_ParseWithLengthOpts(text, strlen(text) + 1, NULL, true);
}

/* The first member of OBJECT that is part I of the path. */
static cJSON *find_json(const struct proof *p, const cJSON *object, size_t i)
{
	bool exact = p->path->exact_last && i + 1 == p->path->names.n_items;
	cJSON *item;

	if (!cJSON_IsObject(object))
		return NULL;
	cJSON_ArrayForEach(item, object)
	{
		if (kr_name_equal(p->path->names.items[i], item->string,
		                  strlen(item->string),
		                  p->path->fold && !exact))
			return item;
	}
	return NULL;
}

static bool is_string(const cJSON *item, const char *text)
{
	return cJSON_IsString(item) && strcmp(item->valuestring, text) == 0;
}

static bool says_json(const cJSON *item, const struct kr_doc_value *v)
{
	const cJSON *c;
	size_t n = 0;

	switch (v->type) {
	case KR_DOC_WORD:
		if (strcmp(v->text, "true") == 0)
			return cJSON_IsTrue(item);
		if (strcmp(v->text, "false") == 0)
			return cJSON_IsFalse(item);
		return cJSON_IsNumber(item) &&
		       item->valuedouble >= strtod(v->text, NULL) &&
		       item->valuedouble <= strtod(v->text, NULL);
	case KR_DOC_STRING:
		return is_string(item, v->text);
	case KR_DOC_LIST:
		break;
	}
	if (!cJSON_IsArray(item))
		return false;
	cJSON_ArrayForEach(c, item)
	{
		if (n == v->list->n_items || !is_string(c, v->list->items[n++]))
			return false;
	}
	return n == v->list->n_items;
}

/* Takes all members at the path's first CUT names out of ROOT. Whether all of
 * them, and one at least, had VALUE at the rest of the path. */
static bool take_out(const struct proof *p, cJSON *root)
{
	cJSON *object = root, *item, *leaf;
	bool right = true, found = false;

	for (size_t i = 0; i + 1 < p->cut; i++)
		object = find_json(p, object, i);
	while ((item = find_json(p, object, p->cut - 1))) {
		leaf = item;
		for (size_t i = p->cut; i < p->path->names.n_items; i++)
			leaf = find_json(p, leaf, i);
		if (!leaf || !p->value || !says_json(leaf, p->value))
			right = false;
		found = true;
		cJSON_Delete(cJSON_DetachItemViaPointer(object, item));
	}
	if (p->value)
		return found && right;
	return !found || p->cut < p->path->names.n_items;
}

static int witness_json(const struct proof *p)
{
	cJSON *old = read_json(p->before), *new = read_json(p->after);
	_cleanup_free_ char *x = NULL, *y = NULL;
	bool right = old && new;

	if (right && p->cut > 0) {
		take_out(p, old);
		right = take_out(p, new);
		x = cJSON_PrintUnformatted(old);
		y = cJSON_PrintUnformatted(new);
		right = right && x && y && strcmp(x, y) == 0;
	}
	cJSON_Delete(old);
	cJSON_Delete(new);
	if (right)
		return KR_DOC_DONE;
	return differ(p, 0, "a second JSON reader does not find the value");
}

/* --- the whole ----------------------------------------------------------- */

static int witness_yaml(const struct proof *p)
{
	size_t offset;
	int r;

	if (p->cut == 0)
		return KR_DOC_DONE;
	r = kr_yaml_compare(p->path, p->cut, p->before, p->after, p->value,
	                    &offset);
	if (r == KR_MALFORMED)
		return differ(p, offset,
		              "a second YAML reader finds something else here");
	return r;
}

int kr_doc_prove(const struct kr_file *before, const struct kr_file *after,
                 bool yaml, const struct kr_doc_path *path,
                 const struct kr_doc_value *value, struct kr_diag *diag)
{
	_cleanup_tree_ struct kr_tree old_tree = {0}, new_tree = {0};
	struct kr_yaml_document old, new;
	struct proof p = {
		.before = before,
		.after = after,
		.yaml = yaml,
		.path = path,
		.value = value,
		.diag = diag,
	};
	int r = kr_written_parse(before, yaml, &old_tree, diag, &old);

	if (r >= 0)
		r = kr_written_parse(after, yaml, &new_tree, diag, &new);
	if (r == KR_MALFORMED || r == -EFBIG)
		return KR_DOC_REFUSED;
	if (r < 0)
		return r;
	if (!old.root || !new.root)
		return differ(&p, 0, "the file must hold a document");
	r = prove_bytes(&p, old.root, new.root);
	if (r != KR_DOC_DONE)
		return r;
	return yaml ? witness_yaml(&p) : witness_json(&p);
}
