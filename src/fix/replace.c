/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One file, replaced atomically:
 *
 *   open the target (not through a link), compare it with what was read
 *   write NAME beside it: O_EXCL, all bytes, owner, mode, xattrs, fsync
 *   rename over the target, fsync the folder
 *
 * At every instant the target's name shows the whole old or the whole new
 * content; after the last step a power cut cannot undo it. NAME is
 * ".kubelet-remedy-" and 96 random bits: it ends in no suffix that systemd or
 * kubelet reads, and nobody can have put it there before.
 *
 * Refused: a file with several names (the others would keep the old bytes), an
 * immutable or append-only one, a mount point and what lies on a read-only
 * mount (no rename works there), one that somebody has open for writing (a read
 * lease tells), one that is no longer what was read: its bytes are compared
 * when it is opened; its inode, size and times, and the writers, once more just
 * before the rename.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include "fix/replace.h"

static int fail(struct kr_diag *diag, const char *path, int error,
                const char *what)
{
	kr_diag_add_path(diag, KR_ERROR, "file-not-replaced", path, "%s: %s",
	                 what, strerror(-error));
	return error;
}

static int refuse(struct kr_diag *diag, const char *path, int error,
                  const char *why)
{
	kr_diag_add_path(diag, KR_ERROR, "file-refused", path, "%s", why);
	return error;
}

int kr_write_all(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size > 0) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

int kr_make_parent(struct kr_fs *fs, const char *real)
{
	_cleanup_free_ char *folder =
		strndup(real, (size_t)(strrchr(real, '/') - real));
	_cleanup_close_ int fd = -1;

	if (!folder)
		return -ENOMEM;
	if (!*folder)
		return 0;
	fd = kr_fs_make_folder(fs, folder, 0755);
	return fd < 0 ? fd : 0;
}

int kr_remove_empty_folder(struct kr_fs *fs, const char *path)
{
	const char *name;
	_cleanup_close_ int fd = kr_fs_open_parent(fs, path, &name);

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	if (unlinkat(fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT &&
	    errno != ENOTEMPTY && errno != EEXIST)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

int kr_remove_folder(struct kr_fs *fs, const char *path, const char *first)
{
	_cleanup_dir_ struct kr_dir dir = {0};
	_cleanup_close_ int fd = -1;
	int r = kr_fs_list(fs, path, &dir);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	fd = kr_fs_open_folder(fs, path);
	if (fd < 0)
		return fd;
	if (first)
		unlinkat(fd, first, 0);
	for (size_t i = 0; i < dir.n_entries; i++)
		unlinkat(fd, dir.entries[i].name, 0);
	return kr_remove_empty_folder(fs, path);
}

int kr_remove_empty_parents(struct kr_fs *fs, const char *real,
                            const char *topmost)
{
	_cleanup_free_ char *folder = strdup(real);
	size_t least = strlen(topmost);
	int r = 0;

	if (!folder)
		return -ENOMEM;
	while (r == 0) {
		char *slash = strrchr(folder, '/');

		*slash = '\0';
		if (strlen(folder) < least)
			break;
		r = kr_remove_empty_folder(fs, folder);
	}
	return r;
}

int kr_write_file(int dir_fd, const char *name, const void *data, size_t size,
                  int metadata_fd)
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

/* --- metadata ------------------------------------------------------------ */

static bool is_kernels(const char *name)
{
	return strcmp(name, "security.ima") == 0 ||
	       strcmp(name, "security.evm") == 0;
}

static int copy_xattr(int from_fd, int to_fd, const char *name)
{
	ssize_t size = fgetxattr(from_fd, name, NULL, 0);
	_cleanup_free_ char *value = NULL;

	if (size < 0)
		return errno == ENODATA ? 0 : -errno;
	value = malloc((size_t)size + 1);
	if (!value)
		return -ENOMEM;
	size = fgetxattr(from_fd, name, value, (size_t)size);
	if (size < 0)
		return -errno;
	return fsetxattr(to_fd, name, value, (size_t)size, 0) < 0 ? -errno : 0;
}

static int copy_xattrs(int from_fd, int to_fd)
{
	ssize_t size = flistxattr(from_fd, NULL, 0);
	_cleanup_free_ char *names = NULL;
	int r = 0;

	if (size <= 0)
		return size < 0 && errno != ENOTSUP ? -errno : 0;
	names = malloc((size_t)size);
	if (!names)
		return -ENOMEM;
	size = flistxattr(from_fd, names, (size_t)size);
	if (size < 0)
		return -errno;
	for (char *name = names; r == 0 && name < names + size;
	     name += strlen(name) + 1) {
		if (!is_kernels(name))
			r = copy_xattr(from_fd, to_fd, name);
	}
	return r;
}

int kr_copy_metadata(int from_fd, int to_fd)
{
	struct stat st;

	if (fstat(from_fd, &st) < 0)
		return -errno;
	/* the owner first: a change of it takes set-id bits away */
	if (fchown(to_fd, st.st_uid, st.st_gid) < 0)
		return -errno;
	if (fchmod(to_fd, st.st_mode & 07777) < 0)
		return -errno;
	return copy_xattrs(from_fd, to_fd);
}

/* --- the target ---------------------------------------------------------- */

static const char changed_text[] =
	"was changed by somebody else since it was read";

static int compare_bytes(int fd, const struct kr_file *old)
{
	char buffer[64 * 1024];
	size_t at = 0;
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if ((size_t)n > old->size - at ||
		    memcmp(buffer, old->data + at, (size_t)n) != 0)
			return -ESTALE;
		at += (size_t)n;
	}
	return at == old->size ? 0 : -ESTALE;
}

/* The target, open for reading, still what was read. The fd or an errno. */
static int open_target(struct kr_replacement *rep, const struct kr_file *old,
                       struct kr_diag *diag)
{
	_cleanup_close_ int fd = openat(rep->dir_fd, rep->name,
	                                O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	                                        O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int flags, r;

	if (fd < 0)
		return fail(diag, rep->path, -errno, "cannot be opened");
	if (fstat(fd, &st) < 0)
		return fail(diag, rep->path, -errno, "cannot be looked at");
	if (!S_ISREG(st.st_mode))
		return refuse(diag, rep->path, -EINVAL,
		              "is no regular file any more");
	if (st.st_nlink > 1)
		return refuse(diag, rep->path, -EMLINK,
		              "has several names (hard links): a change would "
		              "leave the others as they are");
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 &&
	    (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		return refuse(diag, rep->path, -EPERM,
		              "is immutable (chattr +i or +a): this must be "
		              "taken off first");
	r = compare_bytes(fd, old);
	if (r == -ESTALE)
		return refuse(diag, rep->path, r, changed_text);
	if (r < 0)
		return fail(diag, rep->path, r, "cannot be read");
	rep->was = st;
	return TAKE_FD(fd);
}

/* A read lease is given while nobody has the file open for writing. It is given
 * back at once: an open(2) must not wait for us. */
static bool has_writer(int fd)
{
	/* the signal of a lease that is broken in between: one that is ignored
	 * by default */
	if (fcntl(fd, F_SETSIG, SIGURG) < 0)
		return false;
	if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return errno == EAGAIN;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return false;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size && a->st_mode == b->st_mode &&
	       a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* What no rename could do, known before anything is written. */
static int check_mounts(struct kr_replacement *rep, struct kr_diag *diag)
{
	struct statvfs vfs;
	struct statx stx;

	if (fstatvfs(rep->dir_fd, &vfs) == 0 && (vfs.f_flag & ST_RDONLY))
		return refuse(diag, rep->path, -EROFS,
		              "lies on a file system that is mounted "
		              "read-only");
	if (rep->target_fd >= 0 &&
	    statx(rep->target_fd, "", AT_EMPTY_PATH, 0, &stx) == 0 &&
	    (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return refuse(diag, rep->path, -EBUSY,
		              "is a mount point: it cannot be replaced, but "
		              "what is mounted there can");
	return 0;
}

int kr_replacement_check(struct kr_replacement *rep, struct kr_diag *diag)
{
	struct stat now;

	if (rep->target_fd < 0)
		return 0;
	if (has_writer(rep->target_fd))
		return refuse(diag, rep->path, -ETXTBSY,
		              "is open for writing by another process");
	if (fstatat(rep->dir_fd, rep->name, &now, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return fail(diag, rep->path, -errno,
			            "cannot be looked at");
		return refuse(diag, rep->path, -ESTALE, changed_text);
	}
	return is_same(&now, &rep->was)
	               ? 0
	               : refuse(diag, rep->path, -ESTALE, changed_text);
}

void kr_replacement_name(char ret[static KR_TEMP_SIZE])
{
	unsigned random[3];

	arc4random_buf(random, sizeof(random));
	snprintf(ret, KR_TEMP_SIZE, ".kubelet-remedy-%08x%08x%08x", random[0],
	         random[1], random[2]);
}

int kr_replacement_open(struct kr_fs *fs, const char *real,
                        const struct kr_file *old, struct kr_diag *diag,
                        struct kr_replacement *ret)
{
	_cleanup_(kr_replacement_done) struct kr_replacement rep = {
		.dir_fd = -1, .target_fd = -1};
	int r;

	rep.path = strdup(real);
	if (!rep.path)
		return -ENOMEM;
	rep.dir_fd = kr_fs_open_parent(fs, rep.path, &rep.name);
	if (rep.dir_fd < 0)
		return fail(diag, real, rep.dir_fd,
		            "its folder cannot be opened");
	if (faccessat(rep.dir_fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return fail(diag, real, -errno,
		            "nothing can be written beside it");
	if (old) {
		rep.target_fd = open_target(&rep, old, diag);
		if (rep.target_fd < 0)
			return rep.target_fd;
		r = kr_replacement_check(&rep, diag);
		if (r < 0)
			return r;
	}
	r = check_mounts(&rep, diag);
	if (r < 0)
		return r;
	*ret = rep;
	rep = (struct kr_replacement){.dir_fd = -1, .target_fd = -1};
	return 0;
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
		r = kr_copy_metadata(metadata_fd, fd);
	else if (fchmod(fd, 0644) < 0)
		r = -errno;
	if (r < 0)
		return fail(diag, rep->path, r,
		            "its owner, mode or attributes cannot be kept");
	if (fsync(fd) < 0)
		return fail(diag, rep->path, -errno,
		            "the new content cannot be brought to the disk");
	return 0;
}

int kr_replacement_fill(struct kr_replacement *rep,
                        const struct kr_replacement_content *content,
                        struct kr_diag *diag)
{
	_cleanup_close_ int fd = -1;

	if (content->temp)
		strlcpy(rep->temp, content->temp, sizeof(rep->temp));
	else
		kr_replacement_name(rep->temp);
	fd = openat(rep->dir_fd, rep->temp,
	            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(diag, rep->path, -errno,
		            "nothing can be written beside it");
	rep->written = true;
	return fill(rep, fd, content, diag);
}

int kr_replacement_write(struct kr_fs *fs, const char *real,
                         const struct kr_file *old,
                         const struct kr_replacement_content *content,
                         struct kr_diag *diag, struct kr_replacement *ret)
{
	_cleanup_(kr_replacement_done) struct kr_replacement rep = {
		.dir_fd = -1, .target_fd = -1};
	int r = kr_replacement_open(fs, real, old, diag, &rep);

	if (r == 0)
		r = kr_replacement_fill(&rep, content, diag);
	if (r < 0)
		return r;
	*ret = rep;
	rep = (struct kr_replacement){.dir_fd = -1, .target_fd = -1};
	return 0;
}

int kr_replacement_commit(struct kr_replacement *rep, struct kr_diag *diag)
{
	unsigned flags = rep->target_fd < 0 ? RENAME_NOREPLACE : 0;
	int r = kr_replacement_check(rep, diag);

	if (r < 0)
		return r;
	if (renameat2(rep->dir_fd, rep->temp, rep->dir_fd, rep->name, flags) <
	    0)
		return fail(diag, rep->path, -errno, "cannot be replaced");
	rep->written = false;
	return 0;
}

int kr_replacement_sync(struct kr_replacement *rep, struct kr_diag *diag)
{
	if (fsync(rep->dir_fd) < 0)
		return fail(diag, rep->path, -errno,
		            "its folder cannot be brought to the disk");
	return 0;
}

void kr_replacement_discard(struct kr_replacement *rep)
{
	if (rep->written)
		unlinkat(rep->dir_fd, rep->temp, 0);
	rep->written = false;
}

void kr_replacement_done(struct kr_replacement *rep)
{
	kr_replacement_discard(rep);
	if (rep->target_fd >= 0)
		close(rep->target_fd);
	if (rep->dir_fd >= 0)
		close(rep->dir_fd);
	free(rep->path);
	*rep = (struct kr_replacement){.dir_fd = -1, .target_fd = -1};
}
