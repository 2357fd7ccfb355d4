/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is known to kill kubelet or to shut the API server out. */

#include "node/node.h"
#include "policy/rules.h"

/*
 * Whether RULE's fix would do harm on AFTER: NODE, which is what is there, as
 * the edits so far leave it; the same where there are none. What cannot be
 * looked at yet, in an image or before kubelet is configured, is taken on
 * trust, with a note in DIAG. 1: it would, RET_WHY says why, and which lines
 * have to be written first, where that helps; the caller frees it. 0: it would
 * not. -ENOMEM.
 */
int kr_refusal_find(const struct kr_node *node, struct kr_node *after,
                    const struct kr_rule *rule, struct kr_diag *diag,
                    char **ret_why);
