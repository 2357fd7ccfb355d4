/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What kubelet refuses by what the node has: the files that its settings name,
 * a client that a webhook needs, the host's cgroups.
 */

#include "node/node.h"

/*
 * Judges the disk view, whose arguments and files were read. On a live node
 * that has been configured a file that is not there, or does not load, is an
 * error and the fault of the view; else it is a note, "file-not-there-yet". So
 * is a webhook without a client in what may still be completed (an error in the
 * rest, of kubelet/validate). 0 or -ENOMEM.
 */
int kr_refusals_judge(struct kr_node *node, struct kr_diag *diag);
