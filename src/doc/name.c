/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Names of members, as Go's encoding/json matches them with the fields of a
 * struct: case is ignored by Unicode's simple folding, in which two letters
 * outside of ASCII fold to ASCII ones.
 *
 * Source: encoding/json fold.go.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "doc/name.h"

/*
 * The names of the objects that are open: noted while the document is read,
 * sorted when their object ends, equal ones are neighbours then. That is n log
 * n whatever the names are; a hash table would be linear only for names that
 * are not chosen to collide.
 */

int kr_names_add(struct kr_names *names, const char *text, size_t length,
                 struct kr_span span)
{
	struct kr_name *next = KR_VEC_NEXT(names->items, names->n);

	if (!next)
		return -ENOMEM;
	if (names->size_heap - names->used < length) {
		size_t size = 2 * (names->used + length);
		char *grown = realloc(names->heap, size);

		if (!grown)
			return -ENOMEM;
		names->heap = grown;
		names->size_heap = size;
	}
	*next = (struct kr_name){
		.start = (uint32_t)names->used,
		.length = (uint32_t)length,
		.span = span,
	};
	names->n++;
	if (length > 0)
		memcpy(names->heap + names->used, text, length);
	names->used += length;
	return 0;
}

static int compare_text(const struct kr_name *x, const struct kr_name *y,
                        const char *heap)
{
	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	if (x->length == 0)
		return 0;
	return memcmp(heap + x->start, heap + y->start, x->length);
}

static int compare(const void *a, const void *b, void *heap)
{
	const struct kr_name *x = a, *y = b;
	int r = compare_text(x, y, heap);

	if (r != 0)
		return r;
	return x->start < y->start ? -1 : x->start > y->start;
}

bool kr_names_end(struct kr_names *names, size_t first, struct kr_span *ret)
{
	size_t n = names->n - first;
	struct kr_name *items;
	bool found = false;

	if (n == 0)
		return false;
	items = names->items + first;
	names->n = first;
	names->used = items[0].start;
	if (n > 1)
		qsort_r(items, n, sizeof(*items), compare, names->heap);
	for (size_t i = 1; i < n; i++) {
		if (compare_text(&items[i - 1], &items[i], names->heap) != 0)
			continue;
		if (!found || items[i].span.offset < ret->offset)
			*ret = items[i].span;
		found = true;
	}
	return found;
}

void kr_names_done(struct kr_names *names)
{
	free(names->items);
	free(names->heap);
	*names = (struct kr_names){0};
}

/* The lower case ASCII letter that the next bytes of a key fold to, and how
 * many bytes that takes. Any other byte stands for itself. */
static char fold_next(const char *key, size_t length, size_t *ret_n)
{
	*ret_n = 1;
	if (length >= 2 && !memcmp(key, "\xc5\xbf", 2)) {
		*ret_n = 2;
		return 's';
	}
	if (length >= 3 && !memcmp(key, "\xe2\x84\xaa", 3)) {
		*ret_n = 3;
		return 'k';
	}
	return *key >= 'A' && *key <= 'Z' ? *key - 'A' + 'a' : *key;
}

bool kr_name_equal(const char *name, const char *key, size_t length,
                   bool fold_case)
{
	size_t i = 0, n, ignored;

	if (!fold_case)
		return strlen(name) == length && !memcmp(name, key, length);
	for (; *name && i < length; name++, i += n)
		if (fold_next(name, 1, &ignored) !=
		    fold_next(key + i, length - i, &n))
			return false;
	return !*name && i == length;
}
