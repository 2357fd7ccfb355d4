/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Files that kubelet reads and that are other ones for it than for the host. */

#include "node/node.h"

/*
 * Looks whether a mount of the unit's own lies over a path that NODE's disk
 * view needs, whose inputs were read. RET_MOUNT is that mount and RET_PATH the
 * path (both owned by the node), or both NULL. 0 or -ENOMEM.
 */
int kr_hidden_find(struct kr_node *node, const struct kr_unit_mount **ret_mount,
                   const char **ret_path);

/* Whether such a mount lies over PATH, which is absolute. 1, 0 or -ENOMEM. */
int kr_hidden_is(struct kr_node *node, const char *path);

/*
 * Reads what a service sees at PATH through a bind of its unit, where that is a
 * file of the host. 0, and *RET is NODE's; -ENOENT: there is no such bind, or
 * nothing there; other errnos of the reading.
 */
int kr_hidden_read(struct kr_node *node, const char *path,
                   const struct kr_file **ret);

/*
 * Names the files that the running kubelet of NODE reads and that are others
 * than the host's of the same path. Where it is started by another program,
 * which may mount what it likes, what the next one would read is not known
 * then: the disk view becomes unknown. 0 or -ENOMEM.
 */
int kr_hidden_remark(struct kr_node *node, struct kr_diag *diag);
