/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What each command does, as kr_cli_run() calls it. Each gives the exit
 * status. RET_LINE: the result in one line, which the caller frees, or NULL. */

#include <stdio.h>

#include "cli/options.h"

int kr_cli_audit(const struct kr_options *options, FILE *out, FILE *err,
                 char **ret_line);
/* fix, undo and recover */
int kr_cli_change(const struct kr_options *options, FILE *out, FILE *err);
int kr_cli_fleet(const struct kr_options *options, FILE *out, FILE *err,
                 char **ret_line);
int kr_cli_controls(const struct kr_options *options, FILE *out, FILE *err);
int kr_cli_history(const struct kr_options *options, FILE *out, FILE *err);
int kr_cli_status(const struct kr_options *options, FILE *out, FILE *err);
