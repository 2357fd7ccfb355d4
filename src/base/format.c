/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A view, a fault, an outcome: each has one sentence that says why.
 * vasprintf(3) leaves its pointer undefined where it fails, which must not be
 * freed later.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/format.h"

int kr_vformat(char **text, const char *format, va_list args)
{
	char *made;
	int r = vasprintf(&made, format, args);

	free(*text);
	*text = r < 0 ? NULL : made;
	return r < 0 ? -ENOMEM : 0;
}

int kr_format(char **text, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = kr_vformat(text, format, args);
	va_end(args);
	return r;
}
