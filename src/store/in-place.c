/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Mode and owner, changed in place: on the inode that was opened and compared,
 * so that its bytes, its times of writing and birth, and whatever watches or
 * mounts it stay as they are.
 *
 *   open the last name, not through a link; compare it with what was read
 *   compare once more; fchown(2), then fchmod(2); fstat(2); fsync(2)
 *   ... back: what is still ours of the two, on the same inode
 *
 * Two calls are no one step. In between the file has the new owner and the old
 * mode: that is ours, too, so each of the two is judged for itself
 * (base/perms), and who finds us killed there can tell. The owner comes
 * first, since a change of it takes set-id bits away (chown(2)). A file that
 * has such bits would have a third mode in between, and would lose its
 * capabilities: its owner is not changed.
 *
 * Refused, too: a file with several names, which others know it by; one with an
 * ACL, whose mask is what chmod(2) changes (acl(5)); an immutable one. Who has
 * it open for writing does no harm: no byte is touched.
 *
 * What is done to an open inode cannot be guarded against a run that was passed
 * (store/recover-file), as there is no name to take away from it: such a run
 * looks once more at whose the record is when it has made its step, and puts
 * that back itself (store/transaction).
 *
 * After a crash there is no inode at hand, but what lies at the name, which may
 * be another file: one with other bytes was written by others, who have chosen
 * its mode, too. It stays as it is. By the record alone the bytes are known.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include "base/clock.h"
#include "store/in-place.h"

static int fail(struct kr_diag *diag, const char *path, int error,
                const char *what)
{
	kr_diag_add_path(diag, KR_ERROR, "file-not-changed", path, "%s: %s",
	                 what, strerror(-error));
	return error;
}

static int refuse(struct kr_diag *diag, const char *path, int r,
                  const char *why)
{
	kr_diag_add_path(diag, KR_ERROR, "file-refused", path, "%s", why);
	return r;
}

static int refuse_stale(struct kr_diag *diag, const char *path)
{
	return refuse(diag, path, KR_CHANGE_STALE,
	              "was changed by others since it was read");
}

/* --- the file ------------------------------------------------------------ */

/* 1, 0 or an errno. */
static int has_attribute(int fd, const char *name)
{
	if (fgetxattr(fd, name, NULL, 0) >= 0)
		return 1;
	return errno == ENODATA || errno == ENOTSUP ? 0 : -errno;
}

static int has_acl(int fd)
{
	return has_attribute(fd, "system.posix_acl_access");
}

int kr_in_place_check(int fd, const char *path,
                      const struct kr_perms_change *change,
                      struct kr_diag *diag)
{
	struct kr_perms now;
	struct stat st;
	int r = fstat(fd, &st) < 0 ? -errno : has_acl(fd);

	if (r < 0)
		return fail(diag, path, r, "cannot be looked at");
	now = kr_perms_of(&st);
	if (!kr_perms_equal(&now, &change->from))
		return refuse_stale(diag, path);
	if (r > 0)
		return refuse(diag, path, KR_CHANGE_ACL,
		              "has an ACL, whose mask a change of its mode "
		              "would change: that must be taken off first "
		              "(setfacl -b)");
	return KR_CHANGE_DONE;
}

/* What a change of the owner takes away (chown(2), capabilities(7)). */
static int check_set_id(int fd, const char *path,
                        const struct kr_perms_change *change,
                        struct kr_diag *diag)
{
	mode_t modes = change->from.mode | change->to.mode;
	int r;

	if (!kr_perms_changes_owner(change))
		return KR_CHANGE_DONE;
	r = has_attribute(fd, "security.capability");
	if (r < 0)
		return fail(diag, path, r, "cannot be looked at");
	if (r == 0 && !(modes & KR_SET_ID_BITS))
		return KR_CHANGE_DONE;
	return refuse(diag, path, KR_CHANGE_SET_ID,
	              "has set-id bits or capabilities, which a change of its "
	              "owner takes away: these must be taken off first");
}

static int check_kind(const struct kr_in_place *file, struct kr_diag *diag)
{
	struct statvfs vfs;
	struct stat st;
	int flags;

	if (fstat(file->fd, &st) < 0)
		return fail(diag, file->path, -errno, "cannot be looked at");
	if (!S_ISREG(st.st_mode))
		return refuse_stale(diag, file->path);
	if (st.st_nlink > 1)
		return refuse(diag, file->path, KR_CHANGE_LINKED,
		              "has several names (hard links), and the change "
		              "would affect the others, too");
	if (ioctl(file->fd, FS_IOC_GETFLAGS, &flags) == 0 &&
	    (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		return refuse(diag, file->path, KR_CHANGE_IMMUTABLE,
		              "is immutable (chattr +i or +a): this must be "
		              "taken off first");
	if (fstatvfs(file->fd, &vfs) == 0 && (vfs.f_flag & ST_RDONLY))
		return refuse(diag, file->path, -EROFS,
		              "lies on a file system that is mounted "
		              "read-only");
	return KR_CHANGE_DONE;
}

/* The name still is what was opened. */
static int check_same(struct kr_in_place *file, struct kr_diag *diag)
{
	int r = kr_known_check(file->dir_fd, file->name, &file->was);

	if (r < 0)
		return fail(diag, file->path, r, "cannot be compared");
	/* who writes its bytes does not meet us */
	if (r == KR_CHANGE_DONE || r == KR_CHANGE_OPEN)
		return KR_CHANGE_DONE;
	return refuse_stale(diag, file->path);
}

static int check(const struct kr_in_place *file, struct kr_diag *diag)
{
	int r = check_kind(file, diag);

	if (r != KR_CHANGE_DONE)
		return r;
	r = kr_in_place_check(file->fd, file->path, &file->change, diag);
	return r == KR_CHANGE_DONE
	               ? check_set_id(file->fd, file->path, &file->change, diag)
	               : r;
}

/* The bytes are what was read. */
static int compare(struct kr_in_place *file, const struct kr_file *old,
                   struct kr_diag *diag)
{
	int r = kr_known_read(file->fd, &file->was);

	if (r < 0)
		return fail(diag, file->path, r, "cannot be read");
	if (!kr_file_has_hash(old, file->was.bytes))
		return refuse_stale(diag, file->path);
	return check_same(file, diag);
}

int kr_in_place_look(struct kr_fs *fs, const struct kr_file_edits *edits,
                     struct kr_diag *diag, struct kr_in_place *ret)
{
	_cleanup_in_place_ struct kr_in_place file = KR_IN_PLACE_NONE;
	int r;

	file.change = edits->perms;
	file.path = strdup(edits->path);
	if (!file.path)
		return -ENOMEM;
	file.dir_fd = kr_fs_open_parent(fs, file.path, &file.name);
	if (file.dir_fd < 0)
		return fail(diag, file.path, file.dir_fd,
		            "its folder cannot be opened");
	file.fd = kr_known_open(file.dir_fd, file.name);
	if (file.fd == -ELOOP)
		return refuse_stale(diag, file.path);
	if (file.fd < 0)
		return fail(diag, file.path, file.fd, "cannot be opened");
	r = check(&file, diag);
	if (r != KR_CHANGE_DONE)
		return r;
	*ret = file;
	file = KR_IN_PLACE_NONE;
	return KR_CHANGE_DONE;
}

int kr_in_place_open(struct kr_fs *fs, const struct kr_file_edits *edits,
                     struct kr_diag *diag, struct kr_in_place *ret)
{
	_cleanup_in_place_ struct kr_in_place file = KR_IN_PLACE_NONE;
	int r = kr_in_place_look(fs, edits, diag, &file);

	if (r == KR_CHANGE_DONE)
		r = compare(&file, edits->file, diag);
	if (r != KR_CHANGE_DONE)
		return r;
	*ret = file;
	file = KR_IN_PLACE_NONE;
	return KR_CHANGE_DONE;
}

void kr_in_place_done(struct kr_in_place *file)
{
	if (file->fd >= 0)
		close(file->fd);
	if (file->dir_fd >= 0)
		close(file->dir_fd);
	free(file->path);
	*file = KR_IN_PLACE_NONE;
}

/* --- there --------------------------------------------------------------- */

/* The open file FD gets WANT, to the disk. 0, with its stat; an errno: it may
 * have got a part of it. */
static int set(int fd, const struct kr_perms *want, struct stat *ret)
{
	struct kr_perms now;

	if (fstat(fd, ret) < 0)
		return -errno;
	now = kr_perms_of(ret);
	if (!kr_perms_same_owner(&now, want) &&
	    fchown(fd, want->uid, want->gid) < 0)
		return -errno;
	if (now.mode != want->mode && fchmod(fd, want->mode) < 0)
		return -errno;
	if (fsync(fd) < 0 || fstat(fd, ret) < 0)
		return -errno;
	/* some file systems take it and do nothing */
	now = kr_perms_of(ret);
	return kr_perms_equal(&now, want) ? 0 : -EOPNOTSUPP;
}

static bool is_at_name(const struct kr_in_place *file)
{
	struct stat st;

	return fstatat(file->dir_fd, file->name, &st, AT_SYMLINK_NOFOLLOW) ==
	               0 &&
	       st.st_dev == file->was.st.st_dev &&
	       st.st_ino == file->was.st.st_ino;
}

int kr_in_place_commit(struct kr_in_place *file, struct kr_diag *diag)
{
	struct stat st;
	int r = check_same(file, diag);

	if (r != KR_CHANGE_DONE)
		return r;
	file->touched = true;
	r = set(file->fd, &file->change.to, &st);
	if (r < 0)
		return fail(diag, file->path, r,
		            "its mode or owner cannot be changed");
	file->ctime_usec = kr_timespec_usec(&st.st_ctim);
	/* another name, or another file, in that very instant */
	if (st.st_nlink != 1 || !is_at_name(file))
		return refuse_stale(diag, file->path);
	return KR_CHANGE_DONE;
}

/* --- and back ------------------------------------------------------------ */

/* KR_CHANGE_DONE; STALE, without words: something of it is not ours any more;
 * an errno. RET_CTIME stays as it is where nothing is changed. */
static int take_back(int fd, const struct kr_perms_change *change,
                     uint64_t *ret_ctime_usec)
{
	enum kr_perms_found found;
	struct kr_perms now, back;
	struct stat st;
	int r = fstat(fd, &st) < 0 ? -errno : has_acl(fd);

	if (r < 0)
		return r;
	now = kr_perms_of(&st);
	found = kr_perms_take_back(change, &now, &back);
	if (found == KR_PERMS_BEFORE)
		return KR_CHANGE_DONE;
	if (r > 0)
		return KR_CHANGE_STALE;
	if (!kr_perms_equal(&now, &back)) {
		r = set(fd, &back, &st);
		if (r < 0)
			return r;
		*ret_ctime_usec = kr_timespec_usec(&st.st_ctim);
	}
	return found == KR_PERMS_OTHERS ? KR_CHANGE_STALE : KR_CHANGE_DONE;
}

int kr_in_place_revert(struct kr_in_place *file, struct kr_diag *diag)
{
	int r = take_back(file->fd, &file->change, &file->ctime_usec);

	if (r < 0)
		return fail(diag, file->path, r,
		            "its mode or owner cannot be put back");
	if (r == KR_CHANGE_STALE || !is_at_name(file))
		return refuse_stale(diag, file->path);
	return KR_CHANGE_DONE;
}

bool kr_in_place_is_foreign(const struct kr_in_place *file)
{
	struct kr_perms now;
	struct stat st;

	if (!is_at_name(file) || fstat(file->fd, &st) < 0)
		return true;
	now = kr_perms_of(&st);
	return !kr_perms_equal(&now, &file->change.to);
}

/* --- what an interrupted run left ---------------------------------------- */

static void say_foreign(const struct kr_manifest_file *file,
                        struct kr_diag *diag)
{
	char mode[KR_MODE_SIZE], owner[KR_OWNER_SIZE];

	kr_mode_format(file->perms.from.mode, mode);
	kr_owner_describe(&file->perms.from, owner);
	kr_diag_add_path(diag, KR_WARNING, "recover-foreign", file->path,
	                 "was changed by others after the interruption "
	                 "and keeps the mode and owner that it has: before it "
	                 "had %s, %s",
	                 mode, owner);
}

/* What lies at the name: an fd; -ENOENT: nothing; -ELOOP: what is no regular
 * file. */
static int open_found(struct kr_fs *fs, const struct kr_manifest_file *file)
{
	const char *name;
	_cleanup_close_ int dir_fd = kr_fs_open_parent(fs, file->path, &name);
	struct stat st;

	if (dir_fd < 0)
		return dir_fd;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? kr_known_open(dir_fd, name) : -ELOOP;
}

/* Whether it needs nothing, or is not ours; as enum kr_perms_found. */
static int judge(int fd, const struct kr_manifest_file *file)
{
	enum kr_perms_found found;
	struct kr_known known;
	struct kr_perms now, back;
	int r;

	if (fstat(fd, &known.st) < 0)
		return -errno;
	now = kr_perms_of(&known.st);
	found = kr_perms_take_back(&file->perms, &now, &back);
	if (found == KR_PERMS_BEFORE)
		return found;
	r = kr_known_read(fd, &known);
	/* it was small when it was ours */
	if (r == -EFBIG)
		return KR_PERMS_OTHERS;
	if (r < 0)
		return r;
	return strcmp(known.bytes, file->before) == 0 ? KR_PERMS_OURS
	                                              : KR_PERMS_OTHERS;
}

int kr_in_place_recover(struct kr_fs *fs, const struct kr_manifest_file *file,
                        struct kr_diag *diag)
{
	_cleanup_close_ int fd = open_found(fs, file);
	uint64_t ignored;
	int r;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0 && fd != -ELOOP)
		return fd;
	r = fd < 0 ? (int)KR_PERMS_OTHERS : judge(fd, file);
	if (r < 0 || r == KR_PERMS_BEFORE)
		return r < 0 ? r : 0;
	if (r == KR_PERMS_OURS) {
		r = take_back(fd, &file->perms, &ignored);
		if (r < 0 || r == KR_CHANGE_DONE)
			return r;
	}
	say_foreign(file, diag);
	return 0;
}

void kr_in_place_note(struct kr_fs *fs, struct kr_manifest_file *file)
{
	_cleanup_close_ int fd = open_found(fs, file);
	struct kr_perms now;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	now = kr_perms_of(&st);
	if (kr_perms_equal(&now, &file->perms.from))
		file->ctime_usec = kr_timespec_usec(&st.st_ctim);
}
