/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A port on which one kubelet serves.
 *
 * It is asked where kubelet's network namespace is ours: from a pod without
 * hostNetwork the same address is others'. And only what kubelet's own
 * socket says counts (node/listener): a port that is kubelet's by its
 * configuration may have been taken by another program.
 *
 * What kubelet has for address and port is decided as everything else
 * (kr_decide()); its defaults are 0.0.0.0 and 10250, and an address or port
 * that is empty or 0 in a file is the default
 * (pkg/kubelet/apis/config/v1beta1/defaults.go).
 */

#include <errno.h>
#include <string.h>

#include "base/format.h"
#include "host/figures.h"
#include "host/own-port.h"
#include "node/listener.h"

#define DEFAULT_ADDRESS "0.0.0.0"
#define DEFAULT_PORT    10250

const char *kr_own_port_check_network(const struct kr_node *node, pid_t pid)
{
	int shares;

	if (node->proc_fd < 0)
		return "there is no /proc to look at";
	shares = kr_process_shares_network(node->proc_fd, pid);
	if (shares == 0)
		return "kubelet is in another network namespace";
	if (shares > 0 || strcmp(node->root, "/") == 0)
		return NULL; /* that it has ended shows when it is asked */
	return "kubelet's network namespace may not be looked at";
}

static int find_address(const struct kr_inputs *in, struct kr_own_port *ret)
{
	_cleanup_decision_ struct kr_decision d = {0};
	int r;

	r = kr_decide(in, KR_FIELD_ADDRESS, &d);
	if (r < 0)
		return r;
	if (d.state == KR_STATE_VALUE && *d.value.s)
		strlcpy(ret->address, d.value.s, sizeof(ret->address));
	else if (d.state == KR_STATE_UNKNOWN || d.state == KR_STATE_INVALID)
		ret->why_not = "kubelet's address is not known";
	return 0;
}

static int find_port(const struct kr_inputs *in, enum kr_own_port_kind kind,
                     struct kr_own_port *ret)
{
	bool is_readonly = kind == KR_OWN_PORT_READONLY;
	_cleanup_decision_ struct kr_decision d = {0};
	int r;

	r = kr_decide(in, is_readonly ? KR_FIELD_READ_ONLY_PORT : KR_FIELD_PORT,
	              &d);
	if (r < 0)
		return r;
	if (d.state == KR_STATE_VALUE && d.value.n > 0)
		ret->port = (unsigned)d.value.n;
	else if (d.state == KR_STATE_UNKNOWN || d.state == KR_STATE_INVALID)
		ret->why_not = "kubelet's port is not known";
	else
		ret->port = is_readonly ? 0 : DEFAULT_PORT;
	return 0;
}

int kr_own_port_find(const struct kr_node *node, const struct kr_inputs *inputs,
                     pid_t pid, enum kr_own_port_kind kind,
                     struct kr_own_port *ret)
{
	int r;

	*ret = (struct kr_own_port){
		.proc_fd = node->proc_fd,
		.pid = pid,
		.address = DEFAULT_ADDRESS,
		.any_socket = node->host_pid == pid,
	};
	if (!inputs) {
		ret->why_not = "kubelet's port is not known";
		return 0;
	}
	r = find_address(inputs, ret);
	if (r < 0)
		return r;
	r = find_port(inputs, kind, ret);
	if (r < 0)
		return r;
	if (!ret->why_not)
		ret->why_not = kr_own_port_check_network(node, pid);
	return 0;
}

enum kr_own_socket kr_own_port_socket(const struct kr_own_port *port)
{
	if (!port->any_socket && kr_listener_is(port->proc_fd, port->pid,
	                                        port->address, port->port) == 0)
		return KR_OWN_SOCKET_OTHERS;
	return KR_OWN_SOCKET_KUBELETS;
}

int kr_asking_tick(void *asking)
{
	const struct kr_asking *a = asking;

	if (!a->tick)
		return 0;
	return a->tick(a->closure, a->what, kr_now_usec() - a->since_usec,
	               a->limit_usec);
}

int kr_asking_pause(const struct kr_asking *asking)
{
	struct kr_asking a = *asking;
	uint64_t left = kr_left_usec(a.deadline_usec);

	kr_pause_usec(left < KR_HEALTHZ_EVERY_USEC ? left
	                                           : KR_HEALTHZ_EVERY_USEC);
	return kr_asking_tick(&a);
}

/* --- closed -------------------------------------------------------------- */

/* Looks once. 0; -EINTR; -ENOMEM. */
static int look(const struct kr_own_port *port,
                const struct kr_plain_peer *peer,
                const struct kr_plain_wait *wait, enum kr_port_closed *ret,
                char **ret_why)
{
	_cleanup_close_ int fd = kr_plain_connect(peer, wait);

	*ret = KR_PORT_CLOSED;
	if (fd == -EINTR || fd == -ENOMEM || fd == -ECONNREFUSED)
		return fd == -ECONNREFUSED ? 0 : fd;
	if (fd < 0) {
		*ret = KR_PORT_UNSEEN;
		return kr_format(ret_why, "%s cannot be looked at: %s",
		                 peer->name, strerror(-fd));
	}
	if (kr_own_port_socket(port) == KR_OWN_SOCKET_OTHERS)
		return 0;
	*ret = KR_PORT_OPEN;
	return kr_format(ret_why, "kubelet[%d] still listens at %s",
	                 (int)port->pid, peer->name);
}

int kr_own_port_wait_closed(const struct kr_own_port *port,
                            const struct kr_asking *asking,
                            enum kr_port_closed *ret, char **ret_why)
{
	struct kr_asking a = *asking;
	const struct kr_plain_wait wait = {a.deadline_usec, kr_asking_tick, &a};
	_cleanup_free_ char *why = NULL;
	struct kr_plain_peer peer;
	int r;

	*ret = KR_PORT_UNSEEN;
	if (port->why_not)
		return kr_format(ret_why, "%s", port->why_not);
	r = kr_plain_peer_parse(port->address, port->port, &peer);
	if (r < 0)
		return kr_format(ret_why, "there is no port %u of %s",
		                 port->port, port->address);
	for (;;) {
		r = look(port, &peer, &wait, ret, &why);
		if (r < 0 || *ret == KR_PORT_CLOSED)
			return r;
		if (kr_left_usec(a.deadline_usec) == 0)
			break;
		r = kr_asking_pause(&a);
		if (r < 0)
			return r;
	}
	*ret_why = TAKE_PTR(why);
	return 0;
}
