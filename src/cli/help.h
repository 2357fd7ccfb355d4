/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What --help prints, from the tables of cli/option-table. */

#include <stdio.h>

#include "cli/options.h"

/* The help of COMMAND, or of all (_KR_COMMAND_MAX). */
void kr_help(FILE *out, enum kr_command command);

/* "audit, fix and fleet": the commands whose KR_BIT()s are set. */
void kr_help_commands(FILE *out, unsigned commands);

/* What the program alone prints: a few lines. */
void kr_usage(FILE *out);
