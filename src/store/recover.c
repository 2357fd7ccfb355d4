/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Recovery: the files of an interrupted run go back, each by what is found at
 * its names (store/recover-file).
 *
 * It is always reverted, never finished: nothing was there to see whether
 * kubelet liked it. An interruption in here leaves the same record, and the
 * next run starts over: every step may be done twice. So the record
 * is ended last, when kubelet is back on the old files, too.
 *
 * A run that had come to its end may have left files beside the others: as long
 * as the mark of such a run is there, they are looked for, and go.
 *
 * Each record is claimed first (store/owner), and only then read: a run that is
 * passed by may have moved it on until its token was gone. It may still leave
 * something beside the files when it goes on, so that the mark stays for who
 * has the lock after it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "store/boot-mark.h"
#include "store/files.h"
#include "store/in-place.h"
#include "store/recover-file.h"
#include "store/recover.h"

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

int kr_recover_is_unknown(struct kr_fs *fs, const struct kr_manifests *list)
{
	return list->last_is_unread ? kr_boot_mark_is_set(fs) : 0;
}

/* The last run: no other one begins before that is tidy. */
static const struct kr_manifest *find_last(struct kr_fs *fs,
                                           const struct kr_manifests *manifests)
{
	for (size_t i = manifests->n_items; i-- > 0;) {
		if (kr_manifest_is_ours(fs, &manifests->items[i]))
			return &manifests->items[i];
	}
	return NULL;
}

static bool is_path_there(struct kr_fs *fs, const char *path)
{
	const char *name;
	_cleanup_close_ int fd = kr_fs_open_parent(fs, path, &name);

	return fd >= 0 && kr_is_there(fd, name);
}

/* What lies beside F, or a folder that was made for F, which is not there.
 * Several folders go one by one, from the innermost. */
static bool leaves(struct kr_fs *fs, const struct kr_manifest_file *f)
{
	const char *name;
	_cleanup_close_ int fd = kr_fs_open_parent(fs, f->path, &name);

	if (fd >= 0 && kr_recover_lies_beside(fd, f))
		return true;
	return f->folder && !(fd >= 0 && kr_is_there(fd, name)) &&
	       is_path_there(fs, f->folder);
}

/* It has come to its end, but for what lies beside its files, or for a folder
 * that was made for one. */
static bool is_untidy(struct kr_fs *fs, const struct kr_manifest *m)
{
	return KR_ANY(f, m->files, m->n_files, leaves(fs, f));
}

const struct kr_manifest *kr_recover_find_untidy(
	struct kr_fs *fs, const struct kr_manifests *manifests)
{
	const struct kr_manifest *m = NULL;

	if (manifests->n_items > 0 && kr_boot_mark_is_set(fs) == 1)
		m = find_last(fs, manifests);
	return m && is_untidy(fs, m) ? m : NULL;
}

/* Says that WHAT failed, unless for want of memory. R. */
static int fail(struct kr_diag *diag, const char *path, int r, const char *what)
{
	if (r < 0 && r != -ENOMEM)
		kr_diag_add_path(diag, KR_ERROR, "recover", path, "%s: %s",
		                 what, strerror(-r));
	return r;
}

/* --- whose it is --------------------------------------------------------- */

struct kr_claimed {
	char id[KR_TRANSACTION_ID_SIZE];
	int folder_fd;
	struct kr_owner owner;
};

void kr_recovery_done(struct kr_recovery *recovery)
{
	for (size_t i = 0; i < recovery->n_claimed; i++) {
		kr_owner_done(&recovery->claimed[i].owner);
		close(recovery->claimed[i].folder_fd);
	}
	free(recovery->claimed);
	recovery->claimed = NULL;
	recovery->n_claimed = 0;
}

void kr_recovery_extend(struct kr_recovery *recovery, uint64_t usec)
{
	for (size_t i = 0; i < recovery->n_claimed; i++)
		kr_owner_extend(&recovery->claimed[i].owner, usec);
}

static struct kr_claimed *find_claimed(const struct kr_recovery *recovery,
                                       const char *id)
{
	return KR_FIND(recovery->claimed, recovery->n_claimed, id, id);
}

/* FOLDER_FD is taken from the caller. */
static int claim_folder(struct kr_recovery *recovery, const char *id,
                        int *folder_fd)
{
	struct kr_claimed *c =
		KR_VEC_NEXT(recovery->claimed, recovery->n_claimed);
	int r;

	if (!c)
		return -ENOMEM;
	*c = (struct kr_claimed){.folder_fd = -1};
	r = kr_owner_claim(*folder_fd,
	                   recovery->passes ? &recovery->passed : NULL,
	                   recovery->usec, &c->owner);
	if (r != KR_CLAIM_MADE)
		return r;
	strlcpy(c->id, id, sizeof(c->id));
	c->folder_fd = TAKE_FD(*folder_fd);
	recovery->n_claimed++;
	return kr_manifest_take_new(c->folder_fd);
}

static int claim(struct kr_fs *fs, struct kr_recovery *recovery, const char *id,
                 struct kr_diag *diag)
{
	_cleanup_free_ char *path = kr_path_join(KR_STATE_DIR, id);
	_cleanup_close_ int fd = -1;
	int r;

	if (!path)
		return -ENOMEM;
	fd = kr_fs_open_folder(fs, path);
	r = fd < 0 ? fd : claim_folder(recovery, id, &fd);
	if (r == KR_CLAIM_BUSY)
		kr_diag_add_path(diag, KR_ERROR, "busy", path,
		                 "another run of this program is reverting it");
	return fail(diag, path, r,
	            "cannot be taken over from the run that was interrupted");
}

/* What was read before may be another one by now. */
static int read_anew(struct kr_fs *fs, struct kr_diag *diag,
                     struct kr_fs **ret_now, struct kr_manifests *ret)
{
	int r = kr_fs_new(kr_fs_root_fd(fs), ret_now);

	if (r < 0)
		return fail(diag, KR_STATE_DIR, r,
		            "what an interrupted run left cannot be looked at");
	return kr_manifests_read(*ret_now, diag, ret);
}

/* An enum kr_claim, or an errno. */
static int claim_all(struct kr_fs *fs, struct kr_recovery *recovery,
                     struct kr_diag *diag)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_fs_ struct kr_fs *now = NULL;
	int r = read_anew(fs, diag, &now, &list);

	if (r < 0)
		return r;
	for (size_t i = 0; i < list.n_items; i++) {
		const char *id = list.items[i].id;

		if (!is_interrupted(now, &list.items[i]) ||
		    find_claimed(recovery, id))
			continue;
		r = claim(now, recovery, id, diag);
		if (r != KR_CLAIM_MADE)
			return r;
	}
	return KR_CLAIM_MADE;
}

/* --- one run ------------------------------------------------------------- */

static void say_not_taken_back(const struct kr_manifest *m,
                               const struct kr_manifest_file *f, int error,
                               struct kr_diag *diag)
{
	char mode[KR_MODE_SIZE], owner[KR_OWNER_SIZE];

	if (error == KR_MALFORMED) {
		kr_diag_add_path(diag, KR_ERROR, "recover", f->path,
		                 "what an interrupted run left cannot be "
		                 "reverted: its old content in " KR_STATE_DIR
		                 "/%s/%s is damaged",
		                 m->id, f->copy ? f->copy : "");
		return;
	}
	if (!kr_manifest_file_in_place(f)) {
		kr_diag_add_path(
			diag, KR_ERROR, "recover", f->path,
			"what an interrupted run left cannot be "
			"reverted (%s): its old content is " KR_STATE_DIR
			"/%s/%s",
			strerror(-error), m->id, f->copy ? f->copy : "");
		return;
	}
	kr_mode_format(f->perms.from.mode, mode);
	kr_owner_describe(&f->perms.from, owner);
	kr_diag_add_path(diag, KR_ERROR, "recover", f->path,
	                 "the mode and owner that an interrupted run left "
	                 "cannot be reverted (%s): before it had %s, %s",
	                 strerror(-error), mode, owner);
}

static int recover(struct kr_fs *fs, struct kr_recovery *recovery,
                   struct kr_manifest *m, struct kr_diag *diag)
{
	for (size_t i = m->n_files; i-- > 0;) {
		const struct kr_manifest_file *f = &m->files[i];
		int r = kr_recover_file(fs, m, f, recovery->passes, diag);

		if (r < 0 && r != -ENOMEM)
			say_not_taken_back(m, f, r, diag);
		if (r < 0)
			return r;
	}
	return 0;
}

static int mark_undone(struct kr_fs *fs, struct kr_recovery *recovery,
                       struct kr_manifest *m, struct kr_diag *diag)
{
	struct kr_claimed *c = find_claimed(recovery, m->id);
	_cleanup_free_ char *path = kr_path_join(KR_STATE_DIR, m->id);
	int r;

	if (!path)
		return -ENOMEM;
	if (!c)
		return 0; /* nothing of it was reverted */
	for (size_t i = 0; i < m->n_files; i++) {
		if (kr_manifest_file_in_place(&m->files[i]))
			kr_in_place_note(fs, &m->files[i]);
	}
	m->state = KR_MANIFEST_UNDONE;
	free(m->reason);
	m->reason = strdup("it was interrupted");
	if (!m->reason)
		return -ENOMEM;
	r = kr_manifest_write(c->folder_fd, m, &c->owner);
	if (r == KR_CHANGE_TAKEN)
		r = -ECANCELED; /* for the words */
	if (r < 0)
		return fail(diag, path, r, "its record cannot be written");
	kr_owner_end(&c->owner, c->folder_fd);
	kr_diag_add(diag, KR_NOTE, "recovered", KR_SPAN_NONE,
	            "the run %s was interrupted: what it had changed was "
	            "reverted",
	            m->id);
	return 0;
}

/* What one that had come to its end left beside its files. */
static int tidy(struct kr_fs *fs, const struct kr_manifest *m,
                struct kr_diag *diag)
{
	for (size_t i = 0; i < m->n_files; i++) {
		int r = kr_recover_tidy_file(fs, &m->files[i]);

		if (r < 0)
			return fail(diag, m->files[i].path, r,
			            "what lies beside it cannot be removed");
	}
	return 0;
}

static void clear_mark(struct kr_fs *fs)
{
	_cleanup_close_ int fd = kr_fs_open_folder(fs, KR_STATE_DIR);

	if (fd >= 0)
		kr_boot_mark_clear(fd);
}

/* STEP on each interrupted one; how many there were, or an errno. */
static int each(struct kr_fs *fs, struct kr_recovery *recovery,
                struct kr_manifests *list,
                int (*step)(struct kr_fs *, struct kr_recovery *,
                            struct kr_manifest *, struct kr_diag *),
                struct kr_diag *diag)
{
	int n = 0;

	/* the last one first: it saw what the one before had left */
	for (size_t i = list->n_items; i-- > 0;) {
		int r;

		if (!is_interrupted(fs, &list->items[i]))
			continue;
		r = step(fs, recovery, &list->items[i], diag);
		if (r < 0)
			return r;
		n++;
	}
	return n;
}

/* What the last one left that had come to its end. */
static int tidy_last(struct kr_fs *fs, const struct kr_manifests *list,
                     struct kr_diag *diag)
{
	const struct kr_manifest *last;
	int r = kr_boot_mark_is_set(fs);

	if (r <= 0)
		return fail(diag, KR_STATE_DIR, r,
		            "whether a run has come to its end is unknown");
	last = find_last(fs, list);
	return last && !kr_manifest_is_pending(last->state)
	               ? tidy(fs, last, diag)
	               : 0;
}

/* Nothing goes on as if it had come to its end: the program that can read it, a
 * newer version or a human, must find the mark and the old files. */
static int check_unknown(struct kr_fs *fs, const struct kr_manifests *list,
                         struct kr_diag *diag)
{
	_cleanup_free_ char *path =
		kr_path_join(KR_STATE_DIR, list->last_unread);
	int r = path ? kr_recover_is_unknown(fs, list) : -ENOMEM;

	if (r <= 0)
		return r;
	kr_diag_add_path(diag, KR_ERROR, "recover", path,
	                 "holds the record of a run that may not have come to "
	                 "its end, and that is incomplete or of a newer "
	                 "version: the old files are there; once kubelet's "
	                 "files are correct, remove that folder");
	return -EBADMSG;
}

int kr_recover_run(struct kr_fs *fs, struct kr_recovery *recovery,
                   struct kr_diag *diag)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_fs_ struct kr_fs *now = NULL;
	int r = claim_all(fs, recovery, diag);

	if (r == KR_CLAIM_BUSY)
		return KR_RECOVERED_BUSY;
	if (r < 0)
		return r;
	r = read_anew(fs, diag, &now, &list);
	if (r < 0)
		return r;
	r = check_unknown(now, &list, diag);
	if (r < 0)
		return r;
	r = recovery->passes ? 0 : tidy_last(now, &list, diag);
	if (r < 0)
		return r;
	r = each(now, recovery, &list, recover, diag);
	if (r != 0)
		return r < 0 ? r : KR_RECOVERED;
	if (!recovery->passes)
		clear_mark(now);
	return KR_RECOVERED_NOTHING;
}

int kr_recover_end(struct kr_fs *fs, struct kr_recovery *recovery,
                   struct kr_diag *diag)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_fs_ struct kr_fs *now = NULL;
	int r = read_anew(fs, diag, &now, &list);

	if (r < 0)
		return r;
	r = each(now, recovery, &list, mark_undone, diag);
	if (r < 0)
		return r;
	if (!recovery->passes)
		clear_mark(now);
	return 0;
}
