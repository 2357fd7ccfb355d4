/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Of each name one assignment wins: the later one in the order of
 * unit/environment. UnsetEnvironment= comes last and takes a name, or a name
 * with just that value, out of the result. What lost is kept apart, as it is
 * reported, too.
 *
 * There may be very many: they are sorted by name as numbers, patterns are
 * found by bisection, and the winners are moved where they stand.
 *
 * Source: exec_child() in src/core/execute.c, strv_env_merge(),
 * strv_env_delete() in src/basic/env-util.c of systemd 252.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "unit/environment-merge.h"

#define NONE UINT32_MAX

/* Of each assignment the one of the same name before it, or NONE; of the first
 * one of a name the last one. */
struct names {
	uint32_t *before, *last;
};

static void names_done(struct names *names)
{
	free(names->before);
	free(names->last);
}

static int by_name(const void *a, const void *b, void *closure)
{
	const struct kr_unit_variable *items = closure;
	const uint32_t *x = a, *y = b;
	int r = strcmp(items[*x].name, items[*y].name);

	return r != 0 ? r : *x < *y ? -1 : *x > *y;
}

static int find_names(const struct kr_variables *variables, struct names *ret)
{
	struct kr_unit_variable *items = variables->items;
	size_t n = variables->n_items;
	_cleanup_free_ uint32_t *order = calloc(n + 1, sizeof(*order));
	uint32_t first = NONE;

	ret->before = calloc(n + 1, sizeof(*ret->before));
	ret->last = calloc(n + 1, sizeof(*ret->last));
	if (!order || !ret->before || !ret->last)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, n, sizeof(*order), by_name, items);
	for (size_t k = 0; k < n; k++) {
		uint32_t i = order[k];

		ret->before[i] = NONE;
		if (k > 0 && strcmp(items[i].name, items[first].name) == 0)
			ret->before[i] = order[k - 1];
		else
			first = i;
		ret->last[first] = i;
	}
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
		if (!equals ||
		    strcmp(equals + 1, kr_variable_value(v).bytes) == 0)
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

/* The winners of ALL, at its begin; what they have taken the place of loses in
 * the order in which that happens. */
static int find_winners(struct kr_environment *e, const struct names *names,
                        size_t *ret_n)
{
	struct kr_unit_variable *items = e->all.items;
	size_t n = 0;

	for (size_t i = 0; i < e->all.n_items; i++) {
		if (names->before[i] == NONE)
			continue;
		if (kr_variables_add(&e->shadowed, &items[names->before[i]]) <
		    0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < e->all.n_items; i++) {
		struct kr_unit_variable v;

		if (names->before[i] != NONE)
			continue;
		v = items[names->last[i]];
		items[names->last[i]] = (struct kr_unit_variable){0};
		items[n++] = v;
	}
	*ret_n = n;
	return 0;
}

int kr_environment_merge(struct kr_environment *e, struct kr_variables *ret)
{
	_cleanup_(names_done) struct names names = {0};
	struct kr_variables *all = &e->all;
	size_t n_named = 0, n = 0;
	int r = find_names(all, &names);

	if (r < 0)
		return r;
	r = find_winners(e, &names, &n_named);
	if (r < 0)
		return r;
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

int kr_environment_written(const struct kr_environment *e,
                           struct kr_strings *ret)
{
	_cleanup_strings_ struct kr_strings words = {0};
	_cleanup_(names_done) struct names names = {0};
	int r = find_names(&e->unit, &names);

	for (size_t i = 0; r >= 0 && i < e->unit.n_items; i++) {
		const struct kr_unit_variable *v;
		char *word;

		if (names.before[i] != NONE)
			continue;
		v = &e->unit.items[names.last[i]];
		if (asprintf(&word, "%s=%s", v->name,
		             kr_variable_value(v).bytes) < 0)
			return -ENOMEM;
		r = kr_strings_consume(&words, word);
	}
	if (r < 0)
		return r;
	*ret = TAKE(words);
	return 0;
}
