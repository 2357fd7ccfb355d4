/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Recovery: the files of an interrupted run go back, each by what is found at
 * its names (fix/recover-file).
 *
 * It is always taken back, never finished: nobody was there to see whether
 * kubelet liked it. An interruption in here leaves the same record, and the
 * next run starts over: every step is one that may be done twice. So the record
 * is ended last, when kubelet is back on the old files, too.
 *
 * A run that had come to its end may have left files beside the others: as long
 * as the mark of such a run is there, they are looked for, and go.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "fix/boot-mark.h"
#include "fix/recover-file.h"
#include "fix/recover.h"

/* --- finding ------------------------------------------------------------- */

static bool is_interrupted(struct kr_fs *fs, const struct kr_manifest *m)
{
	return kr_manifest_is_pending(m->state) && kr_manifest_is_ours(fs, m);
}

const struct kr_manifest *kr_recover_find(struct kr_fs *fs,
                                          const struct kr_manifests *manifests)
{
	for (size_t i = manifests->n_items; i-- > 0;) {
		if (is_interrupted(fs, &manifests->items[i]))
			return &manifests->items[i];
	}
	return NULL;
}

int kr_recover_is_due(struct kr_fs *fs, const struct kr_manifests *manifests)
{
	return kr_recover_find(fs, manifests) ? 1 : kr_boot_mark_is_set(fs);
}

/* The last run left the mark, and its record does not tell what it did. 1, 0 or
 * an errno. */
static int is_unknown(struct kr_fs *fs, const struct kr_manifests *list)
{
	return list->last_is_unread ? kr_boot_mark_is_set(fs) : 0;
}

/* The last run: nobody begins another one before that is tidy. */
static const struct kr_manifest *find_last(struct kr_fs *fs,
                                           const struct kr_manifests *manifests)
{
	for (size_t i = manifests->n_items; i-- > 0;) {
		if (kr_manifest_is_ours(fs, &manifests->items[i]))
			return &manifests->items[i];
	}
	return NULL;
}

static bool is_there(int dir_fd, const char *name)
{
	return name && faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* It has come to its end, but for what lies beside its files, or for a folder
 * that was made for one. */
static bool is_untidy(struct kr_fs *fs, const struct kr_manifest *m)
{
	for (size_t i = 0; i < m->n_files; i++) {
		const struct kr_manifest_file *f = &m->files[i];
		const char *name;
		_cleanup_close_ int fd = kr_fs_open_parent(fs, f->path, &name);

		if (fd >= 0 &&
		    (is_there(fd, f->temp) || is_there(fd, f->back) ||
		     (f->folder && !is_there(fd, name))))
			return true;
	}
	return false;
}

int kr_recover_report(struct kr_fs *fs, struct kr_diag *diag)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	const struct kr_manifest *m;
	int r = kr_manifests_read(fs, NULL, &list);

	if (r < 0) /* the folder is root's: others cannot tell */
		return r == -ENOMEM ? r : 0;
	m = kr_recover_find(fs, &list);
	if (m) {
		kr_diag_add(diag, KR_WARNING, "interrupted", KR_SPAN_NONE,
		            "the run %s has not come to its end: unless it is "
		            "still at work, the next fix or undo takes back "
		            "what it left",
		            m->id);
		return 0;
	}
	if (is_unknown(fs, &list) == 1) {
		kr_diag_add(diag, KR_WARNING, "interrupted", KR_SPAN_NONE,
		            "the run %s may not have come to its end, and its "
		            "record cannot be read",
		            list.last_unread);
		return 0;
	}
	m = kr_boot_mark_is_set(fs) == 1 ? find_last(fs, &list) : NULL;
	if (m && is_untidy(fs, m))
		kr_diag_add(diag, KR_WARNING, "interrupted", KR_SPAN_NONE,
		            "the run %s ended before it had tidied up: unless "
		            "it is still at work, the next fix or undo removes "
		            "the old files beside the new ones",
		            m->id);
	return 0;
}

/* --- one run ------------------------------------------------------------- */

static int recover(struct kr_fs *fs, struct kr_manifest *m,
                   struct kr_diag *diag)
{
	int r = 0;

	for (size_t i = m->n_files; r == 0 && i-- > 0;) {
		r = kr_recover_file(fs, m, &m->files[i], diag);
		if (r < 0 && r != -ENOMEM)
			kr_diag_add_path(
				diag, KR_ERROR, "recover", m->files[i].path,
				"what an interrupted run left cannot "
				"be taken back (%s): its old content "
				"is " KR_STATE_DIR "/%s/%s",
				strerror(-r), m->id,
				m->files[i].copy ? m->files[i].copy : "");
	}
	return r;
}

static int mark_undone(struct kr_fs *fs, struct kr_manifest *m,
                       struct kr_diag *diag)
{
	_cleanup_free_ char *path = kr_path_join(KR_STATE_DIR, m->id);
	_cleanup_close_ int folder_fd = -1;
	int r;

	if (!path)
		return -ENOMEM;
	folder_fd = kr_fs_open_folder(fs, path);
	m->state = KR_MANIFEST_UNDONE;
	free(m->reason);
	m->reason = strdup("it was interrupted");
	if (!m->reason)
		return -ENOMEM;
	r = folder_fd < 0 ? folder_fd : kr_manifest_write(folder_fd, m);
	if (r == 0)
		kr_diag_add(diag, KR_NOTE, "recovered", KR_SPAN_NONE,
		            "the run %s was interrupted: what it had changed "
		            "was taken back",
		            m->id);
	else if (r != -ENOMEM)
		kr_diag_add_path(diag, KR_ERROR, "recover", path,
		                 "its record cannot be written: %s",
		                 strerror(-r));
	return r;
}

/* What one that had come to its end left beside its files. */
static int tidy(struct kr_fs *fs, const struct kr_manifest *m,
                struct kr_diag *diag)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->n_files; i++) {
		r = kr_recover_tidy_file(fs, &m->files[i]);
		if (r < 0 && r != -ENOMEM)
			kr_diag_add_path(diag, KR_ERROR, "recover",
			                 m->files[i].path,
			                 "what lies beside it cannot be "
			                 "removed: %s",
			                 strerror(-r));
	}
	return r;
}

static void clear_mark(struct kr_fs *fs)
{
	_cleanup_close_ int fd = kr_fs_open_folder(fs, KR_STATE_DIR);

	if (fd >= 0)
		kr_boot_mark_clear(fd);
}

/* STEP on each interrupted one; how many there were, or an errno. */
static int each(struct kr_fs *fs, struct kr_manifests *list,
                int (*step)(struct kr_fs *, struct kr_manifest *,
                            struct kr_diag *),
                struct kr_diag *diag)
{
	int n = 0, r = 0;

	/* the last one first: it saw what the one before had left */
	for (size_t i = list->n_items; r == 0 && i-- > 0;) {
		if (!is_interrupted(fs, &list->items[i]))
			continue;
		n++;
		r = step(fs, &list->items[i], diag);
	}
	return r < 0 ? r : n;
}

/* What the last one left that had come to its end. */
static int tidy_last(struct kr_fs *fs, const struct kr_manifests *list,
                     struct kr_diag *diag)
{
	const struct kr_manifest *last;
	int r = kr_boot_mark_is_set(fs);

	if (r < 0 && r != -ENOMEM)
		kr_diag_add_path(diag, KR_ERROR, "recover", KR_STATE_DIR,
		                 "whether a run has come to its end cannot be "
		                 "told: %s",
		                 strerror(-r));
	if (r <= 0)
		return r;
	last = find_last(fs, list);
	return last && !kr_manifest_is_pending(last->state)
	               ? tidy(fs, last, diag)
	               : 0;
}

/* Nothing goes on as if it had come to its end: who can read it, a newer
 * version or a human, must find the mark and the old files. */
static int check_unknown(struct kr_fs *fs, const struct kr_manifests *list,
                         struct kr_diag *diag)
{
	_cleanup_free_ char *path =
		kr_path_join(KR_STATE_DIR, list->last_unread);
	int r = path ? is_unknown(fs, list) : -ENOMEM;

	if (r <= 0)
		return r;
	kr_diag_add_path(diag, KR_ERROR, "recover", path,
	                 "holds the record of a run that may not have come to "
	                 "its end, and that is incomplete or of a newer "
	                 "version: the old files lie there, and when kubelet's "
	                 "are as they should be, that folder must be removed");
	return -EBADMSG;
}

int kr_recover_run(struct kr_fs *fs, struct kr_diag *diag)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	int r = kr_manifests_read(fs, diag, &list);

	if (r == 0)
		r = check_unknown(fs, &list, diag);
	if (r == 0)
		r = tidy_last(fs, &list, diag);
	if (r == 0)
		r = each(fs, &list, recover, diag);
	if (r == 0)
		clear_mark(fs);
	return r < 0 ? r : r == 0;
}

int kr_recover_end(struct kr_fs *fs, struct kr_diag *diag)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	int r = kr_manifests_read(fs, diag, &list);

	if (r == 0)
		r = each(fs, &list, mark_undone, diag);
	if (r < 0)
		return r;
	clear_mark(fs);
	return 0;
}
