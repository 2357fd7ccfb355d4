/* SPDX-License-Identifier: Apache-2.0 */

/*
 * store/in-place: a file gets another mode or owner in a transaction, alone or
 * with others and beside edits; what others did stays; and whenever the program
 * is killed, the next run brings all of the old state back.
 *
 * The fault tests drive the program, which does not choose such a change yet.
 * So each call that changes a disk is a place to be killed at here.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/edit.h"
#include "store/boot-mark.h"
#include "store/in-place.h"
#include "store/recover.h"
#include "store/transaction.h"
#include "testing-calls.h"
#include "testing.h"

#define A     "/etc/d/a.conf"
#define B     "/etc/e/b.conf"
#define C     "/etc/f/c.conf"
#define OTHER "/etc/other"
#define STATE "/var/lib/kubelet-remedy"
#define ID    "20261122T000000.000000Z-00000001"

static struct kr_fs *fs;
static struct kr_edits edits;
static struct kr_diag diag;
static struct kr_recovery recovery;
static bool is_root;

static void setup(void)
{
	kr_root_setup();
	kr_root_write(A, "old a\n");
	kr_root_write(B, "old b\n");
	kr_root_write(C, "old c\n");
	kr_root_write(OTHER, "theirs\n");
	fs = kr_root_fs();
	recovery = (struct kr_recovery){0};
}

static void teardown(void)
{
	kr_test_before_call(KR_TEST_ANY_CALL, 0, NULL);
	kr_recovery_done(&recovery);
	kr_edits_done(&edits);
	kr_diag_done(&diag);
	fs = kr_fs_free(fs);
	kr_root_teardown();
}

static const struct kr_file *read_file(const char *path)
{
	const struct kr_file *file;

	ck_assert_int_eq(kr_fs_read(fs, path, &file), 0);
	return file;
}

static void set_mode(const char *path, mode_t mode)
{
	ck_assert_int_eq(fchmodat(kr_root_fd, path + 1, mode, 0), 0);
}

static void set_owner(const char *path, uid_t uid, gid_t gid)
{
	ck_assert_int_eq(fchownat(kr_root_fd, path + 1, uid, gid, 0), 0);
}

static struct kr_perms perms_at(const char *path)
{
	const struct stat st = kr_root_stat(path);

	return kr_perms_of(&st);
}

static void check_perms(const char *when, const char *path, mode_t mode,
                        uid_t uid, gid_t gid)
{
	struct kr_perms now = perms_at(path);

	ck_assert_msg(now.mode == mode && now.uid == uid && now.gid == gid,
	              "%s: %s has %04o %u:%u, wanted %04o %u:%u%s", when, path,
	              (unsigned)now.mode, now.uid, now.gid, (unsigned)mode, uid,
	              gid, kr_test_messages(&diag));
}

static void check_bytes(const char *when, const char *path, const char *want)
{
	char got[64] = "";
	int fd = openat(kr_root_fd, path + 1, O_RDONLY | O_CLOEXEC);

	ck_assert_msg(fd >= 0, "%s: %s", when, path);
	ck_assert_int_ge(read(fd, got, sizeof(got) - 1), 0);
	close(fd);
	ck_assert_msg(strcmp(got, want) == 0, "%s: %s: '%s'", when, path, got);
}

static const struct kr_transaction_about about = {.unit = "kubelet.service",
                                                  .disk_before = "false"};

static struct kr_transaction *prepare(int want)
{
	struct kr_transaction *tx = NULL;
	int r = kr_transaction_prepare(fs, &edits, &about, &diag, &tx);

	ck_assert_msg(r == want, "%d (%s), wanted %d%s", r, strerror(-r), want,
	              kr_test_messages(&diag));
	ck_assert((tx != NULL) == (r == 0));
	return tx;
}

static void commit(struct kr_transaction *tx, int want)
{
	int r = kr_transaction_commit(tx, &diag);

	ck_assert_msg(r == want, "%d (%s), wanted %d%s", r, strerror(-r), want,
	              kr_test_messages(&diag));
}

static bool has_our_ctime(const char *path)
{
	const struct timespec ctime = kr_root_stat(path).st_ctim;
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_fs_ struct kr_fs *now = kr_root_fs();

	ck_assert_int_eq(kr_manifests_read(now, &diag, &list), 0);
	return kr_manifests_changed_ctime(&list, path, &ctime);
}

/* --- there and back ------------------------------------------------------ */

/* What is asked of the file A, 0644 of our own. */
static const struct change {
	const char *name;
	mode_t mode; /* 0: as it is */
	bool owner;  /* becomes 1234:5678 */
	bool edit;   /* "old" becomes "new" */
	mode_t was;  /* 0: 0644 */
} changes[] = {
	{"mode", .mode = 0600},
	{"mode, to set-id bits", .mode = 06755},
	{"mode, from set-id bits", .was = 04755, .mode = 0600},
	{"mode, with an edit", .mode = 0600, .edit = true},
	/* from here on only root */
	{"owner", .owner = true},
	{"both", .mode = 0600, .owner = true},
	{"owner, with an edit", .owner = true, .edit = true},
	{"both, with an edit", .mode = 0640, .owner = true, .edit = true},
	{"set-id bits, with an edit", .was = 04755, .owner = true,
         .edit = true},
};
#define N_OF_ALL 4

static mode_t was(const struct change *c)
{
	return c->was ? c->was : 0644;
}

static void plan(const struct change *c)
{
	const struct kr_file *file;

	set_mode(A, was(c));
	file = read_file(A);
	if (c->edit)
		ck_assert_int_eq(kr_edits_add(&edits,
		                              (struct kr_span){file, 0, 3},
		                              "new"),
		                 0);
	if (c->mode)
		ck_assert_int_eq(kr_edits_chmod(&edits, file, c->mode), 0);
	if (c->owner)
		ck_assert_int_eq(kr_edits_chown(&edits, file, 1234, 5678), 0);
}

static void check_old(const struct change *c)
{
	check_perms(c->name, A, was(c), geteuid(), getegid());
	check_bytes(c->name, A, "old a\n");
}

static void check_new(const struct change *c)
{
	check_perms(c->name, A, c->mode ? c->mode : was(c),
	            c->owner ? 1234 : geteuid(), c->owner ? 5678 : getegid());
	check_bytes(c->name, A, c->edit ? "new a\n" : "old a\n");
}

START_TEST(test_there_and_back)
{
	const struct change *c = &changes[_i];
	_cleanup_transaction_ struct kr_transaction *tx = NULL;
	struct stat old, new;

	plan(c);
	old = kr_root_stat(A);
	ck_assert_int_eq(kr_transaction_check(fs, &edits, &diag), 0);
	tx = prepare(0);
	check_old(c);
	commit(tx, KR_CHANGE_DONE);
	check_new(c);
	new = kr_root_stat(A);
	if (!c->edit) {
		ck_assert_uint_eq(new.st_ino, old.st_ino);
		ck_assert_int_eq(new.st_mtim.tv_nsec, old.st_mtim.tv_nsec);
		ck_assert_uint_eq(kr_root_entries("/etc/d"), 1);
		ck_assert_msg(has_our_ctime(A), "%s", c->name);
	}
	ck_assert_ptr_null(kr_transaction_find_foreign(tx));
	ck_assert_int_eq(kr_transaction_revert(tx, NULL, &diag), 0);
	kr_transaction_reverted(tx, &diag);
	check_old(c);
	ck_assert_uint_eq(kr_root_stat(A).st_ino, old.st_ino);
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 1);
	ck_assert_uint_eq(kr_transaction_n_foreign(tx), 0);
	ck_assert_msg(has_our_ctime(A) == !c->edit, "%s", c->name);
	ck_assert_msg(diag.n_messages == 0, "%s:%s", c->name,
	              kr_test_messages(&diag));
}
END_TEST

/* A change of others' shows in the ctime, which may tick slowly. */
START_TEST(test_ctime)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;
	struct timespec first;

	plan(&changes[0]);
	tx = prepare(0);
	commit(tx, KR_CHANGE_DONE);
	ck_assert_int_eq(kr_transaction_keep(tx, &diag), 0);
	ck_assert(has_our_ctime(A));
	ck_assert(!has_our_ctime(B));
	first = kr_root_stat(A).st_ctim;
	for (int i = 0; i < 200; i++) {
		const struct timespec *now;
		struct stat st;

		usleep(5000);
		set_mode(A, 0600);
		st = kr_root_stat(A);
		now = &st.st_ctim;
		if (now->tv_sec != first.tv_sec ||
		    now->tv_nsec / 1000 != first.tv_nsec / 1000)
			break;
	}
	ck_assert(!has_our_ctime(A));
}
END_TEST

/* The content of a file that stays may be somebody's key. */
START_TEST(test_no_copy)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;
	char folder[128], copy[160];

	plan(&changes[0]);
	tx = prepare(0);
	snprintf(folder, sizeof(folder), STATE "/%s", kr_transaction_id(tx));
	snprintf(copy, sizeof(copy), "%s/0", folder);
	ck_assert_int_lt(faccessat(kr_root_fd, copy + 1, F_OK, 0), 0);
}
END_TEST

/* The plan's order: what comes before the edit is changed before it. */
static struct kr_perms seen_a, seen_c;

static void look_at_both(void)
{
	seen_a = perms_at(A);
	seen_c = perms_at(C);
}

static void plan_three(void)
{
	ck_assert_int_eq(kr_edits_chmod(&edits, read_file(A), 0600), 0);
	ck_assert_int_eq(kr_edits_add(&edits,
	                              (struct kr_span){read_file(B), 0, 3},
	                              "new"),
	                 0);
	ck_assert_int_eq(kr_edits_chmod(&edits, read_file(C), 0600), 0);
}

START_TEST(test_order)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;

	plan_three();
	tx = prepare(0);
	kr_test_before_call(KR_TEST_RENAMEAT2, 1, look_at_both);
	commit(tx, KR_CHANGE_DONE);
	ck_assert(!kr_test_call_to_come());
	ck_assert_uint_eq(seen_a.mode, 0600);
	ck_assert_uint_eq(seen_c.mode, 0644);
	check_bytes("after", B, "new b\n");
	ck_assert_uint_eq(perms_at(C).mode, 0600);
}
END_TEST

/* The same change of the same bytes, with the same mode before. */
START_TEST(test_find_same)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_edits_ struct kr_edits other = {0}, bytes = {0}, from = {0};
	_cleanup_fs_ struct kr_fs *now = NULL;
	const struct kr_file *file;

	plan(&changes[0]);
	tx = prepare(0);
	commit(tx, KR_CHANGE_DONE);
	ck_assert_int_eq(kr_transaction_revert(tx, "a reason", &diag), 0);
	kr_transaction_reverted(tx, &diag);
	now = kr_root_fs();
	ck_assert_int_eq(kr_manifests_read(now, &diag, &list), 0);
	ck_assert_ptr_nonnull(kr_manifests_find_same(&list, now, &edits));
	ck_assert_int_eq(kr_fs_read(now, A, &file), 0);
	ck_assert_int_eq(kr_edits_chmod(&other, file, 0400), 0);
	ck_assert_ptr_null(kr_manifests_find_same(&list, now, &other));
	ck_assert_int_eq(
		kr_edits_add(&bytes, (struct kr_span){file, 0, 3}, "new"), 0);
	ck_assert_ptr_null(kr_manifests_find_same(&list, now, &bytes));
	ck_assert_int_eq(kr_edits_chmod(&bytes, file, 0600), 0);
	ck_assert_ptr_null(kr_manifests_find_same(&list, now, &bytes));
	kr_fs_free(now);
	set_mode(A, 0640);
	now = kr_root_fs();
	ck_assert_int_eq(kr_fs_read(now, A, &file), 0);
	ck_assert_int_eq(kr_edits_chmod(&from, file, 0600), 0);
	ck_assert_ptr_null(kr_manifests_find_same(&list, now, &from));
}
END_TEST

/* --- refused ------------------------------------------------------------- */

/* The rest is as it was, too. */
static void check_refused(int want, mode_t mode)
{
	int r = kr_transaction_check(fs, &edits, &diag);

	ck_assert_msg(r == want, "%d (%s), wanted %d%s", r, strerror(-r), want,
	              kr_test_messages(&diag));
	ck_assert_ptr_nonnull(kr_diag_first(&diag, KR_ERROR));
	ck_assert_str_eq(kr_diag_first(&diag, KR_ERROR)->file, A);
	prepare(want);
	ck_assert_uint_eq(perms_at(A).mode, mode);
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 1);
	ck_assert_uint_eq(kr_root_entries(STATE), 0);
}

START_TEST(test_hard_link)
{
	ck_assert_int_eq(linkat(kr_root_fd, &A[1], kr_root_fd, "link", 0), 0);
	plan(&changes[0]);
	check_refused(KR_CHANGE_LINKED, 0644);
}
END_TEST

/* user::rw-, user:1234:r--, group::r--, mask::r--, other::r-- */
static const unsigned char acl[] = {
	2,  0, 0, 0,                         /* version */
	1,  0, 6, 0, 0xff, 0xff, 0xff, 0xff, /* */
	2,  0, 4, 0, 0xd2, 0x04, 0,    0,    /* */
	4,  0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* */
	16, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* */
	32, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,
};

static void set_acl(void)
{
	int fd = openat(kr_root_fd, &A[1], O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(
		fsetxattr(fd, "system.posix_acl_access", acl, sizeof(acl), 0),
		0);
	close(fd);
}

START_TEST(test_acl)
{
	/* with an edit, too */
	plan(&changes[_i == 0 ? 0 : 3]);
	set_acl();
	check_refused(KR_CHANGE_ACL, 0644);
}
END_TEST

static int set_immutable(int fd, bool set)
{
	int flags;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return -errno;
	flags = set ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0 ? -errno : 0;
}

START_TEST(test_immutable)
{
	int fd = openat(kr_root_fd, &A[1], O_RDONLY | O_CLOEXEC), r;

	plan(&changes[0]);
	ck_assert_int_eq(set_immutable(fd, true), 0);
	r = kr_transaction_check(fs, &edits, &diag);
	/* first, as teardown could not remove it */
	set_immutable(fd, false);
	close(fd);
	ck_assert_int_eq(r, KR_CHANGE_IMMUTABLE);
}
END_TEST

START_TEST(test_set_id)
{
	const struct change c = {"set-id", .was = 04755, .owner = true};

	plan(&c);
	check_refused(KR_CHANGE_SET_ID, 04755);
}
END_TEST

START_TEST(test_capability)
{
	static const unsigned char capability[] = {
		1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	const struct change c = {"capability", .owner = true};
	int fd = openat(kr_root_fd, &A[1], O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(fsetxattr(fd, "security.capability", capability,
	                           sizeof(capability), 0),
	                 0);
	close(fd);
	plan(&c);
	check_refused(KR_CHANGE_SET_ID, 0644);
}
END_TEST

/* Who has it open for writing is not met: no byte changes. */
START_TEST(test_writer)
{
	_cleanup_close_ int fd =
		openat(kr_root_fd, &A[1], O_WRONLY | O_CLOEXEC);
	_cleanup_transaction_ struct kr_transaction *tx = NULL;

	ck_assert_int_ge(fd, 0);
	plan(&changes[0]);
	tx = prepare(0);
	commit(tx, KR_CHANGE_DONE);
	check_new(&changes[0]);
}
END_TEST

/* --- others in between --------------------------------------------------- */

static void replace_with(const char *text, mode_t mode)
{
	kr_root_write("/etc/d/new", text);
	set_mode("/etc/d/new", mode);
	ck_assert_int_eq(renameat(kr_root_fd, "etc/d/new", kr_root_fd, &A[1]),
	                 0);
}

static void do_replace(void)
{
	replace_with("theirs\n", 0640);
}

static void do_replace_same(void)
{
	replace_with("old a\n", 0644);
}

static void do_symlink(void)
{
	ck_assert_int_eq(renameat(kr_root_fd, &A[1], kr_root_fd, "etc/d/moved"),
	                 0);
	kr_root_symlink("../other", A);
}

static void do_link(void)
{
	ck_assert_int_eq(linkat(kr_root_fd, &A[1], kr_root_fd, "link", 0), 0);
}

static void do_write(void)
{
	kr_root_write(A, "theirs\n");
}

static void do_chmod(void)
{
	set_mode(A, 0640);
}

static void do_chown(void)
{
	set_owner(A, 7, 7);
}

static void do_remove(void)
{
	ck_assert_int_eq(unlinkat(kr_root_fd, &A[1], 0), 0);
}

static void do_folder(void)
{
	do_remove();
	kr_root_mkdir(A);
}

static const struct {
	const char *name;
	void (*what)(void);
	bool root;
	mode_t mode;   /* of what is at the name afterwards; 0: nothing, or a
	                * link */
	int prepared;  /* before prepare() */
	int committed; /* between prepare() and commit() */
} betweens[] = {
	{"replaced", do_replace, 0, 0640, KR_CHANGE_STALE, KR_CHANGE_STALE},
	{"replaced, the same bytes", do_replace_same, 0, 0644, KR_CHANGE_DONE,
         KR_CHANGE_STALE},
	{"a link", do_symlink, 0, 0, KR_CHANGE_STALE, KR_CHANGE_STALE},
	{"a hard link", do_link, 0, 0644, KR_CHANGE_LINKED, KR_CHANGE_STALE},
	{"written", do_write, 0, 0644, KR_CHANGE_STALE, KR_CHANGE_STALE},
	{"another mode", do_chmod, 0, 0640, KR_CHANGE_STALE, KR_CHANGE_STALE},
	{"gone", do_remove, 0, 0, -ENOENT, KR_CHANGE_STALE},
	{"a folder", do_folder, 0, 0755, KR_CHANGE_STALE, KR_CHANGE_STALE},
	{"another owner", do_chown, 1, 0644, KR_CHANGE_STALE, KR_CHANGE_STALE},
};

static void check_theirs(const char *name, mode_t mode)
{
	if (mode != 0)
		ck_assert_msg(perms_at(A).mode == mode, "%s: %04o", name,
		              (unsigned)perms_at(A).mode);
	ck_assert_msg(perms_at(OTHER).mode == 0644, "%s", name);
	check_bytes(name, B, "old b\n");
	ck_assert_msg(perms_at(C).mode == 0644, "%s", name);
}

START_TEST(test_before_prepare)
{
	plan_three();
	betweens[_i].what();
	kr_transaction_free(prepare(betweens[_i].prepared));
	check_theirs(betweens[_i].name, betweens[_i].mode);
	ck_assert_uint_eq(kr_root_entries(STATE), 0);
}
END_TEST

/* C is changed, and B replaced, before A is found to be another one. */
START_TEST(test_before_commit)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;

	ck_assert_int_eq(kr_edits_chmod(&edits, read_file(C), 0600), 0);
	ck_assert_int_eq(kr_edits_add(&edits,
	                              (struct kr_span){read_file(B), 0, 3},
	                              "new"),
	                 0);
	ck_assert_int_eq(kr_edits_chmod(&edits, read_file(A), 0600), 0);
	tx = prepare(0);
	betweens[_i].what();
	commit(tx, betweens[_i].committed);
	check_theirs(betweens[_i].name, betweens[_i].mode);
	ck_assert_ptr_nonnull(kr_diag_first(&diag, KR_ERROR));
	ck_assert_uint_eq(kr_root_entries("/etc/e"), 1);
}
END_TEST

/* Between our last look and our call: the inode that was changed is put back,
 * what is at the name was never touched. */
static const struct {
	const char *name;
	void (*what)(void);
	mode_t mode;
	const char *moved; /* where the old inode is then; NULL: gone */
} instants[] = {
	{"replaced", do_replace, 0640, NULL},
	{"a link", do_symlink, 0, "/etc/d/moved"},
	{"a hard link", do_link, 0644, "/link"},
	{"gone", do_remove, 0, NULL},
};

START_TEST(test_in_the_instant)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;

	plan(&changes[0]);
	tx = prepare(0);
	kr_test_before_call(KR_TEST_FCHMOD, 1, instants[_i].what);
	commit(tx, KR_CHANGE_STALE);
	ck_assert(!kr_test_call_to_come());
	check_theirs(instants[_i].name, instants[_i].mode);
	if (instants[_i].moved)
		ck_assert_msg(perms_at(instants[_i].moved).mode == 0644, "%s",
		              instants[_i].name);
}
END_TEST

/* Since the commit: what is ours goes back, the rest stays and is said. */
static void do_acl(void)
{
	set_acl();
	set_mode(A, 0600);
}

static const struct {
	const char *name;
	const struct change *change;
	void (*what)(void);
	bool root;
	bool foreign; /* it is said, and counted */
	struct kr_perms want;
} sinces[] = {
	{"written in place", &changes[0], do_write, 0, 0, {0644, 0, 0}},
	{"another mode", &changes[0], do_chmod, 0, 1, {0640, 0, 0}},
	{"gone", &changes[0], do_remove, 0, 1, {0, 0, 0}},
	{"replaced", &changes[0], do_replace, 0, 1, {0640, 0, 0}},
	/* only root from here on */
	{"an owner, where the mode was changed",
         &changes[0],
         do_chown,
         1,
         0,
         {0644, 7, 7}},
	{"another owner", &changes[4], do_chown, 1, 1, {0644, 7, 7}},
	{"a mode, where the owner was changed",
         &changes[4],
         do_chmod,
         1,
         0,
         {0640, 0, 0}},
	{"another mode, of both", &changes[5], do_chmod, 1, 1, {0640, 0, 0}},
	{"another owner, of both", &changes[5], do_chown, 1, 1, {0644, 7, 7}},
};

static void check_since(const char *name, const struct kr_perms *want)
{
	if (want->mode == 0)
		return;
	check_perms(name, A, want->mode, want->uid ? want->uid : geteuid(),
	            want->gid ? want->gid : getegid());
}

START_TEST(test_since)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;

	plan(sinces[_i].change);
	tx = prepare(0);
	commit(tx, KR_CHANGE_DONE);
	sinces[_i].what();
	ck_assert_msg((kr_transaction_find_foreign(tx) != NULL) ||
	                      sinces[_i].what == do_write,
	              "%s", sinces[_i].name);
	ck_assert_msg(kr_transaction_revert(tx, NULL, &diag) == 0, "%s:%s",
	              sinces[_i].name, kr_test_messages(&diag));
	kr_transaction_reverted(tx, &diag);
	check_since(sinces[_i].name, &sinces[_i].want);
	ck_assert_msg(kr_transaction_n_foreign(tx) == sinces[_i].foreign, "%s",
	              sinces[_i].name);
	ck_assert_msg((kr_diag_find(&diag, "rewritten") != NULL) ==
	                      sinces[_i].foreign,
	              "%s:%s", sinces[_i].name, kr_test_messages(&diag));
	ck_assert_msg(!sinces[_i].foreign ||
	                      strstr(kr_test_messages(&diag), "it had 0644"),
	              "%s:%s", sinces[_i].name, kr_test_messages(&diag));
}
END_TEST

START_TEST(test_acl_since)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;

	plan(&changes[0]);
	tx = prepare(0);
	commit(tx, KR_CHANGE_DONE);
	do_acl();
	ck_assert_int_eq(kr_transaction_revert(tx, NULL, &diag), 0);
	ck_assert_uint_eq(kr_transaction_n_foreign(tx), 1);
	ck_assert_uint_eq(perms_at(A).mode, 0600);
}
END_TEST

/* A call fails: all is as it was. */
static const struct {
	enum kr_test_call call;
	unsigned nth;
	const char *name;
} failures[] = {
	{KR_TEST_FCHOWN, 1, "the owner"},
	{KR_TEST_FCHMOD, 1, "the mode"},
};

START_TEST(test_fails)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;

	plan(&changes[5]);
	tx = prepare(0);
	kr_test_fail_call(failures[_i].call, failures[_i].nth, EIO);
	commit(tx, -EIO);
	ck_assert(!kr_test_call_to_come());
	check_old(&changes[5]);
	ck_assert_ptr_nonnull(kr_diag_first(&diag, KR_ERROR));
}
END_TEST

/* The very next call: the file, to the disk, before its record says so. */
static void fail_next(void)
{
	kr_test_fail_call(KR_TEST_ANY_CALL, 1, EIO);
}

START_TEST(test_to_the_disk)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;

	plan(&changes[0]);
	tx = prepare(0);
	kr_test_before_call(KR_TEST_FCHMOD, 1, fail_next);
	commit(tx, -EIO);
	ck_assert(!kr_test_call_to_come());
	ck_assert_str_eq(kr_diag_first(&diag, KR_ERROR)->file, A);
	check_old(&changes[0]);
}
END_TEST

/* Neither forth nor back: it is said what it was. */
START_TEST(test_stuck)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;

	plan(&changes[0]);
	tx = prepare(0);
	commit(tx, KR_CHANGE_DONE);
	kr_test_fail_call(KR_TEST_FCHMOD, 1, EROFS);
	ck_assert_int_eq(kr_transaction_revert(tx, NULL, &diag),
	                 KR_CHANGE_STUCK);
	ck_assert_msg(strstr(kr_test_messages(&diag), "before it had 0644"),
	              "%s", kr_test_messages(&diag));
}
END_TEST

/* The record was taken away just before our call: a run that goes on after all
 * takes its step back itself. */
static char taken_path[160];

static void take_record(void)
{
	ck_assert_int_eq(unlinkat(kr_root_fd, taken_path + 1, 0), 0);
}

START_TEST(test_passed)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;

	plan(&changes[0]);
	tx = prepare(0);
	snprintf(taken_path, sizeof(taken_path), STATE "/%s/owner",
	         kr_transaction_id(tx));
	kr_test_before_call(KR_TEST_FCHMOD, 1, take_record);
	commit(tx, KR_CHANGE_TAKEN);
	ck_assert(!kr_test_call_to_come());
	check_old(&changes[0]);
}
END_TEST

/* --- what an interrupted run left ---------------------------------------- */

static const struct {
	const char *name;
	enum kr_manifest_state state;
	struct kr_perms from, to;
	mode_t now; /* 0: nothing is there */
	const char *bytes;
	mode_t want;
	bool said;
} lefts[] = {
#define O    0, 0
#define SAME "old a\n"
	{"prepared",
         KR_MANIFEST_PREPARED,
         {0644, O},
         {0600, O},
         0644,
         SAME,
         0644,
         false},
	{"prepared, the same by others",
         KR_MANIFEST_PREPARED,
         {0644, O},
         {0600, O},
         0600,
         SAME,
         0600,
         false},
	{"not changed",
         KR_MANIFEST_REPLACING,
         {0644, O},
         {0600, O},
         0644,
         SAME,
         0644,
         false},
	{"changed",
         KR_MANIFEST_REPLACING,
         {0644, O},
         {0600, O},
         0600,
         SAME,
         0644,
         false},
	{"changed, all",
         KR_MANIFEST_COMMITTED,
         {0644, O},
         {0600, O},
         0600,
         SAME,
         0644,
         false},
	{"back",
         KR_MANIFEST_COMMITTED,
         {0644, O},
         {0600, O},
         0644,
         SAME,
         0644,
         false},
	{"others' mode",
         KR_MANIFEST_COMMITTED,
         {0644, O},
         {0600, O},
         0640,
         SAME,
         0640,
         true},
	{"others' bytes",
         KR_MANIFEST_COMMITTED,
         {0644, O},
         {0600, O},
         0600,
         "theirs\n",
         0600,
         true},
	{"others' bytes, the old mode",
         KR_MANIFEST_COMMITTED,
         {0644, O},
         {0600, O},
         0644,
         "theirs\n",
         0644,
         false},
	{"gone",
         KR_MANIFEST_COMMITTED,
         {0644, O},
         {0600, O},
         0,
         NULL,
         0,
         false},
	{"kept",
         KR_MANIFEST_KEPT,
         {0644, O},
         {0600, O},
         0600,
         SAME,
         0600,
         false},
	{"put back",
         KR_MANIFEST_PUT_BACK,
         {0644, O},
         {0600, O},
         0600,
         SAME,
         0600,
         false},
};

static void write_record(int i)
{
	struct kr_manifest_file file = {
		.path = (char *)(uintptr_t)A,
		.perms = {lefts[i].from, lefts[i].to},
	};
	const struct kr_manifest m = {
		.id = ID,
		.unit = (char *)(uintptr_t) "kubelet.service",
		.state = lefts[i].state,
		.disk_before = (char *)(uintptr_t) "false",
		.files = &file,
		.n_files = 1,
	};
	_cleanup_close_ int state_fd = -1, folder_fd = -1;

	file.perms.from.uid = file.perms.to.uid = geteuid();
	file.perms.from.gid = file.perms.to.gid = getegid();
	kr_sha256_hex("old a\n", 6, file.before);
	kr_sha256_hex("old a\n", 6, file.after);
	kr_root_mkdir(STATE "/" ID);
	set_mode(STATE, 0700);
	state_fd = kr_fs_open_folder(fs, STATE);
	folder_fd = kr_fs_open_folder(fs, STATE "/" ID);
	ck_assert_int_eq(kr_boot_mark_set(state_fd), 0);
	ck_assert_int_eq(kr_manifest_write(folder_fd, &m, NULL), 0);
}

static void recover(const char *name)
{
	ck_assert_msg(kr_recover_run(fs, &recovery, &diag) >= 0, "%s:%s", name,
	              kr_test_messages(&diag));
	ck_assert_msg(kr_recover_end(fs, &recovery, &diag) == 0, "%s:%s", name,
	              kr_test_messages(&diag));
	kr_recovery_done(&recovery);
}

START_TEST(test_left)
{
	const char *name = lefts[_i].name;
	bool pending = kr_manifest_is_pending(lefts[_i].state);

	if (lefts[_i].now == 0) {
		do_remove();
	} else {
		kr_root_write(A, lefts[_i].bytes);
		set_mode(A, lefts[_i].now);
	}
	write_record(_i);
	for (int again = 0; again < 2; again++) {
		recover(name);
		if (lefts[_i].want != 0)
			ck_assert_msg(perms_at(A).mode == lefts[_i].want,
			              "%s: %04o", name,
			              (unsigned)perms_at(A).mode);
		if (again > 0)
			break;
		ck_assert_msg((kr_diag_find(&diag, "recover-foreign") !=
		               NULL) == lefts[_i].said,
		              "%s:%s", name, kr_test_messages(&diag));
	}
	if (pending && lefts[_i].now == 0600 && lefts[_i].want == 0644)
		ck_assert_msg(has_our_ctime(A), "%s", name);
	ck_assert_uint_eq(kr_root_entries(STATE), 1);
}
END_TEST

/* What is no regular file is not followed, opened or changed. */
START_TEST(test_left_link)
{
	do_symlink();
	set_mode(OTHER, 0600);
	kr_root_write("/etc/other", "old a\n");
	write_record(4);
	recover("a link");
	ck_assert_uint_eq(perms_at(OTHER).mode, 0600);
	ck_assert_ptr_nonnull(kr_diag_find(&diag, "recover-foreign"));
}
END_TEST

START_TEST(test_left_fifo)
{
	do_remove();
	ck_assert_int_eq(mkfifoat(kr_root_fd, &A[1], 0600), 0);
	write_record(4);
	recover("a FIFO");
	ck_assert_uint_eq(perms_at(A).mode, 0600);
	ck_assert_ptr_nonnull(kr_diag_find(&diag, "recover-foreign"));
}
END_TEST

START_TEST(test_left_acl)
{
	do_acl();
	write_record(4);
	recover("an ACL");
	ck_assert_uint_eq(perms_at(A).mode, 0600);
	ck_assert_ptr_nonnull(kr_diag_find(&diag, "recover-foreign"));
}
END_TEST

/* --- killed at each step ------------------------------------------------- */

static void die(void)
{
	/* no exit: nothing of the process may still run, not even a leak check
	 */
	raise(SIGKILL);
}

/* What a run does: it stands, or it is taken back. */
enum end {
	KEEP,
	REVERT,
};

static const struct {
	const char *name;
	enum end end;
	bool root;
} runs[] = {
	{"kept", KEEP, false},
	{"taken back", REVERT, false},
	{"kept, owners", KEEP, true},
	{"taken back, owners", REVERT, true},
};

#define N_RUNS_OF_ALL 2

static void plan_run(int i)
{
	plan_three();
	/* B has edits besides */
	ck_assert_int_eq(kr_edits_chmod(&edits, read_file(B), 0640), 0);
	if (!runs[i].root)
		return;
	ck_assert_int_eq(kr_edits_chown(&edits, read_file(A), 1234, 5678), 0);
	ck_assert_int_eq(kr_edits_chown(&edits, read_file(B), 1234, 5678), 0);
}

static int do_run(int i)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;

	if (kr_transaction_prepare(fs, &edits, &about, NULL, &tx) != 0)
		return 1;
	if (kr_transaction_commit(tx, NULL) != 0)
		return 1;
	if (runs[i].end == KEEP)
		return kr_transaction_keep(tx, NULL) != 0;
	if (kr_transaction_revert(tx, NULL, NULL) != 0)
		return 1;
	kr_transaction_reverted(tx, NULL);
	return 0;
}

static int do_recover(int i)
{
	_cleanup_recovery_ struct kr_recovery own = {0};
	_cleanup_fs_ struct kr_fs *now = kr_root_fs();

	(void)i;
	return kr_recover_run(now, &own, NULL) < 0 ||
	       kr_recover_end(now, &own, NULL) < 0;
}

/* In a child that is killed before its NTH call. Whether it came to that. */
static bool killed(int (*what)(int), int i, unsigned nth)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		kr_test_before_call(KR_TEST_ANY_CALL, nth, die);
		_exit(what(i));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return true;
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	              "%s, call %u: %d", runs[i].name, nth, status);
	return false;
}

/* All is new, or all is old. */
static bool is_new(const char *when, int i)
{
	bool new = perms_at(A).mode == 0600;
	bool owners = new &&runs[i].root;

	check_perms(when, A, new ? 0600 : 0644, owners ? 1234 : geteuid(),
	            owners ? 5678 : getegid());
	check_perms(when, B, new ? 0640 : 0644, owners ? 1234 : geteuid(),
	            owners ? 5678 : getegid());
	check_bytes(when, B, new ? "new b\n" : "old b\n");
	check_perms(when, C, new ? 0600 : 0644, geteuid(), getegid());
	ck_assert_msg(kr_root_entries("/etc/d") == 1 &&
	                      kr_root_entries("/etc/e") == 1 &&
	                      kr_root_entries("/etc/f") == 1,
	              "%s: something lies about", when);
	return new;
}

/* The record and the files say the same. */
static void check_end(const char *when, int i)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_fs_ struct kr_fs *now = kr_root_fs();
	bool new = is_new(when, i);

	kr_diag_done(&diag);
	ck_assert_int_eq(kr_manifests_read(now, &diag, &list), 0);
	ck_assert_msg(diag.n_messages == 0, "%s:%s", when,
	              kr_test_messages(&diag));
	ck_assert_msg(list.n_items <= 1, "%s", when);
	ck_assert_msg(new == (list.n_items == 1 &&
	                      list.items[0].state == KR_MANIFEST_KEPT),
	              "%s: the record says otherwise", when);
	ck_assert_msg(kr_recover_is_due(now, &list) == 0, "%s", when);
}

static void again(int i)
{
	teardown();
	setup();
	plan_run(i);
}

START_TEST(test_killed)
{
	unsigned n = 1, n_back = 0;
	char when[64];

	plan_run(_i);
	for (; killed(do_run, _i, n); n++) {
		unsigned m = 1;

		/* and the recovery at each of its steps, too */
		for (; killed(do_recover, _i, m); m++) {
			snprintf(when, sizeof(when), "%s, %u and %u",
			         runs[_i].name, n, m);
			ck_assert_int_eq(do_recover(_i), 0);
			check_end(when, _i);
			n_back += !is_new(when, _i);
			again(_i);
			ck_assert(killed(do_run, _i, n));
		}
		snprintf(when, sizeof(when), "%s, %u", runs[_i].name, n);
		check_end(when, _i);
		again(_i);
	}
	check_end(runs[_i].name, _i);
	ck_assert_uint_gt(n, 20);
	ck_assert_uint_gt(n_back, 50);
}
END_TEST

/* --- all ----------------------------------------------------------------- */

static void add_where_possible(TCase *tc)
{
	const char *tmp = getenv("TMPDIR");
	int fd = open(tmp ? tmp : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fsetxattr(fd, "system.posix_acl_access", acl, sizeof(acl), 0) ==
	    0) {
		tcase_add_loop_test(tc, test_acl, 0, 2);
		tcase_add_test(tc, test_acl_since);
		tcase_add_test(tc, test_left_acl);
	} else {
		printf("# skipped: ACLs: %s\n", strerror(errno));
	}
	if (set_immutable(fd, true) == 0) {
		set_immutable(fd, false);
		tcase_add_test(tc, test_immutable);
	} else {
		printf("# skipped: chattr: %s\n", strerror(errno));
	}
	if (is_root) {
		tcase_add_test(tc, test_set_id);
		tcase_add_test(tc, test_capability);
		tcase_add_loop_test(tc, test_fails, 0, ARRAY_SIZE(failures));
	} else {
		printf("# skipped: owners: only root can give a file away\n");
	}
	close(fd);
}

/* The rows of a table that only root can try are its last. */
#define N_ROWS(table) (is_root ? (int)ARRAY_SIZE(table) : n_of_all(table))
#define n_of_all(table)                                                        \
	({                                                                     \
		int _n = 0;                                                    \
		while (!(table)[_n].root)                                      \
			_n++;                                                  \
		_n;                                                            \
	})

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "in place", setup, teardown);

	is_root = geteuid() == 0;
	tcase_add_loop_test(tc, test_there_and_back, 0,
	                    is_root ? ARRAY_SIZE(changes) : N_OF_ALL);
	tcase_add_test(tc, test_ctime);
	tcase_add_test(tc, test_no_copy);
	tcase_add_test(tc, test_order);
	tcase_add_test(tc, test_find_same);
	tcase_add_test(tc, test_hard_link);
	tcase_add_test(tc, test_writer);
	add_where_possible(tc);
	tcase_add_loop_test(tc, test_before_prepare, 0, N_ROWS(betweens));
	tcase_add_loop_test(tc, test_before_commit, 0, N_ROWS(betweens));
	tcase_add_loop_test(tc, test_in_the_instant, 0, ARRAY_SIZE(instants));
	tcase_add_loop_test(tc, test_since, 0, N_ROWS(sinces));
	tcase_add_test(tc, test_to_the_disk);
	tcase_add_test(tc, test_stuck);
	tcase_add_test(tc, test_passed);
	tcase_add_loop_test(tc, test_left, 0, ARRAY_SIZE(lefts));
	tcase_add_test(tc, test_left_link);
	tcase_add_test(tc, test_left_fifo);
	/* with owners each step has two calls */
	if (is_root)
		tcase_add_loop_test(tc, test_killed, N_RUNS_OF_ALL,
		                    ARRAY_SIZE(runs));
	else
		tcase_add_loop_test(tc, test_killed, 0, N_RUNS_OF_ALL);
}

KR_TEST_MAIN(add_tests);
