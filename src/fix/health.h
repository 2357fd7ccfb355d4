/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whether kubelet is well: what systemd says of its process, and what kubelet
 * says of itself on its healthz port.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "fix/host.h"

/* Where kubelet says that it is well. */
struct kr_health_probe {
	bool possible; /* it is on, and its network namespace is ours */
	char address[64];
	unsigned port;
	const char *why_not; /* static; NULL where possible */
};

/*
 * Where a kubelet that was started with INPUTS and runs as PID answers: the
 * flags --healthz-port and --healthz-bind-address, else healthzPort and
 * healthzBindAddress, else 127.0.0.1:10248. INPUTS may be NULL: the default.
 */
void kr_health_probe_find(struct kr_node *node, const struct kr_inputs *inputs,
                          pid_t pid, struct kr_health_probe *ret);

/*
 * Asks once, for at most TIMEOUT_USEC. 1: it answered ok, or cannot be asked;
 * 0: it is not well, RET_WHY is a sentence that the caller frees; an errno.
 */
int kr_health_probe_ask(const struct kr_health_probe *probe,
                        uint64_t timeout_usec, char **ret_why);

/* Whether kubelet runs now and is well: the unit is active with a main process,
 * and the probe. As kr_health_probe_ask(). */
int kr_health_now(struct kr_host *host, char **ret_why);

/* Why kubelet's own word is not had (static); NULL: it can be asked, or does
 * not run. */
const char *kr_health_not_asked(struct kr_host *host);
