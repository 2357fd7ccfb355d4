/* SPDX-License-Identifier: Apache-2.0 */

/*
 * store/recover: a file of an interrupted run, and what may lie at its name and
 * beside it, whatever the order in which that came about.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/interrupted.h"
#include "store/boot-mark.h"
#include "store/manifest.h"
#include "store/recover.h"
#include "testing.h"

#define ID     "20261122T000000.000000Z-00000001"
#define FOLDER KR_STATE_DIR "/" ID
#define A      "/etc/d/a.conf"
#define TEMP   "/etc/d/.kubelet-remedy-000000000000000000000001"
#define BACK   "/etc/d/.kubelet-remedy-000000000000000000000002"

/* The content that a letter of the tables stands for; NULL: nothing. */
static const char *content(char c)
{
	switch (c) {
	case 'b':
		return "before\n";
	case 'a':
		return "after\n";
	case 'o':
		return "other\n";
	case 'x':
		return "another\n";
	case 'p': /* of either */
		return "";
	default:
		return NULL;
	}
}

enum kind {
	REPLACED,
	MADE,
	REMOVED,
};

static const struct row {
	const char *name;
	enum kind kind;
	enum kr_manifest_state state;
	/* at the target's name, beside it, and at the name of a copy */
	char target, temp, back;
	char want;        /* at the target's name, and nothing beside it */
	const char *code; /* of a warning; NULL: none */
	char aside;       /* kept with the record */
	bool old;         /* a record without a second name, of plain renames */
} rows[] = {
#define PREPARED  KR_MANIFEST_PREPARED
#define REPLACING KR_MANIFEST_REPLACING
#define COMMITTED KR_MANIFEST_COMMITTED
	/* no target is touched yet, what lies beside is ours */
	{"nothing written", REPLACED, PREPARED, 'b', '-', '-', 'b'},
	{"written in part", REPLACED, PREPARED, 'b', 'p', '-', 'b'},
	{"written", REPLACED, PREPARED, 'b', 'a', '-', 'b'},
	{"somebody's since", REPLACED, PREPARED, 'o', 'p', '-', 'o'},
	{"somebody did the same", REPLACED, PREPARED, 'a', 'p', '-', 'a'},
	{"gone since", REPLACED, PREPARED, '-', 'a', '-', '-'},
	{"to be made, in part", MADE, PREPARED, '-', 'p', '-', '-'},
	{"to be made, theirs", MADE, PREPARED, 'o', 'a', '-', 'o'},
	{"to be removed", REMOVED, PREPARED, 'b', '-', '-', 'b'},
	{"to be removed, gone", REMOVED, PREPARED, '-', '-', '-', '-'},
	/* exchanged or not */
	{"not exchanged", REPLACED, REPLACING, 'b', 'a', '-', 'b'},
	{"exchanged", REPLACED, REPLACING, 'a', 'b', '-', 'b'},
	{"exchanged, all", REPLACED, COMMITTED, 'a', 'b', '-', 'b'},
	{"exchanged back", REPLACED, COMMITTED, 'b', 'a', '-', 'b'},
	{"back and tidy", REPLACED, COMMITTED, 'b', '-', '-', 'b'},
	{"renamed over", REPLACED, REPLACING, 'a', '-', '-', 'b'},
	{"renamed over, all", REPLACED, COMMITTED, 'a', '-', '-', 'b'},
	{"a copy in part", REPLACED, COMMITTED, 'a', '-', 'p', 'b'},
	{"a copy beside", REPLACED, COMMITTED, 'a', '-', 'b', 'b'},
	{"a copy exchanged", REPLACED, COMMITTED, 'b', '-', 'a', 'b'},
	{"a copy in part, too", REPLACED, COMMITTED, 'a', 'b', 'p', 'b'},
	{"the same by others", REPLACED, REPLACING, 'a', 'a', '-', 'b'},
	{"the old one by others", REPLACED, COMMITTED, 'b', 'b', '-', 'b'},
	/* somebody else's */
	{"in the instant", REPLACED, REPLACING, 'a', 'o', '-', 'o',
         "recover-foreign"},
	{"on the way back", REPLACED, COMMITTED, 'b', 'o', '-', 'o',
         "recover-foreign"},
	{"before it", REPLACED, REPLACING, 'o', 'a', '-', 'o',
         "recover-foreign"},
	{"after it", REPLACED, COMMITTED, 'o', 'b', '-', 'o',
         "recover-foreign"},
	{"after all", REPLACED, COMMITTED, 'o', '-', '-', 'o',
         "recover-foreign"},
	{"twice", REPLACED, REPLACING, 'o', 'x', '-', 'o', "recover-aside",
         'x'},
	{"in the instant, then deleted", REPLACED, REPLACING, '-', 'x', '-',
         '-', "recover-aside", 'x'},
	{"deleted after it", REPLACED, COMMITTED, '-', 'b', '-', '-'},
	{"deleted before it", REPLACED, REPLACING, '-', 'a', '-', '-'},
	/* made */
	{"not made", MADE, REPLACING, '-', 'a', '-', '-'},
	{"made", MADE, COMMITTED, 'a', '-', '-', '-'},
	{"made, moved away", MADE, COMMITTED, '-', 'a', '-', '-'},
	{"made, and gone", MADE, COMMITTED, '-', '-', '-', '-'},
	{"made, changed", MADE, COMMITTED, 'o', '-', '-', 'o',
         "recover-foreign"},
	{"theirs moved away", MADE, COMMITTED, '-', 'o', '-', 'o',
         "recover-foreign"},
	{"not made, theirs", MADE, REPLACING, 'o', 'a', '-', 'o',
         "recover-foreign"},
	/* removed */
	{"not moved", REMOVED, REPLACING, 'b', '-', '-', 'b'},
	{"moved", REMOVED, REPLACING, '-', 'b', '-', 'b'},
	{"moved, all", REMOVED, COMMITTED, '-', 'b', '-', 'b'},
	{"moved, lost", REMOVED, COMMITTED, '-', '-', '-', 'b'},
	{"moved, a copy in part", REMOVED, COMMITTED, '-', '-', 'p', 'b'},
	{"theirs moved", REMOVED, REPLACING, '-', 'o', '-', 'o',
         "recover-foreign"},
	{"moved, made by others", REMOVED, COMMITTED, 'o', 'b', '-', 'o',
         "recover-foreign"},
	{"theirs moved, made again", REMOVED, REPLACING, 'o', 'x', '-', 'o',
         "recover-aside", 'x'},
	/* records of before: what lies beside is ours at any time */
	{"old: in part", REPLACED, PREPARED, 'b', 'p', '-', 'b', .old = true},
	{"old: renamed", REPLACED, PREPARED, 'a', '-', '-', 'b', .old = true},
	{"old: renamed, all", REPLACED, COMMITTED, 'a', '-', '-', 'b',
         .old = true},
	{"old: a copy in part", REPLACED, COMMITTED, 'a', 'p', '-', 'b',
         .old = true},
	{"old: a copy", REPLACED, COMMITTED, 'a', 'b', '-', 'b', .old = true},
	{"old: theirs", REPLACED, COMMITTED, 'o', 'p', '-', 'o',
         "recover-foreign", .old = true},
	{"old: made", MADE, PREPARED, 'a', '-', '-', '-', .old = true},
	{"old: removed", REMOVED, PREPARED, '-', '-', '-', 'b', .old = true},
};

static struct kr_fs *fs;
static struct kr_diag diag;
static struct kr_recovery recovery;

static void setup(void)
{
	kr_root_setup();
	kr_root_mkdir("/etc/d");
	fs = kr_root_fs();
}

static void teardown(void)
{
	kr_recovery_done(&recovery);
	kr_diag_done(&diag);
	fs = kr_fs_free(fs);
	kr_root_teardown();
}

static void put(const char *path, char c)
{
	if (content(c))
		kr_root_write(path, content(c));
}

static void hash(char c, char ret[static KR_SHA256_HEX_SIZE])
{
	kr_sha256_hex(content(c), strlen(content(c)), ret);
}

static void write_record_of(const struct row *row, const char *path,
                            const char *folder)
{
	struct kr_edit edit = {0, 0, (char *)(uintptr_t) "after\n"};
	struct kr_manifest_file file = {
		.path = (char *)(uintptr_t)path,
		.folder = (char *)(uintptr_t)folder,
		.copy = row->kind == MADE ? NULL : (char *)(uintptr_t) "0",
		.removed = row->kind == REMOVED,
		.temp = strrchr(TEMP, '/') + 1,
		.back = row->old ? NULL : strrchr(BACK, '/') + 1,
		.edits = &edit,
		.n_edits = 1,
	};
	const struct kr_manifest m = {
		.id = ID,
		.unit = (char *)(uintptr_t) "kubelet.service",
		.state = row->state,
		.disk_before = (char *)(uintptr_t) "false",
		.files = &file,
		.n_files = 1,
	};
	_cleanup_close_ int state_fd = -1, folder_fd = -1;

	if (row->kind != MADE) {
		hash('b', file.before);
		put(FOLDER "/0", 'b');
	} else {
		kr_root_mkdir(FOLDER);
	}
	if (row->kind != REMOVED)
		hash('a', file.after);
	state_fd = kr_fs_open_folder(fs, KR_STATE_DIR);
	folder_fd = kr_fs_open_folder(fs, FOLDER);
	ck_assert_int_eq(kr_boot_mark_set(state_fd), 0);
	ck_assert_int_eq(kr_manifest_write(folder_fd, &m, NULL), 0);
}

/* What a run left: its record, its files, and what lies beside them. */
static void leave(const struct row *row)
{
	put(A, row->target);
	put(TEMP, row->temp);
	put(BACK, row->back);
	write_record_of(row, A, NULL);
}

/* What the next run makes of it. */
static void recover(const char *name)
{
	ck_assert_msg(kr_recover_run(fs, &recovery, &diag) == 0, "%s:%s", name,
	              kr_test_messages(&diag));
	ck_assert_msg(kr_recover_end(fs, &recovery, &diag) == 0, "%s:%s", name,
	              kr_test_messages(&diag));
}

static void check_is(const char *name, const char *path, char want)
{
	int fd = openat(kr_root_fd, path + 1, O_RDONLY | O_CLOEXEC);
	char got[64] = "";
	ssize_t n = fd < 0 ? 0 : read(fd, got, sizeof(got) - 1);

	if (fd >= 0)
		close(fd);
	ck_assert_int_ge(n, 0);
	ck_assert_msg((fd >= 0) == (content(want) != NULL) &&
	                      (fd < 0 || strcmp(got, content(want)) == 0),
	              "%s: %s is '%s', wanted %c%s", name, path,
	              fd < 0 ? "gone" : got, want, kr_test_messages(&diag));
}

static enum kr_manifest_state state(void)
{
	_cleanup_manifest_ struct kr_manifest m = {0};
	struct kr_fs *now = kr_root_fs();
	enum kr_manifest_state is;

	ck_assert_int_eq(kr_manifest_read(now, ID, &m), 0);
	is = m.state;
	kr_fs_free(now);
	return is;
}

static void check_end(const struct row *row)
{
	const struct kr_message *warning = kr_diag_first(&diag, KR_WARNING);

	check_is(row->name, A, row->want);
	ck_assert_msg(kr_root_entries("/etc/d") == (row->want != '-'),
	              "%s: something lies beside", row->name);
	ck_assert_msg((warning != NULL) == (row->code != NULL) &&
	                      (!row->code || kr_diag_find(&diag, row->code)),
	              "%s: wanted %s%s", row->name,
	              row->code ? row->code : "no warning",
	              kr_test_messages(&diag));
	check_is(row->name, FOLDER "/0.theirs", row->aside ? row->aside : '-');
	ck_assert_msg(state() == KR_MANIFEST_UNDONE, "%s", row->name);
	check_is(row->name, KR_STATE_DIR "/pending", '-');
}

static int report_interrupted(struct kr_fs *view)
{
	_cleanup_manifests_ struct kr_manifests list = {0};

	ck_assert_int_eq(kr_manifests_read(view, NULL, &list), 0);
	return kr_interrupted_report(view, &list, -1, NULL, &diag);
}

START_TEST(test_row)
{
	const struct row *row = &rows[_i];
	struct kr_fs *again;

	leave(row);
	ck_assert_int_eq(report_interrupted(fs), 0);
	ck_assert_msg(kr_diag_find(&diag, "interrupted") != NULL, "%s",
	              row->name);
	kr_diag_done(&diag);
	ck_assert_msg(kr_recover_run(fs, &recovery, &diag) == 0, "%s:%s",
	              row->name, kr_test_messages(&diag));
	check_is(row->name, A, row->want);
	/* whoever is killed here leaves it to the next run */
	kr_recovery_done(&recovery);
	again = kr_root_fs();
	ck_assert_msg(kr_recover_run(again, &recovery, &diag) == 0, "%s",
	              row->name);
	kr_fs_free(again);
	ck_assert_msg(kr_recover_end(fs, &recovery, &diag) == 0, "%s:%s",
	              row->name, kr_test_messages(&diag));
	check_end(row);
	/* and once more, there is nothing to do */
	again = kr_root_fs();
	kr_diag_done(&diag);
	ck_assert_int_eq(kr_recover_run(again, &recovery, &diag),
	                 KR_RECOVERED_NOTHING);
	ck_assert_int_eq(report_interrupted(again), 0);
	ck_assert_uint_eq(diag.n_messages, 0);
	check_is(row->name, A, row->want);
	kr_fs_free(again);
}
END_TEST

/* --- what is no regular file --------------------------------------------- */

static const struct row swapped = {"swapped", REPLACED, REPLACING, 'a'};
static const struct row twice = {"twice", REPLACED, REPLACING, 'o'};

START_TEST(test_link_in_the_instant)
{
	leave(&swapped);
	kr_root_symlink("../x", TEMP);
	recover(swapped.name);
	ck_assert(S_ISLNK(kr_root_stat(A).st_mode));
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 1);
}
END_TEST

/* What was kept is not what the record says: it is not written back. */
START_TEST(test_damaged_copy)
{
	const struct kr_message *error;

	leave(&swapped);
	put(FOLDER "/0", 'x');
	ck_assert_int_lt(kr_recover_run(fs, &recovery, &diag), 0);
	error = kr_diag_first(&diag, KR_ERROR);
	ck_assert_ptr_nonnull(error);
	ck_assert_str_eq(error->text,
	                 "what an interrupted run left cannot be reverted: its "
	                 "old content in " FOLDER "/0 is damaged");
	check_is("damaged", A, 'a');
	ck_assert(state() == KR_MANIFEST_REPLACING);
}
END_TEST

/* A folder cannot be kept with the record: it stays, and is named. */
START_TEST(test_folder_twice)
{
	leave(&twice);
	kr_root_mkdir(TEMP);
	recover(twice.name);
	check_is(twice.name, A, 'o');
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 2);
	ck_assert_ptr_nonnull(
		strstr(kr_test_messages(&diag), strrchr(TEMP, '/') + 1));
}
END_TEST

/* --- ends that were not tidied up ---------------------------------------- */

static const struct {
	struct row row;
	bool marked, untidy;
} ends[] = {
#define KEPT     KR_MANIFEST_KEPT
#define PUT_BACK KR_MANIFEST_PUT_BACK
#define UNDONE   KR_MANIFEST_UNDONE
	{{"kept", REPLACED, KEPT, 'a', 'b', '-', 'a'}, 1, 1},
	{{"kept, changed since", REPLACED, KEPT, 'o', 'b', '-', 'o'}, 1, 1},
	{{"kept, a copy", REPLACED, KEPT, 'a', '-', 'b', 'a'}, 1, 1},
	{{"put back", REPLACED, PUT_BACK, 'b', 'a', '-', 'b'}, 1, 1},
	{{"undone", REMOVED, UNDONE, '-', 'b', '-', '-'}, 1, 1},
	{{"tidy, marked", REPLACED, KEPT, 'a', '-', '-', 'a'}, 1, 0},
	{{"tidy", REPLACED, KEPT, 'a', '-', '-', 'a'}, 0, 0},
};

START_TEST(test_end)
{
	const struct row *row = &ends[_i].row;
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_close_ int fd = -1;

	leave(row);
	fd = kr_fs_open_folder(fs, KR_STATE_DIR);
	if (!ends[_i].marked)
		kr_boot_mark_clear(fd);
	ck_assert_int_eq(report_interrupted(fs), 0);
	ck_assert_msg((kr_diag_find(&diag, "untidy") != NULL) ==
	                      ends[_i].untidy,
	              "%s", row->name);
	ck_assert_int_eq(kr_manifests_read(fs, &diag, &list), 0);
	ck_assert_msg(kr_recover_is_due(fs, &list) == (int)ends[_i].marked,
	              "%s", row->name);
	ck_assert_int_eq(kr_recover_run(fs, &recovery, &diag),
	                 KR_RECOVERED_NOTHING);
	check_is(row->name, A, row->want);
	ck_assert_msg(kr_root_entries("/etc/d") == (row->want != '-'), "%s",
	              row->name);
	ck_assert_msg(state() == row->state, "%s", row->name);
	check_is(row->name, KR_STATE_DIR "/pending", '-');
}
END_TEST

/* Folders that were made for a file go one by one, the innermost first: what is
 * left of them is untidy, and goes with the next run. */
static const struct {
	const char *name, *left;
	bool untidy;
} folders[] = {
	{"both", "/etc/d/e/f", true},
	{"the outer one", "/etc/d/e", true},
	{"none", NULL, false},
};

START_TEST(test_folder_left)
{
	const char *left = folders[_i].left;

	if (left)
		kr_root_mkdir(left);
	write_record_of(&(struct row){.kind = REMOVED, .state = UNDONE},
	                "/etc/d/e/f/a.conf", "/etc/d/e");
	ck_assert_int_eq(report_interrupted(fs), 0);
	ck_assert_msg((kr_diag_find(&diag, "untidy") != NULL) ==
	                      folders[_i].untidy,
	              "%s", folders[_i].name);
	ck_assert_int_eq(kr_recover_run(fs, &recovery, &diag),
	                 KR_RECOVERED_NOTHING);
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 0);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "files", setup, teardown);

	/* each brings some files to a disk that others use, too */
	tcase_add_loop_test(tc, test_row, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_link_in_the_instant);
	tcase_add_test(tc, test_damaged_copy);
	tcase_add_test(tc, test_folder_twice);
	tcase_add_loop_test(tc, test_end, 0, ARRAY_SIZE(ends));
	tcase_add_loop_test(tc, test_folder_left, 0, ARRAY_SIZE(folders));
}

KR_TEST_MAIN(add_tests);
