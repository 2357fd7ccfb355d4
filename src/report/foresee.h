/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What would become of a fix that an audit recommends. */

#include "host/host.h"
#include "policy/judge.h"

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
 * The same of a fix of all that AUDIT judged, none of it by name, on a node
 * that kubelet refuses; ALLOWED: those that have to be allowed are. 1: it is
 * refused, WHY gets the words; 0: it is not, or kubelet would start; -ENOMEM.
 */
int kr_foresee_refused(struct kr_node *node, const struct kr_audit *audit,
                       bool allowed, struct kr_diag *why);
