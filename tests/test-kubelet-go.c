/* SPDX-License-Identifier: Apache-2.0 */

/* kubelet/go: what Go's parsers take, value by value. */

#include <string.h>

#include "kubelet/go.h"
#include "testing.h"

static bool is_int32(const char *s, size_t length)
{
	return kr_go_int_valid(s, length, 32);
}

static bool is_int64(const char *s, size_t length)
{
	return kr_go_int_valid(s, length, 64);
}

static bool is_uint32(const char *s, size_t length)
{
	return kr_go_uint_valid(s, length, 32);
}

static bool is_text_int(const char *s, size_t length)
{
	return kr_go_int_text_valid(s, length, 0, 32);
}

static bool is_text_decimal(const char *s, size_t length)
{
	return kr_go_int_text_valid(s, length, 10, 32);
}

static bool is_text_uint(const char *s, size_t length)
{
	return kr_go_uint_text_valid(s, length, 0, 64);
}

static bool duration_valid(const char *s, size_t length)
{
	int64_t ignored;

	return kr_go_duration(s, length, &ignored);
}

static bool is_bool(const char *s, size_t length)
{
	return kr_go_bool(s) >= 0;
}

struct parser {
	const char *name;
	bool (*valid)(const char *s, size_t length);
	const char *good[24];
	const char *bad[40];
};

static const struct parser parsers[] = {
	{
		.name = "bool",
		.valid = is_bool,
		.good = {"1", "t", "T", "TRUE", "true", "True", "0", "f", "F",
                         "FALSE", "false", "False"},
		.bad = {"", "yes", "no", "tRUE", "TrUe", "01", "true ", " true",
                        "2", "-1", "on", "y", "nil"},
	},
	{
		.name = "duration",
		.valid = duration_valid,
		.good = {"0", "+0", "-0", "1s", "1h2m3s4ms5us6ns", "1.5h",
                         ".5s", "1.s", "-1m", "+1m", "1\xc2\xb5s", "1\xce\xbcs",
                         "9223372036854775807ns", "-9223372036854775808ns",
                         "2562047h47m16s", "0.100000000000000000000000001h",
                         "1s1s", "00s"},
		.bad = {"",         "1",
                        "s",        ".s",
                        "-",        "+",
                        ".",        "1 s",
                        "1d",       "10 bananas",
                        "1S",       "1s ",
                        " 1s",      "--1s",
                        "1s-1s",    "1e3s",
                        "0x1s",     "9223372036854775808ns",
                        "2562048h", "99999999999999999999s",
                        "1.5",      "00",
                        "1..s",     "1sm"},
	},
	{
		.name = "time",
		.valid = kr_go_time_valid,
		.good = {"2026-01-31T08:00:00Z", "2026-01-31T08:00:00.5Z",
                         "2026-01-31T23:59:59+01:30", "2024-02-29T00:00:00Z",
                         "2000-02-29T00:00:00-00:00", "2026-01-31T8:00:00Z"},
		.bad = {"", "2026-01-31", "2026-01-31T08:00:00",
                        "2026-01-31 08:00:00Z", "2026-02-29T00:00:00Z",
                        "2100-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
                        "2026-00-01T00:00:00Z", "2026-01-31T24:00:00Z",
                        "2026-01-31T08:00:60Z", "2026-01-31T08:00:00.Z",
                        "2026-01-31T08:00:00Zx", "2026-01-31T08:00:00+0130",
                        "26-01-31T08:00:00Z", "2026-01-31t08:00:00Z"},
	},
	{
		.name = "int32 of JSON",
		.valid = is_int32,
		.good = {"0", "-0", "1", "2147483647", "-2147483648"},
		.bad = {"", "-", "+1", "01", "1.0", "1e2", "2147483648",
                        "-2147483649", "99999999999999999999", "0x1", "many",
                        "1_0", " 1"},
	},
	{
		.name = "int64 of JSON",
		.valid = is_int64,
		.good = {"9223372036854775807", "-9223372036854775808"},
		.bad = {"9223372036854775808", "-9223372036854775809",
                        "18446744073709551616"},
	},
	{
		.name = "uint32 of JSON",
		.valid = is_uint32,
		.good = {"0", "4294967295"},
		.bad = {"-1", "-0", "4294967296", "1.0", ""},
	},
	{
		.name = "float of JSON",
		.valid = kr_go_float_valid,
		.good = {"0", "-0.9", "1e308", "1e-999", "1.5E+3", "0x1p4",
                         "inf"},
		.bad = {"", "1e309", "-1e999", "x", "0x10", "1.5x"},
	},
	{
		.name = "int of a flag",
		.valid = is_text_int,
		.good = {"0", "+1", "-1", "0x7fffffff", "-0x80000000", "0b11",
                         "0o17", "017", "0X1F", "1_000", "0x_1f", "0_7", "00"},
		.bad = {"", "+", "1.0", "1e2", "2147483648", "0x", "0b2", "08",
                        "1__0", "_1", "1_", "0x1_", " 1", "1 ", "abc", "0xg",
                        "--1", "0x80000000"},
	},
	{
		.name = "decimal of a flag",
		.valid = is_text_decimal,
		.good = {"0", "2", "-1", "+2", "010"},
		.bad = {"", "0x2", "1_0", "2.0", "debug", "2147483648"},
	},
	{
		.name = "uint of a flag",
		.valid = is_text_uint,
		.good = {"0", "18446744073709551615", "0x10"},
		.bad = {"", "-1", "+1", "18446744073709551616"},
	},
};

START_TEST(test_parser)
{
	const struct parser *p = &parsers[_i];

	for (size_t i = 0; i < ARRAY_SIZE(p->good) && p->good[i]; i++)
		ck_assert_msg(p->valid(p->good[i], strlen(p->good[i])),
		              "%s: \"%s\" is valid", p->name, p->good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(p->bad) && p->bad[i]; i++)
		ck_assert_msg(!p->valid(p->bad[i], strlen(p->bad[i])),
		              "%s: \"%s\" is not valid", p->name, p->bad[i]);
}
END_TEST

START_TEST(test_length)
{
	/* only the bytes that were named count */
	ck_assert(duration_valid("1sx", 2));
	ck_assert(!duration_valid("1s", 1));
	ck_assert(kr_go_int_valid("12x", 2, 32));
	ck_assert(kr_go_float_valid("1.5x", 3));
}
END_TEST

START_TEST(test_int_text)
{
	int64_t v;

	ck_assert(kr_go_int_text("-0x10", 5, 0, 64, &v));
	ck_assert_int_eq(v, -16);
	ck_assert(kr_go_int_text("-9223372036854775808", 20, 0, 64, &v));
	ck_assert_int_eq(v, INT64_MIN);
	ck_assert(kr_go_int_text("0_17", 4, 0, 64, &v));
	ck_assert_int_eq(v, 15);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "go", NULL, NULL);

	tcase_add_loop_test(tc, test_parser, 0, ARRAY_SIZE(parsers));
	tcase_add_test(tc, test_length);
	tcase_add_test(tc, test_int_text);
}

KR_TEST_MAIN(add_tests);
