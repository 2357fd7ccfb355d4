/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One file whose mode or owner is changed where it lies, and put back.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/edit.h"
#include "base/fs.h"
#include "store/manifest.h"
#include "store/swap.h"

struct kr_in_place {
	int dir_fd;
	int fd;              /* the file, open for reading */
	struct kr_known was; /* when it was opened */
	struct kr_perms_change change;
	char *path;          /* the node's */
	const char *name;    /* its last part, in PATH */
	bool touched;        /* it was changed, or may have been */
	uint64_t ctime_usec; /* after our last change; 0: there was none */
};

#define KR_IN_PLACE_NONE ((struct kr_in_place){.dir_fd = -1, .fd = -1})

/*
 * Whether the open file FD, which is at PATH, may get another mode or owner, as
 * far as a look tells: it has those that it is to have before, and no ACL.
 * KR_CHANGE_DONE, STALE or ACL, with words; an errno, with words. For a file
 * with edits of its bytes; kr_in_place_open() has looked.
 */
int kr_in_place_check(int fd, const char *path,
                      const struct kr_perms_change *change,
                      struct kr_diag *diag);

/* The same of the file of EDITS without reading it: whether mode and owner can
 * be changed. RET is open, and no more than that. */
int kr_in_place_look(struct kr_fs *fs, const struct kr_file_edits *edits,
                     struct kr_diag *diag, struct kr_in_place *ret);

/*
 * Opens the file of EDITS, which change its mode or owner and no byte. Nothing
 * is written. KR_CHANGE_DONE; STALE: it is not what was read; LINKED; ACL;
 * IMMUTABLE; SET_ID; an errno; with words.
 */
int kr_in_place_open(struct kr_fs *fs, const struct kr_file_edits *edits,
                     struct kr_diag *diag, struct kr_in_place *ret);

/*
 * Changes the file, to the disk, and looks at what became of it.
 * KR_CHANGE_DONE; STALE: others have changed or replaced it, up to the
 * very call; an errno; with words. TOUCHED says whether there is something to
 * be reverted.
 */
int kr_in_place_commit(struct kr_in_place *file, struct kr_diag *diag);

/*
 * Puts back what is ours of mode and owner, on the very inode. KR_CHANGE_DONE;
 * STALE: others have changed them since, given it an ACL, or put another file
 * there: that stands; an errno; with words.
 */
int kr_in_place_revert(struct kr_in_place *file, struct kr_diag *diag);

/* Whether others have changed mode or owner since kr_in_place_commit(), or have
 * put another file there. */
bool kr_in_place_is_foreign(const struct kr_in_place *file);

void kr_in_place_done(struct kr_in_place *file);
#define _cleanup_in_place_ _cleanup_(kr_in_place_done)

/*
 * Reverts what an interrupted run may have changed of FILE, as far as it is
 * ours; the rest stays, with a warning. It may be done twice. 0 or an errno.
 */
int kr_in_place_recover(struct kr_fs *fs, const struct kr_manifest_file *file,
                        struct kr_diag *diag);

/* After that: notes in FILE the ctime of the file that has its old mode and
 * owner again. */
void kr_in_place_note(struct kr_fs *fs, struct kr_manifest_file *file);
