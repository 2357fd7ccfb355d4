/* SPDX-License-Identifier: Apache-2.0 */

/* base/text: what was decoded still knows its bytes. */

#include <string.h>

#include "base/text.h"
#include "testing.h"

#define SOURCE "Environment='KUBELET_ARGS=a \\\n  --x=\\x66'\n"

static const struct kr_file *source(void)
{
	return kr_test_file("/etc/unit", SOURCE, strlen(SOURCE));
}

static struct kr_span span_of(const struct kr_file *file, const char *s)
{
	const char *at = strstr(file->data, s);

	ck_assert_ptr_nonnull(at);
	return (struct kr_span){file, (size_t)(at - file->data), strlen(s)};
}

/* A text of the bytes of SPAN, each its own origin. */
static int from_span(struct kr_text *text, struct kr_span span)
{
	struct kr_origin origin = {span.file, (unsigned)span.offset, 1};

	for (size_t i = 0; i < span.length; i++, origin.offset++)
		ck_assert_int_eq(kr_text_push(text,
		                              span.file->data[origin.offset],
		                              origin),
		                 0);
	return kr_text_append_string(text, "");
}

START_TEST(test_from_span)
{
	const struct kr_file *file = source();
	_cleanup_text_ struct kr_text text = {0};
	struct kr_span span = span_of(file, "KUBELET"), back;

	ck_assert_int_eq(from_span(&text, span), 0);
	ck_assert_str_eq(text.bytes, "KUBELET");
	ck_assert_uint_eq(text.length, 7);
	back = kr_text_span(&text, 2, 3);
	ck_assert_ptr_eq(back.file, file);
	ck_assert_uint_eq(back.offset, span.offset + 2);
	ck_assert_uint_eq(back.length, 3);
}
END_TEST

START_TEST(test_empty)
{
	const struct kr_file *file = source();
	_cleanup_text_ struct kr_text text = {0}, other = {0};
	struct kr_span none = {file, 3, 0};

	ck_assert_int_eq(from_span(&text, none), 0);
	ck_assert_str_eq(text.bytes, "");
	ck_assert_ptr_null(kr_text_span(&text, 0, 0).file);
	ck_assert_int_eq(kr_text_append(&text, &other), 0);
	ck_assert_uint_eq(text.length, 0);
	ck_assert_ptr_null(kr_text_span(&other, 0, 0).file);
}
END_TEST

/* A word over a continuation and with an escape is cut from its first byte to
 * the end of its last one's source. */
START_TEST(test_escape_and_join)
{
	const struct kr_file *file = source();
	struct kr_span a = span_of(file, "a "), x = span_of(file, "--x=");
	struct kr_span escape = span_of(file, "\\x66");
	_cleanup_text_ struct kr_text word = {0}, tail = {0};
	struct kr_span span;

	ck_assert_int_eq(from_span(&word, a), 0);
	ck_assert_int_eq(from_span(&tail, x), 0);
	ck_assert_int_eq(kr_text_append(&word, &tail), 0);
	ck_assert_int_eq(kr_text_push(&word, 'f',
	                              (struct kr_origin){
					      .file = file,
					      .offset = (unsigned)escape.offset,
					      .length = 4,
				      }),
	                 0);
	ck_assert_str_eq(word.bytes, "a --x=f");
	span = kr_text_span(&word, 0, word.length);
	ck_assert_uint_eq(span.offset, a.offset);
	ck_assert_uint_eq(kr_span_end(span), kr_span_end(escape));
	span = kr_text_span(&word, 6, 1);
	ck_assert_uint_eq(span.offset, escape.offset);
	ck_assert_uint_eq(span.length, 4);
}
END_TEST

START_TEST(test_part)
{
	const struct kr_file *file = source();
	_cleanup_text_ struct kr_text all = {0}, part = {0};
	struct kr_span all_span = {file, 0, file->size};

	ck_assert_int_eq(from_span(&all, all_span), 0);
	ck_assert_int_eq(kr_text_append_part(&part, &all, 4, 3), 0);
	ck_assert_int_eq(kr_text_append_part(&part, &all, 0, 0), 0);
	ck_assert_str_eq(part.bytes, "ron");
	ck_assert_uint_eq(kr_text_span(&part, 0, 3).offset, 4);
}
END_TEST

START_TEST(test_no_place)
{
	const struct kr_file *file = source();
	const struct kr_file *other = kr_test_file("/other", "zz", 2);
	_cleanup_text_ struct kr_text text = {0}, second = {0};
	struct kr_span end = {file, 5, 1}, start = {file, 1, 1};
	struct kr_span elsewhere = {other, 0, 1};

	ck_assert_int_eq(from_span(&text, end), 0);
	ck_assert_int_eq(kr_text_append_string(&text, "%i"), 0);
	ck_assert_int_eq(from_span(&second, start), 0);
	ck_assert_int_eq(kr_text_append(&text, &second), 0);
	kr_text_done(&second);
	ck_assert_int_eq(from_span(&second, elsewhere), 0);
	ck_assert_int_eq(kr_text_append(&text, &second), 0);
	/* bytes: one of the file, two of none, one before it, one of another */
	ck_assert_uint_eq(text.length, 5);
	ck_assert_ptr_eq(kr_text_span(&text, 0, 1).file, file);
	ck_assert_ptr_null(kr_text_span(&text, 1, 1).file);
	ck_assert_ptr_null(kr_text_span(&text, 0, 2).file);
	ck_assert_ptr_null(kr_text_span(&text, 0, 4).file);
	ck_assert_ptr_null(kr_text_span(&text, 3, 2).file);
	ck_assert_ptr_eq(kr_text_span(&text, 4, 1).file, other);
}
END_TEST

START_TEST(test_grows)
{
	const struct kr_file *file = source();
	_cleanup_text_ struct kr_text text = {0};

	for (unsigned i = 0; i < 5000; i++)
		ck_assert_int_eq(
			kr_text_push(&text, (char)('a' + i % 26),
		                     (struct kr_origin){file, i % 40, 1}),
			0);
	ck_assert_uint_eq(text.length, 5000);
	ck_assert_uint_eq(strlen(text.bytes), 5000);
	ck_assert_int_eq(text.bytes[4999], 'a' + 4999 % 26);
	ck_assert_uint_eq(kr_text_origin(&text, 4999).offset, 4999 % 40);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "text", NULL, NULL);

	tcase_add_test(tc, test_from_span);
	tcase_add_test(tc, test_empty);
	tcase_add_test(tc, test_escape_and_join);
	tcase_add_test(tc, test_part);
	tcase_add_test(tc, test_no_place);
	tcase_add_test(tc, test_grows);
}

KR_TEST_MAIN(add_tests);
