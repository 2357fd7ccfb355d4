/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Small steps on files and folders, to the disk. */

#include <stdbool.h>
#include <stddef.h>

#include "base/fs.h"

/* Writes all of it. 0 or an errno; -ENOSPC also where a limit of file sizes
 * (RLIMIT_FSIZE) forbids it. */
int kr_write_all(int fd, const void *data, size_t size);

/* Whether anything has NAME, which may be NULL or empty, in the folder DIR_FD.
 * Not asked by faccessat(2): see kr_may_write_in(). */
bool kr_is_there(int dir_fd, const char *name);

/* Writes a file of ours into a folder of ours, to the disk: SIZE bytes of DATA,
 * with the owner, mode and xattrs of METADATA_FD, or 0600 where that is -1. 0
 * or an errno. */
int kr_write_file(int dir_fd, const char *name, const void *data, size_t size,
                  int metadata_fd);

/* The nearest folder on the way to PATH that is there: a directory fd, which
 * the caller closes, or an errno. RET_MISSING, which the caller frees, is the
 * topmost folder that is not there, or NULL. */
int kr_open_nearest(struct kr_fs *fs, const char *path, char **ret_missing);

/* The folder that the file at REAL lies in, or is going to; made, where it is
 * not there. 0 or an errno. */
int kr_make_parent(struct kr_fs *fs, const char *real);

/*
 * Whether a file can be made in the folder DIR_FD: 0 or an errno. glibc's
 * faccessat() is faccessat2(2), which the filters of old container runtimes
 * refuse with EPERM; an immutable folder gives that, too: then it is asked in
 * another way.
 */
int kr_may_write_in(int dir_fd);

/* Removes the folder at PATH, whose parents are no links, with the files in it:
 * FIRST (or NULL) before all others. 0, also where it is not there, or an
 * errno. */
int kr_remove_folder(struct kr_fs *fs, const char *path, const char *first);

/* Removes the empty folders on the way to the file at REAL, from the one that
 * holds it up to TOPMOST; none where that is NULL. 0 or an errno. */
int kr_remove_empty_parents(struct kr_fs *fs, const char *real,
                            const char *topmost);
