/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Recovery of one file. The manifest was written before the first rename and
 * names every file with the hashes of its old and its new content, and what may
 * lie beside it, so each file tells by itself how far it came. b is the old
 * content, a the new one (for a file that was made or taken away "nothing" is
 * one of them), o anything else:
 *
 *   target  beside
 *   b       a, -       not replaced yet, or put back
 *   a       b          replaced: exchanged again
 *   a       a, -       replaced without an exchange: a copy is put back
 *   o       a, b, -    others wrote it since: it stays, said
 *   a, b    o          others wrote it in the instant of our exchange: that
 *                      goes back to the target, and stays
 *   o       o          both: the older one is kept with the record, said
 *
 * While the state is "prepared" no target is replaced, and what lies beside is
 * ours, complete or not. What lies at the name of a copy on its way back is
 * ours, too.
 *
 * What lies beside is moved to a name of recovery's own ("-taken") before it is
 * looked at, and a copy on its way back has one ("-copy"). So a run that could
 * not be ended (fix/rescue), and goes on between two of our steps, or between
 * its own look at the token and its rename, finds nothing to rename: what it
 * had done before that is seen, and it does no more.
 *
 *   exchange, or a rename over the target     its source is gone
 *   a copy of the old content on its way back its source is gone
 *   a target that is to go, moved beside      the name is taken: a folder that
 *                                             that may not be entered is there
 *   a target that was made, on its way back   it is gone already
 *
 * That folder stays until such a run is gone: the mark stays, too, and the next
 * run that has the lock tidies up.
 *
 * A file that is changed in place has one name and no content to go by
 * (store/in-place).
 *
 * Every step is one that may be done twice.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/files.h"
#include "store/in-place.h"
#include "store/recover-file.h"
#include "store/replace.h"

enum content {
	NOTHING,
	BEFORE,
	AFTER,
	OTHER,
};

/* A file of an interrupted run, and what is found at its names. */
struct found {
	struct kr_fs *fs;
	const struct kr_manifest *manifest;
	const struct kr_manifest_file *file;
	struct kr_diag *diag;
	int dir_fd;
	const char *name;
	char taken[NAME_MAX + 1]; /* what lay beside; "": nothing can */
	char copy[NAME_MAX + 1];  /* one of ours, on its way back */
	bool passes;
	enum content target, beside;
	struct kr_known target_known, beside_known;
};

static void found_done(struct found *f)
{
	if (f->dir_fd >= 0)
		close(f->dir_fd);
}

/* Of the names in the record, so that the next recovery finds them. The name of
 * a copy was the only one in older records. */
static int name_own(struct found *f)
{
	const char *temp = f->file->temp ? f->file->temp : "";
	const char *back = f->file->back ? f->file->back : temp;

	if (*temp && snprintf(f->taken, sizeof(f->taken), "%s-taken", temp) >=
	                     (int)sizeof(f->taken))
		return -ENAMETOOLONG;
	if (*back && snprintf(f->copy, sizeof(f->copy), "%s-copy", back) >=
	                     (int)sizeof(f->copy))
		return -ENAMETOOLONG;
	return 0;
}

/* --- what is there ------------------------------------------------------- */

/* What is no regular file, or a large one, is not read. */
static int classify(struct found *f, const char *name, struct kr_known *known,
                    enum content *ret)
{
	_cleanup_close_ int fd = -1;
	int r;

	*known = (struct kr_known){0};
	*ret = NOTHING;
	if (fstatat(f->dir_fd, name, &known->st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	*ret = OTHER;
	if (!S_ISREG(known->st.st_mode) ||
	    (size_t)known->st.st_size > KR_FILE_SIZE_MAX)
		return 0;
	fd = kr_known_open(f->dir_fd, name);
	if (fd < 0)
		return fd;
	r = kr_known_read(fd, known);
	if (r < 0)
		return r;
	if (strcmp(known->bytes, f->file->before) == 0)
		*ret = BEFORE;
	else if (strcmp(known->bytes, f->file->after) == 0)
		*ret = AFTER;
	return 0;
}

static int look(struct found *f)
{
	int r = classify(f, f->name, &f->target_known, &f->target);

	if (r < 0)
		return r;
	if (f->target == NOTHING && !f->file->copy)
		f->target = BEFORE;
	else if (f->target == NOTHING && f->file->removed)
		f->target = AFTER;
	if (!f->file->temp)
		return 0;
	return classify(f, f->taken, &f->beside_known, &f->beside);
}

/* --- what is done -------------------------------------------------------- */

static int remove_name(struct found *f, const char *name)
{
	if (!name || !*name)
		return 0;
	return unlinkat(f->dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* The folder that stands where a run must not move a file to. One of others'
 * that came there in the instant of a rename is not like that. */
static bool is_guard(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 0;
}

static int remove_temp(struct found *f)
{
	const char *temp = f->file->temp;

	if (!temp || !is_guard(f->dir_fd, temp))
		return remove_name(f, temp);
	return unlinkat(f->dir_fd, temp, AT_REMOVEDIR) < 0 && errno != ENOENT
	               ? -errno
	               : 0;
}

/* What lies beside goes to where only we know it. */
static int take_beside(struct found *f)
{
	int r;

	if (!f->file->temp)
		return 0;
	if (is_guard(f->dir_fd, f->file->temp))
		return remove_temp(f);
	r = kr_move(f->dir_fd, f->file->temp, f->taken);
	/* that was taken before: a new content by a run that was passed by */
	if (r == -EEXIST)
		return remove_temp(f);
	return r == -ENOENT ? 0 : r;
}

/*
 * The same, and nothing can come there any more: a run that is about to move
 * the target there finds the name taken. One that has moved it already may be
 * about to move it back: there must not be anything that it could move, then.
 */
static int take_beside_for_good(struct found *f)
{
	const char *temp = f->file->temp;

	if (!f->passes || !f->file->removed || !temp)
		return take_beside(f);
	while (!is_guard(f->dir_fd, temp)) {
		int r = take_beside(f);

		if (r < 0 || kr_is_there(f->dir_fd, f->taken))
			return r;
		if (mkdirat(f->dir_fd, temp, 0) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* What lies beside is exchanged with the target, which is nothing where it has
 * no inode. */
static int swap(struct found *f)
{
	const struct kr_names names = {f->dir_fd, f->name, f->taken};
	bool target = f->target_known.st.st_ino != 0;
	bool beside = f->beside != NOTHING;

	return kr_swap(&names, target ? &f->target_known : NULL,
	               beside ? &f->beside_known.st : NULL);
}

static int copy_bytes(int from_fd, int to_fd)
{
	char buffer[64 * 1024];
	ssize_t n;
	int r;

	while ((n = read(from_fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		r = n < 0 ? -errno : kr_write_all(to_fd, buffer, (size_t)n);
		if (r < 0)
			return r;
	}
	return fsync(to_fd) < 0 ? -errno : 0;
}

/* What others wrote, and another one wrote over: it is kept with the
 * record. */
static int set_aside(struct found *f)
{
	_cleanup_free_ char *folder =
		kr_path_join(KR_STATE_DIR, f->manifest->id);
	_cleanup_close_ int folder_fd = -1, from = -1, to = -1;
	char name[32];
	int r;

	if (!folder)
		return -ENOMEM;
	snprintf(name, sizeof(name), "%zu.theirs",
	         (size_t)(f->file - f->manifest->files));
	folder_fd = kr_fs_open_folder(f->fs, folder);
	if (folder_fd < 0)
		return folder_fd;
	from = openat(f->dir_fd, f->taken, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	to = openat(folder_fd, name,
	            O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
	            0600);
	if (from < 0 || to < 0)
		return -errno;
	r = copy_bytes(from, to);
	if (r < 0)
		return r;
	if (fsync(folder_fd) < 0)
		return -errno;
	kr_diag_add_path(f->diag, KR_WARNING, "recover-aside", f->file->path,
	                 "was written by others in the instant of the "
	                 "interruption, and once more later: the first is "
	                 "kept in %s/%s",
	                 folder, name);
	return 0;
}

/* What lies beside the file goes; where it is neither of ours, a copy is
 * kept. */
static int drop_beside(struct found *f)
{
	int r;

	if (f->beside == OTHER && !S_ISREG(f->beside_known.st.st_mode)) {
		kr_diag_add_path(f->diag, KR_WARNING, "recover-aside",
		                 f->file->path,
		                 "was replaced by others in the instant "
		                 "of the interruption, and once more later: "
		                 "the first, which is no regular file, lies "
		                 "beside it in %s",
		                 f->taken);
		return 0;
	}
	r = f->beside == OTHER ? set_aside(f) : 0;
	return r < 0 ? r : remove_name(f, f->taken);
}

static int put_back_copy(struct found *f)
{
	_cleanup_replacement_ struct kr_replacement rep = KR_REPLACEMENT_NONE;
	struct kr_replacement_content content = {.metadata_fd = -1};
	_cleanup_close_ int dir_fd = -1, copy_fd = -1;
	_cleanup_file_ struct kr_file *old = NULL;
	const struct kr_file *now = NULL;
	const char *name, *path = f->file->path;
	int r = kr_manifest_copy(f->fs, f->manifest->id, f->file, &old);

	if (r < 0)
		return r;
	dir_fd = kr_fs_open_parent(f->fs, old->real, &name);
	if (dir_fd < 0)
		return dir_fd;
	copy_fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (copy_fd < 0)
		return -errno;
	/* an undo takes a folder away, too */
	r = kr_make_parent(f->fs, path);
	if (r < 0)
		return r;
	r = f->file->removed ? 0 : kr_fs_read(f->fs, path, &now);
	if (r < 0)
		return r;
	content.data = old->data;
	content.size = old->size;
	content.metadata_fd = copy_fd;
	r = kr_replacement_write(f->fs, path, now, f->copy, &content, f->diag,
	                         &rep);
	if (r != KR_CHANGE_DONE)
		return r;
	r = kr_replacement_commit(&rep, f->diag);
	if (r != KR_CHANGE_DONE)
		return r;
	return kr_replacement_sync(&rep, f->diag);
}

static void say_foreign(struct found *f)
{
	kr_diag_add_path(f->diag, KR_WARNING, "recover-foreign", f->file->path,
	                 "was written by others after the interruption "
	                 "and stays as it is");
}

/* The target is the new content. */
static int take_back(struct found *f)
{
	bool made = !f->file->copy;
	int r;

	if (f->beside != BEFORE) {
		r = remove_name(f, f->taken);
		f->beside = NOTHING;
		if (r < 0)
			return r;
	}
	if (!made && f->beside != BEFORE)
		return put_back_copy(f);
	r = swap(f);
	/* no exchange, or no room for one: another way */
	if (!made && (r < 0 || r == KR_CHANGE_NO_EXCHANGE))
		return put_back_copy(f);
	if (r == KR_CHANGE_DONE)
		f->beside = AFTER;
	return r;
}

static int recover_target(struct found *f)
{
	int r = KR_CHANGE_DONE;

	if (f->beside == OTHER && f->target != OTHER && f->target != NOTHING) {
		r = swap(f);
		f->beside = f->target;
		f->target = OTHER;
	} else if (f->target == AFTER) {
		r = take_back(f);
	}
	if (r != KR_CHANGE_DONE)
		return r;
	if (f->target == OTHER)
		say_foreign(f);
	return drop_beside(f);
}

/* No target was replaced while the record said so; older ones said it until the
 * last was. */
static bool is_untouched(const struct found *f)
{
	return f->file->back && f->manifest->state == KR_MANIFEST_PREPARED;
}

static int recover_without_folder(struct found *f)
{
	return f->file->removed && !is_untouched(f) ? put_back_copy(f) : 0;
}

static int recover_touched(struct found *f)
{
	int r = take_beside_for_good(f);

	if (r < 0)
		return r;
	r = f->file->back ? 0 : remove_name(f, f->taken);
	if (r < 0)
		return r;
	r = look(f);
	return r < 0 ? r : recover_target(f);
}

static int recover_untouched(struct found *f)
{
	int r = take_beside(f);

	return r < 0 ? r : remove_name(f, f->taken);
}

static int recover_in_folder(struct found *f)
{
	int r = remove_name(f, f->copy);

	if (r < 0)
		return r;
	r = remove_name(f, f->file->back);
	if (r < 0)
		return r;
	r = is_untouched(f) ? recover_untouched(f) : recover_touched(f);
	if (r != KR_CHANGE_DONE)
		return r;
	return fsync(f->dir_fd) < 0 ? -errno : KR_CHANGE_DONE;
}

/* What others did meanwhile, in the words of errno(3). */
static int to_error(int r)
{
	static const int errors[] = {
		[KR_CHANGE_STALE] = ESTALE,
		[KR_CHANGE_OPEN] = ETXTBSY,
		[KR_CHANGE_EXISTS] = EEXIST,
		[KR_CHANGE_NO_EXCHANGE] = EOPNOTSUPP,
		[KR_CHANGE_DISPLACED] = ENOTRECOVERABLE,
	};

	return r < 0 ? r : -errors[r];
}

int kr_recover_file(struct kr_fs *fs, const struct kr_manifest *m,
                    const struct kr_manifest_file *file, bool passes,
                    struct kr_diag *diag)
{
	_cleanup_(found_done) struct found f = {.fs = fs,
	                                        .manifest = m,
	                                        .file = file,
	                                        .diag = diag,
	                                        .passes = passes,
	                                        .dir_fd = -1};
	int r;

	if (kr_manifest_file_in_place(file))
		return m->state == KR_MANIFEST_PREPARED
		               ? 0
		               : kr_in_place_recover(fs, file, diag);
	r = name_own(&f);
	if (r < 0)
		return r;
	f.dir_fd = kr_fs_open_parent(fs, file->path, &f.name);
	if (f.dir_fd < 0)
		r = f.dir_fd == -ENOENT ? recover_without_folder(&f) : f.dir_fd;
	else
		r = recover_in_folder(&f);
	/* a run that goes on after all makes one step more, not two */
	if (passes && r == KR_CHANGE_STALE)
		r = recover_in_folder(&f);
	if (r != KR_CHANGE_DONE)
		return to_error(r);
	return kr_remove_empty_parents(fs, file->path, file->folder);
}

static int remove_names(struct found *f)
{
	const char *names[] = {f->file->back, f->copy, f->taken};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int r = remove_name(f, names[i]);

		/* a folder of others' that was put aside was named then */
		if (r == -EISDIR)
			break;
		if (r < 0)
			return r;
	}
	return remove_temp(f);
}

static int tidy_beside(struct kr_fs *fs, const struct kr_manifest_file *file)
{
	_cleanup_(found_done) struct found f = {.file = file, .dir_fd = -1};
	int r = name_own(&f);

	if (r < 0)
		return r;
	f.dir_fd = kr_fs_open_parent(fs, file->path, &f.name);
	if (f.dir_fd < 0)
		return f.dir_fd == -ENOENT ? 0 : f.dir_fd;
	r = remove_names(&f);
	if (r < 0)
		return r;
	return fsync(f.dir_fd) < 0 ? -errno : 0;
}

int kr_recover_tidy_file(struct kr_fs *fs, const struct kr_manifest_file *file)
{
	int r = tidy_beside(fs, file);

	/* its folder may be gone, and the one above it still be there */
	return r < 0 ? r
	             : kr_remove_empty_parents(fs, file->path, file->folder);
}

bool kr_recover_lies_beside(int dir_fd, const struct kr_manifest_file *file)
{
	struct found f = {.file = file};

	return name_own(&f) == 0 &&
	       (kr_is_there(dir_fd, file->temp) ||
	        kr_is_there(dir_fd, file->back) ||
	        kr_is_there(dir_fd, f.taken) || kr_is_there(dir_fd, f.copy));
}
