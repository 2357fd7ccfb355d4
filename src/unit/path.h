/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where systemd finds a unit's files: its fragment and drop-ins.
 */

#include <stddef.h>

#include "base/diag.h"
#include "base/fs.h"
#include "base/vec.h"

struct kr_unit_files {
	char *id; /* the name of the fragment: NAME with aliases resolved */
	char *fragment;            /* the node's path; NULL: none */
	bool masked;               /* a link to /dev/null */
	struct kr_strings names;   /* ID and those aliases that have drop-ins */
	struct kr_strings dropins; /* paths, in the order systemd reads them */
	/* of files beside them whose names do not end in .conf */
	struct kr_strings unread;
};

/*
 * Finds the files of the service NAME ("x.service", "x@y.service"). A unit that
 * is not there is no error. 0, -ENOMEM, or the errno of a folder that is there
 * and cannot be read (DIAG names it).
 *
 * Source: src/basic/path-lookup.c, src/basic/unit-file.c, src/shared/dropin.c
 * of systemd 252; systemd.unit(5).
 */
int kr_unit_files_find(struct kr_fs *fs, const char *name, struct kr_diag *diag,
                       struct kr_unit_files *ret);

/*
 * The *.conf of N folders, strongest first, as systemd finds drop-ins of any
 * kind: sorted by name over all folders, each name from the first that has it.
 * A folder that is not there is no error. RET is the caller's. 0, -ENOMEM, or
 * the errno of a folder that cannot be read (DIAG names it).
 */
int kr_conf_files_find(struct kr_fs *fs, const char *const *folders, size_t n,
                       struct kr_diag *diag, struct kr_strings *ret);

struct kr_unit_files *kr_unit_files_free(struct kr_unit_files *files);
DEFINE_FREEP(struct kr_unit_files, kr_unit_files_free);
void kr_unit_files_done(struct kr_unit_files *files);
#define _cleanup_unit_files_ _cleanup_(kr_unit_files_done)
