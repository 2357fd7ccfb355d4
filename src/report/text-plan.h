/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a fix or an undo would do, part by part. All lines begin with "# ", but
 * for those of the diff. */

#include "fix/fix.h"
#include "report/term.h"

/* One line a change: its place, and what is cut, added or changed, cut to the
 * width. 0 or -ENOMEM. */
int kr_plan_print_changes(const struct kr_term *term,
                          const struct kr_plan *plan);

/* The diff of each file. 0 or -ENOMEM. */
int kr_plan_print_diffs(const struct kr_term *term, const struct kr_plan *plan);

/* What is done about systemd and kubelet, with the calls on the bus where
 * VERBOSE. */
void kr_plan_print_steps(const struct kr_term *term, const struct kr_fix *fix,
                         bool verbose);

/* What each control that FIX has edits for could break. */
void kr_plan_print_risks(const struct kr_term *term, const struct kr_fix *fix);

/* The verdict that each selected control would have. 0 or -ENOMEM. */
int kr_plan_print_verdicts(const struct kr_term *term,
                           const struct kr_fix *fix);
