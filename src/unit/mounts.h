/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The mounts that a service has of its own. */

#include "unit/resolve.h"
#include "unit/specifier.h"

/*
 * Takes VALUE of the directive NAME, where that is one that mounts, into UNIT's
 * mounts; an empty value clears the earlier ones. What systemd would not
 * understand is passed over, as it does. 0; -EFBIG: they are more than are
 * kept, the diag says so; -ENOMEM.
 */
int kr_mounts_take(struct kr_unit *unit, const struct kr_specifiers *specifiers,
                   const char *name, const struct kr_text *value);

void kr_mounts_done(struct kr_unit *unit);
