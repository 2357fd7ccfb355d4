/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where a result is printed, and how a place in a file is shown there.
 */

#include <stdbool.h>
#include <stdio.h>

#include "base/diag.h"
#include "base/span.h"

struct kr_term {
	FILE *out;
	bool color;
	bool is_terminal;
	unsigned width; /* columns that a line of a file gets; 0: no limit */
	/* a reader's eyes end there, too: prose is broken at WIDTH. Else it is
	 * for a file or a program, and each sentence is a line */
	bool wraps;
	/* before each line of a snippet and of a headline: "# " in a preview;
	 * NULL: nothing */
	const char *start;
};

enum kr_color {
	KR_COLOR_GOOD,
	KR_COLOR_BAD,
	KR_COLOR_WARN,
	KR_COLOR_PLACE, /* carets, file names */
	KR_COLOR_DIM,
	KR_COLOR_PLAIN,
	_KR_COLOR_MAX,
};

/* Prints in a colour, where the terminal has any. */
void kr_term_color(const struct kr_term *term, enum kr_color color,
                   const char *format, ...) _printf_(3, 4);

/* All that is printed between the two is in a colour. */
void kr_term_begin(const struct kr_term *term, enum kr_color color);
void kr_term_end(const struct kr_term *term);

/* Prints words that came from the node: what could move the cursor or change
 * the terminal or the direction of text is shown escaped, a tab as a blank
 * (kr_utf8_show()). */
void kr_term_text(const struct kr_term *term, const char *text);
void kr_term_bytes(const struct kr_term *term, const char *bytes, size_t size);

/* How many columns TEXT has once it is shown. */
size_t kr_term_width(const char *text);

/* The same as kr_term_text(), in ROOM columns: what is longer ends with "…".
 * ROOM SIZE_MAX: no limit. */
void kr_term_cut(const struct kr_term *term, const char *text, size_t room);

/* The same, of a name: "…" stands for a part of its middle. */
void kr_term_cut_middle(const struct kr_term *term, const char *text,
                        size_t room);

/* The same, of a place, whose end tells the file and the line. */
void kr_term_cut_start(const struct kr_term *term, const char *text,
                       size_t room);

/*
 * One line of prose: LENGTH bytes of TEXT, behind USED columns that are printed
 * already. Where the terminal wraps it is broken at blanks, and NEXT stands
 * before each line but the first. A word that is longer than a line stays
 * whole.
 */
void kr_term_wrap(const struct kr_term *term, const char *text, size_t length,
                  size_t used, const char *next);

/* One line: LABEL, then words that came from the node. */
void kr_term_row(const struct kr_term *term, const char *label,
                 const char *text);

/* One line of prose behind LABEL, as kr_term_wrap(); the lines after the first
 * are indented by 4 more than it is. */
void kr_term_prose(const struct kr_term *term, const char *label,
                   const char *text);

/* The first line of a result: WORD in its colour, and the reason. */
void kr_term_headline(const struct kr_term *term, enum kr_color color,
                      const char *word, const char *reason);

/* SPAN's line with a caret under its bytes, as clang does it; cut around them
 * with "…" where it is wider than the terminal. */
void kr_term_span(const struct kr_term *term, struct kr_span span);

/* "warning: FILE:LINE:COLUMN: text" and the snippet, for every message from
 * SEVERITY (KR_ERROR is the highest) on. */
void kr_term_messages(const struct kr_term *term, const struct kr_diag *diag,
                      enum kr_severity lowest);

/* The same for the messages with this CODE. */
void kr_term_messages_of(const struct kr_term *term, const struct kr_diag *diag,
                         const char *code);

/* As kr_term_messages(), without those that OMIT, which CLOSURE is for; M is of
 * DIAG. OMIT NULL: all. */
void kr_term_messages_but(const struct kr_term *term,
                          const struct kr_diag *diag, enum kr_severity lowest,
                          bool (*omit)(const struct kr_message *m,
                                       const void *closure),
                          const void *closure);

/* "FILE:LINE:COLUMN", as far as M has them; the caller frees it. NULL: no
 * memory. */
char *kr_term_message_place_text(const struct kr_message *m);

/* The same, printed, and its snippet, if it has one. */
void kr_term_message_place(const struct kr_term *term,
                           const struct kr_message *m);
void kr_term_message_line(const struct kr_term *term,
                          const struct kr_message *m);
