/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Whether the disks have room for a change. */

#include "base/diag.h"
#include "base/edit.h"
#include "base/fs.h"

/*
 * Whether the new contents of EDITS have room beside their targets, and their
 * copies and the record in /var/lib/kubelet-remedy; and whether folders can be
 * made where they are missing. A file system that does not tell its size has
 * room. Nothing is written. 0; -ENOSPC, -EROFS, -EACCES, other errnos, with
 * words.
 */
int kr_space_check(struct kr_fs *fs, const struct kr_edits *edits,
                   struct kr_diag *diag);
