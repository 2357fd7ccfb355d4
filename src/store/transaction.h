/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The files of one fix, replaced so that each is wholly old or wholly new at
 * every instant, and put back the same way.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/edit.h"
#include "base/fs.h"
#include "store/manifest.h"

struct kr_transaction;

struct kr_transaction_about {
	const char *unit;
	const char *config; /* that was named instead of the one found; NULL */
	const char *invocation_id;   /* of kubelet's unit; NULL: not known */
	const char *disk_before;     /* what is on the disk, in a word */
	const char *const *controls; /* the names of those it is for */
	const char *const *values;   /* what each has on the disk; NULL */
	const char *edition;         /* that they are judged by; NULL */
	size_t n_controls;
	bool partly; /* others that were asked for are left as they are */
	/* the fix that is undone, of which a record stays, and none of
	 * this; NULL: this is a fix */
	const struct kr_manifest *undone;
	unsigned number; /* in the history */
};

/*
 * Whether every file of EDITS can be replaced, as far as a look tells: it is
 * what was read, has one name, is not immutable; a file to be made is not
 * there; the folders can be written, and there is room (store/space). Nothing
 * is written. As kr_transaction_prepare().
 */
int kr_transaction_check(struct kr_fs *fs, const struct kr_edits *edits,
                         struct kr_diag *diag);
/* The same without the room: 0; 1: it cannot, with words; -ENOMEM. */
int kr_transaction_check_files(struct kr_fs *fs, const struct kr_edits *edits,
                               struct kr_diag *diag);
/* The same for who only foretells: no file is read once more, and no lease is
 * taken, which a process that opens the file could meet. */
int kr_transaction_look(struct kr_fs *fs, const struct kr_edits *edits,
                        struct kr_diag *diag);

/*
 * Writes the new content of every file of EDITS beside its target, complete,
 * with owner, mode, ACL and xattrs, and fsynced; and the copies that a way back
 * needs below /var/lib/kubelet-remedy. No target is touched yet. EDITS and FS
 * must live longer. Of a file whose mode or owner alone changes nothing is
 * written. KR_CHANGE_DONE; STALE, OPEN, EXISTS; ACL, where mode or owner are to
 * change, and LINKED, IMMUTABLE, SET_ID, where these alone are; -EMLINK: a hard
 * link; -EPERM: immutable; -EROFS, -ENOSPC, -EACCES, ...; DIAG names the path;
 * TAKEN. On failure all that was written is removed again.
 */
int kr_transaction_prepare(struct kr_fs *fs, const struct kr_edits *edits,
                           const struct kr_transaction_about *about,
                           struct kr_diag *diag, struct kr_transaction **ret);

/*
 * Whether the change is still ours: a recovery that was tired of us
 * (fix/rescue) may have taken it away, or may take it away at any moment. It is
 * asked before each call on the bus that does anything, and after each step
 * that has failed: a change that is not ours is not put back, nor is kubelet
 * restarted. A change that has come to its end is ours for ever.
 */
bool kr_transaction_is_mine(const struct kr_transaction *tx);

/* The next phase begins, which takes USEC at most: a run that is not at its end
 * by then is stuck, and may be ended. */
void kr_transaction_extend(struct kr_transaction *tx, uint64_t usec);

/*
 * Exchanges all files, in the order of the edits, and fsyncs the folders. The
 * old ones stay at hand. KR_CHANGE_DONE; STALE, OPEN, EXISTS, or an errno: not
 * all could be replaced, those that had been were put back; STUCK: not even
 * that, DIAG names the copies; TAKEN.
 */
int kr_transaction_commit(struct kr_transaction *tx, struct kr_diag *diag);

/* Why it is put back, where no kubelet disliked it: for the history. 0 or
 * -ENOMEM. */
int kr_transaction_note_why(struct kr_transaction *tx, const char *why);

/*
 * Puts every file back as it was, the very inode where it is at hand: bytes,
 * owner, mode, ACL, xattrs, which are compared; files that were made go. What
 * others wrote over ours stays, with a warning. REASON, why it was not
 * liked, is kept with it; NULL: it was not disliked, and may be tried again.
 * KR_CHANGE_DONE; STUCK: DIAG names the files and the copies; TAKEN.
 */
int kr_transaction_revert(struct kr_transaction *tx, const char *reason,
                          struct kr_diag *diag);

/*
 * After a revert that did not fail, and when kubelet has the old files: until
 * then who finds us killed must see to it. The record says that they were
 * put back, and the new contents go; what of that fails is said in DIAG.
 */
void kr_transaction_reverted(struct kr_transaction *tx, struct kr_diag *diag);

/*
 * The change was put back, or is going to be, for the control NAME: its record
 * says so. After kr_transaction_reverted() it is written once more; it needs
 * that it was put back for a reason. 0; -ENOMEM; another errno, with words.
 */
int kr_transaction_blame(struct kr_transaction *tx, const char *name,
                         struct kr_diag *diag);

/* How many files a revert has left to others who had written them. */
size_t kr_transaction_n_foreign(const struct kr_transaction *tx);

/* The path of a file that others have written since the commit, and that
 * was not put back; NULL: all are ours. */
const char *kr_transaction_find_foreign(const struct kr_transaction *tx);

/* The change is going to be kept, and kubelet is not healthy with it. */
void kr_transaction_note_broken(struct kr_transaction *tx);

/* The change stands: from here on only undo puts it back. The old files go.
 * KR_CHANGE_DONE; an errno, with words: the record does not say that it stands;
 * TAKEN. */
int kr_transaction_keep(struct kr_transaction *tx, struct kr_diag *diag);

/* Removes the record of an undo that was kept: that of its fix says so now. It
 * stays for the next run where it is not at its end or files beside the others
 * could not be removed; a failure is said in DIAG. */
void kr_transaction_forget(struct kr_transaction *tx, struct kr_diag *diag);

/* After the change that undoes M: M, whose record stays, gets the ctimes
 * that files changed in place have by it. */
void kr_transaction_note_ctimes(const struct kr_transaction *tx,
                                struct kr_manifest *m);

/* The folder's name below /var/lib/kubelet-remedy: time and a random part. */
const char *kr_transaction_id(const struct kr_transaction *tx);

/* Removes what prepare() left where commit() was not called, or failed. One
 * that neither was kept nor put back is left as if the program had been killed.
 */
struct kr_transaction *kr_transaction_free(struct kr_transaction *tx);
DEFINE_FREEP(struct kr_transaction, kr_transaction_free);
#define _cleanup_transaction_ _cleanup_(kr_transaction_freep)
