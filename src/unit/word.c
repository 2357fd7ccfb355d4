/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Words.
 *
 * A word is a run of pieces without a blank between them: plain bytes, '...',
 * "..." and escapes, which count inside both kinds of quotes. Quotes may begin
 * and end anywhere in a word and are taken off. An empty pair is a word.
 *
 * Every decoded byte keeps the origin of the bytes it was made from: an
 * escape's are those of the backslash to its last digit. The quotes have no
 * byte and so no origin; the word's place in the text it was taken from has
 * them.
 *
 * Source: src/basic/extract-word.c, cunescape_one() in src/basic/escape.c and
 * src/basic/utf8.c of systemd 252.
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "unit/word.h"

#define ESCAPE_MAX 10 /* "\U0010ffff" */

struct escape {
	char bytes[4];
	size_t n_bytes;
	size_t length; /* of what was read, without the backslash */
};

static bool is_blank(char c)
{
	return c && strchr(KR_WORD_BLANKS, c);
}

static int digit(char c, int base)
{
	int value = c >= '0' && c <= '9'   ? c - '0'
	            : c >= 'a' && c <= 'f' ? c - 'a' + 10
	            : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                                   : 99;

	return value < base ? value : -1;
}

/* N digits at S of SIZE bytes, or -1. */
static int64_t number(const char *s, size_t size, size_t n, int base)
{
	int64_t value = 0;

	if (size < n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int d = digit(s[i], base);

		if (d < 0)
			return -1;
		value = value * base + d;
	}
	return value;
}

static bool character_valid(uint32_t c)
{
	return c <= 0x10ffff && (c & 0xfffff800) != 0xd800 &&
	       !(c >= 0xfdd0 && c <= 0xfdef) && (c & 0xfffe) != 0xfffe;
}

/* 0: it is no character. */
static size_t character_length(const char *s, size_t size)
{
	unsigned char first = size > 0 ? (unsigned char)s[0] : 0;
	size_t n = first < 0x80             ? 1
	           : (first & 0xe0) == 0xc0 ? 2
	           : (first & 0xf0) == 0xe0 ? 3
	           : (first & 0xf8) == 0xf0 ? 4
	                                    : 0;
	char again[4];
	uint32_t c;

	if (n == 0 || n > size)
		return 0;
	if (n == 1)
		return 1;
	c = first & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	}
	if (!character_valid(c) || kr_utf8_encode(c, again) != n)
		return 0;
	return n;
}

size_t kr_utf8_valid_length(const char *s, size_t size)
{
	size_t at = 0;

	while (at < size) {
		size_t n = character_length(s + at, size - at);

		if (n == 0)
			break;
		at += n;
	}
	return at;
}

bool kr_utf8_valid(const char *s, size_t size)
{
	return kr_utf8_valid_length(s, size) == size;
}

/* The escapes of one letter, and what they stand for. */
static const char letters[][2] = {
	{'a', '\a'}, {'b', '\b'},  {'f', '\f'}, {'n', '\n'},
	{'r', '\r'}, {'t', '\t'},  {'v', '\v'}, {'\\', '\\'},
	{'"', '"'},  {'\'', '\''}, {'s', ' '},
};

static bool decode_number(const char *s, size_t size, struct escape *e)
{
	size_t n = s[0] == 'x' ? 2 : s[0] == 'u' ? 4 : s[0] == 'U' ? 8 : 0;
	int64_t value =
		n ? number(s + 1, size - 1, n, 16) : number(s, size, 3, 8);

	if (value <= 0)
		return false;
	e->length = n ? n + 1 : 3;
	if (n == 0 || n == 2) {
		e->bytes[0] = (char)value;
		e->n_bytes = 1;
		return value <= 255;
	}
	if (n == 8 && (value > 0x10ffff || !character_valid((uint32_t)value)))
		return false;
	e->n_bytes = kr_utf8_encode((uint32_t)value, e->bytes);
	return true;
}

static bool decode(const char *s, size_t size, struct escape *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
		if (letters[i][0] != s[0])
			continue;
		e->bytes[0] = letters[i][1];
		e->n_bytes = 1;
		e->length = 1;
		return true;
	}
	return decode_number(s, size, e);
}

/* What stands behind the backslash at AT - 1. The bytes read, or an errno. */
static int push_escape(const struct kr_text *from, size_t at, unsigned flags,
                       struct kr_text *out)
{
	size_t left = from->length - at;
	struct escape e = {
		.bytes = {from->bytes[at]}, .n_bytes = 1, .length = 1};
	struct kr_origin origin;
	int r;

	if ((flags & KR_SPLIT_CUNESCAPE) &&
	    !decode(from->bytes + at, left < ESCAPE_MAX ? left : ESCAPE_MAX,
	            &e)) {
		if (!(flags & KR_SPLIT_KEEP_UNKNOWN))
			return -EINVAL;
		e = (struct escape){.bytes = {'\\', from->bytes[at]},
		                    .n_bytes = 2,
		                    .length = 1};
	}
	origin = kr_span_origin(kr_text_span(from, at - 1, e.length + 1));
	for (size_t i = 0; i < e.n_bytes; i++) {
		r = kr_text_push(out, e.bytes[i], origin);
		if (r < 0)
			return r;
	}
	return (int)e.length;
}

/* A backslash that is the last byte: 0 where the word may end like that. */
static int push_last_backslash(const struct kr_text *from, size_t at,
                               unsigned flags, char quote, struct kr_text *out)
{
	if ((flags & KR_SPLIT_KEEP_UNKNOWN) &&
	    (!quote || (flags & KR_SPLIT_RELAX)))
		return kr_text_push(out, '\\', kr_text_origin(from, at));
	return flags & KR_SPLIT_RELAX ? 0 : -EINVAL;
}

static int read_word(const struct kr_text *from, size_t *at, unsigned flags,
                     struct kr_text *out)
{
	char quote = 0;
	size_t i = *at;
	int r = 0;

	for (; i < from->length; i++) {
		char c = from->bytes[i];

		if (c == '\\' && i + 1 == from->length) {
			r = push_last_backslash(from, i, flags, quote, out);
			quote = 0;
		} else if (c == '\\') {
			r = push_escape(from, i + 1, flags, out);
			i += r > 0 ? (size_t)r : 0;
		} else if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? 0 : c;
		} else if (!quote && is_blank(c)) {
			break;
		} else {
			r = kr_text_push(out, c, kr_text_origin(from, i));
		}
		if (r < 0)
			return r;
	}
	*at = i;
	return quote && !(flags & KR_SPLIT_RELAX) ? -EINVAL : 0;
}

int kr_split_next(const struct kr_text *from, size_t *at, unsigned flags,
                  struct kr_split_word *ret)
{
	_cleanup_text_ struct kr_text text = {0};
	size_t i = *at, start;
	int r;

	while (i < from->length && is_blank(from->bytes[i]))
		i++;
	if (i >= from->length) {
		*at = from->length;
		return 0;
	}
	start = i;
	r = kr_text_append_part(&text, from, 0, 0); /* "" is a word, too */
	if (r < 0)
		return r;
	r = read_word(from, &i, flags, &text);
	if (r < 0)
		return r;
	ret->text = text;
	ret->start = start;
	ret->end = i;
	text = (struct kr_text){0};
	while (i < from->length && is_blank(from->bytes[i]))
		i++;
	*at = i;
	return 1;
}
