/* SPDX-License-Identifier: Apache-2.0 */

/*
 * cli/suggest: which word was meant, among commands and options as they are.
 */

#include <string.h>

#include "cli/suggest.h"
#include "testing.h"

static const char *const words[] = {
	"audit",  "fix",     "undo",   "history", "status",   "fleet",
	"--help", "dry-run", "config", "configz", "no-retry", "restart",
};

static const struct row {
	const char *name;
	const char *word;
	const char *want; /* NULL: none is near */
} rows[] = {
	{"two exchanged", "audti", "audit"},
	{"two exchanged at the start", "uadit", "audit"},
	{"one left out", "adit", "audit"},
	{"the last left out: a beginning", "audi", "audit"},
	{"one too many", "audits", "audit"},
	{"another one", "audot", "audit"},
	{"one of three letters", "fux", "fix"},
	{"two exchanged of three", "fxi", "fix"},
	{"two slips of seven letters", "hsitroy", "history"},
	{"three slips of nine letters", "hsitory3x", "history"},
	{"three slips of seven letters", "xsitorx", NULL},
	{"a beginning", "hist", "history"},
	{"a beginning of three letters", "con", "config"},
	{"a beginning of two letters", "hi", NULL},
	{"two slips of four letters", "nudp", NULL},
	{"the shorter of two that begin so", "conf", "config"},
	{"the word itself with a slip beats another", "configy", "config"},
	{"upper case", "AUDIT", "audit"},
	{"upper case and a slip", "Audti", "audit"},
	{"no dashes", "help", "--help"},
	{"more dashes", "---dry-run", "dry-run"},
	{"another dash inside", "dry_run", "dry-run"},
	{"no dash inside", "dryrun", "dry-run"},
	{"none is near", "deploy", NULL},
	{"two letters, two slips", "ls", NULL},
	{"no letter", "", NULL},
	{"dashes alone", "--", NULL},
	{"longer than any", "auditauditauditauditauditauditauditauditaudit",
         NULL},
	{"bytes above 0x7f are letters", "aud\xc3\xaft", "audit"},
};

START_TEST(test_row)
{
	const struct row *row = &rows[_i];
	struct kr_suggest s = kr_suggest_for(row->word);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		kr_suggest_offer(&s, words[i]);
	ck_assert_msg(!row->want == !s.nearest &&
	                      (!row->want || strcmp(row->want, s.nearest) == 0),
	              "%s: %s", row->name, s.nearest ? s.nearest : "none");
}
END_TEST

START_TEST(test_order)
{
	struct kr_suggest s = kr_suggest_for("fox");

	/* another word for the same: its name is kept */
	kr_suggest_offer_as(&s, "foxes", "animals");
	ck_assert_str_eq(s.nearest, "animals");
	s = kr_suggest_for("fox");
	/* of two as near the first stays */
	kr_suggest_offer(&s, "fix");
	kr_suggest_offer(&s, "fax");
	ck_assert_str_eq(s.nearest, "fix");
	kr_suggest_offer(&s, "fox");
	ck_assert_str_eq(s.nearest, "fox");
}
END_TEST

START_TEST(test_longest)
{
	char longest[49] = {0};
	struct kr_suggest s;

	memset(longest, 'x', 48);
	s = kr_suggest_for(longest);
	kr_suggest_offer(&s, longest);
	ck_assert_ptr_eq(s.nearest, longest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "cli-suggest", NULL, NULL);

	tcase_add_loop_test(tc, test_row, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_order);
	tcase_add_test(tc, test_longest);
}

KR_TEST_MAIN(add_tests);
