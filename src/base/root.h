/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Paths below a root directory: nothing leads out of it. */

#include <stdbool.h>
#include <sys/stat.h>

#include "base/macro.h"

struct kr_root {
	int fd;          /* O_PATH will do */
	bool no_openat2; /* the kernel or a filter has none */
};

/*
 * An O_PATH fd of what is at PATH, which the caller closes, and its path with
 * every link resolved; with FOLLOW the last name's link, too. Or an errno.
 */
int kr_root_resolve(struct kr_root *root, const char *path, bool follow,
                    char **ret_real);

/* Where PATH leads, whose last name is a link, and the only one on the way. The
 * caller frees it; NULL: it must be resolved. */
char *kr_root_read_link(struct kr_root *root, const char *path);

/*
 * The regular file at REAL (no links in it) for reading, if it still is the
 * inode WANT; NULL: the caller sees to that. -EAGAIN: another one took its
 * place. The fd, or an errno.
 */
int kr_root_open_file(struct kr_root *root, const char *real,
                      const struct stat *want);

/* As kr_fs_open_folder(), and its path with every link resolved, which the
 * caller frees (RET_REAL may be NULL). */
int kr_root_open_folder(struct kr_root *root, const char *path,
                        char **ret_real);

/* As kr_fs_make_folder() and kr_fs_open_parent(). */
int kr_root_make_folder(struct kr_root *root, const char *path, mode_t mode);
int kr_root_open_parent(struct kr_root *root, const char *real,
                        const char **ret_name);
