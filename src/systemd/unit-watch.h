/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A unit that is watched: systemd says when it is another than before, and who
 * stops it.
 */

#include <stdbool.h>

#include "base/diag.h"
#include "systemd/manager.h"

struct kr_unit_watch;

/*
 * Begins to watch UNIT over MANAGER, which must live longer. What happens
 * before that is not seen. 0; -ENOMEM; errnos as of a call of MANAGER, with
 * words.
 */
int kr_unit_watch_new(struct kr_manager *manager, const char *unit,
                      struct kr_diag *diag, struct kr_unit_watch **ret);
struct kr_unit_watch *kr_unit_watch_free(struct kr_unit_watch *watch);
DEFINE_FREEP(struct kr_unit_watch, kr_unit_watch_free);

/* The unit as it is now: kr_manager_get_unit(). What was signalled until then
 * is in it. */
int kr_unit_watch_look(struct kr_unit_watch *watch, struct kr_diag *diag,
                       struct kr_loaded_unit **ret);

/* Its main process (0: none) while something else is waited for on the bus, if
 * the unit may be another than at the last look or peek: 1; 0: it is not;
 * -ECONNRESET: the bus went, and what is waited for has to be looked for again;
 * other errnos. */
int kr_unit_watch_peek(struct kr_unit_watch *watch, struct kr_diag *diag,
                       pid_t *ret_pid);

/* Whether PID is its main process and nothing was signalled since the last
 * look: 1; 0: it has to be looked at; errnos of a call. */
int kr_unit_watch_is_same(struct kr_unit_watch *watch, pid_t pid,
                          struct kr_diag *diag);

/*
 * Waits until the unit may be another than at the last look, or the bus went
 * and is there again. 1: look; 0: the deadline of WAIT passed; what its tick
 * gave; -ENOMEM; errnos of a bus that is not to be had until then, with words.
 */
int kr_unit_watch_wait(struct kr_unit_watch *watch,
                       const struct kr_manager_wait *wait,
                       struct kr_diag *diag);

/* A job that stops the unit was seen: it is not ours, as we ask for none. */
bool kr_unit_watch_saw_stop(const struct kr_unit_watch *watch);
