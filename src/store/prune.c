/* SPDX-License-Identifier: Apache-2.0 */

/* What is kept in /var/lib/kubelet-remedy does not grow for ever. */

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/files.h"
#include "store/manifest.h"
#include "store/prune.h"
#include "store/record.h"

/* Removes the folder of ID with all that is in it, the manifest first. */
static int remove_record(struct kr_fs *fs, const char *id)
{
	_cleanup_free_ char *path = kr_path_join(KR_STATE_DIR, id);

	/* a record without its manifest is one that came to nothing */
	return path ? kr_remove_folder(fs, path, "manifest.json") : -ENOMEM;
}

/* M, which may be NULL, as it is known now. */
static int write_again(struct kr_fs *fs, const struct kr_manifest *m)
{
	_cleanup_free_ char *path =
		m ? kr_path_join(KR_STATE_DIR, m->id) : NULL;
	_cleanup_close_ int fd = -1;

	if (!m)
		return 0;
	fd = path ? kr_fs_open_folder(fs, path) : -ENOMEM;
	return fd < 0 ? fd : kr_manifest_write(fd, m, NULL);
}

static int remove_unborn(struct kr_fs *fs, const struct kr_dir_entry *entry)
{
	_cleanup_free_ char *folder = kr_path_join(KR_STATE_DIR, entry->name);
	_cleanup_free_ char *path =
		folder ? kr_path_join(folder, "manifest.json") : NULL;
	struct stat st;
	int r;

	if (!path)
		return -ENOMEM;
	if (entry->type != DT_DIR || !kr_record_is_id(entry->name))
		return 0;
	r = kr_fs_look(fs, path, false, &st);
	return r == -ENOENT ? remove_record(fs, entry->name) : 0;
}

/* What a kill has left of an undo that ended: its fix's record gets what LIST
 * says of it, and its own goes. */
static int end_undos(struct kr_fs *fs, const struct kr_manifests *list)
{
	int r = 0;

	KR_EACH(const struct kr_manifest, m, list->items, list->n_items) {
		if (!kr_manifest_is_ended_undo(m))
			continue;
		r = write_again(fs, kr_manifests_find(list, m->undoes));
		if (r >= 0)
			r = remove_record(fs, m->id);
		if (r < 0)
			return r;
	}
	return r;
}

/* By when they were made, or undone: the number of the last one is in use. */
static int compare(const void *a, const void *b)
{
	const struct kr_manifest *const *x = a, *const *y = b;
	unsigned last_x =
		(*x)->undone_number ? (*x)->undone_number : (*x)->number;
	unsigned last_y =
		(*y)->undone_number ? (*y)->undone_number : (*y)->number;

	return (last_x < last_y) - (last_x > last_y);
}

/* A record of an older version gets the numbers that it has now: where others
 * go it would have other ones. The last goes first: until all have theirs,
 * those before it count back from it. */
static int note_numbers(struct kr_fs *fs, const struct kr_manifests *list)
{
	for (size_t i = list->n_rows; i-- > 0;) {
		const struct kr_manifest_row *row = &list->rows[i];
		struct kr_manifest *m = row->manifest;
		unsigned *number = row->undo && !m->undoes ? &m->undone_number
		                                           : &m->number;
		int r;

		if (*number > 0)
			continue;
		*number = row->number;
		r = write_again(fs, m);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Those that are not needed, the last one first, which the caller frees. 0 or
 * -ENOMEM. */
static int find_unneeded(struct kr_fs *fs, const struct kr_manifests *list,
                         kr_stands_t stands, struct kr_manifest ***ret,
                         size_t *ret_n)
{
	_cleanup_free_ struct kr_manifest **found =
		calloc(list->n_items + 1, sizeof(struct kr_manifest *));
	size_t n = 0;

	if (!found)
		return -ENOMEM;
	for (size_t i = 0; i < list->n_items; i++) {
		struct kr_manifest *m = &list->items[i];
		int r = kr_manifest_is_pending(m->state) ||
		                        kr_manifest_is_ended_undo(m)
		                ? 1
		        : m->state == KR_MANIFEST_KEPT ? stands(fs, list, m)
		                                       : 0;

		if (r < 0)
			return r;
		if (r == 0)
			found[n++] = m;
	}
	*ret = TAKE_PTR(found);
	*ret_n = n;
	return 0;
}

static int prune(struct kr_fs *fs, const struct kr_manifests *list,
                 kr_stands_t stands)
{
	_cleanup_free_ struct kr_manifest **unneeded = NULL;
	size_t n = 0;
	int r;

	/* whether a fix stands is read from its files and copies */
	if (list->n_items <= KR_HISTORY_MAX)
		return 0;
	r = find_unneeded(fs, list, stands, &unneeded, &n);
	if (r < 0 || n <= KR_HISTORY_MAX)
		return r;
	r = note_numbers(fs, list);
	if (r < 0)
		return r;
	qsort(unneeded, n, sizeof(*unneeded), compare);
	for (size_t i = n; r >= 0 && i-- > KR_HISTORY_MAX;)
		r = remove_record(fs, unneeded[i]->id);
	return r;
}

int kr_prune(struct kr_fs *fs, const struct kr_manifests *list,
             kr_stands_t stands)
{
	_cleanup_dir_ struct kr_dir dir = {0};
	int r = kr_fs_list(fs, KR_STATE_DIR, &dir);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < dir.n_entries; i++) {
		r = remove_unborn(fs, &dir.entries[i]);
		if (r < 0)
			return r;
	}
	r = end_undos(fs, list);
	return r < 0 ? r : prune(fs, list, stands);
}
