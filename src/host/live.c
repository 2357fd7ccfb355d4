/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The live view.
 *
 * Only here does a node meet an API server: host/configz gets a name and a
 * key, audit gets what came of it. The view speaks of the kubelet that is
 * registered under the node's name; an image has none, whatever it is called.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "host/live.h"
#include "node/name.h"

#define CONNECT_USEC (5 * KR_USEC_PER_SEC)

static int refuse(struct kr_live *live, char *reason)
{
	if (!reason)
		return -ENOMEM;
	live->refusal = reason;
	live->reason = reason;
	return 0;
}

/* The URL that is asked, for people. */
static int make_endpoint(struct kr_live *live)
{
	_cleanup_free_ char *path = NULL;
	int r = kr_configz_path(live->node, &path);

	if (r == -EINVAL)
		return refuse(live, strdup("the node's name is not known "
		                           "(--node)"));
	if (r < 0)
		return r;
	r = asprintf(&live->endpoint, "%s%s", live->server->url, path);
	if (r >= 0)
		return 0;
	live->endpoint = NULL;
	return -ENOMEM;
}

static int ask_tick(void *closure)
{
	const struct kr_live_wait *w = ((struct kr_live *)closure)->wait;

	if (!w->tick)
		return 0;
	return w->tick(w->closure, w->what, kr_now_usec() - w->since_usec,
	               w->limit_usec);
}

static int make_transfer(struct kr_live *live)
{
	const struct kr_http_limits limits = {
		.connect_usec = CONNECT_USEC,
		.total_usec = KR_LIVE_ASK_USEC,
		.body_size_max = KR_CONFIGZ_SIZE_MAX,
		.tick = ask_tick,
		.closure = live,
	};
	int r = kr_http_transfer_new(live->server, &limits, &live->transfer);

	if (r == -ENOPKG)
		return refuse(live, strdup("this libcurl lacks what is "
		                           "needed"));
	return r;
}

int kr_live_open(struct kr_live *live, const struct kr_api_options *api,
                 struct kr_node *node, struct kr_diag *diag)
{
	char name[KR_NODE_NAME_SIZE], *why = NULL;
	int r;

	*live = (struct kr_live){.state = KR_STATE_ABSENT};
	if (!api || !api->configz)
		return 0;
	live->state = KR_STATE_UNKNOWN;
	if (!node->live) {
		live->reason = "an image has no kubelet that could be asked";
		return 0;
	}
	live->reason = "not asked yet";
	kr_node_name(node, name, sizeof(name));
	live->node = strdup(name);
	if (!live->node)
		return -ENOMEM;
	r = kr_http_server_new(api, &live->server, &why);
	if (r == -EINVAL || r == -ENOPKG)
		return refuse(live, why);
	if (r < 0)
		return r;
	r = make_endpoint(live);
	return r < 0 || !live->endpoint ? r : make_transfer(live);
}

int kr_live_ask(struct kr_live *live, int field,
                const struct kr_live_wait *wait, struct kr_diag *diag)
{
	int r;

	if (!live->transfer)
		return 0;
	live->wait = wait;
	kr_http_set_total(live->transfer, wait->timeout_usec);
	r = kr_configz_get(live->transfer, live->node, kr_field_name(field),
	                   &live->configz);
	if (r < 0)
		return r;
	live->status = kr_http_answer(live->transfer)->status;
	live->state = live->configz.state;
	live->reason = live->state == KR_STATE_UNKNOWN
	                       ? live->configz.reason
	                       : "kubelet says so of itself";
	if (live->configz.detail[0])
		kr_diag_add(diag, KR_NOTE, "configz", KR_SPAN_NONE,
		            "%s says: %s", live->endpoint,
		            live->configz.detail);
	return 0;
}

int kr_live_values(const struct kr_live *live, struct kr_configz_values *ret)
{
	const struct kr_http_answer *a =
		live->transfer ? kr_http_answer(live->transfer) : NULL;
	bool heard = a && live->status == 200;
	int r = kr_configz_values_read(heard ? a->body : NULL,
	                               heard ? a->body_size : 0, ret);

	for (size_t i = 0; r >= 0 && !heard && i < KR_N_FIELDS; i++) {
		if (ret->items[i].state == KR_STATE_UNKNOWN)
			ret->items[i].reason = live->reason;
	}
	return r;
}

void kr_live_forget(struct kr_live *live, const char *reason)
{
	if (live->state == KR_STATE_ABSENT)
		return;
	live->state = KR_STATE_UNKNOWN;
	live->reason = reason;
}

void kr_live_done(struct kr_live *live)
{
	kr_http_transfer_free(live->transfer);
	kr_http_server_free(live->server);
	free(live->node);
	free(live->endpoint);
	free(live->refusal);
	*live = (struct kr_live){0};
}
