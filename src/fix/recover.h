/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A fix or undo that was interrupted: killed, or the power went. */

#include "base/diag.h"
#include "base/fs.h"
#include "fix/manifest.h"

/* The last interrupted one of this machine's; NULL: none. Somebody may be at it
 * right now: only who holds the lock knows that nobody is. */
const struct kr_manifest *kr_recover_find(struct kr_fs *fs,
                                          const struct kr_manifests *manifests);

/* Warns in DIAG where there is one. 0 or -ENOMEM. */
int kr_recover_report(struct kr_fs *fs, struct kr_diag *diag);

/*
 * Takes back what an interrupted one left, file by file: our bytes are replaced
 * by the old ones from its copies, a file that was made goes, what somebody
 * else wrote since stays (a warning), new contents that lie beside their
 * targets go. The record then says "undone". The caller holds the lock. 0;
 * 1: there was nothing to do; an errno, with words.
 */
int kr_recover_run(struct kr_fs *fs, struct kr_diag *diag);

#define KR_HISTORY_MAX 10

/*
 * Removes folders in which a run began and came to nothing, and of the records
 * of finished ones all but the last N_KEPT. The caller holds the lock. 0 or an
 * errno.
 */
int kr_recover_tidy(struct kr_fs *fs, size_t n_kept);
