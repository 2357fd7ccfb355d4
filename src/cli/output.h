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

/* The columns of the terminal that OUT is; 0: it is no terminal, or does not
 * say. */
unsigned kr_cli_columns(FILE *out);

/* The format for other programs that OPTIONS ask for; NULL: text or JSON. */
const struct kr_finding_format *kr_cli_finding_format(
	const struct kr_options *options);

/* VERDICT and TEXT as a headline, without colours and line end. The caller
 * frees it; NULL: no memory. */
char *kr_cli_line(enum kr_verdict verdict, const char *text);

/* Says so. The exit status. */
int kr_cli_out_of_memory(FILE *err);

#define KR_OUTPUT_TEMP_SIZE 48

struct kr_output_file {
	const char *path; /* borrowed */
	int dir_fd;
	const char *name;               /* its last part, in PATH */
	char temp[KR_OUTPUT_TEMP_SIZE]; /* beside it; "": it has no name yet */
	FILE *stream;                   /* what the result is written to */
};

/*
 * Opens a new file beside PATH, which is borrowed. 0, and RET->stream is for
 * the result; an errno, with a line on ERR: PATH is there and no regular file,
 * or its folder does not let itself be written to. RET is to be ended in each
 * case.
 */
int kr_output_file_begin(struct kr_output_file *ret, const char *path,
                         FILE *err);

/* Puts what was written in the place of the file, which is untouched until
 * then. Nothing was written: the file stays. 0; an errno, with a line on ERR,
 * and the file is untouched. */
int kr_output_file_commit(struct kr_output_file *file, FILE *err);

/* What was not committed is gone. */
void kr_output_file_done(struct kr_output_file *file);
#define _cleanup_output_file_ _cleanup_(kr_output_file_done)
