/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A setting that others can write is theirs to decide, whatever a fix says: the
 * file, by its owner, its group, everybody or an ACL; or a folder on its way,
 * since a user who can write a folder can put another file into the place of
 * one in it, or another folder. It is no reason to leave the setting wrong, so
 * it is said and no more. Of a folder of ours it is another matter: what lies
 * there makes root write any file, so there is no going on.
 *
 * In a sticky folder an entry can be replaced by its owner and the folder's
 * alone, so that only these count there: an attacker can put files beside one
 * of root's, but not take its place. A file that is going to be made is root's.
 *
 * A path that leads through symbolic links has several ways: the file's own,
 * and those to the links, each of which could be made another one. A link's
 * mode says nothing.
 *
 * An ACL's mask stands where a mode has the group's bits (acl(5)): only while
 * it lets write there is anything to look for.
 */

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/vec.h"
#include "store/others.h"

/* linux/posix_acl_xattr.h, whose fields are little-endian */
#define ACL_NAME      "system.posix_acl_access"
#define ACL_USER      0x02
#define ACL_GROUP_OBJ 0x04
#define ACL_GROUP     0x08
#define ACL_WRITE     0x02

#define LINKS_MAX 40 /* path_resolution(7) */

struct acl_entry {
	uint16_t tag;
	uint16_t permissions;
	uint32_t id;
};

struct acl {
	uint32_t version;
	struct acl_entry entries[32]; /* more are not named */
};

struct looking {
	struct kr_fs *fs;
	struct kr_diag *diag;
	uid_t uid; /* as good as root */
	gid_t gid;
	uid_t us;        /* and so is the user who runs this */
	const char *own; /* a folder of ours; NULL: a file is edited */
	size_t n_found;
};

/* A file or folder. */
struct place {
	const char *path;
	struct stat st;
	bool is_folder;
};

static _printf_(3, 4) void say(struct looking *l, const struct place *place,
                               const char *format, ...)
{
	char who[64];
	va_list args;

	va_start(args, format);
	vsnprintf(who, sizeof(who), format, args);
	va_end(args);
	l->n_found++;
	if (l->own)
		kr_diag_add_path(l->diag, KR_ERROR, "own-folder", place->path,
		                 "can be written by %s, so what is in %s could "
		                 "be theirs: it must be root's, and no other "
		                 "user may write it",
		                 who, l->own);
	else
		kr_diag_add_path(l->diag, KR_WARNING, "others-may-write",
		                 place->path, "can be written by %s%s", who,
		                 place->is_folder
		                         ? ": the file that is edited in it or "
		                           "below it could be replaced"
		                         : "");
}

static int open_place(struct looking *l, const struct place *place)
{
	const char *name;
	_cleanup_close_ int parent = -1;

	if (place->is_folder)
		return kr_fs_open_folder(l->fs, place->path);
	parent = kr_fs_open_parent(l->fs, place->path, &name);
	if (parent < 0)
		return parent;
	return openat(parent, name,
	              O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* How many entries it has; 0: there is no ACL. */
static size_t read_acl(struct looking *l, const struct place *place,
                       struct acl *ret)
{
	_cleanup_close_ int fd = open_place(l, place);
	ssize_t size = fd < 0 ? -1 : fgetxattr(fd, ACL_NAME, ret, sizeof(*ret));

	if (size < (ssize_t)offsetof(struct acl, entries))
		return 0;
	return ((size_t)size - offsetof(struct acl, entries)) /
	       sizeof(*ret->entries);
}

/* The mode lets the group write, or is an ACL's mask that does. */
static void look_at_groups(struct looking *l, const struct place *place)
{
	struct acl acl;
	size_t n = read_acl(l, place, &acl);
	bool group = n == 0;

	for (size_t i = 0; i < n; i++) {
		uint16_t tag = le16toh(acl.entries[i].tag);
		uint32_t id = le32toh(acl.entries[i].id);

		if (!(le16toh(acl.entries[i].permissions) & ACL_WRITE))
			continue;
		if (tag == ACL_GROUP_OBJ)
			group = true;
		else if (tag == ACL_USER && id != 0 && id != l->uid)
			say(l, place, "user %u, whom its ACL names", id);
		else if (tag == ACL_GROUP && id != 0 && id != l->gid)
			say(l, place, "group %u, which its ACL names", id);
	}
	if (group && place->st.st_gid != 0 && place->st.st_gid != l->gid)
		say(l, place, "group %u", place->st.st_gid);
}

static bool is_trusted(const struct looking *l, const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == l->uid || st->st_uid == l->us;
}

static void judge(struct looking *l, const struct place *place)
{
	if (!is_trusted(l, &place->st))
		say(l, place, "user %u, who owns it", place->st.st_uid);
}

static void judge_modes(struct looking *l, const struct place *place)
{
	if (place->st.st_mode & S_IWGRP)
		look_at_groups(l, place);
	if (place->st.st_mode & S_IWOTH)
		say(l, place, "everybody");
}

/* The file or link at PATH, then the folders that lead to it, up to the
 * root. */
static int look_along(struct looking *l, const char *path)
{
	_cleanup_free_ char *name = strdup(path);
	bool protected = true; /* in a sticky folder */

	if (!name)
		return -ENOMEM;
	for (;;) {
		struct place place = {.path = *name ? name : "/"};
		_cleanup_stat_ struct kr_stat st = {0};
		int r = kr_fs_stat(l->fs, place.path, false, &st);

		/* of ours, all that is there must be known */
		if (r == -ENOMEM || (r < 0 && r != -ENOENT && l->own))
			return r;
		if (r >= 0) {
			place.st = st.st;
			place.is_folder = S_ISDIR(st.st.st_mode);
			judge(l, &place);
			if (!S_ISLNK(place.st.st_mode) &&
			    (!(place.st.st_mode & S_ISVTX) ||
			     !place.is_folder || !protected))
				judge_modes(l, &place);
			protected = is_trusted(l, &place.st);
		}
		if (!*name)
			return 0;
		*strrchr(name, '/') = '\0';
	}
}

/* The links on the way along PATH, and those that they lead along. */
static int look_at_links(struct looking *l, const char *path, unsigned depth)
{
	for (size_t n = 1; path[n - 1]; n++) {
		_cleanup_stat_ struct kr_stat st = {0};
		_cleanup_free_ char *start = NULL, *target = NULL;
		int r;

		if (path[n] && path[n] != '/')
			continue;
		start = strndup(path, n);
		r = start ? kr_fs_stat(l->fs, start, false, &st) : -ENOMEM;
		if (r < 0)
			return r == -ENOMEM ? r : 0;
		if (!st.target)
			continue;
		r = look_along(l, st.real);
		if (r < 0)
			return r;
		*strrchr(st.real, '/') = '\0';
		target = *st.target == '/' ? strdup(st.target)
		                           : kr_path_join(st.real, st.target);
		if (!target)
			return -ENOMEM;
		r = depth > 0 ? look_at_links(l, target, depth - 1) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static void trust_owner_of_root(struct looking *l)
{
	struct stat root;

	if (fstat(kr_fs_root_fd(l->fs), &root) < 0)
		return;
	l->uid = root.st_uid;
	l->gid = root.st_gid;
}

int kr_others_warn(struct kr_fs *fs, const struct kr_edits *edits, bool live,
                   struct kr_diag *diag)
{
	struct looking l = {.fs = fs, .diag = diag};

	if (!live)
		trust_owner_of_root(&l);
	KR_EACH(const struct kr_file_edits, f, edits->files, edits->n_files) {
		int r = look_along(&l, f->path);

		if (r < 0)
			return r;
		if (!f->file || strcmp(f->file->path, f->path) == 0)
			continue;
		r = look_at_links(&l, f->file->path, LINKS_MAX);
		if (r < 0)
			return r;
	}
	return 0;
}

int kr_others_refuse(struct kr_fs *fs, const char *folder, struct kr_diag *diag)
{
	struct looking l = {
		.fs = fs, .diag = diag, .us = geteuid(), .own = folder};
	_cleanup_stat_ struct kr_stat st = {0};
	int r = kr_fs_stat(fs, folder, true, &st);

	if (r < 0 && r != -ENOENT)
		return r;
	trust_owner_of_root(&l);
	r = look_along(&l, st.real ? st.real : folder);
	if (r < 0)
		return r;
	r = look_at_links(&l, folder, LINKS_MAX);
	if (r < 0)
		return r;
	return l.n_found > 0 ? KR_OTHERS_WRITE : KR_OTHERS_NONE;
}
