/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The live view: what the node's kubelet says of itself through the API server
 * (--configz).
 */

#include <stdint.h>

#include "base/diag.h"
#include "host/activation.h"
#include "host/configz.h"
#include "kubelet/configz-values.h"
#include "kubelet/flags.h"
#include "node/node.h"

struct kr_live {
	enum kr_state state; /* TRUE, FALSE, UNKNOWN; ABSENT: not asked for,
	                      * or an image: there is no one to ask */
	const char *reason;  /* one sentence; NULL: not asked for */
	char *endpoint;      /* the URL of configz; NULL: none was found */
	unsigned status;     /* of the last answer; 0: there was none */

	char *node;    /* this and the rest is the module's own */
	char *refusal; /* why it cannot be asked */
	struct kr_http_server *server;
	struct kr_http_transfer *transfer;
	struct kr_configz configz;
	const struct kr_live_wait *wait;
};

/* How long, and the function that is asked whether to go on meanwhile. */
struct kr_live_wait {
	uint64_t timeout_usec;
	kr_tick_t tick; /* NULL: none */
	void *closure;
	const char *what; /* static: what is waited for, for TICK */
	uint64_t since_usec, limit_usec;
};

#define KR_LIVE_ASK_USEC (10 * KR_USEC_PER_SEC)

/*
 * Finds out which API server to ask about NODE, which was read. API's strings
 * are borrowed; NULL, or without its configz: the view is ABSENT. What is wrong
 * with them makes it UNKNOWN. 0 or -ENOMEM.
 */
int kr_live_open(struct kr_live *live, const struct kr_api_options *api,
                 struct kr_node *node, struct kr_diag *diag);

/*
 * Asks for FIELD, once, where it can be asked. DIAG, which may be
 * NULL, gets the server's own words about a refusal. 0; what WAIT's tick gave
 * (-EINTR); -ENOMEM.
 */
int kr_live_ask(struct kr_live *live, int field,
                const struct kr_live_wait *wait, struct kr_diag *diag);

/*
 * What was heard of every field. Where nothing was, all that configz shows is
 * UNKNOWN, for LIVE's reason, which must live as long as RET. 0 or -ENOMEM; the
 * caller ends RET.
 */
int kr_live_values(const struct kr_live *live, struct kr_configz_values *ret);

/* What was heard is old: UNKNOWN, for REASON (static), where it was asked. */
void kr_live_forget(struct kr_live *live, const char *reason);

void kr_live_done(struct kr_live *live);
#define _cleanup_live_ _cleanup_(kr_live_done)
