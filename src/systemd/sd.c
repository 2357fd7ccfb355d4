/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libsystemd by dlopen(3), see base/dynlib.
 *
 * Who opens a bus, reads a journal or writes to it loads it first; all that
 * uses a connection, a message or a journal can rely on that. A machine without
 * it gets a message, and what can do without goes on: an audit reads the
 * files instead.
 */

#include <errno.h>

#include "systemd/sd.h"

#define SONAME "libsystemd.so.0"

KR_SD_FUNCTIONS(KR_DYNLIB_DEFINE)

static const struct kr_dynlib_symbol symbols[] = {
	KR_SD_FUNCTIONS(KR_DYNLIB_SYMBOL)};

static const struct kr_dynlib library = {
	.soname = SONAME,
	.version = "libsystemd 245 or newer",
	.symbols = symbols,
	.n_symbols = ARRAY_SIZE(symbols),
};

KR_DYNLIB_NOTE("systemd", "what systemd says of kubelet, its restart, the log",
               "required", SONAME);

int kr_sd_load(struct kr_diag *diag)
{
	static bool loaded;
	_cleanup_free_ char *reason = NULL;
	int r;

	if (loaded)
		return 0;
	r = kr_dynlib_load(&library, &reason);
	loaded = r == 0;
	if (r == -ENOPKG)
		kr_diag_add(diag, KR_ERROR, "no-libsystemd", KR_SPAN_NONE, "%s",
		            reason);
	return r;
}
