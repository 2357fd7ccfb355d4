/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Results for scripts: JSON (data/schema/). */

#include <stdio.h>

#include "fix/fix.h"
#include "fix/history.h"
#include "host/status.h"
#include "policy/judge.h"

/* Each prints one object and a newline. 0 or -ENOMEM. */
int kr_json_fix(FILE *out, const struct kr_fix *fix,
                const struct kr_diag *diag);
int kr_json_status(FILE *out, const struct kr_status *status);
/* A status that could read nothing. */
int kr_json_status_unread(FILE *out, const struct kr_node_options *options);
int kr_json_history(FILE *out, const struct kr_history *history);
/* A history that could not be read. */
int kr_json_history_unread(FILE *out, const struct kr_diag *diag);
