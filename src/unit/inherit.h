/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What systemd adds to the environment of a service.
 */

#include <stdbool.h>

#include "unit/directives.h"

/* Adds what is known of it to the environment of DIRECTIVES. 0 or -ENOMEM. */
int kr_inherit(struct kr_directives *directives);

/* Whether the variable NAME, which no file sets, may have a value all the same.
 * For kr_expand_command(). */
bool kr_inherit_may(void *directives, const char *name);
