/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The kubelet that runs on a node: a part of node/node. */

#include "base/diag.h"
#include "node/node.h"

/*
 * Finds the process and reads it into NODE, whose LOADED is set: PID where it
 * is not 0, else the unit's main process, else the one kubelet there is. That
 * none runs, or that it cannot be known which, is a result. 0, -ENOMEM, or,
 * where PID is no kubelet, an errno with words.
 */
int kr_running_find(struct kr_node *node, pid_t pid, struct kr_diag *diag);

/* The files as the process of NODE sees them: RET is NODE's own where they are
 * the same, else owned by NODE. 0 or an errno. */
int kr_running_fs(struct kr_node *node, struct kr_diag *diag,
                  struct kr_fs **ret);

/* What the process of NODE was started with, from its argv and the files as it
 * sees them now. DIAG may be NULL. 0 or an errno. */
int kr_running_read(struct kr_node *node, struct kr_diag *diag,
                    struct kr_inputs *ret);
