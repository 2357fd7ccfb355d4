/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a restart would apply besides our change. */

#include "base/diag.h"
#include "node/node.h"
#include "policy/rules.h"

enum kr_pending {
	KR_PENDING_NOTHING,   /* they are the same, or none runs */
	KR_PENDING_ARGUMENTS, /* they differ: DIAG names the words as messages
	                         of SEVERITY */
};

/*
 * Compares the running kubelet's arguments with those it would be started with
 * (PLANNED, of the plan, or of the disk where nothing is edited), both without
 * the flags of RULES. An enum kr_pending, or -ENOMEM.
 */
int kr_pending_arguments(const struct kr_node *node,
                         const struct kr_inputs *planned,
                         const struct kr_rules *rules,
                         enum kr_severity severity, struct kr_diag *diag);
