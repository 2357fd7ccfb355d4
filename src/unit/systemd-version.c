/* SPDX-License-Identifier: Apache-2.0 */

/*
 * systemd's version, from the name of the library that only itself uses: its
 * soname has the version, and both are one package. Debian and Ubuntu have it
 * in their multiarch folders.
 *
 * Source: meson.build of systemd, shared_lib_tag.
 */

#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "unit/systemd-version.h"

static const char *const folders[] = {
	"/usr/lib/systemd",
	"/usr/lib/x86_64-linux-gnu/systemd",
	"/usr/lib/aarch64-linux-gnu/systemd",
	"/usr/lib64/systemd",
	"/lib/systemd",
};

/* 0: another file. */
static unsigned version_of(const char *name)
{
	static const char begin[] = "libsystemd-shared-";

	if (strncmp(name, begin, strlen(begin)) != 0)
		return 0;
	return (unsigned)strtoul(name + strlen(begin), NULL, 10);
}

unsigned kr_systemd_version_in(struct kr_fs *fs)
{
	unsigned found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_dir_ struct kr_dir dir = {0};

		if (kr_fs_list(fs, folders[i], &dir) < 0)
			continue;
		for (size_t k = 0; k < dir.n_entries; k++) {
			unsigned version = version_of(dir.entries[k].name);

			if (version == 0 || version == found)
				continue;
			if (found != 0)
				return 0;
			found = version;
		}
	}
	return found;
}
