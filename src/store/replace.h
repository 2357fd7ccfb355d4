/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One file, replaced atomically, and put back the same way.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/fs.h"
#include "base/perms.h"
#include "store/swap.h"

#define KR_TEMP_SIZE   48
#define KR_TEMP_PREFIX ".kubelet-remedy-"

/* What lies beside the target. */
enum kr_beside {
	KR_BESIDE_NOTHING,
	KR_BESIDE_NEW,    /* the new content */
	KR_BESIDE_OLD,    /* the old file: the new one is in its place */
	KR_BESIDE_THEIRS, /* what others wrote in the instant of a
	                     rename, and could not be brought back */
};

/* A file that is to be replaced. */
struct kr_replacement {
	int dir_fd;
	int target_fd;           /* the old file, open for reading; -1: none */
	struct kr_known was;     /* that file, when it was opened */
	struct kr_known new;     /* the new one */
	bool has_new;            /* else the target goes */
	char *path;              /* the target, the node's path */
	const char *name;        /* its last part, in PATH */
	char temp[KR_TEMP_SIZE]; /* the name beside it */
	enum kr_beside beside;
};

#define KR_REPLACEMENT_NONE                                                    \
	((struct kr_replacement){.dir_fd = -1, .target_fd = -1})

struct kr_replacement_content {
	const void *data;
	size_t size;
	/* a file whose owner, mode, ACL and xattrs it gets; -1: those of the
	 * target, or root's and 0644 where there is none */
	int metadata_fd;
	/* a mode and owner of its own, in place of these; NULL: none */
	const struct kr_perms *perms;
};

/* A name for a new content beside its target that neither systemd nor kubelet
 * reads and that cannot have been put there. */
void kr_replacement_name(char ret[static KR_TEMP_SIZE]);

/*
 * Whether the file at REAL (links resolved) lies where a rename could replace
 * it, and is of the kind and size of OLD; OLD NULL: no file is there. It is not
 * read, and other processes that have it open are not looked for. RET is open,
 * and no more than that.
 */
int kr_replacement_look(struct kr_fs *fs, const char *real,
                        const struct kr_file *old, struct kr_diag *diag,
                        struct kr_replacement *ret);

/*
 * Opens the file at REAL (links resolved) to be replaced; TEMP is the name to
 * use beside it. OLD is what it must still be, byte for byte; NULL: there must
 * be none. Nothing is written. As kr_transaction_prepare().
 */
int kr_replacement_open(struct kr_fs *fs, const char *real,
                        const struct kr_file *old, const char *temp,
                        struct kr_diag *diag, struct kr_replacement *ret);

/* Writes the new content of an opened one beside it, and fsyncs it. 0 or an
 * errno, with words. */
int kr_replacement_fill(struct kr_replacement *rep,
                        const struct kr_replacement_content *content,
                        struct kr_diag *diag);

/* Both, one after the other. */
int kr_replacement_write(struct kr_fs *fs, const char *real,
                         const struct kr_file *old, const char *temp,
                         const struct kr_replacement_content *content,
                         struct kr_diag *diag, struct kr_replacement *ret);

/*
 * Puts the new content in the place of the target, or (nothing was filled in)
 * takes the target away. The old file then lies beside it, but where the file
 * system has no exchange. KR_CHANGE_DONE; STALE, OPEN, EXISTS: others
 * has changed it, up to the very rename, and that stands; DISPLACED; an errno;
 * with words.
 */
int kr_replacement_commit(struct kr_replacement *rep, struct kr_diag *diag);

/*
 * The way back of one that was committed: the old file itself, which needs no
 * room on the disk. KR_CHANGE_NOT_AT_HAND; others as kr_replacement_commit().
 */
int kr_replacement_revert(struct kr_replacement *rep, struct kr_diag *diag);

/* Whether others have written the target since kr_replacement_commit(),
 * replaced it or taken it away. One whose bytes and inode are ours, but not its
 * owner or mode any more, is not theirs. */
bool kr_replacement_is_foreign(const struct kr_replacement *rep);

/* Whether the target, put back as the inode IT, is as it was: bytes, owner,
 * mode, attributes. 0, also where others have replaced it since; -EBADMSG
 * or another errno, with words. */
int kr_replacement_verify(struct kr_replacement *rep, const struct stat *it,
                          struct kr_diag *diag);

/* fsyncs the folder. 0 or an errno, with words. */
int kr_replacement_sync(struct kr_replacement *rep, struct kr_diag *diag);

/* Removes what lies beside the target; what is others' stays. 0 or an
 * errno. */
int kr_replacement_discard(struct kr_replacement *rep);

/* What lies beside the target is left there. */
void kr_replacement_leave(struct kr_replacement *rep);

/* Discards, and closes. */
void kr_replacement_done(struct kr_replacement *rep);
#define _cleanup_replacement_ _cleanup_(kr_replacement_done)
