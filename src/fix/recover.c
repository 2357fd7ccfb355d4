/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Recovery. The manifest was written before the first rename and names every
 * file with the hashes of its old and its new content, so each file tells by
 * itself whether it was replaced:
 *
 *   its content is the old one     nothing to do
 *   its content is the new one     the copy is put back, the same way
 *   anything else                  somebody wrote it since: it stays, said
 *
 * It is always taken back, never finished: nobody was there to see whether
 * kubelet liked it. An interruption in here leaves the same record, and the
 * next run starts over: every step is one that may be done twice.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "fix/boot-mark.h"
#include "fix/recover.h"
#include "fix/replace.h"

static bool is_pending(const struct kr_manifest *m)
{
	return m->state == KR_MANIFEST_PREPARED ||
	       m->state == KR_MANIFEST_COMMITTED;
}

const struct kr_manifest *kr_recover_find(struct kr_fs *fs,
                                          const struct kr_manifests *manifests)
{
	for (size_t i = manifests->n_items; i-- > 0;) {
		const struct kr_manifest *m = &manifests->items[i];

		if (is_pending(m) && kr_manifest_is_ours(fs, m))
			return m;
	}
	return NULL;
}

int kr_recover_report(struct kr_fs *fs, struct kr_diag *diag)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	const struct kr_manifest *m;
	int r = kr_manifests_read(fs, NULL, &list);

	if (r < 0) /* the folder is root's: others cannot tell */
		return r == -ENOMEM ? r : 0;
	m = kr_recover_find(fs, &list);
	if (m)
		kr_diag_add(diag, KR_WARNING, "interrupted", KR_SPAN_NONE,
		            "the run %s has not come to its end: unless it is "
		            "still at work, the next fix or undo takes back "
		            "what it left",
		            m->id);
	return 0;
}

static int remove_temp(struct kr_fs *fs, const struct kr_manifest_file *f)
{
	const char *name;
	_cleanup_close_ int fd = -1;

	if (!f->temp)
		return 0;
	fd = kr_fs_open_parent(fs, f->path, &name);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	return unlinkat(fd, f->temp, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int remove_made(struct kr_fs *fs, const struct kr_manifest_file *f)
{
	const char *name;
	_cleanup_close_ int fd = kr_fs_open_parent(fs, f->path, &name);

	if (fd < 0)
		return fd;
	if (unlinkat(fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	if (fsync(fd) < 0)
		return -errno;
	return f->folder ? kr_remove_empty_parents(fs, f->path, f->folder) : 0;
}

/* NOW is NULL for a file that was taken away. */
static int put_back(struct kr_fs *fs, const struct kr_manifest *m,
                    const struct kr_manifest_file *f, const struct kr_file *now,
                    struct kr_diag *diag)
{
	_cleanup_(kr_replacement_done) struct kr_replacement rep = {
		.dir_fd = -1, .target_fd = -1};
	struct kr_replacement_content content = {
		.metadata_fd = -1,
		.temp = f->temp,
	};
	_cleanup_close_ int dir_fd = -1, copy_fd = -1;
	const struct kr_file *old;
	const char *name;
	int r = kr_manifest_copy(fs, m->id, f, &old);

	if (r < 0)
		return r;
	dir_fd = kr_fs_open_parent(fs, old->real, &name);
	if (dir_fd < 0)
		return dir_fd;
	copy_fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (copy_fd < 0)
		return -errno;
	/* an undo takes a folder away, too */
	r = kr_make_parent(fs, f->path);
	if (r < 0)
		return r;
	content.data = old->data;
	content.size = old->size;
	content.metadata_fd = copy_fd;
	r = kr_replacement_write(fs, f->path, now, &content, diag, &rep);
	if (r == 0)
		r = kr_replacement_commit(&rep, diag);
	return r == 0 ? kr_replacement_sync(&rep, diag) : r;
}

static int recover_file(struct kr_fs *fs, const struct kr_manifest *m,
                        const struct kr_manifest_file *f, struct kr_diag *diag)
{
	const struct kr_file *now = NULL;
	int r = kr_fs_read(fs, f->path, &now);

	if (r < 0 && r != -ENOENT)
		return r;
	r = remove_temp(fs, f);
	if (r < 0)
		return r;
	if (!now && f->removed)
		return put_back(fs, m, f, NULL, diag);
	if (!now)
		return !f->copy && f->folder
		               ? kr_remove_empty_parents(fs, f->path, f->folder)
		               : 0;
	if (kr_file_has_hash(now, f->before))
		return 0;
	if (kr_file_has_hash(now, f->after))
		return f->copy ? put_back(fs, m, f, now, diag)
		               : remove_made(fs, f);
	kr_diag_add_path(diag, KR_WARNING, "recover-foreign", f->path,
	                 "was written by somebody else after the interruption "
	                 "and stays as it is");
	return 0;
}

static int recover(struct kr_fs *fs, struct kr_manifest *m,
                   struct kr_diag *diag)
{
	_cleanup_free_ char *path = kr_path_join(KR_STATE_DIR, m->id);
	_cleanup_close_ int folder_fd = -1;
	int r = path ? 0 : -ENOMEM;

	for (size_t i = m->n_files; r == 0 && i-- > 0;) {
		r = recover_file(fs, m, &m->files[i], diag);
		if (r < 0 && r != -ENOMEM)
			kr_diag_add_path(
				diag, KR_ERROR, "recover", m->files[i].path,
				"what an interrupted run left cannot "
				"be taken back (%s): its old content "
				"is %s/%s",
				strerror(-r), path,
				m->files[i].copy ? m->files[i].copy : "");
	}
	if (r < 0)
		return r;
	folder_fd = kr_fs_open_folder(fs, path);
	m->state = KR_MANIFEST_UNDONE;
	free(m->reason);
	m->reason = strdup("it was interrupted");
	r = folder_fd < 0 ? folder_fd : kr_manifest_write(folder_fd, m);
	if (r < 0)
		kr_diag_add_path(diag, KR_ERROR, "recover", path,
		                 "its record cannot be written: %s",
		                 strerror(-r));
	else
		kr_diag_add(diag, KR_NOTE, "recovered", KR_SPAN_NONE,
		            "the run %s was interrupted: what it had changed "
		            "was taken back",
		            m->id);
	return r;
}

static void clear_mark(struct kr_fs *fs)
{
	_cleanup_close_ int fd = kr_fs_open_folder(fs, KR_STATE_DIR);

	if (fd >= 0)
		kr_boot_mark_clear(fd);
}

int kr_recover_run(struct kr_fs *fs, struct kr_diag *diag)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	bool any = false;
	int r = kr_manifests_read(fs, diag, &list);

	/* the last one first: it saw what the one before had left */
	for (size_t i = list.n_items; r == 0 && i-- > 0;) {
		struct kr_manifest *m = &list.items[i];

		if (!is_pending(m) || !kr_manifest_is_ours(fs, m))
			continue;
		any = true;
		r = recover(fs, m, diag);
	}
	if (r < 0)
		return r;
	clear_mark(fs);
	return any ? 0 : 1;
}

/* --- tidying ------------------------------------------------------------- */

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
	_cleanup_stat_ struct kr_stat st = {0};
	int r;

	if (!path)
		return -ENOMEM;
	if (entry->type != DT_DIR)
		return 0;
	r = kr_fs_stat(fs, path, false, &st);
	return r == -ENOENT ? remove_record(fs, entry->name) : 0;
}

static int prune(struct kr_fs *fs, size_t n_kept)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	size_t n = 0;
	int r = kr_manifests_read(fs, NULL, &list);

	for (size_t i = list.n_items; r == 0 && i-- > 0;) {
		if (!is_pending(&list.items[i]) && ++n > n_kept)
			r = remove_record(fs, list.items[i].id);
	}
	return r;
}

int kr_recover_tidy(struct kr_fs *fs, size_t n_kept)
{
	_cleanup_dir_ struct kr_dir dir = {0};
	int r = kr_fs_list(fs, KR_STATE_DIR, &dir);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; r == 0 && i < dir.n_entries; i++)
		r = remove_unborn(fs, &dir.entries[i]);
	return r == 0 ? prune(fs, n_kept) : r;
}
