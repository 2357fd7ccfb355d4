/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is to be known of a node beside its judgement. */

#include "node/node.h"
#include "policy/rules.h"

/*
 * Adds to DIAG what NODE, which was read, has about the fields of RULES:
 *
 *   what only looks like the field's name in a file (kubelet/config)
 *   manager-environment  an argument that stands in no file, since systemd's
 *                        own environment has it
 *   dropins-1-28         drop-ins of which kubelet 1.28 makes another value
 *   decoy-kubelet-arg, config-yaml-d   arguments of k3s and RKE2 that do not
 *                        count, or that an older one does not read
 *   what looks as if it set the field (policy/decoy)
 *   what is to be known about iptables (policy/iptables), of whose units ACTIVE
 *                        are the active ones; NULL: that was not asked
 *
 * 0 or -ENOMEM.
 */
int kr_remarks_find(struct kr_node *node, const struct kr_rules *rules,
                    const char *const *active, struct kr_diag *diag);
