/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What kubelet refuses of what flags and files have come to, by version.
 */

#include "base/diag.h"
#include "kubelet/decide.h"
#include "kubelet/minors.h"

/* The versions whose rules are known, 20 for 1.20. A later one counts as the
 * last, but what it may have learnt is a warning; an earlier one counts as the
 * first. */
#define KR_VALIDATE_FIRST_MINOR KR_FIRST_MINOR
#define KR_VALIDATE_LAST_MINOR  KR_LAST_MINOR

/*
 * Judges IN, whose flags and files were read. What every version refuses that
 * may run (IN's, or any that has all its flags) is an error and IN's fault;
 * what only some refuse is a warning that names them. An error in a file goes
 * to DIAG, one in an argument to the flags' remarks. 0 or -ENOMEM.
 *
 * What only the host could tell, and what files hold that a setting names, is
 * not looked at.
 */
int kr_validate(struct kr_inputs *in, struct kr_diag *diag);
