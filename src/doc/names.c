/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Names, each with its object: noted while the document is read, sorted once
 * at the end, equal ones are neighbours then. That is n log n whatever the
 * names are; a hash table would be linear only for those nobody chose to
 * collide.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "doc/names.h"

int kr_names_add(struct kr_names *names, size_t object, const char *text,
                 size_t length, struct kr_span span)
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
		.object = object,
		.start = names->used,
		.length = length,
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
	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
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

bool kr_names_repeated(struct kr_names *names, struct kr_span *ret)
{
	size_t first = SIZE_MAX;

	if (names->n > 1)
		qsort_r(names->items, names->n, sizeof(*names->items), compare,
		        names->heap);
	for (size_t i = 1; i < names->n; i++) {
		const struct kr_name *x = &names->items[i];

		if (compare_text(x - 1, x, names->heap) != 0)
			continue;
		if (x->span.offset < first) {
			first = x->span.offset;
			*ret = x->span;
		}
	}
	return first != SIZE_MAX;
}

void kr_names_done(struct kr_names *names)
{
	free(names->items);
	free(names->heap);
	*names = (struct kr_names){0};
}
