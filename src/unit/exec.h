/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ExecStart=: commands as they are written, variables not yet expanded.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "unit/specifier.h"

struct kr_exec_word {
	struct kr_text text; /* specifiers resolved */
	uint32_t start, end; /* in the line's value, quotes included */
	bool specifier;      /* TEXT has the value of one */
	bool unknown;        /* ... that cannot be told */
};

struct kr_exec_command {
	size_t line; /* index into the lines */
	struct kr_exec_word *words;
	size_t n_words;
	char *path;        /* simplified */
	size_t start, end; /* in the line, prefixes included */
	size_t path_end;   /* of the word that names the program */
	bool ignore_failure, no_environment, argv0, shell;
};

struct kr_exec {
	struct kr_text *lines; /* values */
	size_t n_lines;
	struct kr_exec_command *commands;
	size_t n_commands;
	size_t held; /* bytes of memory of all words, about */
};

/*
 * One line of the directive; VALUE is moved away. An empty one takes back the
 * earlier ones. 0; -ENOEXEC: systemd refuses the unit (in a drop-in: the rest
 * of that file), -EFBIG: there is more than can be read, DIAG says why;
 * -ENOMEM.
 *
 * Source: config_parse_exec() in src/core/load-fragment.c of systemd 252; the
 * "|" prefix of 258.
 */
int kr_exec_parse(struct kr_exec *exec, const struct kr_specifiers *specifiers,
                  struct kr_text *value);

void kr_exec_done(struct kr_exec *exec);
