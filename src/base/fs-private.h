/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a view of files is made of: for base/fs*.c alone. */

#include "base/fs.h"
#include "base/root.h"

struct kr_fs {
	struct kr_root root;
	struct kr_fs *below; /* an overlay's */
	void *files;         /* tsearch(3) tree of struct kr_file by path */
	void *overlay;       /* the same by real path */
	void *perms;         /* of struct overlay_perms by real path */
	size_t n_bytes, n_files;
	bool is_own; /* the root is this process' own */
};

/* The real path that PATH has, or will have, where only an overlay has the
 * file: that of its folder, if the disk has it, and its last name. 0; -ENOMEM.
 */
int kr_fs_overlay_real(struct kr_fs *fs, const char *path, char **ret);
