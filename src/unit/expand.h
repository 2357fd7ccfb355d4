/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * From commands as they are written to the argv that is executed.
 */

#include "unit/exec-limits.h"
#include "unit/exec.h"
#include "unit/resolve.h"

struct kr_expand_options {
	/* about names that the unit does not have: true if systemd may give
	 * them a value that is not known */
	bool (*inherited)(void *userdata, const char *name);
	void *userdata;
	/* the words before their variables are expanded: what has none shares
	 * these bytes, which must outlive RET; NULL: all have their own */
	char *const *written;
	struct kr_limits *limits;
	struct kr_diag *diag;
};

/*
 * Expands the variables of COMMAND, which stands in LINE, with those of UNIT
 * into RET; the words of COMMAND are gone then. 0; -E2BIG: execve(2) would
 * refuse what it gives, DIAG says so; -EFBIG: it might, or it is more than is
 * read, DIAG says so; -ENOMEM.
 *
 * Source: replace_env_argv() and replace_env() in src/basic/env-util.c of
 * systemd 252.
 */
int kr_expand_command(const struct kr_unit *unit,
                      struct kr_exec_command *command,
                      const struct kr_text *line,
                      const struct kr_expand_options *options,
                      struct kr_unit_command *ret);

void kr_unit_command_done(struct kr_unit_command *command);
