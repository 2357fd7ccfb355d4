/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * /var/lib/kubelet-remedy/pending: there while a run that changes files has not
 * come to its end. kubelet-remedy-recover.service has it as its condition, so
 * that a boot after an ordinary day costs one look.
 */

#include "base/fs.h"

/* Makes it in the folder STATE_FD, to the disk. 0 or an errno. */
int kr_boot_mark_set(int state_fd);

/* Whether it is there. 1, 0, or an errno: a caller that cannot tell must not
 * take it for gone, since what it stands for may still be to be done. */
int kr_boot_mark_is_set(struct kr_fs *fs);

/* Removes it. One that stays is harmless: the next boot looks, and finds
 * nothing to do. */
void kr_boot_mark_clear(int state_fd);
