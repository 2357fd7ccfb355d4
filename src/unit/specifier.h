/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Specifiers: %n, %H and the like.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/fs.h"
#include "base/text.h"
#include "unit/resolve.h"

/* What specifiers are made from. Nothing is read before one needs it. */
struct kr_specifiers {
	struct kr_fs *fs;
	const struct kr_unit_options *options;
	struct kr_diag *diag;
	const char *name;          /* the unit's */
	const char *fragment_path; /* the node's */
	const char *only; /* the letters that are known; NULL: a unit's */
};

/*
 * Appends FROM with its specifiers resolved to RET. The bytes of a value have
 * the two bytes of the specifier as their origin. One that cannot be known from
 * the node's files stays as it is written, DIAG names it and RET_UNKNOWN is
 * set; RET_ANY is set if there was one at all. 0; -ENAMETOOLONG: the text is
 * longer than MAX_BYTES; -EBADSLT: there is no such specifier; -EUNATCH,
 * -EINVAL: systemd cannot resolve it either; -ENOMEM.
 *
 * Source: specifier_printf() in src/shared/specifier.c and
 * unit_full_printf_full() in src/core/unit-printf.c of systemd 252.
 */
int kr_specifiers_expand(const struct kr_specifiers *specifiers,
                         const struct kr_text *from, size_t max_bytes,
                         struct kr_text *ret, bool *ret_any, bool *ret_unknown);
