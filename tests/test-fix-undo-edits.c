/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fix/undo-edits: what takes another mode or owner back, in whatever order the
 * fixes are undone, and what others did to them since. What takes edits of
 * bytes back is tried with the program (tests/test-undo.py).
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fix/undo.h"
#include "store/transaction.h"
#include "testing.h"

#define A "/etc/d/a.conf"
#define B "/etc/e/b.conf"

#define FIXES_MAX 4

static struct kr_diag diag;
static char ids[FIXES_MAX][KR_TRANSACTION_ID_SIZE];

static void setup(void)
{
	kr_root_setup();
	kr_root_write(A, "one\ntwo\nthree\n");
	kr_root_write(B, "old b\n");
}

static void teardown(void)
{
	kr_diag_done(&diag);
	kr_root_teardown();
}

static mode_t mode_of(const char *path)
{
	return kr_root_stat(path).st_mode & 07777;
}

static void set_mode(const char *path, mode_t mode)
{
	ck_assert_int_eq(fchmodat(kr_root_fd, path + 1, mode, 0), 0);
}

/* --- doing and undoing --------------------------------------------------- */

/* A fix: MODE of A (0: as it is), the owner of it, and an edit of its line. */
struct fix {
	mode_t mode;
	unsigned owner; /* its uid and gid; 0: as it is */
	size_t line;    /* 1: "one", 5: "two"; 0: none */
	size_t at, cut; /* from 1: these bytes, CUT of them, become TEXT */
	const char *text;
};

static bool is_fix(const struct fix *fix)
{
	return fix->mode || fix->owner || fix->line || fix->at;
}

static void apply(struct kr_fs *fs, const struct kr_edits *edits,
                  const struct kr_manifest *undone, char *ret_id)
{
	const struct kr_transaction_about about = {.unit = "kubelet.service",
	                                           .disk_before = "false",
	                                           .undone = undone};
	_cleanup_transaction_ struct kr_transaction *tx = NULL;
	int r = kr_transaction_prepare(fs, edits, &about, &diag, &tx);

	ck_assert_msg(r == 0, "%d:%s", r, kr_test_messages(&diag));
	r = kr_transaction_commit(tx, &diag);
	ck_assert_msg(r == 0, "%d:%s", r, kr_test_messages(&diag));
	ck_assert_int_eq(kr_transaction_keep(tx, &diag), 0);
	if (ret_id)
		strcpy(ret_id, kr_transaction_id(tx));
}

static void do_fix(const struct fix *fix, char *ret_id)
{
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	_cleanup_edits_ struct kr_edits edits = {0};
	const struct kr_file *file;

	ck_assert_int_eq(kr_fs_read(fs, A, &file), 0);
	if (fix->mode)
		ck_assert_int_eq(kr_edits_chmod(&edits, file, fix->mode), 0);
	if (fix->owner)
		ck_assert_int_eq(
			kr_edits_chown(&edits, file, fix->owner, fix->owner),
			0);
	if (fix->line) {
		struct kr_span span = {file, fix->line - 1, 3};

		ck_assert_int_eq(kr_edits_add(&edits, span, "new"), 0);
	}
	if (fix->at) {
		struct kr_span span = {file, fix->at - 1, fix->cut};

		ck_assert_int_eq(
			kr_edits_add(&edits, span, fix->text ? fix->text : ""),
			0);
	}
	apply(fs, &edits, NULL, ret_id);
}

/* As fix/undo does. */
static void mark(struct kr_fs *fs, struct kr_manifest *m)
{
	_cleanup_free_ char *path = kr_path_join(KR_STATE_DIR, m->id);
	_cleanup_close_ int fd = kr_fs_open_folder(fs, path);

	m->state = KR_MANIFEST_UNDONE;
	m->by_hand = true;
	ck_assert_int_eq(kr_manifest_write(fd, m, NULL), 0);
}

/* The outcome; what is possible is done. */
static enum kr_undoable undo(const char *id)
{
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_edits_ struct kr_edits edits = {0};
	struct kr_manifest *m;
	const char *reason = NULL;
	int r;

	kr_diag_done(&diag);
	ck_assert_int_eq(kr_manifests_read(fs, &diag, &list), 0);
	m = kr_manifests_find(&list, id);
	ck_assert_ptr_nonnull(m);
	r = kr_undo_edits(fs, &list, m, &diag, &edits, &reason, NULL);
	ck_assert_int_ge(r, 0);
	ck_assert((reason != NULL) == (r != KR_UNDO_POSSIBLE));
	ck_assert((kr_diag_find(&diag, "undo-refused") != NULL) ==
	          (r == KR_UNDO_REFUSED));
	if (r == KR_UNDO_POSSIBLE)
		apply(fs, &edits, m, NULL);
	if (r == KR_UNDO_POSSIBLE)
		mark(fs, m);
	return (enum kr_undoable)r;
}

static void check_text(const char *name, const char *want)
{
	char got[64] = "";
	_cleanup_close_ int fd =
		openat(kr_root_fd, &A[1], O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(read(fd, got, sizeof(got) - 1), 0);
	ck_assert_msg(strcmp(got, want) == 0, "%s: %s", name, got);
}

/* --- several fixes, in any order ----------------------------------------- */

#define POSSIBLE KR_UNDO_POSSIBLE
#define REFUSED  KR_UNDO_REFUSED
#define NOTHING  KR_UNDO_NOTHING

static const struct {
	const char *name;
	struct fix fixes[FIXES_MAX];
	struct {
		unsigned fix; /* counted from 1 */
		enum kr_undoable want;
		mode_t mode; /* then */
	} undone[FIXES_MAX];
	bool root;
} orders[] = {
	{"one", {{.mode = 0600}}, {{1, POSSIBLE, 0644}, {1, NOTHING, 0644}}},
	{"with an edit",
         {{.mode = 0600, .line = 5}},
         {{1, POSSIBLE, 0644}, {1, NOTHING, 0644}}},
	{"the last first",
         {{.mode = 0600}, {.mode = 0400}},
         {{2, POSSIBLE, 0600}, {1, POSSIBLE, 0644}}},
	{"the first first",
         {{.mode = 0600}, {.mode = 0400}},
         {{1, REFUSED, 0400}, {2, POSSIBLE, 0600}, {1, POSSIBLE, 0644}}},
	{"three modes",
         {{.mode = 0640}, {.mode = 0600}, {.mode = 0400}},
         {{3, POSSIBLE, 0600},
          {1, REFUSED, 0600},
          {2, POSSIBLE, 0640},
          {1, POSSIBLE, 0644}}},
	{"bytes by the last",
         {{.mode = 0600}, {.line = 5}},
         {{1, POSSIBLE, 0644}, {2, POSSIBLE, 0644}}},
	{"bytes by the last, that first",
         {{.mode = 0600}, {.line = 5}},
         {{2, POSSIBLE, 0600}, {1, POSSIBLE, 0644}}},
	{"bytes by the first",
         {{.line = 5}, {.mode = 0600}},
         {{1, POSSIBLE, 0600}, {2, POSSIBLE, 0644}}},
	{"bytes and modes",
         {{.mode = 0600, .line = 1}, {.mode = 0400, .line = 5}},
         {{1, REFUSED, 0400}, {2, POSSIBLE, 0600}, {1, POSSIBLE, 0644}}},
	{"one line, the first first",
         {{.at = 9, .cut = 1}, {.at = 10, .cut = 2}},
         {{1, POSSIBLE, 0644}, {2, POSSIBLE, 0644}}},
	{"one line, the last first",
         {{.at = 9, .cut = 1}, {.at = 10, .cut = 2}},
         {{2, POSSIBLE, 0644}, {1, POSSIBLE, 0644}}},
	/* two cuts that meet: which was before the other is known */
	{"side by side, the left first",
         {{.at = 9, .cut = 2}, {.at = 9, .cut = 2}},
         {{1, POSSIBLE, 0644}, {2, POSSIBLE, 0644}}},
	{"side by side, the right first",
         {{.at = 11, .cut = 2}, {.at = 9, .cut = 2}},
         {{1, POSSIBLE, 0644}, {2, POSSIBLE, 0644}}},
	{"three cuts",
         {{.at = 9, .cut = 1}, {.at = 9, .cut = 1}, {.at = 9, .cut = 3}},
         {{2, POSSIBLE, 0644}, {1, POSSIBLE, 0644}, {3, POSSIBLE, 0644}}},
	{"three cuts, otherwise",
         {{.at = 9, .cut = 1}, {.at = 9, .cut = 1}, {.at = 9, .cut = 3}},
         {{1, POSSIBLE, 0644}, {3, POSSIBLE, 0644}, {2, POSSIBLE, 0644}}},
	{"the same words",
         {{.line = 5}, {.at = 5, .cut = 3, .text = "other"}},
         {{1, REFUSED, 0644}, {2, POSSIBLE, 0644}, {1, POSSIBLE, 0644}}},
	/* what the third took is back with it, where the second has moved it */
	{"the same words, between others",
         {{.line = 5}, {.line = 1}, {.at = 5, .cut = 3, .text = "others"}},
         {{1, REFUSED, 0644},
          {2, POSSIBLE, 0644},
          {3, POSSIBLE, 0644},
          {1, POSSIBLE, 0644}}},
	/* only root from here on */
	{"mode, then owner",
         {{.mode = 0600}, {.owner = 7}},
         {{1, POSSIBLE, 0644}, {2, POSSIBLE, 0644}},
         true},
	{"owner, then mode",
         {{.owner = 7}, {.mode = 0600}},
         {{1, POSSIBLE, 0600}, {2, POSSIBLE, 0644}},
         true},
	{"two owners",
         {{.owner = 7}, {.owner = 8}},
         {{1, REFUSED, 0644}, {2, POSSIBLE, 0644}, {1, POSSIBLE, 0644}},
         true},
};

START_TEST(test_order)
{
	const char *name = orders[_i].name;

	for (size_t i = 0; i < FIXES_MAX; i++) {
		const struct fix *fix = &orders[_i].fixes[i];

		if (is_fix(fix))
			do_fix(fix, ids[i]);
	}
	for (size_t i = 0; i < FIXES_MAX && orders[_i].undone[i].fix; i++) {
		enum kr_undoable got = undo(ids[orders[_i].undone[i].fix - 1]);

		ck_assert_msg(got == orders[_i].undone[i].want,
		              "%s: undo %zu is %s%s", name, i,
		              kr_undoable_to_string(got),
		              kr_test_messages(&diag));
		/* none but a later fix is in the way */
		ck_assert_msg(got != KR_UNDO_REFUSED ||
		                      strstr(kr_test_messages(&diag),
		                             "the later fix 2"),
		              "%s: undo %zu: %s", name, i,
		              kr_test_messages(&diag));
		ck_assert_msg(mode_of(A) == orders[_i].undone[i].mode,
		              "%s: undo %zu: %04o", name, i,
		              (unsigned)mode_of(A));
	}
	check_text(name, "one\ntwo\nthree\n");
	ck_assert_uint_eq(kr_root_stat(A).st_uid, geteuid());
	ck_assert_uint_eq(kr_root_stat(A).st_gid, getegid());
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 1);
}
END_TEST

/* --- others since -------------------------------------------------------- */

static void do_nothing(void)
{
}

static void do_chmod(void)
{
	set_mode(A, 0640);
}

static void do_chmod_back(void)
{
	set_mode(A, 0644);
}

static void do_write(void)
{
	kr_root_write(A, "theirs\n");
}

/* Others have taken our change away. */
static void do_write_back(void)
{
	kr_root_write(A, "zero\none\ntwo\nthree\n");
	set_mode(A, 0600);
}

/* Others have changed the very line. */
static void do_write_beside(void)
{
	kr_root_write(A, "one\nnewer\nthree\n");
	set_mode(A, 0600);
}

static void do_replace(void)
{
	ck_assert_int_eq(unlinkat(kr_root_fd, &A[1], 0), 0);
	kr_root_write(A, "one\ntwo\nthree\nfour\n");
	set_mode(A, 0600);
}

static void do_link(void)
{
	ck_assert_int_eq(renameat(kr_root_fd, &A[1], kr_root_fd, "etc/real"),
	                 0);
	kr_root_symlink("../real", A);
}

static void do_remove(void)
{
	ck_assert_int_eq(unlinkat(kr_root_fd, &A[1], 0), 0);
}

static const struct fix only_mode = {.mode = 0600};
static const struct fix with_edit = {.mode = 0600, .line = 5};
static const struct fix with_line = {.at = 5, .text = "more\n"};

static const struct {
	const char *name;
	const struct fix *fix;
	void (*what)(void);
	enum kr_undoable want;
	mode_t mode;      /* then; 0: there is none */
	const char *text; /* then; NULL: as it was */
} sinces[] = {
	{"nothing", &only_mode, do_nothing, POSSIBLE, 0644, NULL},
	{"another mode", &only_mode, do_chmod, REFUSED, 0640, NULL},
	{"the old mode", &only_mode, do_chmod_back, NOTHING, 0644, NULL},
	{"other bytes", &only_mode, do_write, POSSIBLE, 0644, "theirs\n"},
	{"another file", &only_mode, do_replace, POSSIBLE, 0644,
         "one\ntwo\nthree\nfour\n"},
	{"gone", &only_mode, do_remove, NOTHING, 0, NULL},
	{"edit, another mode", &with_edit, do_chmod, REFUSED, 0640,
         "one\nnew\nthree\n"},
	{"edit, the old mode", &with_edit, do_chmod_back, POSSIBLE, 0644, NULL},
	{"edit, other bytes", &with_edit, do_write, REFUSED, 0600, "theirs\n"},
	{"edit, the old line", &with_edit, do_write_back, POSSIBLE, 0644,
         "zero\none\ntwo\nthree\n"},
	{"edit, another word", &with_edit, do_write_beside, REFUSED, 0600,
         "one\nnewer\nthree\n"},
	{"line, the old lines", &with_line, do_write_back, NOTHING, 0600,
         "zero\none\ntwo\nthree\n"},
	{"line, another word", &with_line, do_write_beside, REFUSED, 0600,
         "one\nnewer\nthree\n"},
	{"edit, gone", &with_edit, do_remove, NOTHING, 0, NULL},
};

START_TEST(test_since)
{
	const char *name = sinces[_i].name;
	enum kr_undoable got;

	do_fix(sinces[_i].fix, ids[0]);
	sinces[_i].what();
	got = undo(ids[0]);
	ck_assert_msg(got == sinces[_i].want, "%s: %s%s", name,
	              kr_undoable_to_string(got), kr_test_messages(&diag));
	if (sinces[_i].mode == 0)
		return;
	ck_assert_msg(mode_of(A) == sinces[_i].mode, "%s: %04o", name,
	              (unsigned)mode_of(A));
	check_text(name,
	           sinces[_i].text ? sinces[_i].text : "one\ntwo\nthree\n");
}
END_TEST

/* What is at the end of a link is another file. */
START_TEST(test_link)
{
	do_fix(&only_mode, ids[0]);
	do_link();
	ck_assert_int_eq(undo(ids[0]), KR_UNDO_REFUSED);
	ck_assert_uint_eq(mode_of("/etc/real"), 0600);
}
END_TEST

/* What was found and what was left are said. */
START_TEST(test_words)
{
	do_fix(&only_mode, ids[0]);
	do_chmod();
	ck_assert_int_eq(undo(ids[0]), KR_UNDO_REFUSED);
	ck_assert_msg(strstr(kr_test_messages(&diag), "0640") &&
	                      strstr(kr_test_messages(&diag), "0600"),
	              "%s", kr_test_messages(&diag));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "undo", setup, teardown);
	size_t n = ARRAY_SIZE(orders);

	while (geteuid() != 0 && orders[n - 1].root)
		n--;
	if (n < ARRAY_SIZE(orders))
		printf("# skipped: owners: only root can give a file away\n");
	tcase_add_loop_test(tc, test_order, 0, (int)n);
	tcase_add_loop_test(tc, test_since, 0, ARRAY_SIZE(sinces));
	tcase_add_test(tc, test_link);
	tcase_add_test(tc, test_words);
}

KR_TEST_MAIN(add_tests);
