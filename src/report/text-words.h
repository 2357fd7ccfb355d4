/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Verdicts, values and places for people. */

#include "policy/judge.h"
#include "report/term.h"

/* The first line: a verdict and its one-sentence reason. */
void kr_text_verdict(const struct kr_term *term, enum kr_verdict verdict,
                     const char *reason);

/* The colour of J's verdict. */
enum kr_color kr_text_color(const struct kr_judgement *j);

/* "FILE:LINE:COLUMN". */
void kr_text_place(const struct kr_term *term, struct kr_span span);

/* The words for the state of a view or source, or for its value; the caller
 * frees them; NULL: no memory. */
char *kr_text_words(enum kr_state state, const struct kr_value *value);

/* The same of V of RULE, whose default may be one of two: "5 or 50". */
char *kr_text_view(const struct kr_rule *rule, const struct kr_view *v);

/* The words, printed, and blanks up to WIDTH. */
void kr_text_value(const struct kr_term *term, enum kr_state state,
                   const struct kr_value *value, size_t width);
