/* SPDX-License-Identifier: Apache-2.0 */

/* base/fs: nothing leads out of the root, and an overlay is seen. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"
#include "testing.h"

static void make_tree(void)
{
	kr_root_setup();
	kr_root_write("/etc/plain", "plain\n");
	kr_root_write("/etc/passwd", "inside\n");
	kr_root_mkdir("/etc/folder");
	kr_root_symlink("plain", "/etc/relative");
	kr_root_symlink("/etc/plain", "/etc/absolute");
	kr_root_symlink("../../../../etc/passwd", "/etc/climber");
	kr_root_symlink("/etc/folder", "/dir");
	kr_root_symlink("loop", "/loop");
	kr_root_symlink("/etc/missing", "/dangling");
	kr_root_symlink("/proc/self/root/etc/passwd", "/magic");
	kr_root_write("/etc/folder/f", "f\n");
	kr_root_symlink("dir/../folder/", "/etc/chain"); /* by /dir */
	kr_root_symlink("etc/../etc/chain", "/chain");
	kr_root_symlink("../dir", "/etc/dir");
	kr_root_mkdir("/usr/deep");
	kr_root_write("/usr/plain", "other\n");
	kr_root_symlink("/usr/deep", "/etc/.hidden");
	kr_root_symlink(".hidden/../plain", "/etc/late");
	kr_root_symlink("../usr/plain", "/etc/up");
	kr_root_symlink("plain/", "/etc/slash");
	kr_root_symlink("../plain", "/usr/deep/over");
	for (int i = 1; i <= 41; i++) {
		char target[16], path[16];

		snprintf(target, sizeof(target), "l%d", i - 1);
		snprintf(path, sizeof(path), "/l%d", i);
		kr_root_symlink(i > 1 ? target : "etc/plain", path);
	}
	ck_assert_int_eq(mkfifoat(kr_root_fd, "fifo", 0644), 0);
}

struct row {
	const char *name;
	const char *path;
	int want;
	const char *data, *real;
};

static const struct row rows[] = {
	{"plain", "/etc/plain", 0, "plain\n", "/etc/plain"},
	{"dots", "//etc/./folder/../plain", 0, "plain\n", "/etc/plain"},
	{"relative link", "/etc/relative", 0, "plain\n", "/etc/plain"},
	{"absolute link", "/etc/absolute", 0, "plain\n", "/etc/plain"},
	{"link above the root", "/etc/climber", 0, "inside\n", "/etc/passwd"},
	{"dots above the root", "/../../etc/passwd", 0, "inside\n",
         "/etc/passwd"},
	{"link to a folder", "/dir/f", 0, "f\n", "/etc/folder/f"},
	{"up from behind a link", "/dir/../plain", 0, "plain\n", "/etc/plain"},
	{"up from behind a link in a link", "/etc/late", 0, "other\n",
         "/usr/plain"},
	{"a link that goes up", "/etc/up", 0, "other\n", "/usr/plain"},
	{"dots and a link that goes up", "/etc/folder/../up", 0, "other\n",
         "/usr/plain"},
	{"a link that goes up, behind a link", "/etc/.hidden/over", 0,
         "other\n", "/usr/plain"},
	{"a link to a file and a slash", "/etc/slash", -ENOTDIR},
	{"loop", "/loop", -ELOOP},
	{"dangling", "/dangling", -ENOENT},
	{"missing", "/etc/none", -ENOENT},
	{"folder", "/etc/folder", -EISDIR},
	{"fifo", "/fifo", -EINVAL},
	{"file as a folder", "/etc/plain/x", -ENOTDIR},
	{"a link through proc stays inside", "/magic", -ENOENT},
	{"relative path", "etc/plain", 0, "plain\n", "/etc/plain"},
	{"link to a folder and a slash", "/dir/", -EISDIR},
	{"file and a slash", "/etc/plain/", -ENOTDIR},
	{"file and a dot", "/etc/plain/.", -ENOTDIR},
	{"up from a file", "/etc/plain/../plain", -ENOTDIR},
	{"up from a missing folder", "/none/../etc/plain", -ENOENT},
	{"a link in a chain", "/chain/f", 0, "f\n", "/etc/folder/f"},
	{"links, as many as may be", "/l40", 0, "plain\n", "/etc/plain"},
	{"links, too many", "/l41", -ELOOP},
	{"empty path", "", -ENOENT},
	{"the root", "/", -EISDIR},
};

static void check_read(const struct row *row, int r, const struct kr_file *file)
{
	ck_assert_msg(r == row->want, "%s: got %d", row->name, r);
	if (r < 0)
		return;
	ck_assert_msg(strcmp(file->data, row->data) == 0, "%s: got '%s'",
	              row->name, file->data);
	ck_assert_msg(strcmp(file->real, row->real) == 0, "%s: got '%s'",
	              row->name, file->real);
}

/* What is no file can be looked at all the same. */
static void check_look(const struct row *row, int r, const struct stat *st)
{
	bool other = row->want == -EISDIR || row->want == -EINVAL;

	ck_assert_msg(r == (other ? 0 : row->want), "%s: a look: got %d",
	              row->name, r);
	ck_assert_msg(r < 0 || S_ISREG(st->st_mode) == (row->want == 0),
	              "%s: mode %o", row->name, st->st_mode);
}

START_TEST(test_read)
{
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	const struct kr_file *file = NULL;
	int r = kr_fs_read(fs, rows[_i].path, &file);
	struct stat st;

	check_read(&rows[_i], r, file);
	check_look(&rows[_i], kr_fs_look(fs, rows[_i].path, true, &st), &st);
}
END_TEST

/* The same where it is the root of this process. */
START_TEST(test_read_own)
{
	_cleanup_fs_ struct kr_fs *fs = NULL;
	const struct kr_file *file = NULL;
	int outside = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), r, look;
	struct stat st;

	if (chroot(kr_root_path) < 0) {
		ck_assert_int_eq(errno, EPERM);
		printf("# skipped: only root may change its root\n");
		close(outside);
		return;
	}
	ck_assert_int_eq(kr_fs_open("/", &fs), 0);
	r = kr_fs_read(fs, rows[_i].path, &file);
	look = kr_fs_look(fs, rows[_i].path, true, &st);
	ck_assert_int_eq(fchdir(outside), 0);
	ck_assert_int_eq(chroot("."), 0);
	close(outside);
	check_read(&rows[_i], r, file);
	check_look(&rows[_i], look, &st);
}
END_TEST

START_TEST(test_read_is_stable)
{
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	const struct kr_file *a = NULL, *b = NULL;

	ck_assert_int_eq(kr_fs_read(fs, "/etc/plain", &a), 0);
	kr_root_write("/etc/plain", "changed\n");
	ck_assert_int_eq(kr_fs_read(fs, "/etc/plain", &b), 0);
	ck_assert_ptr_eq(a, b);
	ck_assert_str_eq(b->data, "plain\n");
}
END_TEST

START_TEST(test_too_large)
{
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	const struct kr_file *file = NULL;
	char path[PATH_MAX];

	kr_root_write("/huge", "");
	snprintf(path, sizeof(path), "%s/huge", kr_root_path);
	ck_assert_int_eq(truncate(path, KR_FILE_SIZE_MAX + 1), 0);
	ck_assert_int_eq(kr_fs_read(fs, "/huge", &file), -EFBIG);
}
END_TEST

/* All files together, by bytes and by number; names of one file count, too. */
START_TEST(test_too_many)
{
	_cleanup_fs_ struct kr_fs *fs = NULL;
	const struct kr_file *file;
	char data[] = "x", path[64];
	size_t n = 0;
	int fd, r;

	ck_assert_int_eq(kr_fs_new(kr_root_fd, &fs), 0);
	fd = openat(kr_root_fd, "large", O_WRONLY | O_CREAT, 0644);
	ck_assert_int_eq(ftruncate(fd, KR_FILE_SIZE_MAX / 2), 0);
	close(fd);
	for (;; n++) {
		snprintf(path, sizeof(path), "/%zu", n);
		kr_root_symlink("large", path);
		r = kr_fs_read(fs, path, &file);
		if (r < 0)
			break;
	}
	ck_assert_int_eq(r, -EFBIG);
	ck_assert_uint_eq(n, KR_FS_BYTES_MAX / (KR_FILE_SIZE_MAX / 2));
	ck_assert(strstr(kr_fs_strerror(EFBIG), "too large"));
	ck_assert_str_eq(kr_fs_strerror(ENOENT), strerror(ENOENT));
	/* what was read is still there, and one that has nothing goes in */
	ck_assert_int_eq(kr_fs_read(fs, "/0", &file), 0);
	kr_root_write("/empty", "");
	ck_assert_int_eq(kr_fs_read(fs, "/empty", &file), 0);
	kr_root_write("/one", data);
	ck_assert_int_eq(kr_fs_read(fs, "/one", &file), -EFBIG);
}
END_TEST

/* What is read once counts for nothing, and is the caller's. */
START_TEST(test_read_once)
{
	_cleanup_fs_ struct kr_fs *fs = NULL;
	const struct kr_file *kept;

	ck_assert_int_eq(kr_fs_new(kr_root_fd, &fs), 0);
	for (size_t i = 0; i < 2; i++) {
		_cleanup_file_ struct kr_file *file = NULL;

		ck_assert_int_eq(kr_fs_read_once(fs, "/dir/f", &file), 0);
		ck_assert_str_eq(file->path, "/dir/f");
		ck_assert_str_eq(file->real, "/etc/folder/f");
		ck_assert_str_eq(file->data, "f\n");
		ck_assert_int_eq(kr_fs_read(fs, "/dir/f", &kept), 0);
		ck_assert_ptr_ne(file, kept);
		kr_root_write("/etc/folder/f", "f\n");
	}
	for (size_t i = 0; i < 4; i++) {
		_cleanup_file_ struct kr_file *file = NULL;
		int fd = openat(kr_root_fd, "large", O_WRONLY | O_CREAT, 0644);

		ck_assert_int_eq(ftruncate(fd, KR_FILE_SIZE_MAX), 0);
		close(fd);
		ck_assert_int_eq(kr_fs_read_once(fs, "/large", &file), 0);
	}
}
END_TEST

START_TEST(test_machine)
{
	static const char elf[64] = "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0"
				    "\3\0\267";
	_cleanup_fs_ struct kr_fs *fs = NULL;

	ck_assert_int_eq(kr_fs_new(kr_root_fd, &fs), 0);
	kr_root_write_bytes("/bin/program", elf, sizeof(elf));
	kr_root_write_bytes("/bin/short", elf, sizeof(elf) - 1);
	kr_root_symlink("program", "/bin/link");
	ck_assert_int_eq(kr_fs_machine(fs, "/bin/program"), 183);
	ck_assert_int_eq(kr_fs_machine(fs, "/bin/link"), 183);
	ck_assert_int_eq(kr_fs_machine(fs, "/bin/short"), 0);
	ck_assert_int_eq(kr_fs_machine(fs, "/etc/plain"), 0);
	ck_assert_int_eq(kr_fs_machine(fs, "/missing"), 0);
	ck_assert_int_eq(kr_fs_machine(fs, "/fifo"), 0);
	ck_assert_int_eq(kr_fs_machine(fs, "/loop"), -ELOOP);
}
END_TEST

START_TEST(test_overlay)
{
	_cleanup_fs_ struct kr_fs *below = kr_root_fs();
	_cleanup_fs_ struct kr_fs *fs = NULL;
	_cleanup_dir_ struct kr_dir dir = {0};
	_cleanup_stat_ struct kr_stat st = {0};
	const struct kr_file *file = NULL;
	struct stat look;

	ck_assert_int_eq(kr_fs_new_overlay(below, &fs), 0);
	ck_assert_int_eq(kr_fs_put(fs, "/etc/plain", "new\n", 4), 0);
	ck_assert_int_eq(kr_fs_put(fs, "/new.d/x.conf", "x\n", 2), 0);
	ck_assert_int_eq(kr_fs_put(fs, "/etc/folder/e", "e\n", 2), 0);

	ck_assert_int_eq(kr_fs_read(fs, "/etc/relative", &file), 0);
	ck_assert_str_eq(file->data, "new\n");
	ck_assert_int_eq(kr_fs_read(below, "/etc/relative", &file), 0);
	ck_assert_str_eq(file->data, "plain\n");
	ck_assert_int_eq(kr_fs_read(fs, "/new.d/x.conf", &file), 0);
	ck_assert_str_eq(file->data, "x\n");

	ck_assert_int_eq(kr_fs_list(fs, "/new.d", &dir), 0);
	ck_assert_uint_eq(dir.n_entries, 1);
	ck_assert_str_eq(dir.entries[0].name, "x.conf");
	kr_dir_done(&dir);
	ck_assert_int_eq(kr_fs_list(fs, "/dir", &dir), 0);
	ck_assert_uint_eq(dir.n_entries, 2);
	ck_assert_str_eq(dir.entries[0].name, "e");
	ck_assert_str_eq(dir.entries[1].name, "f");
	ck_assert_int_eq(kr_fs_stat(fs, "/new.d/x.conf", true, &st), 0);
	ck_assert(S_ISREG(st.st.st_mode));
	ck_assert_int_eq(kr_fs_look(fs, "/new.d/x.conf", true, &look), 0);
	ck_assert(S_ISREG(look.st_mode));
	ck_assert_int_eq(kr_fs_look(below, "/new.d/x.conf", true, &look),
	                 -ENOENT);
}
END_TEST

START_TEST(test_stat_link)
{
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	_cleanup_stat_ struct kr_stat st = {0};

	ck_assert_int_eq(kr_fs_stat(fs, "/etc/absolute", false, &st), 0);
	ck_assert(S_ISLNK(st.st.st_mode));
	ck_assert_str_eq(st.target, "/etc/plain");
	ck_assert_str_eq(st.real, "/etc/absolute");
	kr_stat_done(&st);
	ck_assert_int_eq(kr_fs_stat(fs, "/etc/absolute", true, &st), 0);
	ck_assert(S_ISREG(st.st.st_mode));
	ck_assert_ptr_null(st.target);
	ck_assert_str_eq(st.real, "/etc/plain");
}
END_TEST

/* A new file behind a link: what is listed can be read. */
START_TEST(test_overlay_behind_link)
{
	_cleanup_fs_ struct kr_fs *below = kr_root_fs();
	_cleanup_fs_ struct kr_fs *fs = NULL, *top = NULL;
	_cleanup_dir_ struct kr_dir dir = {0};
	_cleanup_stat_ struct kr_stat st = {0};
	const struct kr_file *file = NULL;

	ck_assert_int_eq(kr_fs_new_overlay(below, &fs), 0);
	ck_assert_int_eq(kr_fs_put(fs, "/etc/folder/e", "e\n", 2), 0);
	ck_assert_int_eq(kr_fs_read(fs, "/dir/e", &file), 0);
	ck_assert_str_eq(file->data, "e\n");
	ck_assert_str_eq(file->real, "/etc/folder/e");
	ck_assert_int_eq(kr_fs_stat(fs, "/etc/dir/e", true, &st), 0);
	ck_assert_str_eq(st.real, "/etc/folder/e");
	ck_assert_int_eq(kr_fs_read(fs, "/dir/none", &file), -ENOENT);

	/* an overlay over an overlay */
	ck_assert_int_eq(kr_fs_new_overlay(fs, &top), 0);
	ck_assert_int_eq(kr_fs_put(top, "/etc/folder/d", "d\n", 2), 0);
	ck_assert_int_eq(kr_fs_read(top, "/dir/e", &file), 0);
	ck_assert_int_eq(kr_fs_list(top, "/dir", &dir), 0);
	ck_assert_uint_eq(dir.n_entries, 3);
	ck_assert_str_eq(dir.entries[0].name, "d");
	ck_assert_str_eq(dir.entries[1].name, "e");
	ck_assert_str_eq(dir.entries[2].name, "f");
	kr_stat_done(&st);
	ck_assert_int_eq(kr_fs_stat(top, "/dir/e", true, &st), 0);
}
END_TEST

START_TEST(test_put_twice)
{
	_cleanup_fs_ struct kr_fs *below = kr_root_fs();
	_cleanup_fs_ struct kr_fs *fs = NULL;
	const struct kr_file *file = NULL;

	ck_assert_int_eq(kr_fs_new_overlay(below, &fs), 0);
	ck_assert_int_eq(kr_fs_put(fs, "/new", "a\n", 2), 0);
	ck_assert_int_eq(kr_fs_put(fs, "/new", "b\n", 2), KR_COLLIDES);
	ck_assert_int_eq(kr_fs_read(fs, "/new", &file), 0);
	ck_assert_str_eq(file->data, "a\n");
}
END_TEST

static void check_perms(struct kr_fs *fs, const char *path, mode_t mode,
                        uid_t uid)
{
	_cleanup_stat_ struct kr_stat st = {0};

	ck_assert_int_eq(kr_fs_stat(fs, path, true, &st), 0);
	ck_assert_msg(st.st.st_mode == mode && st.st.st_uid == uid,
	              "%s: %o of %u", path, st.st.st_mode, st.st.st_uid);
}

/* By whatever name a file is looked at; the uppermost overlay counts. */
START_TEST(test_overlay_perms)
{
	static const struct kr_perms first = {0600, 1, 2},
				     second = {04711, 3, 4};
	_cleanup_fs_ struct kr_fs *below = kr_root_fs();
	_cleanup_fs_ struct kr_fs *fs = NULL, *top = NULL;
	const mode_t link = kr_root_stat("/etc/absolute").st_mode;
	_cleanup_stat_ struct kr_stat st = {0};
	const struct kr_file *file = NULL, *again = NULL;

	ck_assert_int_eq(kr_fs_new_overlay(below, &fs), 0);
	ck_assert_int_eq(kr_fs_new_overlay(fs, &top), 0);
	ck_assert_int_eq(kr_fs_put(fs, "/new", "a\n", 2), 0);
	ck_assert_int_eq(kr_fs_set_perms(fs, "/etc/plain", &first), 0);
	ck_assert_int_eq(kr_fs_set_perms(fs, "/new", &first), 0);
	ck_assert_int_eq(kr_fs_set_perms(fs, "/new", &second), KR_COLLIDES);
	ck_assert_int_eq(kr_fs_set_perms(top, "/new", &second), 0);
	check_perms(fs, "/etc/plain", S_IFREG | 0600, 1);
	check_perms(fs, "/etc/absolute", S_IFREG | 0600, 1);
	check_perms(top, "/etc/plain", S_IFREG | 0600, 1);
	check_perms(fs, "/new", S_IFREG | 0600, 1);
	check_perms(top, "/new", S_IFREG | 04711, 3);
	check_perms(below, "/etc/plain", S_IFREG | 0644, getuid());
	/* the link itself is another file */
	ck_assert_int_eq(kr_fs_stat(fs, "/etc/absolute", false, &st), 0);
	ck_assert_uint_eq(st.st.st_mode, link);
	/* and what it says is what was read */
	ck_assert_int_eq(kr_fs_read(below, "/etc/plain", &file), 0);
	ck_assert_int_eq(kr_fs_read(fs, "/etc/plain", &again), 0);
	ck_assert_ptr_eq(file, again);
}
END_TEST

static int make_folder(struct kr_fs *fs, const char *path)
{
	int fd = kr_fs_make_folder(fs, path, 0700);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

START_TEST(test_make_folder)
{
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	_cleanup_stat_ struct kr_stat st = {0};

	ck_assert_int_eq(make_folder(fs, "/"), 0);
	ck_assert_int_eq(make_folder(fs, "/etc"), 0);
	ck_assert_int_eq(make_folder(fs, "/dir/a/b"), 0);
	ck_assert_int_eq(kr_fs_stat(fs, "/etc/folder/a/b", false, &st), 0);
	ck_assert_uint_eq(st.st.st_mode & 0777, 0700);
	ck_assert_int_eq(make_folder(fs, "/../../up"), 0);
	kr_stat_done(&st);
	ck_assert_int_eq(kr_fs_stat(fs, "/up", false, &st), 0);
	ck_assert_int_eq(make_folder(fs, "/etc/plain"), -ENOTDIR);
	ck_assert_int_eq(make_folder(fs, "/etc/plain/a"), -ENOTDIR);
	ck_assert_int_eq(make_folder(fs, "/dangling"), -ENOENT);
	ck_assert_int_eq(make_folder(fs, "/loop/a"), -ELOOP);
}
END_TEST

/* A kernel or a container without openat2(2): from here on it gives ERROR. */
static void forbid_openat2(int error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	                 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = ARRAY_SIZE(filter),
		.filter = filter,
	};
	const struct open_how how = {0};

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		ck_assert_int_eq(errno, EINVAL);
		printf("# skipped: no call can be forbidden here (qemu?)\n");
		return;
	}
	ck_assert_int_eq(syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how)),
	                 -1);
	/* valgrind before 3.24 has no openat2 either; later ones look at the
	 * arguments first */
	ck_assert(errno == error || errno == ENOSYS);
}

static void make_tree_enosys(void)
{
	make_tree();
	forbid_openat2(ENOSYS);
}

static void make_tree_eperm(void)
{
	make_tree();
	forbid_openat2(EPERM);
}

static void add_case(Suite *suite, const char *name, SFun setup)
{
	TCase *tc = kr_test_case(suite, name, setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_read, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_read_own, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_read_is_stable);
	tcase_add_test(tc, test_too_large);
	tcase_add_test(tc, test_too_many);
	tcase_add_test(tc, test_read_once);
	tcase_add_test(tc, test_machine);
	tcase_add_test(tc, test_overlay);
	tcase_add_test(tc, test_overlay_behind_link);
	tcase_add_test(tc, test_overlay_perms);
	tcase_add_test(tc, test_put_twice);
	tcase_add_test(tc, test_make_folder);
	tcase_add_test(tc, test_stat_link);
}

static void add_tests(Suite *suite)
{
	add_case(suite, "openat2", make_tree);
	/* a process cannot take a filter off again: last, without a fork */
	add_case(suite, "no openat2 in the kernel", make_tree_enosys);
	add_case(suite, "no openat2 in the container", make_tree_eperm);
}

KR_TEST_MAIN(add_tests);
