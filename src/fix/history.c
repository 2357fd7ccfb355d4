/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The history: each fix, and what undo would say to it, and each undo, by which
 * a fix stands no more. Only a fix that stands can be undone. Of a run that is
 * not at its end it is said what becomes of it (host/interrupted).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fix/history.h"

static int open_manager(const struct kr_node *node, struct kr_manager **ret)
{
	const struct kr_manager_options options = {.root = node->root};
	_cleanup_diag_ struct kr_diag ignored = {0};
	int r = node->live ? kr_manager_open(&options, &ignored, ret) : 0;

	return r == -ENOMEM ? r : 0;
}

static int tell(struct kr_node *node, struct kr_history_entry *entry)
{
	_cleanup_manager_ struct kr_manager *manager = NULL;
	_cleanup_free_ char *text = NULL;
	int r = open_manager(node, &manager);

	if (r < 0)
		return r;
	r = kr_interrupted_look(node->fs, node->proc_fd, manager,
	                        entry->manifest, &entry->run);
	if (r < 0)
		return r;
	text = kr_interrupted_describe(&entry->run);
	if (!text || asprintf(&entry->told, "it %s", text) < 0) {
		entry->told = NULL;
		return -ENOMEM;
	}
	entry->undo = KR_UNDO_NOTHING;
	entry->reason = entry->told;
	return 0;
}

const char *kr_history_outcome(const struct kr_history_entry *entry)
{
	switch (entry->manifest->state) {
	case KR_MANIFEST_KEPT:
		return entry->manifest->broken   ? "broken"
		       : entry->manifest->partly ? "partly-fixed"
		                                 : "fixed";
	case KR_MANIFEST_PUT_BACK:
		return "rolled-back";
	case KR_MANIFEST_UNDONE:
		/* an interrupted run is put back without a word against it */
		return entry->manifest->by_hand ? "undone" : "rolled-back";
	default:
		return entry->run.state == KR_INTERRUPTED_NOT ? "running"
		                                              : "interrupted";
	}
}

/* Of what stands no more. */
static int tell_end(struct kr_history_entry *entry)
{
	const struct kr_manifest *m = entry->manifest;
	const bool undone = m->state == KR_MANIFEST_UNDONE && m->by_hand;

	entry->undo = KR_UNDO_NOTHING;
	entry->reason = undone && entry->is_undo
	                        ? "it is an undo: a fix makes the change again"
	                : undone ? "it was undone"
	                         : "it was put back";
	if (undone || !m->reason)
		return 0;
	if (asprintf(&entry->told, "it was put back: %s", m->reason) < 0) {
		entry->told = NULL;
		return -ENOMEM;
	}
	entry->reason = entry->told;
	return 0;
}

static int judge(struct kr_node *node, const struct kr_manifests *list,
                 struct kr_history_entry *entry)
{
	const struct kr_manifest *m = entry->manifest;
	struct kr_fs *fs = node->fs;
	int r;

	if (kr_manifest_is_pending(m->state))
		return tell(node, entry);
	if (m->state != KR_MANIFEST_KEPT)
		return tell_end(entry);
	r = kr_undo_edits(fs, list, m, NULL, NULL, &entry->reason, NULL);
	if (r == -ENOMEM)
		return r;
	entry->undo = r < 0 ? KR_UNDO_REFUSED : (enum kr_undoable)r;
	if (r < 0)
		entry->reason = "a file of it cannot be read";
	return 0;
}

int kr_history_read(const struct kr_node_options *options, struct kr_diag *diag,
                    struct kr_history *ret)
{
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_history_ struct kr_history history = {0};
	int r = kr_node_open(options, diag, &node);

	if (r < 0)
		return r;
	r = kr_manifests_read(node->fs, diag, &history.manifests);
	if (r < 0)
		return r;
	history.entries =
		calloc(history.manifests.n_rows + 1, sizeof(*history.entries));
	if (!history.entries)
		return -ENOMEM;
	while (history.n_entries < history.manifests.n_rows) {
		const struct kr_manifest_row *row =
			&history.manifests.rows[history.n_entries];
		struct kr_history_entry *entry =
			&history.entries[history.n_entries++];

		entry->manifest = row->manifest;
		entry->is_undo = row->undo;
		entry->realtime_usec = row->realtime_usec;
		entry->number = row->number;
		r = judge(node, &history.manifests, entry);
		if (r < 0)
			return r;
	}
	*ret = history;
	history = (struct kr_history){0};
	return 0;
}

void kr_history_done(struct kr_history *history)
{
	for (size_t i = 0; i < history->n_entries; i++)
		free(history->entries[i].told);
	free(history->entries);
	kr_manifests_done(&history->manifests);
	*history = (struct kr_history){0};
}
