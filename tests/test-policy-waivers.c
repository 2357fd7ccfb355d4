/* SPDX-License-Identifier: Apache-2.0 */

/* policy/waivers: which lines hold, and whose file is heeded. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "policy/waivers.h"
#include "testing.h"

#define DAY (UINT64_C(24) * 60 * 60 * KR_USEC_PER_SEC)
#define NOW (UINT64_C(20786) * DAY) /* 2026-11-29, 00:00 UTC */

static const char *own_name(const char *name)
{
	if (strcmp(name, "other") == 0)
		return NULL;
	return strcmp(name, "flag-of-a") == 0 ? "a" : name;
}

static const struct row {
	const char *name, *text;
	const char *want;    /* "NAME/UNTIL/REASON", joined by ";" */
	const char *warning; /* that is found; NULL: there is none */
	uint64_t now;        /* 0: NOW */
} rows[] = {
	{"one", "readOnlyPort old collector\n", "readOnlyPort//old collector"},
	{"without a line end", "a b", "a//b"},
	{"two, a comment, a blank line",
         "# of the team\n\n a b \n\t c\td  e \r\n", "a//b;c//d  e"},
	{"until a day", "a until=2026-12-31 b\n", "a/2026-12-31/b"},
	{"until today", "a until=2026-11-29 b\n", "a/2026-11-29/b"},
	{"the last moment of that day", "a until=2026-11-28 b\n",
         "a/2026-11-28/b", NULL, NOW - 1},
	{"expired", "a until=2026-11-28 b\n", "", "it has expired"},
	{"no such day", "a until=2026-02-30 b\n", "", "must be a day"},
	{"a leap day", "a until=2028-02-29 b\n", "a/2028-02-29/b"},
	{"a month that is none", "a until=2026-13-01 b\n", "", "must be a day"},
	{"a short day", "a until=2026-1-1 b\n", "", "must be a day"},
	{"a long day", "a until=2026-12-311 b\n", "", "must be a day"},
	{"another way to write it", "a until=26-12-31xx b\n", "",
         "must be a day"},
	{"blanks in a day", "a until=2026- 1- 1 b\n", "", "must be a day"},
	{"no day", "a until= b\n", "", "must be a day"},
	{"until in the reason", "a b until=2020-01-01\n",
         "a//b until=2020-01-01"},
	{"no reason", "a\n", "", "a reason must be given"},
	{"no reason but a day", "a until=2026-12-31\n", "",
         "a reason must be given"},
	{"no control", "other b\nc d\n", "c//d", "no control of this name"},
	{"another name of its control", "flag-of-a b\n", "a//b"},
	{"twice", "a b\na c\n", "a//b;a//c"},
	{"a comment behind it", "a b # c\n", "a//b # c"},
	{"NUL", "a b\0c\n", "", "must be text"},
	{"bytes that are no text", "a \xff\n", "a//\xef\xbf\xbd"},
	{"nothing", "", ""},
};

static size_t size_of(const struct row *row)
{
	return strcmp(row->name, "NUL") == 0 ? 6 : strlen(row->text);
}

static void format(const struct kr_waivers *w, char *ret, size_t size)
{
	size_t n = 0;

	*ret = '\0';
	for (size_t i = 0; i < w->n_items; i++)
		n += (size_t)snprintf(ret + n, size - n, "%s%s/%s/%s",
		                      n ? ";" : "", w->items[i].name,
		                      w->items[i].until, w->items[i].reason);
}

START_TEST(test_lines)
{
	const struct row *row = &rows[_i];
	const struct kr_waivers_options options = {
		.realtime_usec = row->now ? row->now : NOW,
		.own_name = own_name,
	};
	struct kr_waivers w = {0};
	struct kr_diag diag = {0};
	struct kr_fs *fs;
	char got[256];

	kr_root_write_bytes(KR_WAIVERS_PATH, row->text, size_of(row));
	fs = kr_root_fs();
	ck_assert_int_eq(
		kr_waivers_read(fs, KR_WAIVERS_PATH, &options, &diag, &w), 0);
	format(&w, got, sizeof(got));
	ck_assert_msg(strcmp(got, row->want) == 0, "%s: %s", row->name, got);
	ck_assert_msg(diag.n_messages == (row->warning != NULL),
	              "%s: %zu messages", row->name, diag.n_messages);
	if (row->warning)
		ck_assert_msg(strstr(diag.messages[0].text, row->warning) !=
		                      NULL,
		              "%s: %s", row->name, diag.messages[0].text);
	kr_waivers_done(&w);
	kr_fs_free(fs);
	kr_diag_done(&diag);
}
END_TEST

START_TEST(test_find)
{
	const struct kr_waivers_options options = {.realtime_usec = NOW};
	struct kr_waivers w = {0};
	struct kr_diag diag = {0};
	struct kr_fs *fs;

	kr_root_write(KR_WAIVERS_PATH, "ab x\na y\na z\n");
	fs = kr_root_fs();
	ck_assert_int_eq(
		kr_waivers_read(fs, KR_WAIVERS_PATH, &options, &diag, &w), 0);
	ck_assert_str_eq(kr_waivers_find(&w, "a")->reason, "y");
	ck_assert_uint_eq(kr_waivers_find(&w, "a")->place.offset, 5);
	ck_assert_ptr_null(kr_waivers_find(&w, "b"));
	kr_waivers_done(&w);
	kr_fs_free(fs);
	kr_diag_done(&diag);
}
END_TEST

/* --- whose file it is ---------------------------------------------------- */

enum what {
	OURS,
	GROUP,
	OTHERS,
	SOMEBODYS,
	FOLDER,
	LINK,
	MISSING,
};

static const struct {
	enum what what;
	int want;
} files[] = {
	{OURS, 0},           {GROUP, -EPERM},  {OTHERS, -EPERM},
	{SOMEBODYS, -EPERM}, {FOLDER, -EPERM}, {LINK, 0},
	{MISSING, -ENOENT},
};

static void make(enum what what)
{
	static const mode_t modes[] = {
		[OURS] = 0600,      [GROUP] = 0660, [OTHERS] = 0602,
		[SOMEBODYS] = 0644, [LINK] = 0644,
	};
	const char *path = what == LINK ? "/etc/x" : KR_WAIVERS_PATH;

	if (what == MISSING)
		return;
	if (what == FOLDER) {
		kr_root_mkdir(KR_WAIVERS_PATH);
		return;
	}
	kr_root_write(path, "a b\n");
	ck_assert_int_eq(fchmodat(kr_root_fd, path + 1, modes[what], 0), 0);
	if (what == SOMEBODYS)
		ck_assert_int_eq(fchownat(kr_root_fd, path + 1, 1000, 0, 0), 0);
	if (what == LINK)
		kr_root_symlink(path, KR_WAIVERS_PATH);
}

START_TEST(test_whose)
{
	const struct kr_waivers_options options = {.realtime_usec = NOW};
	struct kr_waivers w = {0};
	struct kr_diag diag = {0};
	struct kr_fs *fs;

	if (geteuid() != 0) {
		printf("# skipped: files of others, without root\n");
		return;
	}
	make(files[_i].what);
	fs = kr_root_fs();
	ck_assert_int_eq(
		kr_waivers_read(fs, KR_WAIVERS_PATH, &options, &diag, &w),
		files[_i].want);
	ck_assert_uint_eq(diag.n_messages, files[_i].want == -EPERM);
	kr_waivers_done(&w);
	kr_fs_free(fs);
	kr_diag_done(&diag);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "waivers", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_lines, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_find);
	tcase_add_loop_test(tc, test_whose, 0, ARRAY_SIZE(files));
}

KR_TEST_MAIN(add_tests);
