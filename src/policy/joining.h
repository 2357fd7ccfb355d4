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
	/* nothing can be edited: where its value may be put by hand; NULL */
	const struct kr_platform *by_hand;
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

/* What its owner said of the rule I, and what keeps a fix away; where nothing
 * is known of either, it is named. */
const struct kr_consent *kr_joining_consent(const struct kr_joining *m,
                                            size_t i);

/* Only one rule is judged: what is said of it is said of the plan. */
bool kr_joining_is_lone(const struct kr_joining *m);

/* Whether the rule I passes on the disk alone, and a restart, which would make
 * what runs pass, is held. */
bool kr_joining_is_held_back(const struct kr_joining *m, size_t i);

/* Whether what is known of the rule I keeps it from joining. 1: it is left, its
 * candidate says why; 0; -ENOMEM. */
int kr_joining_triage(struct kr_joining *m, size_t i);

/* The rule I is refused for WHY, and not fixed. 0 or -ENOMEM. */
int kr_joining_leave(struct kr_joining *m, size_t i, const char *why);

/* What the node is refused for, in words of the rule I for DIAG. 0 or an errno.
 */
int kr_joining_refuse_step(struct kr_joining *m, size_t i,
                           const struct kr_plan_options *options,
                           struct kr_diag *diag);

/* Nothing can be edited on the node: why the rule I is left. 1, or 0: nothing
 * is to be done for it; KR_NOTHING_YET: there is nothing to judge yet; -ENOMEM;
 * another errno, with words. */
int kr_joining_refuse(struct kr_joining *m, size_t i);

/*
 * Lets all rules join that can: the plan has their edits, the node after them
 * and its audit; their candidates say what became of them. 0 or an errno, with
 * words.
 */
int kr_joining_run(struct kr_joining *m);

/* Gives RULE, a copy of one whose value is the owner's to say, a value that it
 * could be, to see what it does: the caller frees it. 0 or -ENOMEM. */
int kr_joining_set(struct kr_rule *rule);

/* kubelet refuses the node, and what is written for the rule I is wrong and may
 * be replaced by its owner. */
bool kr_joining_may_cure(const struct kr_joining *m, size_t i);

/*
 * Takes away the options of what is left where a fix with them is known to be
 * refused: on the node as it is in a preview, else as it is after the plan. 0
 * or an errno.
 */
int kr_joining_check_commands(struct kr_joining *m);

void kr_left_done(struct kr_left *left);
