/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What would become of a fix that an audit recommends. */

#include "host/host.h"
#include "policy/judge.h"
#include "policy/plan.h"

enum kr_foresight {
	KR_FORESIGHT_GOES,
	KR_FORESIGHT_REFUSED,    /* whatever --restart says */
	KR_FORESIGHT_ALWAYS,     /* but not with --restart=always */
	KR_FORESIGHT_NO_RESTART, /* only --restart=never goes */
};

/*
 * Looks ahead at 'fix' on HOST, which AUDIT judged, as far as that can be told
 * without asking kubelet: its plan, the records of earlier fixes, the files and
 * the restart. WHY gets the words of a refusal, and nothing else. 0 and *RET;
 * -ENOMEM.
 */
int kr_foresee(struct kr_host *host, const struct kr_audit *audit,
               struct kr_diag *why, enum kr_foresight *ret);

/*
 * The same of a fix of all controls of AUDIT, in which what has to be asked for
 * is allowed. RET_PLAN, which the caller frees, says which of them it fixes;
 * NULL: none can be made, or the node is too large to be looked at so.
 */
int kr_foresee_all(struct kr_host *host, const struct kr_audit *audit,
                   struct kr_diag *why, enum kr_foresight *ret,
                   struct kr_plan **ret_plan);
