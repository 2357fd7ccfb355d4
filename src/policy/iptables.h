/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What else there is about iptables on a node, beside the control: who else
 * manages them, whether there are any, and the mark bits with which old
 * kubelets die when makeIPTablesUtilChains is switched on.
 */

#include "base/diag.h"
#include "node/inputs.h"
#include "node/node.h"

/* The units of other managers of iptables, NULL-terminated: who can ask
 * systemd asks it which of them are active. */
extern const char *const kr_iptables_units[];

/*
 * Adds to DIAG what is to be known: "iptables-manager" and "no-iptables",
 * notes. ACTIVE is what systemd said of
 * kr_iptables_units, NULL-terminated; NULL where it was not asked, and then
 * what is enabled on the disk counts. 0 or -ENOMEM.
 */
int kr_iptables_remark(struct kr_node *node, const char *const *active,
                       struct kr_diag *diag);

/*
 * Whether a kubelet that is started with INPUTS, the field being true, may
 * end for its mark bits: they are the same, its version is not known to be 1.28
 * or later, and the kubelet that runs now does not prove that this one can live
 * with it. RET_BIT, where not NULL, is that
 * bit. 1, 0 or -ENOMEM.
 */
int kr_iptables_bits_fatal(struct kr_node *node, const struct kr_inputs *inputs,
                           int *ret_bit);
