/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Names of members, as Go's encoding/json matches them with the fields of a
 * struct: case is ignored by Unicode's simple folding, in which two letters
 * outside of ASCII fold to ASCII ones.
 *
 * Source: encoding/json fold.go.
 */

#include <string.h>

#include "doc/name.h"

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
