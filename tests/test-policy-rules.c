/* SPDX-License-Identifier: Apache-2.0 */

/*
 * policy/rules: each row of the table against the table of fields, and each
 * test on what kubelet has: value, default, flag, key, what it refuses. Several
 * rules are judged in one reading.
 */

#include <string.h>

#include "base/clock.h"
#include "policy/demands.h"
#include "policy/judge.h"
#include "testing-node.h"
#include "testing.h"

#define CONFIG "/etc/kubernetes/kubelet.json"
#define GVK                                                                    \
	"\"kind\":\"KubeletConfiguration\","                                   \
	"\"apiVersion\":\"kubelet.config.k8s.io/v1beta1\""
#define P KR_VERDICT_PASS
#define F KR_VERDICT_FAIL
#define I KR_VERDICT_INVALID
#define U KR_VERDICT_UNKNOWN

/* --- the table ----------------------------------------------------------- */

START_TEST(test_table)
{
	const struct kr_rule *rule = &kr_rules_table[_i];
	const struct kr_field *f = kr_field(rule->fields[0]);

	ck_assert_msg(rule->name && !strpbrk(rule->name, " ,"), "%d: name", _i);
	ck_assert_ptr_eq(kr_rule_find(rule->name, strlen(rule->name)), rule);
	ck_assert_int_eq(rule->subject == KR_SUBJECT_FIELDS,
	                 rule->n_fields > 0);
	ck_assert_int_eq(rule->subject == KR_SUBJECT_FIELDS, !rule->files);
	ck_assert_uint_le(rule->n_fields + rule->n_also, KR_RULE_FIELDS_MAX);
	for (size_t i = 0; i < rule->n_fields; i++)
		ck_assert_msg(kr_field(rule->fields[i])->flag != NULL,
		              "%s: no flag", rule->name);
	if (rule->n_fields == 1) {
		ck_assert_str_eq(rule->name, kr_field_name(rule->fields[0]));
		ck_assert(rule->fields[0] >= KR_N_SETTINGS ||
		          kr_rule_of_field(rule->fields[0]) == rule);
	}
	ck_assert_msg(!rule->test == !kr_rule_demand(rule, NULL), "%s: demand",
	              rule->name);
	ck_assert_msg(rule->policy != KR_POLICY_NEVER ||
	                      (!rule->hold && !rule->refusal),
	              "%s: it is never written", rule->name);
	/* what would be written must be of the field's type, and pass */
	if (rule->test && !rule->owners_value &&
	    rule->subject != KR_SUBJECT_MODE) {
		const struct kr_decision d = {
			.state = kr_value_state(&rule->want),
			.value = rule->want,
			.by = KR_BY_FLAG};

		ck_assert_msg(rule->want.type ==
		                      (rule->files ? KR_TYPE_STRING : f->type),
		              "%s: type", rule->name);
		ck_assert_msg(kr_judge_ask(rule, &d) == KR_ANSWER_PASS,
		              "%s: what is written fails", rule->name);
	}
}
END_TEST

/* --- the tests ----------------------------------------------------------- */

static const struct row {
	const char *name;
	const char *args;
	const char *members; /* of the file of --config; NULL: there is none */
	enum kr_verdict want;
	bool explicit_wanted;
	const char *says; /* a part of the reason */
} rows[] = {
	{"authentication.anonymous.enabled", "", "", P, .says = "default"},
	{"authentication.anonymous.enabled", "", NULL, F,
         .says = "kubelet would start with authentication.anonymous.enabled = "
                 "true"},
	{"authentication.anonymous.enabled", "", "", F, true,
         "only by kubelet's default"},
	{"authentication.anonymous.enabled", "--anonymous-auth=false", NULL, P,
         true},
	{"authentication.anonymous.enabled", "",
         ",\"authentication\":{\"anonymous\":{\"enabled\":true}}", F},
	{"authentication.anonymous.enabled", "",
         ",\"authentication\":{\"anonymous\":{\"enabled\":null}}", P},
	{"authentication.anonymous.enabled", "",
         ",\"authentication\":{\"anonymous\":{\"enabled\":1}}", I},
	{"authorization.mode", "", "", P, .says = "is Webhook by"},
	{"authorization.mode", "", NULL, F},
	{"authorization.mode", "--authorization-mode=AlwaysAllow", "", F},
	{"authorization.mode", "", ",\"authorization\":{\"mode\":\"Webhook\"}",
         P, true},
	{"readOnlyPort", "", "", P, .says = "readOnlyPort is 0 by"},
	{"readOnlyPort", "", NULL, F, .says = "readOnlyPort = 10255"},
	{"readOnlyPort", "--read-only-port=0", NULL, P, true},
	{"readOnlyPort", "", ",\"readOnlyPort\":10255", F},
	{"readOnlyPort", "--read-only-port=x", "", I},
	{"streamingConnectionIdleTimeout", "", "", P, .says = "is 4h0m0s by"},
	{"streamingConnectionIdleTimeout",
         "--streaming-connection-idle-timeout=0", "", F, .says = "= 0s"},
	{"streamingConnectionIdleTimeout",
         "--streaming-connection-idle-timeout=-5m", "", F},
	{"streamingConnectionIdleTimeout", "",
         ",\"streamingConnectionIdleTimeout\":\"0s\"", P},
	{"protectKernelDefaults", "", "", F},
	{"protectKernelDefaults", "--protect-kernel-defaults", "", P},
	{"makeIPTablesUtilChains", "", "", P},
	{"makeIPTablesUtilChains", "", ",\"makeIPTablesUtilChains\":false", F},
	{"hostname-override", "", "", P},
	{"hostname-override", "--hostname-override=", "", P},
	{"hostname-override", "--hostname-override=n1", "", F,
         .says = "hostname-override = n1"},
	{"eventRecordQPS", "", "", P, .says = "whichever its version has"},
	{"eventRecordQPS", "", "", F, true},
	{"eventRecordQPS", "--event-qps=0", "", P, true},
	{"eventRecordQPS", "", ",\"eventRecordQPS\":7", P},
	{"rotateCertificates", "", "", P},
	{"rotateCertificates", "", "", F, true},
	{"rotateCertificates", "", ",\"rotateCertificates\":false", F},
	{"rotateCertificates", "--rotate-certificates=false", "", F},
	{"rotateCertificates", "--rotate-certificates", "", P},
	{"serverTLSBootstrap", "", "", F},
	{"serverTLSBootstrap", "", ",\"serverTLSBootstrap\":true", P},
	{"featureGates.RotateKubeletServerCertificate", "", "", P},
	{"featureGates.RotateKubeletServerCertificate",
         "--feature-gates=RotateKubeletServerCertificate=false", "", F},
	{"podPidsLimit", "", "", F, .says = "podPidsLimit = -1"},
	{"podPidsLimit", "--pod-max-pids=4096", "", P},
	{"podPidsLimit", "", ",\"podPidsLimit\":0", F},
	{"seccompDefault", "", "", F},
	{"seccompDefault", "--seccomp-default=false",
         ",\"seccompDefault\":true", P},
	/* nothing is demanded */
	{"tlsMinVersion", "", ",\"tlsMinVersion\":\"VersionTLS10\"", P,
         .says = CONFIG " decides"},
	{"authentication.webhook.enabled", "", NULL, P},
};

static const struct kr_rule *find_rule(const char *name)
{
	int field = kr_field_find_setting(name, strlen(name));

	ck_assert_msg(field >= 0, "%s", name);
	return kr_rule_of_field(field);
}

static struct kr_node *make_node(const char *args, const char *members,
                                 struct kr_diag *diag)
{
	char text[1024];

	snprintf(text, sizeof(text), "/usr/bin/kubelet %s%s",
	         members ? "--kubeconfig=/k --config=" CONFIG " " : "", args);
	kr_test_unit(text);
	if (members) {
		snprintf(text, sizeof(text), "{" GVK "%s}", members);
		kr_root_write(CONFIG, text);
	}
	return kr_test_node(NULL, diag);
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	const struct kr_audit_options options = {
		.explicit_wanted = row->explicit_wanted,
		.live = KR_STATE_ABSENT,
	};
	const struct kr_rule *rule = find_rule(row->name);
	const struct kr_rules rules = {&rule, 1, NULL};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node =
		make_node(row->args, row->members, &diag);
	_cleanup_audit_ struct kr_audit *a = NULL;

	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	ck_assert_msg(a->items[0].verdict == row->want, "%s %s %s: %s: %s",
	              row->name, row->args, row->members,
	              kr_verdict_to_string(a->items[0].verdict),
	              a->items[0].reason);
	ck_assert_msg(!row->says || strstr(a->items[0].reason, row->says),
	              "%s %s %s: %s", row->name, row->args, row->members,
	              a->items[0].reason);
}
END_TEST

/* --- several ------------------------------------------------------------- */

/* All rules over one node; the worst is the whole's, its reason the first's. */
START_TEST(test_several)
{
	static const struct kr_audit_options options = {
		.live = KR_STATE_ABSENT};
	const struct kr_rule *items[] = {
		find_rule("tlsMinVersion"),
		find_rule("makeIPTablesUtilChains"),
		find_rule("readOnlyPort"),
		find_rule("protectKernelDefaults"),
	};
	const struct kr_rules rules = {items, ARRAY_SIZE(items), NULL};
	static const enum kr_verdict want[] = {P, P, F, F};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node =
		make_node("--read-only-port=1", "", &diag);
	_cleanup_audit_ struct kr_audit *a = NULL;

	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	ck_assert_uint_eq(a->n_items, ARRAY_SIZE(items));
	for (size_t i = 0; i < a->n_items; i++) {
		ck_assert_ptr_eq(a->items[i].rule, items[i]);
		ck_assert_int_eq(a->items[i].verdict, want[i]);
	}
	ck_assert_int_eq(a->verdict, F);
	ck_assert_ptr_eq(a->reason, a->items[2].reason);
}
END_TEST

/* A value that nothing refuses and one that does: the whole fails. */
START_TEST(test_order)
{
	static const struct kr_audit_options options = {
		.live = KR_STATE_ABSENT};
	static const char process[] = "kubelet";
	const struct kr_rule *items[] = {
		find_rule("makeIPTablesUtilChains"),
		find_rule("readOnlyPort"),
	};
	const struct kr_rules rules = {items, ARRAY_SIZE(items), NULL};
	const char *const argv[] = {process, "--read-only-port=1", NULL};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_audit_ struct kr_audit *a = NULL;

	kr_test_process(argv, kr_realtime_usec(),
	                "/system.slice/kubelet.service");
	node = make_node("--max-pods=x", "", &diag);
	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	ck_assert_int_eq(a->items[0].verdict, I);
	ck_assert_int_eq(a->items[1].verdict, F);
	ck_assert_int_eq(a->verdict, F);
	ck_assert_str_eq(a->reason, "kubelet runs with readOnlyPort = 1");
}
END_TEST

/* Another program starts kubelet and may set what nothing here does: none of
 * the defaults is known, not even that it is one of two. */
START_TEST(test_foreign)
{
	static const struct kr_audit_options options = {
		.live = KR_STATE_ABSENT};
	static const char *const units[] = {
		"[Service]\nExecStart=/usr/local/bin/k3s agent\n",
		"[Service]\nExecStart=/usr/bin/snap run kubelet.daemon\n",
	};
	const struct kr_node_options node_options = {.root = kr_root_path};
	const struct kr_rule *items[] = {
		find_rule("eventRecordQPS"),
		find_rule("readOnlyPort"),
	};
	const struct kr_rules rules = {items, ARRAY_SIZE(items), NULL};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_audit_ struct kr_audit *a = NULL;

	kr_root_write("/etc/systemd/system/kubelet.service", units[_i]);
	ck_assert_int_eq(kr_node_open(&node_options, &diag, &node), 0);
	ck_assert_int_eq(kr_node_read(node, &node_options, NULL, &diag), 0);
	ck_assert_ptr_nonnull(node->disk.foreign);
	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	for (size_t i = 0; i < a->n_items; i++) {
		ck_assert_msg(a->items[i].verdict == U, "%s: %s: %s",
		              items[i]->name,
		              kr_verdict_to_string(a->items[i].verdict),
		              a->items[i].reason);
		ck_assert(!a->items[i].disk.either_default);
	}
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "rules", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_table, 0, (int)kr_rules_n);
	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_several);
	tcase_add_test(tc, test_order);
	tcase_add_loop_test(tc, test_foreign, 0, 2);
}

KR_TEST_MAIN(add_tests);
