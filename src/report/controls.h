/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The controls and the editions that there are. */

#include "policy/editions.h"
#include "policy/rules.h"
#include "report/term.h"

/* RULES, by their edition if they have one. 0 or -ENOMEM. */
int kr_text_rules(const struct kr_term *term, const struct kr_rules *rules);

/* All editions. */
void kr_text_editions(const struct kr_term *term);

/* Both as one object (data/schema/controls.json); EDITIONS says whether these
 * are in it. RULES may be NULL. 0 or -ENOMEM. */
int kr_json_rules(FILE *out, const struct kr_rules *rules, bool editions);
