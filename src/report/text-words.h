/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Verdicts, values and places for people. */

#include "policy/judge.h"
#include "report/term.h"

/* The column of names of which the longest has WIDTH: on a narrow terminal it
 * is less than that, since what stands behind it needs the room. */
int kr_text_name_width(const struct kr_term *term, int width);

/* The first line: a verdict and its one-sentence reason. */
void kr_text_verdict(const struct kr_term *term, enum kr_verdict verdict,
                     const char *reason);

/* VERDICT as people read it: "not applicable" has no dash there. */
const char *kr_text_verdict_word(enum kr_verdict verdict);

/* The colour of J's verdict. */
enum kr_color kr_text_color(const struct kr_judgement *j);

/* "FILE:LINE:COLUMN", and how many columns that has. */
void kr_text_place(const struct kr_term *term, struct kr_span span);
size_t kr_text_place_width(struct kr_span span);

/* The words for the state of a view or source, or for its value; the caller
 * frees them; NULL: no memory. */
char *kr_text_words(enum kr_state state, const struct kr_value *value);

/* The same of V of RULE, whose default may be one of two: "5 or 50". */
char *kr_text_view(const struct kr_rule *rule, const struct kr_view *v);

/* What is kept with a result: NODE's name, or where it is, the time, EDITION
 * (NULL: none), this program's version. 0 or -ENOMEM. */
int kr_text_evidence(const struct kr_term *term, struct kr_node *node,
                     const struct kr_edition *edition);

/* The same of WHO by the editions WHAT; NULL: none. */
void kr_text_evidence_of(const struct kr_term *term, const char *who,
                         const char *what);

/* Lines that are to be copied as they are, each behind NEXT. */
void kr_text_copy(const struct kr_term *term, const char *text,
                  const char *next);

/* A sentence that has USED columns before it and goes on behind NEXT; lines to
 * be copied may stand behind it. */
void kr_text_lines(const struct kr_term *term, const char *text, size_t used,
                   const char *next);

/* What EDITION demands of RULE, behind "demanded: ": "0", "only cipher suites
 * ...". The caller frees it; NULL: no memory, or nothing is demanded. */
char *kr_text_demand(const struct kr_rule *rule,
                     const struct kr_edition *edition);

/* Makes the column of WIDTH as wide as TEXT, if it is wider. */
void kr_text_widen(int *width, const char *text);

/* The words, printed, and blanks up to WIDTH. */
void kr_text_value(const struct kr_term *term, enum kr_state state,
                   const struct kr_value *value, size_t width);
