/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The names of a document's members. */

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/* Whether KEY (LENGTH bytes) matches NAME, an ASCII word. FOLD_CASE: as Go's
 * encoding/json matches names: case is ignored, U+017F is an s, U+212A a k. */
bool kr_name_equal(const char *name, const char *key, size_t length,
                   bool fold_case);

/* Whether it may match, by the first letter alone: what spares a table of names
 * the rest. Letters beyond ASCII fold into it. */
static inline bool kr_name_may_equal(const char *name, const char *key,
                                     size_t length)
{
	return length > 0 &&
	       ((unsigned char)*key >= 0x80 || ((*name ^ *key) & ~0x20) == 0);
}

struct kr_name {
	uint32_t start, length; /* of its text in the heap */
	struct kr_span span;
};

/* The names of the objects that have not ended, those of the inner ones behind
 * those of the outer ones. */
struct kr_names {
	struct kr_name *items;
	size_t n;
	char *heap;
	size_t used, size_heap;
};

/* Notes a name of the innermost object; the text is copied. 0 or -ENOMEM. */
int kr_names_add(struct kr_names *names, const char *text, size_t length,
                 struct kr_span span);

/* The innermost object, whose names are those from FIRST on, ends: they are
 * forgotten. Whether it has a name twice; RET is the place of the first one
 * that was there before. */
bool kr_names_end(struct kr_names *names, size_t first, struct kr_span *ret);

void kr_names_done(struct kr_names *names);
