/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The table of controls, in the order of the benchmarks. A field that no
 * edition demands anything of has a row, too, so that it can be asked for: its
 * views are shown and it has no verdict.
 *
 * Source of the ids: the benchmarks as kube-bench and their own texts number
 * them, by edition.
 */

#include <assert.h>
#include <stdlib.h>

#include "base/format.h"
#include "base/macro.h"
#include "node/platform.h"
#include "policy/rules.h"

static const char *const verdict_names[] = {
	[KR_VERDICT_PASS] = "pass",
	[KR_VERDICT_FAIL] = "fail",
	[KR_VERDICT_INVALID] = "invalid",
	[KR_VERDICT_UNKNOWN] = "unknown",
};

static_assert(ARRAY_SIZE(verdict_names) == _KR_VERDICT_MAX,
              "a name for each verdict");

const char *kr_verdict_to_string(enum kr_verdict verdict)
{
	return verdict_names[verdict];
}

static const char *const policy_names[] = {
	[KR_POLICY_AUTO] = "auto",
	[KR_POLICY_ASK] = "ask",
	[KR_POLICY_NEVER] = "never",
};

static_assert(ARRAY_SIZE(policy_names) == _KR_POLICY_MAX,
              "a name for each policy");

const char *kr_policy_to_string(enum kr_policy policy)
{
	return policy_names[policy];
}

/* --- tests --------------------------------------------------------------- */

static enum kr_answer answer(bool passes)
{
	return passes ? KR_ANSWER_PASS : KR_ANSWER_FAIL;
}

static enum kr_answer is_wanted(const struct kr_rule *rule,
                                const struct kr_decision *decisions)
{
	return answer(kr_value_equal(&decisions[0].value, &rule->want));
}

/* --- the table ----------------------------------------------------------- */

static const struct kr_benchmark iptables_benchmarks[] = {
	{.name = "CIS Amazon EKS 1.0-1.2", .id = "3.2.7"},
	{.name = "CIS Amazon EKS 1.5 and later", .id = "3.2.6"},
	{.name = "CIS Azure AKS 1.0", .id = "3.2.7"},
	{.name = "CIS Azure AKS 1.7 and later", .id = "3.2.6"},
	{.name = "CIS Google GKE 1.0", .id = "4.2.7"},
	{.name = "CIS Google GKE 1.2", .id = "3.2.7"},
	{.name = "CIS Google GKE 1.6", .id = "3.2.6"},
	{.name = "CIS Kubernetes 1.5-1.24", .id = "4.2.7"},
	{.name = "CIS Kubernetes 1.7 and later", .id = "4.2.6"},
};

#define ONE(id)  .fields = {id}, .n_fields = 1
#define BOOL(v)  .want = {.type = KR_TYPE_BOOL, .b = (v)}
#define IDS(ids) .benchmarks = (ids), .n_benchmarks = ARRAY_SIZE(ids)

/* clang-format off */
const struct kr_rule kr_rules_table[] = {
	/* a setting's own stands at the number of its field */
	[KR_FIELD_ANONYMOUS] = {
		"authentication.anonymous.enabled", ONE(KR_FIELD_ANONYMOUS)},
	[KR_FIELD_WEBHOOK] = {
		"authentication.webhook.enabled", ONE(KR_FIELD_WEBHOOK)},
	[KR_FIELD_CLIENT_CA] = {
		"authentication.x509.clientCAFile", ONE(KR_FIELD_CLIENT_CA)},
	[KR_FIELD_AUTHORIZATION_MODE] = {
		"authorization.mode", ONE(KR_FIELD_AUTHORIZATION_MODE)},
	[KR_FIELD_READ_ONLY_PORT] = {
		"readOnlyPort", ONE(KR_FIELD_READ_ONLY_PORT)},
	[KR_FIELD_STREAMING_TIMEOUT] = {
		"streamingConnectionIdleTimeout",
		ONE(KR_FIELD_STREAMING_TIMEOUT)},
	[KR_FIELD_PROTECT_KERNEL] = {
		"protectKernelDefaults", ONE(KR_FIELD_PROTECT_KERNEL)},
	[KR_FIELD_IPTABLES] = {
		"makeIPTablesUtilChains", ONE(KR_FIELD_IPTABLES),
		.test = is_wanted, .demand = "is true", BOOL(true),
		.policy = KR_POLICY_AUTO, IDS(iptables_benchmarks)},
	[KR_FIELD_HOSTNAME_OVERRIDE] = {
		"hostname-override", ONE(KR_FIELD_HOSTNAME_OVERRIDE)},
	[KR_FIELD_EVENT_QPS] = {
		"eventRecordQPS", ONE(KR_FIELD_EVENT_QPS)},
	[KR_FIELD_TLS_CERT] = {
		"tlsCertFile", ONE(KR_FIELD_TLS_CERT)},
	[KR_FIELD_TLS_KEY] = {
		"tlsPrivateKeyFile", ONE(KR_FIELD_TLS_KEY)},
	[KR_FIELD_ROTATE_CERTIFICATES] = {
		"rotateCertificates", ONE(KR_FIELD_ROTATE_CERTIFICATES)},
	[KR_FIELD_SERVER_BOOTSTRAP] = {
		"serverTLSBootstrap", ONE(KR_FIELD_SERVER_BOOTSTRAP)},
	[KR_FIELD_GATE_ROTATE_SERVER] = {
		"featureGates.RotateKubeletServerCertificate",
		ONE(KR_FIELD_GATE_ROTATE_SERVER)},
	[KR_FIELD_TLS_CIPHERS] = {
		"tlsCipherSuites", ONE(KR_FIELD_TLS_CIPHERS)},
	[KR_FIELD_TLS_MIN_VERSION] = {
		"tlsMinVersion", ONE(KR_FIELD_TLS_MIN_VERSION)},
	[KR_FIELD_POD_PIDS] = {
		"podPidsLimit", ONE(KR_FIELD_POD_PIDS)},
	[KR_FIELD_SECCOMP_DEFAULT] = {
		"seccompDefault", ONE(KR_FIELD_SECCOMP_DEFAULT)},
};
/* clang-format on */

static_assert(ARRAY_SIZE(kr_rules_table) >= KR_N_SETTINGS,
              "each setting has a rule");

const size_t kr_rules_n = ARRAY_SIZE(kr_rules_table);

static const struct kr_rule *const usual[] = {
	&kr_rules_table[KR_FIELD_IPTABLES],
};

const struct kr_rules kr_rules_usual = {usual, ARRAY_SIZE(usual)};

const struct kr_rule *kr_rule_of_field(int field)
{
	assert(field >= 0 && field < KR_N_SETTINGS);
	return &kr_rules_table[field];
}

/* --- in words ------------------------------------------------------------ */

char *kr_rule_text(const struct kr_rule *rule, const char *text)
{
	_cleanup_free_ char *want = NULL;

	if (kr_value_format(&rule->want, &want) < 0)
		return NULL;
	return kr_platform_text(rule->fields[0], want, text);
}

struct kr_setting kr_rule_setting(const struct kr_rule *rule)
{
	const struct kr_field *f = kr_field(rule->fields[0]);

	return (struct kr_setting){
		.field = rule->fields[0], .key = f->path, .flag = f->flag};
}
