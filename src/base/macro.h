/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Ownership helpers. A variable marked _cleanup_(x_freep) is always
 * initialised; TAKE(), TAKE_PTR() and TAKE_FD() hand its value on.
 */

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f)        __attribute__((__cleanup__(f)))
#define _printf_(fmt, args) __attribute__((__format__(printf, fmt, args)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define TAKE(value)                                                            \
	({                                                                     \
		__typeof__(value) *_take_ = &(value);                          \
		__typeof__(value) _taken_ = *_take_;                           \
		*_take_ = (__typeof__(value)){0};                              \
		_taken_;                                                       \
	})
#define TAKE_PTR(ptr) TAKE(ptr)

#define TAKE_FD(fd)                                                            \
	({                                                                     \
		int *_take_ = &(fd);                                           \
		int _taken_ = *_take_;                                         \
		*_take_ = -1;                                                  \
		_taken_;                                                       \
	})

/* Defines x_freep() for a destructor x_free() that accepts NULL. */
#define DEFINE_FREEP(type, func)                                               \
	static inline void func##p(type **p)                                   \
	{                                                                      \
		if (*p)                                                        \
			func(*p);                                              \
	}                                                                      \
	struct kr_allow_semicolon

static inline void kr_freep(void *p)
{
	free(*(void **)p);
}

static inline void kr_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void kr_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void kr_closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define _cleanup_free_     _cleanup_(kr_freep)
#define _cleanup_close_    _cleanup_(kr_closep)
#define _cleanup_fclose_   _cleanup_(kr_fclosep)
#define _cleanup_closedir_ _cleanup_(kr_closedirp)
