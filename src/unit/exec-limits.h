/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How long arguments and environment may be for execve(2) of the node to take
 * them.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/fs.h"

enum kr_limit {
	KR_LIMIT_FITS,
	KR_LIMIT_EXCEEDED, /* execve(2) refuses it */
	KR_LIMIT_ASSUMED,  /* ... where a page has 4 KiB: nothing tells that */
	/* it depends on what the node's files do not tell, or is more than is
	 * read */
	KR_LIMIT_UNKNOWN,
};

struct kr_limits {
	struct kr_fs *fs;
	const char *program; /* that is started */
	const char *stack;   /* LimitSTACK= as it is written; NULL: not set */
	size_t page_size;    /* of the node's kernel; 0: not known */
	/* DefaultLimitSTACK=, which is looked for where it counts */
	enum kr_stack {
		KR_STACK_UNREAD,
		KR_STACK_USUAL,   /* nothing sets it */
		KR_STACK_SET,     /* to FALLBACK_SOFT */
		KR_STACK_UNKNOWN, /* what it is set to is not understood */
	} fallback;
	uint64_t fallback_soft; /* bytes */
};

/* A string of LENGTH bytes and its NUL. */
enum kr_limit kr_limits_string(const struct kr_limits *limits, size_t length);

/* All strings, each with its NUL and its pointer. */
enum kr_limit kr_limits_all(struct kr_limits *limits, size_t n_bytes);
