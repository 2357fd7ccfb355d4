/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which known word was meant by an unknown one. */

#include <stddef.h>

struct kr_suggest {
	const char *word;    /* what was typed */
	const char *nearest; /* of those offered; NULL: all are far */
	size_t distance;     /* of NEAREST */
};

/* Begins with WORD, which is borrowed. */
struct kr_suggest kr_suggest_for(const char *word);

/*
 * Offers CANDIDATE, which is borrowed. It is kept if it is near, and nearer
 * than those before. Dashes at the start of either word, and upper and lower
 * case, do not count.
 */
void kr_suggest_offer(struct kr_suggest *s, const char *candidate);

/* The same of another word for NAME, which is borrowed and the one kept. */
void kr_suggest_offer_as(struct kr_suggest *s, const char *candidate,
                         const char *name);
