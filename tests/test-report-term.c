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

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "report-term", NULL, NULL);

	tcase_add_loop_test(tc, test_snippet, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_words);
}

KR_TEST_MAIN(add_tests);
