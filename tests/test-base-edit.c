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
         .splices = {{1, 3, "x"}, {3, 2, "y", KR_COLLIDES}},
         .want = "axef"},
	{.name = "overlap from the left is refused",
         .in = "abcdef",
         .splices = {{3, 2, "x"}, {1, 3, "y", KR_COLLIDES}},
         .want = "abcxf"},
	{.name = "two insertions at one place are refused",
         .in = "ab",
         .splices = {{1, 0, "x"}, {1, 0, "y", KR_COLLIDES}},
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
	                 KR_COLLIDES);
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

/* Edits of what edits leave. */
static const struct {
	const char *name, *in;
	struct splice first[4], then[4];
	const char *want;
	size_t n_edits;
} chains[] = {
	{"apart",
         "abcdef",
         {{1, 1, "BB"}},
         {{0, 1, "A"}, {5, 1, "E"}},
         "ABBcdEf",
         2},
	{"behind a cut", "abcdef", {{0, 3, ""}}, {{1, 1, "E"}}, "dEf", 2},
	{"inside of a text",
         "abcdef",
         {{1, 1, "123"}},
         {{2, 1, "x"}},
         "a1x3cdef",
         1},
	{"a text is cut again",
         "abcdef",
         {{3, 0, "123"}},
         {{3, 3, ""}},
         "abcdef",
         0},
	{"a text is cut again, its place is not",
         "abcdef",
         {{2, 1, "123"}},
         {{2, 3, ""}},
         "abdef",
         1},
	{"at the start of a text",
         "abcdef",
         {{3, 0, "123"}},
         {{3, 0, "x"}},
         "abcx123def",
         1},
	{"at the end of a text",
         "abcdef",
         {{3, 0, "123"}},
         {{6, 0, "x"}},
         "abc123xdef",
         1},
	{"at the end of all",
         "ab",
         {{2, 0, "123"}},
         {{5, 0, "x"}},
         "ab123x",
         1},
	{"from before into a text",
         "abcdef",
         {{3, 1, "123"}},
         {{1, 3, "x"}},
         "ax23ef",
         1},
	{"from a text to behind it",
         "abcdef",
         {{2, 1, "123"}},
         {{4, 3, "x"}},
         "ab12xf",
         1},
	{"over a text", "abcdef", {{2, 1, "123"}}, {{1, 5, "x"}}, "axef", 1},
	{"over several",
         "abcdef",
         {{1, 1, ""}, {3, 0, "12"}, {5, 1, "F"}},
         {{0, 5, "x"}},
         "xeF",
         2},
	{"from text to text",
         "abcdef",
         {{1, 1, "123"}, {4, 1, "456"}},
         {{3, 4, "x"}},
         "a12x56f",
         1},
	{"two in one text",
         "abcdef",
         {{1, 4, "123456"}},
         {{1, 1, "x"}, {4, 1, "yy"}},
         "ax23yy56f",
         1},
	{"at a cut", "abcdef", {{2, 2, ""}}, {{2, 0, "x"}}, "abxef", 1},
};

START_TEST(test_then)
{
	const struct kr_file *after,
		*file = kr_test_file("/f", chains[_i].in,
	                             strlen(chains[_i].in));
	_cleanup_edits_ struct kr_edits edits = {0}, more = {0};
	_cleanup_free_ char *middle = NULL, *out = NULL;
	size_t size;

	for (const struct splice *s = chains[_i].first; s->text; s++)
		ck_assert_int_eq(kr_edits_add(&edits,
		                              (struct kr_span){file, s->offset,
		                                               s->length},
		                              s->text),
		                 0);
	ck_assert_int_eq(kr_file_edits_apply(&edits.files[0], &middle, &size),
	                 0);
	after = kr_test_file("/f", middle, size);
	for (const struct splice *s = chains[_i].then; s->text; s++)
		ck_assert_int_eq(kr_edits_add(&more,
		                              (struct kr_span){after, s->offset,
		                                               s->length},
		                              s->text),
		                 0);
	ck_assert_int_eq(kr_edits_then(&edits, &more), 0);
	ck_assert_uint_eq(edits.n_files, chains[_i].n_edits > 0);
	if (edits.n_files == 0)
		return;
	ck_assert_ptr_eq(edits.files[0].file, file);
	ck_assert_msg(edits.files[0].n_edits == chains[_i].n_edits,
	              "%s: %zu edits", chains[_i].name, edits.files[0].n_edits);
	ck_assert_int_eq(kr_file_edits_apply(&edits.files[0], &out, &size), 0);
	ck_assert_msg(strcmp(out, chains[_i].want) == 0, "%s: got '%s'",
	              chains[_i].name, out);
}
END_TEST

/* Every two edits, and every edit of what they leave, come to the same in one
 * step. */
START_TEST(test_then_all)
{
	static const char *const texts[] = {"", "x", "yz"};
	const struct kr_file *file = kr_test_file("/f", "abcd", 4);

	for (size_t n = 0; n < 5 * 5 * 3 * 7 * 7 * 3; n++) {
		size_t a = n % 5, b = n / 5 % 5, k = n / 25 % 3;
		size_t c = n / 75 % 7, d = n / 525 % 7, l = n / 3675;
		_cleanup_edits_ struct kr_edits edits = {0}, more = {0};
		_cleanup_free_ char *middle = NULL, *out = NULL, *one = NULL;
		struct kr_file after = *file;
		size_t size, one_size;

		if (a > b || c > d)
			continue;
		ck_assert(!kr_edits_add(
			&edits, (struct kr_span){file, a, b - a}, texts[k]));
		if (b < 4)
			ck_assert(!kr_edits_add(
				&edits, (struct kr_span){file, 4, 0}, "E"));
		ck_assert(!kr_file_edits_apply(&edits.files[0], &middle,
		                               &after.size));
		after.data = middle;
		if (d > after.size)
			continue;
		ck_assert(!kr_edits_add(
			&more, (struct kr_span){&after, c, d - c}, texts[l]));
		ck_assert(!kr_file_edits_apply(&more.files[0], &out, &size));
		ck_assert(!kr_edits_then(&edits, &more));
		if (edits.n_files == 0) {
			ck_assert_str_eq(out, file->data);
			continue;
		}
		ck_assert(
			!kr_file_edits_apply(&edits.files[0], &one, &one_size));
		ck_assert_msg(size == one_size && strcmp(out, one) == 0,
		              "%zu: '%s' and '%s'", n, out, one);
	}
}
END_TEST

/* A file that is made, one that goes, and others. */
START_TEST(test_then_files)
{
	const struct kr_file *a = kr_test_file("/a", "abc", 3);
	const struct kr_file *b = kr_test_file("/b", "abc", 3);
	const struct kr_file *made = kr_test_file("/new", "1\n", 2);
	_cleanup_edits_ struct kr_edits edits = {0}, more = {0}, gone = {0};

	ck_assert_int_eq(kr_edits_create(&edits, "/new", "1\n"), 0);
	ck_assert_int_eq(kr_edits_add(&edits, (struct kr_span){a, 0, 1}, "x"),
	                 0);
	ck_assert_int_eq(
		kr_edits_add(&more, (struct kr_span){made, 2, 0}, "2\n"), 0);
	ck_assert_int_eq(kr_edits_add(&more, (struct kr_span){b, 1, 1}, "y"),
	                 0);
	ck_assert_int_eq(kr_edits_then(&edits, &more), 0);
	ck_assert_uint_eq(edits.n_files, 3);
	ck_assert_ptr_null(edits.files[0].file);
	ck_assert_str_eq(edits.files[0].edits[0].text, "1\n2\n");
	ck_assert_ptr_eq(edits.files[2].file, b);
	ck_assert_str_eq(edits.files[2].edits[0].text, "y");
	ck_assert_int_eq(kr_edits_remove(&gone, a), 0);
	ck_assert_int_eq(kr_edits_then(&edits, &gone), KR_COLLIDES);
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
	ck_assert_int_eq(kr_edits_create(&edits, "/n", "text\n"), KR_COLLIDES);
	ck_assert_ptr_null(edits.files[0].file);
	ck_assert_int_eq(kr_file_edits_apply(&edits.files[0], &out, &size), 0);
	ck_assert_str_eq(out, "text\n");
}
END_TEST

/* --- mode and owner ------------------------------------------------------ */

/* A file of the disk, as one that was read. */
static const struct kr_file *file_of(mode_t mode, uid_t uid, gid_t gid)
{
	const struct kr_file *file = kr_test_file("/f", "abc", 3);
	struct kr_file_stat *st = (struct kr_file_stat *)(uintptr_t)&file->st;

	st->st_mode = S_IFREG | mode;
	st->st_uid = uid;
	st->st_gid = gid;
	return file;
}

enum step {
	END,
	CHMOD,
	CHOWN,
	EDIT,
	CUT, /* the file goes */
};

static const struct {
	const char *name;
	struct {
		enum step step;
		unsigned a, b;
		int want;
	} steps[4];
	unsigned n_files;
	struct kr_perms to; /* of a file 0644 1000:1000 */
	bool in_place;
} changes[] = {
	{"mode", {{CHMOD, 0600}}, 1, {0600, 1000, 1000}, true},
	{"its type is not a mode",
         {{CHMOD, S_IFREG | 0600}},
         1,
         {0600, 1000, 1000},
         true},
	{"owner", {{CHOWN, 0, 0}}, 1, {0644, 0, 0}, true},
	{"group", {{CHOWN, 1000, 0}}, 1, {0644, 1000, 0}, true},
	{"both", {{CHMOD, 0600}, {CHOWN, 0, 0}}, 1, {0600, 0, 0}, true},
	{"both, too", {{CHOWN, 0, 0}, {CHMOD, 0600}}, 1, {0600, 0, 0}, true},
	{"a mode that it has", {{CHMOD, 0644}}, 0, {0}, false},
	{"an owner that it has", {{CHOWN, 1000, 1000}}, 0, {0}, false},
	{"the same twice",
         {{CHMOD, 0600}, {CHMOD, 0600}},
         1,
         {0600, 1000, 1000},
         true},
	{"another one",
         {{CHMOD, 0600}, {CHMOD, 0400, 0, KR_COLLIDES}},
         1,
         {0600, 1000, 1000},
         true},
	{"the old one then",
         {{CHMOD, 0600}, {CHMOD, 0644, 0, KR_COLLIDES}},
         1,
         {0600, 1000, 1000},
         true},
	{"another owner",
         {{CHOWN, 0, 0}, {CHOWN, 0, 7, KR_COLLIDES}, {CHOWN, 0, 0}},
         1,
         {0644, 0, 0},
         true},
	{"with an edit",
         {{CHMOD, 0600}, {EDIT}, {CHOWN, 0, 0}},
         1,
         {0600, 0, 0},
         false},
	{"behind an edit",
         {{EDIT}, {CHMOD, 0600}},
         1,
         {0600, 1000, 1000},
         false},
	{"goes",
         {{CUT}, {CHMOD, 0600, 0, KR_COLLIDES}, {CHOWN, 0, 0, KR_COLLIDES}},
         1,
         {0},
         false},
	{"to go",
         {{CHMOD, 0600}, {CUT, 0, 0, KR_COLLIDES}},
         1,
         {0600, 1000, 1000},
         true},
};

static int take(struct kr_edits *edits, const struct kr_file *file,
                enum step step, unsigned a, unsigned b)
{
	switch (step) {
	case CHMOD:
		return kr_edits_chmod(edits, file, a);
	case CHOWN:
		return kr_edits_chown(edits, file, a, b);
	case CUT:
		return kr_edits_remove(edits, file);
	default:
		return kr_edits_add(edits, (struct kr_span){file, 1, 1}, "x");
	}
}

START_TEST(test_perms)
{
	const struct kr_file *file = file_of(0644, 1000, 1000);
	_cleanup_edits_ struct kr_edits edits = {0};
	const struct kr_perms old = {0644, 1000, 1000};
	const struct kr_perms_change *c;

	for (size_t i = 0; i < 4 && changes[_i].steps[i].step != END; i++) {
		int r = take(&edits, file, changes[_i].steps[i].step,
		             changes[_i].steps[i].a, changes[_i].steps[i].b);

		ck_assert_msg(r == changes[_i].steps[i].want,
		              "%s: step %zu: %d", changes[_i].name, i, r);
	}
	ck_assert_msg(edits.n_files == changes[_i].n_files, "%s",
	              changes[_i].name);
	if (edits.n_files == 0)
		return;
	c = &edits.files[0].perms;
	ck_assert_msg(kr_perms_equal(&c->to, &changes[_i].to), "%s: %04o %u:%u",
	              changes[_i].name, (unsigned)c->to.mode, c->to.uid,
	              c->to.gid);
	ck_assert_msg(!kr_perms_changes(c) || kr_perms_equal(&c->from, &old),
	              "%s", changes[_i].name);
	ck_assert_msg(kr_file_edits_in_place(&edits.files[0]) ==
	                      changes[_i].in_place,
	              "%s", changes[_i].name);
}
END_TEST

/* Of a file that a plan has written nothing is known but its bytes. */
START_TEST(test_perms_of_overlay)
{
	const struct kr_file *file = file_of(0, 0, 0);
	_cleanup_edits_ struct kr_edits edits = {0};

	*(bool *)(uintptr_t)&file->overlay = true;
	ck_assert_int_eq(kr_edits_chmod(&edits, file, 0600), -EINVAL);
	ck_assert_int_eq(kr_edits_chown(&edits, file, 0, 7), -EINVAL);
	ck_assert_uint_eq(edits.n_files, 0);
}
END_TEST

/* A file that is going to be made is not there to be changed. */
START_TEST(test_perms_of_made)
{
	const struct kr_file *file = file_of(0644, 1000, 1000);
	_cleanup_edits_ struct kr_edits edits = {0};

	ck_assert_int_eq(kr_edits_create(&edits, "/f", "x"), 0);
	ck_assert_int_eq(kr_edits_chmod(&edits, file, 0600), KR_COLLIDES);
	ck_assert_int_eq(kr_edits_chown(&edits, file, 0, 0), KR_COLLIDES);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "edit", NULL, NULL);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_made_up, 0, ARRAY_SIZE(made_up));
	tcase_add_test(tc, test_create);
	tcase_add_test(tc, test_join);
	tcase_add_loop_test(tc, test_then, 0, ARRAY_SIZE(chains));
	tcase_add_test(tc, test_then_all);
	tcase_add_test(tc, test_then_files);
	tcase_add_test(tc, test_cut);
	tcase_add_loop_test(tc, test_perms, 0, ARRAY_SIZE(changes));
	tcase_add_test(tc, test_perms_of_overlay);
	tcase_add_test(tc, test_perms_of_made);
}

KR_TEST_MAIN(add_tests);
