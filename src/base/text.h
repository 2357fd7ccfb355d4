/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Decoded text whose every byte knows where it came from.
 *
 * What systemd makes of a unit file goes through several decoders: lines are
 * joined, quotes taken off, escapes and specifiers resolved, a variable's value
 * is split into words. Each of them reads one kr_text and writes another and
 * carries the origins along, so that at the end an argument of kubelet knows
 * the bytes it stands in, whatever lay between.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "base/span.h"

/* The source of one decoded byte. LENGTH > 1 for an escape; file NULL for a
 * byte that is in no file (a specifier's value, the manager's environment). */
struct kr_origin {
	const struct kr_file *file;
	unsigned offset;
	unsigned length;
};

/* Bytes of a text, up to the next run, that were one behind the other in a
 * file, or all came from the same place. */
struct kr_run {
	struct kr_origin origin; /* of the first */
	uint32_t start;          /* the first, in the text */
};

/* Most have one run alone, and there are very many: that takes no memory of its
 * own, and a text is smaller than 4 GiB. */
struct kr_text {
	char *bytes;            /* LENGTH bytes, then a NUL that does not count;
	                         * to take bytes off the end, set LENGTH */
	struct kr_origin first; /* of the first run, which starts at 0 */
	struct kr_run *more;    /* the others; those that start behind LENGTH
	                         * do not count */
	uint32_t length;
	uint32_t size; /* allocated; 0: BYTES are another's, who outlives it */
	uint32_t n_runs;
};

/* A byte that was made from the bytes of SPAN. */
static inline struct kr_origin kr_span_origin(struct kr_span span)
{
	return (struct kr_origin){span.file, (unsigned)span.offset,
	                          (unsigned)span.length};
}

/* Where byte I of TEXT, which must be in it, came from. */
struct kr_origin kr_text_origin(const struct kr_text *text, size_t i);

/* Appends one byte, or a whole or part of a text. 0 or -ENOMEM. */
int kr_text_push(struct kr_text *text, char byte, struct kr_origin origin);
int kr_text_append(struct kr_text *text, const struct kr_text *from);
int kr_text_append_part(struct kr_text *text, const struct kr_text *from,
                        size_t start, size_t length);
/* The bytes of SPAN as its file has them. 0 or -ENOMEM. */
int kr_text_append_span(struct kr_text *text, struct kr_span span);
/* The bytes of S, which all come from ORIGIN as a whole: one of no file, or of
 * more than one byte. 0 or -ENOMEM. */
int kr_text_append_made(struct kr_text *text, const char *s,
                        struct kr_origin origin);
/* Bytes that are in no file. 0 or -ENOMEM. */
int kr_text_append_string(struct kr_text *text, const char *s);

/*
 * The bytes of a file that the part [START, START + LENGTH) of TEXT was made
 * from, from the first byte's origin to the last byte's end, and all that lies
 * between. No file: the part is empty, comes from no file, from more than one,
 * or not in order.
 */
struct kr_span kr_text_span(const struct kr_text *text, size_t start,
                            size_t length);

void kr_text_done(struct kr_text *text);

#define _cleanup_text_ _cleanup_(kr_text_done)
