/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* JSON as a listener hears it. */

#include "base/json.h"
#include "doc/event.h"

/*
 * Reads the whole FILE aloud. 0; KR_MALFORMED with an error in DIAG; -ENOMEM;
 * what LISTENER gave.
 */
int kr_json_read(const struct kr_file *file, const struct kr_listener *listener,
                 struct kr_diag *diag);
