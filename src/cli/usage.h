/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is said of wrong usage: what is wrong with which word, what was meant,
 * and where to read on. Each prints on ERR and gives -EINVAL.
 */

#include <stdarg.h>
#include <stdio.h>

#include "cli/option-table.h"

/* WORD as a terminal may be given it: kr_utf8_show(). */
void kr_usage_word(FILE *err, const char *word);

/* The same of a whole sentence, and the end of the line. */
void kr_usage_sentence(FILE *err, const char *format, va_list args)
	_printf_(2, 0);

/* WORD stands where a command should. */
int kr_usage_no_command(FILE *err, const char *word);

/*
 * getopt_long(3) did not take ARG, of COMMAND, and set optopt to CODE: 0, no
 * option or several begin so; below 256, the letter; else ROW, which takes no
 * argument (NULL for the others).
 */
int kr_usage_no_option(FILE *err, enum kr_command command, const char *arg,
                       int code, const struct kr_option_row *row);

/* The option ROW lacks its argument. */
int kr_usage_no_argument(FILE *err, enum kr_command command,
                         const struct kr_option_row *row);

/* The option ROW does not take VALUE. */
int kr_usage_no_value(FILE *err, enum kr_command command,
                      const struct kr_option_row *row, const char *value);

/* The option ROW was given twice, with other arguments. */
int kr_usage_twice(FILE *err, enum kr_command command,
                   const struct kr_option_row *row);

/* The option NAME does nothing without OTHER. */
int kr_usage_alone(FILE *err, enum kr_command command, const char *name,
                   const char *other);

/* WORD is one too many. BEFORE: the option that it stands behind, whose
 * argument may lack and is given as --NAME=WORD only; or NULL. */
int kr_usage_no_operand(FILE *err, enum kr_command command, const char *word,
                        const struct kr_option_row *before);
