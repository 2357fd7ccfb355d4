/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What an edition demands, where editions differ, and what the scanners that go
 * by it look for. EDITION is NULL where none was chosen: then it is the
 * strictest that the newest editions demand. All texts are static.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "policy/editions.h"
#include "policy/rules.h"

/* In words that stand behind RULE's name: "is 0600 or stricter". NULL: nothing.
 */
const char *kr_rule_demand(const struct kr_rule *rule,
                           const struct kr_edition *edition);

/* The rule's policy, or a stricter one: what EDITION demands may break others.
 */
enum kr_policy kr_rule_policy(const struct kr_rule *rule,
                              const struct kr_edition *edition);

/* The bits that a file may have, of a rule of KR_SUBJECT_MODE. */
mode_t kr_demand_mode(const struct kr_rule *rule,
                      const struct kr_edition *edition);

/* Whether NAME is a cipher suite that may be offered. */
bool kr_demand_allows_cipher(const struct kr_edition *edition,
                             const char *name);

/*
 * The edition whose number a scanner's report has of RULE, on a node of which
 * ITS is the edition (NULL: not known): the one that was chosen; where none
 * was, ITS, if it demands what was judged. NULL: there is no such number.
 */
const struct kr_edition *kr_demand_numbers(const struct kr_rule *rule,
                                           const struct kr_edition *chosen,
                                           const struct kr_edition *its);

/* What scanners that go by an edition want besides what is demanded. */
enum kr_scanner {
	KR_SCANNER_NOTHING,
	KR_SCANNER_WRITTEN, /* that it is written down */
	KR_SCANNER_ZERO,    /* a 0 that is written down */
	KR_SCANNER_0600,    /* no more than these bits */
};

enum kr_scanner kr_demand_scanner(const struct kr_rule *rule,
                                  const struct kr_edition *edition);

/* The same as one sentence; NULL: nothing. */
const char *kr_scanner_text(enum kr_scanner scanner);
