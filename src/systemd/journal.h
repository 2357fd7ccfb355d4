/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The journal: the last lines of a unit, or of one invocation of it, and our
 * own entries. It knows nothing of kubelet.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

struct kr_log_line {
	uint64_t realtime_usec;
	char *identifier; /* SYSLOG_IDENTIFIER, or NULL */
	int pid;	  /* _PID, 0: not known */
	char *text;	  /* one line; control bytes as they are */
};

struct kr_log {
	struct kr_log_line *lines; /* oldest first */
	size_t n_lines;
};

struct kr_journal_query {
	const char *root; /* NULL or "/": this machine's journal, else the
			     journal files below ROOT */
	const char *unit; /* "kubelet.service" */
	const char *invocation_id; /* only this invocation; NULL or "": all */
	size_t n_max;	   /* the last so many lines */
	uint64_t since_usec; /* realtime; 0: no limit */
};

/*
 * Reads the last lines, both what the service wrote and what systemd says
 * about it. 0 (also with no line); -EACCES: no permission to read any journal;
 * other errnos; DIAG has the words.
 */
int kr_journal_read(const struct kr_journal_query *query, struct kr_diag *diag,
		    struct kr_log *ret);
void kr_log_done(struct kr_log *log);
#define _cleanup_log_ _cleanup_(kr_log_done)
