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

/* There may be very many of them. */
struct kr_exec_word {
	uint32_t start, end; /* in the line's value, quotes included */
	/* of the command's texts, from 1: specifiers resolved; 0: the bytes of
	 * the line's value as they stand there */
	uint32_t text : 30;
	bool specifier : 1; /* it has the value of one */
	bool unknown : 1;   /* ... that is unknown */
};

struct kr_exec_command {
	size_t line; /* index into the lines */
	struct kr_exec_word *words;
	size_t n_words;
	struct kr_text *texts;
	size_t n_texts;
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
 * One line of the directive; VALUE is moved away. An empty one clears the
 * earlier ones. 0; -ENOEXEC: systemd refuses the unit (in a drop-in: the rest
 * of that file), -EFBIG: there is more than can be read, DIAG says why;
 * -ENOMEM.
 *
 * Source: config_parse_exec() in src/core/load-fragment.c of systemd 252; the
 * "|" prefix of 258.
 */
int kr_exec_parse(struct kr_exec *exec, const struct kr_specifiers *specifiers,
                  struct kr_text *value);

/* The words of COMMAND, which stands in LINE, variables not expanded: for
 * free(3), with a NULL at the end, in one allocation; NULL: no memory. */
char **kr_exec_written(const struct kr_exec_command *command,
                       const struct kr_text *line);

void kr_exec_done(struct kr_exec *exec);
