/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Our drop-in over a vendor's command: a copy of it hides the vendor's later
 * updates, so it says what it was copied from.
 */

#include "base/diag.h"
#include "base/fs.h"
#include "kubelet/field.h"
#include "unit/resolve.h"

/* The drop-in's text: COMMAND, made for FIELD, in place of the one in VENDOR.
 * The caller frees it; NULL when memory runs out. */
char *kr_vendor_format(const struct kr_file *vendor, int field,
                       const char *command);

/*
 * Where the drop-in of UNIT goes, in a name that sorts behind that of COMMAND,
 * the file with the command that is in force. The caller frees it; NULL: no
 * memory.
 */
char *kr_vendor_path(const struct kr_unit *unit, const char *unit_name,
                     const struct kr_file *command);

/* Warns where a drop-in of ours was copied from a file that is another one
 * now. 0 or -ENOMEM. */
int kr_vendor_check(struct kr_fs *fs, const struct kr_unit *unit,
                    struct kr_diag *diag);
