/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet's version decides how the drop-ins of --config-dir are merged, and
 * often no file of the node tells it. Who asks for --configz has an API server
 * that knows it: kubelet registers it in its Node.
 *
 * That takes the right to get nodes, which configz alone does not need. So it
 * is asked only where something depends on it, and a refusal is as if nobody
 * had been asked: then the drop-ins are judged for each version.
 */

#include <stdbool.h>

#include "base/clock.h"
#include "cli/learn.h"
#include "node/kubelet-version.h"

#define ASK_USEC (5 * KR_USEC_PER_SEC)

static bool depends(const struct kr_inputs *in)
{
	return in->config_dir && in->kubelet_minor == 0;
}

static bool is_wanted(const struct kr_options *o, const struct kr_node *node)
{
	if (!o->api.configz || o->node.kubelet_version || !node->live)
		return false;
	return (node->disk.inputs_valid && depends(&node->disk.inputs)) ||
	       (node->running_valid && depends(&node->running));
}

int kr_cli_learn_version(const struct kr_options *o, struct kr_node *node,
                         const struct kr_live_wait *wait,
                         char ret[static KR_NODE_VERSION_SIZE])
{
	_cleanup_live_ struct kr_live live = {0};
	_cleanup_diag_ struct kr_diag ignored = {0};
	unsigned minor;
	int r;

	*ret = '\0';
	if (!is_wanted(o, node))
		return 0;
	r = kr_live_open(&live, &o->api, node, &ignored);
	if (r < 0 || !live.transfer)
		return r;
	live.wait = wait;
	kr_http_set_total(live.transfer, ASK_USEC);
	r = kr_node_info_get(live.transfer, live.node, ret);
	if (r < 0)
		return r;
	if (kr_kubelet_version_parse(ret, &minor) < 0)
		*ret = '\0';
	return 0;
}
