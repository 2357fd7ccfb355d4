/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet/grammar: quantities, as ParseQuantity() of kubelet 1.20.2's own
 * source takes them (tried), and what the schema makes of blanks around them.
 * The other languages are tried through the rules that read them,
 * test-kubelet-validate.
 */

#include <string.h>

#include "kubelet/grammar.h"
#include "kubelet/schema.h"
#include "testing.h"

#define NOT -2 /* a quantity */

static const struct row {
	const char *text;
	int sign;
} rows[] = {
	{"0", 0},
	{"00", 0},
	{"10Mi", 1},
	{"100m", 1},
	{"1.5", 1},
	{".5", 1},
	{"1.", 1},
	{"0.0", 0},
	{"+1", 1},
	{"-1Gi", -1},
	{"-0.0", 0},
	{"5k", 1},
	{"12E", 1},
	{"1Ei", 1},
	{"1n", 1},
	{"1e3", 1},
	{"1E-3", 1},
	{"1e+3", 1},
	{"1e999", 1},
	/* without any digit it is 0 */
	{"Mi", 0},
	{"-Mi", 0},
	{"m", 0},
	{"E", 0},
	{"e3", 0},
	{"+", 0},
	{"-", 0},
	{".", 0},
	{"+.", 0},
	/* not a quantity */
	{"", NOT},
	{"1K", NOT},
	{"1kb", NOT},
	{"1MiB", NOT},
	{"1 Mi", NOT},
	{" 1", NOT},
	{"1 ", NOT},
	{"--1", NOT},
	{"1e", NOT},
	{"e", NOT},
	{"1E+", NOT},
	{"1.2.3", NOT},
	{"true", NOT},
	{"1e3Mi", NOT},
	{"1mi", NOT},
	{"0x1", NOT},
	{"5i", NOT},
};

START_TEST(test_quantity)
{
	const struct row *row = &rows[_i];
	/* no NUL behind it */
	size_t length = strlen(row->text);
	_cleanup_free_ char *text = malloc(length ?: 1);
	int sign = NOT;
	bool valid;

	memcpy(text, row->text, length);
	valid = kr_quantity_valid(text, length, &sign);
	ck_assert_msg(valid == (row->sign != NOT), "'%s' is %s", row->text,
	              valid ? "valid" : "not valid");
	ck_assert_msg(sign == row->sign, "'%s': sign %d", row->text, sign);
}
END_TEST

START_TEST(test_length)
{
	int sign;

	ck_assert(kr_quantity_valid("1Mi\"", 3, &sign));
	ck_assert(kr_quantity_valid("1e35", 3, &sign));
	ck_assert(!kr_quantity_valid("1\0", 2, &sign));
}
END_TEST

/* It decodes itself, blanks and all; kubelet parses an amount of the map
 * kubeReserved later. */
START_TEST(test_schema)
{
	const struct kr_schema *quantity =
		kr_schema_at("logging.options.json.infoBufferSize");

	ck_assert(kr_schema_string_valid(quantity, " 1Mi\t", 5));
	ck_assert(kr_schema_string_valid(quantity, "Mi", 2));
	ck_assert(!kr_schema_string_valid(quantity, "  ", 2));
	ck_assert(!kr_schema_string_valid(quantity, "1 Mi", 4));
	ck_assert(kr_schema_number_valid(quantity, "1.5", 3));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "quantities", NULL, NULL);

	tcase_add_loop_test(tc, test_quantity, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_length);
	tcase_add_test(tc, test_schema);
}

KR_TEST_MAIN(add_tests);
