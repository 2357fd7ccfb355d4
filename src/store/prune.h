/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Records of fixes that are not needed any more. */

#include <stddef.h>

#include "base/fs.h"

#define KR_HISTORY_MAX 10

/*
 * Removes folders in which a run began and came to nothing, and of the records
 * of finished ones all but the last N_KEPT. The caller holds the lock. 0 or an
 * errno.
 */
int kr_prune(struct kr_fs *fs, size_t n_kept);
