/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The edits of a file as a unified diff. */

#include <stdio.h>

#include "base/edit.h"

/*
 * Prints what `diff -u a/PATH b/PATH` would, three lines of context, so that
 * `patch -p1` applies it. There is no search for differences: the edits are
 * the differences. 0 or -ENOMEM.
 */
int kr_diff_print(FILE *out, const struct kr_file_edits *edits);
