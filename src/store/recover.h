/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A fix or undo that was interrupted: killed, or the power went. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/diag.h"
#include "base/fs.h"
#include "store/manifest.h"

/* The last interrupted one of this machine's; NULL: none. A run may be at it
 * right now: only who holds the lock knows that none does. */
const struct kr_manifest *kr_recover_find(struct kr_fs *fs,
                                          const struct kr_manifests *manifests);

/* Whether kr_recover_run() may have something to do. 1, 0 or an errno. */
int kr_recover_is_due(struct kr_fs *fs, const struct kr_manifests *manifests);

/* The last run left the mark, and its record does not tell what it did. 1, 0 or
 * an errno. */
int kr_recover_is_unknown(struct kr_fs *fs,
                          const struct kr_manifests *manifests);

/* The last run, where that has come to its end but for what lies beside its
 * files; NULL: it has tidied up. */
const struct kr_manifest *kr_recover_find_untidy(
	struct kr_fs *fs, const struct kr_manifests *manifests);

enum kr_recovered {
	KR_RECOVERED,
	KR_RECOVERED_NOTHING, /* there was nothing to revert */
	KR_RECOVERED_BUSY,    /* another one is about it, with words */
};

/* From the reverting of the files to its end: the records are ours,
 * no other run goes on with them. */
struct kr_recovery {
	uint64_t usec; /* in: what it may take */
	/* in: who wrote a record may live and go on at any moment, and the
	 * caller does not hold the lock; PASSED is the file "owner" of that */
	bool passes;
	struct stat passed;

	struct kr_claimed *claimed; /* one a record */
	size_t n_claimed;
};

void kr_recovery_done(struct kr_recovery *recovery);
#define _cleanup_recovery_ _cleanup_(kr_recovery_done)

/*
 * Reverts what an interrupted one left, file by file: our bytes are replaced
 * by the old ones, a file that was made goes, what others wrote stays (a
 * warning), what lies beside the files goes. Its record stays as it is until
 * kr_recover_end(). The caller holds the lock, or passes its holder. All is
 * read from the disk, whatever FS has read before. An enum kr_recovered; an
 * errno: not all is reverted, with words.
 */
int kr_recover_run(struct kr_fs *fs, struct kr_recovery *recovery,
                   struct kr_diag *diag);

/* The next phase of it takes USEC. */
void kr_recovery_extend(struct kr_recovery *recovery, uint64_t usec);

/*
 * What kr_recover_run() reverted is over, and kubelet has the old files: the
 * records say "undone" from here on. A run that is killed before leaves it to
 * the next run. 0 or an errno, with words.
 */
int kr_recover_end(struct kr_fs *fs, struct kr_recovery *recovery,
                   struct kr_diag *diag);
