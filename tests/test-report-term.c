/* SPDX-License-Identifier: Apache-2.0 */

/*
 * report/term: places and words that came from a node, as a terminal gets them.
 */

#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "report/term.h"
#include "testing.h"

struct printed {
	char *text;
	size_t size;
	struct kr_term term;
};

static void begin(struct printed *p, unsigned width)
{
	*p = (struct printed){.term.width = width};
	p->term.out = open_memstream(&p->text, &p->size);
	ck_assert_ptr_nonnull(p->term.out);
}

static const struct row {
	const char *name, *line;
	size_t at, length;
	unsigned width;
	const char *want;
} rows[] = {
	{"plain", "one two", 4, 3, 0,
         "      1 | one two\n"
         "        |     ^~~\n"},
	{"a character is one column", "\xc3\xa9 two", 3, 3, 0,
         "      1 | \xc3\xa9 two\n"
         "        |   ^~~\n"},
	{"what is escaped has the columns of its escape",
         "\x9b\xe2\x80\xae two", 5, 3, 0,
         "      1 | \\x9b\\u202e two\n"
         "        |            ^~~\n"},
	{"the meant bytes are escaped", "a=\xe2\x80\xae", 2, 3, 0,
         "      1 | a=\\u202e\n"
         "        |   ^~~~~~\n"},
	{"a mark in the middle of a character", "a\xe2\x80\xae", 2, 1, 0,
         "      1 | a\\xe2\\x80\\xae\n"
         "        |      ^~~~\n"},
	{"an escape is not wider than the terminal",
         "\x9b\x9b\x9b\x9b\x9b\x9b\x9b\x9b 4567890", 8, 8, 30,
         "      1 | \xe2\x80\xa6"
         "9b\\x9b\\x9b 4567890\n"
         "        |            ^~~~~~~~\n"},
	{"at the end", "one", 3, 0, 0,
         "      1 | one\n"
         "        |    ^\n"},
};

START_TEST(test_snippet)
{
	const struct row *row = &rows[_i];
	struct kr_file file = {
		.path = (char[]){"/f"},
		.data = strdup(row->line),
		.size = strlen(row->line),
	};
	struct kr_span span = {&file, row->at, row->length};
	_cleanup_diag_ struct kr_diag diag = {0};
	struct printed p;

	begin(&p, row->width);
	kr_term_span(&p.term, span);
	fclose(p.term.out);
	ck_assert_msg(strcmp(p.text, row->want) == 0, "%s:\n%s", row->name,
	              p.text);
	free(p.text);

	/* a message shows its line in the same way */
	kr_diag_add(&diag, KR_NOTE, "code", span, "text");
	begin(&p, row->width);
	kr_term_messages(&p.term, &diag, KR_NOTE);
	fclose(p.term.out);
	ck_assert_msg(strcmp(strchr(p.text, '\n') + 1, row->want) == 0,
	              "%s: message:\n%s", row->name, p.text);
	free(p.text);
	free(file.data);
}
END_TEST

START_TEST(test_words)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	struct printed p;

	begin(&p, 0);
	kr_term_row(&p.term, "a: ", "\x9b\tb\n\xe2\x81\xa6");
	kr_term_headline(&p.term, KR_COLOR_BAD, "FAIL", "\xd8\x9c");
	kr_diag_add_path(&diag, KR_ERROR, "code", "/\x9d", "says \x85");
	kr_term_messages(&p.term, &diag, KR_NOTE);
	fclose(p.term.out);
	ck_assert_str_eq(p.text, "a: \\x9b b\\x0a\\u2066\n"
	                         "FAIL  \\u061c\n"
	                         "error: /\\x9d: says \\x85\n");
	free(p.text);
}
END_TEST

static const struct wrap {
	const char *name, *text;
	size_t used;
	unsigned width; /* 0: the terminal does not wrap */
	const char *want;
} wraps[] = {
	{"it fits to the last column", "one two", 3, 10, "one two\n"},
	{"one column is missing", "one two", 4, 10, "one\n__two\n"},
	{"nobody wraps", "one two three", 9, 0, "one two three\n"},
	{"a long word stays whole", "abc 0123456789abcdef b", 0, 10,
         "abc\n__0123456789abcdef\n__b\n"},
	{"a break that gains nothing is not made", "a 0123456789", 0, 10,
         "a 0123456789\n"},
	{"the first word goes down, too", "one", 9, 10, "\n__one\n"},
	{"a character is one column", "\xc3\xa9\xc3\xa9\xc3\xa9 \xc3\xa9", 0, 5,
         "\xc3\xa9\xc3\xa9\xc3\xa9 \xc3\xa9\n"},
	{"an escape has its columns", "abc \x9b", 0, 7, "abc\n__\\x9b\n"},
	{"several blanks", "one   two", 0, 6, "one\n__two\n"},
	{"nothing", "", 0, 5, "\n"},
};

START_TEST(test_wrap)
{
	const struct wrap *row = &wraps[_i];
	struct printed p;

	begin(&p, row->width ? row->width : 10);
	p.term.wraps = row->width > 0;
	kr_term_wrap(&p.term, row->text, strlen(row->text), row->used, "__");
	fclose(p.term.out);
	ck_assert_msg(strcmp(p.text, row->want) == 0, "%s:\n%s", row->name,
	              p.text);
	free(p.text);
}
END_TEST

static const struct cut {
	const char *text;
	size_t room;
	const char *want;
} cuts[] = {
	{"12345", 5, "12345"},
	{"123456", 5, "1234\xe2\x80\xa6"},
	{"123456", 1, "\xe2\x80\xa6"},
	{"123456", 0, ""},
	{"", 0, ""},
	{"123456", SIZE_MAX, "123456"},
	{"\xc3\xa9\xc3\xa9\xc3\xa9", 3, "\xc3\xa9\xc3\xa9\xc3\xa9"},
	{"\xc3\xa9\xc3\xa9\xc3\xa9", 2, "\xc3\xa9\xe2\x80\xa6"},
	{"12\x9b"
         "3",
         5, "12\xe2\x80\xa6"}, /* not in the middle of one */
};

START_TEST(test_cut)
{
	const struct cut *row = &cuts[_i];
	struct printed p;

	begin(&p, 80);
	kr_term_cut(&p.term, row->text, row->room);
	fclose(p.term.out);
	ck_assert_msg(strcmp(p.text, row->want) == 0, "%s in %zu: %s",
	              row->text, row->room, p.text);
	free(p.text);
}
END_TEST

#define PLACE "/etc/kubernetes/kubelet.conf:12:3"

static const struct cut middles[] = {
	{PLACE, SIZE_MAX, PLACE},
	{PLACE, 33, PLACE},
	{PLACE, 32,
         "/etc/ku\xe2\x80\xa6"
         "rnetes/kubelet.conf:12:3"},
	{PLACE, 16,
         "/et\xe2\x80\xa6"
         "et.conf:12:3"},
	/* too little for a beginning */
	{PLACE, 15,
         "\xe2\x80\xa6"
         "elet.conf:12:3"},
	{PLACE, 1, "\xe2\x80\xa6"},
	{"/\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 3,
         "\xe2\x80\xa6\xc3\xa9\xc3\xa9"},
};

START_TEST(test_cut_middle)
{
	const struct cut *row = &middles[_i];
	struct printed p;

	begin(&p, 80);
	kr_term_cut_middle(&p.term, row->text, row->room);
	fclose(p.term.out);
	ck_assert_msg(strcmp(p.text, row->want) == 0, "%s in %zu: %s",
	              row->text, row->room, p.text);
	free(p.text);
}
END_TEST

/* --- places -------------------------------------------------------------- */

static const struct cut starts[] = {
	{"/etc/a.conf:2:48", 16, "/etc/a.conf:2:48"},
	{"/etc/a.conf:2:48", 15, "\xe2\x80\xa6tc/a.conf:2:48"},
	{"/etc/a.conf:2:48", 1, "\xe2\x80\xa6"},
	{"/etc/a.conf:2:48", SIZE_MAX, "/etc/a.conf:2:48"},
	{"/\xc3\xa9\xc3\xa9\xc3\xa9", 3, "\xe2\x80\xa6\xc3\xa9\xc3\xa9"},
	{"/a\tb\x1b[1m:1:2", 12, "\xe2\x80\xa6\\x1b[1m:1:2"},
};

START_TEST(test_cut_start)
{
	const struct cut *row = &starts[_i];
	struct printed p;

	begin(&p, 80);
	kr_term_cut_start(&p.term, row->text, row->room);
	fclose(p.term.out);
	ck_assert_msg(strcmp(p.text, row->want) == 0, "%s in %zu: %s",
	              row->text, row->room, p.text);
	free(p.text);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "report-term", NULL, NULL);

	tcase_add_loop_test(tc, test_wrap, 0, ARRAY_SIZE(wraps));
	tcase_add_loop_test(tc, test_cut, 0, ARRAY_SIZE(cuts));
	tcase_add_loop_test(tc, test_cut_middle, 0, ARRAY_SIZE(middles));
	tcase_add_loop_test(tc, test_cut_start, 0, ARRAY_SIZE(starts));

	tcase_add_loop_test(tc, test_snippet, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_words);
}

KR_TEST_MAIN(add_tests);
