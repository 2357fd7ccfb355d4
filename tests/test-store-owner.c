/* SPDX-License-Identifier: Apache-2.0 */

/*
 * store/owner and store/recover: a run that does not go on, is passed by a
 * recovery, and goes on after all, at each moment of it and of the recovery.
 *
 *   run       ── its Nth step ┊┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄── to its end
 *   recovery                  ┊── its Mth step ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄── to its end
 *
 * The run is a child, a process of its own. This program has its own of the
 * calls that change folders (renameat2(2), ...), which stop just before the
 * call is made: behind whatever look at the token came before it.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/edit.h"
#include "host/holder.h"
#include "host/interrupted.h"
#include "store/owner.h"
#include "store/recover.h"
#include "store/transaction.h"
#include "testing.h"

#define A    "/etc/d/a.conf"
#define B    "/etc/e/b.conf"
#define MADE "/etc/n/made.conf"

/* --- the calls ----------------------------------------------------------- */

static struct {
	unsigned n_steps, stop_at; /* from 1; 0: never */
	void (*stop)(void);
	bool no_exchange; /* as some file systems */
} hook;

static void step(void)
{
	if (hook.stop && ++hook.n_steps == hook.stop_at)
		hook.stop();
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to,
              unsigned flags)
{
	step();
	if (hook.no_exchange && flags == RENAME_EXCHANGE) {
		errno = EINVAL;
		return -1;
	}
	return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	step();
	return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
}

int unlinkat(int fd, const char *path, int flags)
{
	step();
	return (int)syscall(SYS_unlinkat, fd, path, flags);
}

int mkdirat(int fd, const char *path, mode_t mode)
{
	step();
	return (int)syscall(SYS_mkdirat, fd, path, mode);
}

int openat(int fd, const char *path, int flags, ...)
{
	mode_t mode;
	va_list args;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (flags & O_CREAT)
		step();
	return (int)syscall(SYS_openat, fd, path, flags, mode);
}

/* No power is cut here, and there are thousands. */
int fsync(int fd)
{
	(void)fd;
	return 0;
}

/* --- what all have in common --------------------------------------------- */

static struct kr_diag diag;

static void setup(void)
{
	memset(&hook, 0, sizeof(hook));
	kr_root_setup();
	kr_root_write(A, "old a\n");
	kr_root_write(B, "old b\n");
	kr_root_mkdir("/etc/n");
}

static void teardown(void)
{
	kr_diag_done(&diag);
	kr_root_teardown();
}

/* What stands at PATH; NULL: nothing. */
static const char *what_is(const char *path)
{
	static char got[64];
	int fd = openat(kr_root_fd, path + 1, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return NULL;
	n = read(fd, got, sizeof(got) - 1);
	ck_assert_int_ge(n, 0);
	got[n] = '\0';
	close(fd);
	return got;
}

static bool is_at(const char *path, const char *want)
{
	const char *got = what_is(path);

	return (got != NULL) == (want != NULL) &&
	       (!got || strcmp(got, want) == 0);
}

/* --- the run ------------------------------------------------------------- */

static const struct row {
	const char *name;
	bool back;        /* it puts all back at its end */
	bool no_exchange; /* nor can it put the very file back */
} rows[] = {
	{"kept", false, false},
	{"put back", true, false},
	{"kept, plain renames", false, true},
	{"put back, plain renames", true, true},
};

/* One of each kind: replaced, taken away, made. */
static void plan(struct kr_fs *fs, struct kr_edits *edits)
{
	const struct kr_file *a, *b;

	ck_assert_int_eq(kr_fs_read(fs, A, &a), 0);
	ck_assert_int_eq(kr_fs_read(fs, B, &b), 0);
	ck_assert_int_eq(kr_edits_add(edits, (struct kr_span){a, 0, 3}, "new"),
	                 0);
	ck_assert_int_eq(kr_edits_remove(edits, b), 0);
	ck_assert_int_eq(kr_edits_create(edits, MADE, "new\n"), 0);
}

enum ended {
	ENDED,
	ENDED_TAKEN, /* it was not ours any more */
	ENDED_WRONG,
};

static enum ended finish(struct kr_transaction *tx, const struct row *row)
{
	int r = kr_transaction_commit(tx, &diag);

	if (r == 0 && row->back) {
		r = kr_transaction_revert(tx, "a reason", &diag);
		if (r == 0)
			kr_transaction_reverted(tx, &diag);
	} else if (r == 0) {
		r = kr_transaction_keep(tx, &diag);
	}
	if (!kr_transaction_is_mine(tx))
		return ENDED_TAKEN;
	return r == 0 ? ENDED : ENDED_WRONG;
}

static enum ended run(const struct row *row)
{
	const struct kr_transaction_about about = {.unit = "kubelet.service",
	                                           .disk_before = "false"};
	_cleanup_transaction_ struct kr_transaction *tx = NULL;
	struct kr_fs *fs = kr_root_fs();
	struct kr_edits edits = {0};
	enum ended ended;
	int r;

	plan(fs, &edits);
	hook.n_steps = 0;
	r = kr_transaction_prepare(fs, &edits, &about, &diag, &tx);
	ended = r == 0 ? finish(tx, row) : ENDED_TAKEN;
	tx = kr_transaction_free(tx);
	hook.stop = NULL;
	kr_edits_done(&edits);
	kr_fs_free(fs);
	kr_diag_done(&diag);
	return ended;
}

/* --- two of them --------------------------------------------------------- */

static int to_child[2], to_parent[2];
static pid_t child;
static bool stopped;
static int child_status;

static void stop_run(void)
{
	char c = 's';

	if (write(to_parent[1], &c, 1) != 1 || read(to_child[0], &c, 1) != 1)
		_exit(ENDED_WRONG);
}

/* Whether it stops there; else it has come to its end. */
static bool start_run(const struct row *row, unsigned stop_at)
{
	char c;

	ck_assert_int_eq(pipe2(to_child, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(to_parent, O_CLOEXEC), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		/* one that is stopped must not outlive a test that fails */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(to_parent[0]);
		close(to_child[1]);
		hook.no_exchange = row->no_exchange;
		hook.stop_at = stop_at;
		hook.stop = stop_run;
		_exit((int)run(row));
	}
	close(to_parent[1]);
	close(to_child[0]);
	stopped = read(to_parent[0], &c, 1) == 1;
	close(to_parent[0]);
	return stopped;
}

static void end_run(void)
{
	if (child <= 0)
		return;
	if (stopped)
		ck_assert_int_eq(write(to_child[1], "g", 1), 1);
	close(to_child[1]);
	ck_assert_int_eq(waitpid(child, &child_status, 0), child);
	child = 0;
}

/* The folder of the only record, or -1. */
static int open_record(struct kr_fs *fs, char id[static KR_TRANSACTION_ID_SIZE])
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_free_ char *path = NULL;

	ck_assert_int_eq(kr_manifests_read(fs, &diag, &list), 0);
	if (list.n_items == 0)
		return -1;
	ck_assert_uint_eq(list.n_items, 1);
	strlcpy(id, list.items[0].id, KR_TRANSACTION_ID_SIZE);
	path = kr_path_join(KR_STATE_DIR, id);
	return kr_fs_open_folder(fs, path);
}

static enum kr_manifest_state state_of(const char *id)
{
	_cleanup_manifest_ struct kr_manifest m = {0};
	_cleanup_fs_ struct kr_fs *now = kr_root_fs();

	ck_assert_int_eq(kr_manifest_read(now, id, &m), 0);
	return m.state;
}

/* Without the lock, past the run. */
static void pass(const char *name)
{
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	_cleanup_recovery_ struct kr_recovery recovery = {.usec = KR_OWNER_USEC,
	                                                  .passes = true};
	char id[KR_TRANSACTION_ID_SIZE];
	_cleanup_close_ int folder_fd = open_record(fs, id);
	struct kr_owner_seen owner = {0};
	int r;

	if (folder_fd >= 0)
		ck_assert_int_eq(kr_owner_look(folder_fd, &owner), 0);
	recovery.passed = owner.st;
	r = kr_recover_run(fs, &recovery, &diag);
	ck_assert_msg(r >= 0, "%s: %d%s", name, r, kr_test_messages(&diag));
	if (r == 0)
		r = kr_recover_end(fs, &recovery, &diag);
	ck_assert_msg(r >= 0, "%s: %d%s", name, r, kr_test_messages(&diag));
}

/* Both have come to their ends. The next run with the lock tidies up, and has
 * nothing to take back. */
static void check_end(const char *name)
{
	_cleanup_fs_ struct kr_fs *fs = kr_root_fs();
	_cleanup_recovery_ struct kr_recovery recovery = {
		.usec = KR_OWNER_USEC};
	char id[KR_TRANSACTION_ID_SIZE];
	_cleanup_close_ int folder_fd = open_record(fs, id);
	bool stands = folder_fd >= 0 && state_of(id) == KR_MANIFEST_KEPT;
	enum ended ended = (enum ended)WEXITSTATUS(child_status);

	ck_assert_msg(is_at(A, stands ? "new a\n" : "old a\n"), "%s: a is %s",
	              name, what_is(A));
	ck_assert_msg(is_at(B, stands ? NULL : "old b\n"), "%s: b is %s", name,
	              what_is(B));
	ck_assert_msg(is_at(MADE, stands ? "new\n" : NULL), "%s: made is %s",
	              name, what_is(MADE));
	ck_assert_msg(folder_fd < 0 || !kr_manifest_is_pending(state_of(id)),
	              "%s: pending", name);
	ck_assert_msg(WIFEXITED(child_status) && ended != ENDED_WRONG &&
	                      (!stands || ended == ENDED),
	              "%s: the run ended as %d", name, child_status);
	ck_assert_msg(ended != ENDED || stands || folder_fd < 0 ||
	                      state_of(id) == KR_MANIFEST_PUT_BACK,
	              "%s: the run says that it is well", name);
	ck_assert_int_eq(kr_recover_run(fs, &recovery, &diag),
	                 KR_RECOVERED_NOTHING);
	ck_assert_msg(kr_root_entries("/etc/d") == 1 &&
	                      kr_root_entries("/etc/e") == !stands &&
	                      kr_root_entries("/etc/n") == stands,
	              "%s: something lies beside", name);
	ck_assert_ptr_null(what_is(KR_STATE_DIR "/pending"));
}

/* Each step of the run, and each of the recovery that passes it there; of plain
 * renames, and where memory is looked at (valgrind), some of the latter. */
START_TEST(test_passed)
{
	const struct row *row = &rows[_i];
	const char *fork = getenv("CK_FORK");
	unsigned every = fork && strcmp(fork, "no") == 0 ? 7
	                 : row->no_exchange              ? 3
	                                                 : 1;
	unsigned n_runs = 0;
	bool more = true;

	for (unsigned at = 1; more; at++) {
		bool again = true;

		/* 0: the run goes on when the recovery is over */
		for (unsigned step_at = 0; again && more;
		     step_at += step_at == 0 ? 1 + at % every : every) {
			char name[64];

			snprintf(name, sizeof(name), "%s, %u, %u", row->name,
			         at, step_at);
			teardown();
			setup();
			hook.no_exchange = row->no_exchange;
			more = start_run(row, at);
			hook.n_steps = 0;
			hook.stop_at = step_at;
			hook.stop = end_run;
			if (more)
				pass(name);
			hook.stop = NULL;
			again = step_at == 0 || child == 0;
			end_run();
			check_end(name);
			n_runs++;
		}
	}
	ck_assert_uint_gt(n_runs * every, 200);
}
END_TEST

/* --- the owner ----------------------------------------------------------- */

static int make_folder(void)
{
	int fd;

	kr_root_mkdir("/f");
	fd = openat(kr_root_fd, "f", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(test_owner)
{
	_cleanup_close_ int folder_fd = make_folder();
	struct kr_owner run = KR_OWNER_NONE, other = KR_OWNER_NONE;
	struct kr_owner_seen seen;
	uint64_t now = kr_now_usec();

	ck_assert_int_eq(kr_owner_look(folder_fd, &seen), 0);
	ck_assert(!seen.there && !seen.lives);
	ck_assert_int_eq(kr_owner_make(folder_fd, 1000000, &run), 0);
	ck_assert_int_eq(kr_owner_look(folder_fd, &seen), 0);
	ck_assert(seen.there && seen.lives && !seen.recovers);
	ck_assert(seen.until_usec >= now + 1000000 &&
	          seen.until_usec < now + 1000000 + 60 * KR_USEC_PER_SEC);
	kr_owner_extend(&run, 3600 * KR_USEC_PER_SEC);
	ck_assert_int_eq(kr_owner_look(folder_fd, &seen), 0);
	ck_assert(seen.until_usec >= now + 3600 * KR_USEC_PER_SEC);
	ck_assert(kr_owner_is_mine(&run, folder_fd));

	/* it lives: only who passes it gets on */
	ck_assert_int_eq(kr_owner_claim(folder_fd, NULL, 1, &other),
	                 KR_CLAIM_BUSY);
	ck_assert_int_eq(kr_owner_claim(folder_fd, &seen.st, 1, &other),
	                 KR_CLAIM_MADE);
	ck_assert(!kr_owner_is_mine(&run, folder_fd));
	ck_assert(kr_owner_is_mine(&other, folder_fd));
	kr_owner_end(&run, folder_fd);
	ck_assert(kr_owner_is_mine(&other, folder_fd));

	/* it is gone: whoever comes */
	kr_owner_done(&other);
	ck_assert_int_eq(kr_owner_look(folder_fd, &seen), 0);
	ck_assert(seen.there && !seen.lives && seen.recovers);
	ck_assert_int_eq(kr_owner_claim(folder_fd, NULL, 1, &other),
	                 KR_CLAIM_MADE);
	kr_owner_end(&other, folder_fd);
	ck_assert_uint_eq(kr_root_entries("/f"), 0);
}
END_TEST

/* What a crash or another boot left says nothing of now. */
START_TEST(test_time)
{
	static const struct {
		const char *text;
		bool recovers;
	} lines[] = {
		{"", false},
		{"nonsense\n", false},
		{"00000000000000000000 recover\n", true},
	};
	_cleanup_close_ int folder_fd = make_folder();

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct kr_owner_seen seen;

		kr_root_write("/f/owner", lines[i].text);
		ck_assert_int_eq(kr_owner_look(folder_fd, &seen), 0);
		ck_assert(seen.there && !seen.lives && seen.until_usec == 0);
		ck_assert(seen.recovers == lines[i].recovers);
	}
}
END_TEST

/* --- its process --------------------------------------------------------- */

/* valgrind knows no pidfd_open(2), nor do some filters. */
static bool has_pidfds(void)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

START_TEST(test_holder)
{
	const enum kr_killed gone =
		has_pidfds() ? KR_KILLED_GONE : KR_KILLED_CANNOT;

	_cleanup_close_ int proc_fd =
		open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fs_ struct kr_fs *fs = NULL;
	char id[KR_TRANSACTION_ID_SIZE];
	_cleanup_close_ int folder_fd = -1;
	struct kr_owner_seen owner;
	struct kr_holder holder;
	pid_t pid;
	int status;

	ck_assert(start_run(&rows[0], 22));
	fs = kr_root_fs();
	folder_fd = open_record(fs, id);
	ck_assert_int_ge(folder_fd, 0);
	ck_assert_int_eq(kr_owner_look(folder_fd, &owner), 0);
	ck_assert(owner.lives);
	ck_assert_int_eq(kr_holder_find(proc_fd, &owner.st, &holder), 0);
	ck_assert_int_eq(holder.pid, child);
	ck_assert(!holder.stopped);
	ck_assert_int_eq(kill(child, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
	ck_assert_int_eq(kr_holder_find(proc_fd, &owner.st, &holder), 0);
	ck_assert(holder.stopped);

	/* another with that number by now is left alone */
	holder.start_ticks--;
	ck_assert_int_eq(kr_holder_kill(proc_fd, &holder), gone);
	ck_assert_int_eq(waitpid(child, &status, WNOHANG), 0);
	holder.start_ticks++;
	/* below a root that is not ours numbers are others' */
	ck_assert_int_eq(kr_holder_kill(kr_root_fd, &holder), KR_KILLED_CANNOT);
	ck_assert_int_eq(kr_holder_kill(proc_fd, &holder),
	                 has_pidfds() ? KR_KILLED : KR_KILLED_CANNOT);
	if (!has_pidfds())
		ck_assert_int_eq(kill(child, SIGKILL), 0);
	pid = child;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	child = 0;
	close(to_child[1]);
	ck_assert_int_eq(kr_holder_kill(proc_fd, &holder), gone);
	ck_assert_int_eq(kr_owner_look(folder_fd, &owner), 0);
	ck_assert(owner.there && !owner.lives);
	ck_assert_int_eq(kr_holder_find(proc_fd, &owner.st, &holder), 0);
	ck_assert_int_eq(holder.pid, 0);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "owner", setup, teardown);

	tcase_set_timeout(tc, 240);
	tcase_add_loop_test(tc, test_passed, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_owner);
	tcase_add_test(tc, test_time);
	tcase_add_test(tc, test_holder);
}

KR_TEST_MAIN(add_tests);
