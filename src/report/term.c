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
#include "base/vec.h"
#include "report/term.h"

static const char *const colors[] = {
	[KR_COLOR_GOOD] = "\033[1;32m", [KR_COLOR_BAD] = "\033[1;31m",
	[KR_COLOR_WARN] = "\033[1;35m", [KR_COLOR_PLACE] = "\033[1;36m",
	[KR_COLOR_DIM] = "\033[2m",     [KR_COLOR_PLAIN] = "",
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

#define BEGINNING_MIN 4
#define ROOM_MIN      8  /* so that 20 columns are enough */
#define GUTTER        10 /* "     2 | " and one to spare */

/* Where there is no terminal, a line is shown whole, unless it is too
 * long to be written by hand. */
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

/* How many of the bytes are shown as they are, one column each: most often all.
 */
static size_t count_plain(const char *s, size_t size)
{
	size_t n = 0;

	while (n < size && s[n] >= ' ' && s[n] <= '~')
		n++;
	return n;
}

static void print_bytes(FILE *out, const char *s, size_t size)
{
	char shown[KR_UTF8_SHOWN_SIZE];

	for (size_t i = 0; i < size;) {
		size_t n = count_plain(s + i, size - i);

		fwrite(s + i, 1, n, out);
		i += n;
		if (i == size)
			break;
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

size_t kr_term_width(const char *text)
{
	char shown[KR_UTF8_SHOWN_SIZE];
	size_t size = strlen(text), width = count_plain(text, size);

	for (size_t i = width; i < size;) {
		i += kr_utf8_show(text + i, size - i, shown);
		width += characters(shown, strlen(shown));
	}
	return width;
}

void kr_term_cut(const struct kr_term *term, const char *text, size_t room)
{
	char shown[KR_UTF8_SHOWN_SIZE];
	bool whole = room == SIZE_MAX || kr_term_width(text) <= room;
	size_t size = strlen(text), used = 0;

	for (size_t i = 0; i < size;) {
		i += kr_utf8_show(text + i, size - i, shown);
		used += characters(shown, strlen(shown));
		if (!whole && used >= room)
			break;
		fputs(shown, term->out);
	}
	if (!whole && room > 0)
		fputs("…", term->out);
}

/* HEAD columns of the beginning, "…" and as much of the end as ROOM holds. */
static void cut_before_end(const struct kr_term *term, const char *text,
                           size_t room, size_t head)
{
	_cleanup_free_ char *shown = kr_utf8_escape(text, strlen(text));
	size_t size, start, end = 0, n = 0;

	if (!shown || room == 0 || kr_term_width(text) <= room) {
		kr_term_text(term, text);
		return;
	}
	size = strlen(shown);
	while (n < head || !starts_character(shown[end])) {
		n += starts_character(shown[end]);
		end++;
	}
	start = size;
	for (n = 0; n < room - 1 - head;) {
		start--;
		n += starts_character(shown[start]);
	}
	fprintf(term->out, "%.*s…%s", (int)end, shown, shown + start);
}

/* A quarter of the room is the beginning's, where that is enough to know it by.
 */
void kr_term_cut_middle(const struct kr_term *term, const char *text,
                        size_t room)
{
	cut_before_end(term, text, room,
	               room < 4 * BEGINNING_MIN ? 0 : (room - 1) / 4);
}

void kr_term_cut_start(const struct kr_term *term, const char *text,
                       size_t room)
{
	cut_before_end(term, text, room, 0);
}

/* The columns of the LENGTH bytes from TEXT on. */
static size_t shown_width(const char *text, size_t length)
{
	_cleanup_free_ char *word = strndup(text, length);

	return word ? kr_term_width(word) : length;
}

void kr_term_wrap(const struct kr_term *term, const char *text, size_t length,
                  size_t used, const char *next)
{
	size_t at = used, start = 0;

	while (start < length) {
		size_t end = start, width;

		/* a word, with the blanks before it */
		while (end < length && text[end] == ' ')
			end++;
		while (end < length && text[end] != ' ')
			end++;
		width = shown_width(text + start, end - start);
		if (term->wraps && at + width > term->width &&
		    at > strlen(next)) {
			fprintf(term->out, "\n%s", next);
			at = strlen(next);
			while (text[start] == ' ') {
				start++;
				width--;
			}
		}
		print_bytes(term->out, text + start, end - start);
		at += width;
		start = end;
	}
	fputc('\n', term->out);
}

void kr_term_row(const struct kr_term *term, const char *label,
                 const char *text)
{
	fputs(label, term->out);
	kr_term_text(term, text);
	fputc('\n', term->out);
}

void kr_term_prose(const struct kr_term *term, const char *label,
                   const char *text)
{
	char next[24];

	snprintf(next, sizeof(next), "%*s", (int)strspn(label, " ") + 4, "");
	fputs(label, term->out);
	kr_term_wrap(term, text, strlen(text), strlen(label), next);
}

void kr_term_headline(const struct kr_term *term, enum kr_color color,
                      const char *word, const char *reason)
{
	const char *start = term->start ? term->start : "";
	char next[16];

	snprintf(next, sizeof(next), "%s    ", start);
	fputs(start, term->out);
	kr_term_color(term, color, "%s", word);
	fputs("  ", term->out);
	kr_term_wrap(term, reason, strlen(reason),
	             strlen(start) + strlen(word) + strlen("  "), next);
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
	const char *start = term->start ? term->start : "";
	size_t size = strlen(shown);
	unsigned width = term->width > strlen(start) + GUTTER
	                         ? term->width - (unsigned)strlen(start)
	                         : term->width;
	struct window w = choose_window(shown, size, at, length, width);
	size_t end = at + length < w.end ? at + length : w.end;
	size_t pad = characters(shown + w.start, at - w.start);
	size_t marks = end > at ? characters(shown + at, end - at) : 0;

	fprintf(term->out, "%s%7u | %s", start, line, w.start > 0 ? "…" : "");
	fwrite(shown + w.start, 1, w.end - w.start, term->out);
	fprintf(term->out, "%s\n%s        | %s", w.end < size ? "…" : "", start,
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

/* "FILE:LINE:COLUMN", as far as it is known. */
static void print_place(FILE *out, const struct kr_message *m)
{
	if (!m->file)
		return;
	fputs(m->file, out);
	if (m->line > 0)
		fprintf(out, ":%u", m->line);
	if (m->column > 0)
		fprintf(out, ":%u", m->column);
}

char *kr_term_message_place_text(const struct kr_message *m)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	print_place(out, m);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

void kr_term_message_place(const struct kr_term *term,
                           const struct kr_message *m)
{
	_cleanup_free_ char *text = kr_term_message_place_text(m);

	if (!text)
		return;
	kr_term_begin(term, KR_COLOR_PLACE);
	kr_term_text(term, text);
	kr_term_end(term);
}

void kr_term_message_line(const struct kr_term *term,
                          const struct kr_message *m)
{
	if (m->source && m->column > 0)
		print_snippet(term, m->line, m->source, strlen(m->source),
		              m->column, m->length);
}

static void print_message(const struct kr_term *term,
                          const struct kr_message *m)
{
	const char *severity = kr_severity_to_string(m->severity);
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	print_place(out, m);
	if (m->file)
		fputs(": ", out);
	/* the lines behind it are the result's */
	fwrite(m->text, 1,
	       strcmp(m->code, "refused") == 0 ? strcspn(m->text, "\n")
	                                       : strlen(m->text),
	       out);
	if (fclose(out) != 0)
		return;
	kr_term_color(term, severity_color(m->severity), "%s: ", severity);
	kr_term_wrap(term, text, size, strlen(severity) + strlen(": "), "    ");
	kr_term_message_line(term, m);
}

void kr_term_messages_but(const struct kr_term *term,
                          const struct kr_diag *diag, enum kr_severity lowest,
                          bool (*omit)(const struct kr_message *m,
                                       const void *closure),
                          const void *closure)
{
	KR_EACH(const struct kr_message, m, diag->messages, diag->n_messages) {
		if (m->severity <= lowest && (!omit || !omit(m, closure)))
			print_message(term, m);
	}
}

void kr_term_messages(const struct kr_term *term, const struct kr_diag *diag,
                      enum kr_severity lowest)
{
	kr_term_messages_but(term, diag, lowest, NULL, NULL);
}

void kr_term_messages_of(const struct kr_term *term, const struct kr_diag *diag,
                         const char *code)
{
	for (size_t i = 0; i < diag->n_messages; i++) {
		if (strcmp(diag->messages[i].code, code) == 0)
			print_message(term, &diag->messages[i]);
	}
}
