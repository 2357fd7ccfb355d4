/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What to do about a refusal. */

#include "base/diag.h"

/*
 * What to do about the first error of DIAG that names a file, else about the
 * first one: a sentence, static. NULL: there is no error, or its own words say
 * it.
 */
const char *kr_advice(const struct kr_diag *diag);
