/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which messages a text shows beside a verdict: each once, details with -v. */

#include "base/diag.h"
#include "report/term.h"

/* The error of DIAG whose words REASON ends in, or NULL. The place of the
 * message belongs to that reason. REASON may be NULL. */
const struct kr_message *kr_cause_find(const struct kr_diag *diag,
                                       const char *reason);

/* Whether M, an error of DIAG, only says again what another error of DIAG says
 * at its place. */
bool kr_cause_repeats(const struct kr_diag *diag, const struct kr_message *m);

/* Whether M is a note for -v: a file of an image that comes later, a flag that
 * other versions lack. */
bool kr_cause_is_detail(const struct kr_message *m);

/* One line for all files that come later, if there are any. */
void kr_cause_count_later(const struct kr_term *term,
                          const struct kr_diag *diag);
