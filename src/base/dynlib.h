/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A library that is loaded when it is first needed, by dlopen(3). Its functions
 * are reached through pointers named sym_FUNCTION, which are NULL until
 * kr_dynlib_load() gave 0. A list of them, X(function) each, makes the pointers
 * and the table by the macros below.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

struct kr_dynlib_symbol {
	const char *name;
	void **function;
};

struct kr_dynlib {
	const char *soname;
	const char *version; /* "libcurl 7.66 or newer" */
	const struct kr_dynlib_symbol *symbols;
	size_t n_symbols;
};

#define KR_DYNLIB_DECLARE(f) extern __typeof__(f) *sym_##f;
#define KR_DYNLIB_DEFINE(f)  __typeof__(f) *sym_##f;
#define KR_DYNLIB_SYMBOL(f)  {#f, (void **)&sym_##f},

/*
 * What packagers and initrd makers see of it: an ELF note, as the UAPI group's
 * "dlopen metadata" describes it. Once a source file. PRIORITY: "required",
 * "recommended", "suggested".
 */
#define KR_DYNLIB_NOTE(feature, description, priority, soname)                 \
	static const struct {                                                  \
		uint32_t name_size, size, type;                                \
		char name[4];                                                  \
		_Alignas(4) char json[sizeof(KR_DYNLIB_JSON(                   \
			feature, description, priority, soname))];             \
	} note __attribute__((used, section(".note.dlopen"), aligned(4))) = {  \
		.name_size = sizeof("FDO"),                                    \
		.size = sizeof(KR_DYNLIB_JSON(feature, description, priority,  \
	                                      soname)),                        \
		.type = 0x407c0c0a,                                            \
		.name = "FDO",                                                 \
		.json = KR_DYNLIB_JSON(feature, description, priority,         \
	                               soname),                                \
	}
#define KR_DYNLIB_JSON(feature, description, priority, soname)                 \
	"[{\"feature\":\"" feature "\",\"description\":\"" description         \
	"\",\"priority\":\"" priority "\",\"soname\":[\"" soname "\"]}]"

/*
 * Loads LIBRARY; it is never unloaded. 0, also where it is loaded already;
 * -ENOPKG: it is not there, too old or of another machine, and *RET_REASON says
 * so in one sentence, which the caller frees; -ENOMEM.
 */
int kr_dynlib_load(const struct kr_dynlib *library, char **ret_reason);
