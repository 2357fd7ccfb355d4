/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The commands: what they ask, what they print, and the exit status. */

#include <stdio.h>

#include "cli/options.h"

/* Statuses besides those of audit and fix (interface in the manual). */
#define KR_STATUS_USAGE       2
#define KR_STATUS_NO_VERDICT  3
#define KR_STATUS_NO_MEMORY   71 /* EX_OSERR of sysexits.h */
#define KR_STATUS_LOST_OUTPUT 74 /* EX_IOERR of sysexits.h */

/* Runs what OPTIONS ask for. OUT gets the result, ERR the rest. The exit
 * status. */
int kr_cli_run(const struct kr_options *options, FILE *out, FILE *err);
