/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The nodes that must be asked once more, and when.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "host/configz.h"
#include "host/node-page.h"

/* How often one question is asked at most. */
#define KR_FLEET_TRIES_MAX 5

/* A question that is not answered yet. */
struct kr_fleet_task {
	struct kr_node_entry node; /* its name is owned; NULL: none */
	unsigned n_tries;
	bool put_off;             /* it made room for others once */
	struct kr_configz said;   /* the last answer; no reason: none yet */
	uint64_t left_usec;       /* of its time */
	uint64_t not_before_usec; /* of kr_now_usec() */
};

/*
 * How long to wait before a question that was asked N_TRIES times is asked once
 * more, if AGAIN says that its answer may be another one then; RETRY_AFTER_USEC
 * is what the server asks for. 0: it is not asked again.
 */
uint64_t kr_fleet_backoff_usec(enum kr_again again, uint64_t retry_after_usec,
                               unsigned n_tries);

/* Tasks in no order; room for SIZE of them. */
struct kr_fleet_queue {
	struct kr_fleet_task *tasks;
	size_t n_tasks, size;
};

/* 0 or -ENOMEM. */
int kr_fleet_queue_init(struct kr_fleet_queue *queue, size_t size);
void kr_fleet_queue_done(struct kr_fleet_queue *queue);

/* There must be room. The name is the queue's then. */
void kr_fleet_queue_put(struct kr_fleet_queue *queue,
                        struct kr_fleet_task task);

/* Takes the task that is first due. Whether there is one at NOW_USEC. */
bool kr_fleet_queue_take(struct kr_fleet_queue *queue, uint64_t now_usec,
                         struct kr_fleet_task *ret);

/* When the first of them is due; UINT64_MAX: there is none. */
uint64_t kr_fleet_queue_due_usec(const struct kr_fleet_queue *queue);
