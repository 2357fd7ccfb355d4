/* SPDX-License-Identifier: Apache-2.0 */

/* base/edit: splices, and the laws they keep. */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/edit.h"
#include "testing.h"

struct splice {
	size_t offset, length;
	const char *text;
	int want; /* of kr_edits_add() */
};

struct row {
	const char *name;
	const char *in;
	struct splice splices[4];
	const char *want;
};

static const struct row rows[] = {
	{.name = "no edits", .in = "abc", .want = "abc"},
	{.name = "replace",
         .in = "k: false\n",
         .splices = {{3, 5, "true"}},
         .want = "k: true\n"},
	{.name = "cut at both ends",
         .in = "abcdef",
         .splices = {{0, 1, ""}, {5, 1, ""}},
         .want = "bcde"},
	{.name = "out of order",
         .in = "abcdef",
         .splices = {{4, 1, "E"}, {1, 1, "B"}},
         .want = "aBcdEf"},
	{.name = "insert into nothing",
         .in = "",
         .splices = {{0, 0, "x"}},
         .want = "x"},
	{.name = "insert at the end",
         .in = "ab",
         .splices = {{2, 0, "c"}},
         .want = "abc"},
	{.name = "the same edit twice is one",
         .in = "abc",
         .splices = {{1, 1, "x"}, {1, 1, "x"}},
         .want = "axc"},
	{.name = "overlap is refused",
         .in = "abcdef",
         .splices = {{1, 3, "x"}, {3, 2, "y", -EEXIST}},
         .want = "axef"},
	{.name = "overlap from the left is refused",
         .in = "abcdef",
         .splices = {{3, 2, "x"}, {1, 3, "y", -EEXIST}},
         .want = "abcxf"},
	{.name = "two insertions at one place are refused",
         .in = "ab",
         .splices = {{1, 0, "x"}, {1, 0, "y", -EEXIST}},
         .want = "axb"},
};

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	const struct kr_file *file =
		kr_test_file("/f", row->in, strlen(row->in));
	_cleanup_edits_ struct kr_edits edits = {0};
	_cleanup_free_ char *out = NULL;
	size_t size;

	for (size_t i = 0; i < 4 && row->splices[i].text; i++) {
		const struct splice *s = &row->splices[i];
		struct kr_span span = {file, s->offset, s->length};

		ck_assert_msg(kr_edits_add(&edits, span, s->text) == s->want,
		              "%s: splice %zu", row->name, i);
	}
	if (edits.n_files == 0) {
		ck_assert_str_eq(row->in, row->want);
		return;
	}
	ck_assert_int_eq(kr_file_edits_apply(&edits.files[0], &out, &size), 0);
	ck_assert_msg(strcmp(out, row->want) == 0, "%s: got '%s'", row->name,
	              out);
	ck_assert_uint_eq(size, strlen(row->want));
}
END_TEST

START_TEST(test_cut)
{
	const struct kr_file *file = kr_test_file("/f", "ab cd ef gh", 11);
	_cleanup_edits_ struct kr_edits edits = {0};
	_cleanup_free_ char *out = NULL;
	size_t size;

	/* "cd " and " ef" overlap in a blank, " gh" touches them */
	ck_assert_int_eq(kr_edits_cut(&edits, (struct kr_span){file, 3, 3}), 0);
	ck_assert_int_eq(kr_edits_cut(&edits, (struct kr_span){file, 8, 3}), 0);
	ck_assert_int_eq(kr_edits_cut(&edits, (struct kr_span){file, 5, 3}), 0);
	ck_assert_uint_eq(edits.files[0].n_edits, 1);
	ck_assert_int_eq(
		kr_edits_add(&edits, (struct kr_span){file, 0, 2}, "x"), 0);
	ck_assert_int_eq(kr_edits_cut(&edits, (struct kr_span){file, 1, 3}),
	                 -EEXIST);
	ck_assert_int_eq(kr_file_edits_apply(&edits.files[0], &out, &size), 0);
	ck_assert_str_eq(out, "x ");
}
END_TEST

START_TEST(test_join)
{
	const struct kr_file *file = kr_test_file("/f", "ab cd ef", 8);
	_cleanup_edits_ struct kr_edits edits = {0};
	_cleanup_free_ char *out = NULL;
	size_t size;

	/* a cut, an insertion at its end, and one that stands apart */
	ck_assert_int_eq(kr_edits_cut(&edits, (struct kr_span){file, 2, 3}), 0);
	ck_assert_int_eq(
		kr_edits_add(&edits, (struct kr_span){file, 5, 0}, " XY"), 0);
	ck_assert_int_eq(
		kr_edits_add(&edits, (struct kr_span){file, 8, 0}, "!"), 0);
	ck_assert_uint_eq(edits.files[0].n_edits, 3);
	ck_assert_int_eq(kr_edits_join(&edits), 0);
	ck_assert_uint_eq(edits.files[0].n_edits, 2);
	ck_assert_uint_eq(edits.files[0].edits[0].length, 3);
	ck_assert_str_eq(edits.files[0].edits[0].text, " XY");
	ck_assert_int_eq(kr_file_edits_apply(&edits.files[0], &out, &size), 0);
	ck_assert_str_eq(out, "ab XY ef!");
}
END_TEST

/* Edits that somebody else made up, of six bytes. */
static const struct {
	const char *name;
	struct splice edits[2];
	int want;
} made_up[] = {
	{"apart", {{0, 2, "x"}, {3, 3, "y"}}, 0},
	{"touching", {{0, 2, "x"}, {2, 4, "y"}}, 0},
	{"inserted behind", {{0, 6, "x"}, {6, 0, "y"}}, 0},
	{"one byte too long", {{0, 7, "x"}}, -EINVAL},
	{"behind the end", {{7, 0, "x"}}, -EINVAL},
	{"the second too long", {{0, 2, "x"}, {5, 2, "y"}}, -EINVAL},
	{"an end that wraps", {{6, SIZE_MAX, "x"}}, -EINVAL},
	{"an end that wraps to the first", {{1, SIZE_MAX, "x"}}, -EINVAL},
	{"a start without end", {{SIZE_MAX, 0, "x"}}, -EINVAL},
	{"unsorted", {{3, 1, "x"}, {0, 1, "y"}}, -EINVAL},
	{"overlapping", {{0, 3, "x"}, {2, 2, "y"}}, -EINVAL},
	{"overlapping by all", {{0, 6, "x"}, {0, 6, "y"}}, -EINVAL},
	{"twice at one place", {{2, 0, "x"}, {2, 0, "y"}}, -EINVAL},
	{"an insertion before a cut", {{2, 0, "x"}, {2, 1, "y"}}, -EINVAL},
};

START_TEST(test_made_up)
{
	struct kr_edit edits[2];
	struct kr_file_edits f = {
		.file = kr_test_file("/f", "abcdef", 6),
		.edits = edits,
	};
	_cleanup_free_ char *out = NULL;
	size_t size = 0;
	int r;

	for (; f.n_edits < 2 && made_up[_i].edits[f.n_edits].text;
	     f.n_edits++) {
		const struct splice *s = &made_up[_i].edits[f.n_edits];

		edits[f.n_edits] = (struct kr_edit){s->offset, s->length,
		                                    (char *)(uintptr_t)s->text};
	}
	r = kr_file_edits_apply(&f, &out, &size);
	ck_assert_msg(r == made_up[_i].want, "%s: %d", made_up[_i].name, r);
	ck_assert_msg((out != NULL) == (r == 0), "%s", made_up[_i].name);
}
END_TEST

START_TEST(test_create)
{
	_cleanup_edits_ struct kr_edits edits = {0};
	_cleanup_free_ char *out = NULL;
	size_t size;

	ck_assert_int_eq(kr_edits_create(&edits, "/n", "text\n"), 0);
	ck_assert_int_eq(kr_edits_create(&edits, "/n", "text\n"), -EEXIST);
	ck_assert_ptr_null(edits.files[0].file);
	ck_assert_int_eq(kr_file_edits_apply(&edits.files[0], &out, &size), 0);
	ck_assert_str_eq(out, "text\n");
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "edit", NULL, NULL);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_made_up, 0, ARRAY_SIZE(made_up));
	tcase_add_test(tc, test_create);
	tcase_add_test(tc, test_join);
	tcase_add_test(tc, test_cut);
}

KR_TEST_MAIN(add_tests);
