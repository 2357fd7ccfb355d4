/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What kubelet's configz says of a setting:
 *
 *   {"kubeletconfig": {"<key>": true or false, ...}, ...}
 *
 * and what is not exactly so is unknown: a body that Go's JSON would refuse is
 * no answer, a key in another case is another key, a key that is there twice
 * says nothing. Our key is a pointer in kubelet's struct, so that configz shows
 * it whatever its value is: an answer without it says nothing either. Who
 * answers decides what it says; no reading of ours can make a liar honest.
 */

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "kubelet/configz.h"

#define OBJECT "kubeletconfig"

/* What the tokens of an answer have told of the two members that count. */
struct told {
	const char *body, *key;
	size_t depth;
	bool in_config, in_key; /* the last name at depth 1, 2, was ours */
	enum kr_json_token_type root, config, value;
	unsigned n_configs, n_values;
	char *reason;
	size_t reason_size;
};

/* Whether the member's name is NAME, to its last byte. */
static bool is_name(const struct told *told, const struct kr_json_token *token,
                    const char *name)
{
	const char *text = told->body + token->offset + 1;
	size_t length = token->length - 2;
	char plain[1024]; /* three times what could be the name in escapes */

	if (!token->escaped)
		return length == strlen(name) &&
		       memcmp(text, name, length) == 0;
	assert(18 * strlen(name) <= sizeof(plain));
	if (3 * length > sizeof(plain))
		return false;
	length = kr_json_unescape(text, length, plain);
	return length == strlen(name) && memcmp(plain, name, length) == 0;
}

static void hear_name(struct told *told, const struct kr_json_token *token)
{
	if (told->depth == 1)
		told->in_config = is_name(told, token, OBJECT);
	else if (told->depth == 2)
		told->in_key =
			told->in_config && is_name(told, token, told->key);
}

static void hear_value(struct told *told, enum kr_json_token_type type)
{
	if (told->depth == 0)
		told->root = type;
	if (told->depth == 1 && told->in_config) {
		told->config = type;
		told->n_configs++;
	}
	if (told->depth == 2 && told->in_key) {
		told->value = type;
		told->n_values++;
	}
	if (type != KR_JSON_OBJECT && type != KR_JSON_ARRAY)
		return;
	told->depth++;
	if (told->depth == 2)
		told->in_key = false;
}

/* 0; KR_MALFORMED: the body is no JSON; -ENOMEM. */
static int hear(size_t size, struct told *told)
{
	const struct kr_file body = {
		.data = (char *)(uintptr_t)told->body,
		.size = size,
	};
	_cleanup_json_ struct kr_json json;
	struct kr_json_token token;
	int r;

	kr_json_init(&json, &body, 0, NULL);
	for (;;) {
		r = kr_json_next(&json, &token);
		if (r < 0 || token.type == KR_JSON_END)
			return r;
		switch (token.type) {
		case KR_JSON_COMMA:
		case KR_JSON_COLON:
			break;
		case KR_JSON_OBJECT_END:
		case KR_JSON_ARRAY_END:
			told->depth--;
			break;
		default:
			if (token.key)
				hear_name(told, &token);
			else
				hear_value(told, token.type);
		}
	}
}

static void say(struct told *told, const char *format, ...) _printf_(2, 3);

static void say(struct told *told, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(told->reason, told->reason_size, format, args);
	va_end(args);
}

static void say_fault(struct told *told)
{
	if (told->root != KR_JSON_OBJECT)
		say(told, "the answer must be an object");
	else if (told->n_configs == 0)
		say(told, "." OBJECT " is not in the answer");
	else if (told->n_configs > 1)
		say(told, "." OBJECT " is in the answer twice");
	else if (told->config != KR_JSON_OBJECT)
		say(told, "." OBJECT " must be an object");
	else if (told->n_values == 0)
		say(told, "." OBJECT ".%s is not in the answer", told->key);
	else if (told->n_values > 1)
		say(told, "." OBJECT ".%s is in the answer twice", told->key);
	else
		say(told, "." OBJECT ".%s must be true or false", told->key);
}

enum kr_state kr_configz_decode(const char *body, size_t size, const char *key,
                                char *reason, size_t reason_size)
{
	struct told told = {.body = body,
	                    .key = key,
	                    .reason = reason,
	                    .reason_size = reason_size};
	int r = body ? hear(size, &told) : KR_MALFORMED;

	if (r < 0) {
		say(&told,
		    r == -ENOMEM ? "out of memory" : "the answer is not JSON");
		return KR_STATE_UNKNOWN;
	}
	if (told.root == KR_JSON_OBJECT && told.n_configs == 1 &&
	    told.config == KR_JSON_OBJECT && told.n_values == 1) {
		if (told.value == KR_JSON_TRUE)
			return KR_STATE_TRUE;
		if (told.value == KR_JSON_FALSE)
			return KR_STATE_FALSE;
	}
	say_fault(&told);
	return KR_STATE_UNKNOWN;
}
