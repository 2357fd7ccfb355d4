/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The parts of an audit of several controls for people. */

#include "host/host.h"
#include "net/api.h"
#include "policy/editions.h"
#include "policy/judge.h"
#include "report/term.h"

/* One line a control, the worst first; VERBOSE: with what is demanded. 0 or
 * -ENOMEM. */
int kr_text_table(const struct kr_term *term, const struct kr_audit *audit,
                  bool verbose);

/* What is kept with a result: the node, the time, EDITION (NULL: none), this
 * program's version. 0 or -ENOMEM. */
int kr_text_evidence(const struct kr_term *term, struct kr_node *node,
                     const struct kr_edition *edition);

/* The next command, which selects the same controls by WORDS. 0 or -ENOMEM. */
int kr_text_next(const struct kr_term *term, struct kr_host *host,
                 const struct kr_api_options *api, const struct kr_audit *audit,
                 const char *words, const struct kr_diag *diag);
