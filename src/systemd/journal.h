/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The journal: the last lines of a unit, or of one invocation of it, and our
 * own entries. It knows nothing of kubelet.
 */

#include <stdbool.h>
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
	/* oldest first; but see kr_log_classify_t */
	struct kr_log_line *lines;
	size_t n_lines;
};

/* What a line says about why the process that wrote it ended. */
enum kr_log_kind {
	KR_LOG_ORDINARY,
	KR_LOG_NOISE,   /* tells nothing, and is left out */
	KR_LOG_DUMP,    /* the same, but what stands before it is trouble */
	KR_LOG_TROUBLE, /* a reason, where there is no better one */
	KR_LOG_REASON,  /* by this the process ended */
};

/*
 * Says of a line, which need not end with a NUL, what it is. This layer does
 * not know whose words it reads.
 *
 * With it not the last lines are read but those from the last reason on: the
 * reason, what follows, and in any case the first of what systemd says of the
 * unit behind it. Where systemd was read before the process (they come by two
 * sockets, and a process that writes much is read slowly) its words about the
 * end stand behind the reason all the same. Without a reason they are the last
 * lines that are no noise.
 */
typedef enum kr_log_kind (*kr_log_classify_t)(const char *line, size_t length);

/* How far back a reason is looked for; longer lines are cut. */
#define KR_LOG_SEARCH_LINES 20000
#define KR_LOG_SEARCH_BYTES ((size_t)16 << 20)
#define KR_LOG_LINE_BYTES   ((size_t)64 << 10)

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
	size_t n_max;               /* so many lines at most */
	uint64_t since_usec;        /* realtime; 0: no limit */
	kr_log_classify_t classify; /* NULL: the last lines are wanted */
	bool trouble;               /* trouble counts as a reason */
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
 * Reads the last lines, or those from the reason on, both what the service
 * wrote and what systemd says about it. An entry of several lines becomes
 * several. 0 (also with no line);
 * -EACCES: no line, and no permission to read the journal; -ENOENT: no journal
 * below ROOT; other errnos; DIAG has the words.
 */
int kr_journal_read(const struct kr_journal_query *query, struct kr_diag *diag,
                    struct kr_log *ret);
void kr_log_done(struct kr_log *log);
#define _cleanup_log_ _cleanup_(kr_log_done)

/* A line that the service wrote, not cut into several. True: it is the one that
 * was looked for. */
typedef bool (*kr_journal_look_t)(void *closure, const char *line);

/*
 * Shows LOOK what the service of QUERY wrote itself, oldest first, from its
 * since_usec on, until it says that it was the one, at most n_max entries. 0,
 * also where nothing was found; an errno where the journal cannot be read,
 * without words.
 */
int kr_journal_find(const struct kr_journal_query *query,
                    kr_journal_look_t look, void *closure);

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
