/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The proof of authentication, authorization and serving TLS: what kubelet's
 * own port answers before a change and after it.
 */

#include "base/fs.h"
#include "host/own-port.h"

enum kr_seen {
	KR_SEEN_UNTRIED,  /* it cannot be tried, or need not be */
	KR_SEEN_ANSWERED, /* STATUS; of a handshake: there was one */
	KR_SEEN_LATE,     /* after a handshake: no answer in time */
	KR_SEEN_FAILED,   /* no connection, no TLS, no HTTP */
};

struct kr_observation {
	enum kr_seen seen;
	unsigned status;
	char why[320]; /* one sentence; "" where it was answered */
};

struct kr_kubelet_look {
	struct kr_observation handshake;   /* TLS; whose certificate it is does
	                                    * not matter */
	struct kr_observation anonymous;   /* GET /healthz */
	struct kr_observation certificate; /* ... with the client certificate of
	                                    * kubelet's own kubeconfig */
};

/* Whom to ask, and as whom. Borrowed. */
struct kr_kubelet_port {
	const struct kr_own_port *port; /* of kind KR_OWN_PORT_SERVING */
	struct kr_fs *fs;
	const char *kubeconfig; /* path; NULL: kubelet has none */
};

/*
 * Looks, once. libcurl is loaded for it; where it is not to be had all is
 * UNTRIED. Each of the two questions is given a second also when the deadline
 * is over. The client's key is handed to libcurl by path, and is in no message.
 * 0: RET is filled; -EINTR: ASKING's tick said stop; -ENOMEM.
 */
int kr_kubelet_port_look(const struct kr_kubelet_port *port,
                         const struct kr_asking *asking,
                         struct kr_kubelet_look *ret);

enum kr_proved {
	KR_PROVED_UNTRIED, /* what was seen before or after does not tell */
	KR_PROVED_YES,
	KR_PROVED_NO,
};

struct kr_kubelet_proof {
	enum kr_proved handshake;   /* as before */
	enum kr_proved anonymous;   /* refused: 401. YES where that is not
	                             * demanded */
	enum kr_proved certificate; /* not refused: kubelet knows the user */
	char why[400]; /* one sentence: of the first that is NO, else why the
	                * certificate is UNTRIED; "" */
};

/* What is to be true after the change. */
struct kr_kubelet_demand {
	bool anonymous_off;
};

/*
 * Compares. Only what was answered before the change is asked for after it. A
 * 401 to the certificate before the change says that it is not of kubelet's
 * client CA: UNTRIED. A 500 is no failure: the API server is away, which
 * kubelet asks about authorization, after authentication.
 */
void kr_kubelet_port_judge(const struct kr_kubelet_look *before,
                           const struct kr_kubelet_look *after,
                           const struct kr_kubelet_demand *demand,
                           struct kr_kubelet_proof *ret);

/*
 * Looks until nothing is KR_PROVED_NO, or the deadline is over: the port opens
 * behind healthz. Does not look where nothing was answered before. 0: RET is
 * filled, with the last look; -EINTR: ASKING's tick said stop, or what it gave;
 * -ENOMEM.
 */
int kr_kubelet_port_prove(const struct kr_kubelet_port *port,
                          const struct kr_kubelet_look *before,
                          const struct kr_kubelet_demand *demand,
                          const struct kr_asking *asking,
                          struct kr_kubelet_proof *ret);
