/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A view, a fault, an outcome: each has one sentence that says why.
 * vasprintf(3) leaves its pointer undefined where it fails, which must not be
 * freed later.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

bool kr_word_is_plain(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._-+@%:=,";

	return strspn(word, plain) == strlen(word);
}

int kr_format_option(char **text, const char *option, const char *word)
{
	const char *quote = kr_word_is_plain(word) ? "" : "'";
	const char *so_far = *text ? *text : "";
	int r = kr_format(text, "%s %s=%s", so_far, option, quote);

	while (r == 0 && *word) {
		size_t n = strcspn(word, "'");

		r = kr_format(text, "%s%.*s%s", *text, (int)n, word,
		              word[n] ? "'\\''" : "");
		word += n + (word[n] != '\0');
	}
	return r < 0 ? r : kr_format(text, "%s%s", *text, quote);
}
