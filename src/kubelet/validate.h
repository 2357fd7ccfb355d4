/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What kubelet refuses of what flags and files have come to, by version.
 */

#include "base/diag.h"
#include "kubelet/decide.h"

/*
 * Judges IN, whose flags and files were read. What every version refuses that
 * may run (IN's; where that is not known, each from 1.20 to 1.36 that has all
 * its flags) is an error and IN's fault; what only some refuse is a warning
 * that names them. An error in a file goes to DIAG, one in an argument to the
 * flags' remarks. 0 or -ENOMEM.
 *
 * What only the host could tell, and what files hold that a setting names, is
 * not looked at.
 */
int kr_validate(struct kr_inputs *in, struct kr_diag *diag);
