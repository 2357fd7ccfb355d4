/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What one rule has in a plan: a part of policy/plan. */

#include "policy/plan.h"

/* Whether nothing is to be done for J's rule on the disk it was judged on. */
bool kr_step_is_done(const struct kr_node *node, const struct kr_judgement *j,
                     const struct kr_plan_options *options);

/* Whether nothing can be planned for NODE at all, whatever the rule. */
bool kr_step_is_hopeless(const struct kr_node *node);

/*
 * The edits of NODE's files, which may be an overlay's, that make J's rule
 * pass there, in STEP, whose method is chosen; and, but in a draft, their
 * proof: STEP's after and audit. As kr_plan_make(), without the durable place
 * and the order; KR_NOTHING_YET.
 */
int kr_step_make(struct kr_node *node, const struct kr_judgement *j,
                 const struct kr_plan_options *options, struct kr_diag *diag,
                 struct kr_plan *step);

/* Why NODE's platform refuses a fix of RULE, a setting's (not if it is to be
 * BRIEF), and what to do there instead, unless that would do harm: in DIAG.
 * KR_REFUSED; -ENOMEM. */
int kr_step_refuse_platform(struct kr_node *node, const struct kr_rule *rule,
                            bool brief, struct kr_diag *diag);

/* Why nothing can be planned for NODE, where each rule has words of its own
 * besides: one sentence, which the caller frees; NULL: they have not, or there
 * is no memory. */
char *kr_step_hopeless_why(struct kr_node *node);

/* The own way of such a NODE to set RULE's field, with VALUE where that is the
 * owner's to choose; the caller frees it. NULL: no memory. */
char *kr_step_way(const struct kr_node *node, const struct kr_rule *rule);

/* Why a fix of a rule of mode or owner is refused on such a node or where
 * another program starts kubelet: each file that fails. KR_REFUSED; -ENOMEM. */
int kr_step_refuse_perms(struct kr_node *node, const struct kr_edition *edition,
                         const struct kr_judgement *j, bool brief,
                         struct kr_diag *diag);

/*
 * The edits for a rule of mode or owner, as EDITION demands; DISK's files are
 * those that are there. 0: all that fail; 1: a part of them, DIAG says why the
 * others stay; KR_REFUSED: none can be changed; -ENOMEM; other errnos.
 */
int kr_step_make_perms(struct kr_node *disk, const struct kr_edition *edition,
                       const struct kr_judgement *j,
                       const struct kr_plan_options *options,
                       struct kr_diag *diag, struct kr_plan *step);

/*
 * Their proof is NODE, which may be an overlay of DISK's, with them: STEP's
 * after and audit. WHOLE: the rule must pass there. The outcomes are those of
 * kr_step_make().
 */
int kr_step_prove_perms(struct kr_node *node, const struct kr_edition *edition,
                        const struct kr_judgement *j, bool whole,
                        struct kr_diag *diag, struct kr_plan *step);

/* Whether the file at REAL, links resolved, lies in kubelet's --config-dir. */
bool kr_step_is_in_config_dir(struct kr_node *node, const char *real);

/* CONFIG or FLAG for NODE. */
enum kr_method kr_step_method(const struct kr_node *node);

/* What a step has made, where no plan has taken it. */
void kr_step_done(struct kr_plan *step);
#define _cleanup_step_ _cleanup_(kr_step_done)
