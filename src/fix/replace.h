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

/*
 * Writes SIZE bytes of DATA beside the file at REAL (links resolved), under a
 * name that neither systemd nor kubelet reads, with the owner, mode, ACL and
 * xattrs of OLD, the file as it was read, or as a new root-owned 0644 file
 * where OLD is NULL; fsyncs it. OLD must still be what the disk has. Errnos as
 * kr_transaction_prepare().
 */
int kr_replacement_write(struct kr_fs *fs, const char *real,
                         const struct kr_file *old, const void *data,
                         size_t size, struct kr_diag *diag,
                         struct kr_replacement *ret);

/* Renames it over its target. 0 or an errno, with words. */
int kr_replacement_commit(struct kr_replacement *rep, struct kr_diag *diag);

/* fsyncs the folder. 0 or an errno, with words. */
int kr_replacement_sync(struct kr_replacement *rep, struct kr_diag *diag);

/* Removes the new content where it was not committed; closes. */
void kr_replacement_done(struct kr_replacement *rep);

/* Writes all of it. 0 or an errno. */
int kr_write_all(int fd, const void *data, size_t size);

/* Copies owner, mode and all xattrs (ACLs are such) from one open file to
 * another, but for security.ima and security.evm, which are the kernel's. 0 or
 * an errno. */
int kr_copy_metadata(int from_fd, int to_fd);
