/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What looks as if it set a field's value and does not. */

#include "node/node.h"
#include "policy/rules.h"

/*
 * Adds to DIAG what on NODE's disk, which was read, is no input of kubelet
 * although people and scanners take it for one, of the fields of RULES:
 *
 *   decoy-config      a config file at a path of the CIS text, which this
 *                     kubelet does not read
 *   decoy-variable    a variable with the flag that no command expands, or that
 *                     another one of its name hides
 *   decoy-argument    the flag's text inside of another argument
 *   decoy-config-dir  drop-ins beside the config file, and no --config-dir; or
 *                     files of --config-dir that kubelet does not read
 *
 * The first two are warnings where they hold another value than kubelet would
 * have; all else is a note.
 * 0 or -ENOMEM.
 */
int kr_decoys_find(struct kr_node *node, const struct kr_rules *rules,
                   struct kr_diag *diag);
