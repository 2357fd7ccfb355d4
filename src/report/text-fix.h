/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Fixes for people. */

#include "fix/fix.h"
#include "report/term.h"

struct kr_text_change {
	const char *command; /* "fix", "undo" or "recover" */
	bool preview;        /* nothing was done */
	bool verbose;        /* with the calls on the bus */
	bool stays;          /* kubelet was not to be restarted */
	bool interrupted;    /* by a signal, of the person most often */
	bool needs_sudo;     /* the reader may not change the node: the command
	                      * needs sudo */
};

/*
 * What a change did: its outcome, the files, kubelet's last lines where it is
 * not healthy. Of a preview the diff of every file, and everything else behind
 * "# ", so that `patch -p1` takes it. 0 or -ENOMEM.
 */
int kr_text_change(const struct kr_term *term, const struct kr_fix *fix,
                   const struct kr_text_change *change);

/* The last lines of the same: the next command, or what to do where DIAG has a
 * reason against it. 0 or -ENOMEM. */
int kr_text_change_next(const struct kr_term *term, const struct kr_fix *fix,
                        const struct kr_text_change *change,
                        const struct kr_diag *diag);

/* Whether the first of them says who writes the files again. */
bool kr_text_says_rewrites(const struct kr_fix *fix);

/* The steps that were taken, with their timings. */
void kr_text_steps(const struct kr_term *term,
                   const struct kr_actions *actions);

/* The place of the error that FIX's reason has in words, and its line, behind
 * START ("# " in a preview); CAUSE may be NULL. */
void kr_text_cause(const struct kr_term *term, const struct kr_fix *fix,
                   const struct kr_message *cause, const char *start);

/* Below a preview: the errors that the plan cures. */
void kr_text_cures(const struct kr_term *term, const struct kr_diag *diag);

/* After a fix or undo that was refused or failed: what to do, behind START ("#
 * " in a preview), where the messages do not say it themselves. */
void kr_text_advice(const struct kr_term *term, const struct kr_fix *fix,
                    const struct kr_diag *diag, const char *start);

/* What is left, why, and which command does it, each line behind START. */
void kr_text_left(const struct kr_term *term, const struct kr_fix *fix,
                  const char *start);

/* One line: what came out, in words. */
void kr_text_outcome(const struct kr_term *term, const struct kr_fix *fix);
