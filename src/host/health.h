/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whether kubelet is healthy at this moment: what systemd says of its process,
 * and what kubelet says of itself on its healthz port.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "node/node.h"

enum kr_health_state {
	KR_HEALTH_GOOD,    /* kubelet's own socket answered ok */
	KR_HEALTH_BAD,     /* kubelet does not run, or did not answer so */
	KR_HEALTH_UNASKED, /* kubelet runs, and cannot be asked */
};

struct kr_health_report {
	enum kr_health_state state;
	char *why; /* one sentence; NULL where it is good */
};

void kr_health_report_done(struct kr_health_report *report);
#define _cleanup_health_report_ _cleanup_(kr_health_report_done)

/* Where one kubelet says that it is healthy. Nothing in it is owned. */
struct kr_health_probe {
	int proc_fd;
	pid_t pid;
	char address[64];
	unsigned port;
	const char *why_not; /* static: why it is not asked; NULL: it is */
	bool any_socket; /* whose socket answers is not or need not be known */
};

/*
 * The probe of a kubelet that was started with INPUTS and runs as PID: the
 * flags
 * --healthz-port and --healthz-bind-address, else healthzPort and
 * healthzBindAddress, else 127.0.0.1:10248. INPUTS may be NULL: the default.
 * NODE must live longer.
 */
void kr_health_probe_find(struct kr_node *node, const struct kr_inputs *inputs,
                          pid_t pid, struct kr_health_probe *ret);

/*
 * Asks once, for at most TIMEOUT_USEC. Only an answer of the process's own
 * socket is good. 0: RET is filled, the caller ends it; -ENOMEM; -EINTR: a
 * signal came.
 */
int kr_health_probe_ask(const struct kr_health_probe *probe,
                        uint64_t timeout_usec, struct kr_health_report *ret);
