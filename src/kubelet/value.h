/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What kubelet has for one of its fields. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "base/vec.h"

#include "kubelet/state.h"

enum kr_type {
	KR_TYPE_BOOL,
	KR_TYPE_INT32,
	KR_TYPE_INT64,
	KR_TYPE_DURATION,
	KR_TYPE_STRING,
	KR_TYPE_FLOAT,
	KR_TYPE_LIST, /* of strings */
	/* a map, or a list of maps, as pairs in LIST: where a plain value
	 * stands, and its text: {"memory", "1Gi"}; {"0", ""}, {"0/key", "a"};
	 * of a map in such a list {"0/limits/memory", "1Gi"} */
	KR_TYPE_TREE,
	_KR_TYPE_MAX,
};

struct kr_value {
	enum kr_type type;
	union {
		bool b;
		int64_t n; /* of an integer; a duration in nanoseconds */
		double d;
		char *s; /* owned, never NULL */
		struct kr_strings list;
	};
};

/*
 * Reads TEXT (LENGTH bytes) as Go reads a flag of TYPE: integers with prefix
 * ("0x1f"), a list as one record of CSV, a map as "a=b,c=d" or "a<b,c<d"; not
 * for what pflag refuses. 0, -EINVAL for what it does refuse, -ENOMEM.
 */
int kr_value_parse(enum kr_type type, const char *text, size_t length,
                   struct kr_value *ret);

/* As Go prints it: "true", "10255", "4h0m0s", "a,b"; a map "a=b,c=d". The
 * caller frees RET. 0 or -ENOMEM. */
int kr_value_format(const struct kr_value *value, char **ret);

/* 0 or -ENOMEM. */
int kr_value_copy(const struct kr_value *value, struct kr_value *ret);

/* Appends the items of MORE, a list as VALUE is. 0 or -ENOMEM. */
int kr_value_append(struct kr_value *value, const struct kr_value *more);

/* TRUE or FALSE of a boolean, else VALUE. */
enum kr_state kr_value_state(const struct kr_value *value);

/* The text that stands at PATH in a map or a list of maps; NULL. */
const char *kr_value_at(const struct kr_value *value, const char *path);

bool kr_value_equal(const struct kr_value *a, const struct kr_value *b);

/* Go's zero: false, 0, "", no items. */
bool kr_value_is_zero(const struct kr_value *value);

/* An empty text or list, or a pair of such (as policy/views has one). */
bool kr_value_says_nothing(const struct kr_value *value);

void kr_value_done(struct kr_value *value);
#define _cleanup_value_ _cleanup_(kr_value_done)
