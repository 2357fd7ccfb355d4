/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * From files to a running kubelet: Reload, restart, wait until it has settled.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "fix/host.h"
#include "systemd/journal.h"
#include "systemd/manager.h"

/* A step that was taken, for the report. */
struct kr_action {
	const char *action; /* static: "reload", "restart", "settle", ... */
	char *result;       /* "done", or what went wrong */
	double seconds;
};

struct kr_actions {
	struct kr_action *actions;
	size_t n_actions;
};

/* Adds a step that began at SINCE_USEC of kr_now_usec(). 0 or -ENOMEM. */
int kr_actions_add(struct kr_actions *actions, const char *action,
                   const char *result, uint64_t since_usec);
void kr_actions_done(struct kr_actions *actions);

/* Called while something is waited for, about every 100 ms. WHAT is static,
 * LIMIT_USEC the time it may take. Returning < 0 ends the wait with that. */
typedef int (*kr_activation_tick_t)(void *closure, const char *what,
                                    uint64_t passed_usec, uint64_t limit_usec);

struct kr_activation {
	uint64_t wait_usec; /* how long kubelet may take to be healthy */
	/* there is no other way to go: it may take longer than WAIT_USEC,
	 * which is then only how long a healthy one is watched */
	bool back;
	/* the argv that the new process must have, without [0]'s path; NULL:
	 * any */
	char *const *argv;
	size_t argc;
	kr_activation_tick_t tick; /* NULL: none */
	void *closure;

	bool asked;          /* out: systemd took the wish for a restart */
	uint64_t since_usec; /* out: from when WAIT_USEC counts */
	char *failure;       /* out: why it is not well, freed by the caller */
	/* out, to tell what the new kubelet said from what others said: when
	 * the restart was asked for (realtime), who ran until then, and who
	 * came */
	uint64_t asked_usec;
	struct kr_invocation old, new;
};

/* How long kr_activation_restart() may take, but for the settle time. */
uint64_t kr_activation_limit_usec(const struct kr_host *host,
                                  uint64_t wait_usec);

/* Reload. 0 or an errno, with words. */
int kr_activation_reload(struct kr_host *host, struct kr_actions *actions,
                         struct kr_diag *diag);

/*
 * Restarts kubelet's unit and waits until it has settled: the job is done, one
 * new invocation runs with one main process that stays, for long enough that
 * kubelet's late failures have shown; healthz, where it can be asked, says ok;
 * the process has the argv that is wanted. One that was healthy in its time and
 * is silent at the end of it is given the settle time once more. 0; -EHOSTDOWN:
 * it did not become well, FAILURE says why; what TICK gave; other errnos, with
 * words.
 */
int kr_activation_restart(struct kr_host *host, struct kr_activation *act,
                          struct kr_actions *actions, struct kr_diag *diag);
