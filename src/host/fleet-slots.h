/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Questions under way: the connections and the tasks that use them. How many
 * there may be at one time, and of what, is not decided here.
 */

#include <stdbool.h>
#include <stdint.h>

#include "host/fleet-queue.h"
#include "net/http.h"

struct kr_fleet_slot {
	struct kr_http_transfer *transfer;
	struct kr_fleet_task task;
	bool busy;
	uint64_t since_usec;
};

struct kr_fleet_slots {
	const struct kr_http_server *server;
	uint64_t timeout_usec;       /* of a node */
	struct kr_fleet_slot *nodes; /* N_NODES of them */
	unsigned n_nodes;
	struct kr_fleet_slot list; /* for pages of the list of nodes */
	CURLM *multi;
	unsigned n_busy; /* of all, the list's too */
	unsigned n_busy_put_off;
};

/*
 * N_NODES slots and one for the list, to SERVER, which must live longer; what a
 * slot takes is made when it is first used. A node may take TIMEOUT_USEC. To be
 * done with in each case. 0; -ENOMEM; -ENOPKG: this libcurl lacks what is
 * needed.
 */
int kr_fleet_slots_init(struct kr_fleet_slots *slots,
                        const struct kr_http_server *server, unsigned n_nodes,
                        uint64_t timeout_usec);
void kr_fleet_slots_done(struct kr_fleet_slots *slots);

/* A node's slot that is free; there must be one. */
struct kr_fleet_slot *kr_fleet_slots_free_one(struct kr_fleet_slots *slots);

/*
 * Asks for PATH in the free SLOT, for as long as TASK has time. The task is the
 * slot's then, also where it fails. 0: it is under way; 1: it is answered
 * already, and not by the server; -ENOMEM; -EIO: libcurl does not take it.
 */
int kr_fleet_slots_ask(struct kr_fleet_slots *slots, struct kr_fleet_slot *slot,
                       struct kr_fleet_task task, const char *path);

/* Goes on with all that is under way. 1 and a slot that is answered
 * (kr_http_answer() of its transfer); 0: none just now; -ENOMEM; -EIO. */
int kr_fleet_slots_next(struct kr_fleet_slots *slots,
                        struct kr_fleet_slot **ret);

/* SLOT, which is under way, will not be answered. 0 or -EIO. */
int kr_fleet_slots_cancel(struct kr_fleet_slots *slots,
                          struct kr_fleet_slot *slot);

/* The slot is free, and its task, less the time it took, is the caller's. */
struct kr_fleet_task kr_fleet_slots_release(struct kr_fleet_slots *slots,
                                            struct kr_fleet_slot *slot);

/* Waits until there is something to go on with, WAKE_FD (-1: none) can be read
 * from, or UNTIL_USEC of kr_now_usec(). 1: it is WAKE_FD; 0; -ENOMEM; -EIO. */
int kr_fleet_slots_wait(struct kr_fleet_slots *slots, int wake_fd,
                        uint64_t until_usec);
