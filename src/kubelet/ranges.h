/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The numbers of a config file of which kubelet's validation asks what it asks
 * of the flags of the same fields.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

#define KR_N_RANGES 18

/* What a file, or the merge of several, says of one of them. */
struct kr_range_value {
	bool set; /* else it has its default */
	int64_t value;
	struct kr_span span; /* no file: a base's that is printed */
};

/* The index of the field KEY (LENGTH bytes; FOLD: in any case), or -1. */
int kr_range_find(const char *key, size_t length, bool fold);

const char *kr_range_key(size_t i);
const char *kr_range_flag(size_t i);

/* Whether a null takes an earlier value away; else it does nothing. */
bool kr_range_is_pointer(size_t i);

/* Whether kubelet starts with it; RET_MIN and RET_MAX are what it takes. */
bool kr_range_valid(size_t i, int64_t value, int64_t *ret_min,
                    int64_t *ret_max);
