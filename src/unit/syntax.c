/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The lines of a unit file.
 *
 *	file     = { line EOL }
 *	EOL      = any of LF, CR and NUL, each at most once ("\r\n" is one)
 *	comment  = blanks ( "#" | ";" ) ...      also between continued lines
 *	logical  = line { "\" EOL line }         the backslash becomes a blank
 *	         = "[" section "]" | key "=" value
 *
 * A line ends in a continuation if its last backslash is not itself escaped.
 * What stands between the lines of one logical line (comments) is skipped, and
 * the file's end ends it too. The blank that a continuation becomes has the
 * backslash and the EOL as its origin.
 *
 * A header that does not end in "]", bytes that are not UTF-8 and lines of a
 * mebibyte end the file there: what came before counts. A line without "=", an
 * assignment outside of a section and an unknown section are ignored. Lines
 * before the first header are one message: where there is no header, it is most
 * often a file of another kind. A line that begins as an argument does has lost
 * the command before it, and the message says by what. A UTF-8 byte order mark
 * is dropped once, at the first line that begins with one.
 *
 * Source: config_parse(), parse_line() in src/shared/conf-parser.c, read_line()
 * in src/basic/fileio.c of systemd 252.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/syntax.h"
#include "unit/word.h"

#define LINE_MAX_BYTES ((size_t)1024 * 1024)
#define BOM            "\xef\xbb\xbf"

struct reader {
	const struct kr_file *file;
	size_t at; /* where the next line begins */
	const char *const *sections;
	kr_syntax_assign_fn *assign;
	void *userdata;
	struct kr_diag *diag;
	struct kr_text line; /* the logical line */
	/* the last line that is no comment, and that before the logical one */
	struct kr_span last, before;
	char *section; /* NULL: none that counts */
	bool section_ignored;
	bool bom_seen;
	struct kr_span outside; /* the first line outside of a section */
	size_t n_outside;
};

/* The end of the EOL that starts at AT: each kind counts once, and nothing
 * belongs to it behind a NUL. */
static size_t eol_end(const struct kr_file *file, size_t at)
{
	bool seen[3] = {false};

	while (at < file->size && !seen[2]) {
		char c = file->data[at];
		int kind = c == '\n' ? 0 : c == '\r' ? 1 : c == '\0' ? 2 : -1;

		if (kind < 0 || seen[kind])
			break;
		seen[kind] = true;
		at++;
	}
	return at;
}

static size_t line_end(const struct kr_file *file, size_t at)
{
	while (at < file->size && file->data[at] != '\n' &&
	       file->data[at] != '\r' && file->data[at] != '\0')
		at++;
	return at;
}

static bool is_blank(char c)
{
	return c && strchr(KR_WORD_BLANKS, c);
}

static bool is_comment(struct kr_span line)
{
	const char *s = line.file->data + line.offset;
	size_t i = 0;

	while (i < line.length && is_blank(s[i]))
		i++;
	return i < line.length && (s[i] == '#' || s[i] == ';');
}

/* "[Section]", or "Directive=": a word of a capital and small letters, and more
 * such. Neither an argument nor a variable has such a name. */
static bool looks_whole(struct kr_span line)
{
	const char *s = line.file->data + line.offset;
	size_t i = 0, end = line.length, start;

	while (i < end && is_blank(s[i]))
		i++;
	while (end > i && is_blank(s[end - 1]))
		end--;
	if (i + 1 < end && s[i] == '[')
		return s[end - 1] == ']' && s[i + 1] >= 'A' && s[i + 1] <= 'Z';
	start = i;
	while (i < end &&
	       ((s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= 'a' && s[i] <= 'z')))
		i++;
	return i > start + 1 && i < end && s[i] == '=' && s[start] <= 'Z' &&
	       s[start + 1] >= 'a';
}

static bool is_continued(struct kr_span line)
{
	const char *s = line.file->data + line.offset;
	bool escaped = false;

	for (size_t i = 0; i < line.length; i++)
		escaped = !escaped && s[i] == '\\';
	return escaped;
}

/* Takes off the blanks on both sides of the part [*START, *END) of TEXT. */
static void strip(const struct kr_text *text, size_t *start, size_t *end)
{
	while (*start < *end && is_blank(text->bytes[*start]))
		(*start)++;
	while (*end > *start && is_blank(text->bytes[*end - 1]))
		(*end)--;
}

static bool known_section(const struct reader *r, const char *name)
{
	for (const char *const *s = r->sections; *s; s++) {
		if (strcmp(*s, name) == 0)
			return true;
	}
	return false;
}

/* Control characters, quotes, backslash and DEL are not safe in a name. */
static bool is_safe(const char *s)
{
	for (; *s; s++) {
		if ((*s > 0 && *s < ' ') || strchr("\"'\\\x7f", *s))
			return false;
	}
	return true;
}

static void say_outside(struct reader *r)
{
	if (r->n_outside == 1)
		kr_diag_add(r->diag, KR_WARNING, "unit-no-section", r->outside,
		            "assignment is outside of a section: ignored");
	else if (r->n_outside > 1)
		kr_diag_add(r->diag, KR_WARNING, "unit-no-section", r->outside,
		            "%zu lines from here on are outside of a section: "
		            "ignored",
		            r->n_outside);
	r->n_outside = 0;
}

static int bad_header(struct reader *r, struct kr_span span)
{
	kr_diag_add(r->diag, KR_WARNING, "unit-section-invalid", span,
	            "section header is invalid: systemd reads no further in "
	            "this file");
	return KR_MALFORMED;
}

static int parse_header(struct reader *r, size_t start, size_t end)
{
	struct kr_span span = kr_text_span(&r->line, start, end - start);
	_cleanup_free_ char *name = NULL;

	say_outside(r);
	if (end - start < 2 || r->line.bytes[end - 1] != ']')
		return bad_header(r, span);
	name = strndup(r->line.bytes + start + 1, end - start - 2);
	if (!name)
		return -ENOMEM;
	if (!is_safe(name))
		return bad_header(r, span);
	free(r->section);
	r->section = NULL;
	r->section_ignored = !known_section(r, name);
	if (!r->section_ignored)
		r->section = TAKE_PTR(name);
	else if (strncmp(name, "X-", 2) != 0)
		kr_diag_add(r->diag, KR_WARNING, "unit-section-unknown", span,
		            "section '%s' is unknown: ignored", name);
	return 0;
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* Whether the LENGTH bytes at S begin as an argument does: "--word", "-v",
 * "$NAME", in quotes or not. No directive has such a name. */
static bool looks_like_argument(const char *s, size_t length)
{
	size_t i = length > 0 && (*s == '"' || *s == '\'');

	if (i >= length || (s[i] != '-' && s[i] != '$'))
		return false;
	i += s[i] == '-' && i + 1 < length && s[i + 1] == '-';
	i += s[i] == '$' && i + 1 < length && s[i + 1] == '{';
	return i + 1 < length && is_letter(s[i + 1]);
}

/* Why the line behind LINE is not a part of it. */
static const char *why_apart(struct kr_span line)
{
	size_t end = line.length, n;
	const char *s;

	if (!line.file)
		return "";
	s = line.file->data + line.offset;
	while (end > 0 && is_blank(s[end - 1]))
		end--;
	n = line.length - end;
	if (end == 0)
		return ": the line before it, which is empty, does not end in "
		       "a backslash";
	if (s[end - 1] == '\\' && n > 0)
		return ": the line before it has a blank behind its backslash";
	return s[0] == '[' ? ""
	                   : ": the line before it does not end in a "
	                     "backslash";
}

static int parse_assignment(struct reader *r, size_t start, size_t end)
{
	const char *s = r->line.bytes;
	const char *equals = memchr(s + start, '=', end - start);
	struct kr_span span = kr_text_span(&r->line, start, end - start);
	_cleanup_text_ struct kr_text value = {0};
	_cleanup_free_ char *key = NULL;
	size_t key_end, value_start;
	int err;

	if (looks_like_argument(s + start, end - start)) {
		kr_diag_add(r->diag, KR_NOTE, "unit-line-lost", span,
		            "argument is a line of its own: ignored%s",
		            why_apart(r->before));
		return 0;
	}
	if (!equals || equals == s + start) {
		kr_diag_add(r->diag, KR_WARNING, "unit-line-invalid", span,
		            "line is no assignment: ignored");
		return 0;
	}
	key_end = (size_t)(equals - s);
	value_start = key_end + 1;
	strip(&r->line, &start, &key_end);
	strip(&r->line, &value_start, &end);
	key = strndup(s + start, key_end - start);
	if (!key)
		return -ENOMEM;
	err = kr_text_append_part(&value, &r->line, value_start,
	                          end - value_start);
	return err < 0 ? err
	               : r->assign(r->userdata, r->section, key, &value, span);
}

static int parse_logical(struct reader *r)
{
	size_t start = 0, end = r->line.length;
	struct kr_span span;
	size_t valid;

	strip(&r->line, &start, &end);
	if (start == end)
		return 0;
	span = kr_text_span(&r->line, start, end - start);
	valid = kr_utf8_valid_length(r->line.bytes + start, end - start);
	if (valid < end - start) {
		kr_diag_add(r->diag, KR_WARNING, "unit-not-utf8",
		            kr_text_span(&r->line, start + valid, 1),
		            "line is not UTF-8: systemd reads no further in "
		            "this file");
		return -EINVAL;
	}
	if (r->line.bytes[start] == '[')
		return parse_header(r, start, end);
	if (r->section)
		return parse_assignment(r, start, end);
	if (!r->section_ignored && r->n_outside++ == 0)
		r->outside = span;
	return 0;
}

static int append_line(struct reader *r, struct kr_span line)
{
	const char *s = line.file->data;

	if (!r->bom_seen && line.length >= strlen(BOM) &&
	    memcmp(s + line.offset, BOM, strlen(BOM)) == 0) {
		line.offset += strlen(BOM);
		line.length -= strlen(BOM);
		r->bom_seen = true;
	}
	return kr_text_append_span(&r->line, line);
}

static int too_long(struct reader *r, struct kr_span line)
{
	kr_diag_add(r->diag, KR_WARNING, "unit-line-too-long",
	            (struct kr_span){line.file, line.offset, 1},
	            "the line is longer than 1 MiB: systemd reads no further "
	            "in this file");
	return -ENOBUFS;
}

/* Reads one line. > 0: the logical line goes on. */
static int read_line(struct reader *r)
{
	struct kr_span line = {.file = r->file, .offset = r->at};
	struct kr_origin last;
	int err;

	line.length = line_end(r->file, r->at) - r->at;
	r->at = eol_end(r->file, kr_span_end(line));
	if (line.length >= LINE_MAX_BYTES ||
	    line.length + r->line.length > LINE_MAX_BYTES)
		return too_long(r, line);
	if (is_comment(line))
		return 1;
	if (r->line.length == 0)
		r->before = r->last;
	r->last = line;
	if (r->line.length > 0 && looks_whole(line))
		kr_diag_add(r->diag, KR_WARNING, "unit-line-swallowed", line,
		            "line is a part of the one before it, which ends "
		            "in a backslash");
	err = append_line(r, line);
	if (err < 0)
		return err;
	if (!is_continued(line))
		return 0;
	last = kr_text_origin(&r->line, --r->line.length);
	last.length = (unsigned)(r->at - last.offset);
	err = kr_text_push(&r->line, ' ', last);
	return err < 0 ? err : 1;
}

static int read_lines(struct reader *r)
{
	int err = 0;

	while (err >= 0 && r->at < r->file->size) {
		err = read_line(r);
		if (err != 0)
			continue;
		err = parse_logical(r);
		r->line.length = 0;
	}
	if (err >= 0 && r->line.length > 0)
		err = parse_logical(r);
	return err < 0 ? err : 0;
}

int kr_syntax_parse(const struct kr_file *file, const char *const *sections,
                    kr_syntax_assign_fn *assign, void *userdata,
                    struct kr_diag *diag)
{
	struct reader reader = {
		.file = file,
		.sections = sections,
		.assign = assign,
		.userdata = userdata,
		.diag = diag,
	};
	int err = read_lines(&reader);

	say_outside(&reader);
	kr_text_done(&reader.line);
	free(reader.section);
	return err;
}
