/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The types of KubeletConfiguration (kubelet.config.k8s.io/v1beta1): what
 * kubelet's decoder takes for each field, so that a wrong type of any field is
 * found as kubelet finds it. The union over kubelet 1.20 to 1.36, and which of
 * them has what.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kr_schema_kind {
	KR_SCHEMA_OBJECT, /* has members; an unknown key is no error */
	KR_SCHEMA_LIST,   /* of kr_schema_element() */
	KR_SCHEMA_MAP,    /* of string to kr_schema_element() */
	KR_SCHEMA_STRING,
	KR_SCHEMA_BOOL,
	KR_SCHEMA_INT32, /* a number: see kr_schema_number_valid() */
	KR_SCHEMA_INT64,
	KR_SCHEMA_UINT32,
	KR_SCHEMA_FLOAT64,
	KR_SCHEMA_DURATION,       /* a string of Go's time.ParseDuration() */
	KR_SCHEMA_FLUSH_DURATION, /* the same, or nanoseconds as a number */
	KR_SCHEMA_TIME,           /* a string of RFC 3339 */
	KR_SCHEMA_QUANTITY,       /* a string such as "10Mi", or a number */
	_KR_SCHEMA_KIND_MAX,
};

struct kr_schema;

/* The type of the whole document, an OBJECT; "kind" and "apiVersion" are
 * members of it. */
const struct kr_schema *kr_schema_root(void);

enum kr_schema_kind kr_schema_kind(const struct kr_schema *schema);

/*
 * The type of the member KEY (LENGTH bytes) of an OBJECT; NULL: there is no
 * such member, a warning in kubelet. FOLD_CASE: as Go's encoding/json matches
 * keys (drop-ins): case ignored, U+017F is an s, U+212A is a k.
 */
const struct kr_schema *kr_schema_member(const struct kr_schema *object,
                                         const char *key, size_t length,
                                         bool fold_case);

/* The same; RET_MINORS is set to the versions that have the member, and left
 * alone where there is no such member. */
const struct kr_schema *kr_schema_find(const struct kr_schema *object,
                                       const char *key, size_t length,
                                       bool fold_case, uint64_t *ret_minors);

/* Which versions take a string here at all, where kr_schema_string_valid() has
 * it. */
uint64_t kr_schema_string_minors(const struct kr_schema *schema);

/* The type of the elements of a LIST or of the values of a MAP. */
const struct kr_schema *kr_schema_element(const struct kr_schema *schema);

/* The type at PATH, "a.b.c", from the top; of a map's key that of its elements.
 * PATH must be there. */
const struct kr_schema *kr_schema_at(const char *path);

/*
 * Whether kubelet takes a null here: all but a DURATION that is no pointer in
 * kubelet (its own decoder reads null as "", which is no duration).
 */
bool kr_schema_null_valid(const struct kr_schema *schema);

/* Whether kubelet takes true and false here. */
bool kr_schema_bool_valid(const struct kr_schema *schema);

/* Whether kubelet takes a string of these LENGTH bytes (decoded, without
 * quotes) here: false where it wants no string, or another one. */
bool kr_schema_string_valid(const struct kr_schema *schema, const char *s,
                            size_t length);

/* Whether kubelet takes the JSON number TEXT (LENGTH bytes, as written in
 * JSON) here: false where it wants none, or it is out of range. */
bool kr_schema_number_valid(const struct kr_schema *schema, const char *text,
                            size_t length);

/* What MINORS want, for a message: "a boolean", "a 32-bit integer", "a duration
 * such as \"1m30s\"". */
const char *kr_schema_wants(const struct kr_schema *schema, uint64_t minors);
