/* SPDX-License-Identifier: Apache-2.0 */

/*
 * cJSON builds and prints; a failed allocation shows in the end as a tree that
 * lacks a member, so that every add is checked through one flag.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json-build.h"
#include "base/macro.h"
#include "base/utf8.h"

cJSON *kr_build_object(struct kr_build *b, cJSON *parent, const char *name)
{
	cJSON *o = cJSON_AddObjectToObject(parent, name);

	b->failed = b->failed || !o;
	return o;
}

cJSON *kr_build_array(struct kr_build *b, cJSON *parent, const char *name)
{
	cJSON *a = cJSON_AddArrayToObject(parent, name);

	b->failed = b->failed || !a;
	return a;
}

static cJSON *append(struct kr_build *b, cJSON *parent, cJSON *item)
{
	if (!item || !cJSON_AddItemToArray(parent, item)) {
		cJSON_Delete(item);
		b->failed = true;
		return NULL;
	}
	return item;
}

cJSON *kr_build_element(struct kr_build *b, cJSON *parent)
{
	return append(b, parent, cJSON_CreateObject());
}

void kr_build_word(struct kr_build *b, cJSON *parent, const char *s)
{
	_cleanup_free_ char *text = kr_utf8_copy(s, strlen(s));

	append(b, parent, text ? cJSON_CreateString(text) : NULL);
}

void kr_build_index(struct kr_build *b, cJSON *parent, int value)
{
	append(b, parent, cJSON_CreateNumber(value));
}

void kr_build_raw(struct kr_build *b, cJSON *o, const char *name,
                  const char *json)
{
	b->failed = !json || !cJSON_AddRawToObject(o, name, json) || b->failed;
}

void kr_build_number(struct kr_build *b, cJSON *o, const char *name,
                     double value)
{
	b->failed = !cJSON_AddNumberToObject(o, name, value) || b->failed;
}

void kr_build_boolean(struct kr_build *b, cJSON *o, const char *name,
                      bool value)
{
	b->failed = !cJSON_AddBoolToObject(o, name, value) || b->failed;
}

void kr_build_bytes(struct kr_build *b, cJSON *o, const char *name,
                    const char *data, size_t size)
{
	_cleanup_free_ char *text = kr_utf8_copy(data, size);

	b->failed =
		!text || !cJSON_AddStringToObject(o, name, text) || b->failed;
}

static char *base64(const unsigned char *data, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = malloc((size + 2) / 3 * 4 + 1), *out = text;

	for (size_t i = 0; text && i < size; i += 3) {
		size_t n = size - i < 3 ? size - i : 3;
		unsigned bits = (unsigned)data[i] << 16;

		if (n > 1)
			bits |= (unsigned)data[i + 1] << 8;
		if (n > 2)
			bits |= data[i + 2];
		*out++ = digits[bits >> 18];
		*out++ = digits[bits >> 12 & 63];
		*out++ = n > 1 ? digits[bits >> 6 & 63] : '=';
		*out++ = n > 2 ? digits[bits & 63] : '=';
	}
	if (text)
		*out = '\0';
	return text;
}

static bool is_text(const char *data, size_t size)
{
	size_t n;

	for (size_t i = 0; i < size; i += n) {
		n = data[i] ? kr_utf8_length_at(data + i, size - i) : 0;
		if (n == 0)
			return false;
	}
	return true;
}

void kr_build_exact(struct kr_build *b, cJSON *o, const char *name,
                    const char *data, size_t size)
{
	_cleanup_free_ char *text = NULL, *other = NULL;

	if (is_text(data, size)) {
		kr_build_bytes(b, o, name, data, size);
		return;
	}
	kr_build_string(b, o, name, NULL);
	text = base64((const unsigned char *)data, size);
	if (asprintf(&other, "%s_base64", name) < 0)
		other = NULL;
	if (!text || !other)
		b->failed = true;
	else
		kr_build_string(b, o, other, text);
}

void kr_build_string(struct kr_build *b, cJSON *o, const char *name,
                     const char *s)
{
	if (s)
		kr_build_bytes(b, o, name, s, strlen(s));
	else
		b->failed = !cJSON_AddNullToObject(o, name) || b->failed;
}

void kr_build_verbatim(struct kr_build *b, cJSON *o, const char *name,
                       const char *s)
{
	b->failed = !(s ? cJSON_AddStringToObject(o, name, s)
	                : cJSON_AddNullToObject(o, name)) ||
	            b->failed;
}

void kr_build_when(struct kr_build *b, cJSON *o, const char *name,
                   uint64_t usec)
{
	char text[KR_RFC3339_SIZE];

	kr_rfc3339(usec, text);
	kr_build_string(b, o, name, usec > 0 ? text : NULL);
}

char *kr_build_lines(struct kr_build *b, cJSON *root)
{
	char *text = b->failed ? NULL : cJSON_Print(root);

	cJSON_Delete(root);
	return text;
}

int kr_build_print(struct kr_build *b, cJSON *root, FILE *out)
{
	char *text = kr_build_lines(b, root);

	if (!text)
		return -ENOMEM;
	fputs(text, out);
	fputc('\n', out);
	cJSON_free(text);
	return 0;
}

char *kr_build_line(struct kr_build *b, cJSON *root)
{
	char *text = b->failed ? NULL : cJSON_PrintUnformatted(root);

	cJSON_Delete(root);
	return text;
}
