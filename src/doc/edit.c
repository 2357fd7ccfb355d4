/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The edit that makes a member say what it should, in the file's own hand.
 *
 * A value that is there is exchanged, byte for byte and nothing around it; all
 * of several are, so that no reader can find another one. A member that is not
 * there is put behind the last one of its mapping, with the blanks that stand
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
 *
 * What a merge key brings is written at another place, and may be wanted there:
 * it is left alone. A member of the mapping itself that stands behind it
 * overrides it, so that is changed, or put there where it is missing:
 *
 *	<<: *defaults   <<: *defaults
 *	                key: true
 *
 * A member that goes takes its line or its comma with it; the last one of a
 * mapping leaves {}, since nothing at all would be a null.
 *
 * No edit where its effect could not be told from the bytes: values that come
 * from an anchor, or from a merge key behind the member or in the place of a
 * mapping on the way; a mapping on the way that is there twice (of which
 * readers make one, or take the last); an encoding other than UTF-8; comments
 * inside of what would have to be written anew.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "doc/edit.h"
#include "doc/yaml-scalar.h"

#define NODES_MAX ((size_t)1000) /* that are looked at for merge keys */
#define MERGE_MAX 50             /* merge keys in merge keys */

struct edit {
	const struct kr_file *file;
	bool yaml;
	const struct kr_doc_path *path;
	const struct kr_doc_value *value;
	struct kr_yaml_document doc;
	size_t n_looked;
	struct kr_diag *diag;
	struct kr_edits *edits;
};

/* How a mapping's members are written. */
struct hand {
	bool quoted;          /* names are, as all are in JSON */
	bool flow;            /* it has braces */
	struct kr_span colon; /* between a name and its value */
	/* what a line of members starts with, with the end of the line before
	 * it; no file: they stand on one line */
	struct kr_span line;
	struct kr_span unit; /* the blanks that one more step in takes */
};

static const struct kr_file usual_colon = {.data = (char[]){": "}, .size = 2};
static const struct kr_file usual_unit = {.data = (char[]){"  "}, .size = 2};

static int refuse(const struct edit *e, struct kr_span span, const char *reason)
{
	kr_diag_add(e->diag, KR_ERROR, "config-edit", span,
	            "no safe edit here: %s", reason);
	return KR_DOC_REFUSED;
}

static bool is_blank(char c)
{
	return c && strchr(" \t\r\n", c);
}

static bool is_line_end(char c)
{
	return c == '\r' || c == '\n';
}

static struct kr_span span_of(const struct edit *e, size_t start, size_t end)
{
	return (struct kr_span){e->file, start, end - start};
}

static void put(FILE *out, struct kr_span span)
{
	fwrite(span.file->data + span.offset, 1, span.length, out);
}

/* --- values -------------------------------------------------------------- */

/* Whether YAML takes TEXT without quotes for the string that it is, in every
 * place and for every reader. */
static bool is_plain(const char *text)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char others[] = "0123456789_./+-";
	char number[KR_YAML_NUMBER_SIZE];
	enum kr_yaml_type type;
	size_t n = 0;

	while (text[n] && (strchr(letters, text[n]) || strchr(others, text[n])))
		n++;
	if (n == 0 || text[n] || !strpbrk(text, letters) ||
	    strchr("-+.", text[0]))
		return false;
	return kr_yaml_resolve(NULL, text, n, &type, number) == 0 &&
	       type == KR_YAML_STRING;
}

/* The character at S, where it is one of two or three bytes; else its byte. */
static unsigned rune_at(const unsigned char *s, size_t length)
{
	if (length == 2)
		return (s[0] & 0x1fU) << 6 | (s[1] & 0x3fU);
	if (length == 3)
		return (s[0] & 0xfU) << 12 | (s[1] & 0x3fU) << 6 |
		       (s[2] & 0x3fU);
	return *s;
}

/* Whether YAML takes a character for the end of a line, for a mark, or for
 * none. */
static bool is_special(unsigned rune)
{
	return rune < 0x20 || (rune >= 0x7f && rune < 0xa0) || rune == 0x2028 ||
	       rune == 0x2029 || rune == 0xfeff || rune == 0xfffe ||
	       rune == 0xffff;
}

/* In JSON's quotes, which are YAML's, too. */
static void put_quoted(FILE *out, const char *text)
{
	size_t left = strlen(text), length;

	fputc('"', out);
	for (; left > 0; text += length, left -= length) {
		unsigned rune;

		length = kr_utf8_length_at(text, left);
		length = length > 0 ? length : 1;
		rune = rune_at((const unsigned char *)text, length);
		if (length < 4 && is_special(rune))
			fprintf(out, "\\u%04x", rune);
		else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else
			fwrite(text, 1, length, out);
	}
	fputc('"', out);
}

/* Whether TEXT can stand in single quotes, in which nothing is escaped. */
static bool is_literal(const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == '\'' || c > 0x7e)
			return false;
	}
	return true;
}

/* QUOTE: as the text before it was; '\0': as it must be. */
static void put_string(FILE *out, const char *text, char quote)
{
	if (quote == '\'' && is_literal(text))
		fprintf(out, "'%s'", text);
	else if (quote != '"' && is_plain(text))
		fputs(text, out);
	else
		put_quoted(out, text);
}

static void put_value(FILE *out, const struct edit *e, struct kr_span colon)
{
	const struct kr_doc_value *v = e->value;
	bool tight = !is_blank(colon.file->data[kr_span_end(colon) - 1]);
	char quote = e->yaml ? '\0' : '"';

	if (v->type == KR_DOC_WORD) {
		fputs(v->text, out);
	} else if (v->type == KR_DOC_STRING) {
		put_string(out, v->text, quote);
	} else {
		fputc('[', out);
		for (size_t i = 0; i < v->list->n_items; i++) {
			fputs(i == 0 ? "" : tight ? "," : ", ", out);
			put_string(out, v->list->items[i], quote);
		}
		fputc(']', out);
	}
}

/* --- the hand of a mapping ----------------------------------------------- */

/* The blanks before byte OFFSET. */
static struct kr_span blanks_before(const struct edit *e, size_t offset)
{
	size_t start = offset;

	while (start > 0 && is_blank(e->file->data[start - 1]))
		start--;
	return span_of(e, start, offset);
}

/* The last line end in BLANKS and what stands behind it; no file: none is. */
static struct kr_span last_line(struct kr_span blanks)
{
	const char *s = blanks.file->data;
	size_t end = kr_span_end(blanks), at = end;

	while (at > blanks.offset && !is_line_end(s[at - 1]))
		at--;
	if (at == blanks.offset)
		return KR_SPAN_NONE;
	at -= at - 1 > blanks.offset && s[at - 1] == '\n' && s[at - 2] == '\r';
	at--;
	return (struct kr_span){blanks.file, at, end - at};
}

static struct kr_span without_line_end(struct kr_span line)
{
	while (line.length > 0 && is_line_end(line.file->data[line.offset])) {
		line.offset++;
		line.length--;
	}
	return line;
}

/* Whether a name in the file is written in double quotes. */
static bool is_quoted(struct kr_span name)
{
	const char *s = name.file->data + name.offset;

	return name.length > 1 && s[0] == '"';
}

/* What stands between a name and its value, if that is no more than a colon and
 * blanks of one line; else what YAML and people are content with. */
static struct kr_span colon_of(const struct edit *e,
                               const struct kr_yaml_node *name)
{
	const struct kr_span other = {&usual_colon, 0, 2};
	size_t start = kr_span_end(name->span), n_colons = 0;
	const char *s = e->file->data;
	struct kr_span span;

	if (name->next->span.offset <= start)
		return other;
	span = span_of(e, start, name->next->span.offset);
	for (size_t i = start; i < kr_span_end(span); i++) {
		n_colons += s[i] == ':';
		if (!s[i] || !strchr(": \t", s[i]))
			return other;
	}
	/* a plain name's colon needs a blank behind it */
	if (n_colons != 1 ||
	    (!is_quoted(name->span) && s[kr_span_end(span) - 1] == ':'))
		return other;
	return span;
}

static struct kr_yaml_node *last_name(const struct kr_yaml_node *map)
{
	struct kr_yaml_node *name = map->first;

	while (name && name->next->next)
		name = name->next->next;
	return name;
}

/* How much further in than MAP's closing brace its members stand. */
static struct kr_span unit_of_flow(const struct edit *e,
                                   const struct kr_yaml_node *map,
                                   struct kr_span line)
{
	const struct kr_span other = {&usual_unit, 0, 2};
	size_t brace = kr_span_end(map->span) - 1;
	struct kr_span outer = last_line(blanks_before(e, brace));

	if (!line.file || !outer.file)
		return other;
	line = without_line_end(line);
	outer = without_line_end(outer);
	if (line.length <= outer.length)
		return other;
	line.offset += outer.length;
	line.length -= outer.length;
	return line;
}

/* The same of the first block mapping that is in the one at the top. */
static struct kr_span unit_of_block(const struct edit *e)
{
	const struct kr_yaml_node *root = e->doc.root, *name;
	struct kr_span outer, inner;

	for (name = root->first; name; name = name->next->next) {
		const struct kr_yaml_node *map = name->next;

		if (map->kind != KR_YAML_MAPPING || map->flow || !map->first)
			continue;
		outer = last_line(blanks_before(e, name->span.offset));
		inner = last_line(blanks_before(e, map->first->span.offset));
		if (!inner.file)
			continue;
		inner = without_line_end(inner);
		outer = outer.file ? without_line_end(outer)
		                   : (struct kr_span){e->file, 0, 0};
		if (inner.length <= outer.length)
			continue;
		inner.length -= outer.length;
		return inner;
	}
	return (struct kr_span){&usual_unit, 0, 2};
}

/* MAP's hand at its member NAME; NULL: the document alone is there. */
static struct hand hand_of(const struct edit *e, const struct kr_yaml_node *map,
                           const struct kr_yaml_node *name)
{
	struct hand hand = {
		.quoted = !e->yaml,
		.flow = !name || map->flow,
		.colon = {&usual_colon, 0, 2},
		.unit = {&usual_unit, 0, 2},
	};

	if (name && map->flow) {
		hand.quoted = is_quoted(name->span);
		hand.colon = colon_of(e, name);
		hand.line = last_line(blanks_before(e, name->span.offset));
		hand.unit = unit_of_flow(e, map, hand.line);
	} else if (name) {
		hand.unit = unit_of_block(e);
	}
	return hand;
}

/* --- a member that is not there ------------------------------------------ */

static void put_steps(FILE *out, struct kr_span unit, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put(out, unit);
}

static void put_name(FILE *out, const struct edit *e, const struct hand *hand,
                     size_t i)
{
	if (hand->quoted)
		put_quoted(out, e->path->names.items[i]);
	else
		put_string(out, e->path->names.items[i], '\0');
}

/* A new line of members, N steps further in than HAND's. */
static void put_line(FILE *out, const struct hand *hand, size_t n)
{
	if (!hand->line.file)
		return;
	put(out, hand->line);
	put_steps(out, hand->unit, n);
}

/* The names from I on and the value, in flow style; BRACES: with some around
 * the first name, too. */
static void put_flow(FILE *out, const struct edit *e, const struct hand *hand,
                     size_t i, bool braces)
{
	size_t n = e->path->names.n_items, n_open = 0;

	for (; i < n; i++, braces = true) {
		if (braces) {
			fputc('{', out);
			put_line(out, hand, ++n_open);
		}
		put_name(out, e, hand, i);
		put(out, hand->colon);
	}
	put_value(out, e, hand->colon);
	while (n_open > 0) {
		put_line(out, hand, --n_open);
		fputc('}', out);
	}
}

/* An edit of what was written to OUT, which opened TEXT. */
static int add(const struct edit *e, FILE *out, char **text,
               struct kr_span span)
{
	bool failed = ferror(out);

	if (fclose(out) != 0 || failed)
		return -ENOMEM;
	return kr_edits_add(e->edits, span, *text);
}

static int insert_flow(const struct edit *e, const struct kr_yaml_node *map,
                       size_t i)
{
	const struct kr_yaml_node *name = last_name(map);
	struct hand hand = hand_of(e, map, name);
	size_t end = kr_written_member_end(name);
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	fputc(',', out);
	put(out, blanks_before(e, name->span.offset));
	put_flow(out, e, &hand, i, false);
	return add(e, out, &text, span_of(e, end, end));
}

/* A null or an empty {} becomes a mapping with the names from I on; NAME is
 * that of this value in MAP, NULL: it is the document. */
static int fill(const struct edit *e, const struct kr_yaml_node *map,
                const struct kr_yaml_node *name,
                const struct kr_yaml_node *value, size_t i)
{
	struct hand hand = hand_of(e, map, name);
	const char *s = e->file->data;
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out;

	if (kr_written_fixed(value))
		return refuse(e, value->span, kr_written_fixed(value));
	for (size_t k = value->span.offset + 1;
	     value->flow && k + 1 < kr_span_end(value->span); k++) {
		if (!is_blank(s[k]))
			return refuse(e, value->span,
			              "the braces would have to be empty");
	}
	out = open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	if (value->span.length == 0)
		fputc(' ', out);
	put_flow(out, e, &hand, i, true);
	return add(e, out, &text, value->span);
}

/* How the file ends its lines. */
static const char *line_end(const struct kr_file *file)
{
	const char *lf = memchr(file->data, '\n', file->size);

	if (!lf)
		return memchr(file->data, '\r', file->size) ? "\r" : "\n";
	return lf > file->data && lf[-1] == '\r' ? "\r\n" : "\n";
}

/* The blanks that the name's line starts with; false: something else stands
 * before it, or it is one of "?", whose colon has a line of its own. */
static bool indent_of(const struct edit *e, const struct kr_yaml_node *name,
                      struct kr_span *ret)
{
	size_t end = name->span.offset, start = end;
	size_t behind = kr_span_end(name->span);
	const char *s = e->file->data;

	while (start > 0 && s[start - 1] == ' ')
		start--;
	*ret = span_of(e, start, end);
	if (s[behind + strspn(s + behind, " \t")] != ':')
		return false;
	if (start == 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		return true;
	return start == 0 || is_line_end(s[start - 1]);
}

/* The start of the line behind the one that the member NAME ends in, or the
 * file's end. False: something else than a comment stands in between. */
static bool line_behind(const struct edit *e, const struct kr_yaml_node *name,
                        size_t *ret)
{
	const char *s = e->file->data;
	size_t at = kr_written_member_end(name);

	if (at == 0 || !is_line_end(s[at - 1])) {
		at += strspn(s + at, " \t");
		/* of a name without a value */
		if (at == name->next->span.offset && s[at] == ':')
			at++;
		at += strspn(s + at, " \t");
		if (s[at] == '#')
			while (at < e->file->size && !is_line_end(s[at]))
				at++;
		if (at < e->file->size && !is_line_end(s[at]))
			return false;
		at += s[at] == '\r';
		at += s[at] == '\n';
	}
	*ret = at;
	return true;
}

static bool is_open_ended(const struct kr_yaml_node *name)
{
	const struct kr_yaml_node *value = name->next;

	while (value->last && !value->flow)
		value = value->last;
	return value->block;
}

/* Where lines can be added to the block mapping MAP. */
static int place_of(const struct edit *e, const struct kr_yaml_node *map,
                    const struct kr_yaml_node *name, struct kr_span *ret)
{
	size_t at = e->doc.end;
	bool at_line;

	if (map != e->doc.root && !line_behind(e, name, &at))
		return refuse(e, name->next->span,
		              "the value would have to be the last of its "
		              "line");
	at_line = at > 0 && is_line_end(e->file->data[at - 1]);
	if (!at_line && is_open_ended(name))
		return refuse(e, name->next->span,
		              "the block scalar would have to end with a line "
		              "end");
	*ret = span_of(e, at, at);
	if (!at_line && at < e->file->size)
		return refuse(e, *ret,
		              "the document would have to end at the start of "
		              "a line");
	return KR_DOC_DONE;
}

/* The names from I on and the value, as lines. */
static void put_block(FILE *out, const struct edit *e, struct kr_span indent,
                      const struct hand *hand, size_t i)
{
	const struct kr_doc_value *v = e->value;
	const char *end = line_end(e->file);
	size_t n = e->path->names.n_items;

	for (size_t k = i; k < n; k++) {
		if (k > i)
			fputs(end, out);
		put(out, indent);
		put_steps(out, hand->unit, k - i);
		put_name(out, e, hand, k);
		fputc(':', out);
	}
	if (v->type != KR_DOC_LIST || v->list->n_items == 0) {
		fputc(' ', out);
		put_value(out, e, hand->colon);
		return;
	}
	for (size_t k = 0; k < v->list->n_items; k++) {
		fputs(end, out);
		put(out, indent);
		put_steps(out, hand->unit, n - i);
		fputs("- ", out);
		put_string(out, v->list->items[k], '\0');
	}
}

static int insert_block(const struct edit *e, const struct kr_yaml_node *map,
                        size_t i)
{
	const struct kr_yaml_node *name = last_name(map);
	struct hand hand = hand_of(e, map, name);
	struct kr_span place, indent;
	_cleanup_free_ char *text = NULL;
	bool at_line;
	size_t size;
	FILE *out;
	int r;

	if (!indent_of(e, name, &indent))
		return refuse(e, name->span,
		              "the last name would have to start its line");
	r = place_of(e, map, name, &place);
	if (r != KR_DOC_DONE)
		return r;
	at_line = place.offset > 0 &&
	          is_line_end(e->file->data[place.offset - 1]);
	out = open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	fputs(at_line ? "" : line_end(e->file), out);
	put_block(out, e, indent, &hand, i);
	fputs(at_line ? line_end(e->file) : "", out);
	return add(e, out, &text, place);
}

/* --- a value that is there ----------------------------------------------- */

/* libyaml takes "x"# for a text and a comment; without quotes it is one text */
static const char tight_comment[] =
	"a blank would have to stand before the comment";

/* Whether all that stands between A and B is blank, but for N_MARKS times MARK.
 */
static bool is_only(const struct edit *e, size_t a, size_t b, char mark,
                    size_t n_marks)
{
	size_t n = 0;

	for (; a < b; a++) {
		if (e->file->data[a] == mark)
			n++;
		else if (!is_blank(e->file->data[a]))
			return false;
	}
	return n == n_marks;
}

/* Whether LIST is items alone, no comments and anchors: TAIL is where the last
 * one ends. */
static bool is_bare(const struct edit *e, const struct kr_yaml_node *list,
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
	return !list->anchor && !list->tag && is_only(e, *tail, end, mark, 0);
}

/* What stands between two items of LIST. */
static void put_between(FILE *out, const struct edit *e,
                        const struct kr_yaml_node *list, struct kr_span lead)
{
	const struct kr_yaml_node *first = list->first;

	if (first->next) {
		put(out, span_of(e, kr_span_end(first->span),
		                 first->next->span.offset));
	} else if (list->flow) {
		fputs(e->yaml && lead.length == 1 ? ", " : ",", out);
		lead.offset++;
		lead.length--;
		put(out, lead);
	} else {
		fputs(line_end(e->file), out);
		put(out, without_line_end(last_line(
				 blanks_before(e, list->span.offset))));
		put(out, lead);
	}
}

static int replace_list(const struct edit *e, const struct kr_yaml_node *list)
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
		return refuse(e, list->span,
		              "the list would have to hold plain words, and "
		              "no comments");
	if (!list->flow && items->n_items == 0)
		return refuse(e, list->span,
		              "the list would have to be in brackets to "
		              "become empty");
	if (e->file->data[tail] == '#')
		return refuse(e, list->span, tight_comment);
	out = open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	if (!first || items->n_items == 0) {
		put_value(out, e, (struct kr_span){&usual_colon, 0, 2});
		return add(e, out, &text, list->span);
	}
	lead = span_of(e, list->span.offset, first->span.offset);
	put(out, lead);
	for (size_t i = 0; i < items->n_items; i++) {
		if (i > 0)
			put_between(out, e, list, lead);
		put_string(out, items->items[i],
		           e->yaml ? e->file->data[first->span.offset] : '"');
	}
	put(out, span_of(e, tail, end));
	return add(e, out, &text, span_of(e, list->span.offset, end));
}

static int replace(const struct edit *e, const struct kr_yaml_node *name)
{
	const struct kr_yaml_node *node = name->next;
	const char *first = e->file->data + node->span.offset;
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out;

	if (kr_written_fixed(node))
		return refuse(e, node->span, kr_written_fixed(node));
	if (node->kind == KR_YAML_SEQUENCE && e->value->type == KR_DOC_LIST)
		return replace_list(e, node);
	if (node->kind != KR_YAML_SCALAR)
		return refuse(e, node->span,
		              "the value holds others; it would have to be a "
		              "plain word to be exchanged");
	if (e->file->data[kr_span_end(node->span)] == '#')
		return refuse(e, node->span, tight_comment);
	out = open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	if (node->span.length == 0)
		fputc(' ', out);
	if (e->yaml && e->value->type == KR_DOC_STRING && !node->tag &&
	    node->span.length > 0)
		put_string(out, e->value->text, *first);
	else
		put_value(out, e, (struct kr_span){&usual_colon, 0, 2});
	return add(e, out, &text, node->span);
}

/* --- a member that goes -------------------------------------------------- */

static int cut_flow(const struct edit *e, const struct kr_yaml_node *map,
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
			return refuse(e, name->span,
			              "no comment would have to follow");
		end = after->span.offset;
	} else if (!is_only(e, start, name->span.offset, ',', before != NULL)) {
		return refuse(e, name->span,
		              "no comment would have to precede");
	}
	if (!before && !after) {
		size_t brace = kr_span_end(map->span) - 1;

		if (!is_only(e, end, brace, ',', 0) &&
		    !is_only(e, end, brace, ',', 1))
			return refuse(e, name->span,
			              "no comment would have to follow");
		end = brace;
	}
	return kr_edits_add(e->edits, span_of(e, start, end), "");
}

static int cut(const struct edit *e, const struct kr_yaml_node *map,
               const struct kr_yaml_node *before,
               const struct kr_yaml_node *name)
{
	size_t start = name->span.offset, end = kr_written_member_end(name);
	struct kr_span indent;

	if (e->yaml && memchr(e->file->data + start, '&', end - start))
		return refuse(e, name->span,
		              "the member would have to be free of anchors");
	if (map->flow)
		return cut_flow(e, map, before, name);
	if (!indent_of(e, name, &indent) || !line_behind(e, name, &end))
		return refuse(e, name->span,
		              "the member would have to have its lines for "
		              "itself");
	if (before || name->next->next)
		return kr_edits_add(e->edits, span_of(e, indent.offset, end),
		                    "");
	end = kr_written_member_end(name);
	if (is_open_ended(name))
		return refuse(e, name->next->span,
		              "the last member would have to be no block "
		              "scalar");
	return kr_edits_add(e->edits, span_of(e, start, end), "{}");
}

/* --- the way there ------------------------------------------------------- */

/* Whether the merge key's VALUE brings part I of the path, and, of the last
 * part, what it brings does not say the value. Where there is too much to look
 * at it does. >0, 0, -ENOMEM. */
static int brings(struct edit *e, const struct kr_yaml_node *value, size_t i,
                  unsigned depth)
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
static int check_merges(struct edit *e, const struct kr_yaml_node *map,
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
			return refuse(e, name->span,
			              "name or value come through an alias or "
			              "a merge key, they would have to be "
			              "written here");
	}
	return KR_DOC_DONE;
}

/* The members NAME in MAP, of which there is one at least. */
static int change_members(struct edit *e, const struct kr_yaml_node *map,
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
			return refuse(e, name->next->span,
			              "name or value come through an alias or "
			              "a merge key, they would have to be "
			              "written here");
	}
	r = check_merges(e, map, e->value ? last : NULL, i);
	if (r != KR_DOC_DONE)
		return r;
	if (!e->value && n > 1)
		return refuse(e, last->span,
		              "the name would have to be there once");
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

static int insert(struct edit *e, const struct kr_yaml_node *map, size_t i)
{
	int r = KR_DOC_DONE;

	/* a mapping that stands here undoes all of one that is merged */
	if (i + 1 < e->path->names.n_items || !e->value)
		r = check_merges(e, map, NULL, i);
	if (r != KR_DOC_DONE || !e->value)
		return r;
	return map->flow ? insert_flow(e, map, i) : insert_block(e, map, i);
}

/* The mapping on the way that NAME in MAP has for part I; it is the only one.
 */
static int check_parent(struct edit *e, const struct kr_yaml_node *map,
                        struct kr_yaml_node *name, size_t i)
{
	struct kr_yaml_node *again = kr_written_find(map, e->path, i, name);
	const struct kr_yaml_node *value = name->next;

	if (again)
		return refuse(e, again->span,
		              "the name is there twice, it would have to be "
		              "there once");
	if (name->target || value->target)
		return refuse(e, value->span,
		              "name or value come through an alias or a merge "
		              "key, they would have to be written here");
	if (value->anchor)
		return refuse(e, value->span, kr_written_fixed(value));
	return check_merges(e, map, name, i);
}

static int walk(struct edit *e)
{
	struct kr_yaml_node *map = NULL, *node = e->doc.root, *name = NULL;
	size_t n = e->path->names.n_items;
	int r;

	for (size_t i = 0;; i++) {
		r = kr_written_is_null(node);
		if (r < 0)
			return r;
		if (r > 0 && e->value && e->path->null_counts)
			return refuse(e, node->span,
			              "the null takes away what another file "
			              "has, it would have to be a mapping");
		if ((r > 0 || (node->kind == KR_YAML_MAPPING && node->flow &&
		               !node->first)))
			return e->value ? fill(e, map, name, node, i)
			                : KR_DOC_DONE;
		if (node->kind != KR_YAML_MAPPING)
			return refuse(e, node->span,
			              "the value would have to be a mapping");
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

int kr_doc_edit(const struct kr_file *file, bool yaml,
                const struct kr_doc_path *path,
                const struct kr_doc_value *value, struct kr_diag *diag,
                struct kr_edits *edits)
{
	_cleanup_tree_ struct kr_tree tree = {0};
	_cleanup_edits_ struct kr_edits found = {0};
	struct edit e = {
		.file = file,
		.yaml = yaml,
		.path = path,
		.value = value,
		.diag = diag,
		.edits = &found,
	};
	int r = kr_written_parse(file, yaml, &tree, diag, &e.doc);

	if (r == -EBADMSG || r == -EFBIG)
		return KR_DOC_REFUSED;
	if (r < 0)
		return r;
	if (e.doc.fixed)
		return refuse(&e,
		              e.doc.root ? e.doc.root->span : span_of(&e, 0, 0),
		              e.doc.fixed);
	if (e.doc.doubt.file)
		return refuse(&e, e.doc.doubt,
		              "a tag would have to end with a blank");
	if (!e.doc.root)
		return refuse(&e, span_of(&e, 0, 0),
		              "the file would have to hold a document");
	r = walk(&e);
	for (size_t i = 0; r == KR_DOC_DONE && i < found.n_files; i++) {
		const struct kr_file_edits *f = &found.files[i];

		for (size_t k = 0; k < f->n_edits && r == KR_DOC_DONE; k++)
			r = kr_edits_add(edits,
			                 span_of(&e, f->edits[k].offset,
			                         f->edits[k].offset +
			                                 f->edits[k].length),
			                 f->edits[k].text);
	}
	return r;
}
