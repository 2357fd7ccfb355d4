/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Go's parsers, most of them as far as to say yes or no.
 *
 *	duration = [+-] ("0" | term+)	 within int64 nanoseconds
 *	term	 = (digits ["." [digits]] | "." digits) unit
 *	unit	 = ns us µs μs ms s m h
 *
 *	integer	 = digits, or in base 0: ["0x" | "0o" | "0b" | "0"] digits, with
 *		   single "_" between two of them or behind the prefix
 *
 * Source: Go's time/format.go, strconv.
 */

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "kubelet/go.h"

struct unit {
	const char *name;
	uint64_t nanoseconds;
};

static const struct unit units[] = {
	{"ns", UINT64_C(1)},           {"us", UINT64_C(1000)},
	{"\xc2\xb5s", UINT64_C(1000)}, {"\xce\xbcs", UINT64_C(1000)},
	{"ms", UINT64_C(1000000)},     {"s", UINT64_C(1000000000)},
	{"m", UINT64_C(60000000000)},  {"h", UINT64_C(3600000000000)},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Moves *S behind the digits there; how many there were. */
static size_t skip_digits(const char **s, const char *end)
{
	const char *start = *s;

	while (*s < end && is_digit(**s))
		(*s)++;
	return *s - start;
}

/* Reads digits into a number. False: more than an int64 holds (2^63 passes,
 * it may be a negative one's). */
static bool read_digits(const char **s, const char *end, uint64_t *ret)
{
	const uint64_t max = UINT64_C(1) << 63;
	uint64_t v = 0;

	for (; *s < end && is_digit(**s); (*s)++) {
		if (v > max / 10)
			return false;
		v = v * 10 + (**s - '0');
		if (v > max)
			return false;
	}
	*ret = v;
	return true;
}

/* The fraction's digits as a part of 1: what does not fit a float is lost. */
static double read_fraction(const char **s, const char *end)
{
	double value = 0, scale = 1;

	for (; *s < end && is_digit(**s); (*s)++) {
		if (scale > 1e18)
			continue;
		value = value * 10 + (**s - '0');
		scale *= 10;
	}
	return value / scale;
}

static const struct unit *find_unit(const char *s, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strlen(units[i].name) == length &&
		    !memcmp(units[i].name, s, length))
			return &units[i];
	return NULL;
}

/* One term of a duration, added to *TOTAL. */
static bool read_term(const char **s, const char *end, uint64_t *total)
{
	const uint64_t max = UINT64_C(1) << 63;
	const struct unit *unit;
	const char *start = *s;
	double fraction = 0;
	uint64_t v;
	bool digits;

	if (!read_digits(s, end, &v))
		return false;
	digits = *s > start;
	if (*s < end && **s == '.') {
		start = ++*s;
		fraction = read_fraction(s, end);
		digits |= *s > start;
	}
	if (!digits)
		return false;

	for (start = *s; *s < end && **s != '.' && !is_digit(**s);)
		(*s)++;
	unit = find_unit(start, *s - start);
	if (!unit || v > max / unit->nanoseconds)
		return false;
	v = v * unit->nanoseconds + (uint64_t)(fraction * unit->nanoseconds);
	if (v > max || *total > max - v)
		return false;
	*total += v;
	return true;
}

bool kr_go_duration(const char *s, size_t length, int64_t *ret)
{
	const char *end = s + length;
	bool negative = false;
	uint64_t total = 0;

	if (s < end && (*s == '-' || *s == '+'))
		negative = *s++ == '-';
	if (s == end)
		return false;
	if (end - s == 1 && *s == '0')
		s++;
	while (s < end)
		if (!read_term(&s, end, &total))
			return false;
	if (!negative && total > INT64_MAX)
		return false;
	*ret = (int64_t)(negative ? -total : total);
	return true;
}

/* A number of exactly N digits within [MIN, MAX]. */
static bool read_field(const char **s, const char *end, int n, int min, int max,
                       int *ret)
{
	int v = 0;

	for (int i = 0; i < n; i++, (*s)++) {
		if (*s == end || !is_digit(**s))
			return false;
		v = v * 10 + (**s - '0');
	}
	*ret = v;
	return v >= min && v <= max;
}

static bool read_byte(const char **s, const char *end, char want)
{
	if (*s == end || **s != want)
		return false;
	(*s)++;
	return true;
}

static int days_of(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30,
	                           31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* The hour, which Go takes with one digit, too. */
static bool read_hour(const char **s, const char *end)
{
	int n = end - *s > 1 && is_digit((*s)[1]) ? 2 : 1;
	int v;

	return read_field(s, end, n, 0, 23, &v);
}

/* "Z" or "+hh:mm", and nothing behind it; old versions have no range here. */
static bool read_zone(const char *s, const char *end)
{
	int v;

	if (s == end)
		return false;
	if (*s == 'Z')
		return s + 1 == end;
	if (*s != '+' && *s != '-')
		return false;
	s++;
	return read_field(&s, end, 2, 0, 99, &v) && read_byte(&s, end, ':') &&
	       read_field(&s, end, 2, 0, 99, &v) && s == end;
}

bool kr_go_time_valid(const char *s, size_t length)
{
	const char *end = s + length;
	int year, month, day, v;

	if (!read_field(&s, end, 4, 0, 9999, &year) ||
	    !read_byte(&s, end, '-') ||
	    !read_field(&s, end, 2, 1, 12, &month) ||
	    !read_byte(&s, end, '-') ||
	    !read_field(&s, end, 2, 1, days_of(year, month), &day) ||
	    !read_byte(&s, end, 'T') || !read_hour(&s, end) ||
	    !read_byte(&s, end, ':') || !read_field(&s, end, 2, 0, 59, &v) ||
	    !read_byte(&s, end, ':') || !read_field(&s, end, 2, 0, 59, &v))
		return false;
	if (s < end && (*s == '.' || *s == ',')) {
		s++;
		if (!skip_digits(&s, end))
			return false;
	}
	return read_zone(s, end);
}

/* The digits of a JSON integer as a number; false: something else is there. */
static bool read_integer(const char *s, size_t length, uint64_t *ret)
{
	const char *end = s + length;

	if (!length || !is_digit(*s) || (*s == '0' && length > 1))
		return false;
	for (const char *p = s; p < end; p++)
		if (!is_digit(*p))
			return false;
	*ret = 0;
	for (; s < end; s++)
		if (__builtin_mul_overflow(*ret, 10, ret) ||
		    __builtin_add_overflow(*ret, (uint64_t)(*s - '0'), ret))
			return false;
	return true;
}

bool kr_go_int_valid(const char *s, size_t length, unsigned bits)
{
	bool negative = length && *s == '-';
	uint64_t v;

	if (!read_integer(s + negative, length - negative, &v))
		return false;
	return v <= (UINT64_C(1) << (bits - 1)) - !negative;
}

bool kr_go_uint_valid(const char *s, size_t length, unsigned bits)
{
	uint64_t v;

	return read_integer(s, length, &v) && v <= UINT64_MAX >> (64 - bits);
}

bool kr_go_float_valid(const char *s, size_t length)
{
	_cleanup_free_ char *copy = strndup(s, length);
	char *end;
	double v;

	if (!copy || !length)
		return false;
	/* Go wants an exponent behind hexadecimal digits, C does not */
	if (strpbrk(copy, "xX") && !strpbrk(copy, "pP"))
		return false;
	errno = 0;
	v = strtod(copy, &end);
	return !*end && !(isinf(v) && errno == ERANGE);
}

int kr_go_bool(const char *s)
{
	static const char *const yes[] = {"1",    "t",    "T",
	                                  "TRUE", "true", "True"};
	static const char *const no[] = {"0",     "f",     "F",
	                                 "FALSE", "false", "False"};

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (!strcmp(s, yes[i]))
			return 1;
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (!strcmp(s, no[i]))
			return 0;
	return -1;
}

static int digit_of(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* The base that the prefix names, as base 0 asks for it. */
static unsigned read_prefix(const char **s, const char *end)
{
	unsigned base;

	if (end - *s < 2 || **s != '0')
		return 10;
	switch ((*s)[1] | 0x20) {
	case 'x':
		base = 16;
		break;
	case 'o':
		base = 8;
		break;
	case 'b':
		base = 2;
		break;
	default:
		(*s)++;
		return 8;
	}
	*s += 2;
	return base;
}

/* The digits without their sign. False: none, others, too many. */
static bool read_magnitude(const char *s, const char *end, unsigned base,
                           uint64_t *ret)
{
	const char *start = s;
	bool loose = !base, digit;
	uint64_t v = 0;

	if (loose)
		base = read_prefix(&s, end);
	digit = loose && s > start; /* a "_" may follow a prefix */
	if (s == end)
		return false;
	for (; s < end; s++) {
		if (loose && *s == '_' && digit) {
			digit = false;
			continue;
		}
		if ((unsigned)digit_of(*s) >= base ||
		    __builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit_of(*s), &v))
			return false;
		digit = true;
	}
	*ret = v;
	return digit;
}

bool kr_go_int_text(const char *s, size_t length, unsigned base, unsigned bits,
                    int64_t *ret)
{
	const char *end = s + length;
	bool negative = false;
	uint64_t v;

	if (s < end && (*s == '-' || *s == '+'))
		negative = *s++ == '-';
	if (!read_magnitude(s, end, base, &v) ||
	    v > (UINT64_C(1) << (bits - 1)) - !negative)
		return false;
	*ret = negative ? (int64_t)(UINT64_C(0) - v) : (int64_t)v;
	return true;
}

bool kr_go_int_text_valid(const char *s, size_t length, unsigned base,
                          unsigned bits)
{
	int64_t ignored;

	return kr_go_int_text(s, length, base, bits, &ignored);
}

bool kr_go_uint_text_valid(const char *s, size_t length, unsigned base,
                           unsigned bits)
{
	uint64_t v;

	return read_magnitude(s, s + length, base, &v) &&
	       v <= UINT64_MAX >> (64 - bits);
}
