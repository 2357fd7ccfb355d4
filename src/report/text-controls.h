/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The parts of an audit of several controls for people. */

#include "policy/editions.h"
#include "policy/judge.h"
#include "policy/plan.h"
#include "report/next.h"
#include "report/term.h"

/* One line a control, the worst first; VERBOSE: with what is demanded. 0 or
 * -ENOMEM. */
int kr_text_table(const struct kr_term *term, const struct kr_audit *audit,
                  bool verbose);

/* The same in a preview of PLAN, after which AUDIT is. */
int kr_text_table_after(const struct kr_term *term,
                        const struct kr_audit *audit,
                        const struct kr_plan *plan);

/* What is demanded of J, level and assessment, and what scanners miss. */
void kr_text_more(const struct kr_term *term, const struct kr_judgement *j);

/* The next command. 0 or -ENOMEM. */
int kr_text_next(const struct kr_next *next);
