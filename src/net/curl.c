/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libcurl by dlopen(3), see base/dynlib.
 */

#include <errno.h>
#include <stdbool.h>

#include "base/dynlib.h"
#include "base/format.h"
#include "net/curl.h"

#define SONAME "libcurl.so.4"

KR_CURL_FUNCTIONS(KR_DYNLIB_DEFINE)

static const struct kr_dynlib_symbol symbols[] = {
	KR_CURL_FUNCTIONS(KR_DYNLIB_SYMBOL)};

static const struct kr_dynlib library = {
	.soname = SONAME,
	.version = "libcurl 7.66 or newer",
	.symbols = symbols,
	.n_symbols = ARRAY_SIZE(symbols),
};

KR_DYNLIB_NOTE("configz", "what kubelet says of itself, through an API server",
               "recommended", SONAME);

int kr_curl_load(char **ret_reason)
{
	static bool loaded;
	int r;

	if (loaded)
		return 0;
	r = kr_dynlib_load(&library, ret_reason);
	if (r < 0)
		return r;
	if (sym_curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		r = kr_format(ret_reason, SONAME " does not start");
		return r < 0 ? r : -ENOPKG;
	}
	loaded = true;
	return 0;
}
