/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two words are near if a slip of the fingers lies between them: a letter left
 * out, one too many, another one, or two exchanged (the "optimal string
 * alignment" distance), one slip for every three letters of the longer word. A
 * beginning of at least three letters is near, too: nearer than a slip.
 *
 * The words are short, and what is longer than WORD_MAX is near to nothing.
 */

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/macro.h"
#include "cli/suggest.h"

#define WORD_MAX       48
#define BEGINNING_MIN  3
#define LETTERS_A_SLIP 3
/* distances are in halves, so that something lies between none and a slip */
#define SLIP      2
#define BEGINNING 1

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many slips lie between A and B. */
static size_t count_slips(const char *a, size_t n_a, const char *b, size_t n_b)
{
	/* of the first i letters of A and the first j of B, for the last three
	 * i */
	size_t rows[3][WORD_MAX + 1];

	for (size_t j = 0; j <= n_b; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		size_t *row = rows[i % 3], *above = rows[(i - 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= n_b; j++) {
			row[j] = above[j - 1] + !same(a[i - 1], b[j - 1]);
			row[j] = min(row[j], above[j] + 1);
			row[j] = min(row[j], row[j - 1] + 1);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1]))
				row[j] = min(row[j],
				             rows[(i - 2) % 3][j - 2] + 1);
		}
	}
	return rows[n_a % 3][n_b];
}

struct kr_suggest kr_suggest_for(const char *word)
{
	return (struct kr_suggest){.word = word};
}

void kr_suggest_offer(struct kr_suggest *s, const char *candidate)
{
	kr_suggest_offer_as(s, candidate, candidate);
}

void kr_suggest_offer_as(struct kr_suggest *s, const char *candidate,
                         const char *name)
{
	const char *a = s->word + strspn(s->word, "-");
	const char *b = candidate + strspn(candidate, "-");
	size_t n_a = strlen(a), n_b = strlen(b), n_slips, distance;

	if (n_a == 0 || n_a > WORD_MAX || n_b > WORD_MAX)
		return;
	n_slips = count_slips(a, n_a, b, n_b);
	distance = SLIP * n_slips;
	if (n_a >= BEGINNING_MIN && n_a < n_b && strncasecmp(a, b, n_a) == 0)
		distance = BEGINNING;
	else if (n_slips * LETTERS_A_SLIP > (n_a > n_b ? n_a : n_b))
		return;
	if (s->nearest && distance >= s->distance)
		return;
	s->nearest = name;
	s->distance = distance;
}
