/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet's version decides how the drop-ins of --config-dir are merged, and
 * often no file of the node tells it. A user of --configz has an API server
 * that knows it: kubelet registers it in its Node.
 *
 * That takes the right to get nodes, which configz alone does not need. So it
 * is asked only where something depends on it, in the midst of reading the
 * node, and a refusal is as if it was not asked: then the drop-ins are
 * judged for each version.
 */

#include <stdbool.h>

#include "base/clock.h"
#include "cli/learn.h"
#include "node/kubelet-version.h"

#define ASK_USEC (5 * KR_USEC_PER_SEC)

/* 0; *RET is "" where the version is not known. */
static int get_version(struct kr_learn *learn, struct kr_node *node,
                       char ret[static KR_NODE_VERSION_SIZE])
{
	_cleanup_live_ struct kr_live live = {0};
	_cleanup_diag_ struct kr_diag ignored = {0};
	int r;

	*ret = '\0';
	r = kr_live_open(&live, &learn->options->api, node, &ignored);
	if (r < 0 || !live.transfer)
		return r;
	learn->wait.since_usec = kr_now_usec();
	live.wait = &learn->wait;
	kr_http_set_total(live.transfer, ASK_USEC);
	return kr_node_info_get(live.transfer, live.node, ret);
}

static unsigned learn_version(void *closure, struct kr_node *node)
{
	struct kr_learn *learn = closure;
	char version[KR_NODE_VERSION_SIZE];
	uint64_t since = kr_now_usec();

	if (learn->asked || !node->live)
		return learn->minor;
	learn->asked = true;
	/* a signal is heeded by the next step, too; without memory nothing is
	 * said */
	if (get_version(learn, node, version) < 0 ||
	    kr_kubelet_version_parse(version, &learn->minor) < 0)
		return 0;
	if (learn->steps)
		kr_actions_add(learn->steps, "version", version, since);
	return learn->minor;
}

struct kr_node_options kr_cli_learn(const struct kr_options *o,
                                    struct kr_learn *learn)
{
	struct kr_node_options node = o->node;

	learn->options = o;
	if (o->api.configz) {
		node.registered_version = learn_version;
		node.registered_closure = learn;
	}
	return node;
}
