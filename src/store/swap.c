/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A rename over a name drops what is there at that instant, whatever it was
 * when one looked. RENAME_EXCHANGE drops nothing: the old inode is at hand
 * afterwards and can be compared without a race, as only we know its new name.
 *
 *      name  temp
 *        X     Y      exchange
 *        Y     X      X is what was expected: done
 *        Y     F      others were faster: exchange again
 *        F     Y      as if we had not come
 *
 * A name that is to be free, and a free name, are moved with RENAME_NOREPLACE,
 * and compared the same way.
 *
 * While F is on its way back a third one may write: what stands at the name
 * then is newer than F, and would have replaced it without us, too. It stays,
 * and F goes.
 *
 * An inode keeps its number on the way; on an overlayfs, too, where the
 * exchange copies it up (constant inode numbers, Linux 4.12).
 *
 * Some file systems (NFS) and filters of system calls know no flags: a move is
 * then a look and a plain rename, and an exchange the caller's business.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sha2.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/macro.h"
#include "store/metadata.h"
#include "store/swap.h"

/* --- what lies at a name ------------------------------------------------- */

static int hash_bytes(int fd, char ret[static KR_SHA256_HEX_SIZE])
{
	uint8_t buffer[64 * 1024];
	SHA2_CTX hash;
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	SHA256Init(&hash);
	while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		SHA256Update(&hash, buffer, (size_t)n);
	}
	SHA256End(&hash, ret);
	return 0;
}

int kr_known_open(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name,
	                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
	                        O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int kr_known_read(int fd, struct kr_known *ret)
{
	struct kr_known known;
	int r;

	if (fstat(fd, &known.st) < 0)
		return -errno;
	if ((size_t)known.st.st_size > KR_FILE_SIZE_MAX)
		return -EFBIG;
	r = hash_bytes(fd, known.bytes);
	if (r < 0)
		return r;
	r = kr_metadata_hash(fd, known.attributes);
	if (r < 0)
		return r;
	*ret = known;
	return 0;
}

/* A read lease is given while the file is not open for writing. It is given
 * back at once: an open(2) must not wait for us. */
static bool has_writer(int fd)
{
	/* the signal of a lease that is broken in between: a signal that is
	 * ignored by default */
	if (fcntl(fd, F_SETSIG, SIGURG) < 0)
		return false;
	if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return errno == EAGAIN;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return false;
}

static bool is_same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mode == b->st_mode &&
	       a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
	       a->st_nlink == b->st_nlink &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool kr_known_equal(const struct kr_known *a, const struct kr_known *b)
{
	return a->st.st_mode == b->st.st_mode && a->st.st_uid == b->st.st_uid &&
	       a->st.st_gid == b->st.st_gid &&
	       strcmp(a->bytes, b->bytes) == 0 &&
	       strcmp(a->attributes, b->attributes) == 0;
}

int kr_known_check(int dir_fd, const char *name, const struct kr_known *want)
{
	_cleanup_close_ int fd = -1;
	struct kr_known now;
	int r;

	if (fstatat(dir_fd, name, &now.st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? KR_CHANGE_STALE : -errno;
	if (!S_ISREG(now.st.st_mode) || !is_same(&now.st, &want->st))
		return KR_CHANGE_STALE;
	fd = kr_known_open(dir_fd, name);
	if (fd < 0)
		return fd == -ENOENT || fd == -ELOOP ? KR_CHANGE_STALE : fd;
	r = kr_known_read(fd, &now);
	if (r < 0)
		return r;
	if (!is_same_inode(&now.st, &want->st) ||
	    !is_same(&now.st, &want->st) || !kr_known_equal(&now, want))
		return KR_CHANGE_STALE;
	return has_writer(fd) ? KR_CHANGE_OPEN : KR_CHANGE_DONE;
}

/* --- changing places ----------------------------------------------------- */

/* What a file system says that knows no flags, or a filter. */
static bool is_unknown(int error)
{
	return error == EINVAL || error == ENOSYS || error == EPERM ||
	       error == EOPNOTSUPP;
}

static int exchange(const struct kr_names *n)
{
	if (renameat2(n->dir_fd, n->temp, n->dir_fd, n->name,
	              RENAME_EXCHANGE) == 0)
		return KR_CHANGE_DONE;
	return is_unknown(errno) ? KR_CHANGE_NO_EXCHANGE : -errno;
}

int kr_move(int dir_fd, const char *from, const char *to)
{
	struct stat st;

	if (renameat2(dir_fd, from, dir_fd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (!is_unknown(errno))
		return -errno;
	if (fstatat(dir_fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	if (errno != ENOENT)
		return -errno;
	return renameat(dir_fd, from, dir_fd, to) < 0 ? -errno : 0;
}

static int change_places(const struct kr_names *n, bool at_name, bool at_temp)
{
	int r;

	if (!at_name)
		r = kr_move(n->dir_fd, n->temp, n->name);
	else if (at_temp)
		r = exchange(n);
	else
		r = kr_move(n->dir_fd, n->name, n->temp);
	/* what was to be at the name is gone */
	if (r == -ENOENT && at_name)
		return KR_CHANGE_STALE;
	return r == -EEXIST ? KR_CHANGE_EXISTS : r;
}

static bool is_at(const struct kr_names *n, const char *name,
                  const struct stat *want)
{
	struct stat now;

	return fstatat(n->dir_fd, name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       is_same_inode(&now, want);
}

/* Others' content lies at the temporary name, AT_TEMP stands (NULL:
 * nothing) where it was. False: it still lies there. */
static bool bring_back(const struct kr_names *n, const struct stat *at_temp)
{
	int r = change_places(n, at_temp != NULL, true);

	if (r == KR_CHANGE_DONE && (!at_temp || is_at(n, n->temp, at_temp)))
		return true;
	/* what came out now is a newer one: that one stays */
	if (r == KR_CHANGE_DONE)
		r = exchange(n);
	if (r < 0 || r == KR_CHANGE_NO_EXCHANGE)
		return false;
	unlinkat(n->dir_fd, n->temp, 0);
	return true;
}

int kr_swap(const struct kr_names *names, const struct kr_known *at_name,
            const struct stat *at_temp)
{
	int r = change_places(names, at_name != NULL, at_temp != NULL);

	if (r != KR_CHANGE_DONE || !at_name)
		return r;
	r = kr_known_check(names->dir_fd, names->temp, at_name);
	if (r == KR_CHANGE_DONE || bring_back(names, at_temp))
		return r;
	return KR_CHANGE_DISPLACED;
}
