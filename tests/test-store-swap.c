/* SPDX-License-Identifier: Apache-2.0 */

/*
 * store/swap and store/transaction: others who write in the very instant of a
 * rename, and file systems without an exchange. This program has a renameat2()
 * of its own, which lets them write just before a call, or lets it fail; so
 * what is raced for elsewhere happens here every time.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/edit.h"
#include "store/recover.h"
#include "store/swap.h"
#include "store/transaction.h"
#include "testing.h"

#define A   "/etc/d/a.conf"
#define B   "/etc/e/b.conf"
#define NEW "/etc/n/made.conf"

/* --- renameat2(2) -------------------------------------------------------- */

static struct {
	unsigned n_calls;
	unsigned act_at[2]; /* from 1; 0: never */
	void (*act[2])(const char *path);
	const char *path;
	unsigned fail_from, fail_to; /* calls that give ERROR */
	int error;
	bool exchanges_only;
} hook;

int renameat2(int from_fd, const char *from, int to_fd, const char *to,
              unsigned flags)
{
	hook.n_calls++;
	for (int i = 0; i < 2; i++) {
		if (hook.act_at[i] == hook.n_calls)
			hook.act[i](hook.path);
	}
	if (hook.n_calls >= hook.fail_from && hook.n_calls <= hook.fail_to &&
	    (!hook.exchanges_only || flags == RENAME_EXCHANGE)) {
		errno = hook.error;
		return -1;
	}
	return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

/* --- what all have in common --------------------------------------------- */

static struct kr_fs *fs;
static struct kr_edits edits;
static struct kr_diag diag;
static struct kr_recovery recovery;
static int their_fd = -1;

static void setup(void)
{
	memset(&hook, 0, sizeof(hook));
	kr_root_setup();
	kr_root_write(A, "old a\n");
	kr_root_write(B, "old b\n");
	kr_root_mkdir("/etc/n");
	fs = kr_root_fs();
}

static void teardown(void)
{
	if (their_fd >= 0)
		close(their_fd);
	their_fd = -1;
	kr_edits_done(&edits);
	kr_recovery_done(&recovery);
	kr_diag_done(&diag);
	fs = kr_fs_free(fs);
	kr_root_teardown();
}

static void edit(const char *path)
{
	const struct kr_file *file;

	ck_assert_int_eq(kr_fs_read(fs, path, &file), 0);
	ck_assert_int_eq(
		kr_edits_add(&edits, (struct kr_span){file, 0, 3}, "new"), 0);
}

static void take_away(const char *path)
{
	const struct kr_file *file;

	ck_assert_int_eq(kr_fs_read(fs, path, &file), 0);
	ck_assert_int_eq(kr_edits_remove(&edits, file), 0);
}

static struct kr_transaction *prepare(void)
{
	const struct kr_transaction_about about = {.unit = "kubelet.service",
	                                           .disk_before = "false"};
	struct kr_transaction *tx = NULL;

	ck_assert_msg(kr_transaction_prepare(fs, &edits, &about, &diag, &tx) ==
	                      0,
	              "%s", kr_test_messages(&diag));
	return tx;
}

/* What stands at PATH: its bytes, or for what is no regular file its kind;
 * NULL: nothing. */
static const char *what_is(const char *path)
{
	static char got[64];
	struct stat st;
	ssize_t n;
	int fd;

	if (fstatat(kr_root_fd, path + 1, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode)    ? "folder"
		       : S_ISLNK(st.st_mode)  ? "link"
		       : S_ISFIFO(st.st_mode) ? "fifo"
		                              : "?";
	fd = openat(kr_root_fd, path + 1, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	n = read(fd, got, sizeof(got) - 1);
	ck_assert_int_ge(n, 0);
	got[n] = '\0';
	close(fd);
	return got;
}

static void check_is(const char *name, const char *path, const char *want)
{
	const char *got = what_is(path);

	ck_assert_msg((got != NULL) == (want != NULL) &&
	                      (!got || strcmp(got, want) == 0),
	              "%s: %s is '%s', wanted '%s'%s", name, path,
	              got ? got : "gone", want ? want : "gone",
	              kr_test_messages(&diag));
}

/* --- others -------------------------------------------------------------- */

static void rewrite(const char *path)
{
	kr_root_write(path, "theirs\n");
}

static void put_over(const char *path, const char *text)
{
	kr_root_write("/etc/x/tmp", text);
	ck_assert_int_eq(
		renameat(kr_root_fd, "etc/x/tmp", kr_root_fd, path + 1), 0);
}

static void replace(const char *path)
{
	put_over(path, "theirs\n");
}

static void replace_again(const char *path)
{
	put_over(path, "theirs, second\n");
}

/* Other bytes, as many, and the time of the old ones. */
static void disguise(const char *path)
{
	struct stat st = kr_root_stat(path);
	const struct timespec times[] = {st.st_atim, st.st_mtim};

	kr_root_write(path, "odd a\n");
	ck_assert_int_eq(utimensat(kr_root_fd, path + 1, times, 0), 0);
}

/* The same bytes in another inode. */
static void replace_same(const char *path)
{
	char text[64];

	strlcpy(text, what_is(path), sizeof(text));
	put_over(path, text);
}

static void delete (const char *path)
{
	ck_assert_int_eq(unlinkat(kr_root_fd, path + 1, 0), 0);
}

static void make_link(const char *path)
{
	delete (path);
	kr_root_symlink("../e/b.conf", path);
}

static void make_folder(const char *path)
{
	delete (path);
	kr_root_mkdir(path);
}

static void make_fifo(const char *path)
{
	delete (path);
	ck_assert_int_eq(mkfifoat(kr_root_fd, path + 1, 0644), 0);
}

static void change_mode(const char *path)
{
	ck_assert_int_eq(fchmodat(kr_root_fd, path + 1, 0640, 0), 0);
}

static void add_name(const char *path)
{
	ck_assert_int_eq(
		linkat(kr_root_fd, path + 1, kr_root_fd, "etc/also", 0), 0);
}

static void open_it(const char *path)
{
	their_fd = openat(kr_root_fd, path + 1, O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(their_fd, 0);
}

static void set_attribute(const char *path)
{
	int fd = openat(kr_root_fd, path + 1, O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(fsetxattr(fd, "user.theirs", "1", 1, 0), 0);
	close(fd);
}

/* What another does to A in the instant of its exchange, and what A then is;
 * SAME: as it was. */
static const struct other {
	const char *name;
	void (*act)(const char *path);
	const char *is;
	int result;
	bool theirs; /* it is another file, or has other bytes */
} others[] = {
	{"rewritten", rewrite, "theirs\n", KR_CHANGE_STALE, true},
	{"replaced", replace, "theirs\n", KR_CHANGE_STALE, true},
	{"in disguise", disguise, "odd a\n", KR_CHANGE_STALE, true},
	{"the same bytes", replace_same, "same", KR_CHANGE_STALE, true},
	{"deleted", delete, NULL, KR_CHANGE_STALE, true},
	{"a link now", make_link, "link", KR_CHANGE_STALE, true},
	{"a folder now", make_folder, "folder", KR_CHANGE_STALE, true},
	{"a fifo now", make_fifo, "fifo", KR_CHANGE_STALE, true},
	{"another mode", change_mode, "same", KR_CHANGE_STALE},
	{"another name", add_name, "same", KR_CHANGE_STALE},
	{"an attribute", set_attribute, "same", KR_CHANGE_STALE},
	{"open for writing", open_it, "same", KR_CHANGE_OPEN},
};

/* What others have written is left to them, which is no failure. */
static void check_reverted(const struct other *o, struct kr_transaction *tx,
                           int r)
{
	ck_assert_msg(r == (o->theirs ? 0 : KR_CHANGE_STUCK), "%s: %d%s",
	              o->name, r, kr_test_messages(&diag));
	ck_assert_msg(kr_transaction_n_foreign(tx) == o->theirs, "%s", o->name);
	ck_assert_msg((kr_diag_find(&diag, "rewritten") != NULL) == o->theirs,
	              "%s:%s", o->name, kr_test_messages(&diag));
	if (r == 0)
		kr_transaction_reverted(tx, &diag);
}

static const char *is_then(const struct other *o, const char *same)
{
	return o->is && strcmp(o->is, "same") == 0 ? same : o->is;
}

static void act_at(unsigned call, void (*act)(const char *), const char *path)
{
	hook.act_at[0] = hook.n_calls + call;
	hook.act[0] = act;
	hook.path = path;
}

/* The second of two files: the first has gone before. */
START_TEST(test_commit)
{
	const struct other *o = &others[_i];
	struct kr_transaction *tx;
	int r;

	edit(B);
	edit(A);
	tx = prepare();
	act_at(2, o->act, A);
	r = kr_transaction_commit(tx, &diag);
	ck_assert_msg(r == o->result, "%s: %d%s", o->name, r,
	              kr_test_messages(&diag));
	kr_transaction_free(tx);
	check_is(o->name, A, is_then(o, "old a\n"));
	check_is(o->name, B, "old b\n");
	ck_assert_msg(kr_root_entries("/etc/d") == (o->is != NULL), "%s",
	              o->name);
	ck_assert_msg(kr_root_entries("/etc/e") == 1, "%s", o->name);
	ck_assert_msg(kr_root_entries("/var/lib/kubelet-remedy") == 0, "%s",
	              o->name);
}
END_TEST

/* On the way back: what is theirs stays, the other file is put back. */
START_TEST(test_revert)
{
	const struct other *o = &others[_i];
	struct kr_transaction *tx;
	char copy[128];
	int r;

	edit(A);
	edit(B);
	tx = prepare();
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), 0);
	act_at(2, o->act, A);
	r = kr_transaction_revert(tx, "a reason", &diag);
	check_reverted(o, tx, r);
	snprintf(copy, sizeof(copy), "/var/lib/kubelet-remedy/%s/0",
	         kr_transaction_id(tx));
	kr_transaction_free(tx);
	check_is(o->name, A, is_then(o, "new a\n"));
	check_is(o->name, B, "old b\n");
	check_is(o->name, copy, "old a\n");
	ck_assert_msg(strstr(kr_test_messages(&diag), copy) != NULL,
	              "%s: no copy is named:%s", o->name,
	              kr_test_messages(&diag));
	ck_assert_msg(kr_root_entries("/etc/d") == (o->is != NULL), "%s",
	              o->name);
	ck_assert_msg(kr_root_entries("/etc/e") == 1, "%s", o->name);
}
END_TEST

/* A file that is taken away is moved, and compared. */
START_TEST(test_remove)
{
	const struct other *o = &others[_i];
	struct kr_transaction *tx;
	int r;

	take_away(A);
	tx = prepare();
	act_at(1, o->act, A);
	r = kr_transaction_commit(tx, &diag);
	ck_assert_msg(r == o->result, "%s: %d%s", o->name, r,
	              kr_test_messages(&diag));
	kr_transaction_free(tx);
	check_is(o->name, A, is_then(o, "old a\n"));
	ck_assert_msg(kr_root_entries("/etc/d") == (o->is != NULL), "%s",
	              o->name);
}
END_TEST

/* So is one that was made, on the way back. Deleted is as good. */
START_TEST(test_unmake)
{
	const struct other *o = &others[_i];
	struct kr_transaction *tx;
	int r;

	ck_assert_int_eq(kr_edits_create(&edits, NEW, "made\n"), 0);
	tx = prepare();
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), 0);
	act_at(1, o->act, NEW);
	r = kr_transaction_revert(tx, "a reason", &diag);
	check_reverted(o, tx, r);
	kr_transaction_free(tx);
	check_is(o->name, NEW, is_then(o, "made\n"));
	ck_assert_msg(kr_root_entries("/etc/n") == (o->is != NULL), "%s",
	              o->name);
}
END_TEST

/* What is to be made, or to come back, is there in that instant. */
START_TEST(test_taken)
{
	struct kr_transaction *tx;

	ck_assert_int_eq(kr_edits_create(&edits, NEW, "made\n"), 0);
	tx = prepare();
	act_at(1, rewrite, NEW);
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), KR_CHANGE_EXISTS);
	kr_transaction_free(tx);
	check_is("made", NEW, "theirs\n");
	ck_assert_uint_eq(kr_root_entries("/etc/n"), 1);
	kr_edits_done(&edits);

	take_away(A);
	tx = prepare();
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), 0);
	check_is("removed", A, NULL);
	act_at(1, rewrite, A);
	ck_assert_int_eq(kr_transaction_revert(tx, NULL, &diag), 0);
	ck_assert_uint_eq(kr_transaction_n_foreign(tx), 1);
	kr_transaction_reverted(tx, &diag);
	kr_transaction_free(tx);
	check_is("removed", A, "theirs\n");
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 1);
}
END_TEST

static void (*const changes[])(const char *) = {edit, take_away};

/* Two others, one after the other: the last stands, as it would without us. */
START_TEST(test_two_others)
{
	struct kr_transaction *tx;

	changes[_i](A);
	tx = prepare();
	act_at(1, replace, A);
	hook.act_at[1] = hook.n_calls + 2;
	hook.act[1] = replace_again;
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), KR_CHANGE_STALE);
	kr_transaction_free(tx);
	check_is("two", A, "theirs, second\n");
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 1);
}
END_TEST

/* --- what cannot be done ------------------------------------------------- */

static void fail_at(unsigned from, unsigned to, int error)
{
	hook.fail_from = hook.n_calls + from;
	hook.fail_to = to ? hook.n_calls + to : (unsigned)-1;
	hook.error = error;
}

static const int unknown[] = {EINVAL, ENOSYS, EPERM, EOPNOTSUPP};

/* No exchange: plain renames, and copies on the way back. */
START_TEST(test_no_exchange)
{
	struct kr_transaction *tx;
	struct stat before = kr_root_stat(A);

	edit(A);
	tx = prepare();
	hook.exchanges_only = _i % 2;
	fail_at(1, 0, unknown[_i / 2]);
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), 0);
	check_is("no exchange", A, "new a\n");
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 1);
	ck_assert_int_eq(kr_transaction_revert(tx, NULL, &diag), 0);
	kr_transaction_reverted(tx, &diag);
	kr_transaction_free(tx);
	check_is("no exchange", A, "old a\n");
	ck_assert_uint_eq(kr_root_stat(A).st_mode, before.st_mode);
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 1);
	ck_assert_uint_eq(diag.n_messages, 0);
}
END_TEST

/* No flag at all: what is made does not replace, what goes comes back. */
START_TEST(test_no_flags)
{
	struct kr_transaction *tx;

	ck_assert_int_eq(kr_edits_create(&edits, NEW, "made\n"), 0);
	take_away(A);
	tx = prepare();
	fail_at(1, 0, unknown[_i]);
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), 0);
	check_is("no flags", NEW, "made\n");
	check_is("no flags", A, NULL);
	ck_assert_int_eq(kr_transaction_revert(tx, NULL, &diag), 0);
	kr_transaction_reverted(tx, &diag);
	kr_transaction_free(tx);
	check_is("no flags", NEW, NULL);
	check_is("no flags", A, "old a\n");
	ck_assert_uint_eq(kr_root_entries("/etc/d") + kr_root_entries("/etc/n"),
	                  1);
	kr_edits_done(&edits);

	ck_assert_int_eq(kr_edits_create(&edits, NEW, "made\n"), 0);
	tx = prepare();
	act_at(1, rewrite, NEW);
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), KR_CHANGE_EXISTS);
	kr_transaction_free(tx);
	check_is("no flags", NEW, "theirs\n");
}
END_TEST

static const int failures[] = {EIO, ENOSPC, EROFS, EACCES, ENOMEM, EDQUOT};

START_TEST(test_commit_fails)
{
	struct kr_transaction *tx;

	edit(A);
	edit(B);
	tx = prepare();
	fail_at(2, 2, failures[_i]);
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), -failures[_i]);
	kr_transaction_free(tx);
	check_is("fails", A, "old a\n");
	check_is("fails", B, "old b\n");
	ck_assert_uint_eq(kr_root_entries("/etc/d") + kr_root_entries("/etc/e"),
	                  2);
	ck_assert_uint_eq(kr_root_entries("/var/lib/kubelet-remedy"), 0);
}
END_TEST

/* The exchange back fails: a copy is put back instead. */
START_TEST(test_revert_fails)
{
	struct kr_transaction *tx;

	edit(A);
	take_away(B);
	tx = prepare();
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), 0);
	/* each once */
	fail_at(1, 1, failures[_i]);
	ck_assert_int_eq(kr_transaction_revert(tx, NULL, &diag), 0);
	kr_transaction_reverted(tx, &diag);
	kr_transaction_free(tx);
	check_is("fails", A, "old a\n");
	check_is("fails", B, "old b\n");
	ck_assert_uint_eq(kr_root_entries("/etc/d") + kr_root_entries("/etc/e"),
	                  2);
}
END_TEST

/* Somebody wrote, and what he wrote cannot be brought back at once: the next
 * try, or the next run does it; it is never removed. */
START_TEST(test_displaced)
{
	unsigned n_failures = (unsigned)_i; /* of the exchanges back */
	struct kr_transaction *tx;
	struct kr_fs *later;
	int r;

	edit(A);
	tx = prepare();
	act_at(1, replace, A);
	fail_at(2, 1 + n_failures, EIO);
	r = kr_transaction_commit(tx, &diag);
	kr_transaction_free(tx);
	if (n_failures < 2) {
		ck_assert_int_eq(r, KR_CHANGE_STALE);
	} else {
		ck_assert_int_eq(r, KR_CHANGE_STUCK);
		ck_assert_ptr_nonnull(kr_diag_find(&diag, "file-displaced"));
		ck_assert_uint_eq(kr_root_entries("/etc/d"), 2);
		check_is("displaced", A, "new a\n");
		later = kr_root_fs();
		if (n_failures > 2)
			ck_assert_int_eq(
				kr_recover_run(later, &recovery, &diag), -EIO);
		ck_assert_int_eq(kr_recover_run(later, &recovery, &diag), 0);
		ck_assert_int_eq(kr_recover_end(later, &recovery, &diag), 0);
		kr_fs_free(later);
	}
	check_is("displaced", A, "theirs\n");
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 1);
}
END_TEST

/* --- the old file itself ------------------------------------------------- */

START_TEST(test_same_inode)
{
	struct kr_transaction *tx;
	struct stat before = kr_root_stat(A), after, gone = kr_root_stat(B);

	edit(A);
	take_away(B);
	tx = prepare();
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), 0);
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 2);
	ck_assert_uint_ne(kr_root_stat(A).st_ino, before.st_ino);
	ck_assert_int_eq(kr_transaction_revert(tx, "a reason", &diag), 0);
	kr_transaction_reverted(tx, &diag);
	after = kr_root_stat(A);
	ck_assert_uint_eq(after.st_ino, before.st_ino);
	ck_assert_int_eq(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
	ck_assert_int_eq(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	ck_assert_uint_eq(kr_root_stat(B).st_ino, gone.st_ino);
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 1);
	ck_assert_uint_eq(kr_root_entries("/etc/e"), 1);
	kr_transaction_free(tx);
	ck_assert_ptr_null(what_is("/var/lib/kubelet-remedy/pending"));
}
END_TEST

START_TEST(test_kept)
{
	struct kr_transaction *tx;

	edit(A);
	take_away(B);
	tx = prepare();
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), 0);
	check_is("committed", "/var/lib/kubelet-remedy/pending", "");
	ck_assert_int_eq(kr_transaction_keep(tx, &diag), 0);
	kr_transaction_free(tx);
	check_is("kept", A, "new a\n");
	check_is("kept", B, NULL);
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 1);
	ck_assert_uint_eq(kr_root_entries("/etc/e"), 0);
	check_is("kept", "/var/lib/kubelet-remedy/pending", NULL);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "files", setup, teardown);
	int n = ARRAY_SIZE(others);

	/* each brings some files to a disk that others use, too */
	tcase_add_loop_test(tc, test_commit, 0, n);
	tcase_add_loop_test(tc, test_revert, 0, n);
	tcase_add_loop_test(tc, test_remove, 0, n);
	tcase_add_loop_test(tc, test_unmake, 0, n);
	tcase_add_test(tc, test_taken);
	tcase_add_loop_test(tc, test_two_others, 0, ARRAY_SIZE(changes));
	tcase_add_loop_test(tc, test_no_exchange, 0, 2 * ARRAY_SIZE(unknown));
	tcase_add_loop_test(tc, test_no_flags, 0, ARRAY_SIZE(unknown));
	tcase_add_loop_test(tc, test_commit_fails, 0, ARRAY_SIZE(failures));
	tcase_add_loop_test(tc, test_revert_fails, 0, ARRAY_SIZE(failures));
	tcase_add_loop_test(tc, test_displaced, 0, 4);
	tcase_add_test(tc, test_same_inode);
	tcase_add_test(tc, test_kept);
}

KR_TEST_MAIN(add_tests);
