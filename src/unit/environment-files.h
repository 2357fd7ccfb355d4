/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The files of EnvironmentFile=: a part of unit/environment. */

#include "unit/environment.h"

/* One line of the directive. An empty VALUE clears the earlier ones. 0 or
 * -ENOMEM. */
int kr_environment_add_file(struct kr_environment *environment,
                            const struct kr_specifiers *specifiers,
                            const struct kr_text *value);

/* Whether PATH looks as if it were several, with blanks between them. */
bool kr_environment_is_several(const char *path);

enum kr_env_files {
	KR_ENV_FILES_READ,
	KR_ENV_FILES_MISSING, /* a mandatory one: environment->missing */
	KR_ENV_FILES_REFUSED, /* systemd refuses one, DIAG says why */
};

/*
 * Reads the environment files; ENVIRONMENT has then ALL, and no UNIT any more.
 * An enum kr_env_files; -EFBIG: they are too large, or too many, to be read,
 * DIAG says so; what reading a file that is there gave (DIAG names it);
 * -ENOMEM.
 */
int kr_environment_read(struct kr_environment *environment, struct kr_fs *fs,
                        unsigned systemd_version, struct kr_diag *diag);
