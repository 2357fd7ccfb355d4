/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One change of a node at a time. */

#include <stdint.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/fs.h"

/* How often a run that waits for it tries. */
#define KR_LOCK_LOOK_USEC (100 * KR_USEC_PER_MSEC)

/*
 * Opens the lock of the node whose files are FS's, /run/kubelet-remedy/lock,
 * and makes it where it is not there. The descriptor, which the caller closes;
 * -EINVAL: what is there is not a lock of ours; other errnos; with words.
 */
int kr_lock_open(struct kr_fs *fs, struct kr_diag *diag);

enum kr_lock {
	KR_LOCK_OURS,
	KR_LOCK_BUSY,   /* another run has it */
	KR_LOCK_WAITED, /* ours, after a run that may have changed what was
	                   read */
};

/* Takes what kr_lock_open() gave, without a wait, until that is closed. OURS,
 * BUSY, or an errno, with words. */
int kr_lock_try(int fd, struct kr_diag *diag);

/*
 * Opens and takes the lock, and waits for another run at most WAIT_USEC; TICK
 * (may be NULL) is asked meanwhile. An enum kr_lock, BUSY with words; what TICK
 * gave; other errnos, with words. RET_FD holds it until it is closed.
 */
int kr_lock_take(struct kr_fs *fs, uint64_t wait_usec, kr_tick_t tick,
                 void *closure, struct kr_diag *diag, int *ret_fd);
