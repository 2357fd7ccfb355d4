/* SPDX-License-Identifier: Apache-2.0 */

/*
 * base/utf8: RFC 3629, section 4, at the edges of each of its ranges.
 */

#include <string.h>

#include "base/utf8.h"
#include "testing.h"

static const struct row {
	const char *name;
	const char *in;
	size_t size;
	size_t length; /* of the first character */
	size_t count;
	const char *copy;
} rows[] = {
	{"ASCII", "ab", 2, 1, 2, "ab"},
	{"a NUL", "\0b", 2, 1, 2, KR_UTF8_REPLACEMENT "b"},
	{"U+0080", "\xc2\x80", 2, 2, 1, "\xc2\x80"},
	{"U+07FF", "\xdf\xbf", 2, 2, 1, "\xdf\xbf"},
	{"U+0800", "\xe0\xa0\x80", 3, 3, 1, "\xe0\xa0\x80"},
	{"U+D7FF", "\xed\x9f\xbf", 3, 3, 1, "\xed\x9f\xbf"},
	{"U+E000", "\xee\x80\x80", 3, 3, 1, "\xee\x80\x80"},
	{"U+FFFF", "\xef\xbf\xbf", 3, 3, 1, "\xef\xbf\xbf"},
	{"U+10000", "\xf0\x90\x80\x80", 4, 4, 1, "\xf0\x90\x80\x80"},
	{"U+10FFFF", "\xf4\x8f\xbf\xbf", 4, 4, 1, "\xf4\x8f\xbf\xbf"},
	{"overlong, two bytes", "\xc1\xbf", 2, 0, 2,
         KR_UTF8_REPLACEMENT KR_UTF8_REPLACEMENT},
	{"overlong, three bytes", "\xe0\x9f\xbf", 3, 0, 3,
         KR_UTF8_REPLACEMENT KR_UTF8_REPLACEMENT KR_UTF8_REPLACEMENT},
	{"overlong, four bytes", "\xf0\x8f\xbf\xbf", 4, 0, 4,
         KR_UTF8_REPLACEMENT KR_UTF8_REPLACEMENT KR_UTF8_REPLACEMENT
                 KR_UTF8_REPLACEMENT},
	{"a surrogate", "\xed\xa0\x80", 3, 0, 3,
         KR_UTF8_REPLACEMENT KR_UTF8_REPLACEMENT KR_UTF8_REPLACEMENT},
	{"too high", "\xf4\x90\x80\x80", 4, 0, 4,
         KR_UTF8_REPLACEMENT KR_UTF8_REPLACEMENT KR_UTF8_REPLACEMENT
                 KR_UTF8_REPLACEMENT},
	{"no first byte",
         "\x80"
         "a",
         2, 0, 2, KR_UTF8_REPLACEMENT "a"},
	{"0xf5", "\xf5\x80\x80\x80", 4, 0, 4,
         KR_UTF8_REPLACEMENT KR_UTF8_REPLACEMENT KR_UTF8_REPLACEMENT
                 KR_UTF8_REPLACEMENT},
	{"a second byte that is none",
         "\xc3"
         "a",
         2, 0, 2, KR_UTF8_REPLACEMENT "a"},
	{"a third byte that is none",
         "\xe2\x82"
         "a",
         3, 0, 3, KR_UTF8_REPLACEMENT KR_UTF8_REPLACEMENT "a"},
	{"cut after one of two", "\xc3\xa9", 1, 0, 1, KR_UTF8_REPLACEMENT},
	{"cut after three of four", "\xf0\x9f\x98\x80", 3, 0, 3,
         KR_UTF8_REPLACEMENT KR_UTF8_REPLACEMENT KR_UTF8_REPLACEMENT},
};

START_TEST(test_row)
{
	const struct row *row = &rows[_i];
	_cleanup_free_ char *in = malloc(row->size), *copy = NULL;

	/* no byte behind it: what reads on is caught by valgrind */
	ck_assert_ptr_nonnull(in);
	memcpy(in, row->in, row->size);
	copy = kr_utf8_copy(in, row->size);
	ck_assert_msg(kr_utf8_length_at(in, row->size) == row->length,
	              "%s: length %zu", row->name,
	              kr_utf8_length_at(in, row->size));
	ck_assert_msg(kr_utf8_count(in, row->size) == row->count,
	              "%s: %zu characters", row->name,
	              kr_utf8_count(in, row->size));
	ck_assert_msg(copy && strcmp(copy, row->copy) == 0, "%s: %s", row->name,
	              copy);
}
END_TEST

static const struct shown_row {
	const char *name, *in, *shown;
} shown_rows[] = {
	{"plain", "a~ \\", "a~ \\"},
	{"a tab", "a\tb", "a b"},
	{"C0", "\x01\x1b[31m\r\n", "\\x01\\x1b[31m\\x0d\\x0a"},
	{"DEL", "\x7f", "\\x7f"},
	{"CSI of ISO 8859-1", "\x9b[31m", "\\x9b[31m"},
	{"all ends of 0x80 to 0x9f", "\x80\x9f", "\\x80\\x9f"},
	{"OSC behind a whole character", "\xc3\xa9\x9d", "\xc3\xa9\\x9d"},
	{"cut in a character", "\xe2\x80", "\\xe2\\x80"},
	{"a byte of no character", "\xa0\xff", "\\xa0\\xff"},
	{"overlong ESC", "\xc0\x9b", "\\xc0\\x9b"},
	{"C1 as UTF-8", "\xc2\x80\xc2\x9b\xc2\x9f", "\\u0080\\u009b\\u009f"},
	{"behind C1", "\xc2\xa0", "\xc2\xa0"},
	{"a letter mark", "\xd8\x9c", "\\u061c"},
	{"left and right marks", "\xe2\x80\x8e\xe2\x80\x8f", "\\u200e\\u200f"},
	{"a joiner before them", "\xe2\x80\x8d", "\xe2\x80\x8d"},
	{"separators", "\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"},
	{"embeddings, overrides",
         "\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad\xe2\x80\xae",
         "\\u202a\\u202b\\u202c\\u202d\\u202e"},
	{"isolates", "\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9",
         "\\u2066\\u2067\\u2068\\u2069"},
	{"around them", "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa",
         "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa"},
	{"letters that are read from the right", "\xd7\x90\xd8\xa7",
         "\xd7\x90\xd8\xa7"},
	{"beyond 16 bits", "\xf0\x92\x80\xae", "\xf0\x92\x80\xae"},
};

START_TEST(test_shown)
{
	const struct shown_row *row = &shown_rows[_i];
	_cleanup_free_ char *shown = kr_utf8_escape(row->in, strlen(row->in));

	ck_assert_msg(shown && strcmp(shown, row->shown) == 0, "%s: %s",
	              row->name, shown);
}
END_TEST

/* What fits is whole: a character, an escape, or nothing. */
START_TEST(test_some)
{
	static const struct {
		const char *in;
		size_t room;
		const char *want;
	} cut[] = {
		{"abc", 4, "abc"},       {"abc", 3, "ab"},
		{"abc", 1, ""},          {"", 1, ""},
		{"\x9b", 5, "\\x9b"},    {"a\x9b", 5, "a"},
		{"a\x9b", 6, "a\\x9b"},  {"\xc3\xa9x", 3, "\xc3\xa9"},
		{"\xc3\xa9x", 2, ""},    {"\xe2\x80\xae", 7, "\\u202e"},
		{"\xe2\x80\xae", 6, ""}, {"x\xe2\x80", 20, "x\\xe2\\x80"},
	};
	char ret[32];

	for (size_t i = 0; i < ARRAY_SIZE(cut); i++) {
		memset(ret, '#', sizeof(ret));
		kr_utf8_show_some(cut[i].in, strlen(cut[i].in), ret,
		                  cut[i].room);
		ck_assert_msg(strcmp(ret, cut[i].want) == 0, "%zu: %s", i, ret);
		ck_assert_int_eq(ret[cut[i].room], '#');
	}
}
END_TEST

START_TEST(test_empty)
{
	_cleanup_free_ char *copy = kr_utf8_copy("", 0);

	ck_assert_uint_eq(kr_utf8_count("", 0), 0);
	ck_assert_str_eq(copy, "");
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "base-utf8", NULL, NULL);

	tcase_add_loop_test(tc, test_row, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_shown, 0, ARRAY_SIZE(shown_rows));
	tcase_add_test(tc, test_some);
	tcase_add_test(tc, test_empty);
}

KR_TEST_MAIN(add_tests);
