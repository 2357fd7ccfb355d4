/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What would become of a fix that an audit recommends. */

#include "host/host.h"
#include "policy/judge.h"
#include "policy/plan.h"
#include "report/obstacles.h"

enum kr_foresight {
	KR_FORESIGHT_GOES,
	KR_FORESIGHT_REFUSED,    /* whatever --restart says */
	KR_FORESIGHT_ALWAYS,     /* but not with --restart=always */
	KR_FORESIGHT_NO_RESTART, /* only --restart=never goes */
};

/*
 * Looks ahead at 'fix' on HOST, which AUDIT judged, as far as that is known
 * without asking kubelet: its plan without what is KNOWN to keep fix from a
 * control, the records of earlier fixes, the files and the restart. WHY gets
 * the words of a refusal, and nothing else. 0 and *RET; -ENOMEM.
 */
int kr_foresee(struct kr_host *host, const struct kr_audit *audit,
               const struct kr_obstacles *known, struct kr_diag *why,
               enum kr_foresight *ret);

/* What is foreseen of several. */
struct kr_foreseen {
	enum kr_foresight foresight;
	/* which of them are fixed; NULL: no plan can be made, or the node is
	 * too large to be looked at so */
	struct kr_plan *plan;
};

/* The same of a fix of all controls of AUDIT, in which what has to be asked for
 * is allowed, and what is known to be held is not. The caller frees RET's plan.
 */
int kr_foresee_all(struct kr_host *host, const struct kr_audit *audit,
                   const struct kr_obstacles *known, struct kr_diag *why,
                   struct kr_foreseen *ret);
