/* SPDX-License-Identifier: Apache-2.0 */

/*
 * base/vec: what was added stays whatever room is made behind it, and nothing
 * is written behind that room (which a sanitizer or valgrind sees).
 */

#include <errno.h>
#include <string.h>

#include "base/vec.h"
#include "testing.h"

struct item {
	char name[3];
	size_t number;
};

START_TEST(test_grow)
{
	_cleanup_free_ struct item *items = NULL;
	static const struct item zero;

	for (size_t n = 0; n < 1000; n++) {
		struct item *next = KR_VEC_NEXT(items, n);

		ck_assert_ptr_nonnull(next);
		ck_assert_ptr_eq(next, &items[n]);
		ck_assert_mem_eq(next, &zero, sizeof(zero));
		memset(next, 0xff, sizeof(*next));
		next->number = n;
		for (size_t i = 0; i <= n; i++)
			ck_assert_uint_eq(items[i].number, i);
	}
}
END_TEST

START_TEST(test_move)
{
	_cleanup_free_ struct item *items = NULL;
	static const struct item zero;
	size_t n = 0;

	for (size_t i = 0; i < 100; i++) {
		struct item item = {"ab", i};

		ck_assert_int_eq(KR_VEC_MOVE(items, n, &item), 0);
		ck_assert_uint_eq(n, i + 1);
		ck_assert_mem_eq(&item, &zero, sizeof(zero));
		ck_assert_str_eq(items[i].name, "ab");
		ck_assert_uint_eq(items[i].number, i);
	}
}
END_TEST

/* A stack: up and down over each power of two, and from nothing again. */
START_TEST(test_shrink)
{
	_cleanup_free_ size_t *items = NULL;

	for (size_t top = 1; top < 70; top++) {
		for (size_t n = 0; n < top; n++) {
			size_t *next = KR_VEC_NEXT(items, n);

			ck_assert_ptr_nonnull(next);
			*next = n + top;
		}
		for (size_t n = top / 2; n < top; n++) {
			size_t *next = KR_VEC_NEXT(items, n);

			ck_assert_ptr_nonnull(next);
			*next = n;
		}
		for (size_t i = 0; i < top; i++)
			ck_assert_uint_eq(items[i], i < top / 2 ? i + top : i);
	}
}
END_TEST

/* The address sanitizer would end the program instead of failing as malloc(3).
 */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

/* A size that no memory holds is a clean failure, and nothing is lost. */
START_TEST(test_too_large)
{
	char *items = NULL, *was;

	*(char *)KR_VEC_NEXT(items, 0) = 'a';
	was = items;
	ck_assert_ptr_null(kr_vec_next(&items, (SIZE_MAX >> 1) + 1, 16));
	ck_assert_ptr_eq(items, was);
	ck_assert_int_eq(*items, 'a');
	free(items);
}
END_TEST

START_TEST(test_strings)
{
	_cleanup_strings_ struct kr_strings strings = {0};
	char **taken;

	for (size_t n = 0; n < 40; n++) {
		ck_assert_uint_eq(strings.n_items, n);
		ck_assert(!strings.items || !strings.items[n]);
		ck_assert_int_eq(
			n % 2 ? kr_strings_add(&strings, "odd")
			      : kr_strings_add_part(&strings, "evens", 4),
			0);
		ck_assert_str_eq(strings.items[n], n % 2 ? "odd" : "even");
	}
	ck_assert_ptr_null(strings.items[40]);
	ck_assert(kr_strings_contain(&strings, "odd"));
	ck_assert(!kr_strings_contain(&strings, "evens"));
	ck_assert_int_eq(kr_strings_consume(&strings, NULL), -ENOMEM);
	ck_assert_uint_eq(strings.n_items, 40);
	taken = kr_strings_take(&strings);
	ck_assert_uint_eq(strings.n_items, 0);
	ck_assert_int_eq(kr_strings_add(&strings, "new"), 0);
	ck_assert_str_eq(taken[39], "odd");
	ck_assert_ptr_null(kr_strings_free(taken));
	ck_assert_ptr_null(kr_strings_free(NULL));
}
END_TEST

START_TEST(test_pack)
{
	static const char *const items[] = {"one", "", "three"};
	_cleanup_free_ char **packed = kr_strings_pack(items, 3);
	_cleanup_free_ char **none = kr_strings_pack(items, 0);

	ck_assert_ptr_nonnull(packed);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_str_eq(packed[i], items[i]);
		ck_assert_ptr_ne(packed[i], items[i]);
	}
	ck_assert_ptr_null(packed[3]);
	ck_assert_ptr_nonnull(none);
	ck_assert_ptr_null(none[0]);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "base-vec", NULL, NULL);

	tcase_add_test(tc, test_grow);
	tcase_add_test(tc, test_move);
	tcase_add_test(tc, test_shrink);
	tcase_add_test(tc, test_too_large);
	tcase_add_test(tc, test_strings);
	tcase_add_test(tc, test_pack);
}

KR_TEST_MAIN(add_tests);
