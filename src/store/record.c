/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The folder is made first, then the copies, then the manifest: one without a
 * manifest is a run that came to no file, and is tidied up. It goes the other
 * way round.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "store/boot-mark.h"
#include "store/files.h"
#include "store/others.h"
#include "store/record.h"
#include "store/replace.h"

int kr_record_fail(struct kr_diag *diag, const char *path, int error,
                   const char *what)
{
	kr_diag_add_path(diag, KR_ERROR, "transaction", path, "%s: %s", what,
	                 strerror(-error));
	return error;
}

#define ID_TIME "%Y%m%dT%H%M%S"

/* The time in an id, realtime in microseconds; 0: ID is not one. */
static uint64_t id_usec(const char *id)
{
	struct tm tm = {0};
	const char *part = strptime(id, ID_TIME, &tm);
	time_t seconds;
	unsigned usec;
	int end = 0;

	if (!part || sscanf(part, ".%6uZ-%n", &usec, &end) != 1 || end == 0)
		return 0;
	seconds = timegm(&tm);
	return seconds < 0 ? 0 : (uint64_t)seconds * KR_USEC_PER_SEC + usec;
}

bool kr_record_is_id(const char *name)
{
	return id_usec(name) > 0;
}

static int last_usec(struct kr_fs *fs, uint64_t *ret)
{
	_cleanup_dir_ struct kr_dir dir = {0};
	int r = kr_fs_list(fs, KR_STATE_DIR, &dir);

	if (r < 0)
		return r;
	*ret = 0;
	for (size_t i = 0; i < dir.n_entries; i++) {
		uint64_t usec = id_usec(dir.entries[i].name);

		if (usec > *ret)
			*ret = usec;
	}
	return 0;
}

/* Ids sort by age, also where the clock went back: the first ones of a node are
 * made before it has asked for the time. */
static int make_id(struct kr_manifest *m, struct kr_fs *fs)
{
	uint64_t usec, last;
	time_t seconds;
	struct tm tm;
	size_t n;
	int r = last_usec(fs, &last);

	if (r < 0)
		return r;
	m->realtime_usec = kr_realtime_usec();
	usec = m->realtime_usec > last ? m->realtime_usec : last + 1;
	seconds = (time_t)(usec / KR_USEC_PER_SEC);
	gmtime_r(&seconds, &tm);
	n = strftime(m->id, sizeof(m->id), ID_TIME, &tm);
	snprintf(m->id + n, sizeof(m->id) - n, ".%06uZ-%08x",
	         (unsigned)(usec % KR_USEC_PER_SEC), (unsigned)arc4random());
	return 0;
}

int kr_record_make(struct kr_record *record, struct kr_fs *fs,
                   struct kr_diag *diag)
{
	static const char what[] = "copies of the files cannot be kept there";
	_cleanup_close_ int state_fd = -1;
	int r = kr_others_refuse(fs, KR_STATE_DIR, diag);

	if (r < 0)
		return kr_record_fail(diag, KR_STATE_DIR, r, what);
	if (r == KR_OTHERS_WRITE)
		return -EPERM;
	state_fd = kr_fs_make_folder(fs, KR_STATE_DIR, 0700);
	if (state_fd < 0)
		return kr_record_fail(diag, KR_STATE_DIR, state_fd, what);
	r = make_id(&record->manifest, fs);
	if (r < 0)
		return kr_record_fail(diag, KR_STATE_DIR, r, what);
	if (mkdirat(state_fd, record->manifest.id, 0700) < 0)
		return kr_record_fail(diag, KR_STATE_DIR, -errno, what);
	record->folder_fd =
		openat(state_fd, record->manifest.id,
	               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (record->folder_fd < 0)
		return kr_record_fail(diag, KR_STATE_DIR, -errno, what);
	r = kr_owner_make(record->folder_fd, KR_OWNER_USEC, &record->owner);
	if (r < 0)
		return kr_record_fail(diag, KR_STATE_DIR, r, what);
	if (fsync(state_fd) < 0)
		return kr_record_fail(diag, KR_STATE_DIR, -errno,
		                      "cannot be written to the disk");
	return 0;
}

bool kr_record_is_mine(const struct kr_record *record)
{
	return record->ended || record->owner.fd < 0 ||
	       kr_owner_is_mine(&record->owner, record->folder_fd);
}

/* --- one file ------------------------------------------------------------ */

static int keep_copy(struct kr_record *record, struct kr_manifest_file *file,
                     const struct kr_record_content *content,
                     struct kr_diag *diag)
{
	const struct kr_file *old = content->edits->file;
	int r;

	if (!old)
		return 0;
	kr_sha256_hex(old->data, old->size, file->before);
	/* its bytes stay, and may be secret */
	if (kr_file_edits_in_place(content->edits))
		return 0;
	if (asprintf(&file->copy, "%zu",
	             (size_t)(file - record->manifest.files)) < 0) {
		file->copy = NULL;
		return -ENOMEM;
	}
	r = kr_write_file(record->folder_fd, file->copy, old->data, old->size,
	                  content->target_fd);
	return r < 0 ? kr_record_fail(diag, file->path, r, "cannot be copied")
	             : 0;
}

static int copy_edits(struct kr_manifest_file *file,
                      const struct kr_file_edits *edits)
{
	file->edits = calloc(edits->n_edits + 1, sizeof(*file->edits));
	if (!file->edits)
		return -ENOMEM;
	while (file->n_edits < edits->n_edits) {
		const struct kr_edit *from = &edits->edits[file->n_edits];
		struct kr_edit *e = &file->edits[file->n_edits++];

		e->offset = from->offset;
		e->length = from->length;
		e->text = strdup(from->text);
		e->about = from->about ? strdup(from->about) : NULL;
		if (!e->text || (from->about && !e->about))
			return -ENOMEM;
	}
	return 0;
}

/* Of a file that is going to be made, the topmost folder on its way that is not
 * there yet; of one that an undo takes away, what the fix said of it. */
static int add_folder(struct kr_fs *fs, struct kr_manifest_file *file,
                      const struct kr_record_content *content)
{
	const struct kr_manifest *undone = content->undone;
	int fd;

	for (size_t i = 0; undone && i < undone->n_files; i++) {
		const char *folder = undone->files[i].folder;

		if (!folder || strcmp(undone->files[i].path, file->path) != 0)
			continue;
		file->folder = strdup(folder);
		return file->folder ? 0 : -ENOMEM;
	}
	if (content->edits->file)
		return 0;
	fd = kr_open_nearest(fs, file->path, &file->folder);
	if (fd == -ENOMEM)
		return fd;
	if (fd >= 0)
		close(fd);
	return 0;
}

/* Beside a file that is changed in place nothing is going to lie. */
static int add_names(struct kr_manifest_file *file,
                     const struct kr_record_content *content)
{
	char back[KR_TEMP_SIZE];

	if (kr_file_edits_in_place(content->edits))
		return 0;
	kr_replacement_name(back);
	file->temp = strdup(content->temp);
	file->back = strdup(back);
	return file->temp && file->back ? 0 : -ENOMEM;
}

int kr_record_add(struct kr_record *record, struct kr_fs *fs,
                  const struct kr_record_content *content, struct kr_diag *diag)
{
	struct kr_manifest_file *file =
		&record->manifest.files[record->manifest.n_files++];
	int r;

	file->path = strdup(content->edits->path);
	if (!file->path)
		return -ENOMEM;
	r = add_names(file, content);
	if (r < 0)
		return r;
	file->removed = content->edits->remove;
	file->perms = content->edits->perms;
	if (!file->removed)
		kr_sha256_hex(content->after->data, content->after->size,
		              file->after);
	r = copy_edits(file, content->edits);
	if (r < 0)
		return r;
	r = add_folder(fs, file, content);
	return r < 0 ? r : keep_copy(record, file, content, diag);
}

/* --- the whole ----------------------------------------------------------- */

static int open_state(struct kr_record *record)
{
	int fd = openat(record->folder_fd, "..",
	                O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int set_mark(struct kr_record *record)
{
	_cleanup_close_ int state_fd = open_state(record);

	return state_fd < 0 ? state_fd : kr_boot_mark_set(state_fd);
}

int kr_record_mark(struct kr_record *record, enum kr_manifest_state state,
                   struct kr_diag *diag)
{
	int r;

	record->manifest.state = state;
	r = state == KR_MANIFEST_PREPARED ? set_mark(record) : 0;
	if (r >= 0)
		r = kr_manifest_write(record->folder_fd, &record->manifest,
		                      &record->owner);
	if (r < 0)
		return kr_record_fail(
			diag, KR_STATE_DIR, r,
			"the state of the transaction cannot be kept");
	if (r == KR_CHANGE_DONE)
		record->ended = !kr_manifest_is_pending(state);
	return r;
}

void kr_record_end(struct kr_record *record)
{
	_cleanup_close_ int state_fd = open_state(record);

	kr_owner_end(&record->owner, record->folder_fd);
	if (state_fd >= 0)
		kr_boot_mark_clear(state_fd);
}

int kr_record_forget(struct kr_record *record)
{
	_cleanup_close_ int state_fd = -1;

	if (record->folder_fd < 0)
		return 0;
	if (unlinkat(record->folder_fd, "manifest.json", 0) < 0 &&
	    errno != ENOENT)
		return -errno;
	if (fsync(record->folder_fd) < 0)
		return -errno;
	unlinkat(record->folder_fd, "manifest.json.new", 0);
	kr_owner_end(&record->owner, record->folder_fd);
	for (size_t i = 0; i < record->manifest.n_files; i++) {
		if (record->manifest.files[i].copy)
			unlinkat(record->folder_fd,
			         record->manifest.files[i].copy, 0);
	}
	state_fd = open_state(record);
	if (state_fd >= 0) {
		unlinkat(state_fd, record->manifest.id, AT_REMOVEDIR);
		kr_boot_mark_clear(state_fd);
	}
	close(record->folder_fd);
	record->folder_fd = -1;
	return 0;
}

void kr_record_done(struct kr_record *record)
{
	kr_owner_done(&record->owner);
	if (record->folder_fd >= 0)
		close(record->folder_fd);
	kr_manifest_done(&record->manifest);
	*record = KR_RECORD_NONE;
}
