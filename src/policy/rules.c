/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The table of controls. A field that no edition demands anything of has a row,
 * too, so that it can be asked for: its views are shown and it has no verdict.
 * So has, as yet, one whose demand needs a file to be read (the client CA, the
 * TLS pair) or a list of an edition's (tlsCipherSuites).
 *
 * Where editions differ, a rule is the strictest of the newest. Where a
 * benchmark calls a pass what kubelet takes otherwise (rotateCertificates,
 * which is false where nothing sets it), the benchmark's word counts here.
 * The number that an edition gives a control is in policy/editions.
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

/* Rotation that nobody asked for is called a pass. */
static enum kr_answer is_wanted_or_default(const struct kr_rule *rule,
                                           const struct kr_decision *decisions)
{
	if (decisions[0].by == KR_BY_DEFAULT)
		return KR_ANSWER_PASS;
	return is_wanted(rule, decisions);
}

static enum kr_answer is_positive(const struct kr_rule *rule,
                                  const struct kr_decision *decisions)
{
	return answer(decisions[0].value.n > 0);
}

static enum kr_answer is_not_negative(const struct kr_rule *rule,
                                      const struct kr_decision *decisions)
{
	return answer(decisions[0].value.n >= 0);
}

static enum kr_answer is_zero(const struct kr_rule *rule,
                              const struct kr_decision *decisions)
{
	return answer(kr_value_is_zero(&decisions[0].value));
}

/* --- the table ----------------------------------------------------------- */

#define HOUR (3600 * INT64_C(1000000000))

/* a value's text is not const */
static char webhook[] = "Webhook", nothing[] = "";

#define ONE(id)  .fields = {id}, .n_fields = 1
#define IS(t, d) .test = (t), .demand = (d)
#define BOOL(v)  .want = {.type = KR_TYPE_BOOL, .b = (v)}
#define INT32(v) .want = {.type = KR_TYPE_INT32, .n = (v)}
#define AUTO     .policy = KR_POLICY_AUTO
#define ASK      .policy = KR_POLICY_ASK
#define NEVER    .policy = KR_POLICY_NEVER

/* clang-format off */
const struct kr_rule kr_rules_table[] = {
	/* a setting's own stands at the number of its field */
	[KR_FIELD_ANONYMOUS] = {
		"authentication.anonymous.enabled", ONE(KR_FIELD_ANONYMOUS),
		IS(is_wanted, "is false"), BOOL(false), AUTO,
		.hold = KR_HOLD_API_SERVER, .refusal = KR_REFUSAL_CLIENT_CA,
		.proof = KR_RULE_PROOF_WAY_IN},
	[KR_FIELD_WEBHOOK] = {
		"authentication.webhook.enabled", ONE(KR_FIELD_WEBHOOK)},
	[KR_FIELD_CLIENT_CA] = {
		"authentication.x509.clientCAFile", ONE(KR_FIELD_CLIENT_CA),
		ASK},
	[KR_FIELD_AUTHORIZATION_MODE] = {
		"authorization.mode", ONE(KR_FIELD_AUTHORIZATION_MODE),
		IS(is_wanted, "is Webhook"),
		.want = {.type = KR_TYPE_STRING, .s = webhook}, AUTO,
		.hold = KR_HOLD_API_SERVER, .refusal = KR_REFUSAL_NO_KUBECONFIG,
		.proof = KR_RULE_PROOF_WAY_IN},
	[KR_FIELD_READ_ONLY_PORT] = {
		"readOnlyPort", ONE(KR_FIELD_READ_ONLY_PORT),
		IS(is_zero, "is 0"), INT32(0), AUTO,
		.hold = KR_HOLD_PORT_USED, .proof = KR_RULE_PROOF_PORT_CLOSED},
	[KR_FIELD_STREAMING_TIMEOUT] = {
		"streamingConnectionIdleTimeout",
		ONE(KR_FIELD_STREAMING_TIMEOUT),
		IS(is_positive, "is more than 0"),
		.want = {.type = KR_TYPE_DURATION, .n = 4 * HOUR}, AUTO},
	[KR_FIELD_PROTECT_KERNEL] = {
		"protectKernelDefaults", ONE(KR_FIELD_PROTECT_KERNEL),
		IS(is_wanted, "is true"), BOOL(true), ASK,
		.refusal = KR_REFUSAL_SYSCTLS},
	[KR_FIELD_IPTABLES] = {
		"makeIPTablesUtilChains", ONE(KR_FIELD_IPTABLES),
		IS(is_wanted, "is true"), BOOL(true), AUTO},
	[KR_FIELD_HOSTNAME_OVERRIDE] = {
		"hostname-override", ONE(KR_FIELD_HOSTNAME_OVERRIDE),
		IS(is_zero, "is not set"),
		.want = {.type = KR_TYPE_STRING, .s = nothing}, NEVER},
	[KR_FIELD_EVENT_QPS] = {
		"eventRecordQPS", ONE(KR_FIELD_EVENT_QPS),
		IS(is_not_negative, "is 0 or more"), ASK,
		.owners_value = true},
	[KR_FIELD_TLS_CERT] = {
		"tlsCertFile", ONE(KR_FIELD_TLS_CERT)},
	[KR_FIELD_TLS_KEY] = {
		"tlsPrivateKeyFile", ONE(KR_FIELD_TLS_KEY)},
	[KR_FIELD_ROTATE_CERTIFICATES] = {
		"rotateCertificates", ONE(KR_FIELD_ROTATE_CERTIFICATES),
		IS(is_wanted_or_default, "is true, or not set"), BOOL(true),
		ASK, .refusal = KR_REFUSAL_NO_CERTIFICATE},
	[KR_FIELD_SERVER_BOOTSTRAP] = {
		"serverTLSBootstrap", ONE(KR_FIELD_SERVER_BOOTSTRAP),
		IS(is_wanted, "is true"), BOOL(true), ASK,
		.refusal = KR_REFUSAL_GATE_OFF, .proof = KR_RULE_PROOF_WAY_IN},
	[KR_FIELD_GATE_ROTATE_SERVER] = {
		"featureGates.RotateKubeletServerCertificate",
		ONE(KR_FIELD_GATE_ROTATE_SERVER),
		IS(is_wanted, "is true"), BOOL(true), AUTO},
	[KR_FIELD_TLS_CIPHERS] = {
		"tlsCipherSuites", ONE(KR_FIELD_TLS_CIPHERS), ASK},
	[KR_FIELD_TLS_MIN_VERSION] = {
		"tlsMinVersion", ONE(KR_FIELD_TLS_MIN_VERSION)},
	[KR_FIELD_POD_PIDS] = {
		"podPidsLimit", ONE(KR_FIELD_POD_PIDS),
		IS(is_positive, "is more than 0"), ASK, .owners_value = true},
	[KR_FIELD_SECCOMP_DEFAULT] = {
		"seccompDefault", ONE(KR_FIELD_SECCOMP_DEFAULT),
		IS(is_wanted, "is true"), BOOL(true), ASK,
		.refusal = KR_REFUSAL_VERSION},
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
