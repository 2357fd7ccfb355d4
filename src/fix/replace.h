/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One file, replaced atomically.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/fs.h"

/* A new content that lies complete and fsynced beside its target. */
struct kr_replacement {
	int dir_fd;
	char *path;       /* the target, the node's path */
	const char *name; /* its last part, in PATH */
	char temp[48];    /* the new content's name; "" when it is gone */
	bool create;      /* there was no target */
};

struct kr_replacement_content {
	const void *data;
	size_t size;
	/* a file whose owner, mode, ACL and xattrs it gets; -1: those of the
	 * target, or root's and 0644 where there is none */
	int metadata_fd;
};

/*
 * Writes CONTENT beside the file at REAL (links resolved), under a name that
 * neither systemd nor kubelet reads, and fsyncs it. OLD is what the target must
 * still be, byte for byte; NULL: there must be none. Errnos as
 * kr_transaction_prepare().
 */
int kr_replacement_write(struct kr_fs *fs, const char *real,
                         const struct kr_file *old,
                         const struct kr_replacement_content *content,
                         struct kr_diag *diag, struct kr_replacement *ret);

/* Renames it over its target. 0 or an errno, with words. */
int kr_replacement_commit(struct kr_replacement *rep, struct kr_diag *diag);

/* fsyncs the folder. 0 or an errno, with words. */
int kr_replacement_sync(struct kr_replacement *rep, struct kr_diag *diag);

/* Removes the new content where it was not committed. */
void kr_replacement_discard(struct kr_replacement *rep);

/* Discards, and closes. */
void kr_replacement_done(struct kr_replacement *rep);

/* Removes the folder at PATH below FS's root where it is empty. 0, also where
 * it is not empty or not there, or an errno. */
int kr_remove_empty_folder(struct kr_fs *fs, const char *path);

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
