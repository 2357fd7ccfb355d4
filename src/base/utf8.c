/* SPDX-License-Identifier: Apache-2.0 */

/*
 * UTF-8 as RFC 3629 section 4 has it: no overlong forms, no surrogates, nothing
 * above U+10FFFF. (systemd takes a little less, see unit/word.)
 */

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

size_t kr_utf8_length_at(const char *text, size_t size)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (size < n || s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

size_t kr_utf8_count(const char *s, size_t size)
{
	size_t count = 0;

	for (size_t i = 0; i < size; count++) {
		size_t n = kr_utf8_length_at(s + i, size - i);

		i += n > 0 ? n : 1;
	}
	return count;
}

char *kr_utf8_copy(const char *bytes, size_t size)
{
	char *out = malloc(3 * size + 1), *p = out;

	for (size_t i = 0; out && i < size;) {
		size_t n = kr_utf8_length_at(bytes + i, size - i);

		if (n == 0 || bytes[i] == '\0') {
			p = mempcpy(p, KR_UTF8_REPLACEMENT,
			            strlen(KR_UTF8_REPLACEMENT));
			i++;
			continue;
		}
		p = mempcpy(p, bytes + i, n);
		i += n;
	}
	if (out)
		*p = '\0';
	return out;
}
