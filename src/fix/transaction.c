/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The files of one fix. Its record (fix/manifest) is written first, so that
 * whatever happens later can be told from the disk, the names of files that lie
 * about included:
 *
 *   every target opened and compared, its old content copied to the folder
 *   manifest "prepared", which names what is going to lie beside each target
 *   every new content beside its target, fsynced
 *   the renames, in the plan's order; the folders fsynced
 *   manifest "committed" ... and later "kept" or "put-back"
 *
 * A file that is to go is not renamed but removed, at the same place.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "fix/boot-mark.h"
#include "fix/replace.h"
#include "fix/transaction.h"

struct target {
	const struct kr_file_edits *edits;
	struct kr_file after; /* the bytes it gets */
	struct kr_replacement replacement;
	bool committed;
};

struct kr_transaction {
	struct kr_fs *fs;
	struct target *targets;
	size_t n_targets;
	struct kr_manifest manifest;
	int folder_fd;
	bool finished; /* commit() succeeded, or a revert did not */
};

const char *kr_transaction_id(const struct kr_transaction *tx)
{
	return tx->manifest.id;
}

static int fail(struct kr_diag *diag, const char *path, int error,
                const char *what)
{
	kr_diag_add_path(diag, KR_ERROR, "transaction", path, "%s: %s", what,
	                 strerror(-error));
	return error;
}

/* --- the folder in /var/lib ---------------------------------------------- */

static void make_id(struct kr_manifest *m)
{
	time_t seconds;
	struct tm tm;
	size_t n;

	m->realtime_usec = kr_realtime_usec();
	seconds = (time_t)(m->realtime_usec / KR_USEC_PER_SEC);
	gmtime_r(&seconds, &tm);
	n = strftime(m->id, sizeof(m->id), "%Y%m%dT%H%M%S", &tm);
	snprintf(m->id + n, sizeof(m->id) - n, ".%06uZ-%08x",
	         (unsigned)(m->realtime_usec % KR_USEC_PER_SEC),
	         (unsigned)arc4random());
}

static int make_folder(struct kr_transaction *tx, struct kr_diag *diag)
{
	_cleanup_close_ int state_fd =
		kr_fs_make_folder(tx->fs, KR_STATE_DIR, 0700);
	static const char what[] = "copies of the files cannot be kept there";

	if (state_fd < 0)
		return fail(diag, KR_STATE_DIR, state_fd, what);
	make_id(&tx->manifest);
	if (mkdirat(state_fd, tx->manifest.id, 0700) < 0)
		return fail(diag, KR_STATE_DIR, -errno, what);
	tx->folder_fd = openat(state_fd, tx->manifest.id,
	                       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tx->folder_fd < 0)
		return fail(diag, KR_STATE_DIR, -errno, what);
	if (fsync(state_fd) < 0)
		return fail(diag, KR_STATE_DIR, -errno,
		            "cannot be brought to the disk");
	return 0;
}

static int keep_copy(struct kr_transaction *tx, struct target *t,
                     struct kr_manifest_file *file, struct kr_diag *diag)
{
	const struct kr_file *old = t->edits->file;
	int r;

	if (!old)
		return 0;
	if (asprintf(&file->copy, "%zu", (size_t)(t - tx->targets)) < 0) {
		file->copy = NULL;
		return -ENOMEM;
	}
	kr_sha256_hex(old->data, old->size, file->before);
	r = kr_write_file(tx->folder_fd, file->copy, old->data, old->size,
	                  t->replacement.target_fd);
	return r < 0 ? fail(diag, t->edits->path, r, "cannot be copied") : 0;
}

static int copy_edits(struct kr_manifest_file *file,
                      const struct kr_file_edits *edits)
{
	file->edits = calloc(edits->n_edits + 1, sizeof(*file->edits));
	if (!file->edits)
		return -ENOMEM;
	for (; file->n_edits < edits->n_edits; file->n_edits++) {
		struct kr_edit *e = &file->edits[file->n_edits];

		*e = edits->edits[file->n_edits];
		e->text = strdup(e->text);
		if (!e->text)
			return -ENOMEM;
	}
	return 0;
}

/* The topmost folder on the way to a file that is going to be made that is not
 * there yet. */
static int record_parent(struct kr_transaction *tx, const char *path,
                         struct kr_manifest_file *file)
{
	_cleanup_free_ char *folder = strdup(path);
	int fd = -ENOENT;

	if (!folder)
		return -ENOMEM;
	while (fd == -ENOENT) {
		char *slash = strrchr(folder, '/');

		*slash = '\0';
		if (slash == folder)
			break;
		fd = kr_fs_open_folder(tx->fs, folder);
		if (fd == -ENOENT) {
			free(file->folder);
			file->folder = strdup(folder);
			if (!file->folder)
				return -ENOMEM;
		}
	}
	if (fd >= 0)
		close(fd);
	return 0;
}

/* What the record says of a target before anything lies beside it. */
static int record(struct kr_transaction *tx, struct target *t,
                  struct kr_manifest_file *file)
{
	char temp[KR_TEMP_SIZE];
	int r;

	kr_replacement_name(temp);
	file->path = strdup(t->edits->path);
	file->temp = strdup(temp);
	if (!file->path || !file->temp)
		return -ENOMEM;
	file->removed = t->edits->remove;
	if (!t->edits->remove)
		kr_sha256_hex(t->after.data, t->after.size, file->after);
	r = copy_edits(file, t->edits);
	if (r == 0 && !t->edits->file)
		r = record_parent(tx, file->path, file);
	return r;
}

static struct kr_manifest_file *record_of(struct kr_transaction *tx,
                                          const struct target *t)
{
	return &tx->manifest.files[t - tx->targets];
}

static int open_state(struct kr_transaction *tx)
{
	int fd =
		openat(tx->folder_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int mark(struct kr_transaction *tx, enum kr_manifest_state state,
                struct kr_diag *diag)
{
	_cleanup_close_ int state_fd = open_state(tx);
	int r = state_fd < 0 ? state_fd : 0;

	tx->manifest.state = state;
	if (r == 0 && state == KR_MANIFEST_PREPARED)
		r = kr_boot_mark_set(state_fd);
	if (r == 0)
		r = kr_manifest_write(tx->folder_fd, &tx->manifest);
	if (r < 0)
		return fail(diag, KR_STATE_DIR, r,
		            "the state of the transaction cannot be kept");
	if (state != KR_MANIFEST_PREPARED && state != KR_MANIFEST_COMMITTED)
		kr_boot_mark_clear(state_fd);
	return 0;
}

/* --- forward ------------------------------------------------------------- */

/* Nothing is written outside of the transaction's folder. */
static int prepare_target(struct kr_transaction *tx, struct target *t,
                          struct kr_diag *diag)
{
	struct kr_manifest_file *file = record_of(tx, t);
	int r = kr_file_edits_apply(t->edits, &t->after.data, &t->after.size);

	tx->manifest.n_files++;
	if (r == 0 && t->edits->file)
		r = kr_replacement_open(tx->fs, t->edits->path, t->edits->file,
		                        diag, &t->replacement);
	if (r == 0)
		r = record(tx, t, file);
	return r == 0 ? keep_copy(tx, t, file, diag) : r;
}

static int make_parent(struct kr_transaction *tx, struct target *t,
                       struct kr_diag *diag)
{
	const char *folder = record_of(tx, t)->folder;
	int r = folder ? kr_make_parent(tx->fs, t->edits->path) : 0;

	if (r < 0)
		return fail(diag, folder, r, "cannot be made");
	return kr_replacement_open(tx->fs, t->edits->path, NULL, diag,
	                           &t->replacement);
}

static void remove_parent(struct kr_transaction *tx, struct target *t)
{
	const char *folder = record_of(tx, t)->folder;

	if (folder)
		kr_remove_empty_parents(tx->fs, t->edits->path, folder);
}

/* The new content, beside the target. A file that goes needs none. */
static int fill_target(struct kr_transaction *tx, struct target *t,
                       struct kr_diag *diag)
{
	const struct kr_replacement_content content = {
		.data = t->after.data,
		.size = t->after.size,
		.metadata_fd = -1,
		.temp = record_of(tx, t)->temp,
	};
	int r = 0;

	if (!t->edits->file)
		r = make_parent(tx, t, diag);
	if (r < 0 || t->edits->remove)
		return r;
	return kr_replacement_fill(&t->replacement, &content, diag);
}

static int start(struct kr_transaction *tx,
                 const struct kr_transaction_about *about,
                 const struct kr_edits *edits)
{
	tx->manifest.disk_before = about->disk_before;
	tx->manifest.unit = strdup(about->unit);
	tx->manifest.config = about->config ? strdup(about->config) : NULL;
	tx->manifest.machine_id = kr_machine_id(tx->fs);
	tx->manifest.files =
		calloc(edits->n_files, sizeof(*tx->manifest.files));
	tx->targets = calloc(edits->n_files, sizeof(*tx->targets));
	if (!tx->manifest.unit || (about->config && !tx->manifest.config) ||
	    !tx->manifest.files || !tx->targets)
		return -ENOMEM;
	for (; tx->n_targets < edits->n_files; tx->n_targets++)
		tx->targets[tx->n_targets] = (struct target){
			.edits = &edits->files[tx->n_targets],
			.replacement = {.dir_fd = -1, .target_fd = -1},
		};
	return 0;
}

int kr_transaction_check(struct kr_fs *fs, const struct kr_edits *edits,
                         struct kr_diag *diag)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < edits->n_files; i++) {
		const struct kr_file_edits *f = &edits->files[i];
		_cleanup_(kr_replacement_done) struct kr_replacement rep = {
			.dir_fd = -1, .target_fd = -1};

		if (f->file)
			r = kr_replacement_open(fs, f->path, f->file, diag,
			                        &rep);
	}
	return r;
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
	tx->folder_fd = -1;
	r = start(tx, about, edits);
	if (r == 0)
		r = make_folder(tx, diag);
	for (size_t i = 0; r == 0 && i < tx->n_targets; i++)
		r = prepare_target(tx, &tx->targets[i], diag);
	if (r == 0)
		r = mark(tx, KR_MANIFEST_PREPARED, diag);
	for (size_t i = 0; r == 0 && i < tx->n_targets; i++)
		r = fill_target(tx, &tx->targets[i], diag);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(tx);
	return 0;
}

static int remove_target(struct target *t, struct kr_diag *diag)
{
	int r = kr_replacement_check(&t->replacement, diag);

	if (r < 0)
		return r;
	if (unlinkat(t->replacement.dir_fd, t->replacement.name, 0) < 0)
		return fail(diag, t->edits->path, -errno, "cannot be removed");
	return 0;
}

static int sync_folders(struct kr_transaction *tx, struct kr_diag *diag)
{
	for (size_t i = 0; i < tx->n_targets; i++) {
		struct target *t = &tx->targets[i];
		int r = t->committed
		                ? kr_replacement_sync(&t->replacement, diag)
		                : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

int kr_transaction_commit(struct kr_transaction *tx, struct kr_diag *diag)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < tx->n_targets; i++) {
		struct target *t = &tx->targets[i];

		r = t->edits->remove
		            ? remove_target(t, diag)
		            : kr_replacement_commit(&t->replacement, diag);
		t->committed = r == 0;
	}
	if (r == 0)
		r = sync_folders(tx, diag);
	if (r == 0)
		r = mark(tx, KR_MANIFEST_COMMITTED, diag);
	tx->finished = r == 0;
	if (r < 0 && kr_transaction_revert(tx,
	                                   "not all files could be "
	                                   "replaced",
	                                   diag) < 0)
		return -ENOTRECOVERABLE;
	return r;
}

int kr_transaction_keep(struct kr_transaction *tx, struct kr_diag *diag)
{
	return mark(tx, KR_MANIFEST_KEPT, diag);
}

/* --- back ---------------------------------------------------------------- */

/* Made by us: it goes again, if it is still what we made. */
static int revert_created(struct kr_transaction *tx, struct target *t,
                          struct kr_diag *diag)
{
	_cleanup_(kr_replacement_done) struct kr_replacement made = {
		.dir_fd = -1, .target_fd = -1};
	struct stat st;
	int r;

	if (fstatat(t->replacement.dir_fd, t->replacement.name, &st,
	            AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno == ENOENT)
		return 0;
	r = kr_replacement_open(tx->fs, t->edits->path, &t->after, diag, &made);
	return r < 0 ? r : remove_target(t, diag);
}

static int revert_target(struct kr_transaction *tx, struct target *t,
                         struct kr_diag *diag)
{
	_cleanup_(kr_replacement_done) struct kr_replacement back = {
		.dir_fd = -1, .target_fd = -1};
	_cleanup_close_ int copy_fd = -1;
	const struct kr_manifest_file *file = record_of(tx, t);
	/* its name in the record is free again, and known to recovery */
	struct kr_replacement_content content = {
		.metadata_fd = -1,
		.temp = file->temp,
	};
	int r;

	if (!t->edits->file) {
		r = revert_created(tx, t, diag);
		if (r == 0)
			r = kr_replacement_sync(&t->replacement, diag);
		if (r == 0)
			remove_parent(tx, t);
		return r;
	}
	if (t->edits->remove) {
		copy_fd = openat(tx->folder_fd, file->copy,
		                 O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (copy_fd < 0)
			return fail(diag, t->edits->path, -errno,
			            "its copy cannot be opened");
		content.metadata_fd = copy_fd;
		r = kr_make_parent(tx->fs, t->edits->path);
		if (r < 0)
			return fail(diag, t->edits->path, r,
			            "its folder cannot be made");
	}
	content.data = t->edits->file->data;
	content.size = t->edits->file->size;
	r = kr_replacement_write(tx->fs, t->edits->path,
	                         t->edits->remove ? NULL : &t->after, &content,
	                         diag, &back);
	if (r == 0)
		r = kr_replacement_commit(&back, diag);
	return r == 0 ? kr_replacement_sync(&back, diag) : r;
}

int kr_transaction_revert(struct kr_transaction *tx, const char *reason,
                          struct kr_diag *diag)
{
	int result = 0;

	free(tx->manifest.reason);
	tx->manifest.reason = reason ? strdup(reason) : NULL;
	for (size_t i = tx->n_targets; i-- > 0;) {
		struct target *t = &tx->targets[i];
		int r = t->committed ? revert_target(tx, t, diag) : 0;

		if (r == 0) {
			t->committed = false;
			continue;
		}
		result = -ENOTRECOVERABLE;
		tx->finished = true;
		kr_diag_add_path(diag, KR_ERROR, "not-put-back", t->edits->path,
		                 "could not be put back: its old content is "
		                 "%s/%s/%zu",
		                 KR_STATE_DIR, tx->manifest.id, i);
	}
	/* the files count: a record that cannot be written is said by mark() */
	if (result == 0)
		mark(tx, reason ? KR_MANIFEST_PUT_BACK : KR_MANIFEST_UNDONE,
		     diag);
	return result;
}

/* The manifest goes first: a folder without one is a run that came to nothing,
 * and is tidied up. */
int kr_transaction_forget(struct kr_transaction *tx)
{
	_cleanup_close_ int state_fd = -1;

	if (tx->folder_fd < 0)
		return 0;
	if (unlinkat(tx->folder_fd, "manifest.json", 0) < 0 && errno != ENOENT)
		return -errno;
	if (fsync(tx->folder_fd) < 0)
		return -errno;
	unlinkat(tx->folder_fd, "manifest.json.new", 0);
	for (size_t i = 0; i < tx->manifest.n_files; i++) {
		if (tx->manifest.files[i].copy)
			unlinkat(tx->folder_fd, tx->manifest.files[i].copy, 0);
	}
	state_fd = open_state(tx);
	if (state_fd >= 0) {
		unlinkat(state_fd, tx->manifest.id, AT_REMOVEDIR);
		kr_boot_mark_clear(state_fd);
	}
	close(tx->folder_fd);
	tx->folder_fd = -1;
	return 0;
}

struct kr_transaction *kr_transaction_free(struct kr_transaction *tx)
{
	if (!tx)
		return NULL;
	for (size_t i = 0; i < tx->n_targets; i++) {
		kr_replacement_done(&tx->targets[i].replacement);
		if (!tx->finished)
			remove_parent(tx, &tx->targets[i]);
		free(tx->targets[i].after.data);
	}
	if (!tx->finished)
		kr_transaction_forget(tx);
	if (tx->folder_fd >= 0)
		close(tx->folder_fd);
	kr_manifest_done(&tx->manifest);
	free(tx->targets);
	free(tx);
	return NULL;
}
