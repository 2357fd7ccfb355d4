/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The rules of an audit on their way into a plan, one by one.
 */

#include "base/vec.h"
#include "policy/plan.h"

/* A rule of the audit, on its way into the plan. */
struct kr_candidate {
	bool fixed;          /* the plan has its edits */
	bool part;           /* the plan has some; it is left all the same */
	struct kr_left left; /* its last refusal; no text: none */
	struct kr_diag diag; /* what was said of it */
};

struct kr_joining {
	struct kr_node *node;
	const struct kr_audit *audit; /* of the node as it is */
	const struct kr_plan_options *options;
	struct kr_diag *diag;
	struct kr_plan *plan;
	struct kr_candidate *candidates; /* one a rule */
	struct kr_plan_options draft;
	bool drafts; /* as the caller wants it; the plan may be made in full */
	struct kr_strings changeable; /* files that a draft has looked at */
};

/* Whether kubelet refuses the node that AUDIT is of. */
bool kr_joining_is_refused(const struct kr_audit *audit);

/* That of the rule I: of the node as the plan leaves it so far. */
const struct kr_judgement *kr_joining_judgement(const struct kr_joining *m,
                                                size_t i);

/* Only one rule is judged: what is said of it is said of the plan. */
bool kr_joining_is_lone(const struct kr_joining *m);

/* Whether what is known of the rule I keeps it from joining. 1: it is left, its
 * candidate says why; 0; -ENOMEM. */
int kr_joining_triage(struct kr_joining *m, size_t i);

/*
 * Lets all rules join that can: the plan has their edits, the node after them
 * and its audit; their candidates say what became of them. 0 or an errno, with
 * words.
 */
int kr_joining_run(struct kr_joining *m);

/*
 * Takes away the options of what is left where a fix with them is known to be
 * refused: on the node as it is in a preview, else as it is after the plan. 0
 * or an errno.
 */
int kr_joining_check_commands(struct kr_joining *m);

void kr_left_done(struct kr_left *left);
