/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * recover: what systemd runs where a fix or undo has not come to its end, by
 * its timer (host/watchdog) and at boot.
 */

#include "fix/fix.h"

/*
 * Waits for the run that still holds the lock, at most until the time that its
 * record gives it: then it is ended, or passed. Then reverts the interrupted
 * transaction ID, or any where that is NULL, and brings kubelet back. OPTIONS:
 * restart (auto: unless kubelet is healthy and older than the transaction;
 * never: systemd reloads where it must, which is right before kubelet's start),
 * wait_usec of kubelet's health, tick. The outcomes: UNCHANGED: there was
 * nothing to revert; ROLLED_BACK; FAILED: nothing was done; BROKEN. 0, or
 * -ENOMEM.
 */
int kr_rescue_run(const struct kr_node_options *node_options,
                  const struct kr_fix_options *options, const char *id,
                  struct kr_diag *diag, struct kr_fix **ret);
