/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A growing list of strings, for lists of a handful of names and paths.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/names.h"

int kr_strings_consume(struct kr_strings *strings, char *s)
{
	char **grown;

	if (!s)
		return -ENOMEM;
	grown = reallocarray(strings->items, strings->n_items + 1,
	                     sizeof(*grown));
	if (!grown) {
		free(s);
		return -ENOMEM;
	}
	strings->items = grown;
	grown[strings->n_items++] = s;
	return 0;
}

int kr_strings_add(struct kr_strings *strings, const char *s, size_t length)
{
	return kr_strings_consume(strings, strndup(s, length));
}

bool kr_strings_contain(const struct kr_strings *strings, const char *s)
{
	for (size_t i = 0; i < strings->n_items; i++) {
		if (strcmp(strings->items[i], s) == 0)
			return true;
	}
	return false;
}

void kr_strings_done(struct kr_strings *strings)
{
	for (size_t i = 0; i < strings->n_items; i++)
		free(strings->items[i]);
	free(strings->items);
	*strings = (struct kr_strings){0};
}
