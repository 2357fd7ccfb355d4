/* SPDX-License-Identifier: Apache-2.0 */

/*
 * JSON, read as Go's encoding/json scanner reads it (RFC 8259, nothing more):
 * no comments, no trailing comma, no second value, blank is only space, tab, CR
 * and LF, control characters below 0x20 are forbidden in strings, any other
 * byte is fine there, UTF-8 or not. Nesting ends at 10,000, counted without
 * recursion. Every token knows its bytes; nothing is copied and no tree is
 * built, so that a file costs one pass and the stack of its open brackets.
 *
 * The grammar is a small machine: EXPECT says what may come next.
 *
 *	VALUE     a value                    (start, behind ':' or ',' in [])
 *	FIRST     a value or ']'             (behind '[')
 *	KEY       a name                     (behind ',' in {})
 *	NAME      a name or '}'              (behind '{')
 *	COLON     ':'                        (behind a name)
 *	MORE      ',' or the closing bracket (behind a value)
 *	NOTHING   the end of the file        (behind the outermost value)
 *
 * Source: encoding/json/scanner.go (Go 1.15 to 1.24).
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "base/vec.h"

enum expect {
	VALUE,
	FIRST,
	KEY,
	NAME,
	COLON,
	MORE,
	NOTHING,
};

void kr_json_init(struct kr_json *json, const struct kr_file *file, size_t from,
                  struct kr_diag *diag)
{
	*json = (struct kr_json){
		.file = file, .diag = diag, .at = from, .expect = VALUE};
}

void kr_json_done(struct kr_json *json)
{
	free(json->opened);
	*json = (struct kr_json){0};
}

static struct kr_span at(const struct kr_json *json, size_t offset)
{
	return (struct kr_span){
		.file = json->file,
		.offset = offset,
		.length = offset < json->file->size ? 1 : 0,
	};
}

static bool in_object(const struct kr_json *json)
{
	return json->depth > 0 &&
	       json->file->data[json->opened[json->depth - 1]] == '{';
}

/* Says what must stand at OFFSET instead of what does. */
static int expected(struct kr_json *json, size_t offset)
{
	static const char *const wanted[] = {
		[VALUE] = "a value",
		[FIRST] = "a value or ']'",
		[KEY] = "a name in double quotes",
		[NAME] = "a name in double quotes or '}'",
		[COLON] = "':' behind the name",
		[NOTHING] = "the end of the file behind the outermost value",
	};
	unsigned line = 0, column = 0;
	bool object = in_object(json), end = offset >= json->file->size;

	if (json->depth > 0)
		kr_span_position(at(json, json->opened[json->depth - 1]), &line,
		                 &column);
	if (json->depth > 0 && (json->expect == MORE || end))
		kr_diag_add(json->diag, KR_ERROR, "config-syntax",
		            at(json, offset),
		            "expected %s'%c' to close the %s opened at %u:%u",
		            json->expect == MORE && !end ? "',' or " : "",
		            object ? '}' : ']', object ? "object" : "array",
		            line, column);
	else
		kr_diag_add(json->diag, KR_ERROR, "config-syntax",
		            at(json, offset), "expected %s",
		            wanted[json->expect]);
	return KR_MALFORMED;
}

static int wrong(struct kr_json *json, size_t offset, const char *text)
{
	kr_diag_add(json->diag, KR_ERROR, "config-syntax", at(json, offset),
	            "%s", text);
	return KR_MALFORMED;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

/* The data ends with a NUL that does not count, which no string may hold: the
 * loops below need no test for the end. */
static int scan_string(struct kr_json *json, struct kr_json_token *token)
{
	const char *data = json->file->data;
	size_t i = json->at + 1;

	for (;; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c == '"')
			break;
		if (c < 0x20)
			return wrong(
				json, i,
				i >= json->file->size
					? "expected '\"' to close the string"
					: "control characters in a string "
					  "must be escaped");
		if (c != '\\')
			continue;
		token->escaped = true;
		i++;
		if (data[i] == 'u') {
			for (int k = 0; k < 4; k++) {
				if (!is_hex(data[++i]))
					return wrong(
						json, i,
						"expected four hexadecimal "
						"digits behind '\\u'");
			}
		} else if (!data[i] || !strchr("\"\\/bfnrt", data[i])) {
			return wrong(json, i,
			             "expected one of \"\\/bfnrtu behind '\\'");
		}
	}
	token->type = KR_JSON_STRING;
	token->length = i + 1 - json->at;
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int scan_number(struct kr_json *json, struct kr_json_token *token)
{
	const char *data = json->file->data;
	size_t i = json->at;

	if (data[i] == '-')
		i++;
	if (!is_digit(data[i]))
		return wrong(json, i, "expected a digit");
	if (data[i] == '0') {
		i++;
	} else {
		while (is_digit(data[i]))
			i++;
	}
	if (data[i] == '.') {
		if (!is_digit(data[++i]))
			return wrong(json, i, "expected a digit behind '.'");
		while (is_digit(data[i]))
			i++;
	}
	if (data[i] == 'e' || data[i] == 'E') {
		i++;
		if (data[i] == '+' || data[i] == '-')
			i++;
		if (!is_digit(data[i]))
			return wrong(json, i,
			             "expected a digit of the exponent");
		while (is_digit(data[i]))
			i++;
	}
	token->type = KR_JSON_NUMBER;
	token->length = i - json->at;
	return 0;
}

static int scan_word(struct kr_json *json, struct kr_json_token *token,
                     const char *word, enum kr_json_token_type type)
{
	size_t length = strlen(word);

	if (strncmp(json->file->data + json->at, word, length) != 0) {
		kr_diag_add(json->diag, KR_ERROR, "config-syntax",
		            at(json, json->at),
		            "expected '%s', the only word that starts so",
		            word);
		return KR_MALFORMED;
	}
	token->type = type;
	token->length = length;
	return 0;
}

static int open_bracket(struct kr_json *json, struct kr_json_token *token,
                        enum kr_json_token_type type)
{
	size_t *next;

	if (json->depth == KR_JSON_DEPTH_MAX)
		return wrong(json, json->at,
		             "nesting must be at most 10000 deep");
	next = KR_VEC_NEXT(json->opened, json->depth);
	if (!next)
		return -ENOMEM;
	*next = json->at;
	json->depth++;
	token->type = type;
	token->length = 1;
	json->expect = type == KR_JSON_OBJECT ? NAME : FIRST;
	return 0;
}

static void after_value(struct kr_json *json)
{
	json->expect = json->depth > 0 ? MORE : NOTHING;
}

static int close_bracket(struct kr_json *json, struct kr_json_token *token,
                         bool object)
{
	if (json->depth == 0 || in_object(json) != object ||
	    !(json->expect == MORE || json->expect == (object ? NAME : FIRST)))
		return expected(json, json->at);
	json->depth--;
	token->type = object ? KR_JSON_OBJECT_END : KR_JSON_ARRAY_END;
	token->length = 1;
	after_value(json);
	return 0;
}

static int scan_value(struct kr_json *json, struct kr_json_token *token)
{
	int r;

	switch (json->file->data[json->at]) {
	case '{':
		return open_bracket(json, token, KR_JSON_OBJECT);
	case '[':
		return open_bracket(json, token, KR_JSON_ARRAY);
	case '"':
		r = scan_string(json, token);
		break;
	case 't':
		r = scan_word(json, token, "true", KR_JSON_TRUE);
		break;
	case 'f':
		r = scan_word(json, token, "false", KR_JSON_FALSE);
		break;
	case 'n':
		r = scan_word(json, token, "null", KR_JSON_NULL);
		break;
	case '-':
	case '0' ... '9':
		r = scan_number(json, token);
		break;
	default:
		return expected(json, json->at);
	}
	if (r < 0)
		return r;
	after_value(json);
	return 0;
}

static int scan_name(struct kr_json *json, struct kr_json_token *token)
{
	int r;

	if (json->file->data[json->at] != '"')
		return expected(json, json->at);
	r = scan_string(json, token);
	token->key = true;
	json->expect = COLON;
	return r;
}

static int scan_mark(struct kr_json *json, struct kr_json_token *token,
                     enum kr_json_token_type type)
{
	enum expect wanted = type == KR_JSON_COMMA ? MORE : COLON;

	if (json->expect != wanted)
		return expected(json, json->at);
	token->type = type;
	token->length = 1;
	if (type == KR_JSON_COMMA)
		json->expect = in_object(json) ? KEY : VALUE;
	else
		json->expect = VALUE;
	return 0;
}

static int scan(struct kr_json *json, struct kr_json_token *token)
{
	switch (json->file->data[json->at]) {
	case '}':
		return close_bracket(json, token, true);
	case ']':
		return close_bracket(json, token, false);
	case ',':
		return scan_mark(json, token, KR_JSON_COMMA);
	case ':':
		return scan_mark(json, token, KR_JSON_COLON);
	}
	switch (json->expect) {
	case VALUE:
	case FIRST:
		return scan_value(json, token);
	case KEY:
	case NAME:
		return scan_name(json, token);
	default:
		return expected(json, json->at);
	}
}

int kr_json_next(struct kr_json *json, struct kr_json_token *ret)
{
	const char *data = json->file->data;
	struct kr_json_token token = {0};
	int r;

	while (data[json->at] == ' ' || data[json->at] == '\n' ||
	       data[json->at] == '\t' || data[json->at] == '\r')
		json->at++;
	token.offset = json->at;
	if (json->at >= json->file->size) {
		if (json->expect != NOTHING)
			return expected(json, json->at);
		*ret = token;
		return 0;
	}
	r = scan(json, &token);
	if (r < 0)
		return r;
	json->at += token.length;
	*ret = token;
	return 0;
}

static uint32_t hex4(const char *text)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++) {
		char c = text[i];

		value = value << 4 |
		        (is_digit(c) ? (uint32_t)(c - '0')
		                     : (uint32_t)((c | 0x20) - 'a' + 10));
	}
	return value;
}

/* TEXT starts behind "\u"; the length of the escape behind the backslash. */
static size_t unescape_unicode(const char *text, size_t left, uint32_t *ret)
{
	uint32_t high = hex4(text), low;

	*ret = high;
	if (high < 0xd800 || high > 0xdfff)
		return 5;
	*ret = 0xfffd;
	if (high > 0xdbff || left < 10 || text[4] != '\\' || text[5] != 'u')
		return 5;
	low = hex4(text + 6);
	if (low < 0xdc00 || low > 0xdfff)
		return 5;
	*ret = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	return 11;
}

size_t kr_json_unescape(const char *text, size_t length, char *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char *start = out;
	size_t i = 0;

	while (i < length) {
		size_t n = kr_utf8_length_at(text + i, length - i);
		uint32_t rune;

		if (text[i] == '\\' && text[i + 1] == 'u') {
			i += 1 + unescape_unicode(text + i + 2, length - i - 2,
			                          &rune);
			out += kr_utf8_encode(rune, out);
		} else if (text[i] == '\\') {
			*out++ = to[strchr(from, text[i + 1]) - from];
			i += 2;
		} else if (n == 0) {
			out += kr_utf8_encode(0xfffd, out);
			i++;
		} else {
			out = mempcpy(out, text + i, n);
			i += n;
		}
	}
	return (size_t)(out - start);
}
