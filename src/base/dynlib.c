/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Libraries by dlopen(3).
 *
 * Nothing of them is linked: only their headers are used, for the types of what
 * dlsym(3) finds. All that we use is looked up at once, and what is missing
 * means that the library is too old: half a library is never used.
 */

#include <dlfcn.h>
#include <errno.h>

#include "base/dynlib.h"
#include "base/format.h"
#include "base/vec.h"

/* -ENOPKG, or -ENOMEM. */
static int say_why(const struct kr_dynlib *library, char **ret)
{
	const char *why = dlerror();
	int r = kr_format(ret,
	                  "%s (%s) is needed for this and cannot be "
	                  "loaded: %s",
	                  library->soname, library->version, why);

	return r < 0 ? r : -ENOPKG;
}

int kr_dynlib_load(const struct kr_dynlib *library, char **ret_reason)
{
	/* of its own libraries' functions few are ever called */
	void *handle = dlopen(library->soname, RTLD_LAZY | RTLD_NODELETE);

	if (!handle)
		return say_why(library, ret_reason);
	KR_EACH(const struct kr_dynlib_symbol, s, library->symbols,
	        library->n_symbols) {
		*s->function = dlsym(handle, s->name);
		if (!*s->function)
			return say_why(library, ret_reason);
	}
	return 0;
}
