/* SPDX-License-Identifier: Apache-2.0 */

/* base/diag: messages own what they show. */

#include <errno.h>
#include <string.h>

#include "base/diag.h"
#include "testing-memory.h"
#include "testing.h"

#define SOURCE "one\ntwo words\nthree\n"

static const struct kr_file *source(void)
{
	return kr_test_file("/etc/f", SOURCE, strlen(SOURCE));
}

START_TEST(test_place)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	struct kr_span span = {source(), 8, 5};
	const struct kr_message *m;

	kr_diag_add(&diag, KR_ERROR, "code", span, "%s: %d", "words", 2);
	ck_assert_uint_eq(diag.n_messages, 1);
	m = &diag.messages[0];
	ck_assert_int_eq(m->severity, KR_ERROR);
	ck_assert_str_eq(m->code, "code");
	ck_assert_str_eq(m->file, "/etc/f");
	ck_assert_uint_eq(m->line, 2);
	ck_assert_uint_eq(m->column, 5);
	ck_assert_str_eq(m->text, "words: 2");
	ck_assert_str_eq(m->source, "two words");
	ck_assert_uint_eq(m->length, 5);
}
END_TEST

/* What spans lines is marked to the end of its first one. */
START_TEST(test_long_span)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	struct kr_span span = {source(), 8, 11};

	kr_diag_add(&diag, KR_NOTE, "code", span, "x");
	ck_assert_str_eq(diag.messages[0].source, "two words");
	ck_assert_uint_eq(diag.messages[0].length, 5);
}
END_TEST

START_TEST(test_end_of_file)
{
	const struct kr_file *file = source();
	_cleanup_diag_ struct kr_diag diag = {0};
	struct kr_span span = {file, file->size, 0};

	kr_diag_add(&diag, KR_NOTE, "code", span, "x");
	ck_assert_uint_eq(diag.messages[0].line, 4);
	ck_assert_str_eq(diag.messages[0].source, "");
	ck_assert_uint_eq(diag.messages[0].length, 0);
}
END_TEST

/* The line is as long as its columns say, whatever is in it. */
START_TEST(test_nul)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	struct kr_span span = {kr_test_file("/f", "a\0b\n", 4), 2, 1};

	kr_diag_add(&diag, KR_ERROR, "code", span, "x");
	ck_assert_str_eq(diag.messages[0].source, "a b");
	ck_assert_uint_eq(diag.messages[0].column, 3);
}
END_TEST

START_TEST(test_no_place)
{
	_cleanup_diag_ struct kr_diag diag = {0};

	kr_diag_add(&diag, KR_WARNING, "code", KR_SPAN_NONE, "x");
	kr_diag_add_path(&diag, KR_WARNING, "code", "/dir", "x");
	ck_assert_uint_eq(diag.n_messages, 2);
	ck_assert_ptr_null(diag.messages[0].file);
	ck_assert_ptr_null(diag.messages[0].source);
	ck_assert_str_eq(diag.messages[1].file, "/dir");
	ck_assert_uint_eq(diag.messages[1].line, 0);
}
END_TEST

START_TEST(test_nobody_asks)
{
	struct kr_span span = {source(), 0, 1};

	/* nothing happens, nothing leaks */
	kr_diag_add(NULL, KR_ERROR, "code", span, "x");
	kr_diag_add_path(NULL, KR_ERROR, "code", "/f", "x");
}
END_TEST

START_TEST(test_same_again)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	const struct kr_file *file = source();
	struct kr_span span = {file, 0, 1}, other = {file, 1, 1};

	kr_diag_add(&diag, KR_ERROR, "code", span, "x");
	kr_diag_add(&diag, KR_ERROR, "code", span, "x");
	ck_assert_uint_eq(diag.n_messages, 1);
	kr_diag_add(&diag, KR_WARNING, "code", span, "x");
	kr_diag_add(&diag, KR_ERROR, "code", other, "x");
	kr_diag_add(&diag, KR_ERROR, "code", span, "y");
	kr_diag_add(&diag, KR_ERROR, "code", KR_SPAN_NONE, "x");
	ck_assert_uint_eq(diag.n_messages, 5);
}
END_TEST

/* What is wrong a thousand times is said KR_DIAG_KEPT times, and counted. */
START_TEST(test_many)
{
	_cleanup_diag_ struct kr_diag diag = {0}, from = {0};
	const struct kr_file *file = source();
	struct kr_span word = {file, 4, 3}, next = {file, 8, 5};

	for (int i = 0; i < 1000; i++)
		kr_diag_add(&diag, KR_NOTE, "a", word, "%d", i);
	ck_assert_uint_eq(diag.n_messages, KR_DIAG_KEPT + 1);
	ck_assert_str_eq(diag.messages[KR_DIAG_KEPT].text,
	                 "and 980 more of this kind (a)");
	ck_assert_uint_eq(diag.messages[KR_DIAG_KEPT].n_more, 980);
	ck_assert_str_eq(diag.messages[KR_DIAG_KEPT - 1].text, "19");

	/* those that are known are not more; another kind is another kind */
	kr_diag_add(&diag, KR_NOTE, "a", word, "7");
	ck_assert_uint_eq(diag.messages[KR_DIAG_KEPT].n_more, 980);
	kr_diag_add(&diag, KR_WARNING, "a", word, "7");
	kr_diag_add(&diag, KR_NOTE, "b", next, "7");
	ck_assert_uint_eq(diag.n_messages, KR_DIAG_KEPT + 3);

	/* numbers add up, whichever way they come */
	for (int i = 0; i < 30; i++)
		kr_diag_add(&from, KR_NOTE, "b", next, "from %d", i);
	kr_diag_add_more(&from, KR_NOTE, "a", 20);
	kr_diag_merge(&diag, &from);
	ck_assert_uint_eq(diag.messages[KR_DIAG_KEPT].n_more, 1000);
	ck_assert_uint_eq(diag.n_messages, 2 * KR_DIAG_KEPT + 3);
	ck_assert_str_eq(diag.messages[diag.n_messages - 1].text,
	                 "and 11 more of this kind (b)");
	kr_diag_add_more(&diag, KR_NOTE, "c", 0);
	ck_assert_uint_eq(diag.n_messages, 2 * KR_DIAG_KEPT + 3);
}
END_TEST

/* A line that several speak of is held once, and outlives its file. */
START_TEST(test_shared_line)
{
	_cleanup_diag_ struct kr_diag diag = {0}, from = {0};
	const struct kr_file *file = source();
	struct kr_span two = {file, 4, 3}, words = {file, 8, 5};
	struct kr_span one = {file, 0, 3};
	const struct kr_message *m;

	kr_diag_add(&from, KR_NOTE, "a", two, "x");
	kr_diag_add(&from, KR_NOTE, "a", words, "x");
	kr_diag_add(&from, KR_NOTE, "a", one, "x");
	kr_diag_merge(&diag, &from);
	m = diag.messages;
	ck_assert_str_eq(m[0].source, "two words");
	ck_assert_ptr_eq(m[0].source, m[1].source);
	ck_assert_str_eq(m[2].source, "one");
}
END_TEST

START_TEST(test_merge)
{
	_cleanup_diag_ struct kr_diag diag = {0}, from = {0};

	kr_diag_add_path(&diag, KR_WARNING, "a", "/f", "x");
	kr_diag_add_path(&from, KR_WARNING, "a", "/f", "x");
	kr_diag_add_path(&from, KR_ERROR, "b", "/f", "y");
	kr_diag_merge(&diag, &from);
	ck_assert_uint_eq(diag.n_messages, 2);
	ck_assert_uint_eq(from.n_messages, 0);
	ck_assert_str_eq(diag.messages[1].code, "b");
	kr_diag_merge(&diag, &from);
	ck_assert_uint_eq(diag.n_messages, 2);
}
END_TEST

/* Where nobody wants the words they go. */
START_TEST(test_merge_into_nothing)
{
	struct kr_diag from = {0};

	kr_diag_add(&from, KR_ERROR, "x", KR_SPAN_NONE, "words");
	kr_diag_merge(NULL, &from);
	ck_assert_uint_eq(from.n_messages, 0);
	ck_assert_ptr_null(from.messages);
}
END_TEST

START_TEST(test_find)
{
	_cleanup_diag_ struct kr_diag diag = {0};

	ck_assert_ptr_null(kr_diag_first(&diag, KR_ERROR));
	kr_diag_add(&diag, KR_NOTE, "a", KR_SPAN_NONE, "1");
	kr_diag_add(&diag, KR_ERROR, "b", KR_SPAN_NONE, "2");
	kr_diag_add(&diag, KR_ERROR, "b", KR_SPAN_NONE, "3");
	ck_assert_str_eq(kr_diag_first(&diag, KR_ERROR)->text, "2");
	ck_assert_str_eq(kr_diag_find(&diag, "b")->text, "2");
	ck_assert_ptr_null(kr_diag_find(&diag, "c"));
	ck_assert_ptr_null(kr_diag_first(&diag, KR_WARNING));
}
END_TEST

START_TEST(test_cause)
{
	_cleanup_diag_ struct kr_diag diag = {0};

	ck_assert_ptr_null(kr_diag_cause(&diag));
	kr_diag_add_path(&diag, KR_WARNING, "a", "/a", "1");
	ck_assert_ptr_null(kr_diag_cause(&diag));
	kr_diag_add(&diag, KR_ERROR, "b", KR_SPAN_NONE, "2");
	kr_diag_add(&diag, KR_ERROR, "c", KR_SPAN_NONE, "3");
	ck_assert_str_eq(kr_diag_cause(&diag)->code, "b");
	kr_diag_add_path(&diag, KR_ERROR, "d", "/d", "4");
	kr_diag_add_path(&diag, KR_ERROR, "e", "/e", "5");
	ck_assert_str_eq(kr_diag_cause(&diag)->code, "d");
}
END_TEST

START_TEST(test_names)
{
	ck_assert_str_eq(kr_severity_to_string(KR_ERROR), "error");
	ck_assert_str_eq(kr_severity_to_string(KR_WARNING), "warning");
	ck_assert_str_eq(kr_severity_to_string(KR_NOTE), "note");
}
END_TEST

/* The message outlives the file it speaks of. */
START_TEST(test_owns)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	char data[] = "key: 1\n", path[] = "/f";
	struct kr_file file = {.path = path, .data = data, .size = 7};
	struct kr_span span = {&file, 5, 1};

	kr_diag_add(&diag, KR_ERROR, "code", span, "%s", path);
	memset(data, 'x', 7);
	memset(path, 'x', 2);
	ck_assert_str_eq(diag.messages[0].source, "key: 1");
	ck_assert_str_eq(diag.messages[0].file, "/f");
	ck_assert_str_eq(diag.messages[0].text, "/f");
}
END_TEST

static void say_all(struct kr_diag *diag)
{
	struct kr_diag other = {0};
	char data[] = "key: 1\nkey: 2\n", path[] = "/f";
	struct kr_file file = {.path = path, .data = data, .size = 14};

	kr_diag_add(diag, KR_ERROR, "a", (struct kr_span){&file, 5, 1}, "no");
	kr_diag_add_path(diag, KR_WARNING, "b", "/g", "%d", 1);
	kr_diag_add(&other, KR_NOTE, "c", KR_SPAN_NONE, "other");
	kr_diag_add_more(&other, KR_NOTE, "c", 7);
	kr_diag_merge(diag, &other);
}

/* What is there is whole, and what is missing is known to be. */
START_TEST(test_no_memory)
{
	unsigned n = 0;
	bool to_come;

	do {
		_cleanup_diag_ struct kr_diag diag = {0};

		kr_test_fail_allocation(++n);
		say_all(&diag);
		to_come = kr_test_allocation_to_come();
		kr_test_fail_allocation(0);
		ck_assert_msg(diag.failed || diag.n_messages == 4,
		              "allocation %u: %zu messages", n,
		              diag.n_messages);
		ck_assert_int_eq(kr_diag_result(&diag, 1),
		                 diag.failed ? -ENOMEM : 1);
		ck_assert_int_eq(kr_diag_result(&diag, -EIO), -EIO);
		ck_assert_msg(!to_come || !diag.failed, "allocation %u", n);
		for (size_t i = 0; i < diag.n_messages; i++)
			ck_assert_ptr_nonnull(diag.messages[i].text);
	} while (!to_come);
	ck_assert_uint_gt(n, 9);
	ck_assert_int_eq(kr_diag_result(NULL, 0), 0);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "diag", NULL, NULL);

	tcase_add_test(tc, test_place);
	tcase_add_test(tc, test_long_span);
	tcase_add_test(tc, test_end_of_file);
	tcase_add_test(tc, test_nul);
	tcase_add_test(tc, test_no_place);
	tcase_add_test(tc, test_nobody_asks);
	tcase_add_test(tc, test_same_again);
	tcase_add_test(tc, test_many);
	tcase_add_test(tc, test_shared_line);
	tcase_add_test(tc, test_merge);
	tcase_add_test(tc, test_merge_into_nothing);
	tcase_add_test(tc, test_find);
	tcase_add_test(tc, test_cause);
	tcase_add_test(tc, test_names);
	tcase_add_test(tc, test_owns);
	tcase_add_test(tc, test_no_memory);
}

KR_TEST_MAIN(add_tests);
