/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Messages. A function that fails returns an errno and puts the words, once,
 * where the fault was found, into a collection of its caller.
 */

#include <stdarg.h>
#include <stddef.h>

#include "base/macro.h"
#include "base/span.h"

enum kr_severity {
	KR_ERROR,
	KR_WARNING,
	KR_NOTE,
	_KR_SEVERITY_MAX,
};

struct kr_message {
	enum kr_severity severity;
	const char *code; /* static: "flag-unknown", lower case, dashes */
	char *file;       /* the node's path, or NULL */
	unsigned line;    /* from 1; 0: the file as a whole */
	unsigned column;  /* from 1, in bytes; 0: no place in it */
	char *text;       /* object first, lower case, no full stop */
	char *source;     /* the line itself, or NULL */
	size_t length;    /* bytes of it from COLUMN that are meant */
};

struct kr_diag {
	struct kr_message *messages;
	size_t n_messages;
};

/* "error", "warning", "note". */
const char *kr_severity_to_string(enum kr_severity severity);

/*
 * Adds a message. DIAG may be NULL: then nothing happens. SPAN without a file
 * means no place. The words are copied, the span's line too. A message that is
 * already there, word for word at the same place, is not added again.
 * Aborts when memory runs out, as nothing could be said any more.
 */
void kr_diag_add(struct kr_diag *diag, enum kr_severity severity,
                 const char *code, struct kr_span span, const char *format, ...)
	_printf_(5, 6);

/* The same about a file (or folder) as a whole. PATH is copied. */
void kr_diag_add_path(struct kr_diag *diag, enum kr_severity severity,
                      const char *code, const char *path, const char *format,
                      ...) _printf_(5, 6);

/* Moves all messages of FROM behind those of DIAG, which may be NULL: then they
 * go. */
void kr_diag_merge(struct kr_diag *diag, struct kr_diag *from);

/* The first message of SEVERITY, or NULL. */
const struct kr_message *kr_diag_first(const struct kr_diag *diag,
                                       enum kr_severity severity);

/* The error to blame; NULL: there is none. One with a place tells more than one
 * without, and the first most often is the cause of those behind it. */
const struct kr_message *kr_diag_cause(const struct kr_diag *diag);

/* The first message with this CODE, or NULL. */
const struct kr_message *kr_diag_find(const struct kr_diag *diag,
                                      const char *code);

void kr_diag_done(struct kr_diag *diag);

#define _cleanup_diag_ _cleanup_(kr_diag_done)
