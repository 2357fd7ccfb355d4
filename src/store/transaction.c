/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The files of one fix. Its record (store/record) is written first, so that
 * whatever happens later can be known from the disk, the names of files that
 * lie about included:
 *
 *   every target opened and compared, its old content copied to the folder
 *   manifest "prepared", which names what is going to lie beside each target
 *   every new content beside its target, fsynced
 *   manifest "replacing": what lies beside the targets is complete
 *   the exchanges, in the plan's order; the folders fsynced
 *   manifest "committed"
 *   ... kubelet is looked at; the old files lie beside the new ones
 *   the exchanges once more, the folders fsynced     if kubelet is not healthy
 *   manifest "kept" or "put-back"
 *   what lies beside the targets is removed, the folders fsynced
 *   the mark of a run that is not at its end is taken away
 *
 * Both ways lie between two states that are on the disk, and neither needs room
 * there. A file that is to go is moved away, to come back the same way.
 *
 * A file whose mode or owner alone changes stays where it is, with its inode:
 * in its turn among the exchanges it is changed in place (store/in-place). One
 * with edits, too, has the new mode and owner from the beginning.
 *
 * Before each rename it is asked whether the record is still ours
 * (store/owner). What it moves to a name that others know lies there by then,
 * so that who takes the record away at that very moment can take that away,
 * too. Once it is not ours nothing is put back: only new contents of ours go.
 * Of a change in place nothing lies anywhere: there it is asked once more
 * behind the step, which is reverted at once where the record was taken away.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"
#include "store/files.h"
#include "store/in-place.h"
#include "store/record.h"
#include "store/replace.h"
#include "store/space.h"
#include "store/transaction.h"

#define OLD_SIZE 160 /* of a path below KR_STATE_DIR, in words */

struct target {
	const struct kr_file_edits *edits;
	struct kr_file after; /* the bytes it gets */
	struct kr_replacement replacement;
	struct kr_in_place in_place; /* where no byte changes, and not that */
	bool committed;
	bool foreign; /* others have written it since */
};

struct kr_transaction {
	struct kr_fs *fs;
	struct target *targets;
	size_t n_targets;
	struct kr_record record;
	const struct kr_manifest *undone;
	bool finished; /* commit() succeeded, or a revert did not */
	bool untidy;   /* what lies beside the files of one that was kept */
	bool refused;  /* reverted for a reason, whether or not that is known */
};

const char *kr_transaction_id(const struct kr_transaction *tx)
{
	return tx->record.manifest.id;
}

bool kr_transaction_is_mine(const struct kr_transaction *tx)
{
	return kr_record_is_mine(&tx->record);
}

void kr_transaction_extend(struct kr_transaction *tx, uint64_t usec)
{
	kr_owner_extend(&tx->record.owner, usec);
}

static struct kr_manifest_file *record_of(struct kr_transaction *tx,
                                          const struct target *t)
{
	return &tx->record.manifest.files[t - tx->targets];
}

static bool is_in_place(const struct target *t)
{
	return kr_file_edits_in_place(t->edits);
}

/* STEP on each target, until one is not done. */
static int each_target(struct kr_transaction *tx,
                       int (*step)(struct kr_transaction *, struct target *,
                                   struct kr_diag *),
                       struct kr_diag *diag)
{
	for (size_t i = 0; i < tx->n_targets; i++) {
		int r = step(tx, &tx->targets[i], diag);

		if (r != KR_CHANGE_DONE)
			return r;
	}
	return KR_CHANGE_DONE;
}

/* --- forward ------------------------------------------------------------- */

/* The old file, open and compared; what is to be made is not there yet. TEMP
 * NULL: it is a look, and nothing is compared. */
static int open_target(struct kr_fs *fs, const struct kr_file_edits *edits,
                       const char *temp, struct kr_diag *diag,
                       struct kr_replacement *ret)
{
	int r = temp ? kr_replacement_open(fs, edits->path, edits->file, temp,
	                                   diag, ret)
	             : kr_replacement_look(fs, edits->path, edits->file, diag,
	                                   ret);

	if (r != KR_CHANGE_DONE || !kr_perms_changes(&edits->perms))
		return r;
	return kr_in_place_check(ret->target_fd, edits->path, &edits->perms,
	                         diag);
}

static int prepare_in_place(struct kr_transaction *tx, struct target *t,
                            struct kr_diag *diag)
{
	const struct kr_record_content content = {
		.edits = t->edits,
		.after = t->edits->file,
		.target_fd = -1,
		.undone = tx->undone,
	};
	int r = kr_in_place_open(tx->fs, t->edits, diag, &t->in_place);

	if (r != KR_CHANGE_DONE)
		return r;
	return kr_record_add(&tx->record, tx->fs, &content, diag);
}

/* Nothing is written outside of the transaction's folder. */
static int prepare_target(struct kr_transaction *tx, struct target *t,
                          struct kr_diag *diag)
{
	char temp[KR_TEMP_SIZE];
	struct kr_record_content content = {
		.edits = t->edits,
		.after = &t->after,
		.temp = temp,
		.undone = tx->undone,
	};
	int r;

	if (is_in_place(t))
		return prepare_in_place(tx, t, diag);
	r = kr_file_edits_apply(t->edits, &t->after.data, &t->after.size);
	if (r < 0)
		return r;
	kr_replacement_name(temp);
	if (t->edits->file)
		r = open_target(tx->fs, t->edits, temp, diag, &t->replacement);
	if (r != KR_CHANGE_DONE)
		return r;
	content.target_fd = t->replacement.target_fd;
	return kr_record_add(&tx->record, tx->fs, &content, diag);
}

static int make_parent(struct kr_transaction *tx, struct target *t,
                       struct kr_diag *diag)
{
	const struct kr_manifest_file *file = record_of(tx, t);
	int r = file->folder ? kr_make_parent(tx->fs, t->edits->path) : 0;

	if (r < 0)
		return kr_record_fail(diag, file->folder, r, "cannot be made");
	return kr_replacement_open(tx->fs, t->edits->path, NULL, file->temp,
	                           diag, &t->replacement);
}

/* The new content, beside the target. A file that goes needs none. */
static int fill_target(struct kr_transaction *tx, struct target *t,
                       struct kr_diag *diag)
{
	const struct kr_perms made = {t->edits->made_mode, geteuid(),
	                              getegid()};
	const struct kr_replacement_content content = {
		.data = t->after.data,
		.size = t->after.size,
		.metadata_fd = -1,
		.perms = kr_perms_changes(&t->edits->perms)
	                         ? &t->edits->perms.to
	                 : made.mode && !t->edits->file ? &made
	                                                : NULL,
	};
	int r = t->edits->file ? KR_CHANGE_DONE : make_parent(tx, t, diag);

	if (r != KR_CHANGE_DONE || t->edits->remove || is_in_place(t))
		return r;
	return kr_replacement_fill(&t->replacement, &content, diag);
}

static int start(struct kr_transaction *tx,
                 const struct kr_transaction_about *about,
                 const struct kr_edits *edits)
{
	struct kr_manifest *m = &tx->record.manifest;
	int r = kr_machine_id(tx->fs, &m->machine_id);

	if (r < 0)
		return r;
	tx->undone = about->undone;
	m->partly = about->partly;
	m->number = about->number;
	m->undoes = about->undone ? strdup(about->undone->id) : NULL;
	m->disk_before = strdup(about->disk_before);
	m->unit = strdup(about->unit);
	m->config = about->config ? strdup(about->config) : NULL;
	m->invocation_id =
		about->invocation_id ? strdup(about->invocation_id) : NULL;
	m->edition = about->edition ? strdup(about->edition) : NULL;
	m->files = calloc(edits->n_files, sizeof(*m->files));
	tx->targets = calloc(edits->n_files, sizeof(*tx->targets));
	if (!m->unit || !m->disk_before || (about->config && !m->config) ||
	    !m->files || (about->invocation_id && !m->invocation_id) ||
	    (about->edition && !m->edition) || (about->undone && !m->undoes) ||
	    !tx->targets)
		return -ENOMEM;
	for (size_t i = 0; i < about->n_controls; i++) {
		r = kr_strings_add(&m->controls, about->controls[i]);
		if (r == 0 && about->values)
			r = kr_strings_add(&m->values, about->values[i]);
		if (r < 0)
			return r;
	}
	for (; tx->n_targets < edits->n_files; tx->n_targets++)
		tx->targets[tx->n_targets] = (struct target){
			.edits = &edits->files[tx->n_targets],
			.replacement = KR_REPLACEMENT_NONE,
			.in_place = KR_IN_PLACE_NONE,
		};
	return 0;
}

/* 1: the folder of a file that is to be made is to be made, too. */
static int lacks_folder(struct kr_fs *fs, const struct kr_file_edits *f)
{
	_cleanup_free_ char *missing = NULL;
	_cleanup_close_ int fd = -1;

	if (f->file)
		return 0;
	fd = kr_open_nearest(fs, f->path, &missing);
	return fd == -ENOMEM ? fd : missing != NULL;
}

/* TEMP as for open_target(). */
static int check_file(struct kr_fs *fs, const struct kr_file_edits *f,
                      const char *temp, struct kr_diag *diag)
{
	_cleanup_replacement_ struct kr_replacement rep = KR_REPLACEMENT_NONE;
	_cleanup_in_place_ struct kr_in_place in_place = KR_IN_PLACE_NONE;
	int r;

	if (kr_file_edits_in_place(f))
		return temp ? kr_in_place_open(fs, f, diag, &in_place)
		            : kr_in_place_look(fs, f, diag, &in_place);
	r = lacks_folder(fs, f);
	if (r != 0)
		return r < 0 ? r : KR_CHANGE_DONE;
	return open_target(fs, f, temp, diag, &rep);
}

static int check_files(struct kr_fs *fs, const struct kr_edits *edits,
                       const char *temp, struct kr_diag *diag)
{
	for (size_t i = 0; i < edits->n_files; i++) {
		int r = check_file(fs, &edits->files[i], temp, diag);

		if (r != KR_CHANGE_DONE)
			return r;
	}
	return KR_CHANGE_DONE;
}

int kr_transaction_check(struct kr_fs *fs, const struct kr_edits *edits,
                         struct kr_diag *diag)
{
	int r = check_files(fs, edits, "", diag);

	return r == KR_CHANGE_DONE ? kr_space_check(fs, edits, diag) : r;
}

/* For a caller that asks whether, not why. */
static int yes_or_no(int r)
{
	return r == KR_CHANGE_DONE || r == -ENOMEM ? r : 1;
}

int kr_transaction_check_files(struct kr_fs *fs, const struct kr_edits *edits,
                               struct kr_diag *diag)
{
	return yes_or_no(check_files(fs, edits, "", diag));
}

int kr_transaction_look(struct kr_fs *fs, const struct kr_edits *edits,
                        struct kr_diag *diag)
{
	return yes_or_no(check_files(fs, edits, NULL, diag));
}

int kr_transaction_prepare(struct kr_fs *fs, const struct kr_edits *edits,
                           const struct kr_transaction_about *about,
                           struct kr_diag *diag, struct kr_transaction **ret)
{
	_cleanup_transaction_ struct kr_transaction *tx =
		calloc(1, sizeof(*tx));
	int r;

	if (!tx)
		return -ENOMEM;
	tx->fs = fs;
	tx->record = KR_RECORD_NONE;
	r = start(tx, about, edits);
	if (r < 0)
		return r;
	r = kr_record_make(&tx->record, fs, diag);
	if (r < 0)
		return r;
	r = each_target(tx, prepare_target, diag);
	if (r != KR_CHANGE_DONE)
		return r;
	r = kr_record_mark(&tx->record, KR_MANIFEST_PREPARED, diag);
	if (r != KR_CHANGE_DONE)
		return r;
	r = each_target(tx, fill_target, diag);
	if (r != KR_CHANGE_DONE)
		return r;
	*ret = TAKE_PTR(tx);
	return KR_CHANGE_DONE;
}

static int commit_in_place(struct kr_transaction *tx, struct target *t,
                           struct kr_diag *diag)
{
	_cleanup_diag_ struct kr_diag ignored = {0};
	int r = kr_in_place_commit(&t->in_place, diag);

	if (!kr_transaction_is_mine(tx)) {
		if (t->in_place.touched)
			kr_in_place_revert(&t->in_place, &ignored);
		return KR_CHANGE_TAKEN;
	}
	t->committed = t->in_place.touched;
	record_of(tx, t)->ctime_usec = t->in_place.ctime_usec;
	return r;
}

static int commit_target(struct kr_transaction *tx, struct target *t,
                         struct kr_diag *diag)
{
	int r;

	if (!kr_transaction_is_mine(tx))
		return KR_CHANGE_TAKEN;
	if (is_in_place(t))
		return commit_in_place(tx, t, diag);
	r = kr_replacement_commit(&t->replacement, diag);
	t->committed = r == KR_CHANGE_DONE || r == KR_CHANGE_DISPLACED;
	return r;
}

static int sync_target(struct kr_transaction *tx, struct target *t,
                       struct kr_diag *diag)
{
	(void)tx;
	return is_in_place(t) ? KR_CHANGE_DONE
	                      : kr_replacement_sync(&t->replacement, diag);
}

static int commit(struct kr_transaction *tx, struct kr_diag *diag)
{
	int r = kr_record_mark(&tx->record, KR_MANIFEST_REPLACING, diag);

	if (r != KR_CHANGE_DONE)
		return r;
	r = each_target(tx, commit_target, diag);
	if (r != KR_CHANGE_DONE)
		return r;
	r = each_target(tx, sync_target, diag);
	if (r != KR_CHANGE_DONE)
		return r;
	return kr_record_mark(&tx->record, KR_MANIFEST_COMMITTED, diag);
}

int kr_transaction_commit(struct kr_transaction *tx, struct kr_diag *diag)
{
	_cleanup_diag_ struct kr_diag words = {0};
	int r = commit(tx, &words);

	tx->finished = r == KR_CHANGE_DONE;
	if (r != KR_CHANGE_DONE && !kr_transaction_is_mine(tx))
		return KR_CHANGE_TAKEN; /* that is why */
	kr_diag_merge(diag, &words);
	if (r == KR_CHANGE_DONE)
		return r;
	if (kr_transaction_revert(tx, "not all files could be replaced",
	                          diag) != KR_CHANGE_DONE)
		return KR_CHANGE_STUCK;
	kr_transaction_reverted(tx, diag);
	return r == KR_CHANGE_DISPLACED ? KR_CHANGE_STALE : r;
}

/* --- the end ------------------------------------------------------------- */

/* What lies beside the target goes, and the folders that were made for a file
 * that is not there. */
static int tidy_target(struct kr_transaction *tx, struct target *t)
{
	const struct kr_manifest_file *file = record_of(tx, t);
	bool lay = t->replacement.beside != KR_BESIDE_NOTHING;
	int r = kr_replacement_discard(&t->replacement);

	if (r < 0)
		return r;
	if (lay && fsync(t->replacement.dir_fd) < 0)
		return -errno;
	return kr_remove_empty_parents(tx->fs, file->path, file->folder);
}

/* A step that fails is tried once more: nothing comes after us before the next
 * run. 0; an errno: something is left, the mark stays. */
static int tidy(struct kr_transaction *tx)
{
	int result = 0;

	for (size_t i = tx->record.manifest.n_files; i-- > 0;) {
		int r = tidy_target(tx, &tx->targets[i]);

		if (r < 0)
			r = tidy_target(tx, &tx->targets[i]);
		if (r < 0)
			result = r;
	}
	return result;
}

/* The change has come to an end, which is on the disk: the rest is done by the
 * next run, too, where it cannot be done now. */
static int end(struct kr_transaction *tx, struct kr_diag *diag)
{
	int r = tidy(tx);

	if (r < 0)
		kr_diag_add_path(diag, KR_WARNING, "untidy",
		                 tx->record.manifest.files[0].path,
		                 "what was beside it (.kubelet-remedy-*) "
		                 "cannot be removed: %s",
		                 strerror(-r));
	else
		kr_record_end(&tx->record);
	return r;
}

void kr_transaction_note_ctimes(const struct kr_transaction *tx,
                                struct kr_manifest *m)
{
	const struct kr_manifest *ours = &tx->record.manifest;

	for (size_t i = 0; i < ours->n_files; i++) {
		for (size_t k = 0; k < m->n_files; k++) {
			if (ours->files[i].ctime_usec > 0 &&
			    strcmp(ours->files[i].path, m->files[k].path) == 0)
				m->files[k].ctime_usec =
					ours->files[i].ctime_usec;
		}
	}
}

void kr_transaction_note_broken(struct kr_transaction *tx)
{
	tx->record.manifest.broken = true;
}

int kr_transaction_keep(struct kr_transaction *tx, struct kr_diag *diag)
{
	enum kr_manifest_state state =
		tx->undone ? KR_MANIFEST_UNDONE : KR_MANIFEST_KEPT;
	int r;

	/* one that was interrupted is put back without that */
	tx->record.manifest.by_hand = tx->undone;
	r = kr_record_mark(&tx->record, state, diag);
	if (r == KR_CHANGE_DONE)
		tx->untidy = end(tx, diag) < 0;
	else
		tx->record.manifest.by_hand = false;
	return r;
}

void kr_transaction_forget(struct kr_transaction *tx, struct kr_diag *diag)
{
	int r = 0;

	if (tx->record.ended && !tx->untidy)
		r = kr_record_forget(&tx->record);
	if (r < 0)
		kr_diag_add_path(diag, KR_WARNING, "transaction", KR_STATE_DIR,
		                 "the record of this undo cannot be removed: "
		                 "%s",
		                 strerror(-r));
}

/* --- back ---------------------------------------------------------------- */

/* The old file is not at hand: a new one is made of what is kept of it. */
static int revert_by_copy(struct kr_transaction *tx, struct target *t,
                          struct stat *ret_it, struct kr_diag *diag)
{
	_cleanup_replacement_ struct kr_replacement back = KR_REPLACEMENT_NONE;
	const struct kr_manifest_file *file = record_of(tx, t);
	const struct kr_replacement_content content = {
		.data = t->edits->file->data,
		.size = t->edits->file->size,
		.metadata_fd = t->replacement.target_fd,
	};
	int r = kr_make_parent(tx->fs, t->edits->path);

	if (r < 0)
		return kr_record_fail(diag, t->edits->path, r,
		                      "its folder cannot be made");
	r = kr_replacement_write(tx->fs, t->edits->path,
	                         t->edits->remove ? NULL : &t->after,
	                         file->back, &content, diag, &back);
	if (r != KR_CHANGE_DONE)
		return r;
	if (!kr_transaction_is_mine(tx))
		return KR_CHANGE_TAKEN;
	r = kr_replacement_commit(&back, diag);
	if (r == KR_CHANGE_DONE)
		*ret_it = back.new.st;
	return r;
}

static int revert_target(struct kr_transaction *tx, struct target *t,
                         struct kr_diag *diag)
{
	bool theirs = t->replacement.beside == KR_BESIDE_THEIRS;
	struct stat it = t->replacement.was.st;
	int r;

	if (is_in_place(t)) {
		r = kr_in_place_revert(&t->in_place, diag);
		record_of(tx, t)->ctime_usec = t->in_place.ctime_usec;
		return r;
	}
	r = kr_replacement_revert(&t->replacement, diag);
	if (r == KR_CHANGE_NOT_AT_HAND)
		r = revert_by_copy(tx, t, &it, diag);
	if (r != KR_CHANGE_DONE)
		return r;
	if (t->edits->file && !theirs)
		r = kr_replacement_verify(&t->replacement, &it, diag);
	return r < 0 ? r : kr_replacement_sync(&t->replacement, diag);
}

/* Whether the target is others' by now. */
static bool is_foreign(const struct target *t)
{
	return is_in_place(t) ? kr_in_place_is_foreign(&t->in_place)
	                      : kr_replacement_is_foreign(&t->replacement);
}

/* Where the old file is, or what it was like: "its old content is ...". */
static void say_old(const struct kr_transaction *tx, const struct target *t,
                    char *ret, size_t size)
{
	const struct kr_perms *old = &t->edits->perms.from;
	char mode[KR_MODE_SIZE], owner[KR_OWNER_SIZE];

	if (!is_in_place(t)) {
		snprintf(ret, size, "its old content is %s/%s/%zu",
		         KR_STATE_DIR, tx->record.manifest.id,
		         (size_t)(t - tx->targets));
		return;
	}
	kr_mode_format(old->mode, mode);
	kr_owner_describe(old, owner);
	snprintf(ret, size, "before it had %s, %s", mode, owner);
}

/* What others wrote over ours stays, and is no failure of the way back. */
static int revert_unless_foreign(struct kr_transaction *tx, struct target *t,
                                 struct kr_diag *diag)
{
	_cleanup_diag_ struct kr_diag words = {0};
	char old[OLD_SIZE];
	int r = revert_target(tx, t, &words);

	t->foreign = (r == KR_CHANGE_STALE || r == KR_CHANGE_EXISTS) &&
	             (is_in_place(t) || is_foreign(t));
	if (!t->foreign) {
		kr_diag_merge(diag, &words);
		return r;
	}
	say_old(tx, t, old, sizeof(old));
	kr_diag_add_path(diag, KR_WARNING, "rewritten", t->edits->path,
	                 "was %s by others meanwhile and stays as it is: "
	                 "%s",
	                 is_in_place(t) ? "changed" : "written", old);
	return 0;
}

size_t kr_transaction_n_foreign(const struct kr_transaction *tx)
{
	size_t n = 0;

	for (size_t i = 0; i < tx->n_targets; i++)
		n += tx->targets[i].foreign;
	return n;
}

const char *kr_transaction_find_foreign(const struct kr_transaction *tx)
{
	KR_EACH(const struct target, t, tx->targets, tx->n_targets) {
		if (t->committed && is_foreign(t))
			return t->edits->path;
	}
	return NULL;
}

int kr_transaction_note_why(struct kr_transaction *tx, const char *why)
{
	struct kr_manifest *m = &tx->record.manifest;

	free(m->reason);
	m->reason = strdup(why);
	return m->reason ? 0 : -ENOMEM;
}

int kr_transaction_revert(struct kr_transaction *tx, const char *reason,
                          struct kr_diag *diag)
{
	int result = KR_CHANGE_DONE;

	/* the files count: for the words alone there may be no memory */
	tx->refused = reason != NULL;
	if (reason)
		kr_transaction_note_why(tx, reason);
	for (size_t i = tx->n_targets; i-- > 0;) {
		_cleanup_diag_ struct kr_diag words = {0};
		struct target *t = &tx->targets[i];
		char old[OLD_SIZE];
		int r = KR_CHANGE_DONE;

		if (!kr_transaction_is_mine(tx))
			return KR_CHANGE_TAKEN;
		if (t->committed)
			r = revert_unless_foreign(tx, t, &words);
		if (r != KR_CHANGE_DONE && !kr_transaction_is_mine(tx))
			return KR_CHANGE_TAKEN; /* that is why */
		kr_diag_merge(diag, &words);
		if (r == KR_CHANGE_DONE) {
			t->committed = false;
			continue;
		}
		result = KR_CHANGE_STUCK;
		tx->finished = true;
		say_old(tx, t, old, sizeof(old));
		kr_diag_add_path(diag, KR_ERROR, "not-put-back", t->edits->path,
		                 "could not be put back: %s", old);
	}
	if (result == KR_CHANGE_STUCK)
		tidy(tx);
	return result;
}

void kr_transaction_reverted(struct kr_transaction *tx, struct kr_diag *diag)
{
	enum kr_manifest_state state =
		tx->refused ? KR_MANIFEST_PUT_BACK : KR_MANIFEST_UNDONE;
	int r = kr_record_mark(&tx->record, state, diag);

	/* the files count: a record that cannot be written is said there */
	if (r < 0)
		tidy(tx);
	else if (r == KR_CHANGE_DONE)
		end(tx, diag);
}

int kr_transaction_blame(struct kr_transaction *tx, const char *name,
                         struct kr_diag *diag)
{
	struct kr_manifest *m = &tx->record.manifest;
	char *blamed = strdup(name);
	int r;

	if (!blamed)
		return -ENOMEM;
	free(m->blamed);
	m->blamed = blamed;
	if (!tx->record.ended || m->state != KR_MANIFEST_PUT_BACK)
		return 0;
	r = kr_manifest_write(tx->record.folder_fd, m, NULL);
	return r < 0 ? kr_record_fail(diag, KR_STATE_DIR, r,
	                              "which control it was put back for "
	                              "cannot be kept")
	             : 0;
}

/* The run that has it now takes the rest away, too; but a new content may have
 * come after that. An old file, which may be wanted, is not ours to remove. */
static void let_go(struct kr_transaction *tx)
{
	for (size_t i = 0; i < tx->n_targets; i++) {
		struct kr_replacement *rep = &tx->targets[i].replacement;

		if (rep->beside == KR_BESIDE_NEW)
			kr_replacement_discard(rep);
	}
}

struct kr_transaction *kr_transaction_free(struct kr_transaction *tx)
{
	if (!tx)
		return NULL;
	/* what is not on the disk must not come back without its record */
	if (!kr_transaction_is_mine(tx))
		let_go(tx);
	else if (!tx->finished && tidy(tx) == 0)
		kr_record_forget(&tx->record);
	for (size_t i = 0; i < tx->n_targets; i++) {
		kr_replacement_leave(&tx->targets[i].replacement);
		kr_replacement_done(&tx->targets[i].replacement);
		kr_in_place_done(&tx->targets[i].in_place);
		free(tx->targets[i].after.data);
	}
	kr_record_done(&tx->record);
	free(tx->targets);
	free(tx);
	return NULL;
}
