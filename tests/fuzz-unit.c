/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libFuzzer on unit/: the input is a unit, a drop-in and an environment file,
 * ended by lines of "%%". They are read as any node's, in an overlay over an
 * empty root, and the laws of unit/ must hold for what comes out.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit-laws.h"

#define MARK "\n%%\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[] = {
	"/etc/systemd/system/kubelet.service",
	"/etc/systemd/system/kubelet.service.d/10.conf",
	"/etc/default/kubelet",
};

/* An empty root: a folder that is removed while it is open. */
static int empty_root(void)
{
	char path[] = "/tmp/fuzz-unit-XXXXXX";
	int fd;

	if (!mkdtemp(path))
		abort();
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || rmdir(path) < 0)
		abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int root_fd = -1;
	_cleanup_fs_ struct kr_fs *below = NULL, *fs = NULL;
	const char *at = (const char *)data, *end = at + size;
	const char *fault;

	if (root_fd < 0)
		root_fd = empty_root();
	if (kr_fs_new(root_fd, &below) < 0 || kr_fs_new_overlay(below, &fs) < 0)
		abort();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		const char *mark =
			memmem(at, (size_t)(end - at), MARK, strlen(MARK));
		size_t length = (size_t)((mark ? mark + 1 : end) - at);

		if (kr_fs_put(fs, paths[i], at, length) < 0)
			abort();
		at = mark ? mark + strlen(MARK) : end;
	}
	fault = kr_unit_laws(fs, "kubelet.service");
	if (fault) {
		fprintf(stderr, "%s\n", fault);
		abort();
	}
	return 0;
}
