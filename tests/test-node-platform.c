/* SPDX-License-Identifier: Apache-2.0 */

/*
 * node/platform: each row of the table is found by its own signs, and what only
 * looks like a platform is none.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/platform-table.h"
#include "testing-node.h"
#include "testing.h"

#define UNIT        "/etc/systemd/system/kubelet.service"
#define OS(id)      "NAME=X\nID=" id "\nVERSION=1\n"
#define RELEASE     "/etc/os-release"
#define EXEC        "[Service]\nExecStart=/usr/bin/kubelet "
#define ENV(path)   "EnvironmentFile=" path "\n"
#define KUBELET_ENV "/etc/default/kubelet"

static const struct {
	const char *name;
	struct {
		const char *path, *text;
	} files[4];
	const char *want; /* NULL: none */
} rows[] = {
	{.name = "nothing"},
	{.name = "a usual unit", .files = {{UNIT, EXEC "--v=2\n"}}},
	/* os-release */
	{.name = "the id in quotes",
         .files = {{RELEASE, OS("\"talos\"")}},
         .want = "talos"},
	{.name = "the id in single quotes",
         .files = {{RELEASE, OS("'talos'")}},
         .want = "talos"},
	{.name = "without a line end",
         .files = {{RELEASE, "ID=talos"}},
         .want = "talos"},
	{.name = "the vendor's copy",
         .files = {{"/usr/lib/os-release", OS("talos")}},
         .want = "talos"},
	{.name = "the administrator's copy wins",
         .files = {{RELEASE, OS("debian")},
                   {"/usr/lib/os-release", OS("talos")}}},
	{.name = "the last assignment counts, as in a shell",
         .files = {{RELEASE, "ID=talos\nID=debian\n"}}},
	{.name = "a longer id", .files = {{RELEASE, OS("talos2")}}},
	{.name = "a shorter id", .files = {{RELEASE, OS("talo")}}},
	{.name = "another case", .files = {{RELEASE, OS("Talos")}}},
	{.name = "an empty id", .files = {{RELEASE, "ID=\n"}}},
	{.name = "another name that ends in ID",
         .files = {{RELEASE, "VARIANT_ID=talos\n"}}},
	{.name = "a comment", .files = {{RELEASE, "#ID=talos\n"}}},
	{.name = "an id too long for any",
         .files = {{RELEASE,
                    "ID=talostalostalostalostalostalostalostalostalostalos"
                    "talostalostalostalostalostalostalostalostalostalostalo"
                    "stalostalostalostalostalostalos\n"}}},
	{.name = "a folder there", .files = {{RELEASE "/x", ""}}},
	/* Bottlerocket, and the one nobody may log in to */
	{.name = "Bottlerocket",
         .files = {{RELEASE, "ID=bottlerocket\nPRETTY_NAME=\"Bottlerocket OS "
                             "1.26.1 (aws-k8s-1.31)\"\n"}},
         .want = "bottlerocket"},
	{.name = "EKS Auto Mode",
         .files = {{RELEASE, "ID=bottlerocket\nPRETTY_NAME=\"Bottlerocket (EKS "
                             "Auto, Standard) 2025.3.14 "
                             "(aws-k8s-1.32-standard)\"\n"}},
         .want = "eks-auto"},
	/* Google's */
	{.name = "Container-Optimized OS alone",
         .files = {{RELEASE, OS("cos")}}},
	{.name = "GKE by its folder",
         .files = {{RELEASE, OS("cos")}, {"/home/kubernetes/x", ""}},
         .want = "gke"},
	{.name = "the folder on another system",
         .files = {{"/home/kubernetes/x", ""}}},
	{.name = "GKE on Ubuntu",
         .files = {{RELEASE, OS("ubuntu")},
                   {UNIT, EXEC "$KUBELET_OPTS\n" ENV(KUBELET_ENV)},
                   {KUBELET_ENV, ""}},
         .want = "gke"},
	{.name = "Autopilot",
         .files = {{RELEASE, OS("cos")},
                   {"/etc/hostname", "gk3-a-default-pool-bcd71fbe-6qh9\n"}},
         .want = "gke-autopilot"},
	{.name = "a usual GKE node's name",
         .files = {{RELEASE, OS("cos")},
                   {"/home/kubernetes/x", ""},
                   {"/etc/hostname", "gke-a-gk3-x\n"}},
         .want = "gke"},
	{.name = "Autopilot's name on another system",
         .files = {{RELEASE, OS("debian")}, {"/etc/hostname", "gk3-a\n"}}},
	/* one environment file, four platforms */
	{.name = "AKS",
         .files = {{UNIT, EXEC "$KUBELET_FLAGS\n" ENV(KUBELET_ENV)},
                   {KUBELET_ENV, "KUBELET_FLAGS=--v=2\n"}},
         .want = "aks"},
	{.name = "its file is not there yet",
         .files = {{UNIT, EXEC "$KUBELET_FLAGS\n" ENV(KUBELET_ENV)},
                   {"/opt/azure/containers/x", ""}},
         .want = "aks"},
	{.name = "AKS's variable from another file",
         .files = {{UNIT, EXEC "$KUBELET_FLAGS\n" ENV("/etc/x")},
                   {"/etc/x", ""}}},
	{.name = "AKS's file with another variable",
         .files = {{UNIT, EXEC "$KUBELET_EXTRA_ARGS\n" ENV(KUBELET_ENV)},
                   {KUBELET_ENV, ""}}},
	{.name = "kubeadm reads that file, too",
         .files = {{UNIT, EXEC "$KUBELET_EXTRA_ARGS\n" ENV(
				  "-/var/lib/kubelet/kubeadm-flags.env")
                                  ENV("-" KUBELET_ENV)},
                   {"/var/lib/kubelet/kubeadm-flags.env", ""}},
         .want = "kubeadm"},
	{.name = "kubeadm has not run yet",
         .files = {{UNIT, EXEC "$KUBELET_EXTRA_ARGS\n" ENV(
				  "-/var/lib/kubelet/kubeadm-flags.env")}},
         .want = "kubeadm"},
	{.name = "kops",
         .files = {{UNIT, EXEC "$DAEMON_ARGS\n" ENV("/etc/sysconfig/kubelet")},
                   {"/etc/sysconfig/kubelet", ""}},
         .want = "kops"},
	{.name = "kops on Flatcar",
         .files = {{UNIT, EXEC "$DAEMON_ARGS\n" ENV("/etc/sysconfig/kubelet")},
                   {"/etc/sysconfig/kubelet", ""},
                   {RELEASE, OS("flatcar")}},
         .want = "kops"},
	{.name = "Flatcar alone",
         .files = {{RELEASE, OS("flatcar")}},
         .want = "flatcar"},
	/* Amazon's */
	{.name = "AL2023 before nodeadm has run",
         .files = {{UNIT, EXEC "$A\n" ENV("/etc/eks/kubelet/environment")},
                   {"/etc/systemd/system/nodeadm-run.service", ""}},
         .want = "eks-al2023"},
	{.name = "AL2023 without kubelet's unit",
         .files = {{"/etc/systemd/system/nodeadm-run.service", ""}},
         .want = "eks-al2023"},
	{.name = "nodeadm without its services",
         .files = {{UNIT, EXEC "$A\n" ENV("/etc/eks/kubelet/environment")},
                   {"/etc/eks/kubelet/environment", ""}},
         .want = "eks-hybrid"},
	{.name = "nodeadm, its file is not there yet",
         .files = {{UNIT, EXEC "$A\n" ENV("/etc/eks/kubelet/environment")}},
         .want = "eks-hybrid"},
	{.name = "the CIS text's own layout",
         .files = {{UNIT, EXEC "--config "
                               "/etc/kubernetes/kubelet/kubelet-config.json "
                               "$KUBELET_ARGS\n"}}},
	{.name = "bootstrap.sh's variable without its config",
         .files = {{UNIT, EXEC "$KUBELET_EXTRA_ARGS\n"}}},
	{.name = "an Amazon Linux of no cluster",
         .files = {{RELEASE, OS("\"amzn\"")}}},
	{.name = "an EKS image of an older layout",
         .files = {{RELEASE, OS("\"amzn\"")}, {"/etc/eks/bootstrap.sh", ""}},
         .want = "eks-al2"},
	/* Rancher's first */
	{.name = "RKE1",
         .files = {{"/var/lib/rancher/rke/log/kubelet_1.log", ""}},
         .want = "rke1"},
	{.name = "RKE1 on Flatcar",
         .files = {{RELEASE, OS("flatcar")}, {"/var/lib/rancher/rke/x", ""}},
         .want = "rke1"},
	{.name = "kubelet's own unit, and what RKE1 left",
         .files = {{UNIT, EXEC "--v=2\n"}, {"/var/lib/rancher/rke/x", ""}}},
	{.name = "RKE2, and what RKE1 left",
         .files = {{"/usr/lib/systemd/system/rke2-agent.service",
                    "[Service]\nExecStart=/usr/bin/rke2 agent\n"},
                   {"/var/lib/rancher/rke/x", ""}},
         .want = "rke2"},
	{.name = "RKE2's folder alone",
         .files = {{"/var/lib/rancher/rke2/x", ""}}},
	{.name = "Canonical's snap",
         .files = {{"/etc/systemd/system/snap.k8s.kubelet.service",
                    "[Service]\nExecStart=/usr/bin/snap run k8s.kubelet\n"}},
         .want = "canonical-k8s"},
	{.name = "KubeEdge",
         .files = {{"/etc/systemd/system/edgecore.service",
                    "[Service]\nExecStart=/usr/local/bin/edgecore\n"}},
         .want = "kubeedge"},
	/* OpenShift on RHEL, and what looks like it */
	{.name = "a worker on RHEL",
         .files = {{RELEASE, OS("\"rhel\"")},
                   {"/etc/machine-config-daemon/currentconfig", ""}},
         .want = "openshift"},
	{.name = "RHEL", .files = {{RELEASE, OS("\"rhel\"")}}},
};

START_TEST(found)
{
	struct kr_diag diag = {0};
	struct kr_node *node;
	const char *got;

	for (size_t i = 0; rows[_i].files[i].path; i++)
		kr_root_write(rows[_i].files[i].path, rows[_i].files[i].text);
	node = kr_test_node(NULL, &diag);
	got = node->platform ? node->platform->id : "none";
	ck_assert_msg(strcmp(got, rows[_i].want ? rows[_i].want : "none") == 0,
	              "%s: %s", rows[_i].name, got);
	kr_node_free(node);
	kr_diag_done(&diag);
}
END_TEST

/* --- the table itself ---------------------------------------------------- */

struct stage {
	char os[256], exec[256], env[256];
	const char *unit;
};

static void set_stage(struct stage *s, const struct kr_platform_sign *sign)
{
	char line[128];

	switch (sign->kind) {
	case KR_SIGN_NONE:
		break;
	case KR_SIGN_OS:
		snprintf(line, sizeof(line), "ID=%s\n", sign->value);
		strcat(s->os, line);
		break;
	case KR_SIGN_PRETTY:
		snprintf(line, sizeof(line), "PRETTY_NAME=\"%s\"\n",
		         sign->value);
		strcat(s->os, line);
		break;
	case KR_SIGN_HOST:
		kr_root_write("/etc/hostname", sign->value);
		break;
	case KR_SIGN_PATH:
		kr_root_write(sign->value, "");
		break;
	case KR_SIGN_NO_UNIT:
		s->unit = NULL;
		break;
	case KR_SIGN_UNIT:
		s->unit = sign->value;
		break;
	case KR_SIGN_ENV_FILE:
		snprintf(s->env, sizeof(s->env), ENV("%s"), sign->value);
		kr_root_write(sign->value, "");
		break;
	case KR_SIGN_VARIABLE:
		snprintf(line, sizeof(line), " $%s", sign->value);
		strcat(s->exec, line);
		break;
	case KR_SIGN_CONFIG:
		snprintf(line, sizeof(line), " --config=%s", sign->value);
		strcat(s->exec, line);
		break;
	}
}

/* A row that another one hides would never be found. */
START_TEST(each_row)
{
	const struct kr_platform_row *row = &kr_platform_rows[_i];
	struct stage s = {.unit = "kubelet.service"};
	char path[256], text[1024];
	struct kr_diag diag = {0};
	struct kr_node *node;

	for (size_t k = 0; k < KR_PLATFORM_SIGNS_MAX; k++)
		set_stage(&s, &row->signs[k]);
	kr_root_write(RELEASE, s.os);
	snprintf(path, sizeof(path), "/etc/systemd/system/%s", s.unit);
	snprintf(text, sizeof(text), "%s%s\n%s", EXEC, s.exec, s.env);
	if (s.unit)
		kr_root_write(path, text);
	node = kr_test_node(NULL, &diag);
	ck_assert_msg(node->platform == row->platform, "row %d, %s: %s", _i,
	              row->platform->id,
	              node->platform ? node->platform->id : "none");
	kr_node_free(node);
	kr_diag_done(&diag);
}
END_TEST

/* What a row must say to be of use. */
START_TEST(each_says_enough)
{
	const struct kr_platform *p = kr_platform_rows[_i].platform;

	ck_assert(p->id && p->name);
	ck_assert_msg(!p->owner == !p->when, "%s", p->id);
	ck_assert_msg(!p->owner || p->place, "%s: no place", p->id);
	ck_assert_msg(!p->place || p->text, "%s: no text", p->id);
	ck_assert_msg(!p->refusal || p->text, "%s: no channel", p->id);
	ck_assert_msg(!p->flag_text || p->text, "%s: half a text", p->id);
	ck_assert_msg(!p->text || p->text[strlen(p->text) - 1] == '\n', "%s",
	              p->id);
	/* a package and a tarball have it in different places */
	ck_assert_msg(!p->text || !strstr(p->text, "bin/kubelet-remedy"), "%s",
	              p->id);
}
END_TEST

/* A line that belongs to no field, or a platform without a last row. */
START_TEST(own_lines)
{
	const struct kr_platform_line *l = &kr_platform_lines[_i];
	bool known = !l->path;
	bool last = _i + 1 == (int)kr_platform_n_lines ||
	            strcmp(l[1].id, l->id) != 0;

	for (int i = 0; i < KR_N_FIELDS; i++)
		known |= l->path && kr_field(i)->path &&
		         strcmp(kr_field(i)->path, l->path) == 0;
	ck_assert_msg(known, "%s: no field %s", l->id, l->path);
	ck_assert_msg(last == !l->path, "%s: the last row is for all others",
	              l->id);
	ck_assert_msg(l->line[strlen(l->line) - 1] == '\n', "%s", l->line);
}
END_TEST

START_TEST(words_of_the_setting)
{
	static const struct {
		const char *in, *want;
	} texts[] = {
		{"", ""},
		{"@", "@"},
		{"a@b", "a@b"},
		{"@KEY@", "makeIPTablesUtilChains"},
		{"@key@ @KEY", "@key@ @KEY"},
		{"--@FLAG@=@VALUE@", "--make-iptables-util-chains=true"},
		{"@KEY@@KEY@", "makeIPTablesUtilChainsmakeIPTablesUtilChains"},
		{"--patch @FILE", "--patch @FILE"},
	};

	const struct kr_value value = {.type = KR_TYPE_BOOL, .b = true};
	const int field = KR_FIELD_IPTABLES;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char *got = kr_platform_text(&field, &value, 1, texts[i].in);

		ck_assert_str_eq(got, texts[i].want);
		free(got);
	}
}
END_TEST

/* Below others, of other types, and of several. */
START_TEST(words_of_fields)
{
	static const struct {
		const char *in, *want;
		struct {
			int field;
			const char *value; /* as its flag has it */
		} fields[3];
	} texts[] = {
		{"config:\n  @MEMBERS@\nend\n",
	         "config:\n  authentication:\n    anonymous:\n"
	         "      enabled: false\nend\n",
	         {{KR_FIELD_ANONYMOUS, "false"}}},
		{"config:\n  @MEMBERS@\n",
	         "config:\n  authentication:\n    anonymous:\n"
	         "      enabled: false\n    webhook:\n      enabled: true\n"
	         "  readOnlyPort: 0\n",
	         {{KR_FIELD_ANONYMOUS, "false"},
	          {KR_FIELD_WEBHOOK, "true"},
	          {KR_FIELD_READ_ONLY_PORT, "0"}}},
		{"@MEMBERS@\n",
	         "tlsCipherSuites:\n  - A\n  - B\n",
	         {{KR_FIELD_TLS_CIPHERS, "A,B"}}},
		{"@MEMBERS@\n", "", {{KR_FIELD_HOSTNAME_OVERRIDE, "x"}}},
		{"a:\n@OWN:kubespray@\nb\n",
	         "a:\nkube_read_only_port: 0\ntls_cipher_suites: [\"A\", "
	         "\"B\"]\n"
	         "kubelet_authorization_mode_webhook: true\nb\n",
	         {{KR_FIELD_READ_ONLY_PORT, "0"},
	          {KR_FIELD_TLS_CIPHERS, "A,B"},
	          {KR_FIELD_AUTHORIZATION_MODE, "Webhook"}}},
		{"@OWN:kubespray@\n",
	         "# hostname-override: \"x\" goes into "
	         "kubelet_config_extra_args\n",
	         {{KR_FIELD_HOSTNAME_OVERRIDE, "x"}}},
		{"@OWN:bottlerocket@\n",
	         "apiclient set settings.kubernetes.pod-pids-limit=100\n"
	         "# makeIPTablesUtilChains: true has no setting of its own; "
	         "kubelet-extra-config takes it, in releases that have that\n",
	         {{KR_FIELD_POD_PIDS, "100"}, {KR_FIELD_IPTABLES, "true"}}},
		{"flags:\n- \"--@FLAG@=@VALUE@\"\n",
	         "flags:\n- \"--anonymous-auth=false\"\n"
	         "- \"--tls-cipher-suites=A,B\"\n"
	         "- \"--feature-gates=RotateKubeletServerCertificate=true\"\n",
	         {{KR_FIELD_ANONYMOUS, "false"},
	          {KR_FIELD_TLS_CIPHERS, "A,B"},
	          {KR_FIELD_GATE_ROTATE_SERVER, "true"}}},
		{"@FLAG@=@VALUE@, @KEY@: @VALUE@",
	         "feature-gates=RotateKubeletServerCertificate=true, "
	         "featureGates.RotateKubeletServerCertificate: true",
	         {{KR_FIELD_GATE_ROTATE_SERVER, "true"}}},
		{"jq '.@KEY@ = @JSON@'\n",
	         "jq '.tlsCipherSuites = [\"A\", \"B\"]'\n"
	         "jq '.streamingConnectionIdleTimeout = \"4h0m0s\"'\n"
	         "jq '.readOnlyPort = 0'\n",
	         {{KR_FIELD_TLS_CIPHERS, "A,B"},
	          {KR_FIELD_STREAMING_TIMEOUT, "4h"},
	          {KR_FIELD_READ_ONLY_PORT, "0"}}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct kr_value values[3];
		int fields[3];
		size_t n = 0;
		char *got;

		for (; n < 3 && texts[i].fields[n].value; n++) {
			const char *text = texts[i].fields[n].value;

			fields[n] = texts[i].fields[n].field;
			ck_assert_int_eq(
				kr_value_parse(kr_field(fields[n])->type, text,
			                       strlen(text), &values[n]),
				0);
		}
		got = kr_platform_text(fields, values, n, texts[i].in);
		ck_assert_str_eq(got, texts[i].want);
		free(got);
		while (n > 0)
			kr_value_done(&values[--n]);
	}
}
END_TEST

START_TEST(who_writes_what)
{
	static const struct kr_platform nobody = {.id = "a"};
	static const struct kr_platform all = {.id = "b", .owner = "x"};
	static const struct kr_platform some = {
		.id = "c", .owner = "x", .files = {"/a", "/b"}};

	ck_assert(!kr_platform_writes(&nobody, "/a"));
	ck_assert(kr_platform_writes(&all, "/a"));
	ck_assert(kr_platform_writes(&some, "/a"));
	ck_assert(kr_platform_writes(&some, "/b"));
	ck_assert(!kr_platform_writes(&some, "/b/c"));
	ck_assert(!kr_platform_writes(&some, "/"));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "platform", kr_root_setup,
	                         kr_root_teardown);

	tcase_add_loop_test(tc, own_lines, 0, (int)kr_platform_n_lines);
	tcase_add_loop_test(tc, found, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, each_row, 0, (int)kr_platform_n_rows);
	tcase_add_loop_test(tc, each_says_enough, 0, (int)kr_platform_n_rows);
	tcase_add_test(tc, words_of_the_setting);
	tcase_add_test(tc, words_of_fields);
	tcase_add_test(tc, who_writes_what);
}

KR_TEST_MAIN(add_tests);
