/* SPDX-License-Identifier: Apache-2.0 */

/*
 * UTF-8 as RFC 3629 section 4 has it: no overlong forms, no surrogates, nothing
 * above U+10FFFF. (systemd takes a little less, see unit/word.)
 *
 * What is shown (kr_utf8_show()): a terminal in an 8-bit mode takes a byte from
 * 0x80 to 0x9f for the control character that it is in ISO 8859-1 ("\x9b"
 * begins a sequence as ESC "[" does), one in UTF-8 mode U+0080 to U+009F. The
 * marks of the bidirectional algorithm (Unicode UAX #9, table 4, and U+061C)
 * let a line look like another one ("Trojan Source", CVE-2021-42574). U+2028
 * and U+2029 end a line where a log is read as text.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
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

size_t kr_utf8_encode(uint32_t rune, char *ret)
{
	if (rune < 0x80) {
		ret[0] = (char)rune;
		return 1;
	}
	if (rune < 0x800) {
		ret[0] = (char)(0xc0 | rune >> 6);
		ret[1] = (char)(0x80 | (rune & 0x3f));
		return 2;
	}
	if (rune < 0x10000) {
		ret[0] = (char)(0xe0 | rune >> 12);
		ret[1] = (char)(0x80 | (rune >> 6 & 0x3f));
		ret[2] = (char)(0x80 | (rune & 0x3f));
		return 3;
	}
	ret[0] = (char)(0xf0 | rune >> 18);
	ret[1] = (char)(0x80 | (rune >> 12 & 0x3f));
	ret[2] = (char)(0x80 | (rune >> 6 & 0x3f));
	ret[3] = (char)(0x80 | (rune & 0x3f));
	return 4;
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

static uint32_t code_point(const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;
	uint32_t c = n == 1 ? s[0] : s[0] & (0x7fU >> n);

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (s[i] & 0x3f);
	return c;
}

/* What is acted on where it is shown. */
static bool is_active(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c ||
	       c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

size_t kr_utf8_show(const char *s, size_t size,
                    char ret[static KR_UTF8_SHOWN_SIZE])
{
	size_t n = kr_utf8_length_at(s, size);
	uint32_t c = n > 0 ? code_point(s, n) : (unsigned char)*s;

	if (c == '\t')
		strcpy(ret, " ");
	else if (n == 0 || (n == 1 && is_active(c)))
		snprintf(ret, KR_UTF8_SHOWN_SIZE, "\\x%02x", c & 0xff);
	else if (is_active(c))
		snprintf(ret, KR_UTF8_SHOWN_SIZE, "\\u%04x", c & 0xffff);
	else
		*(char *)mempcpy(ret, s, n) = '\0';
	return n > 0 ? n : 1;
}

char *kr_utf8_escape(const char *bytes, size_t size)
{
	/* one byte becomes four, two become six */
	char *out = malloc(4 * size + KR_UTF8_SHOWN_SIZE), *p = out;

	if (!out)
		return NULL;
	for (size_t i = 0; i < size; p += strlen(p))
		i += kr_utf8_show(bytes + i, size - i, p);
	*p = '\0';
	return out;
}

void kr_utf8_show_some(const char *bytes, size_t size, char *ret,
                       size_t ret_size)
{
	char shown[KR_UTF8_SHOWN_SIZE], *p = ret;

	for (size_t i = 0; i < size; p = stpcpy(p, shown)) {
		i += kr_utf8_show(bytes + i, size - i, shown);
		if (strlen(shown) >= ret_size - (size_t)(p - ret))
			break;
	}
	*p = '\0';
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
