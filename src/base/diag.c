/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Messages: severity, code, place and words. They own what they show, so that
 * they outlive the files they speak of.
 *
 * A file that is wrong in one way may be wrong so a million times. The first
 * KR_DIAG_KEPT messages of a kind (severity and code) are kept, the rest is a
 * number; and a line that several speak of is held once. So their memory, the
 * look for an equal message and the text that they become are bounded
 * by what is said, not by what was read.
 *
 * Who adds a message has no errno of it: memory that runs out is remembered,
 * and reported to the caller that asks at the end (as stdio's ferror(3) does).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/format.h"
#include "base/vec.h"

/* Longer lines are cut here; the terminal cuts them again (report/text). */
#define SOURCE_MAX ((size_t)64 * 1024)

static const char *const severity_names[] = {
	[KR_ERROR] = "error",
	[KR_WARNING] = "warning",
	[KR_NOTE] = "note",
};

static_assert(ARRAY_SIZE(severity_names) == _KR_SEVERITY_MAX,
              "a name for each severity");

const char *kr_severity_to_string(enum kr_severity severity)
{
	return severity_names[severity];
}

/* --- lines, each shared by the messages about it ------------------------- */

struct line {
	size_t n_users;
	char text[];
};

static struct line *line_of(char *source)
{
	return (struct line *)(void *)(source - offsetof(struct line, text));
}

static char *share_line(char *source)
{
	if (source)
		line_of(source)->n_users++;
	return source;
}

static void leave_line(char *source)
{
	if (source && --line_of(source)->n_users == 0)
		free(line_of(source));
}

/* NULL when memory runs out. */
static char *new_line(struct kr_span span)
{
	struct line *line = malloc(sizeof(*line) + span.length + 1);

	if (!line)
		return NULL;
	line->n_users = 1;
	memcpy(line->text, span.file->data + span.offset, span.length);
	line->text[span.length] = '\0';
	for (size_t i = 0; i < span.length; i++) /* columns stay as they are */
		if (!line->text[i])
			line->text[i] = ' ';
	return line->text;
}

/* --- messages ------------------------------------------------------------ */

static void message_done(struct kr_message *m)
{
	free(m->file);
	free(m->text);
	leave_line(m->source);
}

static bool same_string(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_kind(const struct kr_message *a, const struct kr_message *b)
{
	return a->severity == b->severity && strcmp(a->code, b->code) == 0;
}

static bool known(const struct kr_diag *diag, const struct kr_message *m)
{
	return KR_ANY(o, diag->messages, diag->n_messages,
	              o->severity == m->severity && o->offset == m->offset &&
	                      o->n_more == 0 && same_string(o->file, m->file) &&
	                      same_string(o->text, m->text));
}

/* Moves *M in. */
static void push(struct kr_diag *diag, struct kr_message *m)
{
	struct kr_message *next = KR_VEC_NEXT(diag->messages, diag->n_messages);

	if (!next) {
		diag->failed = true;
		message_done(m);
		return;
	}
	*next = *m;
	diag->n_messages++;
}

/* PATH may be NULL. False: memory ran out, which DIAG has noted. */
static bool make(struct kr_diag *diag, struct kr_message *m, const char *path,
                 const char *format, va_list args)
{
	m->control = diag->control;
	m->file = path ? strdup(path) : NULL;
	if ((!path || m->file) && kr_vformat(&m->text, format, args) == 0)
		return true;
	message_done(m);
	diag->failed = true;
	return false;
}

static bool say_more(struct kr_diag *diag, struct kr_message *m,
                     const char *format, ...) _printf_(3, 4);

static bool say_more(struct kr_diag *diag, struct kr_message *m,
                     const char *format, ...)
{
	va_list args;
	bool made;

	va_start(args, format);
	made = make(diag, m, NULL, format, args);
	va_end(args);
	return made;
}

void kr_diag_add_more(struct kr_diag *diag, enum kr_severity severity,
                      const char *code, size_t n)
{
	struct kr_message m = {.severity = severity, .code = code, .n_more = n};
	struct kr_message *before = NULL;

	if (!diag || n == 0)
		return;
	KR_EACH(struct kr_message, o, diag->messages, diag->n_messages) {
		if (o->n_more > 0 && same_kind(o, &m))
			before = o;
	}
	if (before)
		m.n_more += before->n_more;
	if (!say_more(diag, &m, "and %zu more of this kind (%s)", m.n_more,
	              code))
		return;
	if (!before) {
		push(diag, &m);
		return;
	}
	message_done(before);
	*before = m;
}

static bool is_full(const struct kr_diag *diag, const struct kr_message *m)
{
	size_t n = 0;

	for (size_t i = 0; i < diag->n_messages; i++)
		n += diag->messages[i].n_more == 0 &&
		     same_kind(&diag->messages[i], m);
	return n >= KR_DIAG_KEPT;
}

void kr_diag_about(struct kr_diag *diag, const char *control)
{
	if (diag)
		diag->control = control;
}

/* Whether M is not to be kept; then it is done with. */
static bool leave_out(struct kr_diag *diag, struct kr_message *m)
{
	if (known(diag, m)) {
		message_done(m);
		return true;
	}
	if (!is_full(diag, m))
		return false;
	kr_diag_add_more(diag, m->severity, m->code, 1);
	message_done(m);
	return true;
}

/* The line of M, where another message has it. */
static char *find_line(const struct kr_diag *diag, const struct kr_message *m)
{
	for (size_t i = diag->n_messages; i-- > 0;) {
		const struct kr_message *o = &diag->messages[i];

		if (o->line == m->line && o->source &&
		    strcmp(o->file, m->file) == 0)
			return o->source;
	}
	return NULL;
}

/* Without its line, where memory runs out, a message still says all. */
static void place(const struct kr_diag *diag, struct kr_message *m,
                  struct kr_span span)
{
	struct kr_span line = kr_span_line(span);
	size_t room;

	kr_span_position(span, &m->line, &m->column);
	if (line.length > SOURCE_MAX)
		return;
	m->source = share_line(find_line(diag, m));
	if (!m->source || strlen(m->source) != line.length) {
		leave_line(m->source);
		m->source = new_line(line);
	}
	room = kr_span_end(line) - span.offset;
	m->length = span.length < room ? span.length : room;
}

static void add(struct kr_diag *diag, struct kr_message *m, struct kr_span span,
                const char *format, va_list args)
{
	const char *path = span.file ? span.file->path : NULL;

	if (!diag || !make(diag, m, path, format, args))
		return;
	if (span.file)
		m->offset = span.offset + 1;
	if (leave_out(diag, m))
		return;
	if (span.file)
		place(diag, m, span);
	push(diag, m);
}

void kr_diag_add(struct kr_diag *diag, enum kr_severity severity,
                 const char *code, struct kr_span span, const char *format, ...)
{
	struct kr_message m = {.severity = severity, .code = code};
	va_list args;

	va_start(args, format);
	add(diag, &m, span, format, args);
	va_end(args);
}

void kr_diag_add_later(struct kr_diag *diag, struct kr_span span,
                       const char *format, ...)
{
	struct kr_message m = {KR_NOTE, "file-not-there-yet", .later = true};
	va_list args;

	va_start(args, format);
	add(diag, &m, span, format, args);
	va_end(args);
}

void kr_diag_add_path(struct kr_diag *diag, enum kr_severity severity,
                      const char *code, const char *path, const char *format,
                      ...)
{
	struct kr_message m = {.severity = severity, .code = code};
	va_list args;
	bool made;

	if (!diag)
		return;
	va_start(args, format);
	made = make(diag, &m, path, format, args);
	va_end(args);
	if (made && !leave_out(diag, &m))
		push(diag, &m);
}

void kr_diag_merge(struct kr_diag *diag, struct kr_diag *from)
{
	if (!diag) {
		kr_diag_done(from);
		return;
	}
	KR_EACH(struct kr_message, m, from->messages, from->n_messages) {
		if (m->n_more > 0) {
			kr_diag_add_more(diag, m->severity, m->code, m->n_more);
			message_done(m);
		} else if (!leave_out(diag, m)) {
			push(diag, m);
		}
	}
	diag->failed = diag->failed || from->failed;
	free(from->messages);
	*from = (struct kr_diag){0};
}

int kr_diag_put_last(struct kr_diag *diag,
                     bool (*matches)(const struct kr_message *message,
                                     const void *userdata),
                     const void *userdata)
{
	_cleanup_free_ struct kr_message *last =
		calloc(diag->n_messages + 1, sizeof(*last));
	size_t n = 0, n_last = 0;

	if (!last)
		return -ENOMEM;
	for (size_t i = 0; i < diag->n_messages; i++) {
		if (matches(&diag->messages[i], userdata))
			last[n_last++] = diag->messages[i];
		else
			diag->messages[n++] = diag->messages[i];
	}
	for (size_t i = 0; i < n_last; i++)
		diag->messages[n + i] = last[i];
	return 0;
}

void kr_diag_remove(struct kr_diag *diag,
                    bool (*matches)(const struct kr_message *message,
                                    const void *userdata),
                    const void *userdata)
{
	size_t n = 0;

	for (size_t i = 0; i < diag->n_messages; i++) {
		if (matches(&diag->messages[i], userdata))
			message_done(&diag->messages[i]);
		else
			diag->messages[n++] = diag->messages[i];
	}
	diag->n_messages = n;
}

const struct kr_message *kr_diag_first(const struct kr_diag *diag,
                                       enum kr_severity severity)
{
	return KR_FIRST(m, diag->messages, diag->n_messages,
	                m->severity == severity);
}

const struct kr_message *kr_diag_cause(const struct kr_diag *diag)
{
	KR_EACH(const struct kr_message, m, diag->messages, diag->n_messages) {
		if (m->severity == KR_ERROR && m->file)
			return m;
	}
	return kr_diag_first(diag, KR_ERROR);
}

char *kr_diag_sentence(const struct kr_message *m)
{
	char *reason;
	int r;

	if (!m->file)
		return strdup(m->text);
	if (m->line > 0)
		r = asprintf(&reason, "%s:%u:%u: %s", m->file, m->line,
		             m->column, m->text);
	else
		r = asprintf(&reason, "%s: %s", m->file, m->text);
	return r < 0 ? NULL : reason;
}

char *kr_diag_reason(const struct kr_diag *diag, const char *otherwise)
{
	const struct kr_message *m = kr_diag_cause(diag);

	return m ? kr_diag_sentence(m) : strdup(otherwise);
}

const struct kr_message *kr_diag_find(const struct kr_diag *diag,
                                      const char *code)
{
	return KR_FIND(diag->messages, diag->n_messages, code, code);
}

int kr_diag_result(const struct kr_diag *diag, int r)
{
	return r >= 0 && diag && diag->failed ? -ENOMEM : r;
}

void kr_diag_done(struct kr_diag *diag)
{
	for (size_t i = 0; i < diag->n_messages; i++)
		message_done(&diag->messages[i]);
	free(diag->messages);
	*diag = (struct kr_diag){0};
}
