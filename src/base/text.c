/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Decoded text with an origin for each byte. Most texts are a piece of a file
 * as it stands there: the origins are kept in runs, so that a text is little
 * more than its bytes, hostile or not. A run is made of bytes of length 1,
 * one behind the other, or of bytes with the very same origin.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/vec.h"

/* What malloc(3) gives at least. */
#define SIZE_MIN ((size_t)24)

/* To a power of two. */
static size_t round_up(size_t need)
{
	size_t size = 32;

	while (size < need)
		size *= 2;
	return size;
}

/* As much as is asked for at first, then the next power of two. */
static int reserve(struct kr_text *text, size_t more)
{
	size_t need = (size_t)text->length + more + 1, size = need;
	char *bytes;

	if (need <= text->size)
		return 0;
	if (size < SIZE_MIN)
		size = SIZE_MIN;
	if (text->size > 0)
		size = round_up(need);
	if (size > UINT32_MAX)
		return -ENOMEM;
	bytes = realloc(text->size > 0 ? text->bytes : NULL, size);
	if (!bytes)
		return -ENOMEM;
	if (text->size == 0 && text->bytes)
		memcpy(bytes, text->bytes, (size_t)text->length + 1);
	text->bytes = bytes;
	text->size = (uint32_t)size;
	return 0;
}

/* Where a run starts; the first has no place of its own. */
static size_t run_start(const struct kr_text *text, size_t run)
{
	return run == 0 ? 0 : text->more[run - 1].start;
}

/* The origin of byte I, which is in RUN or would be the next in it. */
static struct kr_origin origin_in(const struct kr_text *text, size_t run,
                                  size_t i)
{
	struct kr_origin origin = text->first;

	if (run > 0) {
		origin = text->more[run - 1].origin;
		i -= text->more[run - 1].start;
	}
	if (origin.length == 1)
		origin.offset += (unsigned)i;
	return origin;
}

static bool same_origin(struct kr_origin a, struct kr_origin b)
{
	return a.file == b.file && a.offset == b.offset && a.length == b.length;
}

/* The next byte comes from ORIGIN, and so may the next ones. */
static int begin_run(struct kr_text *text, struct kr_origin origin)
{
	struct kr_run *next;

	while (text->n_runs > 0 &&
	       run_start(text, text->n_runs - 1) >= text->length)
		text->n_runs--;
	if (text->n_runs == 0) {
		text->first = origin;
		text->n_runs = 1;
		return 0;
	}
	if (same_origin(origin_in(text, text->n_runs - 1, text->length),
	                origin))
		return 0;
	next = KR_VEC_NEXT(text->more, text->n_runs - 1);
	if (!next)
		return -ENOMEM;
	*next = (struct kr_run){origin, text->length};
	text->n_runs++;
	return 0;
}

/* The run that byte I is in. */
static size_t find_run(const struct kr_text *text, size_t i)
{
	size_t low = 0, high = text->n_runs;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (run_start(text, middle) <= i)
			low = middle;
		else
			high = middle;
	}
	return low;
}

struct kr_origin kr_text_origin(const struct kr_text *text, size_t i)
{
	return origin_in(text, find_run(text, i), i);
}

/* Behind the last byte of RUN that is before END. */
static size_t run_end(const struct kr_text *text, size_t run, size_t end)
{
	size_t next = run + 1 < text->n_runs ? run_start(text, run + 1) : end;

	return next < end ? next : end;
}

int kr_text_push(struct kr_text *text, char byte, struct kr_origin origin)
{
	int r = reserve(text, 1);

	if (r < 0)
		return r;
	r = begin_run(text, origin);
	if (r < 0)
		return r;
	text->bytes[text->length] = byte;
	text->bytes[++text->length] = '\0';
	return 0;
}

/* Appends N bytes that come from ORIGIN on. */
static int push_run(struct kr_text *text, const char *bytes, size_t n,
                    struct kr_origin origin)
{
	int r = n > 0 ? begin_run(text, origin) : 0;

	if (r < 0)
		return r;
	memcpy(text->bytes + text->length, bytes, n);
	text->length += (uint32_t)n;
	text->bytes[text->length] = '\0';
	return 0;
}

int kr_text_append_part(struct kr_text *text, const struct kr_text *from,
                        size_t start, size_t length)
{
	size_t end = start + length,
	       run = length > 0 ? find_run(from, start) : 0;
	int r = reserve(text, length);

	if (r < 0)
		return r;
	text->bytes[text->length] = '\0';
	for (size_t i = start; i < end; run++) {
		size_t next = run_end(from, run, end);

		r = push_run(text, from->bytes + i, next - i,
		             origin_in(from, run, i));
		if (r < 0)
			return r;
		i = next;
	}
	return 0;
}

int kr_text_append(struct kr_text *text, const struct kr_text *from)
{
	return kr_text_append_part(text, from, 0, from->length);
}

static int append_run(struct kr_text *text, const char *bytes, size_t n,
                      struct kr_origin origin)
{
	int r = reserve(text, n);

	return r < 0 ? r : push_run(text, bytes, n, origin);
}

int kr_text_append_span(struct kr_text *text, struct kr_span span)
{
	struct kr_span first = {span.file, span.offset, 1};

	return append_run(text, span.file->data + span.offset, span.length,
	                  kr_span_origin(first));
}

int kr_text_append_made(struct kr_text *text, const char *s,
                        struct kr_origin origin)
{
	return append_run(text, s, strlen(s), origin);
}

int kr_text_append_string(struct kr_text *text, const char *s)
{
	return append_run(text, s, strlen(s), (struct kr_origin){0});
}

struct kr_span kr_text_span(const struct kr_text *text, size_t start,
                            size_t length)
{
	size_t end = start + length, run;
	struct kr_origin first, last;

	if (length == 0)
		return KR_SPAN_NONE;
	run = find_run(text, start);
	first = last = origin_in(text, run, start);
	if (!first.file)
		return KR_SPAN_NONE;
	for (size_t i = start; i < end; run++) {
		struct kr_origin o = origin_in(text, run, i);

		if (o.file != first.file || o.offset < last.offset)
			return KR_SPAN_NONE;
		i = run_end(text, run, end);
		last = origin_in(text, run, i - 1);
	}
	return (struct kr_span){
		.file = first.file,
		.offset = first.offset,
		.length = last.offset + last.length - first.offset,
	};
}

void kr_text_done(struct kr_text *text)
{
	if (text->size > 0)
		free(text->bytes);
	free(text->more);
	*text = (struct kr_text){0};
}
