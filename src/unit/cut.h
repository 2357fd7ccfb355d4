/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The bytes to cut for a word of a command or of a variable to go.
 */

#include "unit/resolve.h"

struct kr_cut {
	const struct kr_text *text;
	enum kr_variable_source source;
	size_t start, end;    /* of the word */
	size_t before, after; /* ends of what to cut with it */
};

static inline bool kr_cut_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* No file: the word cannot be cut. */
struct kr_span kr_cut_find(const struct kr_cut *cut);
