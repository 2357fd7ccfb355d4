/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which kind of node this is, and who else writes kubelet's files there. */

#include "base/fs.h"

struct kr_platform {
	const char *name;
	const char *os_id;  /* ID= of os-release; NULL: whatever it is */
	const char *marker; /* a file or folder that only it has; NULL */
	/* why its files are not edited, and what to do instead; NULL: they may
	 * be */
	const char *refusal;
};

/* The platform of the node below FS, static; NULL: none that is known. */
const struct kr_platform *kr_platform_find(struct kr_fs *fs);
