/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The unit's command that runs kubelet: a part of node/disk. */

#include "base/diag.h"
#include "node/node.h"

/*
 * Finds it among the commands of NODE's unit, whose disk view's COMMAND stays
 * -1 where none runs kubelet itself. 0 or -ENOMEM.
 */
int kr_disk_find_command(struct kr_node *node);

/* Reads what the command that was found gives to kubelet. 0, -ENOMEM, or an
 * errno with words. */
int kr_disk_read_command(struct kr_node *node, struct kr_diag *diag);

/* Tells DIAG what was found on single arguments, at their places. */
void kr_disk_remark(struct kr_node *node, struct kr_diag *diag);

/*
 * Notes that a kubelet of a version that is not known may refuse --config-dir,
 * unless the one that runs has taken it, or the platform writes it, for a
 * kubelet that takes it.
 */
void kr_disk_remark_config_dir(const struct kr_node *node,
                               struct kr_diag *diag);
