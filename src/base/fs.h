/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Files below a root directory, and what they would be after a change.
 *
 * Every path is the node's own: absolute, resolved inside the root, symlinks
 * too; nothing outside the root is ever opened. What was read once stays as it
 * was read: all that follows speaks of the same bytes.
 *
 * An overlay is a second view of the same files in which some have other bytes,
 * another mode or owner, or are new. An audit of the overlay is an audit of the
 * node after a change.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "base/path.h"
#include "base/perms.h"
#include "base/span.h"

/* A larger file is refused with -EFBIG: no unit, environment file or
 * configuration of kubelet is. So is one with which all files of a view, whose
 * bytes are kept, would be larger or more than that. */
#define KR_FILE_SIZE_MAX ((size_t)16 * 1024 * 1024)
#define KR_FS_BYTES_MAX  ((size_t)24 * 1024 * 1024)
#define KR_FS_FILES_MAX  ((size_t)110000)

struct kr_fs;

struct kr_dir_entry {
	char *name;
	unsigned char type; /* DT_REG, DT_DIR, DT_LNK, ... as it is itself */
};

struct kr_dir {
	struct kr_dir_entry *entries; /* sorted by name, byte by byte */
	size_t n_entries;             /* "." and ".." do not count */
};

struct kr_stat {
	struct stat st;
	char *real;   /* with links resolved; owned */
	char *target; /* of a link that was not followed; owned, else NULL */
};

/*
 * Views the files below ROOT_FD, a directory (O_PATH will do), which is
 * duplicated. 0, -ENOMEM, or what fcntl(2) gave.
 */
int kr_fs_new(int root_fd, struct kr_fs **ret);

/* The same below the folder ROOT. "/" is the very root of this process: what
 * lies there can be looked at by its path. */
int kr_fs_open(const char *root, struct kr_fs **ret);

/* A view of BELOW with changes. BELOW must live longer. 0 or -ENOMEM. */
int kr_fs_new_overlay(struct kr_fs *below, struct kr_fs **ret);

struct kr_fs *kr_fs_free(struct kr_fs *fs);
DEFINE_FREEP(struct kr_fs, kr_fs_free);
#define _cleanup_fs_ _cleanup_(kr_fs_freep)

/* The root directory, borrowed. */
int kr_fs_root_fd(const struct kr_fs *fs);

/*
 * In an overlay: the file at REAL (links resolved) has these bytes, which are
 * copied. It need not exist yet. 0; KR_COLLIDES: it has others already, which
 * may have been read; -ENOMEM.
 */
int kr_fs_put(struct kr_fs *fs, const char *real, const char *data,
              size_t size);

/* In an overlay: the file at REAL is not there. 0 or -ENOMEM. */
int kr_fs_hide(struct kr_fs *fs, const char *real);

/*
 * In an overlay: the file at REAL has the mode and owner PERMS for
 * kr_fs_stat(), whatever its bytes. 0; KR_COLLIDES: it has others already;
 * -ENOMEM.
 */
int kr_fs_set_perms(struct kr_fs *fs, const char *real,
                    const struct kr_perms *perms);

/*
 * Reads the regular file at PATH, links followed. RET is owned by FS.
 * 0; -ENOENT, -ENOTDIR, -EACCES, -ELOOP, ... of open(2); -EISDIR; -EINVAL:
 * neither file nor directory; -EFBIG: it is, or they are, too large; -EAGAIN:
 * it is being changed all the time; -EIO; -ENOMEM.
 */
int kr_fs_read(struct kr_fs *fs, const char *path, const struct kr_file **ret);

/* The same, of the disk even in an overlay, and RET is the caller's: for files
 * of which there may be any number, and that are looked at only once. */
int kr_fs_read_once(struct kr_fs *fs, const char *path, struct kr_file **ret);
struct kr_file *kr_file_free(struct kr_file *file);
DEFINE_FREEP(struct kr_file, kr_file_free);
#define _cleanup_file_ _cleanup_(kr_file_freep)

/* The words for ERROR, positive, of kr_fs_read(). */
const char *kr_fs_strerror(int error);

/* Whether a device is at PATH, links followed: systemd takes a unit or drop-in
 * that leads to one, to /dev/null most often, for masked. */
bool kr_fs_is_device(struct kr_fs *fs, const char *path);

/*
 * Whether the file at PATH, links followed, is run by another program: it
 * starts with "#!". 1; 0: it does not, or is not there; an errno.
 */
int kr_fs_is_script(struct kr_fs *fs, const char *path);

/* The machine (e_machine of elf(5)) that the program at PATH, links followed,
 * is for; 0: it is no ELF program, or not there; an errno. */
int kr_fs_machine(struct kr_fs *fs, const char *path);

/* The entries of the folder at PATH, links followed. 0 or an errno. */
int kr_fs_list(struct kr_fs *fs, const char *path, struct kr_dir *ret);

/* The same without those of the disk whose names do not contain PART. */
int kr_fs_list_some(struct kr_fs *fs, const char *path, const char *part,
                    struct kr_dir *ret);
void kr_dir_done(struct kr_dir *dir);
#define _cleanup_dir_ _cleanup_(kr_dir_done)

/*
 * What is at PATH; with FOLLOW the last name's link is followed too. 0 or an
 * errno. A file that only the overlay has counts as a regular file of root's,
 * 0644, unless kr_fs_set_perms() says otherwise.
 */
int kr_fs_stat(struct kr_fs *fs, const char *path, bool follow,
               struct kr_stat *ret);
void kr_stat_done(struct kr_stat *st);

/* The same without the real path and the target, which costs one call where the
 * root is our own. */
int kr_fs_look(struct kr_fs *fs, const char *path, bool follow,
               struct stat *ret);

/* Where PATH is, links followed; the caller frees it. 0 or an errno. */
int kr_fs_real(struct kr_fs *fs, const char *path, char **ret);

/* Whether NAME, in the root folder itself, is a link, and to what (cut off
 * behind SIZE). By one call, as no link can be on the way. */
bool kr_fs_is_link(struct kr_fs *fs, const char *name, char *ret_target,
                   size_t size);
#define _cleanup_stat_ _cleanup_(kr_stat_done)

/* The folder at PATH, links followed: an O_RDONLY directory fd, which the
 * caller closes, or an errno. */
int kr_fs_open_folder(struct kr_fs *fs, const char *path);

/* The same, made with MODE where it is not there, and the folders on the way
 * with 0755. */
int kr_fs_make_folder(struct kr_fs *fs, const char *path, mode_t mode);

/*
 * The folder that holds REAL (no links in it), for the *at() calls on its last
 * name. An O_RDONLY directory fd, which the caller closes, or an errno.
 * RET_NAME points into REAL.
 */
int kr_fs_open_parent(struct kr_fs *fs, const char *real,
                      const char **ret_name);
