/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The names of all objects of a document, to find one that is there twice.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

struct kr_name {
	size_t object;        /* which object it is a name of */
	size_t start, length; /* of its text in the heap */
	struct kr_span span;
};

struct kr_names {
	struct kr_name *items;
	size_t n;
	char *heap;
	size_t used, size_heap;
};

/* Notes a name of OBJECT; the text is copied. 0 or -ENOMEM. */
int kr_names_add(struct kr_names *names, size_t object, const char *text,
                 size_t length, struct kr_span span);

/* Whether an object has a name twice; the place of the first one that was there
 * before. Changes the order of NAMES. */
bool kr_names_repeated(struct kr_names *names, struct kr_span *ret);

void kr_names_done(struct kr_names *names);
