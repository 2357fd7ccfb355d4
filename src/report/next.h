/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The next command to run. */

#include "fix/fix.h"
#include "net/api.h"
#include "node/node.h"
#include "report/term.h"

/* " --root=DIR --unit=NAME ...": the options that make a command one for the
 * same node, and for the same API server where API says that one was asked; API
 * may be NULL. */
void kr_next_options(const struct kr_term *term, const struct kr_node *node,
                     const struct kr_api_options *api);

/* "next: kubelet-remedy COMMAND" and those. API: for a command that asks it;
 * else NULL. */
void kr_next_print(const struct kr_term *term, const struct kr_node *node,
                   const struct kr_api_options *api, const char *command);

/* "next: kubelet-remedy audit" with the version that is left to be named. */
void kr_next_print_version(const struct kr_term *term,
                           const struct kr_node *node,
                           const struct kr_api_options *api);

/* "next: PLACE: TEXT; ADVICE" of the error to blame in DIAG; without TEXT where
 * that was printed before. */
void kr_next_print_cause(const struct kr_term *term, const struct kr_diag *diag,
                         bool with_text);

/* "next: journalctl ...": the log of the start that FIX took back, which it
 * must have; what kubelet wrote and what systemd says of it. */
void kr_next_print_log(const struct kr_term *term, const struct kr_fix *fix);
