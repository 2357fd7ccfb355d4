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

/*
 * A process can have some 100,000 variables (ARG_MAX), but files may assign as
 * often as they are long, and every assignment is kept: what lost is
 * reported, too. With more memory than this no more is read.
 */
#define KR_ENVIRONMENT_HELD_MAX ((size_t)18 * 1024 * 1024)

/* A variable as it is read, before it takes its place among many. */
struct kr_assignment {
	char *name;
	struct kr_text value;
	enum kr_variable_source source;
	enum kr_value_form form;
	char quote;
	bool unknown;
	/* of the variable (unit/resolve.h); one file, if any */
	struct kr_span span, value_span, comment;
};

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
	char *missing;          /* the mandatory file that is not there */
	struct kr_arena *texts; /* of all variables */
	size_t held;            /* bytes of memory of all this, about */
	size_t work; /* bytes of files and entries of folders looked at */
};

/* One line of the directive. An empty VALUE clears the earlier ones. 0;
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

/* A variable that systemd adds itself. VALUE is copied; NULL: not known. 0;
 * -EFBIG: there are too many, DIAG says so; -ENOMEM. */
int kr_environment_inherit(struct kr_environment *environment,
                           enum kr_variable_source source, const char *name,
                           const char *value, struct kr_diag *diag);

/* The same with a place in a file; moves *VARIABLE in. 0 or -ENOMEM. */
int kr_environment_inherit_one(struct kr_environment *environment,
                               struct kr_unit_variable *variable);

/* Another assignment for TO, one of ENVIRONMENT's; *V gives what it owns away.
 * 0; -EFBIG: there are too many, DIAG says so; -ENOMEM. */
int kr_environment_hold(struct kr_environment *environment,
                        struct kr_variables *to, struct kr_assignment *v,
                        struct kr_diag *diag);

void kr_environment_done(struct kr_environment *environment);

/* Moves *V, or all of *FROM, to the end, if that works. 0 or -ENOMEM. */
int kr_variables_add(struct kr_variables *to, struct kr_unit_variable *v);
int kr_variables_move(struct kr_variables *to, struct kr_variables *from);
void kr_variables_done(struct kr_variables *variables);
#define _cleanup_variables_ _cleanup_(kr_variables_done)

/* Whether systemd takes the LENGTH bytes at NAME for a variable's name. */
bool kr_variable_name_valid(const char *name, size_t length);
void kr_assignment_done(struct kr_assignment *v);
#define _cleanup_assignment_ _cleanup_(kr_assignment_done)

/* V has no value, which is unknown for COMMENT, unless for another one. 0 or
 * -ENOMEM. */
int kr_variable_doubt(struct kr_unit_variable *v, struct kr_span comment);
