/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet/value: what Go reads, and how it prints that.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kubelet/value.h"
#include "testing.h"

struct row {
	enum kr_type type;
	const char *in;
	const char *want; /* NULL: refused */
	bool zero;
};

/* clang-format off */
static const struct row rows[] = {
	{KR_TYPE_BOOL, "T", "true"},
	{KR_TYPE_BOOL, "0", "false", .zero = true},
	{KR_TYPE_BOOL, "yes", NULL},
	{KR_TYPE_BOOL, "", NULL},
	{KR_TYPE_BOOL, "truetruetrue", NULL},
	{KR_TYPE_INT32, "0x10", "16"},
	{KR_TYPE_INT32, "010", "8"},
	{KR_TYPE_INT32, "1_000", "1000"},
	{KR_TYPE_INT32, "-2147483648", "-2147483648"},
	{KR_TYPE_INT32, "2147483648", NULL},
	{KR_TYPE_INT32, "1e3", NULL},
	{KR_TYPE_INT64, "9223372036854775807", "9223372036854775807"},
	{KR_TYPE_INT64, "9223372036854775808", NULL},
	{KR_TYPE_INT64, "-0", "0", .zero = true},
	{KR_TYPE_DURATION, "0", "0s", .zero = true},
	{KR_TYPE_DURATION, "-0s", "0s", .zero = true},
	{KR_TYPE_DURATION, "4h", "4h0m0s"},
	{KR_TYPE_DURATION, "1.5h", "1h30m0s"},
	{KR_TYPE_DURATION, "90s", "1m30s"},
	{KR_TYPE_DURATION, "59.9s", "59.9s"},
	{KR_TYPE_DURATION, "61.000000001s", "1m1.000000001s"},
	{KR_TYPE_DURATION, "-1s", "-1s"},
	{KR_TYPE_DURATION, ".5s", "500ms"},
	{KR_TYPE_DURATION, "1ms", "1ms"},
	{KR_TYPE_DURATION, "1.5ms", "1.5ms"},
	{KR_TYPE_DURATION, "1500ns", "1.5\xc2\xb5s"},
	{KR_TYPE_DURATION, "999ns", "999ns"},
	{KR_TYPE_DURATION, "100000h", "100000h0m0s"},
	{KR_TYPE_DURATION, "-2562047h47m16.854775808s",
	 "-2562047h47m16.854775808s"},
	{KR_TYPE_DURATION, "2562047h47m16.854775807s",
	 "2562047h47m16.854775807s"},
	{KR_TYPE_DURATION, "300", NULL},
	{KR_TYPE_DURATION, "", NULL},
	{KR_TYPE_DURATION, "+", NULL},
	{KR_TYPE_STRING, "", "", .zero = true},
	{KR_TYPE_STRING, "a,b", "a,b"},
	{KR_TYPE_LIST, "", "", .zero = true},
	{KR_TYPE_LIST, "a", "a"},
	{KR_TYPE_LIST, "a,,b", "a,,b"},
	{KR_TYPE_LIST, ",", ","},
	{KR_TYPE_LIST, "\"a,b\",c", "a,b,c"},
	{KR_TYPE_LIST, "\"a\"\"b\"", "a\"b"},
	{KR_TYPE_LIST, "\n\r\na,b\nc", "a,b"},
	{KR_TYPE_LIST, "a\r\nb", "a"},
};
/* clang-format on */

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	_cleanup_value_ struct kr_value v = {0}, copy = {0};
	_cleanup_free_ char *text = NULL;
	int r = kr_value_parse(row->type, row->in, strlen(row->in), &v);

	ck_assert_msg(r == (row->want ? 0 : -EINVAL), "'%s': %d", row->in, r);
	if (!row->want)
		return;
	ck_assert_int_eq(kr_value_format(&v, &text), 0);
	ck_assert_msg(strcmp(text, row->want) == 0, "'%s': '%s'", row->in,
	              text);
	ck_assert_msg(kr_value_is_zero(&v) == row->zero, "'%s': zero", row->in);
	ck_assert_int_eq(kr_value_copy(&v, &copy), 0);
	ck_assert_msg(kr_value_equal(&v, &copy), "'%s': the copy", row->in);
}
END_TEST

START_TEST(test_items)
{
	_cleanup_value_ struct kr_value v = {0}, more = {0};

	ck_assert_int_eq(kr_value_parse(KR_TYPE_LIST, "\"a,b\",c", 7, &v), 0);
	ck_assert_uint_eq(v.list.n_items, 2);
	ck_assert_str_eq(v.list.items[0], "a,b");
	ck_assert_int_eq(kr_value_parse(KR_TYPE_LIST, ",", 1, &more), 0);
	ck_assert_uint_eq(more.list.n_items, 2);
	ck_assert(!kr_value_equal(&v, &more));
	ck_assert_int_eq(kr_value_append(&v, &more), 0);
	ck_assert_uint_eq(v.list.n_items, 4);
	ck_assert_str_eq(v.list.items[3], "");
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "value", NULL, NULL);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_items);
}

KR_TEST_MAIN(add_tests);
