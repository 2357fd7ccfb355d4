/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a fix of a control does, and what it could break, in words. */

#include "policy/editions.h"
#include "policy/rules.h"

/* "writes 0"; EDITION may be NULL. The caller frees it; NULL: no memory. */
char *kr_rule_fix(const struct kr_rule *rule, const struct kr_edition *edition);

/* One sentence without a full stop, static; NULL: nothing that is known. */
const char *kr_rule_breaks(const struct kr_rule *rule);

/* The same of a RULE that a plan fixes: without what the plan has looked at and
 * would have refused. */
const char *kr_rule_risk(const struct kr_rule *rule);
