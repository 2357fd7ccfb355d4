/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Results for people. */

#include "audit/audit.h"
#include "fix/fix.h"
#include "fix/history.h"
#include "fix/status.h"
#include "net/api.h"
#include "report/term.h"

/* The verdict, each view, what is overridden, messages, the next command. API
 * is what was said of an API server. */
void kr_text_audit(const struct kr_term *term, const struct kr_node *node,
                   const struct kr_api_options *api,
                   const struct kr_audit *audit, const struct kr_diag *diag);

/* The first line: a verdict and its one-sentence reason. */
void kr_text_verdict(const struct kr_term *term, enum kr_verdict verdict,
                     const char *reason);

/* The first line of an audit that could read nothing. */
void kr_text_unread(const struct kr_term *term, const char *reason);

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

/* kubelet.service as `systemctl status -l` shows it. */
void kr_text_status(const struct kr_term *term, const struct kr_status *status);

/* The fixes of a node, one a line, and what can be undone. */
void kr_text_history(const struct kr_term *term,
                     const struct kr_history *history);
