/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libcurl by dlopen(3).
 *
 * Nothing of it is linked: only its header is used, for the types of what
 * dlsym(3) finds. The library is never unloaded. Packagers and initrd makers
 * see the dependence by an ELF note, as the UAPI group's "dlopen metadata"
 * describes it.
 */

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/macro.h"
#include "net/curl.h"

#define SONAME "libcurl.so.4"

#define DEFINE(f) __typeof__(f) *sym_##f;
KR_CURL_FUNCTIONS(DEFINE)
#undef DEFINE

static const struct {
	const char *name;
	void **function;
} functions[] = {
#define ROW(f) {#f, (void **)&sym_##f},
	KR_CURL_FUNCTIONS(ROW)
#undef ROW
};

#define NOTE                                                                   \
	"[{\"feature\":\"configz\",\"description\":"                           \
	"\"what kubelet says of itself, through an API server\","              \
	"\"priority\":\"recommended\",\"soname\":[\"" SONAME "\"]}]"

static const struct {
	uint32_t name_size, size, type;
	char name[4];
	_Alignas(4) char json[sizeof(NOTE)];
} note __attribute__((used, section(".note.dlopen"), aligned(4))) = {
	.name_size = sizeof("FDO"),
	.size = sizeof(NOTE),
	.type = 0x407c0c0a,
	.name = "FDO",
	.json = NOTE,
};

/* 0 and the reason is in *RET, or -ENOMEM. */
static int say_why(const char *why, char **ret)
{
	if (asprintf(ret,
	             SONAME " (libcurl 7.66 or newer) is needed for this "
	                    "and cannot be loaded: %s",
	             why) < 0)
		return -ENOMEM;
	return -ENOPKG;
}

int kr_curl_load(char **ret_reason)
{
	static bool loaded;
	void *library;

	if (loaded)
		return 0;
	library = dlopen(SONAME, RTLD_NOW | RTLD_NODELETE);
	if (!library)
		return say_why(dlerror(), ret_reason);
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		*functions[i].function = dlsym(library, functions[i].name);
		if (!*functions[i].function)
			return say_why(dlerror(), ret_reason);
	}
	if (sym_curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return say_why("it does not start", ret_reason);
	loaded = true;
	return 0;
}
