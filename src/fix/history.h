/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The fixes made on a node, and what can be undone. */

#include "base/diag.h"
#include "fix/undo.h"
#include "host/interrupted.h"
#include "node/node.h"
#include "store/manifest.h"

struct kr_history_entry {
	const struct kr_manifest *manifest; /* borrowed from the list */
	bool is_undo;                       /* of that fix */
	uint64_t realtime_usec;
	unsigned number; /* that undo takes */
	enum kr_undoable undo;
	const char *reason; /* static, or TOLD; NULL where undo is possible */
	/* of a run that is not at its end */
	struct kr_interrupted run;
	char *told; /* also of one that was put back: why */
};

struct kr_history {
	struct kr_manifests manifests;
	struct kr_history_entry *entries; /* oldest first */
	size_t n_entries;
};

/* What became of ENTRY: "fixed", "partly-fixed", "broken", "rolled-back",
 * "undone", "interrupted", or "running". */
const char *kr_history_outcome(const struct kr_history_entry *entry);

/* Reads the history of a node; where a run is not at its end its systemd is
 * asked, too. 0 or an errno, with words. */
int kr_history_read(const struct kr_node_options *options, struct kr_diag *diag,
                    struct kr_history *ret);
void kr_history_done(struct kr_history *history);
#define _cleanup_history_ _cleanup_(kr_history_done)
