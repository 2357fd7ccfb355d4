/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A flag that stands in a file of the vendor, which is not edited. */

#include "policy/plan.h"

/* Whether use USE of the flag on NODE's disk stands in a file that is not
 * edited; its words may stand in several files, one of them is enough. */
bool kr_vendor_owns_use(struct kr_node *node, const struct kr_flag_use *use);

/*
 * Says that SPAN is in a file that is not edited, WHAT stands there ("the key
 * stands in"), and what to do instead where that is known. KR_REFUSED, or
 * -ENOMEM.
 */
int kr_vendor_refuse(const struct kr_rule *rule, struct kr_diag *diag,
                     struct kr_span span, const char *what);

/*
 * Adds to PLAN what overrides the uses of RULE's flag in the vendor's files:
 * the flag as wanted at the end of an administrator's variable that comes
 * later, else a drop-in of ours with the vendor's command less the flag. PLAN's
 * other edits are made already. 0; KR_REFUSED: neither does it, DIAG says why;
 * -ENOMEM.
 */
int kr_vendor_override(struct kr_node *node, const struct kr_rule *rule,
                       struct kr_plan *plan, struct kr_diag *diag);
