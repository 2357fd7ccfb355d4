/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The controls: one row each. A row says what is demanded of which fields or
 * files, what is written where they fail, and what has to be looked at first. A
 * new control costs a row.
 */

#include <stdbool.h>
#include <stddef.h>

#include "kubelet/decide.h"
#include "kubelet/field.h"
#include "policy/editions.h"

enum kr_verdict {
	KR_VERDICT_PASS,
	KR_VERDICT_FAIL,
	KR_VERDICT_INVALID,
	KR_VERDICT_UNKNOWN,
	KR_VERDICT_WAIVED, /* the node's owner lives with what there is */
	/* the edition that was chosen, or this kubelet, has it not */
	KR_VERDICT_NOT_APPLICABLE,
	_KR_VERDICT_MAX,
};

/* "pass", "fail", "invalid", "unknown", "waived", "not-applicable". */
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
	KR_REFUSAL_WANTED_CA,      /* that of the edit does not */
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

/* How many fields a rule may look at. */
#define KR_RULE_FIELDS_MAX 3

/* What a rule's test says of one view. */
enum kr_answer {
	KR_ANSWER_NONE, /* no value, or nothing is demanded of it */
	KR_ANSWER_PASS,
	KR_ANSWER_FAIL,
};

/* What a rule is about. */
enum kr_subject {
	KR_SUBJECT_FIELDS, /* one or two; a field may be a flag alone */
	KR_SUBJECT_MODE,   /* of files; its value is a string, "0644" */
	KR_SUBJECT_OWNER,  /* of files; "root:root", other names as numbers */
};

/* The files of which mode and owner count. */
enum kr_files {
	KR_FILES_NONE,
	KR_FILES_UNIT,       /* the unit and its drop-ins that count */
	KR_FILES_KUBECONFIG, /* of --kubeconfig */
	KR_FILES_CLIENT_CA,  /* of the clientCAFile that kubelet has */
	KR_FILES_CONFIG,     /* of --config, and all of --config-dir */
};

/* A setting's own rule stands at the number of its field. */
enum kr_rule_id {
	KR_RULE_TLS_PAIR = KR_N_SETTINGS,
	KR_RULE_HEALTHZ_PORT,
	KR_RULE_MODE_UNIT,
	KR_RULE_OWNER_UNIT,
	KR_RULE_MODE_KUBECONFIG,
	KR_RULE_OWNER_KUBECONFIG,
	KR_RULE_MODE_CLIENT_CA,
	KR_RULE_OWNER_CLIENT_CA,
	KR_RULE_MODE_CONFIG,
	KR_RULE_OWNER_CONFIG,
	KR_N_RULES,
};

/* What a test is asked. */
struct kr_question {
	const struct kr_rule *rule;
	const struct kr_edition *edition; /* NULL: none was chosen */
	/* those of the rule's fields, of N_ALSO too: one view's. Those of
	 * N_FIELDS are values; of files it is one, the worst file's */
	const struct kr_decision *decisions;
};

#define KR_RULE_OFFERS_MAX 2

struct kr_rule {
	const char *name; /* as --control takes it; no blanks and no commas */
	enum kr_subject subject;
	/* KR_SUBJECT_FIELDS: the N_FIELDS whose values it shows, behind them
	 * N_ALSO that its test looks at, too. Else there are none */
	int fields[KR_RULE_FIELDS_MAX]; /* enum kr_field_id */
	size_t n_fields, n_also;
	enum kr_files files; /* of KR_SUBJECT_MODE and KR_SUBJECT_OWNER */
	/* what is demanded, of one view: PASS or FAIL. NULL: nothing is */
	enum kr_answer (*test)(const struct kr_question *question);
	/* see kr_rule_demand() of policy/demands.h; NULL: by edition, or none
	 */
	const char *demand;
	/* what is written: of the first field, "root:root", or nothing */
	struct kr_value want;
	bool owners_value; /* that is the owner's to say (--set), not WANT */
	bool cut_suffices; /* WANT is written only where the default fails */
	const char *risk;  /* what a fix of it may break; NULL */
	/* what is demanded is that nothing sets it: it cannot be written down
	 */
	bool wants_nothing;
	/* what of N_ALSO does in the place of what is demanded, as it is then;
	 * NULL: nothing does */
	const char *instead;
	/* the field names a file that must be there and load */
	bool names_file;
	/* files that platforms have for it: where one of them alone is there,
	 * it is offered */
	const char *offers[KR_RULE_OFFERS_MAX];
	/* kubelet 1.UNUSED_SINCE and later take it and do nothing with it; 0 */
	unsigned unused_since;
	enum kr_policy policy;
	enum kr_hold hold;
	enum kr_refusal refusal;
	enum kr_rule_proof proof;
	/* of one whose test asks for WANT, which the owner gave: the rule by
	 * which it is judged all the same; NULL: itself */
	const struct kr_rule *of;
};

/* Those that are judged together, in the order of the table. */
struct kr_rules {
	const struct kr_rule *const *items;
	size_t n_items;
	/* by which they are judged; NULL: by the strictest of the newest */
	const struct kr_edition *edition;
};

/* All of them, by enum kr_rule_id; each setting (kubelet/field) is the only
 * field of one. */
extern const struct kr_rule kr_rules_table[];
extern const size_t kr_rules_n;

/*
 * What RULE's test says of DECISIONS, KR_RULE_FIELDS_MAX of one view. NONE:
 * nothing is demanded, not all of the N_FIELDS are values, or what else the
 * rule looks at is not known, and would tell.
 */
enum kr_answer kr_rule_ask(const struct kr_rule *rule,
                           const struct kr_edition *edition,
                           const struct kr_decision *decisions);

/* The one control that audit and fix mean where no control is named. */
extern const struct kr_rules kr_rules_usual;

/* Whether RULES are just that one. */
bool kr_rules_are_usual(const struct kr_rules *rules);

/* The rule that is about FIELD, a setting, alone. */
const struct kr_rule *kr_rule_of_field(int field);

/* The rule that NAME (LENGTH bytes) names: its own name, or the flag of its
 * field, without dashes, but for a gate's. NULL: none. */
const struct kr_rule *kr_rule_find(const char *name, size_t length);

/* The rule to which EDITION gives the number ID (LENGTH bytes); NULL: none. */
const struct kr_rule *kr_rule_of_id(const struct kr_edition *edition,
                                    const char *id, size_t length);

/*
 * The controls of EDITION up to LEVEL (0: all), in the order of fixing, which
 * is that of the benchmarks. RET has them in ITEMS, which has room for
 * KR_N_RULES.
 */
void kr_rules_of_edition(const struct kr_edition *edition, unsigned level,
                         const struct kr_rule **items, struct kr_rules *ret);

/* A test: the first field has the rule's WANT. */
enum kr_answer kr_rule_is_wanted(const struct kr_question *question);

/* Whether RULE says what value has to be written of a field. */
bool kr_rule_is_written(const struct kr_rule *rule);

/* TEXT of a platform (node/platform) in the words of RULE. The caller frees it;
 * NULL: no memory. */
char *kr_rule_text(const struct kr_rule *rule, const char *text);
