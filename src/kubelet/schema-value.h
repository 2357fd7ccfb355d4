/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Texts as Go's parsers take them: config values and flags of kubelet.
 */

#include <stdbool.h>
#include <stddef.h>

/* time.ParseDuration(): "1m30s", "-1.5h", "0". */
bool kr_go_duration_valid(const char *s, size_t length);

/* time.Parse(time.RFC3339). */
bool kr_go_time_valid(const char *s, size_t length);

/* resource.ParseQuantity(): "10Mi", "1.5e3", "100m". */
bool kr_go_quantity_valid(const char *s, size_t length);

/* A JSON integer within BITS, 32 or 64: no fraction, no exponent. */
bool kr_go_int_valid(const char *s, size_t length, unsigned bits);
bool kr_go_uint_valid(const char *s, size_t length, unsigned bits);

/* A JSON number that a float64 can hold. */
bool kr_go_float_valid(const char *s, size_t length);
