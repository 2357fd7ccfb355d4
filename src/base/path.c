/* SPDX-License-Identifier: Apache-2.0 */

/* Paths as words. The file system is not asked. */

#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/path.h"

char *kr_path_normalise(const char *path)
{
	char *out = malloc(strlen(path) + 2);
	size_t n = 0;

	if (!out)
		return NULL;
	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 2 && memcmp(path, "..", 2) == 0) {
			while (n > 0 && out[--n] != '/')
				;
		} else if (length > 0 && !(length == 1 && *path == '.')) {
			out[n++] = '/';
			memcpy(out + n, path, length);
			n += length;
		}
		path += length;
		path += *path == '/';
	}
	if (n == 0)
		out[n++] = '/';
	out[n] = '\0';
	return out;
}

char *kr_path_join(const char *dir, const char *name)
{
	size_t length = strlen(dir);
	char *out;

	while (length > 0 && dir[length - 1] == '/')
		length--;
	if (asprintf(&out, "%.*s/%s", (int)length, dir, name) < 0)
		return NULL;
	return out;
}
