/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Where the commands print: what OUT and ERR are. */

#include <stdbool.h>
#include <stdio.h>

#include "cli/options.h"
#include "report/finding.h"
#include "report/term.h"

/* OUT as a terminal, with the colours that OPTIONS and NO_COLOR allow. */
struct kr_term kr_cli_terminal(const struct kr_options *options, FILE *out);

/* The format for other programs that OPTIONS ask for; NULL: text or JSON. */
const struct kr_finding_format *kr_cli_finding_format(
	const struct kr_options *options);

/* Says so. The exit status. */
int kr_cli_out_of_memory(FILE *err);
