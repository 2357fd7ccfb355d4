/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Text that came from somewhere, for formats that must be UTF-8. */

#include <stddef.h>
#include <stdint.h>

#define KR_UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* How many of the SIZE bytes at S are its first character, by RFC 3629; SIZE
 * is not 0. 0: they start with none. */
size_t kr_utf8_length_at(const char *s, size_t size);

/* RUNE, which is at most 0x1fffff, as bytes; how many these are, 4 at most. */
size_t kr_utf8_encode(uint32_t rune, char *ret);

/* How many characters SIZE bytes are; a byte that belongs to no character
 * counts as one. */
size_t kr_utf8_count(const char *s, size_t size);

#define KR_UTF8_SHOWN_SIZE 7 /* "\\u202e" */

/*
 * The first character of the SIZE bytes at S (SIZE is not 0) as a terminal or a
 * log may be given it: itself, a tab as a blank, and as "\x1b" or "\u202e" what
 * they would act on or cannot show: control characters (C0, DEL, C1), marks
 * that turn the direction of what follows, line and paragraph separators, and
 * each byte that is part of no character. How many bytes that were.
 */
size_t kr_utf8_show(const char *s, size_t size,
                    char ret[static KR_UTF8_SHOWN_SIZE]);

/* SIZE bytes as a string of such. The caller frees it. NULL when memory runs
 * out. */
char *kr_utf8_escape(const char *bytes, size_t size);

/* As much of that as fits into RET_SIZE bytes, which are not 0. Nothing is cut
 * in its middle. */
void kr_utf8_show_some(const char *bytes, size_t size, char *ret,
                       size_t ret_size);

/* SIZE bytes as a string of valid UTF-8: a NUL and each byte that is part of no
 * character become U+FFFD. The caller frees it. NULL when memory runs out. */
char *kr_utf8_copy(const char *bytes, size_t size);
