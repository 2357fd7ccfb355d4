/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A change that outlasts the platform: where kubelet's files are written again,
 * it also has to stand in the place from which they are.
 */

#include <stdbool.h>

#include "base/diag.h"
#include "base/edit.h"
#include "node/node.h"
#include "policy/rules.h"

struct kr_durable {
	/* whose OWNER writes the edited files again; NULL: none */
	const struct kr_platform *platform;
	char *place;   /* where the change outlasts that; for people */
	char *text;    /* what to put there, whole lines */
	bool written;  /* an edit of the plan puts it there, or it is there */
	bool left_out; /* it is ours to write, and that was not wanted */
};

struct kr_durable_options {
	bool no_persist; /* nothing is added to the edits */
	bool flag;       /* the flag is to be set, too, whatever is set now */
	/* options of this program, where it is to run there: " --explicit"; ""
	 * or NULL: none */
	const char *how;
	/* whose words are wanted, whatever the node's are; NULL */
	const struct kr_platform *medium;
};

/*
 * Looks whether the platform of NODE rewrites what EDITS change for RULES
 * (on a node that is not configured yet: whatever they do), and adds to them
 * the file that makes the change last, where this platform has a file that is
 * ours to write. Where it is not written, a message in DIAG says who undoes the
 * change. 0; KR_COLLIDES, -ENOMEM, or an errno with words. RET is zeroed where
 * they are not written again; with a MEDIUM it has the medium's place and text
 * in any case.
 */
int kr_durable_plan(struct kr_node *node, const struct kr_rules *rules,
                    struct kr_edits *edits,
                    const struct kr_durable_options *options,
                    struct kr_diag *diag, struct kr_durable *ret);

/* Place and text of PLATFORM, for NODE, in the words of RULES, of settings, for
 * a refusal. 0 or -ENOMEM. */
int kr_durable_describe(const struct kr_node *node,
                        const struct kr_platform *platform,
                        const struct kr_rules *rules, struct kr_durable *ret);

/* Place and text of the medium of OPTIONS for RULES, where there is no plan.
 * RET stays as it is where it has nothing to say of RULES. 0 or -ENOMEM. */
int kr_durable_describe_medium(struct kr_node *node,
                               const struct kr_rules *rules,
                               const struct kr_durable_options *options,
                               struct kr_durable *ret);

/* Whether the words of PLATFORM have this program fix the node. */
bool kr_durable_runs_fix(const struct kr_platform *platform);

/* Whether PATH is a place that only the platform reads: no restart and no
 * Reload makes it take effect. */
bool kr_durable_is_place(const char *path);

/* Whether that is all that EDITS change, and they change something. */
bool kr_durable_only(const struct kr_edits *edits);

void kr_durable_done(struct kr_durable *durable);
#define _cleanup_durable_ _cleanup_(kr_durable_done)
