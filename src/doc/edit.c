/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The edit that makes a member say what it should, in the file's own hand.
 *
 * A value that is there is exchanged; all of several are, so that no reader can
 * find another one. A member that is not there is put behind the last one of
 * its mapping.
 *
 * What a merge key brings is written at another place, and may be wanted there:
 * it is left alone. A member of the mapping itself that stands behind it
 * overrides it, so that is changed, or put there where it is missing:
 *
 *	<<: *defaults   <<: *defaults
 *	                key: true
 *
 * No edit where the bytes do not show its effect: values that come
 * from an anchor, or from a merge key behind the member or in the place of a
 * mapping on the way; a mapping on the way that is there twice (of which
 * readers make one, or take the last); an encoding other than UTF-8; comments
 * inside of what must be written again; text behind the document that
 * is no other one, which kubelet does not read and an edit may join to it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "doc/edit.h"
#include "doc/hand.h"

/*
 * A member that is not there.
 *
 * It is put behind the last one of its mapping, with the blanks that stand
 * before that and the colon as it is written there; the mappings on the way to
 * it that are missing come with it, one step further in each:
 *
 *	{"a":1}         {"a":1,"b":{"c":true}}
 *	{               {
 *	  "a" : 1         "a" : 1,
 *	}                 "b" : {
 *	                    "c" : true
 *	                  }
 *	                }
 *
 * A null, or an empty {}, becomes such a mapping where it stands, in braces.
 * In YAML's block style a member becomes lines of its own: at the top where the
 * document ends, so that comments and the line ends of a block scalar stay what
 * they were, in a mapping below that behind the line of its last value:
 *
 *	a: 1  # c       a: 1  # c
 *	---             b:
 *	                  c: true
 *	                ---
 */

/* A new line of members, N steps further in than HAND's. */
static void put_line(FILE *out, const struct kr_hand *hand, size_t n)
{
	if (!hand->line.file)
		return;
	kr_hand_put(out, hand->line);
	kr_hand_steps(out, hand->unit, n);
}

/* The names from I on and the value, in flow style; BRACES: with some around
 * the first name, too. */
static void put_flow(FILE *out, const struct kr_editing *e,
                     const struct kr_hand *hand, size_t i, bool braces)
{
	size_t n = e->path->names.n_items, n_open = 0;

	for (; i < n; i++, braces = true) {
		if (braces) {
			fputc('{', out);
			put_line(out, hand, ++n_open);
		}
		kr_hand_name(out, e, hand, i);
		kr_hand_put(out, hand->colon);
	}
	kr_hand_value(out, e, hand->colon);
	while (n_open > 0) {
		put_line(out, hand, --n_open);
		fputc('}', out);
	}
}

static int insert_flow(const struct kr_editing *e,
                       const struct kr_yaml_node *map, size_t i)
{
	const struct kr_yaml_node *name = kr_hand_last_name(map);
	struct kr_hand hand = kr_hand_of(e, map, name);
	size_t end = kr_written_member_end(name);
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	fputc(',', out);
	kr_hand_put(out, kr_hand_blanks_before(e, name->span.offset));
	put_flow(out, e, &hand, i, false);
	return kr_editing_add(e, out, &text, kr_editing_span(e, end, end));
}

/* A null or an empty {} becomes a mapping with the names from I on; NAME is
 * that of this value in MAP, NULL: it is the document. */
static int fill(const struct kr_editing *e, const struct kr_yaml_node *map,
                const struct kr_yaml_node *name,
                const struct kr_yaml_node *value, size_t i)
{
	struct kr_hand hand = kr_hand_of(e, map, name);
	const char *s = e->file->data;
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out;

	if (kr_written_fixed(value))
		return kr_editing_refuse(e, value->span,
		                         kr_written_fixed(value));
	for (size_t k = value->span.offset + 1;
	     value->flow && k + 1 < kr_span_end(value->span); k++) {
		if (!kr_hand_is_blank(s[k]))
			return kr_editing_refuse(e, value->span,
			                         "the braces must be empty");
	}
	out = open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	if (value->span.length == 0)
		fputc(' ', out);
	put_flow(out, e, &hand, i, true);
	return kr_editing_add(e, out, &text, value->span);
}

/* Where lines can be added to the block mapping MAP. */
static int place_of(const struct kr_editing *e, const struct kr_yaml_node *map,
                    const struct kr_yaml_node *name, struct kr_span *ret)
{
	size_t at = e->doc.end;
	bool at_line;

	if (map != e->doc.root && !kr_hand_line_behind(e, name, &at))
		return kr_editing_refuse(e, name->next->span,
		                         "the value must be the last of its "
		                         "line");
	at_line = at > 0 && kr_hand_is_line_end(e->file->data[at - 1]);
	if (!at_line && kr_hand_is_open_ended(name))
		return kr_editing_refuse(
			e, name->next->span,
			"the block scalar must end with a line "
			"end");
	*ret = kr_editing_span(e, at, at);
	if (!at_line && at < e->file->size)
		return kr_editing_refuse(
			e, *ret,
			"the document must end at the start of "
			"a line");
	return KR_DOC_DONE;
}

/* The names from I on and the value, as lines. */
static void put_block(FILE *out, const struct kr_editing *e,
                      struct kr_span indent, const struct kr_hand *hand,
                      size_t i)
{
	const struct kr_doc_value *v = e->value;
	const char *end = kr_hand_line_end(e->file);
	size_t n = e->path->names.n_items;

	for (size_t k = i; k < n; k++) {
		if (k > i)
			fputs(end, out);
		kr_hand_put(out, indent);
		kr_hand_steps(out, hand->unit, k - i);
		kr_hand_name(out, e, hand, k);
		fputc(':', out);
	}
	if (v->type != KR_DOC_LIST || v->list->n_items == 0) {
		fputc(' ', out);
		kr_hand_value(out, e, hand->colon);
		return;
	}
	for (size_t k = 0; k < v->list->n_items; k++) {
		fputs(end, out);
		kr_hand_put(out, indent);
		kr_hand_steps(out, hand->unit, n - i);
		fputs("- ", out);
		kr_hand_string(out, v->list->items[k], '\0');
	}
}

static int insert_block(const struct kr_editing *e,
                        const struct kr_yaml_node *map, size_t i)
{
	const struct kr_yaml_node *name = kr_hand_last_name(map);
	struct kr_hand hand = kr_hand_of(e, map, name);
	struct kr_span place, indent;
	_cleanup_free_ char *text = NULL;
	bool at_line;
	size_t size;
	FILE *out;
	int r;

	if (!kr_hand_indent_of(e, name, &indent))
		return kr_editing_refuse(e, name->span,
		                         "the last name must start its line");
	r = place_of(e, map, name, &place);
	if (r != KR_DOC_DONE)
		return r;
	at_line = place.offset > 0 &&
	          kr_hand_is_line_end(e->file->data[place.offset - 1]);
	out = open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	fputs(at_line ? "" : kr_hand_line_end(e->file), out);
	put_block(out, e, indent, &hand, i);
	fputs(at_line ? kr_hand_line_end(e->file) : "", out);
	return kr_editing_add(e, out, &text, place);
}

/*
 * A member that is there: its value is exchanged, or all of it goes.
 *
 * A value is exchanged byte for byte, and nothing around it; a list keeps what
 * stands between its items. A member that goes takes its line or its comma with
 * it; the last one of a mapping leaves {}, since nothing at all would be a
 * null. Comments and anchors inside of what must be written again are
 * a reason to refuse.
 */

/* --- a value ------------------------------------------------------------- */

/* libyaml takes "x"# for a text and a comment; without quotes it is one text */
static const char tight_comment[] = "a blank must stand before the comment";

/* Whether all that stands between A and B is blank, but for N_MARKS times MARK.
 */
static bool is_only(const struct kr_editing *e, size_t a, size_t b, char mark,
                    size_t n_marks)
{
	size_t n = 0;

	for (; a < b; a++) {
		if (e->file->data[a] == mark)
			n++;
		else if (!kr_hand_is_blank(e->file->data[a]))
			return false;
	}
	return n == n_marks;
}

/* Whether LIST is items alone, no comments and anchors: TAIL is where the last
 * one ends. Behind it a list in brackets may have a comma. */
static bool is_bare(const struct kr_editing *e, const struct kr_yaml_node *list,
                    size_t end, size_t *tail)
{
	char mark = list->flow ? ',' : '-';

	*tail = list->span.offset + 1;
	for (const struct kr_yaml_node *c = list->first; c; c = c->next) {
		if (c->kind != KR_YAML_SCALAR || kr_written_fixed(c) ||
		    !is_only(e, *tail, c->span.offset, mark, c != list->first))
			return false;
		*tail = kr_span_end(c->span);
	}
	return !list->anchor && !list->tag &&
	       (is_only(e, *tail, end, mark, 0) ||
	        (list->flow && is_only(e, *tail, end, mark, 1)));
}

/* What stands between two items of LIST. */
static void put_between(FILE *out, const struct kr_editing *e,
                        const struct kr_yaml_node *list, struct kr_span lead)
{
	const struct kr_yaml_node *first = list->first;

	if (first->next) {
		kr_hand_put(out, kr_editing_span(e, kr_span_end(first->span),
		                                 first->next->span.offset));
	} else if (list->flow) {
		fputs(e->yaml && lead.length == 1 ? ", " : ",", out);
		lead.offset++;
		lead.length--;
		kr_hand_put(out, lead);
	} else {
		fputs(kr_hand_line_end(e->file), out);
		kr_hand_put(
			out,
			kr_hand_without_line_end(kr_hand_last_line(
				kr_hand_blanks_before(e, list->span.offset))));
		kr_hand_put(out, lead);
	}
}

static int replace_list(const struct kr_editing *e,
                        const struct kr_yaml_node *list)
{
	size_t end =
		list->flow ? kr_span_end(list->span) : kr_written_end(list);
	const struct kr_strings *items = e->value->list;
	const struct kr_yaml_node *first = list->first;
	_cleanup_free_ char *text = NULL;
	struct kr_span lead;
	size_t size, tail;
	FILE *out;

	if (!is_bare(e, list, end - list->flow, &tail))
		return kr_editing_refuse(e, list->span,
		                         "the list must hold plain words, and "
		                         "no comments");
	if (!list->flow && items->n_items == 0)
		return kr_editing_refuse(e, list->span,
		                         "the list must be in brackets to "
		                         "become empty");
	if (e->file->data[tail] == '#')
		return kr_editing_refuse(e, list->span, tight_comment);
	out = open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	if (!first || items->n_items == 0) {
		kr_hand_value(out, e, kr_hand_usual_colon());
		return kr_editing_add(e, out, &text, list->span);
	}
	lead = kr_editing_span(e, list->span.offset, first->span.offset);
	kr_hand_put(out, lead);
	for (size_t i = 0; i < items->n_items; i++) {
		if (i > 0)
			put_between(out, e, list, lead);
		kr_hand_string(out, items->items[i],
		               e->yaml ? e->file->data[first->span.offset]
		                       : '"');
	}
	kr_hand_put(out, kr_editing_span(e, tail, end));
	return kr_editing_add(e, out, &text,
	                      kr_editing_span(e, list->span.offset, end));
}

static int replace(const struct kr_editing *e, const struct kr_yaml_node *name)
{
	const struct kr_yaml_node *node = name->next;
	const char *first = e->file->data + node->span.offset;
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out;

	if (kr_written_fixed(node))
		return kr_editing_refuse(e, node->span, kr_written_fixed(node));
	if (node->kind == KR_YAML_SEQUENCE && e->value->type == KR_DOC_LIST)
		return replace_list(e, node);
	if (node->kind != KR_YAML_SCALAR)
		return kr_editing_refuse(e, node->span,
		                         "the value holds others; it must be a "
		                         "plain word to be exchanged");
	if (e->file->data[kr_span_end(node->span)] == '#')
		return kr_editing_refuse(e, node->span, tight_comment);
	out = open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	if (node->span.length == 0)
		fputc(' ', out);
	if (e->yaml && e->value->type == KR_DOC_STRING && !node->tag &&
	    node->span.length > 0)
		kr_hand_string(out, e->value->text, *first);
	else
		kr_hand_value(out, e, kr_hand_usual_colon());
	return kr_editing_add(e, out, &text, node->span);
}

/* --- a member that goes -------------------------------------------------- */

static int cut_flow(const struct kr_editing *e, const struct kr_yaml_node *map,
                    const struct kr_yaml_node *before,
                    const struct kr_yaml_node *name)
{
	const struct kr_yaml_node *after = name->next->next;
	size_t end = kr_written_member_end(name);
	size_t start =
		before ? kr_written_member_end(before) : map->span.offset + 1;

	if (after) {
		start = name->span.offset;
		if (!is_only(e, end, after->span.offset, ',', 1))
			return kr_editing_refuse(e, name->span,
			                         "no comment may follow");
		end = after->span.offset;
	} else if (!is_only(e, start, name->span.offset, ',', before != NULL)) {
		return kr_editing_refuse(e, name->span,
		                         "no comment may precede");
	}
	if (!before && !after) {
		size_t brace = kr_span_end(map->span) - 1;

		if (!is_only(e, end, brace, ',', 0) &&
		    !is_only(e, end, brace, ',', 1))
			return kr_editing_refuse(e, name->span,
			                         "no comment may follow");
		end = brace;
	}
	return kr_edits_add(e->edits, kr_editing_span(e, start, end), "");
}

static int cut(const struct kr_editing *e, const struct kr_yaml_node *map,
               const struct kr_yaml_node *before,
               const struct kr_yaml_node *name)
{
	size_t start = name->span.offset, end = kr_written_member_end(name);
	struct kr_span indent;

	if (e->yaml && memchr(e->file->data + start, '&', end - start))
		return kr_editing_refuse(e, name->span,
		                         "the member must be free of anchors");
	if (map->flow)
		return cut_flow(e, map, before, name);
	if (!kr_hand_indent_of(e, name, &indent) ||
	    !kr_hand_line_behind(e, name, &end))
		return kr_editing_refuse(e, name->span,
		                         "the member must have its lines for "
		                         "itself");
	if (before || name->next->next)
		return kr_edits_add(e->edits,
		                    kr_editing_span(e, indent.offset, end), "");
	end = kr_written_member_end(name);
	if (kr_hand_is_open_ended(name))
		return kr_editing_refuse(e, name->next->span,
		                         "the last member must be no block "
		                         "scalar");
	return kr_edits_add(e->edits, kr_editing_span(e, start, end), "{}");
}

#define NODES_MAX ((size_t)1000) /* that are looked at for merge keys */
#define MERGE_MAX 50             /* merge keys in merge keys */

/* Whether the merge key's VALUE brings part I of the path, and, of the last
 * part, what it brings does not say the value. Where there is too much to look
 * at it does. >0, 0, -ENOMEM. */
static int brings(struct kr_editing *e, const struct kr_yaml_node *value,
                  size_t i, unsigned depth)
{
	bool last = i + 1 == e->path->names.n_items;
	struct kr_yaml_node *name = NULL;
	int r;

	value = value->target ?: value;
	if (depth > MERGE_MAX || e->n_looked++ > NODES_MAX)
		return 1;
	if (value->kind == KR_YAML_SEQUENCE) {
		for (struct kr_yaml_node *c = value->first; c; c = c->next) {
			r = brings(e, c, i, depth + 1);
			if (r != 0)
				return r;
		}
		return 0;
	}
	while (value->kind == KR_YAML_MAPPING &&
	       (name = kr_written_find(value, e->path, i, name))) {
		r = last && e->value ? kr_written_says(name->next, e->value)
		                     : 0;
		if (r <= 0)
			return r < 0 ? r : 1;
	}
	if (value->kind != KR_YAML_MAPPING)
		return 0;
	for (name = value->first; name; name = name->next->next) {
		r = kr_written_is_merge(name)
		            ? brings(e, name->next, i, depth + 1)
		            : 0;
		if (r != 0)
			return r;
	}
	return 0;
}

/* Refuses where a merge key of MAP behind AFTER (NULL: any) undoes what is
 * written. */
static int check_merges(struct kr_editing *e, const struct kr_yaml_node *map,
                        const struct kr_yaml_node *after, size_t i)
{
	struct kr_yaml_node *name = after ? after->next->next : map->first;
	int r;

	for (; e->yaml && name; name = name->next->next) {
		if (!kr_written_is_merge(name))
			continue;
		r = brings(e, name->next, i, 0);
		if (r < 0)
			return r;
		if (r > 0)
			return kr_editing_refuse(
				e, name->span,
				"name or value come through an alias or "
				"a merge key, they must be "
				"written here");
	}
	return KR_DOC_DONE;
}

/* The members NAME in MAP, of which there is one at least. */
static int change_members(struct kr_editing *e, const struct kr_yaml_node *map,
                          size_t i)
{
	const struct kr_yaml_node *before = NULL;
	struct kr_yaml_node *name = NULL, *c, *last = NULL;
	size_t n = 0;
	int r;

	while ((name = kr_written_find(map, e->path, i, name))) {
		last = name;
		n++;
		if (name->target || name->anchor || name->next->target)
			return kr_editing_refuse(
				e, name->next->span,
				"name or value come through an alias or "
				"a merge key, they must be "
				"written here");
	}
	r = check_merges(e, map, e->value ? last : NULL, i);
	if (r != KR_DOC_DONE)
		return r;
	if (!e->value && n > 1)
		return kr_editing_refuse(e, last->span,
		                         "the name must be there once");
	name = NULL;
	while ((name = kr_written_find(map, e->path, i, name))) {
		if (!e->value) {
			for (c = map->first; c != name; c = c->next->next)
				before = c;
			return cut(e, map, before, name);
		}
		r = kr_written_says(name->next, e->value);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		r = replace(e, name);
		if (r != KR_DOC_DONE)
			return r;
	}
	return KR_DOC_DONE;
}

static int insert(struct kr_editing *e, const struct kr_yaml_node *map,
                  size_t i)
{
	int r = KR_DOC_DONE;

	/* a mapping that stands here undoes all of a merged one */
	if (i + 1 < e->path->names.n_items || !e->value)
		r = check_merges(e, map, NULL, i);
	if (r != KR_DOC_DONE || !e->value)
		return r;
	return map->flow ? insert_flow(e, map, i) : insert_block(e, map, i);
}

/* The mapping on the way that NAME in MAP has for part I; it is the only one.
 */
static int check_parent(struct kr_editing *e, const struct kr_yaml_node *map,
                        struct kr_yaml_node *name, size_t i)
{
	struct kr_yaml_node *again = kr_written_find(map, e->path, i, name);
	const struct kr_yaml_node *value = name->next;

	if (again)
		return kr_editing_refuse(e, again->span,
		                         "the name is there twice, it must be "
		                         "there once");
	if (name->target || value->target)
		return kr_editing_refuse(
			e, value->span,
			"name or value come through an alias or a merge "
			"key, they must be written here");
	if (value->anchor)
		return kr_editing_refuse(e, value->span,
		                         kr_written_fixed(value));
	return check_merges(e, map, name, i);
}

static int walk(struct kr_editing *e)
{
	struct kr_yaml_node *map = NULL, *node = e->doc.root, *name = NULL;
	size_t n = e->path->names.n_items;
	int r;

	for (size_t i = 0;; i++) {
		r = kr_written_is_null(node);
		if (r < 0)
			return r;
		if (r > 0 && e->value && e->path->null_counts)
			return kr_editing_refuse(
				e, node->span,
				"the null takes away what another file "
				"has, it must be a mapping");
		if ((r > 0 || (node->kind == KR_YAML_MAPPING && node->flow &&
		               !node->first)))
			return e->value ? fill(e, map, name, node, i)
			                : KR_DOC_DONE;
		if (node->kind != KR_YAML_MAPPING)
			return kr_editing_refuse(e, node->span,
			                         "the value must be a mapping");
		map = node;
		name = kr_written_find(map, e->path, i, NULL);
		if (!name)
			return insert(e, map, i);
		if (i + 1 == n)
			return change_members(e, map, i);
		r = check_parent(e, map, name, i);
		if (r != KR_DOC_DONE)
			return r;
		node = name->next;
	}
}

/* Whether nothing but another document stands in FILE behind byte END. */
static bool ends_well(const struct kr_file *file, size_t end)
{
	const char *rest = file->data + end;

	if (end == file->size)
		return true;
	return (end == 0 || kr_hand_is_line_end(rest[-1])) &&
	       (strncmp(rest, "---", 3) == 0 || strncmp(rest, "...", 3) == 0) &&
	       (!rest[3] || kr_hand_is_blank(rest[3]));
}

int kr_doc_edit(const struct kr_file *file, bool yaml,
                const struct kr_doc_path *path,
                const struct kr_doc_value *value, struct kr_diag *diag,
                struct kr_edits *edits)
{
	_cleanup_tree_ struct kr_tree tree = {0};
	_cleanup_edits_ struct kr_edits found = {0};
	struct kr_editing e = {
		.file = file,
		.yaml = yaml,
		.path = path,
		.value = value,
		.diag = diag,
		.edits = &found,
	};
	int r = kr_written_parse(file, yaml, &tree, diag, &e.doc);

	if (r == KR_MALFORMED || r == -EFBIG)
		return KR_DOC_REFUSED;
	if (r < 0)
		return r;
	if (e.doc.fixed)
		return kr_editing_refuse(&e,
		                         e.doc.root ? e.doc.root->span
		                                    : kr_editing_span(&e, 0, 0),
		                         e.doc.fixed);
	if (e.doc.doubt.file)
		return kr_editing_refuse(&e, e.doc.doubt,
		                         "a tag must end with a blank");
	if (!e.doc.root)
		return kr_editing_refuse(&e, kr_editing_span(&e, 0, 0),
		                         "the file must hold a document");
	if (!ends_well(file, e.doc.end))
		return kr_editing_refuse(
			&e, kr_editing_span(&e, e.doc.end, e.doc.end),
			"nothing but another document must follow the "
			"first");
	r = walk(&e);
	for (size_t i = 0; r == KR_DOC_DONE && i < found.n_files; i++) {
		const struct kr_file_edits *f = &found.files[i];

		for (size_t k = 0; k < f->n_edits && r == KR_DOC_DONE; k++)
			r = kr_edits_add(
				edits,
				kr_editing_span(&e, f->edits[k].offset,
			                        f->edits[k].offset +
			                                f->edits[k].length),
				f->edits[k].text);
	}
	return r;
}
