/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which other users can write what is edited, and what is ours. */

#include <stdbool.h>

#include "base/diag.h"
#include "base/edit.h"
#include "base/fs.h"

/*
 * Warns of each file of EDITS, and of each folder and link on its way, that
 * a user other than root can write, and so undo the change or make another one.
 * LIVE: FS is a running node; in an image, whose owners may be those of its
 * builder, the owner and group of its root folder are as root. What cannot be
 * looked at is not judged. 0 or -ENOMEM.
 */
int kr_others_warn(struct kr_fs *fs, const struct kr_edits *edits, bool live,
                   struct kr_diag *diag);

enum kr_others {
	KR_OTHERS_NONE,
	KR_OTHERS_WRITE, /* with words */
};

/*
 * Refuses FOLDER, one of ours that need not be there yet, where a user other
 * than root can write it, or a folder or link on its way, and so put anything
 * there: an error in DIAG names that. The user who runs this counts as root,
 * and so do owner and group of the root folder, who could replace all below it.
 * An enum kr_others; an errno, without words: it cannot be looked at.
 */
int kr_others_refuse(struct kr_fs *fs, const char *folder,
                     struct kr_diag *diag);
