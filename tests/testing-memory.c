/* SPDX-License-Identifier: Apache-2.0 */

/*
 * malloc(3) and its kin as --wrap of ld(1) names them: __wrap_malloc() is
 * called where malloc() is written, __real_malloc() is the C library's.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/macro.h"
#include "testing-memory.h"

static unsigned countdown;

static int fails(void)
{
	if (countdown == 0 || --countdown > 0)
		return 0;
	errno = ENOMEM;
	return 1;
}

#define WRAP(type, name, parameters, arguments)                                \
	type __real_##name parameters;                                         \
	type __wrap_##name parameters;                                         \
	type __wrap_##name parameters                                          \
	{                                                                      \
		return fails() ? NULL : __real_##name arguments;               \
	}                                                                      \
	struct kr_allow_semicolon

WRAP(void *, malloc, (size_t size), (size));
WRAP(void *, calloc, (size_t n, size_t size), (n, size));
WRAP(void *, realloc, (void *p, size_t size), (p, size));
WRAP(void *, reallocarray, (void *p, size_t n, size_t size), (p, n, size));
WRAP(char *, strdup, (const char *s), (s));
WRAP(char *, strndup, (const char *s, size_t n), (s, n));

/* asprintf(3) and its kin allocate where no wrap is. */
int __real_vasprintf(char **ret, const char *format, va_list args);
int __wrap_vasprintf(char **ret, const char *format, va_list args)
	_printf_(2, 0);
int __wrap_asprintf(char **ret, const char *format, ...) _printf_(2, 3);

int __wrap_vasprintf(char **ret, const char *format, va_list args)
{
	return fails() ? -1 : __real_vasprintf(ret, format, args);
}

int __wrap_asprintf(char **ret, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = __wrap_vasprintf(ret, format, args);
	va_end(args);
	return n;
}

void kr_test_fail_allocation(unsigned n)
{
	cJSON_Hooks hooks = {.malloc_fn = __wrap_malloc, .free_fn = free};

	cJSON_InitHooks(&hooks);
	countdown = n;
}

int kr_test_allocation_to_come(void)
{
	return countdown > 0;
}
