/* SPDX-License-Identifier: Apache-2.0 */

/*
 * base/format: what was there goes, also where it is one of the arguments, and
 * a text that cannot be made leaves nothing.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/format.h"
#include "testing.h"

static int set(char **text, const char *format, ...) _printf_(2, 3);

static int set(char **text, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = kr_vformat(text, format, args);
	va_end(args);
	return r;
}

START_TEST(test_set)
{
	_cleanup_free_ char *text = NULL;

	ck_assert_int_eq(set(&text, "%d%s", 1, "a"), 0);
	ck_assert_str_eq(text, "1a");
	ck_assert_int_eq(set(&text, "(%s)", text), 0);
	ck_assert_str_eq(text, "(1a)");
}
END_TEST

/* A wide character that is none is what cannot be made at once. */
START_TEST(test_failed)
{
	_cleanup_free_ char *text = strdup("before");
	const wchar_t none[] = {0x7fffffff, 0};

	ck_assert_int_eq(set(&text, "%ls", none), -ENOMEM);
	ck_assert_ptr_null(text);
}
END_TEST

static const struct {
	const char *word, *want;
} words[] = {
	{"a=/etc/x", " --set=a=/etc/x"}, {"", " --set="},
	{"a b", " --set='a b'"},         {"$(x)", " --set='$(x)'"},
	{"it's", " --set='it'\\''s'"},   {"'", " --set=''\\'''"},
};

START_TEST(test_option)
{
	_cleanup_free_ char *text = NULL;

	ck_assert_int_eq(kr_format_option(&text, "--set", words[_i].word), 0);
	ck_assert_str_eq(text, words[_i].want);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "base-format", NULL, NULL);

	tcase_add_test(tc, test_set);
	tcase_add_test(tc, test_failed);
	tcase_add_loop_test(tc, test_option, 0, ARRAY_SIZE(words));
}

KR_TEST_MAIN(add_tests);
