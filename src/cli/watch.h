/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who waits at the terminal: the signals that ask for an end, and the line that
 * says what is being waited for.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/options.h"

#define KR_WATCH_LINE_SIZE 128

struct kr_watch {
	int signal_fd;
	int signal; /* the one that asks for an end; 0 */
	bool hung_up;
	int progress_fd; /* -1: nobody looks */
	unsigned width;  /* of its terminal; 0: not known */
	bool shown;
	unsigned passed, drawn; /* seconds and columns of the line shown */
};

/* Blocks SIGINT, SIGTERM and SIGHUP, which are asked for from now on, and for
 * a change what stops a job; progress is shown on ERR where that is a terminal.
 * 0 or an errno. */
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

/* Looks for signals once more, and takes the progress line away. The signals
 * stay blocked. */
void kr_watch_end(struct kr_watch *watch);
