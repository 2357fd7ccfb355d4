/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * kubelet on its way up, watched until it has proved that it is healthy.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "host/health.h"
#include "host/host.h"
#include "systemd/journal.h"
#include "systemd/unit-watch.h"

enum kr_settled {
	KR_SETTLED,        /* kubelet has proved that it is healthy */
	KR_SETTLED_NOT,    /* it ended, or was not healthy in its time */
	KR_SETTLED_STOPPED /* others stopped it, or the system stops */
};

struct kr_settling {
	/* in */
	struct kr_host *host;
	uint64_t wait_usec;   /* until the first ok */
	uint64_t watch_usec;  /* from there to the last; 0: KR_SETTLED_USEC */
	char *const *argv;    /* that the process must have, [0]'s path apart */
	size_t argc;          /* ARGV NULL: any */
	bool again_and_again; /* others may restart it more than once */
	kr_tick_t tick;       /* NULL: none */
	/* another process has to settle: its time begins; NULL: none */
	void (*begins_again)(void *closure);
	void *closure;

	/* out */
	char *failure; /* why it is not healthy, owned */
	/* "kubelet ended (status 255)": the same without its time; "": it did
	 * not end, or nothing is known of that */
	char ended[96];
	const char
		*unasked; /* static: why healthz was not asked; NULL: it was */
	bool by_others;   /* kubelet's end was the work of others */
	bool other_words; /* it has other arguments than ARGV */
	bool unwatched;   /* it runs, others restarted it again and again */
	bool too_slow;    /* it still ran when its time was over */
	struct kr_invocation invocation; /* the last that was seen to run */

	/* its own */
	struct kr_unit_watch *watch;
	struct kr_loaded_unit *unit; /* as it was last seen */
	struct kr_health_probe probe;
	char *why; /* the last answer that was not good */
	bool look_due, blind, follows, once_more;
	bool awaits; /* another process, which systemd is about to start */
	pid_t pid;
	uint64_t start_ticks, start_usec, begun_usec, since_usec, busy_usec;
	unsigned n_restarts;
	uint64_t ask_usec, first_ok_usec, last_ok_usec, looked_usec;
};

/* Begins to watch kubelet's unit: before anything is asked of it. S has its
 * options. 0 or an errno, with words. */
int kr_settling_begin(struct kr_settling *s, struct kr_diag *diag);

/*
 * Waits for the end. May be called once more after KR_SETTLED: to look whether
 * that still holds. 0: *RET; what tick gave; -ENOMEM. That systemd does not
 * answer is no error as long as kubelet itself does.
 */
int kr_settling_run(struct kr_settling *s, struct kr_diag *diag,
                    enum kr_settled *ret);

/* The main process of UNIT was ended by SIGKILL, which says nothing about it.
 */
bool kr_settling_was_killed(const struct kr_loaded_unit *unit);

/* UNIT runs, and nothing that would end its process is about to be done. */
bool kr_settling_is_at_rest(const struct kr_loaded_unit *unit);

void kr_settling_done(struct kr_settling *s);
#define _cleanup_settling_ _cleanup_(kr_settling_done)
