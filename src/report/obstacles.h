/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is known to keep fix from a control, before a fix looks at kubelet. */

#include "node/node.h"
#include "policy/judge.h"
#include "store/manifest.h"

struct kr_obstacle {
	char *hold;    /* what an earlier fix has seen; NULL */
	bool held;     /* a fix goes by that, whatever it looks at */
	char *refusal; /* what the node has forbids it; NULL */
	char *barred;  /* a fix with it was put back; NULL */
	bool whole;    /* the control alone was not to blame: all of a fix is
	                * refused */
};

/* One of each control of an audit. */
struct kr_obstacles {
	struct kr_obstacle *items;
	size_t n;
};

/* What forbids a fix of one control, and not the whole of it; NULL. */
const char *kr_obstacle_refusal(const struct kr_obstacle *obstacle);

/*
 * Of what NODE shows of the controls that AUDIT fails, and the RECORDS of
 * earlier fixes; the files of holds are read only where it does. 0: RET is
 * filled, the caller ends it; -ENOMEM.
 */
int kr_obstacles_find(struct kr_node *node, const struct kr_audit *audit,
                      const struct kr_manifests *records,
                      struct kr_obstacles *ret);
void kr_obstacles_done(struct kr_obstacles *obstacles);
#define _cleanup_obstacles_ _cleanup_(kr_obstacles_done)
