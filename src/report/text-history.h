/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The fixes of a node for people. */

#include "fix/history.h"
#include "report/term.h"

/* A table, the oldest first: number, time, kind, controls, outcome, whether it
 * can be undone. Below each its id, its files, and why it cannot. 0 or
 * -ENOMEM. */
int kr_text_history(const struct kr_term *term,
                    const struct kr_history *history);
