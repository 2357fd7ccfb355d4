/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which lines of a log are shown. They are handed over newest first, until it
 * says that it has enough, and come out in the order of struct kr_log.
 */

#include "systemd/journal.h"

/* Where a line comes from: the service, or systemd about it. */
enum kr_log_from {
	KR_LOG_FROM_SERVICE,
	KR_LOG_FROM_MANAGER,
	KR_LOG_FROM_MANAGER_START, /* it begins a new start of the unit */
	KR_LOG_FROM_MANAGER_END,   /* one of its processes ended */
};

enum kr_log_step {
	KR_LOG_GO_ON,
	KR_LOG_ENOUGH,
};

struct kr_log_pick {
	/* in, as in the query */
	kr_log_classify_t classify;
	bool trouble;
	size_t n_max;
	/* its own */
	struct kr_log_picked *lines; /* newest first */
	size_t n_lines;
	size_t n_seen, size_bytes;
	size_t reason, trouble_at; /* which line, from 1; 0: none so far */
	bool ended;                /* systemd's word about the end was seen */
	bool dump;                 /* the service line seen last begins one */
};

/*
 * Hands over the next older line: TEXT of LENGTH bytes, with what else ENTRY
 * says (its text is not looked at). Copies are made. An enum kr_log_step, or
 * -ENOMEM.
 */
int kr_log_pick_add(struct kr_log_pick *pick, const struct kr_log_line *entry,
                    enum kr_log_from from, const char *text, size_t length);

/* The lines to show, which the caller frees. PICK is empty then. 0, -ENOMEM. */
int kr_log_pick_finish(struct kr_log_pick *pick, struct kr_log *ret);

void kr_log_pick_done(struct kr_log_pick *pick);
#define _cleanup_log_pick_ _cleanup_(kr_log_pick_done)
