/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* An audit for people. */

#include "host/host.h"
#include "net/api.h"
#include "policy/judge.h"
#include "report/next.h"
#include "report/term.h"

/* The verdict, each view, what is overridden, messages, the next command. API
 * is what was said of an API server, WORDS the options that select the same
 * controls (" --benchmark=NAME", or ""); VERBOSE says what is demanded of each.
 * 0 or -ENOMEM. */
int kr_text_audit(const struct kr_term *term, struct kr_host *host,
                  const struct kr_api_options *api,
                  const struct kr_audit *audit, const char *words, bool verbose,
                  const struct kr_diag *diag);

/* The next command alone, which is the last line of it. */
int kr_text_audit_next(const struct kr_next *next);
