/* SPDX-License-Identifier: Apache-2.0 */

/* store/hold-lines: what the file has, whose lines count, and what news make of
 * it. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/hold-lines.h"
#include "store/manifest.h"
#include "testing.h"

#define HOLDS   KR_STATE_DIR "/holds"
#define MACHINE "0123456789abcdef0123456789abcdef"
#define OTHERS  "ffffffffffffffffffffffffffffffff"
#define LINE(name, machine)                                                    \
	name "\t2026-11-29T14:00:00Z\t" machine "\tit was asked\n"

static struct kr_diag diag;

static void setup(void)
{
	kr_root_setup();
	kr_root_write("/etc/machine-id", MACHINE "\n");
}

static void teardown(void)
{
	kr_diag_done(&diag);
	kr_root_teardown();
}

static const struct row {
	const char *name;
	const char *text;  /* of the file; NULL: it is not there */
	const char *names; /* of the lines that count */
	/* of those that are not understood; of a file that is empty it is 1 */
	size_t n_warnings;
	size_t size; /* of TEXT; 0: up to its NUL */
} rows[] = {
	{"no file", NULL, "", 0},
	{"empty: of a full disk", "", "", 1},
	{"zeroes: of a power cut", "\0\0\0\0", "", 1, 4},
	{"a zero in a line", "a\tt\t" MACHINE "\tr\0s\n", "", 1, 41},
	{"garbage",
         "\x7f"
         "ELF\x02\x01\n\xff\xfe\n",
         "", 2},
	{"cut in the name", LINE("a", MACHINE) "readOn", "a", 1},
	{"cut in the time", "readOnlyPort\t2026-11-", "", 1},
	{"cut in the machine's id", "readOnlyPort\tt\t0123456789abc", "", 1},
	{"no machine's id", "readOnlyPort\tt\tsome\tr\n", "", 1},
	{"blank lines", "\n" LINE("a", MACHINE) "\n\n", "a", 0},
	{"one", LINE("readOnlyPort", MACHINE), "readOnlyPort", 0},
	{"two", LINE("a", MACHINE) LINE("b", MACHINE), "a b", 0},
	{"no line feed at the end", "a\tt\t" MACHINE "\tr", "a", 0},
	{"tabs in the reason", "a\tt\t" MACHINE "\tr\ts\n", "a", 0},
	{"another machine's", LINE("a", OTHERS) LINE("b", MACHINE), "b", 0},
	{"of a machine without an id", LINE("a", "-"), "a", 0},
	{"no reason", "a\tt\t" MACHINE "\n" LINE("b", MACHINE), "b", 1},
	{"no name", "\tt\t" MACHINE "\tr\n", "", 1},
	{"no columns", "readOnlyPort\n", "", 1},
};

START_TEST(test_read)
{
	const struct row *row = &rows[_i];
	_cleanup_hold_lines_ struct kr_hold_lines lines = {0};
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	char names[64] = "";

	if (row->size > 0)
		kr_root_write_bytes(HOLDS, row->text, row->size);
	else if (row->text)
		kr_root_write(HOLDS, row->text);
	ck_assert_int_eq(kr_hold_lines_read(fs, &diag, &lines), 0);
	for (size_t i = 0; i < lines.n_items; i++) {
		strcat(names, i > 0 ? " " : "");
		strcat(names, lines.items[i].name);
	}
	ck_assert_msg(strcmp(names, row->names) == 0, "%s: '%s'", row->name,
	              names);
	ck_assert_msg(diag.n_messages == row->n_warnings, "%s: %s", row->name,
	              kr_test_messages(&diag));
	ck_assert_msg(lines.damaged == (row->n_warnings > 0), "%s", row->name);
}
END_TEST

static void make_folder(void)
{
	kr_root_mkdir(HOLDS);
}

static void make_loop(void)
{
	kr_root_mkdir(KR_STATE_DIR);
	kr_root_symlink("holds", HOLDS);
}

static void make_large(void)
{
	int fd;

	kr_root_write(HOLDS, "");
	fd = openat(kr_root_fd, &HOLDS[1], O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(ftruncate(fd, KR_FILE_SIZE_MAX + 1), 0);
	close(fd);
}

static const struct {
	const char *name;
	void (*make)(void);
	const char *words;
} unreadable[] = {
	{"a folder", make_folder, "Is a directory"},
	{"a link to itself", make_loop, "symbolic links"},
	{"too large", make_large, "too large"},
};

START_TEST(test_unreadable)
{
	_cleanup_hold_lines_ struct kr_hold_lines lines = {0};
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();

	unreadable[_i].make();
	ck_assert_int_eq(kr_hold_lines_read(fs, &diag, &lines), 0);
	ck_assert_msg(lines.damaged, "%s", unreadable[_i].name);
	ck_assert_msg(
		diag.n_messages == 1 &&
			strcmp(diag.messages[0].file, HOLDS) == 0 &&
			strstr(diag.messages[0].text, unreadable[_i].words),
		"%s: %s", unreadable[_i].name, kr_test_messages(&diag));
}
END_TEST

/* Since when a count of nobody, at 12:00, refutes a line of TIME. */
static const struct {
	const char *name, *time;
	unsigned minutes; /* that it has counted */
	bool want;
} counts[] = {
	{"it began before the line", "2026-11-29T11:58:00Z", 3, true},
	{"it began behind the line", "2026-11-29T11:56:00Z", 3, false},
	{"at its second", "2026-11-29T11:57:00Z", 3, false},
	{"long behind the line", "2026-11-29T01:00:00Z", 10, true},
	{"not long enough", "2026-11-29T01:00:00Z", 9, false},
	{"a line of the future", "2026-11-29T12:00:01Z", 3, false},
	{"no time", "t", 3, false},
	{"no time, and long", "t", 10, true},
	{"no line, of a damaged file", NULL, 3, false},
	{"no line, and long", NULL, 10, true},
};

START_TEST(test_refuted)
{
	static const uint64_t minute = 60 * KR_USEC_PER_SEC;
	/* 2026-11-29T12:00:00Z */
	static const uint64_t now = UINT64_C(1795953600) * KR_USEC_PER_SEC;
	char time[32] = "";
	const struct kr_hold_line line = {.time = time};

	if (counts[_i].time)
		strcpy(time, counts[_i].time);
	ck_assert_msg(kr_hold_line_is_refuted(counts[_i].time ? &line : NULL,
	                                      now - counts[_i].minutes * minute,
	                                      now) == counts[_i].want,
	              "%s", counts[_i].name);
}
END_TEST

static void update(const char *name, const char *reason)
{
	const struct kr_hold_news news = {name, reason};
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();

	ck_assert_msg(kr_hold_lines_update(fs, &news, 1, &diag) == 0, "%s",
	              kr_test_messages(&diag));
}

static const char *text(void)
{
	static char ret[1024];
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	const struct kr_file *file;
	int r = kr_fs_read(fs, HOLDS, &file);

	if (r == -ENOENT)
		return "";
	ck_assert_int_eq(r, 0);
	snprintf(ret, sizeof(ret), "%s", file->data);
	return ret;
}

START_TEST(test_update)
{
	char first[1024];
	struct stat st;

	update("readOnlyPort", NULL);
	ck_assert_uint_eq(kr_root_entries(KR_STATE_DIR), 0);
	update("readOnlyPort", "two\nlines");
	ck_assert_msg(strncmp(text(), "readOnlyPort\t20", 15) == 0 &&
	                      strstr(text(), "Z\t" MACHINE "\ttwo\\x0alines\n"),
	              "%s", text());
	st = kr_root_stat(HOLDS);
	ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
	strcpy(first, text());
	update("readOnlyPort", "other words");
	ck_assert_str_eq(text(), first);
	update("authorization.mode", "why");
	ck_assert_msg(strncmp(text(), first, strlen(first)) == 0 &&
	                      strstr(text(), "\nauthorization.mode\t"),
	              "%s", text());
	update("readOnlyPort", NULL);
	ck_assert_msg(strncmp(text(), "authorization.mode\t", 19) == 0, "%s",
	              text());
	ck_assert_uint_eq(kr_root_entries(KR_STATE_DIR), 1);
	update("authorization.mode", NULL);
	ck_assert_uint_eq(kr_root_entries(KR_STATE_DIR), 0);
}
END_TEST

/* A clone's first line makes those of the other machine go. */
START_TEST(test_update_clone)
{
	kr_root_write(HOLDS, LINE("a", OTHERS));
	update("a", NULL);
	ck_assert_str_eq(text(), LINE("a", OTHERS));
	update("b", "why");
	ck_assert_msg(!strstr(text(), OTHERS), "%s", text());
}
END_TEST

START_TEST(test_update_no_machine)
{
	_cleanup_hold_lines_ struct kr_hold_lines lines = {0};
	_cleanup_fs_ struct kr_fs *fs = NULL;

	kr_root_write("/etc/machine-id", "");
	kr_root_write(HOLDS, LINE("c", OTHERS));
	update("a", "why");
	fs = kr_root_fs();
	ck_assert_int_eq(kr_hold_lines_read(fs, &diag, &lines), 0);
	ck_assert_ptr_nonnull(kr_hold_lines_find(&lines, "a"));
	ck_assert_ptr_null(kr_hold_lines_find(&lines, "b"));
	/* it may be this machine's, of when it had an id */
	ck_assert_ptr_nonnull(kr_hold_lines_find(&lines, "c"));
}
END_TEST

/* It holds every control as it is, and is for a person to look at. */
START_TEST(test_update_damaged)
{
	static const char damaged[] = LINE("a", MACHINE) "readOn";

	kr_root_write(HOLDS, damaged);
	update("b", "why");
	update("a", NULL);
	ck_assert_str_eq(text(), damaged);
}
END_TEST

static void add(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "hold-lines", setup, teardown);

	tcase_add_loop_test(tc, test_read, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(tc, test_unreadable, 0,
	                    sizeof(unreadable) / sizeof(unreadable[0]));
	tcase_add_loop_test(tc, test_refuted, 0,
	                    sizeof(counts) / sizeof(counts[0]));
	tcase_add_test(tc, test_update);
	tcase_add_test(tc, test_update_clone);
	tcase_add_test(tc, test_update_no_machine);
	tcase_add_test(tc, test_update_damaged);
}

KR_TEST_MAIN(add);
