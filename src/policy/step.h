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
 * and the order; -ENOENT: there is nothing to judge yet.
 */
int kr_step_make(struct kr_node *node, const struct kr_judgement *j,
                 const struct kr_plan_options *options, struct kr_diag *diag,
                 struct kr_plan *step);

/*
 * The same for a rule of mode or owner, as EDITION demands; DISK's files are
 * those that are there, of which NODE may be an overlay.
 */
int kr_step_make_perms(struct kr_node *node, struct kr_node *disk,
                       const struct kr_edition *edition,
                       const struct kr_judgement *j, struct kr_diag *diag,
                       struct kr_plan *step);

/* CONFIG or FLAG for NODE. */
enum kr_method kr_step_method(const struct kr_node *node);
