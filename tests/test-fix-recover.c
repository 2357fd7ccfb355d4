/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fix/recover: a file of an interrupted run, and what may lie at its name and
 * beside it, whatever the order in which that came about.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fix/boot-mark.h"
#include "fix/manifest.h"
#include "fix/recover.h"
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
	bool old; /* a record without a second name, of plain renames */
	/* at the target's name, beside it, and at the name of a copy */
	char target, temp, back;
	char want;        /* at the target's name, and nothing beside it */
	const char *code; /* of a warning; NULL: none */
	char aside;       /* kept with the record */
} rows[] = {
#define PREPARED  KR_MANIFEST_PREPARED
#define REPLACING KR_MANIFEST_REPLACING
#define COMMITTED KR_MANIFEST_COMMITTED
	/* no target is touched yet, what lies beside is ours */
	{"nothing written", REPLACED, PREPARED, 0, 'b', '-', '-', 'b'},
	{"written in part", REPLACED, PREPARED, 0, 'b', 'p', '-', 'b'},
	{"written", REPLACED, PREPARED, 0, 'b', 'a', '-', 'b'},
	{"somebody's since", REPLACED, PREPARED, 0, 'o', 'p', '-', 'o'},
	{"somebody did the same", REPLACED, PREPARED, 0, 'a', 'p', '-', 'a'},
	{"gone since", REPLACED, PREPARED, 0, '-', 'a', '-', '-'},
	{"to be made, in part", MADE, PREPARED, 0, '-', 'p', '-', '-'},
	{"to be made, theirs", MADE, PREPARED, 0, 'o', 'a', '-', 'o'},
	{"to be removed", REMOVED, PREPARED, 0, 'b', '-', '-', 'b'},
	{"to be removed, gone", REMOVED, PREPARED, 0, '-', '-', '-', '-'},
	/* exchanged or not */
	{"not exchanged", REPLACED, REPLACING, 0, 'b', 'a', '-', 'b'},
	{"exchanged", REPLACED, REPLACING, 0, 'a', 'b', '-', 'b'},
	{"exchanged, all", REPLACED, COMMITTED, 0, 'a', 'b', '-', 'b'},
	{"exchanged back", REPLACED, COMMITTED, 0, 'b', 'a', '-', 'b'},
	{"back and tidy", REPLACED, COMMITTED, 0, 'b', '-', '-', 'b'},
	{"renamed over", REPLACED, REPLACING, 0, 'a', '-', '-', 'b'},
	{"renamed over, all", REPLACED, COMMITTED, 0, 'a', '-', '-', 'b'},
	{"a copy in part", REPLACED, COMMITTED, 0, 'a', '-', 'p', 'b'},
	{"a copy beside", REPLACED, COMMITTED, 0, 'a', '-', 'b', 'b'},
	{"a copy exchanged", REPLACED, COMMITTED, 0, 'b', '-', 'a', 'b'},
	{"a copy in part, too", REPLACED, COMMITTED, 0, 'a', 'b', 'p', 'b'},
	{"the same by others", REPLACED, REPLACING, 0, 'a', 'a', '-', 'b'},
	{"the old one by others", REPLACED, COMMITTED, 0, 'b', 'b', '-', 'b'},
	/* somebody else's */
	{"in the instant", REPLACED, REPLACING, 0, 'a', 'o', '-', 'o',
         "recover-foreign"},
	{"on the way back", REPLACED, COMMITTED, 0, 'b', 'o', '-', 'o',
         "recover-foreign"},
	{"before it", REPLACED, REPLACING, 0, 'o', 'a', '-', 'o',
         "recover-foreign"},
	{"after it", REPLACED, COMMITTED, 0, 'o', 'b', '-', 'o',
         "recover-foreign"},
	{"after all", REPLACED, COMMITTED, 0, 'o', '-', '-', 'o',
         "recover-foreign"},
	{"twice", REPLACED, REPLACING, 0, 'o', 'x', '-', 'o', "recover-aside",
         'x'},
	{"in the instant, then deleted", REPLACED, REPLACING, 0, '-', 'x', '-',
         '-', "recover-aside", 'x'},
	{"deleted after it", REPLACED, COMMITTED, 0, '-', 'b', '-', '-'},
	{"deleted before it", REPLACED, REPLACING, 0, '-', 'a', '-', '-'},
	/* made */
	{"not made", MADE, REPLACING, 0, '-', 'a', '-', '-'},
	{"made", MADE, COMMITTED, 0, 'a', '-', '-', '-'},
	{"made, moved away", MADE, COMMITTED, 0, '-', 'a', '-', '-'},
	{"made, and gone", MADE, COMMITTED, 0, '-', '-', '-', '-'},
	{"made, changed", MADE, COMMITTED, 0, 'o', '-', '-', 'o',
         "recover-foreign"},
	{"theirs moved away", MADE, COMMITTED, 0, '-', 'o', '-', 'o',
         "recover-foreign"},
	{"not made, theirs", MADE, REPLACING, 0, 'o', 'a', '-', 'o',
         "recover-foreign"},
	/* removed */
	{"not moved", REMOVED, REPLACING, 0, 'b', '-', '-', 'b'},
	{"moved", REMOVED, REPLACING, 0, '-', 'b', '-', 'b'},
	{"moved, all", REMOVED, COMMITTED, 0, '-', 'b', '-', 'b'},
	{"moved, lost", REMOVED, COMMITTED, 0, '-', '-', '-', 'b'},
	{"moved, a copy in part", REMOVED, COMMITTED, 0, '-', '-', 'p', 'b'},
	{"theirs moved", REMOVED, REPLACING, 0, '-', 'o', '-', 'o',
         "recover-foreign"},
	{"moved, made by others", REMOVED, COMMITTED, 0, 'o', 'b', '-', 'o',
         "recover-foreign"},
	{"theirs moved, made again", REMOVED, REPLACING, 0, 'o', 'x', '-', 'o',
         "recover-aside", 'x'},
	/* records of before: what lies beside is ours at any time */
	{"old: in part", REPLACED, PREPARED, 1, 'b', 'p', '-', 'b'},
	{"old: renamed", REPLACED, PREPARED, 1, 'a', '-', '-', 'b'},
	{"old: renamed, all", REPLACED, COMMITTED, 1, 'a', '-', '-', 'b'},
	{"old: a copy in part", REPLACED, COMMITTED, 1, 'a', 'p', '-', 'b'},
	{"old: a copy", REPLACED, COMMITTED, 1, 'a', 'b', '-', 'b'},
	{"old: theirs", REPLACED, COMMITTED, 1, 'o', 'p', '-', 'o',
         "recover-foreign"},
	{"old: made", MADE, PREPARED, 1, 'a', '-', '-', '-'},
	{"old: removed", REMOVED, PREPARED, 1, '-', '-', '-', 'b'},
};

static struct kr_fs *fs;
static struct kr_diag diag;

static void setup(void)
{
	kr_root_setup();
	kr_root_mkdir("/etc/d");
	fs = kr_root_fs();
}

static void teardown(void)
{
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

static void write_record(const struct row *row)
{
	struct kr_manifest_file file = {
		.path = (char *)(uintptr_t)A,
		.copy = row->kind == MADE ? NULL : (char *)(uintptr_t) "0",
		.removed = row->kind == REMOVED,
		.temp = strrchr(TEMP, '/') + 1,
		.back = row->old ? NULL : strrchr(BACK, '/') + 1,
	};
	const struct kr_manifest m = {
		.id = ID,
		.unit = (char *)(uintptr_t) "kubelet.service",
		.state = row->state,
		.disk_before = KR_STATE_FALSE,
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
	ck_assert_int_eq(kr_manifest_write(folder_fd, &m), 0);
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

static unsigned entries(const char *path)
{
	_cleanup_dir_ struct kr_dir dir = {0};

	ck_assert_int_eq(kr_fs_list(fs, path, &dir), 0);
	return (unsigned)dir.n_entries;
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
	ck_assert_msg(entries("/etc/d") == (row->want != '-'),
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

START_TEST(test_row)
{
	const struct row *row = &rows[_i];
	struct kr_fs *again;

	put(A, row->target);
	put(TEMP, row->temp);
	put(BACK, row->back);
	write_record(row);
	ck_assert_int_eq(kr_recover_report(fs, &diag), 0);
	ck_assert_msg(kr_diag_find(&diag, "interrupted") != NULL, "%s",
	              row->name);
	kr_diag_done(&diag);
	ck_assert_msg(kr_recover_run(fs, &diag) == 0, "%s:%s", row->name,
	              kr_test_messages(&diag));
	check_is(row->name, A, row->want);
	/* whoever is killed here leaves it to the next run */
	again = kr_root_fs();
	ck_assert_msg(kr_recover_run(again, &diag) == 0, "%s", row->name);
	kr_fs_free(again);
	ck_assert_msg(kr_recover_end(fs, &diag) == 0, "%s:%s", row->name,
	              kr_test_messages(&diag));
	check_end(row);
	/* and once more, there is nothing to do */
	again = kr_root_fs();
	kr_diag_done(&diag);
	ck_assert_int_eq(kr_recover_run(again, &diag), 1);
	ck_assert_int_eq(kr_recover_report(again, &diag), 0);
	ck_assert_uint_eq(diag.n_messages, 0);
	check_is(row->name, A, row->want);
	kr_fs_free(again);
}
END_TEST

/* --- what is no regular file --------------------------------------------- */

static const struct row swapped = {"swapped", REPLACED, REPLACING, 0, 'a'};

START_TEST(test_link_in_the_instant)
{
	struct stat st;

	put(A, 'a');
	kr_root_symlink("../x", TEMP);
	write_record(&swapped);
	ck_assert_int_eq(kr_recover_run(fs, &diag), 0);
	ck_assert_int_eq(kr_recover_end(fs, &diag), 0);
	ck_assert_int_eq(fstatat(kr_root_fd, &A[1], &st, AT_SYMLINK_NOFOLLOW),
	                 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_uint_eq(entries("/etc/d"), 1);
}
END_TEST

/* A folder cannot be kept with the record: it stays, and is named. */
START_TEST(test_folder_twice)
{
	put(A, 'o');
	kr_root_mkdir(TEMP);
	write_record(&swapped);
	ck_assert_int_eq(kr_recover_run(fs, &diag), 0);
	ck_assert_int_eq(kr_recover_end(fs, &diag), 0);
	check_is("twice", A, 'o');
	ck_assert_uint_eq(entries("/etc/d"), 2);
	ck_assert_ptr_nonnull(
		strstr(kr_test_messages(&diag), strrchr(TEMP, '/') + 1));
}
END_TEST

/* --- ends that were not tidied up ---------------------------------------- */

static const struct {
	const char *name;
	enum kind kind;
	enum kr_manifest_state state;
	char target, temp, back;
	bool marked, untidy;
} ends[] = {
	{"kept", REPLACED, KR_MANIFEST_KEPT, 'a', 'b', '-', 1, 1},
	{"kept, changed since", REPLACED, KR_MANIFEST_KEPT, 'o', 'b', '-', 1,
         1},
	{"kept, a copy", REPLACED, KR_MANIFEST_KEPT, 'a', '-', 'b', 1, 1},
	{"put back", REPLACED, KR_MANIFEST_PUT_BACK, 'b', 'a', '-', 1, 1},
	{"undone", REMOVED, KR_MANIFEST_UNDONE, '-', 'b', '-', 1, 1},
	{"tidy, marked", REPLACED, KR_MANIFEST_KEPT, 'a', '-', '-', 1, 0},
	{"tidy", REPLACED, KR_MANIFEST_KEPT, 'a', '-', '-', 0, 0},
};

START_TEST(test_end)
{
	const struct row row = {
		.kind = ends[_i].kind,
		.state = ends[_i].state,
	};
	_cleanup_manifests_ struct kr_manifests list = {0};
	const char *name = ends[_i].name;
	_cleanup_close_ int fd = -1;

	put(A, ends[_i].target);
	put(TEMP, ends[_i].temp);
	put(BACK, ends[_i].back);
	write_record(&row);
	fd = kr_fs_open_folder(fs, KR_STATE_DIR);
	if (!ends[_i].marked)
		kr_boot_mark_clear(fd);
	ck_assert_int_eq(kr_recover_report(fs, &diag), 0);
	ck_assert_msg((kr_diag_find(&diag, "interrupted") != NULL) ==
	                      ends[_i].untidy,
	              "%s", name);
	ck_assert_int_eq(kr_manifests_read(fs, &diag, &list), 0);
	ck_assert_msg(kr_recover_is_due(fs, &list) == (int)ends[_i].marked,
	              "%s", name);
	ck_assert_int_eq(kr_recover_run(fs, &diag), 1);
	check_is(name, A, ends[_i].target);
	ck_assert_msg(entries("/etc/d") == (ends[_i].target != '-'), "%s",
	              name);
	ck_assert_msg(state() == ends[_i].state, "%s", name);
	check_is(name, KR_STATE_DIR "/pending", '-');
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "files", setup, teardown);

	/* each brings some files to a disk that others use, too */
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_row, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_link_in_the_instant);
	tcase_add_test(tc, test_folder_twice);
	tcase_add_loop_test(tc, test_end, 0, ARRAY_SIZE(ends));
}

KR_TEST_MAIN(add_tests);
