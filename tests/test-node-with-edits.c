/* SPDX-License-Identifier: Apache-2.0 */

/*
 * node/node: with edits, another disk, the same process, and nothing that was
 * read is read again.
 */

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "policy/judge.h"
#include "testing-node.h"
#include "testing.h"

#define CONFIG "/etc/config.json"
#define HEAD                                                                   \
	"{\"apiVersion\":\"kubelet.config.k8s.io/v1beta1\","                   \
	"\"kind\":\"KubeletConfiguration\",\"makeIPTablesUtilChains\":"

static struct kr_diag ignored;

static struct kr_node *make_node(bool runs)
{
	static const char *const argv[] = {"kubelet", "--config=" CONFIG,
	                                   "--kubeconfig=/k", NULL};

	kr_test_unit("/usr/bin/kubelet --config=" CONFIG " --kubeconfig=/k");
	kr_root_write(CONFIG, HEAD "false}");
	if (runs)
		kr_test_process(argv, kr_realtime_usec() - KR_USEC_PER_SEC,
		                "/system.slice/kubelet.service");
	return kr_test_node(NULL, &ignored);
}

static struct kr_node *edit(struct kr_node *node, struct kr_edits *edits)
{
	struct kr_node *after = NULL;

	ck_assert_int_eq(kr_node_with_edits(node, edits, &ignored, &after), 0);
	return after;
}

static const struct kr_file *config_of(const struct kr_node *node)
{
	ck_assert_uint_eq(node->disk.inputs.n_files, 1);
	return node->disk.inputs.files[0];
}

static void make_true(const struct kr_node *node, struct kr_edits *edits)
{
	const struct kr_span value = {config_of(node), strlen(HEAD), 5};

	ck_assert_int_eq(kr_edits_add(edits, value, "true"), 0);
}

static enum kr_state state_of(const struct kr_node *node)
{
	_cleanup_decision_ struct kr_decision d = {0};

	ck_assert_int_eq(kr_node_decide(node, KR_FIELD_IPTABLES, &d), 0);
	return d.state;
}

START_TEST(test_process_is_shared)
{
	_cleanup_node_ struct kr_node *node = make_node(true), *after = NULL;
	_cleanup_edits_ struct kr_edits edits = {0};
	_cleanup_decision_ struct kr_decision d = {0};

	make_true(node, &edits);
	after = edit(node, &edits);
	ck_assert_int_eq(state_of(node), KR_STATE_FALSE);
	ck_assert_int_eq(state_of(after), KR_STATE_TRUE);
	ck_assert(after->has_process && after->running_valid);
	ck_assert_int_eq(after->process.pid, KR_TEST_PID);
	ck_assert_ptr_eq(after->running.argv, node->running.argv);
	/* the edit is none of the process's */
	ck_assert_int_eq(kr_decide(&after->running, KR_FIELD_IPTABLES, &d), 0);
	ck_assert_int_eq(d.state, KR_STATE_FALSE);
}
END_TEST

/* What was read is not there any more, and nobody misses it. */
START_TEST(test_nothing_is_read_again)
{
	static const char *const paths[] = {"/proc/7/cmdline", "/proc/7/stat",
	                                    "/proc/7/comm",    "/proc/7/cgroup",
	                                    "/proc/7/root",    "/proc/7/cwd"};
	_cleanup_node_ struct kr_node *node = make_node(true), *after = NULL;
	_cleanup_edits_ struct kr_edits edits = {0};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		ck_assert_int_eq(unlinkat(kr_root_fd, paths[i] + 1, 0), 0);
	kr_root_write(CONFIG, HEAD "true}");
	after = edit(node, &edits);
	ck_assert_ptr_eq(config_of(after), config_of(node));
	ck_assert_int_eq(state_of(after), KR_STATE_FALSE);
	ck_assert(after->has_process);
	ck_assert_str_eq(after->running.argv[1], "--config=" CONFIG);
}
END_TEST

static const struct verdict {
	const char *name;
	bool runs;
	enum kr_verdict before;
	const char *reason; /* of the running view behind the edit */
} verdicts[] = {
	{"runs", true, KR_VERDICT_FAIL,
         "what runs was started before the change"},
	{"an image", false, KR_VERDICT_FAIL, "an image, no running system"},
};

/* The audit of the copy is that of its files. */
START_TEST(test_verdict)
{
	const struct verdict *row = &verdicts[_i];
	const struct kr_audit_options options = {.live = KR_STATE_ABSENT};
	_cleanup_node_ struct kr_node *node = make_node(row->runs),
				      *after = NULL;
	_cleanup_audit_ struct kr_audit *one = NULL, *two = NULL;
	_cleanup_edits_ struct kr_edits edits = {0};

	make_true(node, &edits);
	after = edit(node, &edits);
	ck_assert_int_eq(
		kr_audit_run(node, &kr_rules_usual, &options, &ignored, &one),
		0);
	ck_assert_int_eq(
		kr_audit_run(after, &kr_rules_usual, &options, &ignored, &two),
		0);
	ck_assert_msg(one->verdict == row->before, "%s: before", row->name);
	ck_assert_msg(two->verdict == KR_VERDICT_PASS, "%s: after: %s",
	              row->name, two->reason);
	ck_assert_int_eq(two->pid, row->runs ? KR_TEST_PID : 0);
	ck_assert_str_eq(two->items[0].running.reason, row->reason);
}
END_TEST

START_TEST(test_mode_and_owner)
{
	_cleanup_node_ struct kr_node *node = make_node(false), *after = NULL;
	_cleanup_edits_ struct kr_edits edits = {0};
	_cleanup_stat_ struct kr_stat st = {0}, old = {0};
	const struct kr_file *config = config_of(node);

	ck_assert_int_eq(kr_edits_chmod(&edits, config, 0600), 0);
	ck_assert_int_eq(kr_edits_chown(&edits, config, 4711, 4712), 0);
	make_true(node, &edits);
	after = edit(node, &edits);
	ck_assert_int_eq(state_of(after), KR_STATE_TRUE);
	ck_assert_int_eq(kr_fs_stat(after->fs, CONFIG, true, &st), 0);
	ck_assert_int_eq(st.st.st_mode, S_IFREG | 0600);
	ck_assert_uint_eq(st.st.st_uid, 4711);
	ck_assert_uint_eq(st.st.st_gid, 4712);
	ck_assert_int_eq(kr_fs_stat(node->fs, CONFIG, true, &old), 0);
	ck_assert_int_eq(old.st.st_mode, config->st.st_mode);
	ck_assert_uint_eq(old.st.st_uid, config->st.st_uid);
}
END_TEST

/* The file itself stays, and what it says. */
START_TEST(test_mode_alone)
{
	_cleanup_node_ struct kr_node *node = make_node(false), *after = NULL;
	_cleanup_edits_ struct kr_edits edits = {0};
	_cleanup_stat_ struct kr_stat st = {0};

	ck_assert_int_eq(kr_edits_chmod(&edits, config_of(node), 0640), 0);
	after = edit(node, &edits);
	ck_assert_ptr_eq(config_of(after), config_of(node));
	ck_assert_int_eq(kr_fs_stat(after->fs, CONFIG, true, &st), 0);
	ck_assert_int_eq(st.st.st_mode, S_IFREG | 0640);
	ck_assert_uint_eq(st.st.st_uid, config_of(node)->st.st_uid);
}
END_TEST

static void add_cases(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "with-edits", kr_root_setup,
	                         kr_root_teardown);

	tcase_add_test(tc, test_process_is_shared);
	tcase_add_test(tc, test_nothing_is_read_again);
	tcase_add_loop_test(tc, test_verdict, 0, ARRAY_SIZE(verdicts));
	tcase_add_test(tc, test_mode_and_owner);
	tcase_add_test(tc, test_mode_alone);
}

KR_TEST_MAIN(add_cases);
