/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is kept of a fix in /var/lib/kubelet-remedy/ID/: its list of files and
 * how far it came (manifest.json), and the old content of each file.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/diag.h"
#include "base/edit.h"
#include "base/fs.h"
#include "base/span.h"
#include "base/vec.h"
#include "store/change.h"
#include "store/owner.h"

#define KR_TRANSACTION_ID_SIZE 40

enum kr_manifest_state {
	KR_MANIFEST_PREPARED,  /* the new contents are being written, no file is
	                          replaced yet */
	KR_MANIFEST_REPLACING, /* the new contents are complete, not all files
	                          need be replaced */
	KR_MANIFEST_COMMITTED, /* all are, kubelet has not shown yet that it is
	                          healthy */
	KR_MANIFEST_KEPT,      /* the fix stands */
	KR_MANIFEST_PUT_BACK,  /* kubelet did not like it: the old files */
	KR_MANIFEST_UNDONE,    /* undone later */
	_KR_MANIFEST_STATE_MAX,
};

/* "prepared", "replacing", "committed", "kept", "put-back", "undone". */
const char *kr_manifest_state_to_string(enum kr_manifest_state state);

/* A run in this state has not come to its end. */
bool kr_manifest_is_pending(enum kr_manifest_state state);

struct kr_manifest_file {
	char *path; /* the node's, links resolved */
	char *copy; /* name of the old content beside the manifest; NULL: the
	               file was made, or changed in place */
	/* the topmost folder that was made for it, in an undo by the fix: that
	 * and those below it go again when they are empty; NULL: it was there
	 */
	char *folder;
	bool removed;                    /* the file was taken away */
	char before[KR_SHA256_HEX_SIZE]; /* "" for a file that was made */
	char after[KR_SHA256_HEX_SIZE];  /* "" for a file that was removed */
	/* names beside the target, for recovery: of the new content, then of
	 * the old file; and of a copy on its way back, NULL in older
	 * records, in which the first never is that of the old file */
	char *temp, *back;
	struct kr_edit *edits; /* of the old content; none: mode or owner were
	                        * changed in place, and there is no copy */
	size_t n_edits;
	struct kr_perms_change perms; /* beside the edits, or without any */
	/* of a file that was changed in place, after our last change of it, the
	 * way back included; 0: not known */
	uint64_t ctime_usec;
};

/* Whether it was changed in place (kr_file_edits_in_place()). */
static inline bool kr_manifest_file_in_place(const struct kr_manifest_file *f)
{
	return f->n_edits == 0;
}

struct kr_manifest {
	char id[KR_TRANSACTION_ID_SIZE];
	uint64_t realtime_usec; /* of its beginning */
	/* the invocation of kubelet's unit then; NULL: not known */
	char *invocation_id;
	char *machine_id; /* NULL: the node has none */
	char *unit;
	char *config; /* the config file that --config named; NULL */
	enum kr_manifest_state state;
	char *disk_before; /* what was on the disk, in the caller's word */
	/* the controls that it was made for; none: an older record, which was
	 * for makeIPTablesUtilChains */
	struct kr_strings controls;
	char *edition; /* of the benchmark that they were judged by; NULL */
	/* what each of them had on the disk, a word or a value; none: an older
	 * record */
	struct kr_strings values;
	char *reason; /* why it was put back; NULL */
	/* which of the controls it was put back for; NULL: unknown */
	char *blamed;
	bool by_hand; /* "undone": it was asked for */
	/* when that was, realtime; 0: it was not, or in an older record */
	uint64_t undone_usec;
	bool partly; /* of what was asked for, others were left */
	bool broken; /* kept, though kubelet is not healthy with it */
	/* its number in the history and that of its undo, for ever; 0: not yet,
	 * or in an older record */
	unsigned number, undone_number;
	char *undoes; /* the id of the fix that it is the undo of; NULL */
	struct kr_manifest_file *files;
	size_t n_files;
};

/*
 * Writes manifest.json into the folder, atomically and to the disk. OWNER is
 * who works at it; NULL: none, or the caller has just made it.
 * KR_CHANGE_DONE; KR_CHANGE_TAKEN: it stays as it is; -ENOMEM: the same, since
 * no part of a record is left out; other errnos.
 */
int kr_manifest_write(int folder_fd, const struct kr_manifest *manifest,
                      const struct kr_owner *owner);

/* Takes away what another owner, which may go on at any moment, was about to
 * rename to manifest.json: its token has been taken away before. 0 or an
 * errno. */
int kr_manifest_take_new(int folder_fd);

/* Reads the one of ID. 0; -ENOENT; KR_MALFORMED: not a manifest;
 * -EPROTONOSUPPORT: one of a newer version; other errnos. */
int kr_manifest_read(struct kr_fs *fs, const char *id, struct kr_manifest *ret);
void kr_manifest_done(struct kr_manifest *manifest);
#define _cleanup_manifest_ _cleanup_(kr_manifest_done)

/* An undo that came to its end. Its record goes once that of its fix says so
 * (kr_transaction_forget()): until then it tells of no change of its own. */
bool kr_manifest_is_ended_undo(const struct kr_manifest *manifest);

/* Whether it was made on this machine, as far as the machine ids tell. */
bool kr_manifest_is_ours(struct kr_fs *fs, const struct kr_manifest *manifest);

/* What the history has a row of: a fix, or the undo of one. */
struct kr_manifest_row {
	struct kr_manifest *manifest; /* borrowed: the fix's; of an undo that
	                               * came to no end, its own */
	bool undo;
	uint64_t realtime_usec;
	unsigned number; /* the record's; that of an older one is its place */
};

struct kr_manifests {
	struct kr_manifest *items; /* oldest first */
	size_t n_items;
	struct kr_manifest_row *rows; /* by number */
	size_t n_rows;
	/* what came after them all holds a record that is not ours */
	bool last_is_unread;
	char last_unread[KR_TRANSACTION_ID_SIZE];
};

/* All of the node's. A fix whose undo came to its end is "undone" in it, also
 * where the undo was killed before it noted that (kr_prune() does then). What
 * is no manifest is a warning in DIAG. 0, or an errno with words: a record that
 * is there and cannot be read is an error, since an interrupted run may be what
 * it tells of. */
int kr_manifests_read(struct kr_fs *fs, struct kr_diag *diag,
                      struct kr_manifests *ret);
/* The last one of this machine that did the very changes of EDITS to these
 * bytes, with this mode and owner where they are changed; or NULL. */
const struct kr_manifest *kr_manifests_find_same(
	const struct kr_manifests *list, struct kr_fs *fs,
	const struct kr_edits *edits);

/*
 * The last record of this machine in which the control NAME was to blame and
 * the change was put back; NULL: there is none, or a later change of NAME
 * stands or was undone by hand.
 */
const struct kr_manifest *kr_manifests_find_blamed(
	const struct kr_manifests *list, struct kr_fs *fs, const char *name);

/*
 * The last one of this machine that was put back without a control to blame,
 * and that a plan for more controls (NAMES) contains: it was for some of these,
 * and EDITS do to the same bytes what it did, the values too. NULL: there is
 * none, or a change of all its controls stands or was undone by hand since.
 */
const struct kr_manifest *kr_manifests_find_contained(
	const struct kr_manifests *list, struct kr_fs *fs,
	const struct kr_edits *edits, const char *const *names, size_t n_names);

/*
 * The same without a plan: one for controls that are all among NAMES, whose
 * files FS has as they were. A fix of NAMES would be refused, unless it writes
 * other values.
 */
const struct kr_manifest *kr_manifests_find_put_back(
	const struct kr_manifests *list, struct kr_fs *fs,
	const char *const *names, size_t n_names);

/* Whether CTIME is the one that the file at PATH, the node's with links
 * resolved, has by a change of its mode or owner that one of these made or
 * reverted: then it is untouched since. */
bool kr_manifests_changed_ctime(const struct kr_manifests *list,
                                const char *path, const struct timespec *ctime);

/* The row of NUMBER, or NULL. */
const struct kr_manifest_row *kr_manifests_find_row(
	const struct kr_manifests *list, unsigned number);

/* The number of the next fix or undo. */
unsigned kr_manifests_next_number(const struct kr_manifests *list);

/* The one of ID, or NULL. */
struct kr_manifest *kr_manifests_find(const struct kr_manifests *manifests,
                                      const char *id);

void kr_manifests_done(struct kr_manifests *manifests);
#define _cleanup_manifests_ _cleanup_(kr_manifests_done)

/* The old content of FILE of transaction ID, which is the caller's: beside the
 * file itself it could be more than a view of files holds. 0 or an errno. */
int kr_manifest_copy(struct kr_fs *fs, const char *id,
                     const struct kr_manifest_file *file, struct kr_file **ret);

/* The node's machine id, which the caller frees; NULL: it has none. 0 or
 * -ENOMEM. */
int kr_machine_id(struct kr_fs *fs, char **ret);
