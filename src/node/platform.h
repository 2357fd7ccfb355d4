/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whose node this is, as far as the node itself tells: who wrote its files and
 * will write them again.
 */

#include "base/fs.h"

struct kr_platform {
	const char *id;   /* "bottlerocket", for scripts */
	const char *name; /* for people */
	/* why its files must not be edited, and the proper channel, one
	 * sentence; NULL: they may be */
	const char *refusal;
};

/*
 * The platform of the node whose files are FS's, from /etc/os-release and files
 * that only one platform has; NULL: none that is known. 0 or -ENOMEM.
 */
int kr_platform_find(struct kr_fs *fs, const struct kr_platform **ret);
