/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Decoded text with an origin for each byte. An array as long as the text is
 * more memory than runs would be, but the texts are assignments of unit files
 * (a few hundred bytes), and every decoder stays a plain loop over bytes.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static int reserve(struct kr_text *text, size_t more)
{
	size_t need = text->length + more + 1;
	size_t size = text->size ? text->size : 64;
	struct kr_origin *origins;
	char *bytes;

	if (need <= text->size)
		return 0;
	while (size < need)
		size *= 2;
	bytes = realloc(text->bytes, size);
	if (!bytes)
		return -ENOMEM;
	text->bytes = bytes;
	origins = reallocarray(text->origins, size, sizeof(*origins));
	if (!origins)
		return -ENOMEM;
	text->origins = origins;
	text->size = size;
	return 0;
}

int kr_text_push(struct kr_text *text, char byte, struct kr_origin origin)
{
	int r = reserve(text, 1);

	if (r < 0)
		return r;
	text->bytes[text->length] = byte;
	text->origins[text->length] = origin;
	text->bytes[++text->length] = '\0';
	return 0;
}

int kr_text_from_span(struct kr_text *text, struct kr_span span)
{
	int r;

	*text = (struct kr_text){0};
	r = reserve(text, span.length);
	if (r < 0) {
		kr_text_done(text);
		return r;
	}
	for (size_t i = 0; i < span.length; i++) {
		text->bytes[i] = span.file->data[span.offset + i];
		text->origins[i] = (struct kr_origin){
			.file = span.file,
			.offset = (unsigned)(span.offset + i),
			.length = 1,
		};
	}
	text->length = span.length;
	text->bytes[text->length] = '\0';
	return 0;
}

int kr_text_append_part(struct kr_text *text, const struct kr_text *from,
                        size_t start, size_t length)
{
	int r = reserve(text, length);

	if (r < 0)
		return r;
	if (length > 0) {
		memcpy(text->bytes + text->length, from->bytes + start, length);
		memcpy(text->origins + text->length, from->origins + start,
		       length * sizeof(*from->origins));
	}
	text->length += length;
	text->bytes[text->length] = '\0';
	return 0;
}

int kr_text_append(struct kr_text *text, const struct kr_text *from)
{
	return kr_text_append_part(text, from, 0, from->length);
}

int kr_text_append_string(struct kr_text *text, const char *s)
{
	int r = reserve(text, strlen(s));

	for (; r == 0 && *s; s++)
		r = kr_text_push(text, *s, (struct kr_origin){0});
	return r;
}

struct kr_span kr_text_span(const struct kr_text *text, size_t start,
                            size_t length)
{
	const struct kr_origin *first = text->origins + start;
	const struct kr_origin *last = first;

	if (length == 0 || !first->file)
		return KR_SPAN_NONE;
	for (size_t i = 1; i < length; i++) {
		const struct kr_origin *o = first + i;

		if (o->file != first->file || o->offset < last->offset)
			return KR_SPAN_NONE;
		last = o;
	}
	return (struct kr_span){
		.file = first->file,
		.offset = first->offset,
		.length = last->offset + last->length - first->offset,
	};
}

void kr_text_done(struct kr_text *text)
{
	free(text->bytes);
	free(text->origins);
	*text = (struct kr_text){0};
}
