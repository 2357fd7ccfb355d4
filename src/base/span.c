/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Spans. The position of a byte is counted when it is asked for: only the
 * few spans that are printed need it, and an index of lines would cost every
 * file read. They are asked for in the order of the file, as a rule: the count
 * goes on from the last one, so that a file with many costs one pass.
 */

#include <string.h>

#include <sha2.h>

#include "base/span.h"
#include "base/utf8.h"

/* The line that holds SPAN's first byte. */
static struct kr_line find_line(struct kr_span span)
{
	const char *data = span.file->data;
	struct kr_line line = {0};
	const char *lf;

	if (span.file->line && span.file->line->offset <= span.offset)
		line = *span.file->line;
	while (line.checked < span.offset &&
	       (lf = memchr(data + line.checked, '\n',
	                    span.offset - line.checked))) {
		line.offset = line.checked = (uint32_t)(lf + 1 - data);
		line.number++;
		line.counted = line.offset;
		line.characters = 0;
	}
	if (line.checked < span.offset)
		line.checked = span.offset;
	return line;
}

static void keep_line(const struct kr_file *file, struct kr_line line)
{
	if (file->line)
		*file->line = line;
}

void kr_span_position(struct kr_span span, unsigned *ret_line,
                      unsigned *ret_column)
{
	struct kr_line line = find_line(span);

	keep_line(span.file, line);
	*ret_line = line.number + 1;
	*ret_column = (unsigned)(span.offset - line.offset) + 1;
}

size_t kr_span_characters(struct kr_span span)
{
	struct kr_line line = find_line(span);

	if (line.counted > span.offset) {
		line.counted = line.offset;
		line.characters = 0;
	}
	line.characters += (uint32_t)kr_utf8_count(
		span.file->data + line.counted, span.offset - line.counted);
	line.counted = span.offset;
	keep_line(span.file, line);
	return line.characters;
}

struct kr_span kr_span_line(struct kr_span span)
{
	const char *data = span.file->data;
	const char *at = data + span.offset;
	const char *lf = memrchr(data, '\n', span.offset);
	const char *end = memchr(at, '\n', span.file->size - span.offset);
	struct kr_span line = {.file = span.file};

	line.offset = lf ? (size_t)(lf + 1 - data) : 0;
	line.length =
		(end ? (size_t)(end - data) : span.file->size) - line.offset;
	return line;
}

void kr_sha256_hex(const void *data, size_t size,
                   char ret[static KR_SHA256_HEX_SIZE])
{
	SHA256Data((const uint8_t *)data, size, ret);
}

bool kr_file_has_hash(const struct kr_file *file, const char *want)
{
	char hex[KR_SHA256_HEX_SIZE];

	kr_sha256_hex(file->data, file->size, hex);
	return strcmp(hex, want) == 0;
}
