/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Misspelt flags.
 *
 * Versions differ in their flags, so a name that the table lacks may be one of
 * a kubelet that is newer. Not so if no flag can be called like this, or if the
 * name is so near to ours that a flag of that name does not exist: then kubelet
 * refuses the command line, and saying which word it is helps more than
 * "unknown".
 *
 * Near means: Levenshtein's distance to our flag is at most 3, case and the
 * kind of dash aside, or it is ours cut short (pflag knows no abbreviations).
 * That takes in the camel-case key (three dashes less), "no-" in front, a
 * no-break space behind. "--make-iptables-util-chains:true" is what some
 * editions of the benchmark print.
 *
 * Flags' names are of a-z, 0-9 and "-" or "_" (pflag allows more, kubelet has
 * no more), and start with no "_".
 */

#include <string.h>

#include "base/macro.h"
#include "kubelet/flag-name.h"

#define NAME_DISTANCE   3
#define NAME_MAX_LENGTH 64 /* a longer one is near to nothing of ours */

static char fold(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 'a';
	return c == '_' ? '-' : c;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

/* Levenshtein's distance, one row at a time. */
static size_t distance(const char *flag, const char *name, size_t length)
{
	size_t row[NAME_MAX_LENGTH + 1], n = strlen(flag);

	if (length > NAME_MAX_LENGTH)
		return length;
	for (size_t i = 0; i <= length; i++)
		row[i] = i;
	for (size_t i = 0; i < n; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < length; j++) {
			bool same = flag[i] == fold(name[j]);
			size_t next = min3(row[j + 1] + 1, row[j] + 1,
			                   diagonal + !same);

			diagonal = row[j + 1];
			row[j + 1] = next;
		}
	}
	return row[length];
}

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_';
}

static bool is_prefix(const char *flag, const char *name, size_t length)
{
	if (!length || length >= strlen(flag))
		return false;
	for (size_t i = 0; i < length; i++)
		if (flag[i] != fold(name[i]))
			return false;
	return true;
}

enum kr_flag_likeness kr_flag_compare(const char *flag, const char *name,
                                      size_t length)
{
	const char *colon = memchr(name, ':', length);

	if (colon && distance(flag, name, colon - name) <= NAME_DISTANCE)
		return KR_FLAG_COLON;
	if (distance(flag, name, length) <= NAME_DISTANCE ||
	    is_prefix(flag, name, length))
		return KR_FLAG_MISSPELT;
	if (*name == '_')
		return KR_FLAG_IMPOSSIBLE;
	for (size_t i = 0; i < length; i++)
		if (!is_name_byte(name[i]))
			return KR_FLAG_IMPOSSIBLE;
	return KR_FLAG_OTHER;
}

/* How many bytes of what people and word processors write for "--" are here:
 * a dash, U+2010 to U+2015, U+2212, U+FE58, U+FE63, U+FF0D, a slash, a quote.
 */
static size_t dash_length(const char *s)
{
	static const char *const marks[] = {
		"-",
		"/",
		"\"",
		"'",
		"\xe2\x80\x90",
		"\xe2\x80\x91",
		"\xe2\x80\x92",
		"\xe2\x80\x93",
		"\xe2\x80\x94",
		"\xe2\x80\x95",
		"\xe2\x88\x92",
		"\xef\xb9\x98",
		"\xef\xb9\xa3",
		"\xef\xbc\x8d",
	};

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (!strncmp(s, marks[i], strlen(marks[i])))
			return strlen(marks[i]);
	return 0;
}

bool kr_flag_meant(const char *flag, const char *word)
{
	const char *name = word;
	size_t n;

	while ((n = dash_length(name)))
		name += n;
	if (name == word)
		return false;
	return distance(flag, name, strcspn(name, "=:")) <= NAME_DISTANCE;
}
