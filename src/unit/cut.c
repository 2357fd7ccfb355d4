/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is to be cut for a word to go:
 *
 *	lone     the word itself: an assignment stays, with an empty value
 *	first    the word and the blanks behind it, up to the next
 *	others   the word and the blanks before it, back to the one before
 *
 * Continuations are blanks. But all bytes of a cut must be bytes of the value:
 * where a quote or a comment lies between, only the word and the blanks before
 * it on its line go, and a word that itself has such a gap cannot be cut. Nor
 * can one whose cut would make the rest of its line a comment or a quoted
 * value.
 */

#include <string.h>

#include "unit/cut.h"

/* Whether the file's bytes [FROM, TO) are escaped line ends, which environment
 * files drop without a trace. */
static bool is_joint(const struct kr_file *file, size_t from, size_t to)
{
	for (; from < to; from += 2) {
		if (to - from < 2 || file->data[from] != '\\' ||
		    (file->data[from + 1] != '\n' &&
		     file->data[from + 1] != '\r'))
			return false;
	}
	return true;
}

/* Whether the part [START, END) of TEXT is made of all the bytes between its
 * first and its last one. */
static bool is_whole(const struct kr_text *text, size_t start, size_t end,
                     enum kr_variable_source source)
{
	struct kr_origin a, b;

	if (end <= start)
		return false;
	b = kr_text_origin(text, start);
	for (size_t i = start + 1; i < end; i++) {
		size_t a_end = (size_t)b.offset + b.length;

		a = b;
		b = kr_text_origin(text, i);
		if (b.file != a.file)
			return false;
		if (b.offset == a_end ||
		    (b.offset == a.offset && b.length == a.length))
			continue;
		if (source != KR_VARIABLE_FILE || b.offset < a_end ||
		    !is_joint(b.file, a_end, b.offset))
			return false;
	}
	return b.file;
}

static bool is_eol(char c)
{
	return c == '\n' || c == '\r' || c == '\0';
}

/* Whether, without CUT, the rest of its line would be a comment, or the line so
 * empty that its two ends become one. */
static bool spoils_line(struct kr_span cut)
{
	const char *s = cut.file->data;
	size_t start = cut.offset, end = kr_span_end(cut);

	while (start > 0 && kr_cut_is_blank(s[start - 1]))
		start--;
	if (start == 0 || !is_eol(s[start - 1]))
		return false;
	while (end < cut.file->size && kr_cut_is_blank(s[end]))
		end++;
	if (end < cut.file->size && is_eol(s[end]))
		return s[end] != s[start - 1];
	return s[end] == '#' || s[end] == ';';
}

/* Where the blanks before START begin that are on the same line. */
static size_t same_line(const struct kr_text *text, size_t start)
{
	while (start > 0 && kr_cut_is_blank(text->bytes[start - 1])) {
		struct kr_origin here = kr_text_origin(text, start);
		struct kr_origin before = kr_text_origin(text, start - 1);

		if (before.length != 1 || before.file != here.file ||
		    before.offset + 1 != here.offset)
			break;
		start--;
	}
	return start;
}

struct kr_span kr_cut_find(const struct kr_cut *p)
{
	struct kr_span cut;
	size_t start = p->before, end = p->after;

	if (!is_whole(p->text, p->start, p->end, p->source))
		return KR_SPAN_NONE;
	/* an escaped blank that the word before ends in would be stripped */
	if (p->before < p->start && p->before > 0 &&
	    p->end == p->text->length &&
	    kr_cut_is_blank(p->text->bytes[p->before - 1]))
		return KR_SPAN_NONE;
	/* up to the next word: a comment may stand right before it */
	if (!is_whole(p->text, start, end + (end > p->end), p->source)) {
		start = same_line(p->text, p->start);
		end = p->end;
	}
	cut = kr_text_span(p->text, start, end - start);
	return cut.file && spoils_line(cut) ? KR_SPAN_NONE : cut;
}

struct kr_span kr_word_span(const struct kr_unit_word *w)
{
	return w->length > 0
	               ? (struct kr_span){w->from->file, w->start, w->length}
	               : KR_SPAN_NONE;
}

struct kr_span kr_word_cut(const struct kr_unit_word *w)
{
	return w->cut_length > 0 ? (struct kr_span){w->from->cut_file,
	                                            w->cut_start, w->cut_length}
	                         : KR_SPAN_NONE;
}

struct kr_text kr_word_text(const struct kr_unit_word *w)
{
	struct kr_text text = {.bytes = (char *)(uintptr_t)w->text,
	                       .length = w->length,
	                       .n_runs = 1};

	if (w->from->text.bytes)
		return w->from->text;
	if (w->length > 0)
		text.first = (struct kr_origin){w->from->file, w->start, 1};
	else
		text.length = (uint32_t)strlen(w->text);
	return text;
}
