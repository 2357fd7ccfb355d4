/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which assignment of a name wins: a part of unit/environment. */

#include "unit/environment.h"

/*
 * Environment= as the manager holds it and shows over D-Bus: "NAME=value", a
 * name that is assigned again has its last value in its first place; before the
 * files are read. RET is the caller's. 0 or -ENOMEM.
 */
int kr_environment_written(const struct kr_environment *environment,
                           struct kr_strings *ret);

/* Hands ALL to RET, one a name, those that lost to SHADOWED. 0 or -ENOMEM. */
int kr_environment_merge(struct kr_environment *environment,
                         struct kr_variables *ret);

/* Whether UnsetEnvironment= has the plain NAME; behind
 * kr_environment_merge(). */
bool kr_environment_is_unset(const struct kr_environment *environment,
                             const char *name);
