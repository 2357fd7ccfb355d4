/* SPDX-License-Identifier: Apache-2.0 */

/* base/span: lines and columns as people count them. */

#include <string.h>

#include "base/span.h"
#include "testing.h"

struct row {
	const char *name;
	const char *data;
	size_t offset;
	unsigned line, column;
	const char *text; /* of the line */
};

static const struct row rows[] = {
	{"an empty file", "", 0, 1, 1, ""},
	{"the first byte", "ab\ncd\n", 0, 1, 1, "ab"},
	{"the end of a line", "ab\ncd\n", 2, 1, 3, "ab"},
	{"the start of a line", "ab\ncd\n", 3, 2, 1, "cd"},
	{"the end of the file", "ab\ncd\n", 6, 3, 1, ""},
	{"no line end at the end", "ab\ncd", 4, 2, 2, "cd"},
	{"behind the last byte", "ab\ncd", 5, 2, 3, "cd"},
	{"empty lines", "\n\n\nx", 3, 4, 1, "x"},
	{"an empty line", "\n\n\nx", 1, 2, 1, ""},
	{"CR is a byte of the line", "ab\r\ncd\r\n", 4, 2, 1, "cd\r"},
	{"CR ends no line", "ab\rcd", 3, 1, 4, "ab\rcd"},
	{"columns are bytes", "\xc3\xa4\xc3\xa4x", 4, 1, 5,
         "\xc3\xa4\xc3\xa4x"},
	{"a tab is one column", "\t\tx", 2, 1, 3, "\t\tx"},
};

START_TEST(test_position)
{
	const struct row *row = &rows[_i];
	const struct kr_file *file =
		kr_test_file("/f", row->data, strlen(row->data));
	struct kr_span span = {file, row->offset, 0}, line;
	unsigned n, column;

	kr_span_position(span, &n, &column);
	ck_assert_msg(n == row->line && column == row->column, "%s: %u:%u",
	              row->name, n, column);
	line = kr_span_line(span);
	ck_assert_msg(line.length == strlen(row->text) &&
	                      !memcmp(file->data + line.offset, row->text,
	                              line.length),
	              "%s: '%.*s'", row->name, (int)line.length,
	              file->data + line.offset);
	ck_assert_ptr_eq(line.file, file);
}
END_TEST

START_TEST(test_nul)
{
	const struct kr_file *file = kr_test_file("/f", "a\0b\nc\0d", 7);
	struct kr_span span = {file, 6, 1};
	unsigned line, column;

	kr_span_position(span, &line, &column);
	ck_assert_uint_eq(line, 2);
	ck_assert_uint_eq(column, 3);
	ck_assert_uint_eq(kr_span_line(span).length, 3);
}
END_TEST

/* In which order positions are asked for is no matter. */
START_TEST(test_order)
{
	static const char data[] = "ab\n\n\xc3\xa4\xc3\xa4\xff x\ncd";
	static const unsigned lines[] = {1, 1, 1, 2, 3, 3, 3, 3,
	                                 3, 3, 3, 3, 4, 4, 4};
	static const unsigned columns[] = {1, 2, 3, 1, 1, 2, 3, 4,
	                                   5, 6, 7, 8, 1, 2, 3};
	/* before the byte; within a character its first bytes are none */
	static const unsigned characters[] = {0, 1, 2, 0, 0, 1, 1, 2,
	                                      2, 3, 4, 5, 0, 1, 2};
	const size_t n = ARRAY_SIZE(lines);

	ck_assert_uint_eq(strlen(data) + 1, n);
	for (size_t step = 1; step < n; step++) {
		const struct kr_file *file =
			kr_test_file("/f", data, strlen(data));

		for (size_t i = 0; i <= 2 * n; i++) {
			size_t at = i * step % n;
			struct kr_span span = {file, at, 0};
			bool whole = at != 5 && at != 7;
			unsigned line, column;

			kr_span_position(span, &line, &column);
			ck_assert_uint_eq(line, lines[at]);
			ck_assert_uint_eq(column, columns[at]);
			if (whole)
				ck_assert_uint_eq(kr_span_characters(span),
				                  characters[at]);
		}
	}
}
END_TEST

START_TEST(test_sha256)
{
	char hex[KR_SHA256_HEX_SIZE];

	/* FIPS 180-2, appendix B.1, and the empty message */
	kr_sha256_hex("abc", 3, hex);
	ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223"
	                      "b00361a396177a9cb410ff61f20015ad");
	kr_sha256_hex("", 0, hex);
	ck_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb924"
	                      "27ae41e4649b934ca495991b7852b855");
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "span", NULL, NULL);

	tcase_add_loop_test(tc, test_position, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_nul);
	tcase_add_test(tc, test_order);
	tcase_add_test(tc, test_sha256);
}

KR_TEST_MAIN(add_tests);
