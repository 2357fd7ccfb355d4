/* SPDX-License-Identifier: Apache-2.0 */

/*
 * node/process: what is read of a /proc, here one that the test writes.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "node/process.h"
#include "testing.h"

#define BYTES(s) (s), sizeof(s) - 1

#define STAT(name, ticks)                                                      \
	"7 (" name ") S 1 7 7 0 -1 4194560 100 0 0 0 5 3 0 0 20 0 12 0 " ticks \
	" 1000 200 18446744073709551615 1 1 0 0\n"

/* Writes process PID; a NULL leaves the file out. */
static void make_process(int pid, const char *stat, const char *comm,
                         const void *cmdline, size_t size, const char *cgroup)
{
	char path[64];

	snprintf(path, sizeof(path), "/%d/cmdline", pid);
	kr_root_write_bytes(path, cmdline, size);
	if (stat) {
		snprintf(path, sizeof(path), "/%d/stat", pid);
		kr_root_write(path, stat);
	}
	if (comm) {
		snprintf(path, sizeof(path), "/%d/comm", pid);
		kr_root_write(path, comm);
	}
	if (cgroup) {
		snprintf(path, sizeof(path), "/%d/cgroup", pid);
		kr_root_write(path, cgroup);
	}
}

/* --- reading one --------------------------------------------------------- */

static const struct {
	const char *name;
	const char *stat; /* NULL: STAT("kubelet", "500") */
	const char *cmdline;
	size_t size;
	const char *cgroup; /* NULL: "0::/\n" */
	int want;
	const char *argv; /* joined by "|" */
	const char *unit; /* NULL: none */
	uint64_t ticks;   /* 0: 500 */
} reads[] = {
	{.name = "plain",
         .cmdline = "/usr/bin/kubelet\0--v=2\0",
         .size = 23,
         .argv = "/usr/bin/kubelet|--v=2"},
	{.name = "an empty argument",
         .cmdline = "kubelet\0\0--v=2\0",
         .size = 15,
         .argv = "kubelet||--v=2"},
	{.name = "an empty argument at the end",
         .cmdline = "kubelet\0\0",
         .size = 9,
         .argv = "kubelet|"},
	{.name = "no NUL behind the last",
         .cmdline = "kubelet\0--v=2",
         .size = 13,
         .argv = "kubelet|--v=2"},
	{.name = "newlines and blanks are its own",
         .cmdline = "kubelet\0a b\nc\0",
         .size = 14,
         .argv = "kubelet|a b\nc"},
	{.name = "a name with blanks and brackets",
         .stat = STAT("a) S 1 (b", "77"),
         .cmdline = "kubelet",
         .size = 8,
         .argv = "kubelet",
         .ticks = 77},
	{.name = "a zombie has no argv",
         .cmdline = "",
         .size = 0,
         .want = -ESRCH},
	{.name = "a stat of nothing",
         .stat = "",
         .cmdline = "kubelet",
         .size = 8,
         .want = -EBADMSG},
	{.name = "a stat without its start",
         .stat = "7 (kubelet) S 1 7",
         .cmdline = "kubelet",
         .size = 8,
         .want = -EBADMSG},
	{.name = "cgroup v2",
         .cmdline = "kubelet",
         .size = 8,
         .cgroup = "0::/system.slice/kubelet.service\n",
         .argv = "kubelet",
         .unit = "kubelet.service"},
	{.name = "cgroup v2, a folder below the unit",
         .cmdline = "kubelet",
         .size = 8,
         .cgroup = "0::/system.slice/k.service/runtime\n",
         .argv = "kubelet",
         .unit = "k.service"},
	{.name = "cgroup v2, the innermost service counts",
         .cmdline = "kubelet",
         .size = 8,
         .cgroup = "0::/user.slice/user@0.service/app.slice/k.service\n",
         .argv = "kubelet",
         .unit = "k.service"},
	{.name = "cgroup v1, systemd's own hierarchy",
         .cmdline = "kubelet",
         .size = 8,
         .cgroup = "12:cpuset:/a.service\n"
                   "1:name=systemd:/system.slice/kubelet.service\n"
                   "0::/b.service\n",
         .argv = "kubelet",
         .unit = "kubelet.service"},
	{.name = "cgroup v1, no service in systemd's",
         .cmdline = "kubelet",
         .size = 8,
         .cgroup = "12:cpuset:/a.service\n1:name=systemd:/\n",
         .argv = "kubelet"},
	{.name = "a scope",
         .cmdline = "kubelet",
         .size = 8,
         .cgroup = "0::/user.slice/session-1.scope\n",
         .argv = "kubelet"},
	{.name = "a name that is only the suffix",
         .cmdline = "kubelet",
         .size = 8,
         .cgroup = "0::/.service\n",
         .argv = "kubelet"},
	{.name = "no newline behind the last line",
         .cmdline = "kubelet",
         .size = 8,
         .cgroup = "0::/kubelet.service",
         .argv = "kubelet",
         .unit = "kubelet.service"},
	{.name = "an empty cgroup",
         .cmdline = "kubelet",
         .size = 8,
         .cgroup = "",
         .argv = "kubelet"},
};

static void check_argv(const char *name, const struct kr_process *p,
                       const char *want)
{
	char got[256] = "";

	for (size_t i = 0; i < p->argc; i++) {
		strcat(got, i > 0 ? "|" : "");
		strcat(got, p->argv[i]);
	}
	ck_assert_msg(strcmp(got, want) == 0, "%s: argv '%s'", name, got);
	ck_assert_msg(p->argv[p->argc] == NULL, "%s: no NULL behind it", name);
}

START_TEST(test_read)
{
	_cleanup_process_ struct kr_process p = {.root_fd = -1};
	_cleanup_diag_ struct kr_diag diag = {0};
	const char *name = reads[_i].name;
	uint64_t ticks = reads[_i].ticks ? reads[_i].ticks : 500;
	int r;

	make_process(7,
	             reads[_i].stat ? reads[_i].stat : STAT("kubelet", "500"),
	             "kubelet\n", reads[_i].cmdline, reads[_i].size,
	             reads[_i].cgroup ? reads[_i].cgroup : "0::/\n");
	r = kr_process_read(kr_root_fd, 7, NULL, &diag, &p);
	ck_assert_msg(r == reads[_i].want, "%s: %s%s", name, strerror(-r),
	              kr_test_messages(&diag));
	ck_assert_msg((diag.n_messages > 0) == (r < 0 && r != -ESRCH), "%s:%s",
	              name, kr_test_messages(&diag));
	if (r < 0)
		return;
	check_argv(name, &p, reads[_i].argv);
	ck_assert_msg(!p.unit == !reads[_i].unit &&
	                      (!p.unit || strcmp(p.unit, reads[_i].unit) == 0),
	              "%s: unit '%s'", name, p.unit);
	ck_assert_msg(p.start_ticks == ticks, "%s: %llu", name,
	              (unsigned long long)p.start_ticks);
}
END_TEST

START_TEST(test_links)
{
	_cleanup_process_ struct kr_process p = {.root_fd = -1};

	make_process(7, STAT("kubelet", "500"), "kubelet\n", BYTES("kubelet"),
	             "0::/\n");
	kr_root_symlink("/var/lib/kubelet", "/7/cwd");
	kr_root_symlink("..", "/7/root");
	ck_assert_int_eq(kr_process_read(kr_root_fd, 7, NULL, NULL, &p), 0);
	ck_assert_str_eq(p.cwd, "/var/lib/kubelet");
	ck_assert_int_ge(p.root_fd, 0);
}
END_TEST

/* Another user's links may not be looked at; argv may. */
START_TEST(test_no_links)
{
	_cleanup_process_ struct kr_process p = {.root_fd = -1};

	make_process(7, STAT("kubelet", "500"), "kubelet\n", BYTES("kubelet"),
	             "0::/\n");
	ck_assert_int_eq(kr_process_read(kr_root_fd, 7, NULL, NULL, &p), 0);
	ck_assert_ptr_null(p.cwd);
	ck_assert_int_eq(p.root_fd, -1);
}
END_TEST

START_TEST(test_gone)
{
	_cleanup_process_ struct kr_process p = {.root_fd = -1};
	_cleanup_diag_ struct kr_diag diag = {0};

	ck_assert_int_eq(kr_process_read(kr_root_fd, 7, NULL, &diag, &p),
	                 -ESRCH);
	ck_assert_uint_eq(diag.n_messages, 0);
}
END_TEST

START_TEST(test_no_cgroup)
{
	_cleanup_process_ struct kr_process p = {.root_fd = -1};

	make_process(7, STAT("kubelet", "500"), "kubelet\n", BYTES("kubelet"),
	             NULL);
	ck_assert_int_eq(kr_process_read(kr_root_fd, 7, NULL, NULL, &p),
	                 -ESRCH);
}
END_TEST

/* An argv longer than the buffer that is read into first. */
START_TEST(test_long)
{
	_cleanup_process_ struct kr_process p = {.root_fd = -1};
	_cleanup_free_ char *cmdline = malloc(100000);

	ck_assert_ptr_nonnull(cmdline);
	memset(cmdline, 'x', 100000);
	for (size_t i = 99; i < 100000; i += 100)
		cmdline[i] = '\0';
	make_process(7, STAT("kubelet", "500"), "kubelet\n", cmdline, 100000,
	             "0::/\n");
	ck_assert_int_eq(kr_process_read(kr_root_fd, 7, NULL, NULL, &p), 0);
	ck_assert_uint_eq(p.argc, 1000);
	ck_assert_uint_eq(strlen(p.argv[999]), 99);
}
END_TEST

/* The start of this very test, as the kernel tells it. */
START_TEST(test_self)
{
	int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_process_ struct kr_process p = {.root_fd = -1};
	uint64_t now = kr_realtime_usec();

	ck_assert_int_ge(proc_fd, 0);
	ck_assert_int_eq(kr_process_read(proc_fd, getpid(), NULL, NULL, &p), 0);
	ck_assert_uint_le(p.started_usec, now + 20 * KR_USEC_PER_MSEC);
	ck_assert_uint_ge(p.started_usec, now - 600 * KR_USEC_PER_SEC);
	ck_assert_ptr_nonnull(p.cwd);
	ck_assert_int_eq(kr_process_shares_network(proc_fd, getpid()), 1);
	close(proc_fd);
}
END_TEST

/* --- finding them -------------------------------------------------------- */

static const struct {
	const char *name;
	const char *comm; /* NULL: no such file */
	const char *cmdline;
	size_t size;
	bool want;
} finds[] = {
	{"by its path", "kubelet\n", BYTES("/usr/bin/kubelet\0--v=2"), true},
	{"by its name", "kubelet\n", BYTES("kubelet"), true},
	{"hyperkube as kubelet", "hyperkube\n", BYTES("/hyperkube\0kubelet"),
         true},
	{"hyperkube as another", "hyperkube\n", BYTES("/hyperkube\0proxy"),
         false},
	{"hyperkube alone", "hyperkube\n", BYTES("/hyperkube"), false},
	{"comm of another", "kubelet-remedy\n", BYTES("/usr/bin/kubelet"),
         false},
	{"argv of another", "kubelet\n", BYTES("/usr/bin/kubelets"), false},
	{"a folder of that name", "kubelet\n", BYTES("/kubelet/x"), false},
	{"no comm", NULL, BYTES("kubelet"), false},
	{"a zombie", "kubelet\n", BYTES(""), false},
};

START_TEST(test_find)
{
	_cleanup_free_ pid_t *pids = NULL;
	int n;

	make_process(7, NULL, finds[_i].comm, finds[_i].cmdline, finds[_i].size,
	             NULL);
	n = kr_process_find(kr_root_fd, &pids);
	ck_assert_msg(n == finds[_i].want, "%s: %d", finds[_i].name, n);
	if (n > 0)
		ck_assert_int_eq(pids[0], 7);
}
END_TEST

START_TEST(test_find_several)
{
	_cleanup_free_ pid_t *pids = NULL;

	make_process(7, NULL, "kubelet\n", BYTES("kubelet"), NULL);
	make_process(12, NULL, "kubelet\n", BYTES("kubelet"), NULL);
	make_process(1, NULL, "systemd\n", BYTES("/sbin/init"), NULL);
	kr_root_write("/0kubelet/comm", "kubelet\n");
	kr_root_write("/self/comm", "kubelet\n");
	ck_assert_int_eq(kr_process_find(kr_root_fd, &pids), 2);
	ck_assert_int_eq(pids[0] + pids[1], 19);
}
END_TEST

START_TEST(test_find_none)
{
	_cleanup_free_ pid_t *pids = NULL;

	ck_assert_int_eq(kr_process_find(kr_root_fd, &pids), 0);
}
END_TEST

/* One in another PID namespace than process 1 is some container's. */
START_TEST(test_find_contained)
{
	_cleanup_free_ pid_t *pids = NULL;

	make_process(1, NULL, "init\n", BYTES("/sbin/init"), NULL);
	make_process(7, NULL, "kubelet\n", BYTES("kubelet"), NULL);
	make_process(8, NULL, "kubelet\n", BYTES("kubelet"), NULL);
	make_process(9, NULL, "kubelet\n", BYTES("kubelet"), NULL);
	kr_root_write("/1/ns/pid", "");
	kr_root_write("/7/ns/pid", "");
	ck_assert_int_eq(linkat(kr_root_fd, "1/ns/pid", kr_root_fd, "8/pid", 0),
	                 0);
	kr_root_symlink("../pid", "/8/ns/pid");
	/* 9 has none that may be looked at: nothing against it */
	ck_assert_int_eq(kr_process_find(kr_root_fd, &pids), 2);
	ck_assert_int_eq(pids[0] + pids[1], 17);
}
END_TEST

/* What an ordinary user calls kubelet is not the node's. */
static const struct {
	const char *name;
	uid_t uid;
	const char *cgroup;
	bool want;
} owners[] = {
	{"root's, in no unit", 0, "0::/\n", true},
	{"root's, in a session", 0,
         "0::/user.slice/user-0.slice/session-1.scope\n", true},
	{"a user's, in no unit", 1000, "0::/\n", false},
	{"a user's, in a session", 1000,
         "0::/user.slice/user-1000.slice/session-2.scope\n", false},
	{"a user's, in a service of the user's of that name", 1000,
         "0::/user.slice/user-1000.slice/user@1000.service/app.slice/"
         "kubelet.service\n",
         false},
	{"the same, cgroup v1", 1000,
         "1:name=systemd:/user.slice/user-1000.slice/user@1000.service/"
         "kubelet.service\n",
         false},
	{"a service with User=", 1000, "0::/system.slice/kubelet.service\n",
         true},
	{"a service in a slice of its own", 1000,
         "0::/kube.slice/kubelet.service\n", true},
};

START_TEST(test_find_owner)
{
	_cleanup_free_ pid_t *pids = NULL;
	int n;

	make_process(1, NULL, "systemd\n", BYTES("/sbin/init"), NULL);
	make_process(7, NULL, "kubelet\n", BYTES("kubelet"), owners[_i].cgroup);
	if (geteuid() != 0) {
		printf("# skipped: only root gives files away\n");
		return;
	}
	ck_assert_int_eq(fchownat(kr_root_fd, "7", owners[_i].uid, 0, 0), 0);
	n = kr_process_find(kr_root_fd, &pids);
	ck_assert_msg(n == owners[_i].want, "%s: %d", owners[_i].name, n);
}
END_TEST

START_TEST(test_network)
{
	ck_assert_int_lt(kr_process_shares_network(kr_root_fd, 7), 0);
	kr_root_write("/7/ns/net", "");
	ck_assert_int_eq(kr_process_shares_network(kr_root_fd, 7), 0);
}
END_TEST

/* --- which word ---------------------------------------------------------- */

static const struct {
	const char *name;
	const char *argv[5];
	int want;
} words[] = {
	{"none", {NULL}, -1},
	{"kubelet", {"kubelet"}, 0},
	{"its path", {"/opt/bin/kubelet", "--v=2"}, 0},
	{"a known wrapper",
         {"/usr/local/bin/kubenswrapper", "/usr/bin/kubelet", "--v=2"},
         1},
	{"a known wrapper with words of its own",
         {"/usr/bin/env", "A=b", "/usr/bin/kubelet"},
         2},
	{"a known wrapper with an option",
         {"/usr/bin/env", "-i", "/bin/kubelet"},
         -1},
	{"a wrapper that looks in PATH", {"/usr/bin/env", "kubelet"}, -1},
	{"any other wrapper", {"/opt/wrap.sh", "/usr/bin/kubelet"}, -1},
	{"another root", {"/usr/sbin/chroot", "/host", "/usr/bin/kubelet"}, -1},
	{"hyperkube", {"hyperkube", "kubelet", "--v=2"}, 1},
	{"hyperkube, an option first", {"hyperkube", "--v=2", "kubelet"}, -1},
	{"the name in an option", {"/bin/sh", "-c", "/usr/bin/kubelet"}, -1},
	{"a longer name", {"/usr/bin/kubelet-wrapper"}, -1},
	{"a shorter name", {"/usr/bin/ubelet"}, -1},
};

START_TEST(test_word)
{
	size_t argc = 0;

	while (words[_i].argv[argc])
		argc++;
	ck_assert_msg(kr_process_kubelet_word(words[_i].argv, argc) ==
	                      words[_i].want,
	              "%s", words[_i].name);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "proc", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_read, 0, ARRAY_SIZE(reads));
	tcase_add_test(tc, test_links);
	tcase_add_test(tc, test_no_links);
	tcase_add_test(tc, test_gone);
	tcase_add_test(tc, test_no_cgroup);
	tcase_add_test(tc, test_long);
	tcase_add_test(tc, test_self);
	tcase_add_loop_test(tc, test_find, 0, ARRAY_SIZE(finds));
	tcase_add_test(tc, test_find_several);
	tcase_add_loop_test(tc, test_find_owner, 0, ARRAY_SIZE(owners));
	tcase_add_test(tc, test_find_none);
	tcase_add_test(tc, test_find_contained);
	tcase_add_test(tc, test_network);
	tcase_add_loop_test(tc, test_word, 0, ARRAY_SIZE(words));
}

KR_TEST_MAIN(add_tests);
