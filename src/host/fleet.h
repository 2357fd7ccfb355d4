/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the kubelets of many nodes say of a setting, through one API server.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "host/configz.h"
#include "host/node-page.h"
#include "net/http-server.h"

struct kr_fleet_progress {
	size_t n_done;     /* nodes that were heard of */
	size_t n_nodes;    /* as many as there are, as far as is known */
	size_t n_left_out; /* that have no kubelet to ask, besides */
};

struct kr_fleet_options {
	const char *key; /* of .kubeletconfig */
	/* these nodes, each once, sorted; NULL: all of the cluster, or those
	 * that SELECTOR, if it is not NULL, selects by their labels */
	const char *const *nodes;
	size_t n_nodes;
	const char *selector;
	/* the list of the cluster's nodes is asked for NODES, too, so that more
	 * than their names is known */
	bool look_up;
	/* questions at one time, at most; 0: as many as make it faster, up to
	 * N_PARALLEL_MOST */
	unsigned n_parallel, n_parallel_most;
	uint64_t timeout_usec; /* for one node, all its tries together */
	uint64_t total_usec;   /* for all of it */
	/* a node was heard of; NODE is borrowed. Nonzero: stop */
	int (*hear)(void *closure, const struct kr_node_entry *node,
	            const struct kr_configz *configz);
	/* "shall I go on?", some times a second. Nonzero: stop */
	int (*tick)(void *closure, const struct kr_fleet_progress *progress);
	void *closure;
	int wake_fd; /* tick() is asked when it can be read from; -1: none */
};

enum kr_fleet_end {
	KR_FLEET_DONE, /* each of them was heard of, once */
	/* the list of the nodes could not be read to its end, which an error in
	 * DIAG says, code "nodes"; those that are known were heard of */
	KR_FLEET_LIST_FAILED,
	/* the time was over; those that had answered by then were heard of */
	KR_FLEET_TIME_OVER,
};

/*
 * Asks the nodes. What it ended with; -EINTR: hear() or tick() said stop;
 * -ENOMEM; -ENOPKG: this libcurl lacks what is needed. RET is set in each case.
 */
int kr_fleet_run(const struct kr_http_server *server,
                 const struct kr_fleet_options *options, struct kr_diag *diag,
                 struct kr_fleet_progress *ret);
