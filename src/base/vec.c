/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Growing arrays without a member for their room. Room is made when the count
 * is 0 or a power of two, and then for twice as many; between two powers there
 * is always some left.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

void *kr_vec_next(void *items, size_t n, size_t size)
{
	char *at;

	/* ITEMS is a pointer to some type's pointer, which only bytes may be */
	memcpy(&at, items, sizeof(at));
	if ((n & (n - 1)) == 0) {
		at = n ? reallocarray(at, n, 2 * size) : realloc(at, size);
		if (!at)
			return NULL;
		memcpy(items, &at, sizeof(at));
	}
	return memset(at + n * size, 0, size);
}

int kr_vec_move(void *items, size_t *n, void *from, size_t size)
{
	void *next = kr_vec_next(items, *n, size);

	if (!next)
		return -ENOMEM;
	memcpy(next, from, size);
	memset(from, 0, size);
	(*n)++;
	return 0;
}

/* The NULL behind the last string is an item, too, that is not counted. */
static bool has_room(struct kr_strings *strings)
{
	if (!strings->items && !KR_VEC_NEXT(strings->items, 0))
		return false;
	return KR_VEC_NEXT(strings->items, strings->n_items + 1);
}

int kr_strings_consume(struct kr_strings *strings, char *s)
{
	if (!s || !has_room(strings)) {
		free(s);
		return -ENOMEM;
	}
	strings->items[strings->n_items++] = s;
	return 0;
}

int kr_strings_add(struct kr_strings *strings, const char *s)
{
	return kr_strings_consume(strings, strdup(s));
}

int kr_strings_add_part(struct kr_strings *strings, const char *s,
                        size_t length)
{
	return kr_strings_consume(strings, strndup(s, length));
}

int kr_strings_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool kr_is_among(const char *s, const char *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(items[i], s) == 0)
			return true;
	}
	return false;
}

bool kr_strings_contain(const struct kr_strings *strings, const char *s)
{
	return kr_is_among(s, (const char *const *)strings->items,
	                   strings->n_items);
}

char **kr_strings_take(struct kr_strings *strings)
{
	strings->n_items = 0;
	return TAKE_PTR(strings->items);
}

char **kr_strings_free(char **items)
{
	for (char **s = items; s && *s; s++)
		free(*s);
	free(items);
	return NULL;
}

void kr_strings_done(struct kr_strings *strings)
{
	kr_strings_free(strings->items);
	*strings = (struct kr_strings){0};
}

char **kr_strings_pack(const char *const *items, size_t n)
{
	size_t size = (n + 1) * sizeof(char *);
	char **packed, *at;

	for (size_t i = 0; i < n; i++)
		size += strlen(items[i]) + 1;
	packed = malloc(size);
	if (!packed)
		return NULL;
	at = (char *)(packed + n + 1);
	for (size_t i = 0; i < n; i++) {
		packed[i] = at;
		at = stpcpy(at, items[i]) + 1;
	}
	packed[n] = NULL;
	return packed;
}
