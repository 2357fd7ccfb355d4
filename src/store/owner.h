/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which run works at a record, and until when: the file "owner" in its folder.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/clock.h"

/* What a step may take that waits for nothing but disks. */
#define KR_OWNER_USEC (300 * KR_USEC_PER_SEC)

/* That we are it. */
struct kr_owner {
	int fd; /* of the file, locked; -1: we are not, or there is no room for
	         * such a file */
	dev_t dev;
	ino_t ino;
	bool recovers; /* reverts what another has left */
};

#define KR_OWNER_NONE ((struct kr_owner){.fd = -1})

/*
 * Becomes the owner of the new record in FOLDER_FD for USEC from now. RET is
 * closed by kr_owner_done(). 0 or an errno.
 */
int kr_owner_make(int folder_fd, uint64_t usec, struct kr_owner *ret);

enum kr_claim {
	KR_CLAIM_MADE,
	KR_CLAIM_BUSY, /* its owner lives */
};

/*
 * Becomes the owner of a record whose owner is gone, to revert what it left
 * within USEC; also where the owner lives, if its file is PASSED (may
 * be NULL): then that has been taken away from it. An enum kr_claim, or an
 * errno.
 */
int kr_owner_claim(int folder_fd, const struct stat *passed, uint64_t usec,
                   struct kr_owner *ret);

/*
 * Whether we are still it. One who is not must not rename anything, nor have
 * systemd do anything. Where that is unknown we are: who takes it away
 * knows that.
 */
bool kr_owner_is_mine(const struct kr_owner *owner, int folder_fd);

/* USEC from now on; a time that cannot be written stays as it was. */
void kr_owner_extend(const struct kr_owner *owner, uint64_t usec);

/* There is no more to be done at the record: the file goes. */
void kr_owner_end(struct kr_owner *owner, int folder_fd);

void kr_owner_done(struct kr_owner *owner);

/* What others see of it. */
struct kr_owner_seen {
	bool there; /* else the record is one of an older version, or ended */
	bool lives; /* a process has it open and locked */
	bool recovers;
	uint64_t until_usec; /* CLOCK_MONOTONIC; where it does not live maybe
	                        of another boot; 0: not known */
	struct stat st;      /* of the file, where it is there */
};

/* 0 or an errno. */
int kr_owner_look(int folder_fd, struct kr_owner_seen *ret);
