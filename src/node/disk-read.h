/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Reads the disk view: a part of node/node. */

#include "base/diag.h"
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
