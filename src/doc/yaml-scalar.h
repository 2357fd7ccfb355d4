/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a YAML 1.1 scalar is, as Go's yaml.v2 resolves it.
 */

#include <stdbool.h>
#include <stddef.h>

enum kr_yaml_type {
	KR_YAML_STRING,
	KR_YAML_NULL,
	KR_YAML_TRUE,
	KR_YAML_FALSE,
	KR_YAML_INT,
	KR_YAML_UINT,  /* more than an int64 holds */
	KR_YAML_FLOAT, /* a finite one */
	KR_YAML_NAN,   /* or infinite: JSON cannot say it */
};

#define KR_YAML_NUMBER_SIZE 64

/*
 * Resolves TEXT (LENGTH bytes, NUL-terminated) with the full TAG, NULL where
 * there is none. NUMBER becomes what JSON has for a number. 0, or KR_MALFORMED:
 * the tag wants another type than the text has; -ENOMEM.
 */
int kr_yaml_resolve(const char *tag, const char *text, size_t length,
                    enum kr_yaml_type *ret_type,
                    char number[static KR_YAML_NUMBER_SIZE]);
