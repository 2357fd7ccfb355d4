/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The fixes made on a node, and what can be undone. */

#include "base/diag.h"
#include "fix/manifest.h"
#include "fix/undo.h"

struct kr_history_entry {
	const struct kr_manifest *manifest; /* borrowed from the list */
	enum kr_undoable undo;
	const char *reason; /* static; NULL where undo is possible */
};

struct kr_history {
	struct kr_manifests manifests;
	struct kr_history_entry *entries; /* one a manifest, oldest first */
};

/* Reads the history of the node whose files are FS's. 0 or an errno, with
 * words. */
int kr_history_read(struct kr_fs *fs, struct kr_diag *diag,
                    struct kr_history *ret);
void kr_history_done(struct kr_history *history);
#define _cleanup_history_ _cleanup_(kr_history_done)
