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

/* Whether kr_recover_run() may have something to do. 1, 0 or an errno. */
int kr_recover_is_due(struct kr_fs *fs, const struct kr_manifests *manifests);

/* Warns in DIAG where there is one. 0 or -ENOMEM. */
int kr_recover_report(struct kr_fs *fs, struct kr_diag *diag);

/*
 * Takes back what an interrupted one left, file by file: our bytes are replaced
 * by the old ones, a file that was made goes, what somebody else wrote stays (a
 * warning), what lies beside the files goes. Its record stays as it is until
 * kr_recover_end(). The caller holds the lock. 0; 1: there was nothing to take
 * back; an errno: not all is; with words.
 */
int kr_recover_run(struct kr_fs *fs, struct kr_diag *diag);

/*
 * What kr_recover_run() took back is over, and kubelet has the old files: the
 * records say "undone" from here on. Whoever is killed before leaves it to the
 * next run. 0 or an errno, with words.
 */
int kr_recover_end(struct kr_fs *fs, struct kr_diag *diag);
