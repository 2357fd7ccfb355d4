/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One formatted text in the place of another. */

#include <stdarg.h>

#include "base/macro.h"

/* *TEXT, which may be NULL, is freed and becomes what FORMAT makes of its
 * arguments. 0; -ENOMEM: it is NULL. */
int kr_format(char **text, const char *format, ...) _printf_(2, 3);
int kr_vformat(char **text, const char *format, va_list args) _printf_(2, 0);
