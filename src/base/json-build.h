/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Builds JSON out of what may be no UTF-8, and in what memory there is: an add
 * that fails is remembered, and in the end there is nothing to print. A parent
 * may be NULL, as it is after such a failure.
 *
 * cJSON prints bytes above 0x7f as they are; bytes that are no UTF-8 would make
 * the output no JSON, so they become U+FFFD.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <cjson/cJSON.h>

struct kr_build {
	bool failed; /* memory ran out */
};

/* A new object or array as member NAME of PARENT. */
cJSON *kr_build_object(struct kr_build *b, cJSON *parent, const char *name);
cJSON *kr_build_array(struct kr_build *b, cJSON *parent, const char *name);

/* A new object at the end of the array PARENT. */
cJSON *kr_build_element(struct kr_build *b, cJSON *parent);

/* A new string at the end of the array PARENT. */
void kr_build_word(struct kr_build *b, cJSON *parent, const char *s);

/* A new number at the end of the array PARENT. */
void kr_build_index(struct kr_build *b, cJSON *parent, int value);

/* JSON that is there already, such as a number of more than 53 bits. */
void kr_build_raw(struct kr_build *b, cJSON *o, const char *name,
                  const char *json);

void kr_build_number(struct kr_build *b, cJSON *o, const char *name,
                     double value);
void kr_build_boolean(struct kr_build *b, cJSON *o, const char *name,
                      bool value);
void kr_build_bytes(struct kr_build *b, cJSON *o, const char *name,
                    const char *data, size_t size);

/*
 * The very bytes: as NAME where they are UTF-8 without NUL, else NAME is null
 * and NAME_base64 holds them.
 */
void kr_build_exact(struct kr_build *b, cJSON *o, const char *name,
                    const char *data, size_t size);

/* NULL is null. */
void kr_build_string(struct kr_build *b, cJSON *o, const char *name,
                     const char *s);

/* The same with the bytes of S as they are, UTF-8 or not: for what only this
 * program reads again, and must find byte for byte. */
void kr_build_verbatim(struct kr_build *b, cJSON *o, const char *name,
                       const char *s);

/* A realtime in microseconds as RFC 3339, UTC; 0 is null. */
void kr_build_when(struct kr_build *b, cJSON *o, const char *name,
                   uint64_t usec);

/* Prints ROOT, which may be NULL, on lines of its own and frees it. 0 or
 * -ENOMEM. */
int kr_build_print(struct kr_build *b, cJSON *root, FILE *out);

/* ROOT's text in one line, for the caller to free; ROOT is freed. NULL when
 * memory ran out. */
char *kr_build_line(struct kr_build *b, cJSON *root);

/* The same on lines of its own. */
char *kr_build_lines(struct kr_build *b, cJSON *root);
