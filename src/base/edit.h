/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A change is data: edits in spans of unchanged files, and another mode or
 * owner.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"
#include "base/perms.h"
#include "base/span.h"

/* LENGTH bytes from OFFSET of the file become TEXT (either may be empty). */
struct kr_edit {
	size_t offset;
	size_t length;
	char *text;  /* owned, NUL-terminated */
	char *about; /* what it is for: names, commas between them; NULL */
};

/* All edits of one file, in order of offset, none touching another. */
struct kr_file_edits {
	const struct kr_file *file; /* NULL: a file that is not there yet */
	char *path; /* the node's path of the file itself, links resolved */
	struct kr_edit *edits;
	size_t n_edits;
	bool remove; /* the file goes; the edits leave nothing of it */
	struct kr_perms_change perms; /* of a file that is there and stays */
	mode_t made_mode;             /* of a file that is made; 0: 0644 */
};

struct kr_edits {
	struct kr_file_edits *files;
	size_t n_files;
};

/*
 * Adds an edit. TEXT is copied. 0; KR_COLLIDES: it touches bytes that another
 * edit already changes (an edit that is there, word for word, is not an error
 * and not added again); -ENOMEM.
 */
int kr_edits_add(struct kr_edits *edits, struct kr_span span, const char *text);

/*
 * Cuts SPAN out. Unlike kr_edits_add() it may overlap or touch other cuts,
 * which then become one. 0; KR_COLLIDES: it touches bytes that an edit
 * replaces; -ENOMEM.
 */
int kr_edits_cut(struct kr_edits *edits, struct kr_span span);

/*
 * Makes one edit of each two that touch (a cut, and an insertion at its end),
 * so that each edit can be found again by its place and be reverted. 0 or
 * -ENOMEM.
 */
int kr_edits_join(struct kr_edits *edits);

/*
 * Adds MORE, edits of the files as EDITS leave them, so that EDITS alone lead
 * to what both led to. A file that EDITS do not know is the same in both: it
 * must live as long as they. 0; KR_COLLIDES: a file that goes is edited, or the
 * reverse, or both change a file's mode, or both its owner; -ENOMEM.
 * EDITS are of no use after an error.
 */
int kr_edits_then(struct kr_edits *edits, const struct kr_edits *more);

/* All edits of the file are for NAME, too. One that kr_edits_then() makes of
 * several is for all that these are. 0 or -ENOMEM. */
int kr_file_edits_tell(struct kr_file_edits *edits, const char *name);

/* The edit of SPAN is for NAMES, commas between them, too; NULL: for no others.
 * 0 or -ENOMEM. */
int kr_edits_tell(struct kr_edits *edits, struct kr_span span,
                  const char *names);

/* Adds a file at PATH that does not exist yet. 0, KR_COLLIDES, -ENOMEM. */
int kr_edits_create(struct kr_edits *edits, const char *path, const char *text);

/* The file goes. 0; KR_COLLIDES: it has edits or another mode or owner already;
 * -ENOMEM. */
int kr_edits_remove(struct kr_edits *edits, const struct kr_file *file);

/*
 * The file gets MODE, of which KR_PERMS_MASK counts, beside its edits or
 * without any. What it was is taken from FILE's stat. A mode that it has
 * already is no change. 0; KR_COLLIDES: it is to get another mode already, or
 * it goes; -EINVAL: FILE is an overlay's, of whose mode nothing is known;
 * -ENOMEM.
 */
int kr_edits_chmod(struct kr_edits *edits, const struct kr_file *file,
                   mode_t mode);

/* The file gets the owner UID and the group GID. As kr_edits_chmod(). */
int kr_edits_chown(struct kr_edits *edits, const struct kr_file *file,
                   uid_t uid, gid_t gid);

/* Whether only its mode or owner changes: the file itself stays, with its inode
 * and its bytes. */
bool kr_file_edits_in_place(const struct kr_file_edits *edits);

/* The same of all files, where there are any: nothing that reads them need do
 * so again. */
bool kr_edits_in_place(const struct kr_edits *edits);

/*
 * The file's bytes after the edits, NUL-terminated, RET_SIZE of them without
 * the NUL; the caller frees them. 0; -EINVAL: an edit lies outside the file, or
 * not behind the one before it; -ENOMEM.
 */
int kr_file_edits_apply(const struct kr_file_edits *edits, char **ret_data,
                        size_t *ret_size);

void kr_edits_done(struct kr_edits *edits);

#define _cleanup_edits_ _cleanup_(kr_edits_done)
