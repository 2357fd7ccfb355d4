/* SPDX-License-Identifier: Apache-2.0 */

/*
 * node/running: which of several kubelets is the node's.
 */

#include <string.h>

#include "base/clock.h"
#include "testing-node.h"
#include "testing.h"

#define IN_UNIT "/system.slice/kubelet.service"
#define STRAY   "/user.slice/user-0.slice/session-1.scope"

static const struct row {
	const char *name;
	const char *cgroups[2]; /* of 7 and 9; NULL: there is none */
	int want;               /* the process; 0: none; -1: it is in doubt */
} rows[] = {
	{"the unit's", {IN_UNIT}, 7},
	{"root's, in no unit", {STRAY}, 7},
	{"the unit's comes first", {IN_UNIT, STRAY}, 7},
	{"also where it comes last", {STRAY, IN_UNIT}, 9},
	{"another unit's is none", {"/system.slice/other.service", STRAY}, -1},
	{"the unit's before another's",
         {"/system.slice/other.service", IN_UNIT},
         9},
	{"two in no unit", {STRAY, STRAY}, -1},
	{"two in the unit", {IN_UNIT, IN_UNIT}, -1},
};

static void make_second(const char *cgroup)
{
	char text[256];

	kr_root_write_bytes("/proc/9/cmdline", "kubelet", sizeof("kubelet"));
	kr_root_write("/proc/9/comm", "kubelet\n");
	kr_root_write("/proc/9/stat",
	              "9 (kubelet) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 9 "
	              "0\n");
	snprintf(text, sizeof(text), "0::%s\n", cgroup);
	kr_root_write("/proc/9/cgroup", text);
	kr_root_symlink("/", "/proc/9/cwd");
	kr_root_symlink("../..", "/proc/9/root");
}

START_TEST(test_rows)
{
	static const char *const argv[] = {"kubelet", NULL};
	const struct row *row = &rows[_i];
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;

	kr_test_unit("/usr/bin/kubelet");
	kr_test_process(argv, kr_realtime_usec() - KR_USEC_PER_SEC,
	                row->cgroups[0]);
	if (row->cgroups[1])
		make_second(row->cgroups[1]);
	node = kr_test_node(NULL, &diag);
	ck_assert_msg(node->has_process == (row->want > 0), "%s: %d", row->name,
	              node->has_process);
	ck_assert_msg(!node->has_process || node->process.pid == row->want,
	              "%s: %d", row->name, (int)node->process.pid);
	ck_assert_msg((node->process_doubt != NULL) == (row->want < 0),
	              "%s: %s", row->name, node->process_doubt);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "rows", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
}

KR_TEST_MAIN(add_tests);
