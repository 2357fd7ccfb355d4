/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An audit ends with the next command, and nobody is helped by one that is
 * refused. So the plan of that fix is made here, in memory, by the same code,
 * and what fix looks at before it writes is looked at: was this very change put
 * back before, can the files be replaced, would the restart apply more than
 * this change, is there a systemd to be asked for it. What takes time or a
 * running kubelet's answer (its health) is left to fix.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fix/manifest.h"
#include "fix/pending.h"
#include "fix/transaction.h"
#include "plan/plan.h"
#include "report/foresee.h"

/* 1: the last record of this very change says that it was put back. */
static int was_put_back(struct kr_node *node, const struct kr_plan *plan,
                        struct kr_diag *why)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_diag_ struct kr_diag ignored = {0};
	const struct kr_manifest *same = NULL;
	int r;

	if (plan->edits.n_files == 0)
		return 0;
	r = kr_manifests_read(node->fs, &ignored, &list);
	if (r < 0) /* fix goes on without them, too */
		return r == -ENOMEM ? r : 0;
	for (size_t i = list.n_items; i-- > 0 && !same;) {
		if (kr_manifest_matches(&list.items[i], &plan->edits))
			same = &list.items[i];
	}
	if (!same || same->state != KR_MANIFEST_PUT_BACK)
		return 0;
	kr_diag_add(why, KR_ERROR, "put-back-before", KR_SPAN_NONE,
	            "this change was made before and put back (%s): see why, "
	            "then 'kubelet-remedy fix --retry' tries it again",
	            same->reason ? same->reason : "for no reason that is kept");
	return 1;
}

/* 1: a file cannot be replaced. */
static int is_blocked(struct kr_node *node, const struct kr_plan *plan,
                      struct kr_diag *why)
{
	int r;

	if (plan->edits.n_files == 0 || (node->live && geteuid() != 0))
		return 0;
	r = kr_transaction_check(node->fs, &plan->edits, why);
	return r < 0 && r != -ENOMEM ? 1 : r;
}

static int foresee_restart(struct kr_host *host, const struct kr_plan *plan,
                           enum kr_foresight *ret)
{
	struct kr_node *node = host->node;
	_cleanup_diag_ struct kr_diag ignored = {0};
	int r;

	if (!node->live || !node->has_process)
		return 0;
	if (!host->manager) {
		*ret = KR_FORESIGHT_NO_RESTART;
		return 0;
	}
	r = kr_pending_arguments(node,
	                         plan->after ? &plan->after->disk.inputs
	                                     : &node->disk.inputs,
	                         KR_ERROR, &ignored);
	if (r > 0)
		*ret = KR_FORESIGHT_ALWAYS;
	return r < 0 ? r : 0;
}

int kr_foresee(struct kr_host *host, const struct kr_audit *audit,
               struct kr_diag *why, enum kr_foresight *ret)
{
	const struct kr_plan_options options = {
		.method = KR_METHOD_AUTO,
		.explicit_wanted = audit->explicit_wanted,
	};
	_cleanup_plan_ struct kr_plan *plan = NULL;
	_cleanup_diag_ struct kr_diag found = {0};
	int r = kr_plan_make(host->node, audit, &options, &found, &plan);

	*ret = KR_FORESIGHT_GOES;
	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT) /* only the durable place, or nothing yet */
		return 0;
	if (r < 0) {
		*ret = KR_FORESIGHT_REFUSED;
		kr_diag_merge(why, &found);
		return 0;
	}
	r = was_put_back(host->node, plan, why);
	if (r == 0)
		r = is_blocked(host->node, plan, why);
	if (r == 0)
		return foresee_restart(host, plan, ret);
	if (r > 0)
		*ret = KR_FORESIGHT_REFUSED;
	return r < 0 ? r : 0;
}
