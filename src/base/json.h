/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Strict JSON as Go's encoding/json accepts it, token by token with offsets.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/span.h"

/* The depth at which Go's decoders give up. */
#define KR_JSON_DEPTH_MAX ((size_t)10000)

enum kr_json_token_type {
	KR_JSON_END,
	KR_JSON_OBJECT,
	KR_JSON_OBJECT_END,
	KR_JSON_ARRAY,
	KR_JSON_ARRAY_END,
	KR_JSON_COMMA,
	KR_JSON_COLON,
	KR_JSON_STRING,
	KR_JSON_NUMBER,
	KR_JSON_TRUE,
	KR_JSON_FALSE,
	KR_JSON_NULL,
};

struct kr_json_token {
	enum kr_json_token_type type;
	bool key;              /* of a string: a member's name */
	bool escaped;          /* of a string: it holds a backslash */
	size_t offset, length; /* with the quotes */
};

struct kr_json {
	const struct kr_file *file;
	struct kr_diag *diag; /* nullable */
	size_t at;
	unsigned expect; /* of the grammar, private */
	size_t *opened;  /* offsets of what is not closed yet */
	size_t depth;
};

/* Starts at byte FROM of FILE. */
void kr_json_init(struct kr_json *json, const struct kr_file *file, size_t from,
                  struct kr_diag *diag);
void kr_json_done(struct kr_json *json);
#define _cleanup_json_ _cleanup_(kr_json_done)

/*
 * The next token; only one that the grammar allows here. 0 (at the end
 * KR_JSON_END, again and again); KR_MALFORMED: no JSON, an error is in DIAG;
 * -ENOMEM.
 */
int kr_json_next(struct kr_json *json, struct kr_json_token *ret);

/*
 * Takes the escapes out of LENGTH bytes between two quotes, as encoding/json
 * does: half a surrogate pair and bytes that are no UTF-8 become U+FFFD. OUT
 * has room for 3 * LENGTH bytes. The number of bytes written.
 */
size_t kr_json_unescape(const char *text, size_t length, char *out);
