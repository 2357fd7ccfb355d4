/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * fix: make the control pass, restart kubelet, prove it, else put everything
 * back.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/diag.h"
#include "host/activation.h"
#include "host/host.h"
#include "net/api.h"
#include "policy/plan.h"
#include "store/transaction.h"
#include "systemd/journal.h"

enum kr_outcome {
	KR_OUTCOME_UNCHANGED,
	KR_OUTCOME_FIXED,
	KR_OUTCOME_PARTLY, /* fixed, but a control that was asked for is not */
	KR_OUTCOME_WOULD_FIX,
	KR_OUTCOME_UNCONFIGURED,
	KR_OUTCOME_REFUSED,
	KR_OUTCOME_FAILED,
	KR_OUTCOME_ROLLED_BACK,
	KR_OUTCOME_BROKEN,
	_KR_OUTCOME_MAX,
};

/* The code of the warning that kubelet still runs with the old value, which
 * --quiet keeps. */
#define KR_STILL_FALSE "still-false"

enum kr_restart {
	KR_RESTART_AUTO,
	KR_RESTART_ALWAYS,
	KR_RESTART_NEVER,
	_KR_RESTART_MAX,
};

/* 0, or -EINVAL for another word than "auto", "always", "never". */
int kr_restart_from_string(const char *s, enum kr_restart *ret);

#define KR_WAIT_USEC_DEFAULT (60 * KR_USEC_PER_SEC)

struct kr_fix_options {
	/* whose controls, in the order of the plan; an undo judges by those of
	 * the fix, where its record has them */
	const struct kr_rules *rules;
	/* chooses RULES and CONSENTS, in place, for the node that was read,
	 * each time it is; NULL: they are chosen. 0 or an errno, as a node's
	 * that cannot be read */
	int (*select)(void *closure, struct kr_node *node,
	              struct kr_diag *diag);
	void *select_closure;
	/* of each of them, as kr_plan_make() takes it: what was said by the
	 * owner. What is seen on the node is found here; NULL: nothing was */
	const struct kr_consent *consents;
	/* what the owner lives with, which must live as long as the fix; NULL:
	 * nothing */
	const struct kr_waivers *waivers;
	const char *expect; /* kr_plan_hash() of the only plan wanted; NULL */
	bool dry_run;
	enum kr_method method;
	enum kr_restart restart;
	uint64_t wait_usec;
	bool no_rollback;
	bool explicit_wanted;
	bool retry;      /* also a change that was put back before */
	bool no_persist; /* leaves the platform's durable place alone */
	const struct kr_platform *medium; /* as kr_durable_plan() has it */
	/* with its configz, the live view is asked before the first write and
	 * must be as planned after a restart; NULL: not asked */
	const struct kr_api_options *api;
	/* asked before the first write and while anything is waited for; < 0
	 * means stop (a signal came); NULL: nothing */
	kr_tick_t tick;
	void *closure;
	/* the listener that hears of the steps as they are taken; NULL: none */
	const struct kr_teller *teller;
};

struct kr_fix {
	bool undo; /* of another fix */
	enum kr_outcome outcome;
	char *reason; /* one sentence, for people its first line: */
	/* what has to be written somewhere first, each with its line feed;
	 * NULL: nothing */
	char *lines;
	/* NULL: none was made; a refused plan has no edits; in a preview
	 * also where an interrupted run would be reverted first, which would
	 * change what there is to be done */
	struct kr_plan *plan;
	/* for a next command, borrowed, NULL where there are none: the options
	 * that select the same controls once more; those that make it the same
	 * fix; those by which another control is judged alike; and how it is to
	 * be done, of an undo, too */
	const char *audit_words, *words, *left_words, *how;
	const char
		*asked; /* an undo: the id that it was given: borrowed; NULL */
	/* an undo that a later fix refuses: the id of the fix to undo before;
	 * "": none, or that would be refused, too */
	char undo_first[KR_TRANSACTION_ID_SIZE];
	/* the fix that an undo is of: its id, "" where there is none */
	char undone[KR_TRANSACTION_ID_SIZE];
	/* kr_plan_hash() of the plan; "": it has no edits */
	char hash[KR_PLAN_HASH_SIZE];
	struct kr_audit *before; /* NULL: the node could not be read */
	struct kr_audit *after;  /* of the node as it is in the end; NULL: as
	                            before, or a preview (see the plan's) */
	bool restarts, reloads;  /* was done, or would be in a preview */
	bool starting; /* a preview: kubelet is on its way, fix would wait */
	uint64_t wait_usec; /* of the options */
	bool asks_live;     /* after the restart configz is asked, too */
	const struct kr_api_options *api; /* of the options */
	bool watched;         /* a timer reverts it if this run is killed */
	bool wants_undo;      /* kubelet was healthy before the change, which
	                       * stays: an undo is the way back */
	char transaction[64]; /* its id, "" where there is none */
	struct kr_actions actions;
	/* why kubelet ended, or its last lines, where it is not healthy */
	struct kr_log log;
	/* the start that did not go well and was reverted: when it was asked
	 * for (realtime; 0: none was), and which it was */
	uint64_t failed_usec;
	struct kr_invocation failed;
	/* of an interrupted run that was reverted first: whose kubelet it
	 * was, and its file if it was named. HOST may borrow them. */
	char *recovered_unit, *recovered_config;
	struct kr_host *host, *host_after; /* what BEFORE and AFTER speak of */
	char *unit, *config; /* of the record, for HOST, where an undo was given
	                        no others; NULL: it was, or the usual ones */
};

/*
 * Runs fix on the node of NODE_OPTIONS. RET is filled whatever the outcome;
 * DIAG gets the words. 0, or -ENOMEM.
 */
int kr_fix_run(const struct kr_node_options *node_options,
               const struct kr_fix_options *options, struct kr_diag *diag,
               struct kr_fix **ret);
/* "unchanged", "fixed", "partly-fixed", "would-fix", "unconfigured", "refused",
 * "failed", "rolled-back", "broken"; of an undo "undone" and "would-undo". */
const char *kr_fix_outcome(const struct kr_fix *fix);

/* FIX's reason with its lines, as the message has it; the caller frees it.
 * NULL: no memory. */
char *kr_fix_reason(const struct kr_fix *fix);

/* Where the change would outlast its platform; NULL: the files are not written
 * again. */
const struct kr_durable *kr_fix_durable(const struct kr_fix *fix);

struct kr_fix *kr_fix_free(struct kr_fix *fix);
DEFINE_FREEP(struct kr_fix, kr_fix_free);
#define _cleanup_fix_ _cleanup_(kr_fix_freep)
