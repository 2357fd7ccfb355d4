/* SPDX-License-Identifier: Apache-2.0 */

/*
 * policy/remarks: what looks as if it set the value and does not.
 */

#include <string.h>

#include "policy/remarks.h"
#include "testing-node.h"
#include "testing.h"

#define NAME   "--make-iptables-util-chains"
#define CIS    "/etc/kubernetes/kubelet/kubelet-config.json"
#define EKS    "/etc/kubernetes/kubelet/config.json"
#define UNIT   "/etc/systemd/system/kubelet.service"
#define DROPIN "/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf"
#define ENV(v) "[Service]\nEnvironment='" v "'\n"
#define GVK                                                                    \
	"{\"kind\":\"KubeletConfiguration\","                                  \
	"\"apiVersion\":\"kubelet.config.k8s.io/v1beta1\""
#define SET(v) GVK ",\"makeIPTablesUtilChains\":" v "}\n"
#define EMPTY  GVK "}\n"

static const struct {
	const char *name;
	const char *args; /* behind "/usr/bin/kubelet " */
	struct {
		const char *path, *text;
	} files[3];
	const char *link; /* at CIS */
	/* all decoys: "severity code file:line:column" each; "": none */
	const char *want;
	const char *text; /* a part of one */
} rows[] = {
	{.name = "nothing", .args = "", .want = ""},
	{.name = "the file is read",
         .args = "--config=" CIS,
         .files = {{CIS, SET("false")}},
         .want = ""},
	{.name = "the file is read by another name",
         .args = "--config=/srv/k",
         .files = {{"/srv/k", SET("false")}},
         .link = "/srv/k",
         .want = ""},
	{.name = "only --config-dir is read",
         .args = "--config-dir=/srv/d/",
         .files = {{CIS, SET("true")}, {"/srv/d/x", ""}},
         .want = "note decoy-config " CIS ":1:102 "},
	{.name = "no --config, another value",
         .args = "",
         .files = {{CIS, SET("false")}},
         .want = "warning decoy-config " CIS ":1:102 "},
	{.name = "no --config, the same value",
         .args = "",
         .files = {{CIS, SET("true")}},
         .want = "note decoy-config " CIS ":1:102 "},
	{.name = "another --config",
         .args = "--config=" CIS,
         .files = {{CIS, EMPTY}, {EKS, SET("false")}},
         .want = "warning decoy-config " EKS ":1:102 "},
	{.name = "both, without the key",
         .args = "",
         .files = {{CIS, EMPTY}, {EKS, EMPTY}},
         .want = "note decoy-config " CIS ":1:1 "
                 "note decoy-config " EKS ":1:1 "},
	{.name = "no JSON at all",
         .args = "",
         .files = {{CIS, "]"}},
         .want = "note decoy-config " CIS ":1:1 "},
	{.name = "a folder there",
         .args = "",
         .files = {{CIS "/x", ""}},
         .want = ""},
	{.name = "a dangling link", .args = "", .link = "/nowhere", .want = ""},
	{.name = "KUBELET_ARGS is expanded",
         .args = "$KUBELET_ARGS",
         .files = {{DROPIN, ENV("KUBELET_ARGS=" NAME "=true")}},
         .want = ""},
	{.name = "KUBELET_ARGS is expanded with braces",
         .args = "${KUBELET_ARGS}",
         .files = {{DROPIN, ENV("KUBELET_ARGS=" NAME "=true")}},
         .want = ""},
	{.name = "KUBELET_ARGS is not expanded",
         .args = "$OTHER",
         .files = {{DROPIN, ENV("KUBELET_ARGS=--v=2 " NAME "=true")}},
         .want = "note decoy-variable " DROPIN ":2:33 "},
	{.name = "KUBELET_ARGS is not expanded, another value",
         .args = "",
         .files = {{DROPIN, ENV("KUBELET_ARGS=" NAME "=false --v=2")}},
         .want = "warning decoy-variable " DROPIN ":2:27 "},
	{.name = "the other spelling",
         .args = "",
         .files = {{DROPIN, ENV("A=--make_iptables_util-chains=0")}},
         .want = "warning decoy-variable " DROPIN ":2:16 "},
	{.name = "the bare flag",
         .args = "",
         .files = {{DROPIN, ENV("A=" NAME)}},
         .want = "note decoy-variable " DROPIN ":2:16 "},
	{.name = "a longer flag",
         .args = "",
         .files = {{DROPIN, ENV("A=" NAME "-not=1")}},
         .want = ""},
	{.name = "a variable without the flag",
         .args = "",
         .files = {{DROPIN, ENV("A=--v=2 make-iptables-util-chains=1")}},
         .want = ""},
	{.name = "another assignment wins",
         .args = "$A",
         .files = {{DROPIN, ENV("A=" NAME "=false")},
                   {"/etc/systemd/system/kubelet.service.d/20.conf",
                    ENV("A=" NAME "=true")}},
         .want = "warning decoy-variable " DROPIN ":2:16 ",
         .text = "another assignment of A wins"},
	{.name = "the environment file wins",
         .args = "$A",
         .files = {{DROPIN, ENV("A=" NAME "=true") "EnvironmentFile=/etc/e\n"},
                   {"/etc/e", "A=" NAME "=false\n"}},
         .want = "warning decoy-variable " DROPIN ":2:16 "},
	{.name = "it is removed",
         .args = "$A",
         .files = {{DROPIN, ENV("A=" NAME "=false") "UnsetEnvironment=A\n"}},
         .want = "warning decoy-variable " DROPIN ":2:16 ",
         .text = "UnsetEnvironment= removes A: "},
	{.name = "a line that is no directive",
         .args = "",
         .files = {{DROPIN, "[Unit]\n#A=" NAME "=false\nA=x \\\n " NAME
                            "=false\n[Service]\nX=\"" NAME "=true\"\n"}},
         .want = "warning decoy-line " DROPIN ":4:2 "
                 "note decoy-line " DROPIN ":6:4 "},
	{.name = "a line that is none, of another flag",
         .args = "",
         .files = {{DROPIN, "[Unit]\nDescription=--v=2 " NAME "-not\n"}},
         .want = ""},
	{.name = "a drop-in of another name",
         .args = "",
         .files = {{UNIT ".d/20-cis", "#" NAME "=true\n" ENV("A=" NAME "=0")},
                   {UNIT ".d/a.conf.bak", ENV("A=" NAME "=true")},
                   {UNIT ".d/.a.conf.swp", ENV("A=" NAME "=true")}},
         .want = "note decoy-dropin " UNIT ".d/20-cis:3:16 "
                 "note decoy-dropin " UNIT ".d/a.conf.bak:2:16 "},
	{.name = "... without the flag, and a folder",
         .args = "",
         .files = {{UNIT ".d/20-cis", ENV("A=--v=2")},
                   {UNIT ".d/x/a", ENV("A=" NAME "=0")}},
         .want = ""},
	{.name = "not expanded, in an environment file",
         .args = "",
         .files = {{DROPIN, "[Service]\nEnvironmentFile=/etc/e\n"},
                   {"/etc/e", "A=" NAME "=false\n"}},
         .want = "warning decoy-variable /etc/e:1:3 "},
	{.name = "drop-ins without --config-dir",
         .args = "--config=/c/config.json",
         .files = {{"/c/config.json", EMPTY},
                   {"/c/config.json.d/1.conf", SET("false")}},
         .want = "note decoy-config-dir /c/config.json.d:0:0 "},
	{.name = "drop-ins of the common name",
         .args = "--config=/c/x",
         .files = {{"/c/x", EMPTY}, {"/c/kubelet.conf.d/1.conf", "{"}},
         .want = "note decoy-config-dir /c/kubelet.conf.d:0:0 "},
	{.name = "no drop-in is there",
         .args = "--config=/c/x",
         .files = {{"/c/x", EMPTY},
                   {"/c/x.d/1.json", SET("false")},
                   {"/c/x.d/y.conf/1", ""}},
         .want = ""},
	{.name = "with --config-dir",
         .args = "--config=/c/x --config-dir=/c/x.d",
         .files = {{"/c/x", EMPTY}, {"/c/x.d/1.conf", EMPTY}},
         .want = ""},
	{.name = "no --config at all",
         .args = "",
         .files = {{"/c/x.d/1.conf", SET("false")}},
         .want = ""},
	{.name = "--config-dir: other names",
         .args = "--config-dir=/d",
         .files = {{"/d/1.yaml", SET("false")},
                   {"/d/2.conf.bak", SET("true")},
                   {"/d/3.CONF", EMPTY}},
         .want = "note decoy-config-dir /d/1.yaml:1:77 "
                 "note decoy-config-dir /d/2.conf.bak:1:77 "},
	{.name = "--config-dir: below it",
         .args = "--config-dir=/d",
         .files = {{"/d/x.conf/1.yml", SET("false")}},
         .want = "note decoy-config-dir /d/x.conf/1.yml:1:77 "},
	{.name = "--config-dir: kubelet would refuse it, read it or not",
         .args = "--config-dir=/d",
         .files = {{"/d/1.json", "{\"makeIPTablesUtilChains\":false"}},
         .want = "note decoy-config-dir /d/1.json:1:2 "},
	{.name = "--config-dir: another file with the key in a wrong place",
         .args = "--config-dir=/d",
         .files = {{"/d/1.json", GVK ",\"x\":{\"makeIPTablesUtilChains\":"
                                     "false}}"}},
         .want = ""},
	{.name = "--config-dir: --config lies in it",
         .args = "--config=/d/k.yaml --config-dir=/d",
         .files = {{"/d/k.yaml", SET("false")}},
         .want = ""},
	{.name = "--config-dir: a link to a drop-in",
         .args = "--config-dir=/etc/kubernetes",
         .files = {{"/etc/kubernetes/1.conf", SET("false")}},
         .link = "../1.conf",
         .want = ""},
	{.name = "--config-dir: a link to a folder",
         .args = "--config-dir=/etc/kubernetes",
         .files = {{"/srv/f/1.conf", SET("false")},
                   {"/srv/f/2.yaml", SET("false")},
                   {"/etc/kubernetes/1.conf", EMPTY}},
         .link = "/srv/f",
         .want = "note decoy-config-dir " CIS "/1.conf:1:77 "
                 "note decoy-config-dir " CIS "/2.yaml:1:77 "},
	{.name = "--config-dir: a link to a folder, of which a file is read",
         .args = "--config=/srv/f/k --config-dir=/etc/kubernetes",
         .files = {{"/srv/f/k", SET("false")},
                   {"/etc/kubernetes/1.conf", EMPTY}},
         .link = "/srv/f",
         .want = ""},
	{.name = "quotes around too much",
         .args = "--node-labels=\"a=b " NAME "=false\" --v=2",
         .want = "note decoy-argument " UNIT ":2:47 "},
	{.name = "quotes around all of it",
         .args = "\"--node-labels=a=b " NAME "=false\"",
         .want = "note decoy-argument " UNIT ":2:47 "},
	{.name = "quotes, and the value is a word of its own",
         .args = "--node-labels \"a=b " NAME "\"",
         .want = "note decoy-argument " UNIT ":2:47 "},
	{.name = "no blank before it",
         .args = "--node-ip=::1" NAME "=false",
         .want = "note decoy-argument " UNIT ":2:41 "},
	{.name = "quotes in a variable",
         .args = "$A",
         .files = {{DROPIN, ENV("A=--node-labels=\"a=b "
                                "--make_iptables_util-chains=0\"")}},
         .want = "note decoy-argument " DROPIN ":2:35 "},
	{.name = "in an environment file",
         .args = "$A",
         .files = {{DROPIN, "[Service]\nEnvironmentFile=/etc/e\n"},
                   {"/etc/e", "A=\"--node-labels='a=b " NAME "=0'\"\n"}},
         .want = "note decoy-argument /etc/e:1:23 "},
	{.name = "the flag, and once more inside of it",
         .args = NAME "=true --node-labels=a=" NAME "=false",
         .want = "note decoy-argument " UNIT ":2:77 "},
	{.name = "the word that a flag swallows is told elsewhere",
         .args = "--hostname-override " NAME "=false",
         .want = ""},
	{.name = "three dashes are told elsewhere",
         .args = "-" NAME "=false",
         .want = ""},
	{.name = "a longer flag inside",
         .args = "--node-labels=a=" NAME "-not",
         .want = ""},
};

START_TEST(test_rows)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	char exec[512], got[2048] = "";

	snprintf(exec, sizeof(exec), "/usr/bin/kubelet %s", rows[_i].args);
	kr_test_unit(exec);
	for (size_t i = 0;
	     i < ARRAY_SIZE(rows[_i].files) && rows[_i].files[i].path; i++)
		kr_root_write(rows[_i].files[i].path, rows[_i].files[i].text);
	if (rows[_i].link) {
		kr_root_mkdir("/etc/kubernetes/kubelet");
		kr_root_symlink(rows[_i].link, CIS);
	}
	node = kr_test_node(NULL, &diag);
	ck_assert_int_eq(kr_remarks_find(node, &kr_rules_usual, NULL, &diag),
	                 0);
	for (size_t i = 0; i < diag.n_messages; i++) {
		const struct kr_message *m = &diag.messages[i];
		char text[512];

		if (strncmp(m->code, "decoy-", 6) != 0)
			continue;
		snprintf(text, sizeof(text), "%s %s %s:%u:%u ",
		         kr_severity_to_string(m->severity), m->code, m->file,
		         m->line, m->column);
		strlcat(got, text, sizeof(got));
	}
	ck_assert_msg(strcmp(got, rows[_i].want) == 0, "%s: %s%s",
	              rows[_i].name, got, kr_test_messages(&diag));
	ck_assert_msg(!rows[_i].text ||
	                      strstr(kr_test_messages(&diag), rows[_i].text),
	              "%s:%s", rows[_i].name, kr_test_messages(&diag));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "rows", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
}

KR_TEST_MAIN(add_tests);
