/* SPDX-License-Identifier: Apache-2.0 */

/*
 * policy/remarks: a node is read without a question; what is said of one field
 * is said where that field is asked for, and of no other.
 */

#include <string.h>

#include "policy/remarks.h"
#include "testing-node.h"
#include "testing.h"

#define UNIT   "/etc/systemd/system/kubelet.service"
#define K3S    "/etc/systemd/system/k3s.service"
#define CONFIG "/etc/kubernetes/kubelet.json"
#define GVK                                                                    \
	"{\"kind\":\"KubeletConfiguration\","                                  \
	"\"apiVersion\":\"kubelet.config.k8s.io/v1beta1\""
#define EXEC  "[Service]\nExecStart=/usr/bin/kubelet "
#define AGENT "[Service]\nExecStart=/usr/local/bin/k3s agent\n"

static const struct row {
	const char *name;
	struct {
		const char *path, *text;
	} files[4];
	const char *controls; /* separated by blanks */
	/* "code:line " each, of the codes that depend on a field */
	const char *want;
	const char *unit;
} rows[] = {
	{.name = "nothing is odd",
         .files = {{UNIT, EXEC "--config=" CONFIG "\n"}, {CONFIG, GVK "}\n"}},
         .controls = "readOnlyPort makeIPTablesUtilChains",
         .want = ""},
	{.name = "a flag in a variable that no command expands",
         .files = {{UNIT, EXEC "\nEnvironment=A=--read-only-port=1\n"}},
         .controls = "readOnlyPort",
         .want = "decoy-variable:3 "},
	{.name = "... of another field",
         .files = {{UNIT, EXEC "\nEnvironment=A=--read-only-port=1\n"}},
         .controls = "makeIPTablesUtilChains",
         .want = ""},
	{.name = "... of two",
         .files = {{UNIT, EXEC "\nEnvironment=A=--read-only-port=1\n"
                               "Environment=B=--event-qps=1\n"}},
         .controls = "eventRecordQPS readOnlyPort",
         .want = "decoy-variable:4 decoy-variable:3 "},
	{.name = "a nested key in a file that kubelet does not read",
         .files = {{UNIT, EXEC "--config-dir=/d\n"},
                   {"/d/1.yaml", GVK ",\n\"authentication\":{\"anonymous\":{\n"
                                     "\"enabled\":true}}}\n"}},
         .controls = "authentication.anonymous.enabled readOnlyPort",
         .want = "decoy-config-dir:3 "},
	{.name = "inside of another argument",
         .files = {{UNIT, EXEC "--node-labels=a=b--read-only-port=1\n"}},
         .controls = "readOnlyPort makeIPTablesUtilChains",
         .want = "decoy-argument:2 "},
	{.name = "a list of k3s that a later one replaces",
         .files = {{K3S, AGENT},
                   {"/etc/rancher/k3s/config.yaml",
                    "kubelet-arg: [read-only-port=1, event-qps=1]\n"},
                   {"/etc/rancher/k3s/config.yaml.d/1.yaml",
                    "kubelet-arg: [v=2]\n"}},
         .controls = "readOnlyPort",
         .want = "decoy-kubelet-arg:1 ",
         .unit = "k3s.service"},
	{.name = "... of another field",
         .files = {{K3S, AGENT},
                   {"/etc/rancher/k3s/config.yaml",
                    "kubelet-arg: [read-only-port=1, event-qps=1]\n"},
                   {"/etc/rancher/k3s/config.yaml.d/1.yaml",
                    "kubelet-arg: [v=2]\n"}},
         .controls = "makeIPTablesUtilChains",
         .want = "",
         .unit = "k3s.service"},
	{.name = "a folder that an old k3s does not read",
         .files = {{K3S, AGENT},
                   {"/etc/rancher/k3s/config.yaml.d/1.yaml",
                    "kubelet-arg: [v=2,\n read-only-port=1]\n"}},
         .controls = "readOnlyPort",
         .want = "config-yaml-d:2 ",
         .unit = "k3s.service"},
	{.name = "... of another field",
         .files = {{K3S, AGENT},
                   {"/etc/rancher/k3s/config.yaml.d/1.yaml",
                    "kubelet-arg: [v=2,\n read-only-port=1]\n"}},
         .controls = "makeIPTablesUtilChains",
         .want = "",
         .unit = "k3s.service"},
	{.name = "a name in another case",
         .files = {{UNIT, EXEC "--config=" CONFIG "\n"},
                   {CONFIG, GVK ",\n\"readonlyport\":1}\n"}},
         .controls = "readOnlyPort",
         .want = "config-case:2 "},
	{.name = "... of another field",
         .files = {{UNIT, EXEC "--config=" CONFIG "\n"},
                   {CONFIG, GVK ",\n\"readonlyport\":1}\n"}},
         .controls = "makeIPTablesUtilChains",
         .want = ""},
};

static size_t choose(const char *names, const struct kr_rule **items)
{
	size_t n = 0;

	while (*names) {
		size_t length = strcspn(names, " ");

		items[n] = kr_rule_find(names, length);
		ck_assert_ptr_nonnull(items[n++]);
		names += length + (names[length] == ' ');
	}
	return n;
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	const struct kr_node_options options = {.root = kr_root_path,
	                                        .unit = row->unit};
	const struct kr_rule *items[KR_N_SETTINGS];
	const struct kr_rules rules = {items, choose(row->controls, items)};
	_cleanup_diag_ struct kr_diag read = {0}, found = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	char got[512] = "";

	kr_root_write("/usr/bin/kubelet", "");
	for (size_t i = 0; i < ARRAY_SIZE(row->files) && row->files[i].path;
	     i++)
		kr_root_write(row->files[i].path, row->files[i].text);
	ck_assert_int_eq(kr_node_open(&options, &read, &node), 0);
	ck_assert_int_eq(kr_node_read(node, &options, NULL, &read), 0);
	ck_assert_int_eq(kr_remarks_find(node, &rules, NULL, &found), 0);
	for (size_t i = 0; i < found.n_messages; i++) {
		const struct kr_message *m = &found.messages[i];
		char text[64];

		snprintf(text, sizeof(text), "%s:%u ", m->code, m->line);
		strlcat(got, text, sizeof(got));
	}
	ck_assert_msg(strcmp(got, row->want) == 0, "%s: %s%s", row->name, got,
	              kr_test_messages(&found));
	/* reading has said none of it */
	for (size_t i = 0; i < read.n_messages; i++)
		ck_assert_msg(strncmp(read.messages[i].code, "decoy", 5) != 0,
		              "%s:%s", row->name, kr_test_messages(&read));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "remarks", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
}

KR_TEST_MAIN(add_tests);
