/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One file, replaced atomically.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/diag.h"
#include "base/fs.h"

#define KR_TEMP_SIZE 48

/* A file that is to be replaced, and its new content beside it. */
struct kr_replacement {
	int dir_fd;
	int target_fd;    /* the old content, open for reading; -1: none */
	struct stat was;  /* of it, when it was compared */
	char *path;       /* the target, the node's path */
	const char *name; /* its last part, in PATH */
	char temp[KR_TEMP_SIZE]; /* the new content's name beside it */
	bool written;            /* the new content lies there */
};

struct kr_replacement_content {
	const void *data;
	size_t size;
	/* a file whose owner, mode, ACL and xattrs it gets; -1: those of the
	 * target, or root's and 0644 where there is none */
	int metadata_fd;
	const char *temp; /* the name to use beside it; NULL: a new one */
};

/* A name for a new content beside its target that neither systemd nor kubelet
 * reads and nobody can have put there. */
void kr_replacement_name(char ret[static KR_TEMP_SIZE]);

/*
 * Opens the file at REAL (links resolved) to be replaced. OLD is what it must
 * still be, byte for byte; NULL: there is none. Nothing is written. Errnos as
 * kr_transaction_prepare().
 */
int kr_replacement_open(struct kr_fs *fs, const char *real,
                        const struct kr_file *old, struct kr_diag *diag,
                        struct kr_replacement *ret);

/* Writes the new content of an opened one beside it, and fsyncs it. 0 or an
 * errno, with words. */
int kr_replacement_fill(struct kr_replacement *rep,
                        const struct kr_replacement_content *content,
                        struct kr_diag *diag);

/* Both, one after the other. */
int kr_replacement_write(struct kr_fs *fs, const char *real,
                         const struct kr_file *old,
                         const struct kr_replacement_content *content,
                         struct kr_diag *diag, struct kr_replacement *ret);

/* Whether the target still is what was compared, and nobody has it open for
 * writing. 0 or an errno, with words. */
int kr_replacement_check(struct kr_replacement *rep, struct kr_diag *diag);

/* Renames it over its target, which is checked once more. 0 or an errno, with
 * words. */
int kr_replacement_commit(struct kr_replacement *rep, struct kr_diag *diag);

/* fsyncs the folder. 0 or an errno, with words. */
int kr_replacement_sync(struct kr_replacement *rep, struct kr_diag *diag);

/* Removes the new content where it was not committed. */
void kr_replacement_discard(struct kr_replacement *rep);

/* Discards, and closes. */
void kr_replacement_done(struct kr_replacement *rep);

/* The folder that the file at REAL lies in, or is going to; made, where it is
 * not there. 0 or an errno. */
int kr_make_parent(struct kr_fs *fs, const char *real);

/* Removes the folder at PATH below FS's root where it is empty. 0, also where
 * it is not empty or not there, or an errno. */
int kr_remove_empty_folder(struct kr_fs *fs, const char *path);

/* Removes the folder at PATH, whose parents are no links, with the files in it:
 * FIRST (or NULL) before all others. 0, also where it is not there, or an
 * errno. */
int kr_remove_folder(struct kr_fs *fs, const char *path, const char *first);

/* Removes the empty folders on the way to the file at REAL, from the one that
 * holds it up to TOPMOST. 0 or an errno. */
int kr_remove_empty_parents(struct kr_fs *fs, const char *real,
                            const char *topmost);

/* Writes all of it. 0 or an errno. */
int kr_write_all(int fd, const void *data, size_t size);

/* Writes a file of ours into a folder of ours, to the disk: SIZE bytes of DATA,
 * with the owner, mode and xattrs of METADATA_FD, or 0600 where that is -1. 0
 * or an errno. */
int kr_write_file(int dir_fd, const char *name, const void *data, size_t size,
                  int metadata_fd);

/* Copies owner, mode and all xattrs (ACLs are such) from one open file to
 * another, but for security.ima and security.evm, which are the kernel's. 0 or
 * an errno. */
int kr_copy_metadata(int from_fd, int to_fd);
