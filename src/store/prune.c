/* SPDX-License-Identifier: Apache-2.0 */

/* What is kept in /var/lib/kubelet-remedy does not grow for ever. */

#include <dirent.h>
#include <errno.h>

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

static int prune(struct kr_fs *fs, size_t n_kept)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	size_t n = 0;
	int r = kr_manifests_read(fs, NULL, &list);

	if (r < 0)
		return r;
	for (size_t i = list.n_items; i-- > 0;) {
		if (kr_manifest_is_pending(list.items[i].state) ||
		    ++n <= n_kept)
			continue;
		r = remove_record(fs, list.items[i].id);
		if (r < 0)
			return r;
	}
	return 0;
}

int kr_prune(struct kr_fs *fs, size_t n_kept)
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
	return prune(fs, n_kept);
}
