/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Messages: severity, code, place and words. They own what they show, so that
 * they outlive the files they speak of.
 */

#include <stdlib.h>
#include <string.h>

#include "base/diag.h"

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

static void message_done(struct kr_message *m)
{
	free(m->file);
	free(m->text);
	free(m->source);
}

static bool same_string(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool known(const struct kr_diag *diag, const struct kr_message *m)
{
	for (size_t i = 0; i < diag->n_messages; i++) {
		const struct kr_message *o = &diag->messages[i];

		if (o->severity == m->severity && o->line == m->line &&
		    o->column == m->column && same_string(o->file, m->file) &&
		    same_string(o->text, m->text))
			return true;
	}
	return false;
}

static void append(struct kr_diag *diag, struct kr_message *m)
{
	struct kr_message *grown;

	if (known(diag, m)) {
		message_done(m);
		return;
	}
	grown = reallocarray(diag->messages, diag->n_messages + 1,
	                     sizeof(*grown));
	if (!grown)
		abort();
	diag->messages = grown;
	diag->messages[diag->n_messages++] = *m;
}

static char *duplicate(const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		abort();
	return copy;
}

static void place(struct kr_message *m, struct kr_span span)
{
	struct kr_span line = kr_span_line(span);
	size_t room;

	m->file = duplicate(span.file->path);
	kr_span_position(span, &m->line, &m->column);
	if (line.length > SOURCE_MAX)
		return;
	m->source = malloc(line.length + 1);
	if (!m->source)
		abort();
	memcpy(m->source, span.file->data + line.offset, line.length);
	m->source[line.length] = '\0';
	for (size_t i = 0; i < line.length; i++) /* columns stay as they are */
		if (!m->source[i])
			m->source[i] = ' ';
	room = kr_span_end(line) - span.offset;
	m->length = span.length < room ? span.length : room;
}

static struct kr_message make(enum kr_severity severity, const char *code,
                              const char *format, va_list args)
{
	struct kr_message m = {.severity = severity, .code = code};

	if (vasprintf(&m.text, format, args) < 0)
		abort();
	return m;
}

void kr_diag_add(struct kr_diag *diag, enum kr_severity severity,
                 const char *code, struct kr_span span, const char *format, ...)
{
	struct kr_message m;
	va_list args;

	if (!diag)
		return;
	va_start(args, format);
	m = make(severity, code, format, args);
	va_end(args);
	if (span.file)
		place(&m, span);
	append(diag, &m);
}

void kr_diag_add_path(struct kr_diag *diag, enum kr_severity severity,
                      const char *code, const char *path, const char *format,
                      ...)
{
	struct kr_message m;
	va_list args;

	if (!diag)
		return;
	va_start(args, format);
	m = make(severity, code, format, args);
	va_end(args);
	m.file = duplicate(path);
	append(diag, &m);
}

void kr_diag_merge(struct kr_diag *diag, struct kr_diag *from)
{
	if (!diag) {
		kr_diag_done(from);
		return;
	}
	for (size_t i = 0; i < from->n_messages; i++)
		append(diag, &from->messages[i]);
	free(from->messages);
	*from = (struct kr_diag){0};
}

const struct kr_message *kr_diag_first(const struct kr_diag *diag,
                                       enum kr_severity severity)
{
	for (size_t i = 0; i < diag->n_messages; i++) {
		if (diag->messages[i].severity == severity)
			return &diag->messages[i];
	}
	return NULL;
}

const struct kr_message *kr_diag_cause(const struct kr_diag *diag)
{
	for (size_t i = 0; i < diag->n_messages; i++) {
		const struct kr_message *m = &diag->messages[i];

		if (m->severity == KR_ERROR && m->file)
			return m;
	}
	return kr_diag_first(diag, KR_ERROR);
}

const struct kr_message *kr_diag_find(const struct kr_diag *diag,
                                      const char *code)
{
	for (size_t i = 0; i < diag->n_messages; i++) {
		if (strcmp(diag->messages[i].code, code) == 0)
			return &diag->messages[i];
	}
	return NULL;
}

void kr_diag_done(struct kr_diag *diag)
{
	for (size_t i = 0; i < diag->n_messages; i++)
		message_done(&diag->messages[i]);
	free(diag->messages);
	*diag = (struct kr_diag){0};
}
