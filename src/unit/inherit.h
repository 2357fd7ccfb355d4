/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What systemd adds to the environment of a service.
 */

#include <stdbool.h>

#include "unit/directives.h"

/* Makes a WorkingDirectory=~ the folder it is; one of a user that is not in
 * /etc/passwd stays as it is. 0 or -ENOMEM. */
int kr_inherit_home(struct kr_directives *directives);

/* Adds what is known of it to the environment of DIRECTIVES. 0 or -ENOMEM. */
int kr_inherit(struct kr_directives *directives);

/* Whether the variable NAME, which no file sets, may have a value all the same.
 * For kr_expand_command(). */
bool kr_inherit_may(void *directives, const char *name);
