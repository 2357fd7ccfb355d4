/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The folder of a transaction below /var/lib/kubelet-remedy: its manifest, and
 * the old content of each file.
 */

#include "base/diag.h"
#include "base/edit.h"
#include "base/fs.h"
#include "store/manifest.h"

struct kr_record {
	struct kr_manifest manifest; /* its owner fills in all but id and time
	                              */
	int folder_fd;               /* -1: it is not made yet, or gone */
	struct kr_owner owner;       /* we are, from its making to its end */
	bool ended;                  /* it says that it has come to its end */
};

#define KR_RECORD_NONE                                                         \
	((struct kr_record){.folder_fd = -1, .owner = KR_OWNER_NONE})

/* Makes the folder, to the disk, and a new id, and becomes its owner for
 * KR_OWNER_USEC. 0 or an errno, with words. */
int kr_record_make(struct kr_record *record, struct kr_fs *fs,
                   struct kr_diag *diag);

/* Whether NAME is that of such a folder. */
bool kr_record_is_id(const char *name);

struct kr_record_content {
	const struct kr_file_edits *edits;
	const struct kr_file *after; /* the bytes that it gets */
	const char *temp; /* the name of what is going to lie beside it */
	int target_fd;    /* the old file; -1: none */
	const struct kr_manifest *undone; /* the fix that is undone; NULL:
	                                     this is a fix */
};

/*
 * Adds a file to the manifest, for which there is room, and keeps its old
 * content. 0 or an errno, with words.
 */
int kr_record_add(struct kr_record *record, struct kr_fs *fs,
                  const struct kr_record_content *content,
                  struct kr_diag *diag);

/* Whether no recovery has taken it away from us (store/owner); it has not where
 * it has come to its end. */
bool kr_record_is_mine(const struct kr_record *record);

/* Brings the manifest to the disk, in STATE; before the first one the mark of a
 * run that is not at its end. KR_CHANGE_DONE; KR_CHANGE_TAKEN: nothing is
 * written; an errno, with words. */
int kr_record_mark(struct kr_record *record, enum kr_manifest_state state,
                   struct kr_diag *diag);

/* Nothing is left to be done: we own it no more, and the mark goes. */
void kr_record_end(struct kr_record *record);

/* Removes the folder, and the mark. 0, also where there is none; an errno: the
 * manifest is still there. */
int kr_record_forget(struct kr_record *record);

/* Says that WHAT went wrong at PATH, in an error of the transaction. ERROR. */
int kr_record_fail(struct kr_diag *diag, const char *path, int error,
                   const char *what);

void kr_record_done(struct kr_record *record);
