/* SPDX-License-Identifier: Apache-2.0 */

/*
 * store/replace and store/transaction: a file gets other bytes and keeps all
 * else; what cannot be done is refused and leaves nothing behind.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/edit.h"
#include "store/replace.h"
#include "store/transaction.h"
#include "testing.h"

#define A   "/etc/d/a.conf"
#define B   "/etc/e/b.conf"
#define NEW "/etc/n/made.conf"

static struct kr_fs *fs;
static struct kr_edits edits;
static struct kr_diag diag;

static void setup(void)
{
	kr_root_setup();
	kr_root_write(A, "old a\n");
	kr_root_write(B, "old b\n");
	fs = kr_root_fs();
}

static void teardown(void)
{
	kr_edits_done(&edits);
	kr_diag_done(&diag);
	fs = kr_fs_free(fs);
	kr_root_teardown();
}

/* "old" becomes "new" in the file at PATH. */
static void edit(const char *path)
{
	const struct kr_file *file;

	ck_assert_int_eq(kr_fs_read(fs, path, &file), 0);
	ck_assert_int_eq(
		kr_edits_add(&edits, (struct kr_span){file, 0, 3}, "new"), 0);
}

static struct kr_transaction *prepare(int want)
{
	const struct kr_transaction_about about = {.unit = "kubelet.service",
	                                           .disk_before = "false"};
	struct kr_transaction *tx = NULL;
	int r = kr_transaction_prepare(fs, &edits, &about, &diag, &tx);

	ck_assert_msg(r == want, "%d (%s), wanted %d%s", r, strerror(-r), want,
	              kr_test_messages(&diag));
	ck_assert((tx != NULL) == (r == 0));
	ck_assert((diag.n_messages > 0) == (r != KR_CHANGE_DONE));
	return tx;
}

static void check_bytes(const char *path, const char *want)
{
	char got[64] = "";
	int fd = openat(kr_root_fd, path + 1, O_RDONLY | O_CLOEXEC);

	ck_assert_msg((fd >= 0) == (want != NULL), "%s: %s", path,
	              fd < 0 ? "gone" : "still there");
	if (fd < 0)
		return;
	ck_assert_int_ge(read(fd, got, sizeof(got) - 1), 0);
	close(fd);
	ck_assert_msg(strcmp(got, want) == 0, "%s: '%s'", path, got);
}

/* Nothing of a transaction that did not come about. */
static void check_nothing_left(void)
{
	check_bytes(A, "old a\n");
	check_bytes(B, "old b\n");
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 1);
	ck_assert_uint_eq(kr_root_entries("/etc/e"), 1);
	ck_assert_uint_eq(kr_root_entries("/var/lib/kubelet-remedy"), 0);
}

static void set_mode(const char *path, mode_t mode)
{
	ck_assert_int_eq(fchmodat(kr_root_fd, path + 1, mode, 0), 0);
}

/* --- metadata ------------------------------------------------------------ */

static const mode_t modes[] = {0644, 0600, 0400, 0777, 04755, 02640, 0000};

START_TEST(test_mode)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;

	set_mode(A, modes[_i]);
	edit(A);
	tx = prepare(0);
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), 0);
	ck_assert_uint_eq(kr_root_stat(A).st_mode & 07777, modes[_i]);
	ck_assert_int_eq(kr_transaction_revert(tx, NULL, &diag), 0);
	kr_transaction_reverted(tx, &diag);
	ck_assert_uint_eq(kr_root_stat(A).st_mode & 07777, modes[_i]);
	set_mode(A, 0644);
	check_bytes(A, "old a\n");
}
END_TEST

START_TEST(test_owner)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;

	ck_assert_int_eq(fchownat(kr_root_fd, &A[1], 1234, 5678, 0), 0);
	set_mode(A, 06750);
	edit(A);
	tx = prepare(0);
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), 0);
	ck_assert_uint_eq(kr_root_stat(A).st_uid, 1234);
	ck_assert_uint_eq(kr_root_stat(A).st_gid, 5678);
	ck_assert_uint_eq(kr_root_stat(A).st_mode & 07777, 06750);
}
END_TEST

/* user::rw-, user:1234:r--, group::r--, mask::r--, other::--- */
static const unsigned char acl[] = {
	2,  0, 0, 0,                         /* version */
	1,  0, 6, 0, 0xff, 0xff, 0xff, 0xff, /* */
	2,  0, 4, 0, 0xd2, 0x04, 0,    0,    /* */
	4,  0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* */
	16, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* */
	32, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
};

static const struct {
	const char *name;
	const void *value;
	size_t size;
} attributes[] = {
	{"user.kr-test", "a value\0with a NUL", 18},
	{"user.kr-empty", "", 0},
	{"trusted.kr-test", "x", 1},
	{"security.kr-test", "label", 5},
	{"system.posix_acl_access", acl, sizeof(acl)},
};

static int set_attribute(int fd, int i)
{
	return fsetxattr(fd, attributes[i].name, attributes[i].value,
	                 attributes[i].size, 0) < 0
	               ? -errno
	               : 0;
}

static void check_attribute(const char *when, int i)
{
	int fd = openat(kr_root_fd, &A[1], O_RDONLY | O_CLOEXEC);
	char got[128];
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	n = fgetxattr(fd, attributes[i].name, got, sizeof(got));
	close(fd);
	ck_assert_msg(n == (ssize_t)attributes[i].size &&
	                      memcmp(got, attributes[i].value, (size_t)n) == 0,
	              "%s: %s", attributes[i].name, when);
}

START_TEST(test_attributes)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;
	int fd = openat(kr_root_fd, &A[1], O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(set_attribute(fd, _i), 0);
	close(fd);
	edit(A);
	tx = prepare(0);
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), 0);
	check_bytes(A, "new a\n");
	check_attribute("after the change", _i);
	ck_assert_int_eq(kr_transaction_revert(tx, NULL, &diag), 0);
	kr_transaction_reverted(tx, &diag);
	check_bytes(A, "old a\n");
	check_attribute("put back", _i);
}
END_TEST

/* A folder gives the new file an ACL, which the old one has not. */
static const unsigned char default_acl[] = {
	2,  0, 0, 0,                         /* version */
	1,  0, 7, 0, 0xff, 0xff, 0xff, 0xff, /* */
	2,  0, 7, 0, 0xd2, 0x04, 0,    0,    /* */
	4,  0, 5, 0, 0xff, 0xff, 0xff, 0xff, /* */
	16, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, /* */
	32, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
};

START_TEST(test_default_acl)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;
	int fd = openat(kr_root_fd, "etc/d", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(fsetxattr(fd, "system.posix_acl_default", default_acl,
	                           sizeof(default_acl), 0),
	                 0);
	close(fd);
	edit(A);
	tx = prepare(0);
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), 0);
	check_bytes(A, "new a\n");
	ck_assert_uint_eq(kr_root_stat(A).st_mode & 07777, 0644);
	fd = openat(kr_root_fd, &A[1], O_RDONLY | O_CLOEXEC);
	ck_assert_int_lt(fgetxattr(fd, "system.posix_acl_access", NULL, 0), 0);
	ck_assert_int_eq(errno, ENODATA);
	close(fd);
}
END_TEST

/* A file that is made is everybody's to read and root's to write. */
START_TEST(test_made)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;
	mode_t mask = umask(077);

	kr_root_mkdir("/etc/n");
	set_mode("/etc/n", 0755);
	ck_assert_int_eq(kr_edits_create(&edits, NEW, "made\n"), 0);
	tx = prepare(0);
	check_bytes(NEW, NULL);
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), 0);
	umask(mask);
	check_bytes(NEW, "made\n");
	ck_assert_uint_eq(kr_root_stat(NEW).st_mode & 07777, 0644);
	ck_assert_int_eq(kr_transaction_revert(tx, NULL, &diag), 0);
	kr_transaction_reverted(tx, &diag);
	check_bytes(NEW, NULL);
	ck_assert_uint_eq(kr_root_entries("/etc/n"), 0);
}
END_TEST

/* --- the way there and back ---------------------------------------------- */

START_TEST(test_two_files)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;

	edit(A);
	edit(B);
	tx = prepare(0);
	check_bytes(A, "old a\n");
	check_bytes(B, "old b\n");
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), 0);
	check_bytes(A, "new a\n");
	check_bytes(B, "new b\n");
	/* the old ones lie beside the new ones */
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 2);
	ck_assert_uint_eq(kr_root_entries("/etc/e"), 2);
	ck_assert_int_eq(kr_transaction_revert(tx, "a reason", &diag), 0);
	kr_transaction_reverted(tx, &diag);
	check_bytes(A, "old a\n");
	check_bytes(B, "old b\n");
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 1);
	ck_assert_uint_eq(kr_root_entries("/etc/e"), 1);
}
END_TEST

/* While it waits, no name beside a target is one that systemd or kubelet
 * reads. */
START_TEST(test_names)
{
	static const char *const read_by_others[] = {".conf", ".service",
	                                             ".yaml", ".yml", ".json"};
	_cleanup_transaction_ struct kr_transaction *tx = NULL;
	_cleanup_dir_ struct kr_dir dir = {0};

	edit(A);
	tx = prepare(0);
	ck_assert_int_eq(kr_fs_list(fs, "/etc/d", &dir), 0);
	ck_assert_uint_eq(dir.n_entries, 2);
	for (size_t i = 0; i < dir.n_entries; i++) {
		const char *name = dir.entries[i].name;
		const char *dot = strrchr(name, '.');

		if (strcmp(name, "a.conf") == 0)
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(read_by_others); k++)
			ck_assert_msg(strcmp(dot, read_by_others[k]) != 0, "%s",
			              name);
	}
}
END_TEST

START_TEST(test_not_committed)
{
	edit(A);
	edit(B);
	kr_transaction_free(prepare(0));
	check_nothing_left();
}
END_TEST

START_TEST(test_private)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;
	char path[128];

	set_mode(A, 0600);
	edit(A);
	tx = prepare(0);
	ck_assert_uint_eq(
		kr_root_stat("/var/lib/kubelet-remedy").st_mode & 07777, 0700);
	snprintf(path, sizeof(path), "/var/lib/kubelet-remedy/%s",
	         kr_transaction_id(tx));
	ck_assert_uint_eq(kr_root_stat(path).st_mode & 07777, 0700);
}
END_TEST

/* --- refused ------------------------------------------------------------- */

START_TEST(test_hard_link)
{
	ck_assert_int_eq(linkat(kr_root_fd, &A[1], kr_root_fd, "other", 0), 0);
	edit(B);
	edit(A);
	prepare(-EMLINK);
	check_nothing_left();
	check_bytes("/other", "old a\n");
}
END_TEST

static const struct {
	const char *name;
	const char *now;
} changes[] = {
	{"other bytes", "odd a\n"},
	{"longer", "old a\nold a\n"},
	{"shorter", "old"},
	{"empty", ""},
};

START_TEST(test_changed)
{
	edit(B);
	edit(A);
	kr_root_write(A, changes[_i].now);
	prepare(KR_CHANGE_STALE);
	check_bytes(A, changes[_i].now);
	check_bytes(B, "old b\n");
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 1);
	ck_assert_uint_eq(kr_root_entries("/etc/e"), 1);
	ck_assert_uint_eq(kr_root_entries("/var/lib/kubelet-remedy"), 0);
}
END_TEST

START_TEST(test_gone)
{
	edit(B);
	edit(A);
	unlinkat(kr_root_fd, &A[1], 0);
	prepare(-ENOENT);
	check_bytes(A, NULL);
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 0);
	ck_assert_uint_eq(kr_root_entries("/etc/e"), 1);
}
END_TEST

START_TEST(test_link_now)
{
	edit(A);
	ck_assert_int_eq(renameat(kr_root_fd, &A[1], kr_root_fd, "etc/real"),
	                 0);
	kr_root_symlink("../real", A);
	prepare(-ELOOP);
	check_bytes("/etc/real", "old a\n");
}
END_TEST

START_TEST(test_fifo_now)
{
	edit(A);
	unlinkat(kr_root_fd, &A[1], 0);
	ck_assert_int_eq(mkfifoat(kr_root_fd, &A[1], 0644), 0);
	prepare(-EINVAL);
	ck_assert(S_ISFIFO(kr_root_stat(A).st_mode));
}
END_TEST

START_TEST(test_no_parent)
{
	edit(B);
	edit(A);
	ck_assert_int_eq(renameat(kr_root_fd, "etc/d", kr_root_fd, "etc/x"), 0);
	prepare(-ENOENT);
	check_bytes("/etc/x/a.conf", "old a\n");
	check_bytes(B, "old b\n");
	ck_assert_uint_eq(kr_root_entries("/etc/e"), 1);
}
END_TEST

/* What is refused is refused by a look, before anything is written. */
static void check_refused(int want, const char *path)
{
	int r = kr_transaction_check(fs, &edits, &diag);
	const struct kr_message *m = kr_diag_first(&diag, KR_ERROR);

	ck_assert_msg(r == want, "%d (%s), wanted %d%s", r, strerror(-r), want,
	              kr_test_messages(&diag));
	ck_assert_ptr_nonnull(m);
	ck_assert_str_eq(m->file, path);
	ck_assert_uint_eq(kr_root_entries("/var/lib"), 0);
}

START_TEST(test_look_hard_link)
{
	ck_assert_int_eq(linkat(kr_root_fd, &A[1], kr_root_fd, "other", 0), 0);
	edit(B);
	edit(A);
	check_refused(-EMLINK, A);
	ck_assert_int_eq(kr_transaction_look(fs, &edits, &diag), 1);
}
END_TEST

START_TEST(test_look_made)
{
	ck_assert_int_eq(kr_edits_create(&edits, NEW, "made\n"), 0);
	ck_assert_int_eq(kr_transaction_check(fs, &edits, &diag), 0);
	ck_assert_uint_eq(kr_root_entries("/etc/n"), 0);
	kr_root_write(NEW, "theirs\n");
	check_refused(KR_CHANGE_EXISTS, NEW);
}
END_TEST

START_TEST(test_look_writer)
{
	int fd = openat(kr_root_fd, &A[1], O_WRONLY | O_CLOEXEC);

	edit(A);
	check_refused(KR_CHANGE_OPEN, A);
	/* who only foretells does not ask */
	ck_assert_int_eq(kr_transaction_look(fs, &edits, &diag), 0);
	close(fd);
}
END_TEST

START_TEST(test_look_changed)
{
	edit(A);
	kr_root_write(A, changes[_i].now);
	check_refused(KR_CHANGE_STALE, A);
}
END_TEST

/* What is to be made is there already. */
START_TEST(test_made_by_another)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;

	kr_root_mkdir("/etc/n");
	edit(A);
	ck_assert_int_eq(kr_edits_create(&edits, NEW, "made\n"), 0);
	tx = prepare(0);
	kr_root_write(NEW, "theirs\n");
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), KR_CHANGE_EXISTS);
	check_bytes(NEW, "theirs\n");
	check_bytes(A, "old a\n");
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 1);
}
END_TEST

/* The second of two fails: the first is put back. */
START_TEST(test_second_fails)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;

	edit(A);
	edit(B);
	tx = prepare(0);
	/* a folder in the place of B cannot be renamed over */
	unlinkat(kr_root_fd, &B[1], 0);
	ck_assert_int_eq(mkdirat(kr_root_fd, &B[1], 0755), 0);
	ck_assert_int_ne(kr_transaction_commit(tx, &diag), KR_CHANGE_DONE);
	ck_assert_uint_gt(diag.n_messages, 0);
	check_bytes(A, "old a\n");
	tx = kr_transaction_free(tx);
	ck_assert_uint_eq(kr_root_entries("/etc/d"), 1);
	ck_assert_uint_eq(kr_root_entries("/etc/e"), 1);
}
END_TEST

/* Somebody has changed the new file: it is not thrown away for the old one. */
START_TEST(test_revert_of_changed)
{
	_cleanup_transaction_ struct kr_transaction *tx = NULL;
	char path[128];

	edit(A);
	edit(B);
	tx = prepare(0);
	ck_assert_int_eq(kr_transaction_commit(tx, &diag), 0);
	kr_root_write(A, "theirs\n");
	ck_assert_str_eq(kr_transaction_find_foreign(tx), A);
	ck_assert_int_eq(kr_transaction_revert(tx, NULL, &diag), 0);
	ck_assert_uint_eq(kr_transaction_n_foreign(tx), 1);
	ck_assert_ptr_null(kr_transaction_find_foreign(tx));
	check_bytes(A, "theirs\n");
	check_bytes(B, "old b\n");
	ck_assert_msg(
		strstr(kr_test_messages(&diag), "/var/lib/kubelet-remedy/"),
		"no copy is named:%s", kr_test_messages(&diag));
	snprintf(path, sizeof(path), "/var/lib/kubelet-remedy/%s",
	         kr_transaction_id(tx));
	ck_assert_uint_ge(kr_root_entries(path), 2);
}
END_TEST

/* --- refused: where not even root may ------------------------------------ */

/* FLAG is set, or with SET false taken away; the others are the file
 * system's. */
static int change_flag(int fd, int flag, bool set)
{
	int flags;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return -errno;
	flags = set ? flags | flag : flags & ~flag;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0 ? -errno : 0;
}

static void set_flag(const char *path, int flag, bool set)
{
	int fd = openat(kr_root_fd, path + 1, O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(change_flag(fd, flag, set), 0);
	close(fd);
}

static const int inode_flags[] = {FS_IMMUTABLE_FL, FS_APPEND_FL};

START_TEST(test_inode_flags)
{
	const struct kr_transaction_about about = {.unit = "kubelet.service",
	                                           .disk_before = "false"};
	struct kr_transaction *tx = NULL;
	int r;

	edit(B);
	edit(A);
	set_flag(A, inode_flags[_i], true);
	r = kr_transaction_prepare(fs, &edits, &about, &diag, &tx);
	/* first, as teardown could not remove it */
	set_flag(A, inode_flags[_i], false);
	ck_assert_int_eq(r, -EPERM);
	check_nothing_left();
}
END_TEST

START_TEST(test_folder_flags)
{
	const struct kr_transaction_about about = {.unit = "kubelet.service",
	                                           .disk_before = "false"};
	struct kr_transaction *tx = NULL;
	int r;

	edit(B);
	edit(A);
	set_flag("/etc/d", FS_IMMUTABLE_FL, true);
	r = kr_transaction_prepare(fs, &edits, &about, &diag, &tx);
	set_flag("/etc/d", FS_IMMUTABLE_FL, false);
	ck_assert_int_eq(r, -EPERM);
	check_nothing_left();
}
END_TEST

/* Another user meets a folder that is not his. */
START_TEST(test_no_permission)
{
	edit(A);
	set_mode("/etc/d", 0555);
	if (geteuid() == 0) {
		kr_root_mkdir("/var");
		ck_assert_int_eq(chown(kr_root_path, 65534, -1), 0);
		ck_assert_int_eq(fchownat(kr_root_fd, "var", 65534, -1, 0), 0);
		ck_assert_int_eq(fchownat(kr_root_fd, &A[1], 65534, -1, 0), 0);
		ck_assert_int_eq(seteuid(65534), 0);
	}
	prepare(-EACCES);
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	set_mode("/etc/d", 0755);
	check_nothing_left();
}
END_TEST

/* Adds what this user and this file system have; the rest is skipped. */
static void add_where_possible(TCase *tc)
{
	const char *tmp = getenv("TMPDIR");
	int fd = open(tmp ? tmp : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	bool root = geteuid() == 0;

	for (int i = 0; i < (int)ARRAY_SIZE(attributes); i++) {
		int r = set_attribute(fd, i);

		if (r < 0) {
			printf("# skipped: %s: %s\n", attributes[i].name,
			       strerror(-r));
			continue;
		}
		tcase_add_loop_test(tc, test_attributes, i, i + 1);
		if (attributes[i].value == acl)
			tcase_add_test(tc, test_default_acl);
	}
	if (change_flag(fd, FS_IMMUTABLE_FL, true) == 0) {
		change_flag(fd, FS_IMMUTABLE_FL, false);
		tcase_add_loop_test(tc, test_inode_flags, 0,
		                    ARRAY_SIZE(inode_flags));
		tcase_add_test(tc, test_folder_flags);
	} else {
		printf("# skipped: chattr: %s\n", strerror(errno));
	}
	/* a file of mode 0 is one that only root reads */
	tcase_add_loop_test(tc, test_mode, 0,
	                    root ? ARRAY_SIZE(modes) : ARRAY_SIZE(modes) - 1);
	if (root)
		tcase_add_test(tc, test_owner);
	else
		printf("# skipped: owners and mode 0: only root has them\n");
	close(fd);
}

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "files", setup, teardown);

	/* each brings some files to a disk that others use, too */
	add_where_possible(tc);
	tcase_add_test(tc, test_made);
	tcase_add_test(tc, test_two_files);
	tcase_add_test(tc, test_names);
	tcase_add_test(tc, test_not_committed);
	tcase_add_test(tc, test_private);
	tcase_add_test(tc, test_hard_link);
	tcase_add_loop_test(tc, test_changed, 0, ARRAY_SIZE(changes));
	tcase_add_loop_test(tc, test_look_changed, 0, ARRAY_SIZE(changes));
	tcase_add_test(tc, test_look_hard_link);
	tcase_add_test(tc, test_look_made);
	tcase_add_test(tc, test_look_writer);
	tcase_add_test(tc, test_gone);
	tcase_add_test(tc, test_link_now);
	tcase_add_test(tc, test_fifo_now);
	tcase_add_test(tc, test_no_parent);
	tcase_add_test(tc, test_made_by_another);
	tcase_add_test(tc, test_second_fails);
	tcase_add_test(tc, test_revert_of_changed);
	tcase_add_test(tc, test_no_permission);
}

KR_TEST_MAIN(add_tests);
