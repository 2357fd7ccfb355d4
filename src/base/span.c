/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Spans. The position of a byte is counted when somebody asks for it: only the
 * few spans that are printed need it, and an index of lines would cost every
 * file read.
 */

#include <string.h>

#include <sha2.h>

#include "base/span.h"

void kr_span_position(struct kr_span span, unsigned *ret_line,
                      unsigned *ret_column)
{
	const char *start = span.file->data;
	const char *at = start + span.offset;
	const char *line = start;
	const char *lf;
	unsigned n = 1;

	while (line < at && (lf = memchr(line, '\n', at - line))) {
		line = lf + 1;
		n++;
	}
	*ret_line = n;
	*ret_column = (unsigned)(at - line) + 1;
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
