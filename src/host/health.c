/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whether kubelet is healthy. healthz on its own port answers a plain "ok"
 * without credentials (port 10248 on loopback by default, 0 is off).
 *
 * It is asked where kubelet's network namespace is ours: from a pod without
 * hostNetwork the same address is others'. A user who may not look at the
 * namespace (an ordinary user) asks all the same where "/" is the node: the
 * loopback address of a machine may be asked by all.
 *
 * Only an answer of kubelet's own socket (node/listener) counts: a second
 * kubelet, or the one that was there before and does not end, would speak for
 * the one that is dead. Where the unit's main process is another program with
 * kubelet inside, or the process's sockets may not be looked at, any does.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "host/figures.h"
#include "host/health.h"
#include "host/healthz.h"
#include "host/own-port.h"
#include "node/listener.h"

#define DEFAULT_ADDRESS "127.0.0.1"
#define DEFAULT_PORT    10248

void kr_health_report_done(struct kr_health_report *report)
{
	free(report->why);
	*report = (struct kr_health_report){0};
}

static void read_inputs(const struct kr_inputs *in, struct kr_health_probe *p)
{
	const char *port = kr_flags_text(&in->flags, KR_FIELD_HEALTHZ_PORT);
	const char *address =
		kr_flags_text(&in->flags, KR_FIELD_HEALTHZ_ADDRESS);
	const struct kr_value *v = NULL, *bind = NULL;
	const char *error = NULL;
	long long n;

	if (in->merged_valid) {
		v = kr_merged_value(&in->merged, KR_FIELD_HEALTHZ_PORT);
		bind = kr_merged_value(&in->merged, KR_FIELD_HEALTHZ_ADDRESS);
	}
	if (v && v->n >= 0)
		p->port = (unsigned)v->n;
	if (bind)
		strlcpy(p->address, bind->s, sizeof(p->address));
	if (port) {
		n = strtonum(port, 0, 65535, &error);
		if (!error)
			p->port = (unsigned)n;
	}
	if (address)
		strlcpy(p->address, address, sizeof(p->address));
}

void kr_health_probe_find(struct kr_node *node, const struct kr_inputs *inputs,
                          pid_t pid, struct kr_health_probe *ret)
{
	*ret = (struct kr_health_probe){
		.proc_fd = node->proc_fd,
		.pid = pid,
		.address = DEFAULT_ADDRESS,
		.port = DEFAULT_PORT,
		.any_socket = node->host_pid == pid,
	};
	if (inputs)
		read_inputs(inputs, ret);
	ret->why_not = ret->port == 0 ? "healthz is off (healthzPort is 0)"
	                              : kr_own_port_check_network(node, pid);
}

static bool is_gone(const struct kr_health_probe *p)
{
	uint64_t ticks;

	return kr_process_start(p->proc_fd, p->pid, &ticks) == -ESRCH;
}

static int check_socket(const struct kr_health_probe *p,
                        struct kr_health_report *ret)
{
	int is_ours = 1;

	if (!p->any_socket)
		is_ours =
			kr_listener_is(p->proc_fd, p->pid, p->address, p->port);
	if (is_ours == -ENOMEM)
		return is_ours;
	if (is_gone(p))
		return kr_format(&ret->why, "kubelet[%d] has ended",
		                 (int)p->pid);
	if (is_ours == 0)
		return kr_format(&ret->why,
		                 "another process than kubelet[%d] answers at "
		                 "%s, port %u",
		                 (int)p->pid, p->address, p->port);
	ret->state = KR_HEALTH_GOOD;
	return 0;
}

int kr_health_probe_ask(const struct kr_health_probe *probe,
                        uint64_t timeout_usec, struct kr_health_report *ret)
{
	_cleanup_diag_ struct kr_diag found = {0};
	enum kr_health health;
	int r;

	*ret = (struct kr_health_report){.state = KR_HEALTH_BAD};
	if (probe->why_not) {
		ret->state = KR_HEALTH_UNASKED;
		return kr_format(&ret->why, "%s", probe->why_not);
	}
	r = kr_healthz_get(probe->address, probe->port, timeout_usec, &found,
	                   &health);
	if (r == -ENOMEM || r == -EINTR)
		return r;
	if (r >= 0 && health == KR_HEALTHY)
		return check_socket(probe, ret);
	return kr_format(&ret->why, "%s",
	                 found.n_messages > 0 ? found.messages[0].text
	                                      : "healthz gives no answer");
}
