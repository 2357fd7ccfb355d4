/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Paths as words. */

/* PATH without "//", "." and "..", as if no name in it were a link; relative
 * paths count from "/". NULL when memory runs out. */
char *kr_path_normalise(const char *path);

/* DIR and NAME joined by one slash. NULL when memory runs out. */
char *kr_path_join(const char *dir, const char *name);
