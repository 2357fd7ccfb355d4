/* SPDX-License-Identifier: Apache-2.0 */

/* report/cause: whose words a reason ends in, and what repeats another. */

#include <stdint.h>
#include <string.h>

#include "report/cause.h"
#include "testing.h"

static const struct find {
	const char *name, *reason;
	int want; /* index below; -1: none */
} finds[] = {
	{"the whole", "the range", 0},
	{"behind words", "kubelet would refuse its configuration: the range",
         0},
	{"not the end", "the range of it", -1},
	{"a file", "kubelet cannot read /f: not there", 2},
	{"a file, behind words", "x: kubelet cannot read /f: not there", 2},
	{"another file", "kubelet cannot read /g: not there", -1},
	{"a file, by its own words", "/f: kubelet cannot read it: not there",
         2},
	{"a warning", "a warning", -1},
	{"nothing", "", -1},
	{"no reason", NULL, -1},
};

static void fill(struct kr_diag *diag)
{
	struct kr_file file = {
		.path = (char[]){"/f"},
		.data = (char[]){"one two"},
		.size = strlen("one two"),
	};
	const struct kr_span span = {&file, 4, 3};

	kr_diag_add(diag, KR_ERROR, "a", span, "the range");
	kr_diag_add(diag, KR_WARNING, "a", span, "a warning");
	kr_diag_add_path(diag, KR_ERROR, "b", "/f",
	                 "kubelet cannot read it: not there");
	kr_diag_add(diag, KR_ERROR, "c", KR_SPAN_NONE,
	            "kubelet would refuse it: the range: put it right");
	kr_diag_add(diag, KR_ERROR, "c", KR_SPAN_NONE,
	            "kubelet cannot read /f: not there: put it right");
	kr_diag_add(diag, KR_ERROR, "c", KR_SPAN_NONE, "another");
}

START_TEST(test_find)
{
	const struct find *row = &finds[_i];
	_cleanup_diag_ struct kr_diag diag = {0};
	const struct kr_message *found;

	fill(&diag);
	found = kr_cause_find(&diag, row->reason);
	ck_assert_msg((found ? (int)(found - diag.messages) : -1) == row->want,
	              "%s", row->name);
}
END_TEST

START_TEST(test_repeats)
{
	static const bool want[] = {false, false, false, true, true, false};
	_cleanup_diag_ struct kr_diag diag = {0};

	fill(&diag);
	ck_assert_uint_eq(diag.n_messages, ARRAY_SIZE(want));
	for (size_t i = 0; i < diag.n_messages; i++)
		ck_assert_msg(kr_cause_repeats(&diag, &diag.messages[i]) ==
		                      want[i],
		              "%s", diag.messages[i].text);
}
END_TEST

/* What is there and does not load is said, and not that it is not there. */
START_TEST(test_detail)
{
	static const struct {
		enum kr_severity severity;
		const char *code, *text;
		bool later, want;
	} rows[] = {
		{KR_NOTE, "file-not-there-yet",
	         "a names /f, which is not there yet: kubelet needs it", true,
	         true},
		{KR_NOTE, "file-not-there-yet",
	         "--kubeconfig is not given yet: kubelet needs it", true, true},
		{KR_NOTE, "file-not-there-yet",
	         "a names /f, which has no certificate that loads: kubelet "
	         "needs it",
	         false, false},
		{KR_NOTE, "file-not-there-yet",
	         "a names /f, which is a folder: kubelet needs it", false,
	         false},
		{KR_NOTE, "flag-version", "--f: only others are judged", false,
	         true},
		{KR_WARNING, "flag-version", "--f: is gone", false, false},
	};
	const struct kr_message m = {.severity = rows[_i].severity,
	                             .code = rows[_i].code,
	                             .later = rows[_i].later,
	                             .text = (char *)(uintptr_t)rows[_i].text};

	ck_assert_msg(kr_cause_is_detail(&m) == rows[_i].want, "%s", m.text);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "report-cause", NULL, NULL);

	tcase_add_loop_test(tc, test_find, 0, ARRAY_SIZE(finds));
	tcase_add_test(tc, test_repeats);
	tcase_add_loop_test(tc, test_detail, 0, 6);
}

KR_TEST_MAIN(add_tests);
