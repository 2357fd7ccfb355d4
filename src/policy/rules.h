/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The controls: one row each. A row says what is demanded of which fields, what
 * is written where they fail, and what has to be looked at first. A new control
 * costs a row.
 */

#include <stdbool.h>
#include <stddef.h>

#include "kubelet/decide.h"
#include "kubelet/field.h"
#include "kubelet/setting.h"

enum kr_verdict {
	KR_VERDICT_PASS,
	KR_VERDICT_FAIL,
	KR_VERDICT_INVALID,
	KR_VERDICT_UNKNOWN,
	_KR_VERDICT_MAX,
};

/* "pass", "fail", "invalid", "unknown". */
const char *kr_verdict_to_string(enum kr_verdict verdict);

/* Whether a fix may set it with its benchmark, only where it is named or
 * allowed, or not at all. */
enum kr_policy {
	KR_POLICY_AUTO,
	KR_POLICY_ASK,
	KR_POLICY_NEVER,
	_KR_POLICY_MAX,
};

/* "auto", "ask", "never". */
const char *kr_policy_to_string(enum kr_policy policy);

/* What is seen on a node that makes a change dangerous, yet arguable: node/ and
 * host/ look for it. */
enum kr_hold {
	KR_HOLD_NONE,
	KR_HOLD_PORT_USED,  /* others ask the read-only port */
	KR_HOLD_API_SERVER, /* the API server's way in cannot be tried */
};

/* What is known to kill kubelet or to shut the API server out. */
enum kr_refusal {
	KR_REFUSAL_NONE,
	KR_REFUSAL_CLIENT_CA,      /* none stays, loads and holds the authority
	                            * of kubelet's kubeconfig */
	KR_REFUSAL_NO_KUBECONFIG,  /* there is no --kubeconfig */
	KR_REFUSAL_SYSCTLS,        /* the next boot lacks a kernel setting */
	KR_REFUSAL_NO_CERTIFICATE, /* its user is an exec plugin or a token */
	KR_REFUSAL_GATE_OFF,       /* RotateKubeletServerCertificate is */
	KR_REFUSAL_VERSION,        /* too old for it, or not known */
};

/* What is tried after the restart, besides healthz: host/ does it. */
enum kr_rule_proof {
	KR_RULE_PROOF_NONE,
	KR_RULE_PROOF_PORT_CLOSED, /* the read-only port */
	KR_RULE_PROOF_WAY_IN,      /* TLS, and who is let in without or with a
	                            * client certificate */
};

/* How many fields a rule may be about. */
#define KR_RULE_FIELDS_MAX 2

/* What a rule's test says of one view. */
enum kr_answer {
	KR_ANSWER_NONE, /* no value, or nothing is demanded of it */
	KR_ANSWER_PASS,
	KR_ANSWER_FAIL,
};

struct kr_rule {
	const char *name; /* as --control takes it; no blanks and no commas */
	int fields[KR_RULE_FIELDS_MAX]; /* enum kr_field_id */
	size_t n_fields;
	/* what is demanded, of one view: DECISIONS are those of FIELDS, all of
	 * them values. PASS or FAIL. NULL: nothing is demanded */
	enum kr_answer (*test)(const struct kr_rule *rule,
	                       const struct kr_decision *decisions);
	const char *demand;   /* the same in words, behind the name; NULL */
	struct kr_value want; /* what is written: of the first field */
	bool owners_value;    /* that is the owner's to say (--set), not WANT */
	enum kr_policy policy;
	enum kr_hold hold;
	enum kr_refusal refusal;
	enum kr_rule_proof proof;
};

/* Those that are judged together, in the order of the table. */
struct kr_rules {
	const struct kr_rule *const *items;
	size_t n_items;
};

/* All of them; each setting (kubelet/field) is the only field of one. */
extern const struct kr_rule kr_rules_table[];
extern const size_t kr_rules_n;

/* The one control that audit and fix mean where none is named. */
extern const struct kr_rules kr_rules_usual;

/* The rule that is about FIELD, a setting, alone. */
const struct kr_rule *kr_rule_of_field(int field);

/* TEXT of a platform (node/platform) in the words of RULE. The caller frees it;
 * NULL: no memory. */
char *kr_rule_text(const struct kr_rule *rule, const char *text);

/* RULE as kr_config_edit() and kr_config_prove() still take it. */
struct kr_setting kr_rule_setting(const struct kr_rule *rule);
