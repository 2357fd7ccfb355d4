/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How the disk view of a node comes about: a part of node/node. */

#include "base/diag.h"
#include "base/macro.h"
#include "node/node.h"

#define KR_DISK_NONE ((struct kr_node_disk){.command = -1})

/* STATE, and why, as DISK's. 0 or -ENOMEM. */
int kr_disk_say(struct kr_node_disk *disk, enum kr_state state,
                const char *format, ...) _printf_(3, 4);

/* DISK is KR_DISK_NONE then. */
void kr_disk_done(struct kr_node_disk *disk);
