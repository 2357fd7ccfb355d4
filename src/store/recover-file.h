/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One file of a run that was interrupted. */

#include <stdbool.h>

#include "base/diag.h"
#include "base/fs.h"
#include "store/manifest.h"

/*
 * Reverts what is found of FILE, an item of MANIFEST, as kr_recover_run()
 * does. PASSES: who wrote the record may live, and go on at any moment; its
 * token has been taken away before. It may be done twice. 0 or an errno.
 */
int kr_recover_file(struct kr_fs *fs, const struct kr_manifest *manifest,
                    const struct kr_manifest_file *file, bool passes,
                    struct kr_diag *diag);

/* Whether something of ours lies beside FILE, whose folder is DIR_FD. */
bool kr_recover_lies_beside(int dir_fd, const struct kr_manifest_file *file);

/* Removes what a run that has come to its end left beside FILE, and the folders
 * that were made for it where they are empty. 0 or an errno. */
int kr_recover_tidy_file(struct kr_fs *fs, const struct kr_manifest_file *file);
