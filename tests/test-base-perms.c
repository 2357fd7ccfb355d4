/* SPDX-License-Identifier: Apache-2.0 */

/* base/perms: what takes a change of mode or owner back, and its words. */

#include <errno.h>
#include <string.h>

#include "base/perms.h"
#include "testing.h"

#define OLD   0644, 1000, 1000
#define MODE  0600, 1000, 1000
#define OWNER 0644, 0, 0
#define BOTH  0600, 0, 0

static const struct {
	const char *name;
	struct kr_perms from, to, now;
	enum kr_perms_found want;
	struct kr_perms back;
} rows[] = {
	{"mode", {OLD}, {MODE}, {MODE}, KR_PERMS_OURS, {OLD}},
	{"mode, back already", {OLD}, {MODE}, {OLD}, KR_PERMS_BEFORE, {OLD}},
	{"mode, others'",
         {OLD},
         {MODE},
         {0640, 1000, 1000},
         KR_PERMS_OTHERS,
         {0640, 1000, 1000}},
	{"mode, others' owner",
         {OLD},
         {MODE},
         {0600, 7, 7},
         KR_PERMS_OURS,
         {0644, 7, 7}},
	{"owner", {OLD}, {OWNER}, {OWNER}, KR_PERMS_OURS, {OLD}},
	{"owner, back already", {OLD}, {OWNER}, {OLD}, KR_PERMS_BEFORE, {OLD}},
	{"owner, others'",
         {OLD},
         {OWNER},
         {0644, 7, 7},
         KR_PERMS_OTHERS,
         {0644, 7, 7}},
	{"owner, the group alone",
         {OLD},
         {OWNER},
         {0644, 0, 7},
         KR_PERMS_OTHERS,
         {0644, 0, 7}},
	{"owner, others' mode",
         {OLD},
         {OWNER},
         {0640, 0, 0},
         KR_PERMS_OURS,
         {0640, 1000, 1000}},
	{"both", {OLD}, {BOTH}, {BOTH}, KR_PERMS_OURS, {OLD}},
	{"both, the owner so far",
         {OLD},
         {BOTH},
         {OWNER},
         KR_PERMS_OURS,
         {OLD}},
	{"both, the mode still", {OLD}, {BOTH}, {MODE}, KR_PERMS_OURS, {OLD}},
	{"both, others' mode",
         {OLD},
         {BOTH},
         {0400, 0, 0},
         KR_PERMS_OTHERS,
         {0400, 1000, 1000}},
	{"both, others' owner",
         {OLD},
         {BOTH},
         {0600, 7, 0},
         KR_PERMS_OTHERS,
         {0644, 7, 0}},
	{"nothing", {OLD}, {OLD}, {BOTH}, KR_PERMS_BEFORE, {BOTH}},
};

START_TEST(test_take_back)
{
	const struct kr_perms_change change = {rows[_i].from, rows[_i].to};
	struct kr_perms back;
	enum kr_perms_found found =
		kr_perms_take_back(&change, &rows[_i].now, &back);

	ck_assert_msg(found == rows[_i].want, "%s: %d", rows[_i].name, found);
	ck_assert_msg(kr_perms_equal(&back, &rows[_i].back), "%s: %04o %u:%u",
	              rows[_i].name, (unsigned)back.mode, back.uid, back.gid);
}
END_TEST

static const struct {
	const char *in;
	bool fine;
	mode_t want;
} modes[] = {
	{"0644", true, 0644}, {"0000", true, 0}, {"7777", true, 07777},
	{"644", false},       {"00644", false},  {"0648", false},
	{"", false},          {"-644", false},   {" 644", false},
	{"0x44", false},      {"064 ", false},   {"0o44", false},
};

START_TEST(test_mode)
{
	char again[KR_MODE_SIZE];
	mode_t mode = 1;
	int r = kr_mode_parse(modes[_i].in, &mode);

	ck_assert_msg(r == (modes[_i].fine ? 0 : -EINVAL), "'%s': %d",
	              modes[_i].in, r);
	ck_assert_uint_eq(mode, modes[_i].fine ? modes[_i].want : 1);
	if (r < 0)
		return;
	kr_mode_format(mode, again);
	ck_assert_str_eq(again, modes[_i].in);
}
END_TEST

static const struct {
	const char *in;
	bool fine;
	uid_t uid;
	gid_t gid;
	const char *words;
} owners[] = {
	{"0:0", true, 0, 0, "root:root"},
	{"1000:0", true, 1000, 0, "1000:root"},
	{"0:1000", true, 0, 1000, "root:1000"},
	{"4294967295:4294967295", true, 4294967295, 4294967295,
         "4294967295:4294967295"},
	{"4294967296:0", false},
	{"99999999999:0", false},
	{"root:root", false},
	{"", false},
	{"0", false},
	{"0:", false},
	{":0", false},
	{"0:0 ", false},
	{" 0:0", false},
	{"0: 0", false},
	{"00:0", false},
	{"+1:0", false},
	{"-1:0", false},
	{"1:0:0", false},
};

START_TEST(test_owner)
{
	struct kr_perms perms = {.mode = 0640, .uid = 5, .gid = 6};
	char again[KR_OWNER_SIZE];
	int r = kr_owner_parse(owners[_i].in, &perms);

	ck_assert_msg(r == (owners[_i].fine ? 0 : -EINVAL), "'%s': %d",
	              owners[_i].in, r);
	ck_assert_uint_eq(perms.mode, 0640);
	ck_assert_uint_eq(perms.uid, r < 0 ? 5 : owners[_i].uid);
	ck_assert_uint_eq(perms.gid, r < 0 ? 6 : owners[_i].gid);
	if (r < 0)
		return;
	kr_owner_format(&perms, again);
	ck_assert_str_eq(again, owners[_i].in);
	kr_owner_describe(&perms, again);
	ck_assert_str_eq(again, owners[_i].words);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "perms", NULL, NULL);

	tcase_add_loop_test(tc, test_take_back, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_mode, 0, ARRAY_SIZE(modes));
	tcase_add_loop_test(tc, test_owner, 0, ARRAY_SIZE(owners));
}

KR_TEST_MAIN(add_tests);
