/* SPDX-License-Identifier: Apache-2.0 */

/*
 * store/lock: what stands at the lock's name, and whose turn it is.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/lock.h"
#include "testing.h"

#define LOCK "/run/kubelet-remedy/lock"

static struct kr_fs *fs;
static struct kr_diag diag;

static void setup(void)
{
	kr_root_setup();
	kr_root_mkdir("/run/kubelet-remedy");
	fs = kr_root_fs();
}

static void teardown(void)
{
	kr_diag_done(&diag);
	fs = kr_fs_free(fs);
	kr_root_teardown();
}

static void make_nothing(void)
{
}

static void make_file(void)
{
	kr_root_write(LOCK, "");
}

static void make_names(void)
{
	make_file();
	ck_assert_int_eq(
		linkat(kr_root_fd, &LOCK[1], kr_root_fd, "run/another", 0), 0);
}

static void make_link(void)
{
	kr_root_write("/etc/shadow", "secret\n");
	kr_root_symlink("/etc/shadow", LOCK);
}

static void make_dangling(void)
{
	kr_root_symlink("/etc/cron.d/new", LOCK);
}

static void make_folder(void)
{
	kr_root_mkdir(LOCK);
}

/* Nobody has it open at its other end: an open(2) that waits for him hangs. */
static void make_fifo(void)
{
	ck_assert_int_eq(mkfifoat(kr_root_fd, &LOCK[1], 0600), 0);
}

static void make_others(void)
{
	make_file();
	ck_assert_int_eq(fchownat(kr_root_fd, &LOCK[1], 65534, 65534, 0), 0);
}

static const struct row {
	const char *name;
	void (*make)(void);
	const char *says; /* of what is there; NULL: it is taken */
	bool root;        /* only root can make that */
} rows[] = {
	{"nothing", make_nothing, NULL},
	{"a lock of before", make_file, NULL},
	{"two names", make_names, "a file (owner"},
	{"a link", make_link, "a symbolic link"},
	{"a link to nothing", make_dangling, "a symbolic link"},
	{"a folder", make_folder, "a folder"},
	{"a fifo", make_fifo, "a FIFO"},
	{"another's", make_others, "a file (owner 65534", true},
};

START_TEST(test_kind)
{
	const struct row *row = &rows[_i];
	const struct kr_message *m;
	int fd = -1, r;

	if (row->root && geteuid() != 0)
		return;
	row->make();
	r = kr_lock_take(fs, 0, NULL, NULL, &diag, &fd);
	if (!row->says) {
		ck_assert_msg(r == 0, "%s: %d%s", row->name, r,
		              kr_test_messages(&diag));
		ck_assert(S_ISREG(kr_root_stat(LOCK).st_mode));
		close(fd);
		return;
	}
	m = kr_diag_find(&diag, "lock-file");
	ck_assert_msg(r == -EINVAL && m && strcmp(m->file, LOCK) == 0 &&
	                      strstr(m->text, row->says) &&
	                      strstr(m->text, "remove it"),
	              "%s: %d%s", row->name, r, kr_test_messages(&diag));
	ck_assert_uint_eq(kr_root_entries("/etc/cron.d"), 0);
}
END_TEST

START_TEST(test_turn)
{
	int first = -1, second = -1;

	ck_assert_int_eq(kr_lock_take(fs, 0, NULL, NULL, &diag, &first),
	                 KR_LOCK_OURS);
	ck_assert_int_eq(kr_lock_take(fs, 0, NULL, NULL, &diag, &second),
	                 KR_LOCK_BUSY);
	ck_assert_ptr_nonnull(kr_diag_find(&diag, "busy"));
	close(first);
	ck_assert_int_eq(kr_lock_take(fs, 0, NULL, NULL, &diag, &second),
	                 KR_LOCK_OURS);
	close(second);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "lock", setup, teardown);

	tcase_add_loop_test(tc, test_kind, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_turn);
}

KR_TEST_MAIN(add_tests);
