/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Holds: they are looked for before the plan is made, of the rules that fail.
 *
 *   the read-only port   kubelet counts who asks it; where it does not, who is
 *                        connected at this moment
 *   the way in           of the API server to kubelet's own port. A change of
 *                        authentication or authorization that kubelet lives
 *                        with may still shut it out, and nothing of this
 *                        program asks that port after the restart. It is held
 *                        on every node that has been configured
 *
 * What cannot be told holds, too: kubelet runs and does not answer. A kubelet
 * that does not run serves nobody.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "fix/holds.h"
#include "host/readonly-port.h"

#define ASK_USEC (5 * KR_USEC_PER_SEC)

/* Who uses the read-only port of the kubelet that runs. */
static int look_at_port(struct kr_applying *f, char **ret)
{
	const struct kr_node *node = kr_apply_node(f);
	const struct kr_asking asking = {
		.deadline_usec = kr_now_usec() + ASK_USEC,
		.tick = f->options->tick,
		.closure = f->options->closure,
		.what = "the read-only port",
		.since_usec = kr_now_usec(),
		.limit_usec = ASK_USEC,
	};
	_cleanup_readonly_port_ struct kr_readonly_port found = {0};
	struct kr_own_port port;
	int r;

	if (!node->has_process)
		return 0;
	r = kr_own_port_find(node, node->running_valid ? &node->running : NULL,
	                     node->process.pid, KR_OWN_PORT_READONLY, &port);
	if (r < 0)
		return r;
	r = kr_readonly_port_ask(&port, &asking, &found);
	if (r < 0 || found.use == KR_READONLY_NOT_USED)
		return r;
	return kr_format(ret, "%s", found.why);
}

static int look_at_way_in(struct kr_applying *f, char **ret)
{
	if (!kr_apply_node(f)->configured)
		return 0;
	return kr_format(ret, "the API server's way in to kubelet is not tried "
	                      "after the restart: it may be shut out");
}

static int look(struct kr_applying *f, const struct kr_judgement *j, char **ret)
{
	if (j->disk.answer == KR_ANSWER_PASS && !f->options->explicit_wanted)
		return 0;
	switch (j->rule->hold) {
	case KR_HOLD_PORT_USED:
		return look_at_port(f, ret);
	case KR_HOLD_API_SERVER:
		return look_at_way_in(f, ret);
	case KR_HOLD_NONE:
		break;
	}
	return 0;
}

int kr_holds_find(struct kr_applying *f, struct kr_holds *ret)
{
	const struct kr_consent *said = f->options->consents;
	const struct kr_audit *before = f->fix->before;

	if (!said)
		return KR_STEP_GO_ON;
	ret->n = before->n_items;
	ret->consents = calloc(ret->n, sizeof(*ret->consents));
	ret->texts = calloc(ret->n, sizeof(*ret->texts));
	if (!ret->consents || !ret->texts) {
		kr_holds_done(ret);
		return -ENOMEM;
	}
	for (size_t i = 0; i < ret->n; i++) {
		struct kr_consent *c = &ret->consents[i];
		int r = 0;

		*c = said[i];
		if (kr_apply_node(f)->live && !c->allowed && !c->waived)
			r = look(f, &before->items[i], &ret->texts[i]);
		c->held = ret->texts[i];
		if (r == 0)
			continue;
		kr_holds_done(ret);
		return r == -ENOMEM ? r : kr_apply_end_interrupted(f);
	}
	return KR_STEP_GO_ON;
}

void kr_holds_done(struct kr_holds *holds)
{
	for (size_t i = 0; i < holds->n && holds->texts; i++)
		free(holds->texts[i]);
	free(holds->texts);
	free(holds->consents);
	*holds = (struct kr_holds){0};
}
