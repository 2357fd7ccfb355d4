/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The laws of unit/: whatever a unit looks like,
 *
 *	a word that is cut is gone, and no other word changes;
 *	a word that is appended to a variable is at its value's end;
 *	an argument that is appended to a command is its last.
 */

#include "base/fs.h"

/* Tries them all on the unit NAME. NULL, or which one does not hold, and where;
 * valid until the next call. */
const char *kr_unit_laws(struct kr_fs *fs, const char *name);
