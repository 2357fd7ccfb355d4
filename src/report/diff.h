/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The edits of a file as a unified diff. */

#include <stdio.h>

#include "base/edit.h"

/*
 * Prints a line for another mode, and one for another owner, which patch(1)
 * passes over and a shell, too: "# chmod 0600 /etc/k (0644 now)".
 */
void kr_diff_print_perms(FILE *out, const struct kr_file_edits *edits);

/*
 * Prints what `diff -u a/PATH b/PATH` would, three lines of context, so that
 * `patch -p1` applies it. There is no search for differences: the edits are
 * the differences; a file without any prints nothing. 0 or -ENOMEM.
 */
int kr_diff_print(FILE *out, const struct kr_file_edits *edits);
