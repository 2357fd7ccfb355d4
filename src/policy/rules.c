/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The table of controls. A field that no edition demands anything of has a row,
 * too, so that it can be asked for: its views are shown and it has no verdict.
 *
 * Where editions differ, the test asks policy/demands. Where a benchmark calls
 * a pass what kubelet takes otherwise (rotateCertificates, which is false where
 * nothing sets it), the benchmark's word counts here.
 *
 * What the files are like that a field names is no matter of a test: it is
 * asked of one view's values alone. The judge looks at them (policy/files).
 *
 * The number that an edition gives a control is in policy/editions.
 */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/perms.h"
#include "base/vec.h"
#include "node/platform.h"
#include "policy/demands.h"
#include "policy/rules.h"

static const char *const verdict_names[] = {
	[KR_VERDICT_PASS] = "pass",
	[KR_VERDICT_FAIL] = "fail",
	[KR_VERDICT_INVALID] = "invalid",
	[KR_VERDICT_UNKNOWN] = "unknown",
	[KR_VERDICT_WAIVED] = "waived",
	[KR_VERDICT_NOT_APPLICABLE] = "not-applicable",
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

static const struct kr_value *value(const struct kr_question *q, size_t field)
{
	return &q->decisions[field].value;
}

static bool is_true(const struct kr_decision *d)
{
	return d->state == KR_STATE_TRUE;
}

enum kr_answer kr_rule_is_wanted(const struct kr_question *q)
{
	return answer(kr_value_equal(value(q, 0), &q->rule->want));
}

/* Rotation that was not asked for is called a pass. */
static enum kr_answer is_wanted_or_default(const struct kr_question *q)
{
	if (q->decisions[0].by == KR_BY_DEFAULT)
		return KR_ANSWER_PASS;
	return kr_rule_is_wanted(q);
}

static enum kr_answer is_positive(const struct kr_question *q)
{
	return answer(value(q, 0)->n > 0);
}

static enum kr_answer is_not_negative(const struct kr_question *q)
{
	return answer(value(q, 0)->n >= 0);
}

static enum kr_answer is_zero(const struct kr_question *q)
{
	return answer(kr_value_is_zero(value(q, 0)));
}

static enum kr_answer is_set(const struct kr_question *q)
{
	return answer(!kr_value_is_zero(value(q, 0)));
}

/* A certificate and its key, or one that the cluster signs. */
static enum kr_answer is_pair(const struct kr_question *q)
{
	bool cert = !kr_value_is_zero(value(q, 0));
	bool key = !kr_value_is_zero(value(q, 1));

	return answer(cert && key ? true : is_true(&q->decisions[2]));
}

static bool is_tls13(const struct kr_decision *d)
{
	return kr_state_is_value(d->state) && d->value.type == KR_TYPE_STRING &&
	       strcmp(d->value.s, "VersionTLS13") == 0;
}

/* With TLS 1.3 alone the list does nothing, and all suites are strong. */
static enum kr_answer is_strong(const struct kr_question *q)
{
	const struct kr_strings *list = &value(q, 0)->list;

	if (is_tls13(&q->decisions[1]))
		return KR_ANSWER_PASS;
	for (size_t i = 0; i < list->n_items; i++) {
		if (!kr_demand_allows_cipher(q->edition, list->items[i]))
			return KR_ANSWER_FAIL;
	}
	return answer(list->n_items > 0);
}

static enum kr_answer is_strict(const struct kr_question *q)
{
	mode_t mode = KR_PERMS_MASK;

	if (kr_mode_parse(value(q, 0)->s, &mode) < 0)
		return KR_ANSWER_FAIL;
	return answer(!(mode & ~kr_demand_mode(q->rule, q->edition)));
}

/* --- the table ----------------------------------------------------------- */

#define HOUR (3600 * INT64_C(1000000000))

/* a value's text is not const */
static char webhook[] = "Webhook", nothing[] = "", root[] = "root:root";

static char suites[][sizeof("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")] = {
	"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
	"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
	"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
	"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
	"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
	"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
};

static char *strong[] = {suites[0], suites[1], suites[2],
                         suites[3], suites[4], suites[5]};

static_assert(ARRAY_SIZE(strong) == ARRAY_SIZE(suites), "all of them");

#define ONE(id)       .fields = {id}, .n_fields = 1
#define IS(t, d)      .test = (t), .demand = (d)
#define BOOL(v)       .want = {.type = KR_TYPE_BOOL, .b = (v)}
#define INT32(v)      .want = {.type = KR_TYPE_INT32, .n = (v)}
#define AUTO          .policy = KR_POLICY_AUTO
#define ASK           .policy = KR_POLICY_ASK
#define NEVER         .policy = KR_POLICY_NEVER
#define LOOKS_AT(...) .fields = {__VA_ARGS__}
#define MODE(f)                                                                \
	.subject = KR_SUBJECT_MODE, .files = KR_FILES_##f, .test = is_strict
#define OWNER(f)                                                               \
	.subject = KR_SUBJECT_OWNER, .files = KR_FILES_##f,                    \
	IS(kr_rule_is_wanted, "is root:root"),                                 \
	.want = {.type = KR_TYPE_STRING, .s = root}

/* clang-format off */
const struct kr_rule kr_rules_table[] = {
	/* a setting's own stands at the number of its field */
	[KR_FIELD_ANONYMOUS] = {
		"authentication.anonymous.enabled", ONE(KR_FIELD_ANONYMOUS),
		IS(kr_rule_is_wanted, "is false"), BOOL(false), AUTO,
		.hold = KR_HOLD_API_SERVER, .refusal = KR_REFUSAL_CLIENT_CA,
		.proof = KR_RULE_PROOF_WAY_IN,
		.risk = "clients of port 10250 without credentials (an old "
		        "metrics collector) are refused"},
	[KR_FIELD_WEBHOOK] = {
		"authentication.webhook.enabled", ONE(KR_FIELD_WEBHOOK)},
	[KR_FIELD_CLIENT_CA] = {
		"authentication.x509.clientCAFile", ONE(KR_FIELD_CLIENT_CA),
		IS(is_set, "names a file with certificates"),
		.names_file = true, .owners_value = true, ASK,
		.offers = {"/etc/kubernetes/pki/ca.crt", /* kubeadm, EKS */
	                   "/etc/kubernetes/certs/ca.crt"}, /* AKS */
		.refusal = KR_REFUSAL_WANTED_CA,
		.proof = KR_RULE_PROOF_WAY_IN,
		.risk = "the API server is let in only with a certificate of this "
		        "authority"},
	[KR_FIELD_AUTHORIZATION_MODE] = {
		"authorization.mode", ONE(KR_FIELD_AUTHORIZATION_MODE),
		IS(kr_rule_is_wanted, "is Webhook"),
		.want = {.type = KR_TYPE_STRING, .s = webhook}, AUTO,
		.hold = KR_HOLD_API_SERVER, .refusal = KR_REFUSAL_NO_KUBECONFIG,
		.proof = KR_RULE_PROOF_WAY_IN,
		.risk = "each request to port 10250 needs a right (nodes/proxy, "
		        "nodes/metrics) that the API server grants"},
	[KR_FIELD_READ_ONLY_PORT] = {
		"readOnlyPort", ONE(KR_FIELD_READ_ONLY_PORT),
		IS(is_zero, "is 0"), INT32(0), AUTO,
		.hold = KR_HOLD_PORT_USED, .proof = KR_RULE_PROOF_PORT_CLOSED,
		.risk = "metrics collectors that use this port find it closed"},
	[KR_FIELD_STREAMING_TIMEOUT] = {
		"streamingConnectionIdleTimeout",
		ONE(KR_FIELD_STREAMING_TIMEOUT),
		IS(is_positive, "is more than 0"),
		.want = {.type = KR_TYPE_DURATION, .n = 4 * HOUR},
		.unused_since = 34, AUTO,
		.cut_suffices = true},
	[KR_FIELD_PROTECT_KERNEL] = {
		"protectKernelDefaults", ONE(KR_FIELD_PROTECT_KERNEL),
		IS(kr_rule_is_wanted, "is true"), BOOL(true), ASK,
		.refusal = KR_REFUSAL_SYSCTLS,
		.risk = "kubelet exits at its start if a kernel setting differs"},
	[KR_FIELD_IPTABLES] = {
		"makeIPTablesUtilChains", ONE(KR_FIELD_IPTABLES),
		IS(kr_rule_is_wanted, "is true"), BOOL(true), AUTO},
	[KR_FIELD_HOSTNAME_OVERRIDE] = {
		"hostname-override", ONE(KR_FIELD_HOSTNAME_OVERRIDE),
		IS(is_zero, "is not set"),
		.want = {.type = KR_TYPE_STRING, .s = nothing},
		.wants_nothing = true, NEVER},
	[KR_FIELD_EVENT_QPS] = {
		"eventRecordQPS", ONE(KR_FIELD_EVENT_QPS),
		IS(is_not_negative, "is 0 or more"), ASK,
		.owners_value = true,
		.risk = "0 lets kubelet flood the API server with events"},
	[KR_FIELD_TLS_CERT] = {
		"tlsCertFile", ONE(KR_FIELD_TLS_CERT)},
	[KR_FIELD_TLS_KEY] = {
		"tlsPrivateKeyFile", ONE(KR_FIELD_TLS_KEY)},
	[KR_FIELD_ROTATE_CERTIFICATES] = {
		"rotateCertificates", ONE(KR_FIELD_ROTATE_CERTIFICATES),
		IS(is_wanted_or_default, "is true, or not set"), BOOL(true),
		ASK, .refusal = KR_REFUSAL_NO_CERTIFICATE,
		.risk = "kubelet needs an API server that signs its requests"},
	[KR_FIELD_SERVER_BOOTSTRAP] = {
		"serverTLSBootstrap", ONE(KR_FIELD_SERVER_BOOTSTRAP),
		IS(kr_rule_is_wanted, "is true"), BOOL(true), ASK,
		.refusal = KR_REFUSAL_GATE_OFF, .proof = KR_RULE_PROOF_WAY_IN,
		.risk = "until its certificate request is approved, which nothing "
		        "does by itself, logs, exec and metrics fail"},
	[KR_FIELD_GATE_ROTATE_SERVER] = {
		"featureGates.RotateKubeletServerCertificate",
		LOOKS_AT(KR_FIELD_GATE_ROTATE_SERVER,
		         KR_FIELD_SERVER_BOOTSTRAP), .n_fields = 1, .n_also = 1,
		IS(kr_rule_is_wanted, "is true"), BOOL(true), AUTO},
	[KR_FIELD_TLS_CIPHERS] = {
		"tlsCipherSuites",
		LOOKS_AT(KR_FIELD_TLS_CIPHERS, KR_FIELD_TLS_MIN_VERSION),
		.n_fields = 1, .n_also = 1,
		IS(is_strong, "has only cipher suites from this edition's list, or "
		              "tlsMinVersion is VersionTLS13"),
		.instead = "tlsMinVersion is VersionTLS13",
		.want = {.type = KR_TYPE_LIST, .list = {strong, ARRAY_SIZE(strong)}},
		ASK, .proof = KR_RULE_PROOF_WAY_IN,
		.risk = "clients that know only other suites are refused"},
	[KR_FIELD_TLS_MIN_VERSION] = {
		"tlsMinVersion", ONE(KR_FIELD_TLS_MIN_VERSION)},
	[KR_FIELD_POD_PIDS] = {
		"podPidsLimit", ONE(KR_FIELD_POD_PIDS),
		IS(is_positive, "is more than 0"), ASK, .owners_value = true,
		.risk = "a pod cannot start more processes than that"},
	[KR_FIELD_SECCOMP_DEFAULT] = {
		"seccompDefault", ONE(KR_FIELD_SECCOMP_DEFAULT),
		IS(kr_rule_is_wanted, "is true"), BOOL(true), ASK,
		.refusal = KR_REFUSAL_VERSION,
		.risk = "new containers without a profile of their own may use "
		        "fewer system calls"},

	[KR_RULE_TLS_PAIR] = {
		"tlsCertFile+tlsPrivateKeyFile",
		LOOKS_AT(KR_FIELD_TLS_CERT, KR_FIELD_TLS_KEY,
		         KR_FIELD_SERVER_BOOTSTRAP), .n_fields = 2, .n_also = 1,
		IS(is_pair, "name a certificate and its key, or "
		            "serverTLSBootstrap is true"),
		.instead = "serverTLSBootstrap is true", .names_file = true,
		.owners_value = true, NEVER},
	[KR_RULE_HEALTHZ_PORT] = {
		"healthzPort", ONE(KR_FIELD_HEALTHZ_PORT)},
	[KR_RULE_MODE_UNIT] = {"mode:unit", MODE(UNIT), AUTO},
	[KR_RULE_OWNER_UNIT] = {"owner:unit", OWNER(UNIT), AUTO},
	[KR_RULE_MODE_KUBECONFIG] = {"mode:kubeconfig", MODE(KUBECONFIG), AUTO},
	[KR_RULE_OWNER_KUBECONFIG] = {
		"owner:kubeconfig", OWNER(KUBECONFIG), AUTO},
	[KR_RULE_MODE_CLIENT_CA] = {
		"mode:clientCA", MODE(CLIENT_CA), AUTO,
		.risk = "an API server, or another program that is not root's, "
		        "may have to read the file"},
	[KR_RULE_OWNER_CLIENT_CA] = {"owner:clientCA", OWNER(CLIENT_CA), AUTO},
	[KR_RULE_MODE_CONFIG] = {"mode:config", MODE(CONFIG), AUTO},
	[KR_RULE_OWNER_CONFIG] = {"owner:config", OWNER(CONFIG), AUTO},
};
/* clang-format on */

static_assert(ARRAY_SIZE(kr_rules_table) == KR_N_RULES, "each rule has a row");

const size_t kr_rules_n = ARRAY_SIZE(kr_rules_table);

static const struct kr_rule *const usual[] = {
	&kr_rules_table[KR_FIELD_IPTABLES],
};

const struct kr_rules kr_rules_usual = {.items = usual,
                                        .n_items = ARRAY_SIZE(usual)};

bool kr_rules_are_usual(const struct kr_rules *rules)
{
	return rules->n_items == 1 && rules->items[0] == usual[0];
}

const struct kr_rule *kr_rule_of_field(int field)
{
	assert(field >= 0 && field < KR_N_SETTINGS);
	return &kr_rules_table[field];
}

const struct kr_rule *kr_rule_find(const char *name, size_t length)
{
	for (size_t i = 0; i < kr_rules_n; i++) {
		const char *its = kr_rules_table[i].name;

		if (strncmp(its, name, length) == 0 && !its[length])
			return &kr_rules_table[i];
	}
	KR_EACH(const struct kr_rule, rule, kr_rules_table, kr_rules_n) {
		const struct kr_field *f = kr_field(rule->fields[0]);

		/* a gate shares its flag with all others */
		if (rule->n_fields == 1 && f->combine != KR_COMBINE_GATE &&
		    f->flag && strncmp(f->flag, name, length) == 0 &&
		    !f->flag[length])
			return rule;
	}
	return NULL;
}

enum kr_answer kr_rule_ask(const struct kr_rule *rule,
                           const struct kr_edition *edition,
                           const struct kr_decision *decisions)
{
	const struct kr_question question = {
		.rule = rule, .edition = edition, .decisions = decisions};
	const size_t n = rule->n_fields > 0 ? rule->n_fields : 1;
	enum kr_answer answered;

	if (!rule->test)
		return KR_ANSWER_NONE;
	for (size_t i = 0; i < n; i++) {
		if (!kr_state_is_value(decisions[i].state))
			return KR_ANSWER_NONE;
	}
	answered = rule->test(&question);
	for (size_t i = n; i < n + rule->n_also; i++) {
		if (answered == KR_ANSWER_FAIL &&
		    decisions[i].state == KR_STATE_UNKNOWN)
			return KR_ANSWER_NONE;
	}
	return answered;
}

/* --- by edition ---------------------------------------------------------- */

/* As the benchmarks have them, and as they are fixed. */
static const int order[] = {KR_FIELD_ANONYMOUS,
                            KR_FIELD_AUTHORIZATION_MODE,
                            KR_FIELD_CLIENT_CA,
                            KR_FIELD_READ_ONLY_PORT,
                            KR_FIELD_STREAMING_TIMEOUT,
                            KR_FIELD_PROTECT_KERNEL,
                            KR_FIELD_IPTABLES,
                            KR_FIELD_HOSTNAME_OVERRIDE,
                            KR_FIELD_EVENT_QPS,
                            KR_RULE_TLS_PAIR,
                            KR_FIELD_ROTATE_CERTIFICATES,
                            KR_FIELD_GATE_ROTATE_SERVER,
                            KR_FIELD_TLS_CIPHERS,
                            KR_FIELD_POD_PIDS,
                            KR_FIELD_SECCOMP_DEFAULT,
                            KR_RULE_MODE_UNIT,
                            KR_RULE_OWNER_UNIT,
                            KR_RULE_MODE_KUBECONFIG,
                            KR_RULE_OWNER_KUBECONFIG,
                            KR_RULE_MODE_CLIENT_CA,
                            KR_RULE_OWNER_CLIENT_CA,
                            KR_RULE_MODE_CONFIG,
                            KR_RULE_OWNER_CONFIG};

const struct kr_rule *kr_rule_of_id(const struct kr_edition *edition,
                                    const char *id, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		const struct kr_rule *rule = &kr_rules_table[order[i]];
		struct kr_edition_control its;

		if (kr_edition_control(kr_edition_id(edition), rule->name,
		                       &its) &&
		    strncmp(its.id, id, length) == 0 && !its.id[length])
			return rule;
	}
	return NULL;
}

void kr_rules_of_edition(const struct kr_edition *edition, unsigned level,
                         const struct kr_rule **items, struct kr_rules *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		const struct kr_rule *rule = &kr_rules_table[order[i]];
		struct kr_edition_control its;

		if (kr_edition_control(kr_edition_id(edition), rule->name,
		                       &its) &&
		    (level == 0 || its.level <= level))
			items[n++] = rule;
	}
	*ret = (struct kr_rules){items, n, edition};
}

bool kr_rule_is_written(const struct kr_rule *rule)
{
	return rule->n_fields > 0 && !rule->wants_nothing &&
	       !rule->owners_value && rule->policy != KR_POLICY_NEVER;
}

/* --- in words ------------------------------------------------------------ */

char *kr_rule_text(const struct kr_rule *rule, const char *text)
{
	return kr_platform_text(rule->fields, &rule->want, 1, text);
}
