/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet/configz-values: what a real kubelet's answer says, what is left out,
 * and what is no answer.
 */

#include <stdlib.h>
#include <string.h>

#include "kubelet/configz-values.h"
#include "testing-cases.h"
#include "testing.h"

/* What kubelet always shows. */
#define WHOLE                                                                  \
	"\"makeIPTablesUtilChains\":true,"                                     \
	"\"authentication\":{\"anonymous\":{\"enabled\":false}},"              \
	"\"authorization\":{\"mode\":\"Webhook\"}"

#define OF(members) "{\"kubeletconfig\":{" members "}}"

static const struct row {
	const char *body; /* NULL: the sample */
	int field;
	enum kr_state want;
	const char *text;   /* of a value */
	const char *reason; /* a part of it */
	bool left_out, self_made;
} rows[] = {
	/* a kubelet 1.20 with flags alone */
	{NULL, KR_FIELD_ANONYMOUS, KR_STATE_TRUE, "true"},
	{NULL, KR_FIELD_WEBHOOK, KR_STATE_FALSE, "false"},
	{NULL, KR_FIELD_AUTHORIZATION_MODE, KR_STATE_VALUE, "AlwaysAllow"},
	{NULL, KR_FIELD_READ_ONLY_PORT, KR_STATE_VALUE, "10255"},
	{NULL, KR_FIELD_IPTABLES, KR_STATE_FALSE, "false"},
	{NULL, KR_FIELD_STREAMING_TIMEOUT, KR_STATE_VALUE, "4h0m0s"},
	{NULL, KR_FIELD_EVENT_QPS, KR_STATE_VALUE, "5"},
	{NULL, KR_FIELD_POD_PIDS, KR_STATE_VALUE, "-1"},
	{NULL, KR_FIELD_CLIENT_CA, KR_STATE_VALUE, "", NULL, true},
	{NULL, KR_FIELD_PROTECT_KERNEL, KR_STATE_FALSE, "false", NULL, true},
	{NULL, KR_FIELD_ROTATE_CERTIFICATES, KR_STATE_FALSE, "false", NULL,
         true},
	{NULL, KR_FIELD_SERVER_BOOTSTRAP, KR_STATE_FALSE, "false", NULL, true},
	{NULL, KR_FIELD_TLS_CIPHERS, KR_STATE_VALUE, "", NULL, true},
	{NULL, KR_FIELD_GATE_ROTATE_SERVER, KR_STATE_TRUE, "true", NULL, true},
	{NULL, KR_FIELD_HOSTNAME_OVERRIDE, KR_STATE_ABSENT, NULL, "never"},
	{NULL, KR_FIELD_SECCOMP_DEFAULT, KR_STATE_ABSENT, NULL, "flag"},
	{NULL, KR_FIELD_HEALTHZ_PORT, KR_STATE_VALUE, "10248"},

	{NULL, KR_FIELD_TLS_CERT, KR_STATE_VALUE,
         "/var/lib/kubelet/pki/kubelet.crt", .self_made = true},
	{NULL, KR_FIELD_TLS_KEY, KR_STATE_VALUE,
         "/var/lib/kubelet/pki/kubelet.key", .self_made = true},
	{OF(WHOLE ",\"tlsCertFile\":\"/pki/n.crt\""), KR_FIELD_TLS_CERT,
         KR_STATE_VALUE, "/pki/n.crt"},

	/* what is left out is a zero where the answer is whole */
	{OF(WHOLE), KR_FIELD_READ_ONLY_PORT, KR_STATE_VALUE, "0", NULL, true},
	{OF(WHOLE), KR_FIELD_TLS_MIN_VERSION, KR_STATE_VALUE, "", NULL, true},
	{OF(WHOLE ",\"streamingConnectionIdleTimeout\":\"0s\""),
         KR_FIELD_STREAMING_TIMEOUT, KR_STATE_VALUE, "0s"},
	{OF("\"makeIPTablesUtilChains\":true"), KR_FIELD_READ_ONLY_PORT,
         KR_STATE_UNKNOWN, NULL, "lacks"},
	{OF("\"makeIPTablesUtilChains\":true"), KR_FIELD_IPTABLES,
         KR_STATE_TRUE, "true"},
	{OF("\"makeIPTablesUtilChains\":true,\"authorization\":{},"
            "\"authentication\":{\"anonymous\":{\"enabled\":false}}"),
         KR_FIELD_READ_ONLY_PORT, KR_STATE_UNKNOWN, NULL, "lacks"},
	{OF(""), KR_FIELD_READ_ONLY_PORT, KR_STATE_UNKNOWN, NULL, "lacks"},

	/* gates */
	{OF(WHOLE ",\"featureGates\":{\"RotateKubeletServerCertificate\":"
                  "false}"),
         KR_FIELD_GATE_ROTATE_SERVER, KR_STATE_FALSE, "false"},
	{OF(WHOLE ",\"featureGates\":{\"AllBeta\":false}"),
         KR_FIELD_GATE_ROTATE_SERVER, KR_STATE_FALSE, "false", NULL, true},
	{OF(WHOLE ",\"featureGates\":{\"AllBeta\":false,"
                  "\"RotateKubeletServerCertificate\":true}"),
         KR_FIELD_GATE_ROTATE_SERVER, KR_STATE_TRUE, "true"},

	/* the seccomp flag is never shown */
	{OF(WHOLE ",\"seccompDefault\":true"), KR_FIELD_SECCOMP_DEFAULT,
         KR_STATE_TRUE, "true"},
	{OF(WHOLE ",\"seccompDefault\":false"), KR_FIELD_SECCOMP_DEFAULT,
         KR_STATE_ABSENT, NULL, "flag"},

	/* newer ones say what they are */
	{OF("\"kind\":\"KubeletConfiguration\",\"apiVersion\":\"kubelet."
            "config.k8s.io/v1beta1\"," WHOLE ",\"tlsCipherSuites\":[\"A\","
            "\"B\"]"),
         KR_FIELD_TLS_CIPHERS, KR_STATE_VALUE, "A,B"},

	/* twice, of another kind, in another case */
	{OF(WHOLE ",\"readOnlyPort\":0,\"readOnlyPort\":0"),
         KR_FIELD_READ_ONLY_PORT, KR_STATE_UNKNOWN, NULL, "twice"},
	{OF(WHOLE ",\"readOnlyPort\":\"0\""), KR_FIELD_READ_ONLY_PORT,
         KR_STATE_UNKNOWN, NULL, "no value of its kind"},
	{OF(WHOLE ",\"readOnlyPort\":\"0\""), KR_FIELD_AUTHORIZATION_MODE,
         KR_STATE_VALUE, "Webhook"},
	{OF(WHOLE ",\"readonlyport\":1"), KR_FIELD_READ_ONLY_PORT,
         KR_STATE_VALUE, "0", NULL, true},

	/* no answers */
	{"", KR_FIELD_IPTABLES, KR_STATE_UNKNOWN, NULL, "JSON"},
	{"{", KR_FIELD_IPTABLES, KR_STATE_UNKNOWN, NULL, "JSON"},
	{"[]", KR_FIELD_IPTABLES, KR_STATE_UNKNOWN, NULL, "one object"},
	{"{" WHOLE "}", KR_FIELD_IPTABLES, KR_STATE_UNKNOWN, NULL,
         "one object"},
	{"{\"kubeletconfig\":1}", KR_FIELD_IPTABLES, KR_STATE_UNKNOWN, NULL,
         "one object"},
	{"{\"kubeletconfig\":[{" WHOLE "}]}", KR_FIELD_IPTABLES,
         KR_STATE_UNKNOWN, NULL, "one object"},
	{"{\"x\":{\"kubeletconfig\":{" WHOLE "}}}", KR_FIELD_IPTABLES,
         KR_STATE_UNKNOWN, NULL, "one object"},
	{"{\"kubeletconfig\":{" WHOLE "},\"kubeletconfig\":{}}",
         KR_FIELD_IPTABLES, KR_STATE_UNKNOWN, NULL, "one object"},
	{"{\"kubeletconfig\":{\"apiVersion\":\"v9\"," WHOLE "}}",
         KR_FIELD_IPTABLES, KR_STATE_UNKNOWN, NULL, "no configuration"},
};

static char *read_sample(size_t *ret_size)
{
	_cleanup_fclose_ FILE *in = kr_cases_open("configz-sample.json");
	char *text = NULL;
	size_t room = 0;
	ssize_t n = getdelim(&text, &room, '\0', in);

	ck_assert_int_gt(n, 0);
	*ret_size = (size_t)n;
	return text;
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	_cleanup_configz_values_ struct kr_configz_values all = {0};
	_cleanup_free_ char *body = NULL, *text = NULL;
	const struct kr_configz_value *v = &all.items[row->field];
	size_t size = row->body ? strlen(row->body) : 0;

	/* to its last byte, and no byte behind it */
	body = row->body ? malloc(size + 1) : read_sample(&size);
	ck_assert_ptr_nonnull(body);
	if (row->body)
		memcpy(body, row->body, size + 1);
	ck_assert_int_eq(kr_configz_values_read(body, size, &all), 0);
	ck_assert_msg(v->state == row->want, "%s: %s: %s", row->body,
	              kr_state_to_string(v->state), v->reason);
	ck_assert_ptr_nonnull(v->reason);
	ck_assert_msg(v->left_out == row->left_out, "%s", row->body);
	ck_assert_msg(v->self_made == row->self_made, "%s", row->body);
	ck_assert_msg(!row->reason || strstr(v->reason, row->reason), "%s: %s",
	              row->body, v->reason);
	if (!row->text)
		return;
	ck_assert_int_eq(v->value.type, kr_field(row->field)->type);
	ck_assert_int_eq(kr_value_format(&v->value, &text), 0);
	ck_assert_str_eq(text, row->text);
}
END_TEST

START_TEST(test_no_answer)
{
	_cleanup_configz_values_ struct kr_configz_values all = {0};

	ck_assert_int_eq(kr_configz_values_read(NULL, 0, &all), 0);
	for (int i = 0; i < KR_N_FIELDS; i++)
		ck_assert_int_eq(all.items[i].state, KR_STATE_UNKNOWN);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "configz-values", NULL, NULL);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_no_answer);
}

KR_TEST_MAIN(add_tests);
