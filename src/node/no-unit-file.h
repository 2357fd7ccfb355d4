/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Files of the unit that are no unit files: a part of node/disk. */

#include "base/diag.h"
#include "node/node.h"

/*
 * Finds each drop-in that is a KubeletConfiguration where FOUND, which the
 * unit's reading gave, has something to say of it: of all that, one warning
 * stays, and the disk view's CONFIGS knows it. 0 or -ENOMEM.
 */
int kr_no_unit_file_find_configs(struct kr_node *node, struct kr_diag *found);

/* What FOUND says of a file that is no unit file; NULL: nothing. */
const struct kr_message *kr_no_unit_file_first(const struct kr_diag *found);
