/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The files of one fix.
 *
 *   prepared     every new content lies fsynced beside its target, the old
 *                ones lie fsynced in the transaction's folder
 *   committed    every target is replaced, the folders are fsynced
 *   put-back     every target has its old bytes and metadata again
 *
 * The state and the list of files stand in manifest.json of the folder
 * /var/lib/kubelet-remedy/ID/, the copies beside it as "0", "1", ...
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "fix/replace.h"
#include "fix/transaction.h"

#define ID_SIZE 40

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
	char id[ID_SIZE];
	int folder_fd;
	uint64_t realtime_usec;
	bool stuck; /* not all could be put back: the copies must stay */
};

const char *kr_transaction_id(const struct kr_transaction *tx)
{
	return tx->id;
}

/* --- the folder in /var/lib ---------------------------------------------- */

static int fail(struct kr_diag *diag, const char *path, int error,
                const char *what)
{
	kr_diag_add_path(diag, KR_ERROR, "transaction", path, "%s: %s", what,
	                 strerror(-error));
	return error;
}

static int make_folder(struct kr_transaction *tx, struct kr_diag *diag)
{
	_cleanup_close_ int state_fd =
		kr_fs_make_folder(tx->fs, KR_STATE_DIR, 0700);
	time_t seconds;
	struct tm tm;
	size_t n;

	if (state_fd < 0)
		return fail(diag, KR_STATE_DIR, state_fd,
		            "copies of the files cannot be kept there");
	tx->realtime_usec = kr_realtime_usec();
	seconds = (time_t)(tx->realtime_usec / KR_USEC_PER_SEC);
	gmtime_r(&seconds, &tm);
	n = strftime(tx->id, sizeof(tx->id), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(tx->id + n, sizeof(tx->id) - n, "-%08x",
	         (unsigned)arc4random());
	if (mkdirat(state_fd, tx->id, 0700) < 0)
		return fail(diag, KR_STATE_DIR, -errno,
		            "copies of the files cannot be kept there");
	tx->folder_fd = openat(state_fd, tx->id,
	                       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tx->folder_fd < 0)
		return fail(diag, KR_STATE_DIR, -errno,
		            "copies of the files cannot be kept there");
	if (fsync(state_fd) < 0)
		return fail(diag, KR_STATE_DIR, -errno,
		            "cannot be brought to the disk");
	return 0;
}

static int write_file(int dir_fd, const char *name, const void *data,
                      size_t size, int metadata_fd)
{
	_cleanup_close_ int fd = openat(
		dir_fd, name,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = kr_write_all(fd, data, size);
	if (r == 0 && metadata_fd >= 0)
		r = kr_copy_metadata(metadata_fd, fd);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

static int keep_copy(struct kr_transaction *tx, size_t i, struct kr_diag *diag)
{
	const struct target *t = &tx->targets[i];
	_cleanup_close_ int fd = -1;
	char name[24];
	int r;

	if (!t->edits->file)
		return 0;
	fd = openat(t->replacement.dir_fd, t->replacement.name,
	            O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(diag, t->edits->path, -errno, "cannot be copied");
	snprintf(name, sizeof(name), "%zu", i);
	r = write_file(tx->folder_fd, name, t->edits->file->data,
	               t->edits->file->size, fd);
	return r < 0 ? fail(diag, t->edits->path, r, "cannot be copied") : 0;
}

static cJSON *describe_target(const struct target *t, size_t i)
{
	cJSON *file = cJSON_CreateObject();
	char hex[KR_SHA256_HEX_SIZE], copy[24];

	cJSON_AddStringToObject(file, "path", t->edits->path);
	if (t->edits->file) {
		snprintf(copy, sizeof(copy), "%zu", i);
		cJSON_AddStringToObject(file, "copy", copy);
		kr_sha256_hex(t->edits->file->data, t->edits->file->size, hex);
		cJSON_AddStringToObject(file, "before", hex);
	} else {
		cJSON_AddNullToObject(file, "copy");
		cJSON_AddNullToObject(file, "before");
	}
	kr_sha256_hex(t->after.data, t->after.size, hex);
	cJSON_AddStringToObject(file, "after", hex);
	return file;
}

static char *describe(const struct kr_transaction *tx, const char *state)
{
	cJSON *root = cJSON_CreateObject(), *files;
	char time[KR_RFC3339_SIZE];
	char *text;

	kr_rfc3339(tx->realtime_usec, time);
	cJSON_AddNumberToObject(root, "schema", 1);
	cJSON_AddStringToObject(root, "id", tx->id);
	cJSON_AddStringToObject(root, "time", time);
	cJSON_AddStringToObject(root, "state", state);
	files = cJSON_AddArrayToObject(root, "files");
	for (size_t i = 0; i < tx->n_targets; i++)
		cJSON_AddItemToArray(files,
		                     describe_target(&tx->targets[i], i));
	text = cJSON_Print(root);
	cJSON_Delete(root);
	return text;
}

/* Says in the folder how far the transaction is. */
static int mark(struct kr_transaction *tx, const char *state,
                struct kr_diag *diag)
{
	_cleanup_free_ char *text = describe(tx, state);
	int r;

	if (!text)
		return -ENOMEM;
	r = write_file(tx->folder_fd, "manifest.json.new", text, strlen(text),
	               -1);
	if (r == 0 && renameat(tx->folder_fd, "manifest.json.new",
	                       tx->folder_fd, "manifest.json") < 0)
		r = -errno;
	if (r == 0 && fsync(tx->folder_fd) < 0)
		r = -errno;
	return r < 0 ? fail(diag, KR_STATE_DIR, r,
	                    "the state of the transaction cannot be kept")
	             : 0;
}

/* --- forward ------------------------------------------------------------- */

static int prepare_target(struct kr_transaction *tx, size_t i,
                          struct kr_diag *diag)
{
	struct target *t = &tx->targets[i];
	int r = kr_file_edits_apply(t->edits, &t->after.data, &t->after.size);

	if (r < 0)
		return r;
	r = kr_replacement_write(tx->fs, t->edits->path, t->edits->file,
	                         t->after.data, t->after.size, diag,
	                         &t->replacement);
	return r < 0 ? r : keep_copy(tx, i, diag);
}

int kr_transaction_prepare(struct kr_fs *fs, const struct kr_edits *edits,
                           struct kr_diag *diag, struct kr_transaction **ret)
{
	_cleanup_transaction_ struct kr_transaction *tx =
		calloc(1, sizeof(*tx));
	int r;

	if (!tx)
		return -ENOMEM;
	tx->fs = fs;
	tx->folder_fd = -1;
	tx->targets = calloc(edits->n_files, sizeof(*tx->targets));
	if (!tx->targets)
		return -ENOMEM;
	for (; tx->n_targets < edits->n_files; tx->n_targets++) {
		tx->targets[tx->n_targets].edits = &edits->files[tx->n_targets];
		tx->targets[tx->n_targets].replacement.dir_fd = -1;
	}
	r = make_folder(tx, diag);
	for (size_t i = 0; r == 0 && i < tx->n_targets; i++)
		r = prepare_target(tx, i, diag);
	if (r == 0)
		r = mark(tx, "prepared", diag);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(tx);
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

		r = kr_replacement_commit(&t->replacement, diag);
		t->committed = r == 0;
	}
	if (r == 0)
		r = sync_folders(tx, diag);
	if (r == 0)
		r = mark(tx, "committed", diag);
	if (r < 0 && kr_transaction_revert(tx, diag) < 0)
		return -ENOTRECOVERABLE;
	return r;
}

/* --- back ---------------------------------------------------------------- */

static int revert_target(struct kr_transaction *tx, struct target *t,
                         struct kr_diag *diag)
{
	_cleanup_(kr_replacement_done) struct kr_replacement back = {
		.dir_fd = -1};
	const struct kr_file *old = t->edits->file;
	int r;

	if (!old) {
		if (unlinkat(t->replacement.dir_fd, t->replacement.name, 0) <
		            0 &&
		    errno != ENOENT)
			return fail(diag, t->edits->path, -errno,
			            "cannot be removed again");
		return kr_replacement_sync(&t->replacement, diag);
	}
	r = kr_replacement_write(tx->fs, t->edits->path, &t->after, old->data,
	                         old->size, diag, &back);
	if (r == 0)
		r = kr_replacement_commit(&back, diag);
	return r == 0 ? kr_replacement_sync(&back, diag) : r;
}

int kr_transaction_revert(struct kr_transaction *tx, struct kr_diag *diag)
{
	int result = 0;

	for (size_t i = tx->n_targets; i-- > 0;) {
		struct target *t = &tx->targets[i];
		int r = t->committed ? revert_target(tx, t, diag) : 0;

		if (r == 0) {
			t->committed = false;
			continue;
		}
		result = -ENOTRECOVERABLE;
		tx->stuck = true;
		kr_diag_add_path(diag, KR_ERROR, "not-put-back", t->edits->path,
		                 "could not be put back: its old content is "
		                 "%s/%s/%zu",
		                 KR_STATE_DIR, tx->id, i);
	}
	if (result == 0)
		result = mark(tx, "put-back", diag) < 0 ? -ENOTRECOVERABLE : 0;
	return result;
}

/* A transaction of which nothing came to a target leaves nothing behind. */
static void remove_folder(struct kr_transaction *tx)
{
	_cleanup_close_ int state_fd = -1;
	char name[24];

	if (tx->folder_fd < 0)
		return;
	for (size_t i = 0; i < tx->n_targets; i++) {
		snprintf(name, sizeof(name), "%zu", i);
		unlinkat(tx->folder_fd, name, 0);
	}
	unlinkat(tx->folder_fd, "manifest.json", 0);
	unlinkat(tx->folder_fd, "manifest.json.new", 0);
	state_fd =
		openat(tx->folder_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state_fd >= 0)
		unlinkat(state_fd, tx->id, AT_REMOVEDIR);
}

struct kr_transaction *kr_transaction_free(struct kr_transaction *tx)
{
	bool pending = false;

	if (!tx)
		return NULL;
	for (size_t i = 0; i < tx->n_targets; i++) {
		pending = pending || tx->targets[i].replacement.temp[0] ||
		          tx->targets[i].replacement.dir_fd < 0;
		kr_replacement_done(&tx->targets[i].replacement);
		free(tx->targets[i].after.data);
	}
	if (pending && !tx->stuck)
		remove_folder(tx);
	if (tx->folder_fd >= 0)
		close(tx->folder_fd);
	free(tx->targets);
	free(tx);
	return NULL;
}
