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
 * its type, any other makes a string.
 *
 * Source: gopkg.in/yaml.v2 2.4 resolve.go.
 */

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "kubelet/yaml-scalar.h"

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
	if (trunc(v) == v && fabs(v) < 1e21)
		snprintf(number, KR_YAML_NUMBER_SIZE, "%.0f", v == 0 ? 0 : v);
	else
		snprintf(number, KR_YAML_NUMBER_SIZE, "%.17g", v);
	return true;
}

static enum kr_yaml_type resolve_plain(const char *text, size_t length,
                                       char number[static KR_YAML_NUMBER_SIZE])
{
	_cleanup_free_ char *plain = NULL;
	enum kr_yaml_type type = KR_YAML_STRING;
	char *out;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i].text) == length &&
		    memcmp(words[i].text, text, length) == 0)
			return words[i].type;
	}
	if (!is_digit(*text) && *text != '+' && *text != '-' && *text != '.')
		return KR_YAML_STRING;
	if (strlen(text) != length)
		return KR_YAML_STRING;
	if (*text == '.') {
		parse_float(text, &type, number);
		return type;
	}
	plain = malloc(length + 1);
	if (!plain)
		return KR_YAML_STRING;
	out = plain;
	for (size_t i = 0; i < length; i++) {
		if (text[i] != '_')
			*out++ = text[i];
	}
	*out = '\0';
	if (!parse_int(plain, &type, number))
		parse_float(plain, &type, number);
	return type;
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
	/* timestamp: a string it stays */
	return type == KR_YAML_STRING;
}

int kr_yaml_resolve(const char *tag, const char *text, size_t length,
                    enum kr_yaml_type *ret_type,
                    char number[static KR_YAML_NUMBER_SIZE])
{
	static const char *const resolved[] = {"bool", "int", "float", "null",
	                                       "timestamp"};
	const char *name = NULL;

	if (!tag) {
		*ret_type = resolve_plain(text, length, number);
		return 0;
	}
	*ret_type = KR_YAML_STRING;
	if (strncmp(tag, TAG, strlen(TAG)) != 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(resolved); i++) {
		if (strcmp(tag + strlen(TAG), resolved[i]) == 0)
			name = resolved[i];
	}
	if (!name)
		return 0;
	*ret_type = resolve_plain(text, length, number);
	return type_fits(name, *ret_type) ? 0 : -EBADMSG;
}
