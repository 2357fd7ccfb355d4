/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One formatted text in the place of another. */

#include <stdarg.h>
#include <stdbool.h>

#include "base/macro.h"

/* *TEXT, which may be NULL, is freed and becomes what FORMAT makes of its
 * arguments. 0; -ENOMEM: it is NULL. */
int kr_format(char **text, const char *format, ...) _printf_(2, 3);
int kr_vformat(char **text, const char *format, va_list args) _printf_(2, 0);

/* Whether a shell takes WORD as it is, without quotes. */
bool kr_word_is_plain(const char *word);

/* Appends " OPTION=WORD" to *TEXT, WORD quoted for a shell where it has to be.
 * As kr_format(). */
int kr_format_option(char **text, const char *option, const char *word);
