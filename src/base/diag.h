/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Messages. A function that fails returns an errno and puts the words, once,
 * where the fault was found, into a collection of its caller.
 */

#include <stdbool.h>
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
	/* static: the name of the control that it is about; NULL: the node */
	const char *control;
	char *file;      /* the node's path, or NULL */
	unsigned line;   /* from 1; 0: the file as a whole */
	unsigned column; /* from 1, in bytes; 0: no place in it */
	char *text;      /* object first, lower case, no full stop */
	/* the line itself, or NULL; messages about one line share it */
	char *source;
	size_t length; /* bytes of it from COLUMN that are meant */
	size_t offset; /* of the place in its file, from 1; 0: none */
	bool later; /* of what kubelet needs to start, which is not there yet */
	bool cured; /* a change takes away, or took away, what it is about */
	/* > 0: it stands for so many others with its severity and code */
	size_t n_more;
};

/* So many messages of one severity and code are kept; of the others there is
 * their number, in a message of its own ("and 7 more"). */
#define KR_DIAG_KEPT 20

struct kr_diag {
	struct kr_message *messages;
	size_t n_messages;
	/* what the messages from now on are about (kr_message.control) */
	const char *control;
	/* memory ran out, and a message is missing: what is decided or shown by
	 * the others would be wrong. A caller that does so asks
	 * kr_diag_result() */
	bool failed;
};

/* "error", "warning", "note". */
const char *kr_severity_to_string(enum kr_severity severity);

/*
 * Adds a message. DIAG may be NULL: then nothing happens. SPAN without a file
 * means no place. The words are copied, the span's line too, once for all that
 * speak of it. A message that is already there, word for word at the same
 * place, is not added again; one beyond KR_DIAG_KEPT of its kind is only
 * counted. Where memory runs out DIAG has failed, and stays so.
 */
void kr_diag_add(struct kr_diag *diag, enum kr_severity severity,
                 const char *code, struct kr_span span, const char *format, ...)
	_printf_(5, 6);

/* The same, a note "file-not-there-yet" of what is not there yet. */
void kr_diag_add_later(struct kr_diag *diag, struct kr_span span,
                       const char *format, ...) _printf_(3, 4);

/* The same about a file (or folder) as a whole. PATH is copied. */
void kr_diag_add_path(struct kr_diag *diag, enum kr_severity severity,
                      const char *code, const char *path, const char *format,
                      ...) _printf_(5, 6);

/*
 * What a function ends with when no system call has failed: below every errno,
 * so that it goes up as one does, to the caller that asks for it by name.
 */
enum kr_ending {
	KR_REFUSED = -5000, /* nothing is changed, DIAG says why */
	KR_NOTHING_YET,     /* there is nothing to judge yet */
	KR_COLLIDES,        /* another change has that place already */
	KR_MALFORMED,       /* the bytes are not what they are taken for */
};

/* An error for which nothing is changed: KR_REFUSED. */
#define kr_diag_refuse(diag, code, span, ...)                                  \
	(kr_diag_add(diag, KR_ERROR, code, span, __VA_ARGS__), KR_REFUSED)
#define kr_diag_refuse_path(diag, code, path, ...)                             \
	(kr_diag_add_path(diag, KR_ERROR, code, path, __VA_ARGS__), KR_REFUSED)

/* The messages from now on are about the control of this NAME, which is static;
 * NULL: about the node. DIAG may be NULL. */
void kr_diag_about(struct kr_diag *diag, const char *control);

/* N more messages with this severity and code, which are only counted. */
void kr_diag_add_more(struct kr_diag *diag, enum kr_severity severity,
                      const char *code, size_t n);

/* Moves all messages of FROM behind those of DIAG, which may be NULL: then they
 * go. */
void kr_diag_merge(struct kr_diag *diag, struct kr_diag *from);

/* Puts the messages that MATCHES behind the others. 0 or -ENOMEM. */
int kr_diag_put_last(struct kr_diag *diag,
                     bool (*matches)(const struct kr_message *message,
                                     const void *userdata),
                     const void *userdata);

/* Takes out the messages that MATCHES. */
void kr_diag_remove(struct kr_diag *diag,
                    bool (*matches)(const struct kr_message *message,
                                    const void *userdata),
                    const void *userdata);

/* The first message of SEVERITY, or NULL. */
const struct kr_message *kr_diag_first(const struct kr_diag *diag,
                                       enum kr_severity severity);

/* The error to blame; NULL: there is none. An error with a place tells more
 * than one without, and the first is most often the cause of the later ones. */
const struct kr_message *kr_diag_cause(const struct kr_diag *diag);

/* M as one sentence with its place, "FILE:LINE:COLUMN: TEXT"; the caller frees
 * it. NULL: no memory. */
char *kr_diag_sentence(const struct kr_message *m);

/* That of the error to blame, or a copy of OTHERWISE where there is none; the
 * caller frees it. NULL: no memory. */
char *kr_diag_reason(const struct kr_diag *diag, const char *otherwise);

/* The first message with this CODE, or NULL. */
const struct kr_message *kr_diag_find(const struct kr_diag *diag,
                                      const char *code);

/* R, or -ENOMEM where R is no error and DIAG, which may be NULL, has failed:
 * the last step of what hands messages on. */
int kr_diag_result(const struct kr_diag *diag, int r);

void kr_diag_done(struct kr_diag *diag);

#define _cleanup_diag_ _cleanup_(kr_diag_done)
