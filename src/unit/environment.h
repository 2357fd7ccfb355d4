/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The environment of a command: assignments from all sources, and which wins.
 */

#include <stdbool.h>

#include "base/diag.h"
#include "base/fs.h"
#include "base/vec.h"
#include "unit/resolve.h"
#include "unit/specifier.h"

/* Why a variable is not known behind its comment. */
#define KR_COMMENT_CONTINUES                                                   \
	"a comment ends in a backslash: before systemd 254 the next line "     \
	"belongs to it, and which systemd reads this is not known"

struct kr_variables {
	struct kr_unit_variable *items;
	size_t n_items;
};

struct kr_environment {
	/* what systemd adds; behind it, once the files are read, the variables
	 * of the unit and those of the files: the later one wins */
	struct kr_variables all;
	struct kr_variables unit;     /* Environment=, before that */
	struct kr_variables shadowed; /* what lost */
	struct kr_strings unset;      /* UnsetEnvironment= */
	struct kr_strings pass;       /* PassEnvironment= */
	struct kr_strings paths;      /* EnvironmentFile=, with "-" */
	/* what was read, globs expanded */
	struct kr_strings read;
	char *missing; /* the mandatory file that is not there */
	size_t held;   /* bytes of memory of all this, about */
	size_t work;   /* bytes of files and entries of folders looked at */
};

/* Whether UnsetEnvironment= has the plain NAME; behind
 * kr_environment_merge(). */
bool kr_environment_is_unset(const struct kr_environment *environment,
                             const char *name);

/* One line of the directive. An empty VALUE takes back the earlier ones. 0;
 * -EFBIG: the environment is too large to be held, the diag names the file;
 * -ENOMEM. */
int kr_environment_assign(struct kr_environment *environment,
                          const struct kr_specifiers *specifiers,
                          const struct kr_text *value);
int kr_environment_unset(struct kr_environment *environment,
                         const struct kr_specifiers *specifiers,
                         const struct kr_text *value);
int kr_environment_pass(struct kr_environment *environment,
                        const struct kr_specifiers *specifiers,
                        const struct kr_text *value);
int kr_environment_add_file(struct kr_environment *environment,
                            const struct kr_specifiers *specifiers,
                            const struct kr_text *value);

/* A variable that systemd adds itself. VALUE is copied; NULL: not known. 0;
 * -EFBIG: there are too many, DIAG says so; -ENOMEM. */
int kr_environment_inherit(struct kr_environment *environment,
                           enum kr_variable_source source, const char *name,
                           const char *value, struct kr_diag *diag);

/* The same with a place in a file; moves *VARIABLE in. 0 or -ENOMEM. */
int kr_environment_inherit_one(struct kr_environment *environment,
                               struct kr_unit_variable *variable);

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

/*
 * Environment= as the manager holds it and shows over D-Bus: "NAME=value", a
 * name that is assigned again has its last value in its first place; before the
 * files are read. RET is the caller's. 0 or -ENOMEM.
 */
int kr_environment_written(const struct kr_environment *environment,
                           struct kr_strings *ret);

/* Hands ALL to RET, one a name, those that lost to SHADOWED. 0 or -ENOMEM. */
int kr_environment_merge(struct kr_environment *environment,
                         struct kr_variables *ret);

void kr_variables_done(struct kr_variables *variables);
#define _cleanup_variables_ _cleanup_(kr_variables_done)
void kr_environment_done(struct kr_environment *environment);
