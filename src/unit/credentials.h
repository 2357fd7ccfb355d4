/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The credentials that a service is given. */

#include "unit/resolve.h"
#include "unit/specifier.h"

/*
 * Takes VALUE of the directive NAME, where that is one that gives a credential,
 * into UNIT's; an empty value clears the earlier ones. What systemd would
 * ignore is passed over. 0; -EFBIG: they are more than are kept, the diag says
 * so; -ENOMEM.
 */
int kr_credentials_take(struct kr_unit *unit,
                        const struct kr_specifiers *specifiers,
                        const char *name, const struct kr_text *value);

/*
 * Completes the paths of the credentials of the unit NAME. RET_FOLDER is what
 * CREDENTIALS_DIRECTORY is; NULL: it is not set, or, where RET_MAYBE, it is not
 * known whether. The caller frees it. 0 or -ENOMEM.
 */
int kr_credentials_complete(struct kr_unit *unit, const char *name,
                            char **ret_folder, bool *ret_maybe);

/* Whether PATH is a credential, which systemd makes for each start, behind the
 * start of the process, and nothing writes to later. */
bool kr_credentials_have(const char *path);

void kr_credentials_done(struct kr_unit *unit);
