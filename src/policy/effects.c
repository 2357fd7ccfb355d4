/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What people read before they allow a change.
 *
 * Source: what kubelet was seen to do with each setting, and how the remedies
 * that are in public break nodes (kubernetes#64027, #66241, kubeadm#591,
 * amazon-eks-ami#207 and #610).
 */

#include <stddef.h>
#include <string.h>

#include "base/format.h"
#include "base/macro.h"
#include "policy/demands.h"
#include "policy/effects.h"

static const char *const breaks[KR_N_RULES] = {
	[KR_FIELD_ANONYMOUS] =
		"clients of port 10250 without credentials get 401; so does "
		"the API server if its client certificate was not issued "
		"by the client CA",
	[KR_FIELD_CLIENT_CA] =
		"the API server is shut out if another authority issued its "
		"client certificate: logs, exec and metrics fail",
	[KR_FIELD_AUTHORIZATION_MODE] =
		"clients without the right to nodes/proxy are refused; so is "
		"the API server if its RBAC does not grant it that",
	[KR_FIELD_READ_ONLY_PORT] =
		"metrics collectors that use the read-only port get no answer",
	[KR_FIELD_PROTECT_KERNEL] =
		"kubelet exits at the next boot if a kernel setting differs "
		"from what it demands",
	[KR_FIELD_IPTABLES] =
		"a kubelet before 1.28 exits if its two mark bits are equal",
	[KR_FIELD_HOSTNAME_OVERRIDE] = "the Node object gets another name",
	[KR_FIELD_EVENT_QPS] =
		"0 can flood the API server with events; too low a value loses "
		"some",
	[KR_RULE_TLS_PAIR] =
		"kubelet exits if the key does not belong to the certificate",
	[KR_FIELD_ROTATE_CERTIFICATES] =
		"kubelet exits after 5 minutes if its kubeconfig has no "
		"client certificate",
	[KR_FIELD_SERVER_BOOTSTRAP] =
		"until its CSR is approved every TLS handshake with port 10250 "
		"fails: logs, exec and metrics",
	[KR_FIELD_TLS_CIPHERS] =
		"clients that offer only other suites cannot connect; "
		"kubelet exits on a suite name it does not know",
	[KR_FIELD_POD_PIDS] =
		"forks fail in pods with more processes than the limit",
	[KR_FIELD_SECCOMP_DEFAULT] =
		"containers that need a system call which the runtime's "
		"profile forbids will fail",
	[KR_RULE_MODE_KUBECONFIG] =
		"other programs (not root) may then be unable to read the file",
	[KR_RULE_MODE_CLIENT_CA] =
		"other programs (not root), such as an API server, may "
		"then be unable to read the file",
	[KR_RULE_MODE_CONFIG] =
		"other programs (not root) may then be unable to read the file",
	[KR_RULE_MODE_UNIT] =
		"other programs (not root) may then be unable to read the "
		"files",
};

/* The row in the table; a rule with the owner's value is a copy of it. */
static ptrdiff_t row_of(const struct kr_rule *rule)
{
	return kr_rule_find(rule->name, strlen(rule->name)) - kr_rules_table;
}

const char *kr_rule_breaks(const struct kr_rule *rule)
{
	return breaks[row_of(rule)];
}

const char *kr_rule_risk(const struct kr_rule *rule)
{
	/* equal mark bits are refused (policy/step) */
	return row_of(rule) == KR_FIELD_IPTABLES ? NULL : kr_rule_breaks(rule);
}

/* What is written where it is not a value of the benchmark's. */
static const char *fix_words(const struct kr_rule *rule,
                             const struct kr_edition *edition)
{
	if (!rule->test)
		return "nothing: nothing is demanded";
	if (edition && edition->audit_only)
		return "nothing: this edition is for audit only";
	if (rule->policy == KR_POLICY_NEVER)
		return "nothing: it is the owner's";
	if (rule == &kr_rules_table[KR_FIELD_STREAMING_TIMEOUT])
		return "cuts the flag; writes 4h0m0s with --explicit";
	if (rule->owners_value || rule->names_file)
		return "writes the value of --set";
	return rule->subject == KR_SUBJECT_OWNER ? "chown root:root" : NULL;
}

char *kr_rule_fix(const struct kr_rule *rule, const struct kr_edition *edition)
{
	const char *words = fix_words(rule, edition);
	_cleanup_free_ char *value = NULL;
	char *text = NULL;
	int r;

	if (words)
		return strdup(words);
	if (rule->subject == KR_SUBJECT_MODE) {
		r = kr_format(&text, "chmod %04o",
		              (unsigned)kr_demand_mode(rule, edition));
		return r < 0 ? NULL : text;
	}
	if (rule->want.type == KR_TYPE_LIST)
		return strdup("writes the six suites of the benchmark");
	if (kr_value_format(&rule->want, &value) < 0 ||
	    kr_format(&text, "writes %s", value) < 0)
		return NULL;
	return text;
}
