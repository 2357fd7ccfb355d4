/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Records of fixes that are not needed any more. */

#include "store/manifest.h"

#define KR_HISTORY_MAX 10

/* Whether MANIFEST, a fix that was kept, still stands: it can be undone, or
 * could be if a later one were. 0, 1 or -ENOMEM. */
typedef int (*kr_stands_t)(struct kr_fs *fs, const struct kr_manifests *list,
                           const struct kr_manifest *manifest);

/*
 * Removes folders in which a run began and came to nothing, and undos that
 * ended, which their fixes' records tell. Of the records of
 * LIST, which are the node's, it removes those of fixes that do not STAND any
 * more, but for the last ten of them; which numbers are left is noted before.
 * The caller holds the lock. 0 or an errno.
 */
int kr_prune(struct kr_fs *fs, const struct kr_manifests *list,
             kr_stands_t stands);
