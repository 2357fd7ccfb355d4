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
 *   what is no input of kubelet although people and scanners take it for one,
 *   the first three as warnings where kubelet would have another value:
 *     decoy-config      a config file at a path of the CIS text, which this
 *                       kubelet does not read
 *     decoy-variable    a variable with the flag that no command expands, or
 *                       that another one of its name hides, or that is removed
 *     decoy-line        the flag on a line of a unit that starts nothing
 *     decoy-dropin      the flag in a file beside the unit's drop-ins
 *     decoy-argument    the flag's text inside of another argument
 *     decoy-config-dir  drop-ins beside the config file, and no --config-dir;
 *                       or files of --config-dir that kubelet does not read
 *   what is to be known about iptables (policy/iptables), of whose units ACTIVE
 *                        are the active ones; NULL: that was not asked
 *
 * 0 or -ENOMEM.
 */
int kr_remarks_find(struct kr_node *node, const struct kr_rules *rules,
                    const char *const *active, struct kr_diag *diag);
