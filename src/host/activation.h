/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * From files to a running kubelet: Reload, restart, wait until it has settled.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/diag.h"
#include "host/host.h"
#include "host/settle.h"
#include "systemd/journal.h"

/* A step that was taken, for the report. */
struct kr_action {
	const char *action; /* static: "reload", "restart", "settle", ... */
	char *result;       /* "done", or what went wrong */
	double seconds;
};

/* The listener that hears of the steps while they are taken. */
struct kr_teller {
	/* the step ACTION begins; A has ended */
	void (*begins)(void *closure, const char *action);
	void (*ends)(void *closure, const struct kr_action *a);
	/* one sentence that stays to be read */
	void (*says)(void *closure, const char *text);
	/* what a signal is answered with from now on: static; NULL: nothing */
	void (*answers)(void *closure, const char *text);
	void *closure;
};

struct kr_actions {
	struct kr_action *actions;
	size_t n_actions;
	const struct kr_teller *teller; /* NULL: no one hears of them */
};

/* A step begins: the listener hears its name. Returns the time, for
 * kr_actions_add(). */
uint64_t kr_actions_begin(const struct kr_actions *actions, const char *action);

/* Adds a step that began at SINCE_USEC of kr_now_usec(), and tells its end. 0
 * or -ENOMEM. */
int kr_actions_add(struct kr_actions *actions, const char *action,
                   const char *result, uint64_t since_usec);

/* Tells what happens beside the steps: one sentence. Where memory runs out
 * nothing is said. */
void kr_actions_say(const struct kr_actions *actions, const char *format, ...)
	_printf_(2, 3);

/* What a signal is answered with from now on, static; NULL: nothing. */
void kr_actions_answer(const struct kr_actions *actions, const char *text);

void kr_actions_done(struct kr_actions *actions);

struct kr_activation {
	/* in: the members of its first group. With BACK there is no other way
	 * to go: kubelet gets KR_BACK_USEC at least */
	struct kr_settling settling;
	bool back;

	bool asked;          /* out: systemd took the wish for a restart */
	uint64_t since_usec; /* out: from when the wait counts */
	/* out, to tell what the new kubelet said from what others said: when
	 * the restart was asked for (realtime), and the invocation until then;
	 * the new one is settling.invocation */
	uint64_t asked_usec;
	struct kr_invocation old;
};

/* What a restart and the wait behind it may take together. */
uint64_t kr_activation_limit_usec(const struct kr_host *host,
                                  uint64_t wait_usec);

/* Reload. 0 or an errno, with words. */
int kr_activation_reload(struct kr_host *host, struct kr_actions *actions,
                         struct kr_diag *diag);

/*
 * Restarts kubelet's unit and waits until it has settled (host/settle). 0:
 * *RET; what the tick gave; -ENOMEM; another errno, with words: systemd did not
 * take the wish (asked is false), or did not answer.
 */
int kr_activation_restart(struct kr_activation *act, struct kr_actions *actions,
                          struct kr_diag *diag, enum kr_settled *ret);

/* Looks once more whether what has settled still is, and waits where others
 * have restarted it. As kr_activation_restart(). */
int kr_activation_go_on(struct kr_activation *act, struct kr_actions *actions,
                        struct kr_diag *diag, enum kr_settled *ret);

void kr_activation_done(struct kr_activation *act);
#define _cleanup_activation_ _cleanup_(kr_activation_done)
