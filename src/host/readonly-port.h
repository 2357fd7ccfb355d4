/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which programs use kubelet's read-only port: what closing it would break.
 */

#include "host/own-port.h"

enum kr_readonly_use {
	KR_READONLY_NOT_USED,    /* not since kubelet started, or, where
	                          * it does not count, at this moment */
	KR_READONLY_USED,        /* by others than us */
	KR_READONLY_CANNOT_TELL, /* WHY says why */
};

struct kr_readonly_port {
	enum kr_readonly_use use;
	bool counted;        /* NOT_USED: kubelet has counted since its start */
	uint64_t n_requests; /* of others, that kubelet counted */
	size_t n_peers;      /* of others, that are connected */
	char *why;           /* one sentence; NULL: NOT_USED */
};

/*
 * Asks PORT, of kind KR_OWN_PORT_READONLY, once. A port that is off is not
 * used. Needs no libcurl. 0: RET is filled, the caller ends it; what tick gave
 * comes as -EINTR; -ENOMEM.
 */
int kr_readonly_port_ask(const struct kr_own_port *port,
                         const struct kr_asking *asking,
                         struct kr_readonly_port *ret);
void kr_readonly_port_done(struct kr_readonly_port *readonly);
#define _cleanup_readonly_port_ _cleanup_(kr_readonly_port_done)
