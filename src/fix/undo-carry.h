/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where the edits of a fix stand now, and whose its modes and owners are.
 */

#include "base/fs.h"
#include "store/manifest.h"

enum kr_carried {
	KR_CARRIED_STANDS, /* its text is at OFFSET, LENGTH bytes */
	KR_CARRIED_GONE,   /* others have changed or rewritten it */
	KR_CARRIED_BACK,   /* the same, and what it had replaced is back */
	KR_CARRIED_TAKEN,  /* the later fix BY has changed the very bytes */
	KR_CARRIED_TWICE,  /* its lines, at OFFSET, stand there several times */
};

struct kr_carry {
	enum kr_carried state;
	size_t offset, length;
	const char *by; /* the id, as in the list */
};

/*
 * Follows the edits of FILE, which MANIFEST did, through what the fixes of LIST
 * (oldest first; MANIFEST is in it, or it is NULL) did to that file before and
 * since, to NOW. RET has room for each of the edits. FILE's record must fit its
 * copy. 0; KR_MALFORMED: the record of a later fix does not fit its copy; other
 * errnos.
 */
int kr_undo_carry(struct kr_fs *fs, const struct kr_manifests *list,
                  const struct kr_manifest *manifest,
                  const struct kr_manifest_file *file,
                  const struct kr_file *now, struct kr_carry *ret);

/*
 * Which of the fixes of LIST after MANIFEST gave the last mode or owner to what
 * FILE of MANIFEST gave one, and stands; NULL: none. RET_LEFT: what the file
 * has since, by these fixes.
 */
const struct kr_manifest *kr_undo_carry_perms(
	const struct kr_manifests *list, const struct kr_manifest *manifest,
	const struct kr_manifest_file *file, struct kr_perms *ret_left);
