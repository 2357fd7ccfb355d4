/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whether kubelet is well. healthz on its own port answers a plain "ok" without
 * credentials (port 10248 on loopback by default, 0 is off). It is asked only
 * where kubelet's network namespace is ours: from a pod without hostNetwork the
 * same address is somebody else's.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fix/health.h"
#include "net/healthz.h"

#define DEFAULT_ADDRESS "127.0.0.1"
#define DEFAULT_PORT    10248
#define ASK_USEC        (5 * KR_USEC_PER_SEC)

static void read_inputs(const struct kr_inputs *in, struct kr_health_probe *p)
{
	const char *error = NULL;

	if (in->merged_valid && in->merged.healthz_port >= 0)
		p->port = (unsigned)in->merged.healthz_port;
	if (in->merged_valid && in->merged.healthz_bind_address)
		strlcpy(p->address, in->merged.healthz_bind_address,
		        sizeof(p->address));
	if (in->flags.healthz_port.text) {
		long long port =
			strtonum(in->flags.healthz_port.text, 0, 65535, &error);

		if (!error)
			p->port = (unsigned)port;
	}
	if (in->flags.healthz_bind_address.text)
		strlcpy(p->address, in->flags.healthz_bind_address.text,
		        sizeof(p->address));
}

void kr_health_probe_find(struct kr_node *node, const struct kr_inputs *inputs,
                          pid_t pid, struct kr_health_probe *ret)
{
	*ret = (struct kr_health_probe){
		.address = DEFAULT_ADDRESS,
		.port = DEFAULT_PORT,
	};
	if (inputs)
		read_inputs(inputs, ret);
	if (ret->port == 0)
		ret->why_not = "healthz is off (healthzPort is 0)";
	else if (node->proc_fd < 0)
		ret->why_not = "there is no /proc to look at";
	else if (kr_process_shares_network(node->proc_fd, pid) != 1)
		ret->why_not = "kubelet is in another network namespace";
	ret->possible = !ret->why_not;
}

int kr_health_probe_ask(const struct kr_health_probe *probe,
                        uint64_t timeout_usec, char **ret_why)
{
	_cleanup_diag_ struct kr_diag found = {0};
	const struct kr_message *why;
	enum kr_health health;
	int r;

	if (!probe->possible)
		return 1;
	r = kr_healthz_get(probe->address, probe->port, timeout_usec, &found,
	                   &health);
	if (r == 0 && health == KR_HEALTHY)
		return 1;
	if (r == -ENOMEM)
		return r;
	why = found.n_messages > 0 ? &found.messages[0] : NULL;
	*ret_why = strdup(why ? why->text : "healthz gives no answer");
	return *ret_why ? 0 : -ENOMEM;
}

static void find_now(struct kr_host *host, struct kr_health_probe *ret)
{
	kr_health_probe_find(host->node,
	                     host->node->running_valid ? &host->node->running
	                                               : NULL,
	                     host->loaded->main_pid, ret);
}

const char *kr_health_not_asked(struct kr_host *host)
{
	struct kr_health_probe probe;

	if (!host->loaded || host->loaded->main_pid == 0)
		return NULL;
	find_now(host, &probe);
	return probe.why_not;
}

int kr_health_now(struct kr_host *host, char **ret_why)
{
	const struct kr_loaded_unit *loaded = host->loaded;
	struct kr_health_probe probe;

	if (!loaded || strcmp(loaded->active_state, "active") != 0 ||
	    loaded->main_pid == 0) {
		if (asprintf(ret_why, "%s is %s (%s)", host->node->unit_name,
		             loaded ? loaded->active_state : "not known",
		             loaded ? loaded->sub_state : "no bus") < 0) {
			*ret_why = NULL;
			return -ENOMEM;
		}
		return 0;
	}
	find_now(host, &probe);
	return kr_health_probe_ask(&probe, ASK_USEC, ret_why);
}
