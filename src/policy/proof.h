/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The proof of a plan: the same audit, on the edited bytes. */

#include "policy/plan.h"

/*
 * Proves that PLAN's edits make RULE pass on NODE's disk and change nothing
 * else: the argv is the old one less every use of the flag (and, for the flag
 * method, with one use more; of a gate's only its own entries count); a config
 * file's tokens outside the key are the same bytes. Fills PLAN's after and
 * audit. TOGETHER: others follow, and RULE need not pass yet. 0; KR_REFUSED:
 * not proven, DIAG says what is not as it should be; -ENOMEM.
 */
int kr_proof_run(struct kr_node *node, const struct kr_rule *rule,
                 struct kr_plan *plan, bool together, struct kr_diag *diag);

/*
 * Orders PLAN's files so that no state between two replacements is worse by any
 * of RULES than the node is now. 0; KR_REFUSED: there is no such order;
 * -ENOMEM.
 */
int kr_proof_order(struct kr_node *node, const struct kr_rules *rules,
                   struct kr_plan *plan, struct kr_diag *diag);
