/* SPDX-License-Identifier: Apache-2.0 */

/*
 * YAML 1.1 words and numbers, with yaml.v2's own choice of them.
 *
 *	true   y Y yes Yes YES true True TRUE on On ON
 *	false  n N no No NO false False FALSE off Off OFF
 *	null   "" ~ null Null NULL
 *	int    what strconv.ParseInt(_, 0, 64) reads, "_" taken out: 0x, 0o, 0b,
 *	       a leading 0 for octal
 *	float  [-+]? (.5 | 5 | 5. | 5.5) ([eE][-+]?5)?, .inf, .nan
 *
 * Times stay strings, numbers to the base of 60 too. A standard tag insists on
 * its type (!!binary on base64, !!timestamp on a time), any other makes a
 * string.
 *
 * Source: gopkg.in/yaml.v2 2.4 resolve.go.
 */

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/macro.h"
#include "doc/yaml-scalar.h"

#define TAG "tag:yaml.org,2002:"

static const struct {
	const char *text;
	enum kr_yaml_type type;
} words[] = {
	{"y", KR_YAML_TRUE},      {"Y", KR_YAML_TRUE},
	{"yes", KR_YAML_TRUE},    {"Yes", KR_YAML_TRUE},
	{"YES", KR_YAML_TRUE},    {"true", KR_YAML_TRUE},
	{"True", KR_YAML_TRUE},   {"TRUE", KR_YAML_TRUE},
	{"on", KR_YAML_TRUE},     {"On", KR_YAML_TRUE},
	{"ON", KR_YAML_TRUE},     {"n", KR_YAML_FALSE},
	{"N", KR_YAML_FALSE},     {"no", KR_YAML_FALSE},
	{"No", KR_YAML_FALSE},    {"NO", KR_YAML_FALSE},
	{"false", KR_YAML_FALSE}, {"False", KR_YAML_FALSE},
	{"FALSE", KR_YAML_FALSE}, {"off", KR_YAML_FALSE},
	{"Off", KR_YAML_FALSE},   {"OFF", KR_YAML_FALSE},
	{"", KR_YAML_NULL},       {"~", KR_YAML_NULL},
	{"null", KR_YAML_NULL},   {"Null", KR_YAML_NULL},
	{"NULL", KR_YAML_NULL},   {".nan", KR_YAML_NAN},
	{".NaN", KR_YAML_NAN},    {".NAN", KR_YAML_NAN},
	{".inf", KR_YAML_NAN},    {".Inf", KR_YAML_NAN},
	{".INF", KR_YAML_NAN},    {"+.inf", KR_YAML_NAN},
	{"+.Inf", KR_YAML_NAN},   {"+.INF", KR_YAML_NAN},
	{"-.inf", KR_YAML_NAN},   {"-.Inf", KR_YAML_NAN},
	{"-.INF", KR_YAML_NAN},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int digit_of(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* The base that Go's prefixes name; *S moves behind them. */
static int base_of(const char **s)
{
	char mark;

	if (**s != '0' || !(*s)[1])
		return 10;
	mark = (char)((*s)[1] | 0x20);
	*s += 2;
	if (mark == 'x')
		return 16;
	if (mark == 'o')
		return 8;
	if (mark == 'b')
		return 2;
	*s -= 1;
	return 8;
}

static bool parse_int(const char *text, enum kr_yaml_type *ret_type,
                      char number[static KR_YAML_NUMBER_SIZE])
{
	const char *s = text;
	bool negative = *s == '-';
	uint64_t v = 0;
	int base;

	if (*s == '-' || *s == '+')
		s++;
	base = base_of(&s);
	if (!*s)
		return false;
	for (; *s; s++) {
		if (digit_of(*s) >= base ||
		    __builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit_of(*s), &v))
			return false;
	}
	if (negative ? v > UINT64_C(1) << 63
	             : v > INT64_MAX && !is_digit(*text))
		return false;
	*ret_type = v > INT64_MAX && !negative ? KR_YAML_UINT : KR_YAML_INT;
	snprintf(number, KR_YAML_NUMBER_SIZE, "%s%" PRIu64,
	         negative && v > 0 ? "-" : "", v);
	return true;
}

static const char *skip_digits(const char *s)
{
	while (is_digit(*s))
		s++;
	return s;
}

static bool is_float(const char *text)
{
	const char *s = text, *end;

	if (*s == '-' || *s == '+')
		s++;
	end = skip_digits(s);
	if (end == s && *s != '.')
		return false;
	if (end == s) {
		s++;
		end = skip_digits(s);
		if (end == s)
			return false;
	} else if (*end == '.') {
		end = skip_digits(end + 1);
	}
	if (*end == 'e' || *end == 'E') {
		end++;
		if (*end == '-' || *end == '+')
			end++;
		s = end;
		end = skip_digits(s);
		if (end == s)
			return false;
	}
	return *end == '\0';
}

/* JSON has a whole float without a fraction, and large ones with an exponent:
 * kubelet takes the former for an integer. */
static bool parse_float(const char *text, enum kr_yaml_type *ret_type,
                        char number[static KR_YAML_NUMBER_SIZE])
{
	double v;

	if (!is_float(text))
		return false;
	v = strtod(text, NULL);
	if (!isfinite(v))
		return false;
	*ret_type = KR_YAML_FLOAT;
	if (fabs(v) < 1e21) {
		snprintf(number, KR_YAML_NUMBER_SIZE, "%.0f", v == 0 ? 0 : v);
		if (strtod(number, NULL) == v) /* it has no fraction */
			return true;
	}
	snprintf(number, KR_YAML_NUMBER_SIZE, "%.17g", v);
	return true;
}

static int resolve_plain(const char *text, size_t length,
                         enum kr_yaml_type *ret_type,
                         char number[static KR_YAML_NUMBER_SIZE])
{
	_cleanup_free_ char *plain = NULL;
	char *out;

	*ret_type = KR_YAML_STRING;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i].text) != length ||
		    memcmp(words[i].text, text, length) != 0)
			continue;
		*ret_type = words[i].type;
		return 0;
	}
	if (!is_digit(*text) && *text != '+' && *text != '-' && *text != '.')
		return 0;
	if (strlen(text) != length)
		return 0;
	if (*text == '.') {
		parse_float(text, ret_type, number);
		return 0;
	}
	plain = malloc(length + 1);
	if (!plain)
		return -ENOMEM;
	out = plain;
	for (size_t i = 0; i < length; i++) {
		if (text[i] != '_')
			*out++ = text[i];
	}
	*out = '\0';
	if (!parse_int(plain, ret_type, number))
		parse_float(plain, ret_type, number);
	return 0;
}

static bool type_fits(const char *name, enum kr_yaml_type type)
{
	if (strcmp(name, "bool") == 0)
		return type == KR_YAML_TRUE || type == KR_YAML_FALSE;
	if (strcmp(name, "int") == 0)
		return type == KR_YAML_INT || type == KR_YAML_UINT;
	if (strcmp(name, "float") == 0)
		return type == KR_YAML_INT || type == KR_YAML_FLOAT ||
		       type == KR_YAML_NAN;
	if (strcmp(name, "null") == 0)
		return type == KR_YAML_NULL;
	return false;
}

/* Up to MAX digits, at least one, of a number within [LOW, HIGH]. */
static bool read_part(const char **s, int max, int low, int high)
{
	int n = 0, v = 0;

	for (; n < max && is_digit(**s); n++, (*s)++)
		v = v * 10 + (**s - '0');
	return n > 0 && v >= low && v <= high;
}

static bool read_mark(const char **s, const char *marks)
{
	if (!**s || !strchr(marks, **s))
		return false;
	(*s)++;
	return true;
}

/* "2006-1-2", and a time behind "T", "t" (with a zone) or a blank (without). */
static bool is_time(const char *s)
{
	const char *start = s;
	bool zone;

	if (!read_part(&s, 4, 0, 9999) || s - start != 4 ||
	    !read_mark(&s, "-") || !read_part(&s, 2, 1, 12) ||
	    !read_mark(&s, "-") || !read_part(&s, 2, 1, 31))
		return false;
	if (!*s)
		return true;
	zone = *s != ' ';
	if (!read_mark(&s, "Tt ") || !read_part(&s, 2, 0, 23) ||
	    !read_mark(&s, ":") || !read_part(&s, 2, 0, 59) ||
	    !read_mark(&s, ":") || !read_part(&s, 2, 0, 59))
		return false;
	if (*s == '.') {
		s = skip_digits(s + 1);
		if (s[-1] == '.')
			return false;
	}
	if (!zone || (*s == 'Z' && !s[1]))
		return zone || !*s;
	return read_mark(&s, "+-") && read_part(&s, 2, 0, 24) &&
	       read_mark(&s, ":") && read_part(&s, 2, 0, 60) && !*s;
}

/* base64 with its padding; line ends are skipped. */
static bool is_base64(const char *s, size_t length)
{
	size_t n = 0, n_padding = 0;

	for (size_t i = 0; i < length; i++) {
		if (s[i] == '\r' || s[i] == '\n')
			continue;
		if (s[i] == '=')
			n_padding++;
		else if (n_padding > 0 || !s[i] ||
		         !(isalnum((unsigned char)s[i]) || s[i] == '+' ||
		           s[i] == '/'))
			return false;
		n++;
	}
	return n % 4 == 0 && n_padding <= 2;
}

int kr_yaml_resolve(const char *tag, const char *text, size_t length,
                    enum kr_yaml_type *ret_type,
                    char number[static KR_YAML_NUMBER_SIZE])
{
	static const char *const resolved[] = {"bool", "int", "float", "null"};
	const char *name = NULL;
	int r;

	if (!tag)
		return resolve_plain(text, length, ret_type, number);
	*ret_type = KR_YAML_STRING;
	if (strncmp(tag, TAG, strlen(TAG)) != 0)
		return 0;
	if (strcmp(tag + strlen(TAG), "timestamp") == 0)
		return is_time(text) ? 0 : KR_MALFORMED;
	if (strcmp(tag + strlen(TAG), "binary") == 0)
		return is_base64(text, length) ? 0 : KR_MALFORMED;
	for (size_t i = 0; i < ARRAY_SIZE(resolved); i++) {
		if (strcmp(tag + strlen(TAG), resolved[i]) == 0)
			name = resolved[i];
	}
	if (!name)
		return 0;
	r = resolve_plain(text, length, ret_type, number);
	if (r < 0)
		return r;
	return type_fits(name, *ret_type) ? 0 : KR_MALFORMED;
}
