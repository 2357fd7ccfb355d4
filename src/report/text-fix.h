/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Fixes for people. */

#include "fix/fix.h"
#include "fix/history.h"
#include "report/term.h"

/* A preview: the diff of every file, everything else behind "# ", so that
 * `patch -p1` takes it. COMMAND is what would do it. 0 or -ENOMEM. */
int kr_text_preview(const struct kr_term *term, const struct kr_fix *fix,
                    const char *command);

/* What a fix did: its outcome, the files, kubelet's last lines where it is not
 * well, the next command. */
void kr_text_fix(const struct kr_term *term, const struct kr_fix *fix);

/* The steps that were taken, with their timings. */
void kr_text_steps(const struct kr_term *term,
                   const struct kr_actions *actions);

/* The same of an undo, and the diff of one that was refused. 0 or -ENOMEM. */
int kr_text_undo(const struct kr_term *term, const struct kr_fix *fix);

/* After a fix or undo that was refused or failed: what to do, behind START ("#
 * " in a preview), where the messages do not say it themselves. */
void kr_text_advice(const struct kr_term *term, const struct kr_fix *fix,
                    const struct kr_diag *diag, const char *start);

/* One line: what came out, in words. */
void kr_text_outcome(const struct kr_term *term, const struct kr_fix *fix);

/* The fixes of a node, one a line, and what can be undone. */
void kr_text_history(const struct kr_term *term,
                     const struct kr_history *history);
