/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Places in files on a terminal, after the model of clang's diagnostics.
 *
 * Columns of a file are bytes, those of a terminal are characters: a UTF-8
 * sequence counts as one there. What could move the cursor or turn the text's
 * direction is shown escaped (base/utf8), and a caret goes by what is shown.
 */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "report/term.h"

static const char *const colors[] = {
	[KR_COLOR_GOOD] = "\033[1;32m", [KR_COLOR_BAD] = "\033[1;31m",
	[KR_COLOR_WARN] = "\033[1;35m", [KR_COLOR_PLACE] = "\033[1;36m",
	[KR_COLOR_DIM] = "\033[2m",
};

static_assert(ARRAY_SIZE(colors) == _KR_COLOR_MAX, "a code for each colour");

void kr_term_begin(const struct kr_term *term, enum kr_color color)
{
	if (term->color)
		fputs(colors[color], term->out);
}

void kr_term_end(const struct kr_term *term)
{
	if (term->color)
		fputs("\033[0m", term->out);
}

void kr_term_color(const struct kr_term *term, enum kr_color color,
                   const char *format, ...)
{
	va_list args;

	kr_term_begin(term, color);
	va_start(args, format);
	vfprintf(term->out, format, args);
	va_end(args);
	kr_term_end(term);
}

/* --- snippets ------------------------------------------------------------ */

#define ROOM_MIN 8  /* so that 20 columns are enough */
#define GUTTER   10 /* "     2 | " and one to spare */

/* Where there is no terminal, a line is shown whole, unless it is one that
 * nobody wrote by hand. */
#define WIDE_MAX 2000

static bool starts_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

static size_t characters(const char *s, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += starts_character(s[i]);
	return n;
}

static void print_bytes(FILE *out, const char *s, size_t size)
{
	char shown[KR_UTF8_SHOWN_SIZE];

	for (size_t i = 0; i < size;) {
		i += kr_utf8_show(s + i, size - i, shown);
		fputs(shown, out);
	}
}

void kr_term_text(const struct kr_term *term, const char *text)
{
	print_bytes(term->out, text, strlen(text));
}

void kr_term_bytes(const struct kr_term *term, const char *bytes, size_t size)
{
	print_bytes(term->out, bytes, size);
}

void kr_term_row(const struct kr_term *term, const char *label,
                 const char *text)
{
	fputs(label, term->out);
	kr_term_text(term, text);
	fputc('\n', term->out);
}

void kr_term_headline(const struct kr_term *term, enum kr_color color,
                      const char *word, const char *reason)
{
	kr_term_color(term, color, "%s", word);
	kr_term_row(term, "  ", reason);
}

struct window {
	size_t start, end; /* bytes of the line that are shown */
};

/* What is shown of a line of SIZE bytes, so that [AT, AT + LENGTH) is in it. */
static struct window choose_window(const char *source, size_t size, size_t at,
                                   size_t length, unsigned width)
{
	struct window w = {0, size};
	size_t room, before;

	if (width == 0)
		width = WIDE_MAX;
	if (characters(source, size) + GUTTER <= width)
		return w;
	room = width > GUTTER + 2 + ROOM_MIN ? width - GUTTER - 2 /* two "…" */
	                                     : ROOM_MIN;
	if (room >= size)
		return w;
	if (length > room)
		length = room;
	before = (room - length) / 2;
	w.start = at > before ? at - before : 0;
	w.end = w.start + room < size ? w.start + room : size;
	if (w.end == size)
		w.start = size - room;
	while (w.start > 0 && !starts_character(source[w.start]))
		w.start--;
	while (w.end < size && !starts_character(source[w.end]))
		w.end--;
	return w;
}

/* The line LINE, shown as SHOWN, with a caret under the LENGTH bytes of SHOWN
 * from AT on. */
static void print_shown(const struct kr_term *term, unsigned line,
                        const char *shown, size_t at, size_t length)
{
	size_t size = strlen(shown);
	struct window w = choose_window(shown, size, at, length, term->width);
	size_t end = at + length < w.end ? at + length : w.end;
	size_t pad = characters(shown + w.start, at - w.start);
	size_t marks = end > at ? characters(shown + at, end - at) : 0;

	fprintf(term->out, "%7u | %s", line, w.start > 0 ? "…" : "");
	fwrite(shown + w.start, 1, w.end - w.start, term->out);
	fprintf(term->out, "%s\n        | %s", w.end < size ? "…" : "",
	        w.start > 0 ? " " : "");
	for (size_t i = 0; i < pad; i++)
		fputc(' ', term->out);
	kr_term_begin(term, KR_COLOR_PLACE);
	fputc('^', term->out);
	for (size_t i = 1; i < marks; i++)
		fputc('~', term->out);
	kr_term_end(term);
	fputc('\n', term->out);
}

/* The line LINE (its text is SOURCE, SIZE bytes) with a caret under the LENGTH
 * bytes at COLUMN (from 1). */
static void print_snippet(const struct kr_term *term, unsigned line,
                          const char *source, size_t size, unsigned column,
                          size_t length)
{
	size_t at = column - 1;
	size_t end = length < size - at ? at + length : size;
	_cleanup_free_ char *before = kr_utf8_escape(source, at);
	_cleanup_free_ char *meant = kr_utf8_escape(source + at, end - at);
	_cleanup_free_ char *after = kr_utf8_escape(source + end, size - end);
	_cleanup_free_ char *shown = NULL;

	/* without memory the place is still said */
	if (!before || !meant || !after ||
	    asprintf(&shown, "%s%s%s", before, meant, after) < 0) {
		shown = NULL;
		return;
	}
	print_shown(term, line, shown, strlen(before), strlen(meant));
}

void kr_term_span(const struct kr_term *term, struct kr_span span)
{
	struct kr_span line = kr_span_line(span);
	unsigned number, column;

	kr_span_position(span, &number, &column);
	print_snippet(term, number, span.file->data + line.offset, line.length,
	              column, span.length);
}

static enum kr_color severity_color(enum kr_severity severity)
{
	return severity == KR_ERROR     ? KR_COLOR_BAD
	       : severity == KR_WARNING ? KR_COLOR_WARN
	                                : KR_COLOR_DIM;
}

static void print_message(const struct kr_term *term,
                          const struct kr_message *m)
{
	kr_term_color(term, severity_color(m->severity),
	              "%s: ", kr_severity_to_string(m->severity));
	if (m->file)
		kr_term_text(term, m->file);
	if (m->file && m->line > 0)
		fprintf(term->out, ":%u", m->line);
	if (m->file && m->column > 0)
		fprintf(term->out, ":%u", m->column);
	fputs(m->file ? ": " : "", term->out);
	/* the lines behind it are the result's */
	if (strcmp(m->code, "refused") == 0)
		kr_term_bytes(term, m->text, strcspn(m->text, "\n"));
	else
		kr_term_text(term, m->text);
	fputc('\n', term->out);
	if (m->source && m->column > 0)
		print_snippet(term, m->line, m->source, strlen(m->source),
		              m->column, m->length);
}

void kr_term_messages(const struct kr_term *term, const struct kr_diag *diag,
                      enum kr_severity lowest)
{
	for (size_t i = 0; i < diag->n_messages; i++) {
		if (diag->messages[i].severity <= lowest)
			print_message(term, &diag->messages[i]);
	}
}

void kr_term_messages_of(const struct kr_term *term, const struct kr_diag *diag,
                         const char *code)
{
	for (size_t i = 0; i < diag->n_messages; i++) {
		if (strcmp(diag->messages[i].code, code) == 0)
			print_message(term, &diag->messages[i]);
	}
}
