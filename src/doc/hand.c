/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How a file's author writes: names, values, and the members of a mapping.
 *
 * What is added to a file is written as its neighbours are: a name in quotes
 * where theirs are, the colon with their blanks, a line with their indent. A
 * value in YAML has quotes where it would be something else without them for
 * any reader, or where the value that it replaces had some.
 *
 * A mapping in braces shows its hand at its last member; one in block style at
 * its lines. Where there is nothing to go by, it is two blanks a step, and a
 * blank behind the colon.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "doc/hand.h"
#include "doc/yaml-scalar.h"

int kr_editing_refuse(const struct kr_editing *e, struct kr_span span,
                      const char *reason)
{
	kr_diag_add(e->diag, KR_ERROR, "config-edit", span,
	            "no safe edit here: %s", reason);
	return KR_DOC_REFUSED;
}

int kr_editing_add(const struct kr_editing *e, FILE *out, char **text,
                   struct kr_span span)
{
	bool failed = ferror(out);

	if (fclose(out) != 0 || failed)
		return -ENOMEM;
	return kr_edits_add(e->edits, span, *text);
}

static const struct kr_file usual_colon = {.data = (char[]){": "}, .size = 2};
static const struct kr_file usual_unit = {.data = (char[]){"  "}, .size = 2};

struct kr_span kr_hand_usual_colon(void)
{
	return (struct kr_span){&usual_colon, 0, 2};
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
void kr_hand_string(FILE *out, const char *text, char quote)
{
	if (quote == '\'' && is_literal(text))
		fprintf(out, "'%s'", text);
	else if (quote != '"' && is_plain(text))
		fputs(text, out);
	else
		put_quoted(out, text);
}

void kr_hand_value(FILE *out, const struct kr_editing *e, struct kr_span colon)
{
	const struct kr_doc_value *v = e->value;
	bool tight =
		!kr_hand_is_blank(colon.file->data[kr_span_end(colon) - 1]);
	char quote = e->yaml ? '\0' : '"';

	if (v->type == KR_DOC_WORD) {
		fputs(v->text, out);
	} else if (v->type == KR_DOC_STRING) {
		kr_hand_string(out, v->text, quote);
	} else {
		fputc('[', out);
		for (size_t i = 0; i < v->list->n_items; i++) {
			fputs(i == 0 ? "" : tight ? "," : ", ", out);
			kr_hand_string(out, v->list->items[i], quote);
		}
		fputc(']', out);
	}
}

/* --- the hand of a mapping ----------------------------------------------- */

struct kr_span kr_hand_blanks_before(const struct kr_editing *e, size_t offset)
{
	size_t start = offset;

	while (start > 0 && kr_hand_is_blank(e->file->data[start - 1]))
		start--;
	return kr_editing_span(e, start, offset);
}

/* The last line end in BLANKS and what stands behind it; no file: none. */
struct kr_span kr_hand_last_line(struct kr_span blanks)
{
	const char *s = blanks.file->data;
	size_t end = kr_span_end(blanks), at = end;

	while (at > blanks.offset && !kr_hand_is_line_end(s[at - 1]))
		at--;
	if (at == blanks.offset)
		return KR_SPAN_NONE;
	at -= at - 1 > blanks.offset && s[at - 1] == '\n' && s[at - 2] == '\r';
	at--;
	return (struct kr_span){blanks.file, at, end - at};
}

struct kr_span kr_hand_without_line_end(struct kr_span line)
{
	while (line.length > 0 &&
	       kr_hand_is_line_end(line.file->data[line.offset])) {
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
static struct kr_span colon_of(const struct kr_editing *e,
                               const struct kr_yaml_node *name)
{
	const struct kr_span other = kr_hand_usual_colon();
	size_t start = kr_span_end(name->span), n_colons = 0;
	const char *s = e->file->data;
	struct kr_span span;

	if (name->next->span.offset <= start)
		return other;
	span = kr_editing_span(e, start, name->next->span.offset);
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

struct kr_yaml_node *kr_hand_last_name(const struct kr_yaml_node *map)
{
	struct kr_yaml_node *name = map->first;

	while (name && name->next->next)
		name = name->next->next;
	return name;
}

/* How much further in than MAP's closing brace its members stand. */
static struct kr_span unit_of_flow(const struct kr_editing *e,
                                   const struct kr_yaml_node *map,
                                   struct kr_span line)
{
	const struct kr_span other = {&usual_unit, 0, 2};
	size_t brace = kr_span_end(map->span) - 1;
	struct kr_span outer =
		kr_hand_last_line(kr_hand_blanks_before(e, brace));

	if (!line.file || !outer.file)
		return other;
	line = kr_hand_without_line_end(line);
	outer = kr_hand_without_line_end(outer);
	if (line.length <= outer.length)
		return other;
	line.offset += outer.length;
	line.length -= outer.length;
	return line;
}

/* The same of the first block mapping that is in the one at the top. */
static struct kr_span unit_of_block(const struct kr_editing *e)
{
	const struct kr_yaml_node *root = e->doc.root, *name;
	struct kr_span outer, inner;

	for (name = root->first; name; name = name->next->next) {
		const struct kr_yaml_node *map = name->next;

		if (map->kind != KR_YAML_MAPPING || map->flow || !map->first)
			continue;
		outer = kr_hand_last_line(
			kr_hand_blanks_before(e, name->span.offset));
		inner = kr_hand_last_line(
			kr_hand_blanks_before(e, map->first->span.offset));
		if (!inner.file)
			continue;
		inner = kr_hand_without_line_end(inner);
		outer = outer.file ? kr_hand_without_line_end(outer)
		                   : (struct kr_span){e->file, 0, 0};
		if (inner.length <= outer.length)
			continue;
		inner.length -= outer.length;
		return inner;
	}
	return (struct kr_span){&usual_unit, 0, 2};
}

struct kr_hand kr_hand_of(const struct kr_editing *e,
                          const struct kr_yaml_node *map,
                          const struct kr_yaml_node *name)
{
	struct kr_hand hand = {
		.quoted = !e->yaml,
		.flow = !name || map->flow,
		.colon = kr_hand_usual_colon(),
		.unit = {&usual_unit, 0, 2},
	};

	if (name && map->flow) {
		hand.quoted = is_quoted(name->span);
		hand.colon = colon_of(e, name);
		hand.line = kr_hand_last_line(
			kr_hand_blanks_before(e, name->span.offset));
		hand.unit = unit_of_flow(e, map, hand.line);
	} else if (name) {
		hand.unit = unit_of_block(e);
	}
	return hand;
}

void kr_hand_steps(FILE *out, struct kr_span unit, size_t n)
{
	for (size_t i = 0; i < n; i++)
		kr_hand_put(out, unit);
}

void kr_hand_name(FILE *out, const struct kr_editing *e,
                  const struct kr_hand *hand, size_t i)
{
	if (hand->quoted)
		put_quoted(out, e->path->names.items[i]);
	else
		kr_hand_string(out, e->path->names.items[i], '\0');
}

/* --- lines --------------------------------------------------------------- */

const char *kr_hand_line_end(const struct kr_file *file)
{
	const char *lf = memchr(file->data, '\n', file->size);

	if (!lf)
		return memchr(file->data, '\r', file->size) ? "\r" : "\n";
	return lf > file->data && lf[-1] == '\r' ? "\r\n" : "\n";
}

bool kr_hand_indent_of(const struct kr_editing *e,
                       const struct kr_yaml_node *name, struct kr_span *ret)
{
	size_t end = name->span.offset, start = end;
	size_t behind = kr_span_end(name->span);
	const char *s = e->file->data;

	while (start > 0 && s[start - 1] == ' ')
		start--;
	*ret = kr_editing_span(e, start, end);
	if (s[behind + strspn(s + behind, " \t")] != ':')
		return false;
	if (start == 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		return true;
	return start == 0 || kr_hand_is_line_end(s[start - 1]);
}

bool kr_hand_line_behind(const struct kr_editing *e,
                         const struct kr_yaml_node *name, size_t *ret)
{
	const char *s = e->file->data;
	size_t at = kr_written_member_end(name);

	if (at == 0 || !kr_hand_is_line_end(s[at - 1])) {
		at += strspn(s + at, " \t");
		/* of a name without a value */
		if (at == name->next->span.offset && s[at] == ':')
			at++;
		at += strspn(s + at, " \t");
		if (s[at] == '#')
			while (at < e->file->size &&
			       !kr_hand_is_line_end(s[at]))
				at++;
		if (at < e->file->size && !kr_hand_is_line_end(s[at]))
			return false;
		at += s[at] == '\r';
		at += s[at] == '\n';
	}
	*ret = at;
	return true;
}

bool kr_hand_is_open_ended(const struct kr_yaml_node *name)
{
	const struct kr_yaml_node *value = name->next;

	while (value->last && !value->flow)
		value = value->last;
	return value->block;
}
