/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The verdict: three views of one setting, the places that set it, and what
 * they add up to.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/span.h"
#include "base/vec.h"
#include "kubelet/flags.h"
#include "node/node.h"
#include "policy/sources.h"

enum kr_verdict {
	KR_VERDICT_PASS,
	KR_VERDICT_FAIL,
	KR_VERDICT_INVALID,
	KR_VERDICT_UNKNOWN,
	_KR_VERDICT_MAX,
};

/* "pass", "fail", "invalid", "unknown". */
const char *kr_verdict_to_string(enum kr_verdict verdict);

struct kr_view {
	enum kr_state state; /* TRUE, FALSE, VALUE, INVALID, UNKNOWN, ABSENT */
	char *reason;        /* one sentence */
	int source;          /* index of the source that decides, -1: none */
	struct kr_value value; /* of TRUE, FALSE and VALUE */
};

struct kr_audit {
	enum kr_verdict verdict;
	char *reason;         /* one sentence */
	bool explicit_wanted; /* the default was not accepted */
	bool restart_needed, reload_needed;
	struct kr_view disk, running, live;
	char *endpoint; /* whom the live view is from; NULL: nobody was asked */
	/* of the running process; 0 where there is none */
	pid_t pid;
	uint64_t started_usec; /* realtime */
	size_t running_arg;    /* its argument that decides; 0: none does */
	bool assumed; /* the running value holds if a changed ctime was only a
	                 chmod or the like */
	/* files and folders of the running kubelet that changed after its
	 * start: a restart applies that, too */
	struct kr_strings changed;
	struct kr_sources sources; /* of the disk view */
	/* the disk view is unknown since kubelet's default depends on its
	 * version: it is one of two */
	bool either_default;
};

struct kr_audit_options {
	bool explicit_wanted; /* true must be written down */
	/* what configz said: TRUE or FALSE; UNKNOWN: it was asked for and
	 * cannot be told; ABSENT: it was not asked for, or there is no kubelet
	 * to ask. The reason is one sentence; NULL where it was not asked for.
	 * ENDPOINT is the URL; NULL: there is none */
	enum kr_state live;
	const char *live_reason, *endpoint;
};

/*
 * Judges NODE, which was read. Messages about it are in DIAG already, more are
 * added. 0 or -ENOMEM. The spans point into NODE's files.
 *
 * The rule of the verdict (interface.md): fail if any view is false, or the
 * default is not accepted and nothing says true; else invalid if any is; else
 * unknown if disk is, or running is and there is a process, or live was asked
 * for and is, or no view is true; else pass. Where the files of the running
 * kubelet changed, or it does not show its arguments, the live view settles
 * what it runs with. Views that contradict the live one are named in DIAG,
 * code "live-disagrees".
 */
int kr_audit_run(struct kr_node *node, const struct kr_audit_options *options,
                 struct kr_diag *diag, struct kr_audit **ret);

/*
 * The same of a field that nothing is demanded of: its views and sources; the
 * verdict is UNKNOWN and says nothing. 0 or -ENOMEM.
 */
int kr_audit_field(struct kr_node *node, int field, struct kr_diag *diag,
                   struct kr_audit **ret);
struct kr_audit *kr_audit_free(struct kr_audit *audit);
DEFINE_FREEP(struct kr_audit, kr_audit_free);
#define _cleanup_audit_ _cleanup_(kr_audit_freep)

/* The source that decides the disk view, or NULL. */
const struct kr_source *kr_audit_deciding(const struct kr_audit *audit);
