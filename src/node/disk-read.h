/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Reads the disk view: a part of node/node. */

#include "base/diag.h"
#include "base/macro.h"
#include "node/node.h"

#define KR_DEFAULT_UNIT "kubelet.service"

/*
 * Reads the disk view of NODE, whose process is known: of its unit, or of the
 * one that starts kubelet instead, which is NODE's then; and the platform, if
 * that was not known before. 0, -ENOMEM, or an errno with words.
 */
int kr_disk_read(struct kr_node *node, struct kr_diag *diag);

/* The same of NODE's unit and no other. */
int kr_disk_read_unit(struct kr_node *node, struct kr_diag *diag);

#define KR_DISK_NONE ((struct kr_node_disk){.command = -1})

/* STATE, and why, as DISK's. 0 or -ENOMEM. */
int kr_disk_say(struct kr_node_disk *disk, enum kr_state state,
                const char *format, ...) _printf_(3, 4);

/* DISK is KR_DISK_NONE then. */
void kr_disk_done(struct kr_node_disk *disk);
