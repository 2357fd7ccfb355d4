/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Words: the splitting, unquoting and unescaping that systemd does to the
 * value of a directive and, once more, to a variable that is a word of its own.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

#define KR_WORD_BLANKS " \t\n\r"

enum kr_split_flags {
	/* \n, \x20, \u00e9 ... are decoded, any other escape is an error;
	 * without it a backslash just goes, the byte behind it stays */
	KR_SPLIT_CUNESCAPE = 1 << 0,
	/* an unknown escape stays as it is written */
	KR_SPLIT_KEEP_UNKNOWN = 1 << 1,
	/* a quote that is not closed ends with the text */
	KR_SPLIT_RELAX = 1 << 2,
};

struct kr_split_word {
	struct kr_text text; /* decoded */
	size_t start, end;   /* where it stands in FROM, quotes included */
};

static inline void kr_split_word_done(struct kr_split_word *word)
{
	kr_text_done(&word->text);
}

#define _cleanup_split_word_ _cleanup_(kr_split_word_done)

/*
 * The next word of FROM at *AT, which is moved to the word behind it. 1: RET is
 * a word, the caller's; 0: there is none; -EINVAL: a quote is not closed or an
 * escape is unknown; -ENOMEM.
 *
 * Source: extract_first_word(), src/basic/extract-word.c of systemd 252, with
 * blanks as separators and EXTRACT_UNQUOTE.
 */
int kr_split_next(const struct kr_text *from, size_t *at, unsigned flags,
                  struct kr_split_word *ret);

/* Whether S is all UTF-8. Surrogates and noncharacters are not, as
 * in systemd's utf8.c. */
bool kr_utf8_valid(const char *s, size_t size);

/* How many bytes of S are UTF-8 before the first one that is not. */
size_t kr_utf8_valid_length(const char *s, size_t size);
