/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Controls that the node's owner has decided to live with.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/fs.h"

#define KR_WAIVERS_PATH "/etc/kubelet-remedy/waivers"

struct kr_waiver {
	char *name;           /* of the control, its own */
	char *reason;         /* not empty */
	char until[11];       /* "2026-12-31", the last day; "": for ever */
	struct kr_span place; /* of the name */
};

struct kr_waivers {
	struct kr_waiver *items; /* those that hold, in the file's order */
	size_t n_items;
};

struct kr_waivers_options {
	uint64_t realtime_usec; /* now */
	/* the one name of the control that NAME names, static; NULL: there is
	 * none. Without the function each name is its control's own */
	const char *(*own_name)(const char *name);
};

/*
 * Reads the waivers at PATH. A line that waives nothing, since it is not one,
 * has expired or names no control, is a warning in DIAG. 0; -ENOENT, without
 * words; -EPERM: others than root may write the file, or it is no regular file;
 * other errnos of kr_fs_read(); with words. -ENOMEM.
 */
int kr_waivers_read(struct kr_fs *fs, const char *path,
                    const struct kr_waivers_options *options,
                    struct kr_diag *diag, struct kr_waivers *ret);

/* The one of the control NAME; NULL: it is not waived. */
const struct kr_waiver *kr_waivers_find(const struct kr_waivers *waivers,
                                        const char *name);

void kr_waivers_done(struct kr_waivers *waivers);
#define _cleanup_waivers_ _cleanup_(kr_waivers_done)
