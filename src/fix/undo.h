/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * undo: what a fix changed is put back later.
 */

#include "fix/fix.h"
#include "store/manifest.h"

/*
 * Reverts transaction ID (or the one of this number in the history, or the
 * only one that begins so), or the last that stands where ID is NULL. The
 * outcome UNCHANGED means that there is nothing to undo. OPTIONS: dry_run,
 * restart (auto: when kubelet was started after the fix), wait_usec, tick. 0,
 * or -ENOMEM.
 */
int kr_undo_run(const struct kr_node_options *node_options,
                const struct kr_fix_options *options, const char *id,
                struct kr_diag *diag, struct kr_fix **ret);

enum kr_undoable {
	KR_UNDO_POSSIBLE,
	KR_UNDO_NOTHING, /* all of it is gone already */
	KR_UNDO_REFUSED,
	KR_UNDO_FOREIGN, /* another machine's */
	_KR_UNDOABLE_MAX,
};

/* "possible", "nothing", "refused", "foreign". */
const char *kr_undoable_to_string(enum kr_undoable undoable);

/*
 * The edits that take MANIFEST's fix back from the files as they are now: our
 * bytes where a file is as we left it; our span alone where it has been changed
 * besides; nothing where our edit is gone; the mode and owner that it had,
 * where it has ours. LIST: all records, MANIFEST among them: an edit is found
 * where the later ones left it; NULL: there are no others. RET_REASON is a
 * static sentence of all but POSSIBLE, DIAG names the files. RET_LATER: of
 * REFUSED the id, of LIST, of the fix that must go first, or NULL.
 * EDITS and RET_LATER may be NULL. The outcome, or an errno.
 */
int kr_undo_edits(struct kr_fs *fs, const struct kr_manifests *list,
                  const struct kr_manifest *manifest, struct kr_diag *diag,
                  struct kr_edits *edits, const char **ret_reason,
                  const char **ret_later);
