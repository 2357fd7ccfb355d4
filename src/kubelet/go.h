/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Texts as Go's parsers take them: config values and flags of kubelet.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* time.ParseDuration(): "1m30s", "-1.5h", "0"; nanoseconds. */
bool kr_go_duration(const char *s, size_t length, int64_t *ret);

/* time.Parse(time.RFC3339). */
bool kr_go_time_valid(const char *s, size_t length);

/* A JSON integer within BITS, 32 or 64: no fraction, no exponent. */
bool kr_go_int_valid(const char *s, size_t length, unsigned bits);
bool kr_go_uint_valid(const char *s, size_t length, unsigned bits);

/* A JSON number that a float64 can hold. */
bool kr_go_float_valid(const char *s, size_t length);

/* strconv.ParseBool(): 1, 0, -1: neither. */
int kr_go_bool(const char *s);

/* strconv.ParseInt() and ParseUint(): BASE is 10, or 0 for what a Go program
 * may write ("0x1f", "0b11", "017", "1_000"). */
bool kr_go_int_text(const char *s, size_t length, unsigned base, unsigned bits,
                    int64_t *ret);
bool kr_go_int_text_valid(const char *s, size_t length, unsigned base,
                          unsigned bits);
bool kr_go_uint_text_valid(const char *s, size_t length, unsigned base,
                           unsigned bits);
