/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Of each name one assignment wins: the later one in the order of
 * unit/environment. UnsetEnvironment= comes last and takes a name, or a name
 * with just that value, out of the result. What lost is kept apart, as it is
 * told, too.
 *
 * There may be very many: names are found in a tree, patterns by bisection, and
 * the winners are put where they stand, not copied.
 *
 * Source: exec_child() in src/core/execute.c, strv_env_merge(),
 * strv_env_delete() in src/basic/env-util.c of systemd 252.
 */

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "unit/environment-merge.h"

/* Of a tsearch(3) tree by name. */
struct place {
	const char *name; /* of an assignment, which may be shadowed by now */
	size_t i;         /* in the result */
};

static void places_done(void **places)
{
	tdestroy(*places, free);
}

static int by_name(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Where a variable of that name is; one that was not there gets the place
 * NEXT. NULL: no memory. */
static const struct place *find_place(void **places, const char *name,
                                      size_t next)
{
	struct place key = {name, next}, *place;
	struct place **node = tfind(&key, places, by_name);

	if (node)
		return *node;
	place = malloc(sizeof(*place));
	if (!place)
		return NULL;
	*place = key;
	if (!tsearch(place, places, by_name)) {
		free(place);
		return NULL;
	}
	return place;
}

/* Item I of ALL, where the first N are the result so far. */
static int put(struct kr_environment *e, void **places, size_t i, size_t *n)
{
	struct kr_unit_variable *items = e->all.items, v = items[i];
	const struct place *place = find_place(places, v.name, *n);

	if (!place)
		return -ENOMEM;
	items[i] = items[place->i];
	items[place->i] = v;
	if (place->i < *n)
		return kr_variables_add(&e->shadowed, &items[i]);
	(*n)++;
	return 0;
}

/* By the name, which "=" and a value may follow. */
static int compare_patterns(const char *a, const char *b)
{
	size_t n = strcspn(a, "="), m = strcspn(b, "=");
	int r = memcmp(a, b, n < m ? n : m);

	return r != 0 ? r : n < m ? -1 : n > m;
}

static int by_pattern(const void *a, const void *b)
{
	return compare_patterns(*(char *const *)a, *(char *const *)b);
}

/* The first for NAME: those for one name stand side by side in the list, which
 * is sorted. */
static size_t first_pattern(const struct kr_environment *e, const char *name)
{
	size_t first = 0, end = e->unset.n_items;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (compare_patterns(e->unset.items[middle], name) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

static bool is_unset(const struct kr_environment *e,
                     const struct kr_unit_variable *v)
{
	for (size_t i = first_pattern(e, v->name); i < e->unset.n_items; i++) {
		const char *pattern = e->unset.items[i];
		const char *equals = strchr(pattern, '=');

		if (compare_patterns(pattern, v->name) != 0)
			return false;
		if (!equals || strcmp(equals + 1, v->value.bytes) == 0)
			return true;
	}
	return false;
}

bool kr_environment_is_unset(const struct kr_environment *e, const char *name)
{
	for (size_t i = first_pattern(e, name); i < e->unset.n_items; i++) {
		if (compare_patterns(e->unset.items[i], name) != 0)
			return false;
		if (strcmp(e->unset.items[i], name) == 0)
			return true;
	}
	return false;
}

int kr_environment_merge(struct kr_environment *e, struct kr_variables *ret)
{
	_cleanup_(places_done) void *places = NULL;
	struct kr_variables *all = &e->all;
	size_t n_named = 0, n = 0;

	for (size_t i = 0; i < all->n_items; i++) {
		if (put(e, &places, i, &n_named) < 0)
			return -ENOMEM;
	}
	if (e->unset.n_items > 0)
		qsort(e->unset.items, e->unset.n_items, sizeof(char *),
		      by_pattern);
	for (size_t i = 0; i < n_named; i++) {
		struct kr_unit_variable v = all->items[i];

		all->items[i] = (struct kr_unit_variable){0};
		all->items[n++] = v;
		if (is_unset(e, &v) &&
		    kr_variables_add(&e->shadowed, &all->items[--n]) < 0)
			return -ENOMEM;
	}
	*ret = (struct kr_variables){all->items, n};
	*all = (struct kr_variables){0};
	return 0;
}

static int put_word(struct kr_strings *words, void **places,
                    const struct kr_unit_variable *v)
{
	const struct place *place = find_place(places, v->name, words->n_items);
	const char *value = v->value.bytes ? v->value.bytes : "";
	char *word;

	if (!place || asprintf(&word, "%s=%s", v->name, value) < 0)
		return -ENOMEM;
	if (place->i == words->n_items)
		return kr_strings_consume(words, word);
	free(words->items[place->i]);
	words->items[place->i] = word;
	return 0;
}

int kr_environment_written(const struct kr_environment *e,
                           struct kr_strings *ret)
{
	_cleanup_strings_ struct kr_strings words = {0};
	_cleanup_(places_done) void *places = NULL;

	for (size_t i = 0; i < e->unit.n_items; i++) {
		int r = put_word(&words, &places, &e->unit.items[i]);

		if (r < 0)
			return r;
	}
	*ret = words;
	words = (struct kr_strings){0};
	return 0;
}
