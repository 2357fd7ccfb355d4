/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One file, replaced atomically:
 *
 *   open the target (not through a link), compare it with what was read
 *   write NAME beside it: O_EXCL, all bytes, owner, mode, xattrs, fsync
 *   exchange the two (store/swap), fsync the folder
 *   ... the old file lies at NAME, until it is exchanged back or removed
 *
 * At every instant the target's name shows the whole old or the whole new
 * content; after the third step a power cut cannot undo it. NAME is
 * ".kubelet-remedy-" and 96 random bits: it ends in no suffix that systemd or
 * kubelet reads, and cannot have been put there before.
 *
 * A file that is made has no old one, and a file that is removed no new one:
 * then NAME, or the target's, is free before and the other one after.
 *
 * Refused: a file with several names (the others would keep the old bytes), an
 * immutable or append-only one, a mount point and what lies on a read-only
 * mount (no rename works there), a file that is open for writing (a read
 * lease tells), and a file that is no longer what was read. The last two are
 * looked at when it is opened, before the rename, and after it. Where the file
 * system has no exchange a plain rename follows the second look: what others
 * write between these two is lost.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>

#include "store/files.h"
#include "store/metadata.h"
#include "store/replace.h"

static int fail(struct kr_diag *diag, const char *path, int error,
                const char *what)
{
	kr_diag_add_path(diag, KR_ERROR, "file-not-replaced", path, "%s: %s",
	                 what, strerror(-error));
	return error;
}

static int refuse(struct kr_diag *diag, const char *path, int r,
                  const char *why)
{
	kr_diag_add_path(diag, KR_ERROR, "file-refused", path, "%s", why);
	return r;
}

/* The words for what a comparison or a swap gave, which is returned. */
static int say(struct kr_replacement *rep, struct kr_diag *diag, int r)
{
	switch (r) {
	case KR_CHANGE_DONE:
		return r;
	case KR_CHANGE_STALE:
		return refuse(diag, rep->path, r,
		              "was changed by others since it was read");
	case KR_CHANGE_OPEN:
		return refuse(diag, rep->path, r,
		              "is open for writing by another process");
	case KR_CHANGE_EXISTS:
		return refuse(diag, rep->path, r,
		              "is there: others have made it meanwhile");
	case KR_CHANGE_NO_EXCHANGE:
		return fail(diag, rep->path, -EOPNOTSUPP, "cannot be replaced");
	case KR_CHANGE_DISPLACED:
		kr_diag_add_path(diag, KR_ERROR, "file-displaced", rep->path,
		                 "was changed by others at the moment "
		                 "it was replaced: that change lies beside it "
		                 "in %s",
		                 rep->temp);
		return r;
	default:
		return fail(diag, rep->path, r, "cannot be replaced");
	}
}

/* --- the target ---------------------------------------------------------- */

/* statx(2) of FD; what old filters of system calls let by where they deny it.
 */
static int look(int fd, struct statx *ret)
{
	struct stat st;

	*ret = (struct statx){0};
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, ret) == 0)
		return 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	ret->stx_mode = (uint16_t)st.st_mode;
	ret->stx_nlink = (uint32_t)st.st_nlink;
	ret->stx_size = (uint64_t)st.st_size;
	return 0;
}

/* Not every file system tells it by statx(2). */
static bool is_fixed(int fd, const struct statx *stx)
{
	const uint64_t fixed = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND;
	int flags;

	if ((stx->stx_attributes_mask & fixed) == fixed)
		return stx->stx_attributes & fixed;
	return ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 &&
	       (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL));
}

static int check_kind(struct kr_replacement *rep, int fd,
                      const struct kr_file *old, struct kr_diag *diag)
{
	struct statx stx;
	int r = look(fd, &stx);

	if (r < 0)
		return fail(diag, rep->path, r, "cannot be looked at");
	if (!S_ISREG(stx.stx_mode))
		return refuse(diag, rep->path, -EINVAL,
		              "is no regular file any more");
	if (stx.stx_nlink > 1)
		return refuse(diag, rep->path, -EMLINK,
		              "has several names (hard links): a change would "
		              "leave the others as they are");
	if (is_fixed(fd, &stx))
		return refuse(diag, rep->path, -EPERM,
		              "is immutable (chattr +i or +a): this must be "
		              "taken off first");
	if (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return refuse(diag, rep->path, -EBUSY,
		              "is a mount point: it cannot be replaced, but "
		              "what is mounted there can");
	return say(rep, diag,
	           stx.stx_size == old->size ? KR_CHANGE_DONE
	                                     : KR_CHANGE_STALE);
}

/* The target, open for reading. */
static int open_target(struct kr_replacement *rep, const struct kr_file *old,
                       struct kr_diag *diag)
{
	rep->target_fd = kr_known_open(rep->dir_fd, rep->name);
	if (rep->target_fd < 0)
		return fail(diag, rep->path, rep->target_fd,
		            "cannot be opened");
	return check_kind(rep, rep->target_fd, old, diag);
}

/* The target still is what was read, and no process writes to it. */
static int compare(struct kr_replacement *rep, const struct kr_file *old,
                   struct kr_diag *diag)
{
	int r = kr_known_read(rep->target_fd, &rep->was);

	if (r < 0)
		return fail(diag, rep->path, r, "cannot be read");
	if (!kr_file_has_hash(old, rep->was.bytes))
		return say(rep, diag, KR_CHANGE_STALE);
	return say(rep, diag,
	           kr_known_check(rep->dir_fd, rep->name, &rep->was));
}

/* No rename goes there, known before anything is written. */
static int check_mount(struct kr_replacement *rep, struct kr_diag *diag)
{
	struct statvfs vfs;

	if (fstatvfs(rep->dir_fd, &vfs) == 0 && (vfs.f_flag & ST_RDONLY))
		return refuse(diag, rep->path, -EROFS,
		              "lies on a file system that is mounted "
		              "read-only");
	return 0;
}

static int check_absent(struct kr_replacement *rep, struct kr_diag *diag)
{
	struct stat st;

	if (fstatat(rep->dir_fd, rep->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return say(rep, diag, KR_CHANGE_EXISTS);
	return errno == ENOENT
	               ? 0
	               : fail(diag, rep->path, -errno, "cannot be looked at");
}

void kr_replacement_name(char ret[static KR_TEMP_SIZE])
{
	unsigned random[3];

	arc4random_buf(random, sizeof(random));
	snprintf(ret, KR_TEMP_SIZE, KR_TEMP_PREFIX "%08x%08x%08x", random[0],
	         random[1], random[2]);
}

/* A rename could put something at REAL: KR_CHANGE_DONE, and REP is open. */
static int reach(struct kr_fs *fs, const char *real, const struct kr_file *old,
                 struct kr_diag *diag, struct kr_replacement *rep)
{
	int r;

	rep->path = strdup(real);
	if (!rep->path)
		return -ENOMEM;
	rep->dir_fd = kr_fs_open_parent(fs, rep->path, &rep->name);
	if (rep->dir_fd < 0)
		return fail(diag, real, rep->dir_fd,
		            "its folder cannot be opened");
	r = kr_may_write_in(rep->dir_fd);
	if (r < 0)
		return fail(diag, real, r, "nothing can be written beside it");
	r = old ? open_target(rep, old, diag) : check_absent(rep, diag);
	return r == KR_CHANGE_DONE ? check_mount(rep, diag) : r;
}

int kr_replacement_look(struct kr_fs *fs, const char *real,
                        const struct kr_file *old, struct kr_diag *diag,
                        struct kr_replacement *ret)
{
	_cleanup_replacement_ struct kr_replacement rep = KR_REPLACEMENT_NONE;
	int r = reach(fs, real, old, diag, &rep);

	if (r != KR_CHANGE_DONE)
		return r;
	*ret = rep;
	rep = KR_REPLACEMENT_NONE;
	return KR_CHANGE_DONE;
}

int kr_replacement_open(struct kr_fs *fs, const char *real,
                        const struct kr_file *old, const char *temp,
                        struct kr_diag *diag, struct kr_replacement *ret)
{
	_cleanup_replacement_ struct kr_replacement rep = KR_REPLACEMENT_NONE;
	int r = kr_replacement_look(fs, real, old, diag, &rep);

	if (r == KR_CHANGE_DONE && old)
		r = compare(&rep, old, diag);
	if (r != KR_CHANGE_DONE)
		return r;
	strlcpy(rep.temp, temp, sizeof(rep.temp));
	*ret = rep;
	rep = KR_REPLACEMENT_NONE;
	return KR_CHANGE_DONE;
}

/* --- the new content ----------------------------------------------------- */

/* The owner first: a change of it takes set-id bits away. */
static int set_perms(int fd, const struct kr_perms *perms)
{
	if (fchown(fd, perms->uid, perms->gid) < 0)
		return -errno;
	return fchmod(fd, perms->mode) < 0 ? -errno : 0;
}

static int fill(struct kr_replacement *rep, int fd,
                const struct kr_replacement_content *content,
                struct kr_diag *diag)
{
	int metadata_fd = content->metadata_fd >= 0 ? content->metadata_fd
	                                            : rep->target_fd;
	int r = kr_write_all(fd, content->data, content->size);

	if (r < 0)
		return fail(diag, rep->path, r, "writing the new content");
	if (metadata_fd >= 0)
		r = kr_metadata_copy(metadata_fd, fd);
	else if (fchmod(fd, 0644) < 0)
		r = -errno;
	if (r < 0)
		return fail(diag, rep->path, r,
		            "its owner, mode or attributes cannot be kept");
	r = content->perms ? set_perms(fd, content->perms) : 0;
	if (r < 0)
		return fail(diag, rep->path, r,
		            "its mode or owner cannot be changed");
	if (fsync(fd) < 0)
		return fail(diag, rep->path, -errno,
		            "the new content cannot be written to the disk");
	r = kr_known_read(fd, &rep->new);
	return r < 0 ? fail(diag, rep->path, r,
	                    "the new content cannot be read again")
	             : 0;
}

int kr_replacement_fill(struct kr_replacement *rep,
                        const struct kr_replacement_content *content,
                        struct kr_diag *diag)
{
	_cleanup_close_ int fd = openat(
		rep->dir_fd, rep->temp,
		O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail(diag, rep->path, -errno,
		            "nothing can be written beside it");
	rep->beside = KR_BESIDE_NEW;
	rep->has_new = true;
	return fill(rep, fd, content, diag);
}

int kr_replacement_write(struct kr_fs *fs, const char *real,
                         const struct kr_file *old, const char *temp,
                         const struct kr_replacement_content *content,
                         struct kr_diag *diag, struct kr_replacement *ret)
{
	_cleanup_replacement_ struct kr_replacement rep = KR_REPLACEMENT_NONE;
	int r = kr_replacement_open(fs, real, old, temp, diag, &rep);

	if (r != KR_CHANGE_DONE)
		return r;
	r = kr_replacement_fill(&rep, content, diag);
	if (r < 0)
		return r;
	*ret = rep;
	rep = KR_REPLACEMENT_NONE;
	return 0;
}

/* --- there and back ------------------------------------------------------ */

static struct kr_names names_of(const struct kr_replacement *rep)
{
	return (struct kr_names){rep->dir_fd, rep->name, rep->temp};
}

/* No exchange here; the target was looked at just now. */
static int rename_over(struct kr_replacement *rep)
{
	if (renameat(rep->dir_fd, rep->temp, rep->dir_fd, rep->name) < 0)
		return -errno;
	rep->beside = KR_BESIDE_NOTHING;
	return 0;
}

int kr_replacement_commit(struct kr_replacement *rep, struct kr_diag *diag)
{
	const struct kr_names names = names_of(rep);
	bool has_old = rep->target_fd >= 0;
	int r = has_old ? kr_known_check(rep->dir_fd, rep->name, &rep->was)
	                : KR_CHANGE_DONE;

	if (r != KR_CHANGE_DONE)
		return say(rep, diag, r);
	r = kr_swap(&names, has_old ? &rep->was : NULL,
	            rep->has_new ? &rep->new.st : NULL);
	if (r == KR_CHANGE_DONE)
		rep->beside = has_old ? KR_BESIDE_OLD : KR_BESIDE_NOTHING;
	else if (r == KR_CHANGE_NO_EXCHANGE)
		r = rename_over(rep);
	else if (r == KR_CHANGE_DISPLACED)
		rep->beside = KR_BESIDE_THEIRS;
	return say(rep, diag, r);
}

/* What others wrote goes where it belongs. */
static int revert_theirs(struct kr_replacement *rep)
{
	const struct kr_names names = names_of(rep);
	struct stat theirs;
	int r;

	if (fstatat(rep->dir_fd, rep->temp, &theirs, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	r = kr_swap(&names, rep->has_new ? &rep->new : NULL, &theirs);
	if (r == KR_CHANGE_DONE)
		rep->beside = rep->has_new ? KR_BESIDE_NEW : KR_BESIDE_NOTHING;
	return r;
}

static int revert(struct kr_replacement *rep)
{
	const struct kr_names names = names_of(rep);
	const struct kr_known *new = rep->has_new ? &rep->new : NULL;
	int r = new ? kr_known_check(rep->dir_fd, rep->name, new)
	            : KR_CHANGE_DONE;

	if (r != KR_CHANGE_DONE)
		return r;
	r = kr_swap(&names, new, rep->target_fd >= 0 ? &rep->was.st : NULL);
	if (r == KR_CHANGE_DONE)
		rep->beside = new ? KR_BESIDE_NEW : KR_BESIDE_NOTHING;
	else if (r == KR_CHANGE_DISPLACED)
		rep->beside = KR_BESIDE_THEIRS;
	return r;
}

static bool is_gone(const struct kr_replacement *rep)
{
	struct stat st;

	return fstatat(rep->dir_fd, rep->name, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
	       errno == ENOENT;
}

bool kr_replacement_is_foreign(const struct kr_replacement *rep)
{
	_cleanup_close_ int fd = -1;
	struct kr_known now;

	if (is_gone(rep))
		return rep->has_new;
	if (!rep->has_new)
		return true;
	fd = kr_known_open(rep->dir_fd, rep->name);
	if (fd < 0 || fstat(fd, &now.st) < 0 || !S_ISREG(now.st.st_mode) ||
	    now.st.st_ino != rep->new.st.st_ino)
		return true;
	return kr_known_read(fd, &now) < 0 ||
	       strcmp(now.bytes, rep->new.bytes) != 0;
}

int kr_replacement_revert(struct kr_replacement *rep, struct kr_diag *diag)
{
	bool has_old = rep->target_fd >= 0;
	int r;

	if (rep->beside == KR_BESIDE_THEIRS)
		return say(rep, diag, revert_theirs(rep));
	if (!has_old && is_gone(rep))
		return KR_CHANGE_DONE;
	if (has_old && rep->beside != KR_BESIDE_OLD)
		return KR_CHANGE_NOT_AT_HAND;
	r = revert(rep);
	/* another cause than others' writing: by another way */
	if (has_old && (r < 0 || r == KR_CHANGE_NO_EXCHANGE))
		return KR_CHANGE_NOT_AT_HAND;
	return say(rep, diag, r);
}

int kr_replacement_verify(struct kr_replacement *rep, const struct stat *it,
                          struct kr_diag *diag)
{
	static const char what[] = "cannot be compared with what it was";
	_cleanup_close_ int fd = -1;
	struct kr_known now;
	int r;

	fd = kr_known_open(rep->dir_fd, rep->name);
	if (fd < 0)
		return fd == -ENOENT || fd == -ELOOP
		               ? 0
		               : fail(diag, rep->path, fd, what);
	r = kr_known_read(fd, &now);
	if (r < 0)
		return fail(diag, rep->path, r, what);
	if (kr_known_equal(&now, &rep->was) || now.st.st_ino != it->st_ino)
		return 0;
	return refuse(diag, rep->path, -EBADMSG,
	              "is not as it was after it was put back");
}

int kr_replacement_sync(struct kr_replacement *rep, struct kr_diag *diag)
{
	if (fsync(rep->dir_fd) < 0)
		return fail(diag, rep->path, -errno,
		            "its folder cannot be written to the disk");
	return 0;
}

int kr_replacement_discard(struct kr_replacement *rep)
{
	if (rep->beside != KR_BESIDE_NEW && rep->beside != KR_BESIDE_OLD)
		return 0;
	if (unlinkat(rep->dir_fd, rep->temp, 0) < 0 && errno != ENOENT)
		return -errno;
	rep->beside = KR_BESIDE_NOTHING;
	return 0;
}

void kr_replacement_leave(struct kr_replacement *rep)
{
	rep->beside = KR_BESIDE_NOTHING;
}

void kr_replacement_done(struct kr_replacement *rep)
{
	kr_replacement_discard(rep);
	if (rep->target_fd >= 0)
		close(rep->target_fd);
	if (rep->dir_fd >= 0)
		close(rep->dir_fd);
	free(rep->path);
	*rep = KR_REPLACEMENT_NONE;
}
