/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Units that live until they are over: a program that systemd is to run later,
 * or once, whatever becomes of who asked for it. They are gone after a reboot.
 */

#include <stdint.h>

#include "base/diag.h"
#include "systemd/manager.h"

struct kr_transient {
	const char *name; /* without suffix: of NAME.timer and NAME.service */
	const char *description;
	const char *folder; /* must be mounted for the service */
	const char *const
		*argv;       /* NULL-terminated; [0] is a path of the host */
	uint64_t after_usec; /* of a timer: from now, to the second */
};

/*
 * Starts NAME.timer, which starts NAME.service once after AFTER_USEC. 0;
 * -EACCES; -EEXIST: there is such a unit; -EIO: it could not be started; other
 * errnos, with words.
 */
int kr_transient_arm(struct kr_manager *manager,
                     const struct kr_transient *transient,
                     struct kr_diag *diag);

/* NAME.timer counts from now again. 0, also where it has run out; an errno,
 * with words. */
int kr_transient_rearm(struct kr_manager *manager, const char *name,
                       struct kr_diag *diag);

/* Stops NAME.timer. A service that it has started already goes on. 0, also
 * where it has run out; an errno, with words. */
int kr_transient_disarm(struct kr_manager *manager, const char *name,
                        struct kr_diag *diag);

/*
 * When NAME.timer runs out: RET is CLOCK_MONOTONIC in microseconds; 0: there is
 * no such timer, or it has run out. 0 or an errno, with words.
 */
int kr_transient_next(struct kr_manager *manager, const char *name,
                      struct kr_diag *diag, uint64_t *ret);

/*
 * Runs NAME.service now, waits for its end for at most TIMEOUT_USEC, and
 * removes it. RET_STATUS is the exit status, as systemd has it: 203 where the
 * program cannot be run; -1: it was killed, or did not end in time. It may be
 * run twice where systemd is re-executed in the moment that it is asked. 0 or
 * an errno, with words.
 */
int kr_transient_run(struct kr_manager *manager,
                     const struct kr_transient *transient,
                     uint64_t timeout_usec, struct kr_diag *diag,
                     int *ret_status);
