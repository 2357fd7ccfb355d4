/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A service's own word on its health: GET /healthz, of this machine.
 */

#include <stdint.h>

#include "base/diag.h"

enum kr_health {
	KR_HEALTHY,   /* it answered with status 200 */
	KR_UNHEALTHY, /* it answered with another one */
	KR_NO_ANSWER, /* refused, closed, too late, or not HTTP */
};

/*
 * Asks http://ADDRESS:PORT/healthz, and waits TIMEOUT_USEC at most for
 * everything together. ADDRESS is an IPv4 or IPv6 address; those that mean
 * "all of this machine's", "0.0.0.0" and "::", are asked on the loopback.
 *
 * 0, and *RET; where that is not KR_HEALTHY, the reason is a KR_NOTE in DIAG,
 * code "healthz". -EINVAL: no address, or port 0 or above 65535; -EINTR: a
 * signal came; -ENOMEM. These are without words.
 */
int kr_healthz_get(const char *address, unsigned port, uint64_t timeout_usec,
                   struct kr_diag *diag, enum kr_health *ret);
