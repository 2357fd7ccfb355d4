/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The history: each record, and what undo would say to it. Only a fix that
 * stands can be undone.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fix/history.h"

static const char *const not_standing[] = {
	[KR_MANIFEST_PREPARED] = "it was interrupted",
	[KR_MANIFEST_REPLACING] = "it was interrupted",
	[KR_MANIFEST_COMMITTED] = "it was interrupted",
	[KR_MANIFEST_PUT_BACK] = "it was put back",
	[KR_MANIFEST_UNDONE] = "it was undone",
};

static int judge(struct kr_fs *fs, struct kr_history_entry *entry)
{
	const struct kr_manifest *m = entry->manifest;
	int r;

	if (m->state != KR_MANIFEST_KEPT) {
		entry->undo = KR_UNDO_NOTHING;
		entry->reason = not_standing[m->state];
		return 0;
	}
	r = kr_undo_edits(fs, m, NULL, NULL, &entry->reason);
	if (r == -ENOMEM)
		return r;
	entry->undo = r < 0 ? KR_UNDO_REFUSED : (enum kr_undoable)r;
	if (r < 0)
		entry->reason = "a file of it cannot be read";
	return 0;
}

int kr_history_read(struct kr_fs *fs, struct kr_diag *diag,
                    struct kr_history *ret)
{
	_cleanup_history_ struct kr_history history = {0};
	int r = kr_manifests_read(fs, diag, &history.manifests);

	if (r < 0)
		return r;
	history.entries =
		calloc(history.manifests.n_items + 1, sizeof(*history.entries));
	if (!history.entries)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < history.manifests.n_items; i++) {
		history.entries[i].manifest = &history.manifests.items[i];
		r = judge(fs, &history.entries[i]);
	}
	if (r < 0)
		return r;
	*ret = history;
	history = (struct kr_history){0};
	return 0;
}

void kr_history_done(struct kr_history *history)
{
	free(history->entries);
	kr_manifests_done(&history->manifests);
	*history = (struct kr_history){0};
}
