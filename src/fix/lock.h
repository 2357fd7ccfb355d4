/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One change of a node at a time. */

#include <stdint.h>

#include "base/diag.h"
#include "base/fs.h"
#include "fix/activation.h"

/*
 * Takes the lock of the node whose files are FS's, /run/kubelet-remedy/lock,
 * and waits for another run at most WAIT_USEC; TICK (may be NULL) is asked
 * meanwhile. 0: taken at once; 1: taken after another run, which may have
 * changed what was read; -EBUSY: the other one still runs; what TICK gave;
 * other errnos, with words. RET_FD holds it until it is closed.
 */
int kr_lock_take(struct kr_fs *fs, uint64_t wait_usec,
                 kr_activation_tick_t tick, void *closure, struct kr_diag *diag,
                 int *ret_fd);
