/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The next command to run. */

#include "fix/fix.h"
#include "host/host.h"
#include "net/api.h"
#include "node/node.h"
#include "report/obstacles.h"
#include "report/term.h"

/* An audit whose next command is asked for. */
struct kr_next {
	const struct kr_term *term;
	struct kr_host *host;
	const struct kr_api_options *api; /* what was said of an API server */
	const struct kr_audit *audit;
	const struct kr_obstacles *known; /* one of each of its controls */
	const char *words; /* options that select them once more, or "" */
	const struct kr_diag *diag;
};

/* " --root=DIR --unit=NAME ...": the options that make a command one for the
 * same node, and for the same API server where API says that one was asked; API
 * may be NULL. */
void kr_next_options(const struct kr_term *term, const struct kr_node *node,
                     const struct kr_api_options *api);

/* "kubelet-remedy COMMAND" and those of them that it takes. API: for a command
 * that asks it; else NULL. */
void kr_next_command(const struct kr_term *term, const struct kr_node *node,
                     const struct kr_api_options *api, const char *command);

/* "next: " and that. */
void kr_next_print(const struct kr_term *term, const struct kr_node *node,
                   const struct kr_api_options *api, const char *command);

/* "next: ... kubelet-remedy audit" with the version that is left to be named;
 * WORDS select the controls. */
void kr_next_print_version(const struct kr_term *term,
                           const struct kr_node *node,
                           const struct kr_api_options *api, const char *words);

/* "next: PLACE: TEXT; ADVICE" of the error M, which may be NULL; without TEXT
 * where that was printed before. */
void kr_next_print_cause(const struct kr_term *term, const struct kr_message *m,
                         bool with_text);

/* What has to be corrected by hand before a fix of AUDIT can help: what kubelet
 * refuses and no fix of the control at fault would change. NULL: nothing was
 * said of it. */
const struct kr_message *kr_next_fault(const struct kr_audit *audit,
                                       const struct kr_diag *diag);

/*
 * "next: ..." of an audit that does not know the disk: what keeps it from
 * knowing, where that is a file, or that there is no kubelet; the fix of a node
 * that is not configured yet, as far as one goes; else what a fix of the lone
 * control would be refused for. 0 or -ENOMEM.
 */
int kr_next_print_unknown(const struct kr_next *next);

/* "START" and "next: COMMAND" of kubelet's own unit, or that it be named, where
 * the unit is not there or is another program's; else false. */
bool kr_next_print_no_unit(const struct kr_term *term,
                           const struct kr_node *node, const char *command,
                           const char *start);

/* "next: journalctl ...": the log of the start that FIX reverted, which it
 * must have; what kubelet wrote and what systemd says of it. */
void kr_next_print_log(const struct kr_term *term, const struct kr_fix *fix);
