/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The names of a document's members. */

#include <stdbool.h>
#include <stddef.h>

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
