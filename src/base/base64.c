/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Base64, decoded.
 *
 * Four characters are three bytes. The last group is filled up with "=", which
 * must be there; the bits that no byte needs may have any value. CR and LF may
 * stand anywhere, no other blank may.
 *
 * Source: RFC 4648, section 4; encoding/base64 of Go 1.19 (StdEncoding).
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/base64.h"
#include "base/diag.h"

static int sextet(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

ssize_t kr_base64_decode(const char *s, size_t length, char *ret)
{
	size_t n = 0, n_out = 0, n_padding = 0;
	uint32_t bits = 0;

	for (size_t i = 0; i < length; i++) {
		if (s[i] == '\r' || s[i] == '\n')
			continue;
		if (s[i] == '=')
			n_padding++;
		else if (n_padding > 0 || sextet(s[i]) < 0)
			return KR_MALFORMED;
		bits = bits << 6 | (s[i] == '=' ? 0 : (uint32_t)sextet(s[i]));
		if (++n % 4 != 0)
			continue;
		ret[n_out++] = (char)(bits >> 16);
		ret[n_out++] = (char)(bits >> 8);
		ret[n_out++] = (char)bits;
	}
	if (n % 4 != 0 || n_padding > 2 || n_padding > n_out)
		return KR_MALFORMED;
	return (ssize_t)(n_out - n_padding);
}
