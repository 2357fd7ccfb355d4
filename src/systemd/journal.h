/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The journal: the last lines of a unit, or of one invocation of it, and our
 * own entries. It knows nothing of kubelet.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/diag.h"
#include "unit/loaded.h"

struct kr_log_line {
	uint64_t realtime_usec;
	char *identifier; /* SYSLOG_IDENTIFIER, or NULL */
	int pid;          /* _PID, 0: not known */
	char *text; /* one line; control bytes as they are, a NUL as "?" */
};

struct kr_log {
	struct kr_log_line *lines; /* oldest first */
	size_t n_lines;
};

/* One process of a unit. */
struct kr_invocation {
	pid_t pid;                      /* 0: not known */
	char id[KR_INVOCATION_ID_SIZE]; /* "": not known */
};

struct kr_journal_query {
	const char *root; /* NULL or "/": this machine's journal, else the
	                     journal files below ROOT */
	const char *unit; /* "kubelet.service" */
	const char *invocation_id; /* only this invocation; NULL or "": all */
	/* without what these invocations said, and what systemd said of them */
	struct kr_invocation except[2];
	size_t n_max;        /* the last so many lines */
	uint64_t since_usec; /* realtime; 0: no limit */
};

/*
 * Waits, at most LIMIT_USEC, until journald has written what the processes of
 * ROOT's system (NULL or "/": this one) gave it so far. It writes when it comes
 * to it, and to a line that it comes to late it gives the invocation ID that
 * the unit has by then, or none (measured with systemd 252, a test): who wants
 * what a process said that ended a moment ago syncs first, and does not ask by
 * invocation. 0; -ENOENT, -ECONNREFUSED: no journald that could be asked (it
 * can since systemd 243); -ECONNRESET: it does not see our process (ours is an
 * outer pid namespace); -ETIMEDOUT; -EPROTO: it knows no such call; others.
 */
int kr_journal_sync(const char *root, uint64_t limit_usec);

/*
 * Reads the last lines, both what the service wrote and what systemd says
 * about it. An entry of several lines becomes several. 0 (also with no line);
 * -EACCES: no line, and no permission to read the journal; -ENOENT: no journal
 * below ROOT; other errnos; DIAG has the words.
 */
int kr_journal_read(const struct kr_journal_query *query, struct kr_diag *diag,
                    struct kr_log *ret);
void kr_log_done(struct kr_log *log);
#define _cleanup_log_ _cleanup_(kr_log_done)

struct kr_journal_field {
	const char *name; /* "MESSAGE", "MESSAGE_ID": capitals, digits, "_" */
	const char *value;
};

/*
 * Writes one entry of N fields to this machine's journal. 0, also where no
 * journald is there to hear it; -E2BIG: more than KR_JOURNAL_FIELDS_MAX; other
 * errnos.
 */
int kr_journal_send(const struct kr_journal_field *fields, size_t n);
#define KR_JOURNAL_FIELDS_MAX 32
