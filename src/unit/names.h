/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A growing list of strings.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"

struct kr_strings {
	char **items;
	size_t n_items;
};

/* Appends LENGTH bytes of S, or S itself, which is then owned (also when it
 * fails; NULL is a failure). 0 or -ENOMEM. */
int kr_strings_add(struct kr_strings *strings, const char *s, size_t length);
int kr_strings_consume(struct kr_strings *strings, char *s);
bool kr_strings_contain(const struct kr_strings *strings, const char *s);
void kr_strings_done(struct kr_strings *strings);

#define _cleanup_strings_ _cleanup_(kr_strings_done)
