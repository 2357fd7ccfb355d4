/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a person at the terminal, or the reader of a log, sees: the steps as
 * they are taken; and the signals that ask for an end.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/options.h"

#define KR_WATCH_LINE_SIZE 256

struct kr_watch {
	int signal_fd;
	int signal; /* the signal that asks for an end; 0: none came */
	bool hung_up;
	const char *answer; /* to each signal; static; NULL: none */
	int progress_fd;    /* a terminal's; -1: no terminal */
	unsigned width;     /* of its terminal; 0: not known */
	bool shown;
	unsigned passed, drawn; /* seconds and columns of the line shown */
	const char *what;       /* what is waited for; NULL: nothing */
	const char *stopped;    /* what was, when the first signal came */
	FILE *log;    /* of --verbose: gets each line; NULL: there is none */
	char *unsaid; /* what the log would have stood still for; NULL */
	struct kr_teller teller; /* that says all this: for struct kr_actions */
};

/* Blocks SIGINT, SIGTERM and SIGHUP, which are asked for from now on, and for
 * a change what stops a job; progress is shown on ERR where that is a terminal,
 * and with --verbose as lines of a log. WATCH must not move. 0 or an errno. */
int kr_watch_begin(struct kr_watch *watch, const struct kr_options *options,
                   FILE *err);

/* No progress from now on. */
void kr_watch_mute(struct kr_watch *watch);

/* The answer to "shall I go on?" (kr_tick_t; the closure is a struct
 * kr_watch): 0, or -EINTR where a signal asks for an end. */
int kr_watch_tick(void *closure, const char *what, uint64_t passed_usec,
                  uint64_t limit_usec);

/* The same with a LINE to show, which is drawn each time; NULL: none. */
int kr_watch_line(struct kr_watch *watch, const char *line);

/* Looks for signals once more, takes the progress line away, and says what the
 * log did not take. The signals stay blocked. */
void kr_watch_end(struct kr_watch *watch);
