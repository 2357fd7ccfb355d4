/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A port on which one kubelet serves, and how it is asked for long.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "net/plain.h"
#include "node/node.h"

enum kr_own_port_kind {
	KR_OWN_PORT_SERVING,  /* port, 10250; TLS */
	KR_OWN_PORT_READONLY, /* readOnlyPort */
};

/* Nothing in it is owned. */
struct kr_own_port {
	int proc_fd;
	pid_t pid;           /* of the kubelet */
	char address[64];    /* as kubelet has it, "0.0.0.0" too */
	unsigned port;       /* 0: it is off */
	const char *why_not; /* static: why it is not asked; NULL: it is */
	bool any_socket; /* whose socket answers is not or need not be known */
};

/*
 * Why kubelet's network namespace keeps us from asking the kubelet of PID at
 * its address, one static sentence; NULL: nothing does. A user who may not look
 * at the namespace asks all the same where "/" is the node.
 */
const char *kr_own_port_check_network(const struct kr_node *node, pid_t pid);

/*
 * The port of a kubelet that was started with INPUTS and runs as PID. INPUTS
 * may be NULL: it is not known, and WHY_NOT says so. NODE must live longer. 0
 * or -ENOMEM.
 *
 * After a change the same port is asked of another process: set .pid, or find
 * it again.
 */
int kr_own_port_find(const struct kr_node *node, const struct kr_inputs *inputs,
                     pid_t pid, enum kr_own_port_kind kind,
                     struct kr_own_port *ret);

/* Whose socket is at the port. */
enum kr_own_socket {
	KR_OWN_SOCKET_KUBELETS, /* or that need not or is unknown */
	KR_OWN_SOCKET_OTHERS,
};
enum kr_own_socket kr_own_port_socket(const struct kr_own_port *port);

/* How long, and the function that is asked whether to go on meanwhile. */
struct kr_asking {
	uint64_t deadline_usec; /* of kr_now_usec() */
	kr_tick_t tick;         /* NULL: none */
	void *closure;
	const char *what; /* static: what is waited for, for TICK */
	uint64_t since_usec, limit_usec;
};

/* What TICK says; 0 where there is none. ASKING is a struct kr_asking, as the
 * closure of net/'s functions is. */
int kr_asking_tick(void *asking);

/* Waits a while between two questions. 0; what TICK gave. */
int kr_asking_pause(const struct kr_asking *asking);

enum kr_port_closed {
	KR_PORT_CLOSED, /* the connection is refused, or another process than
	                 * kubelet took the port */
	KR_PORT_OPEN,   /* kubelet still listens there at the deadline */
	KR_PORT_UNSEEN, /* that is unknown */
};

/*
 * The proof that PORT is closed: it is looked at until that is so, or the
 * deadline is over. 0: *RET, and where that is not KR_PORT_CLOSED *RET_WHY, one
 * sentence that the caller frees; what tick gave; -EINTR; -ENOMEM.
 */
int kr_own_port_wait_closed(const struct kr_own_port *port,
                            const struct kr_asking *asking,
                            enum kr_port_closed *ret, char **ret_why);
