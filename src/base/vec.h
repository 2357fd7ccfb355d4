/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Growing arrays, and lists of strings.
 *
 * An array is a pointer and a count, as its owner names them; there is no third
 * member for the room. The room is doubled when the count is a power of two, so
 * adding N items costs N steps and the array has never more than twice of what
 * is in it. An array that is grown here must therefore be grown by nothing
 * else; taking items off its end is allowed, whose memory comes back when the
 * count passes such a power again.
 */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/macro.h"

/*
 * The place of one more item behind the N that ITEMS has, all bytes zero; the
 * caller fills it and counts it. ITEMS may move. NULL: memory ran out, and
 * ITEMS is as before.
 */
#define KR_VEC_NEXT(items, n)                                                  \
	((__typeof__(items))kr_vec_next(&(items), n, sizeof(*(items))))
void *kr_vec_next(void *items, size_t n, size_t size);

/* Moves *FROM to the place behind the N that ITEMS has, and counts it; FROM has
 * all bytes zero then. 0; -ENOMEM: all is as before. */
#define KR_VEC_MOVE(items, n, from)                                            \
	((void)sizeof((items) == (from)),                                      \
	 kr_vec_move(&(items), &(n), from, sizeof(*(items))))
int kr_vec_move(void *items, size_t *n, void *from, size_t size);

/* Looks at each of the N ITEMS, of TYPE, which may be NULL where there are
 * none.
 */
#define KR_EACH(type, item, items, n)                                          \
	for (type *item = (items), *item##_end_ = (n) > 0 ? item + (n) : item; \
	     item != item##_end_; item++)

/* The first of the N ITEMS, as ITEM, for which TEST holds; NULL. And whether
 * there is one. */
#define KR_FIRST(item, items, n, test)                                         \
	({                                                                     \
		__typeof__(*(items)) *item##_found_ = NULL;                    \
		for (size_t _i_ = 0; !item##_found_ && _i_ < (size_t)(n);      \
		     _i_++) {                                                  \
			__typeof__(*(items)) *item = &(items)[_i_];            \
			if (test)                                              \
				item##_found_ = item;                          \
		}                                                              \
		item##_found_;                                                 \
	})
#define KR_ANY(item, items, n, test) (KR_FIRST(item, items, n, test) != NULL)

/* The first of the N ITEMS whose MEMBER, a string, is S; NULL. */
#define KR_FIND(items, n, member, s)                                           \
	KR_FIRST(_item_, items, n, strcmp(_item_->member, (s)) == 0)

/* Whether S is one of the N ITEMS. */
bool kr_is_among(const char *s, const char *const *items, size_t n);

/* Strings that the list owns. ITEMS ends with a NULL, which does not count;
 * it is NULL itself where no string was ever added. */
struct kr_strings {
	char **items;
	size_t n_items;
};

/* Appends a copy of S, of LENGTH bytes of S, or S itself, which is then the
 * list's (freed where this fails; a NULL is a failure). 0 or -ENOMEM. */
int kr_strings_add(struct kr_strings *strings, const char *s);
int kr_strings_add_part(struct kr_strings *strings, const char *s,
                        size_t length);
int kr_strings_consume(struct kr_strings *strings, char *s);

/* For qsort(3) of an array of strings. */
int kr_strings_compare(const void *a, const void *b);

bool kr_strings_contain(const struct kr_strings *strings, const char *s);

/* The items for the caller, who frees them with kr_strings_free(); the list is
 * empty then. */
char **kr_strings_take(struct kr_strings *strings);

/* Frees the strings of a list that ends with a NULL, and the list. NULL. */
char **kr_strings_free(char **items);
DEFINE_FREEP(char *, kr_strings_free);
void kr_strings_done(struct kr_strings *strings);

/* Copies of the N ITEMS, and a NULL behind them, in one allocation, for
 * free(3): there may be very many short ones. NULL: no memory. */
char **kr_strings_pack(const char *const *items, size_t n);

#define _cleanup_strings_ _cleanup_(kr_strings_done)
