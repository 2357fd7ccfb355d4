/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The commands: each is a file of its own here. Whatever it says, a status that
 * is good becomes another one where its output has not gone out.
 *
 * Neither a reader that went nor a limit of file sizes (ulimit -f) ends a run
 * in its middle: the write fails, and is treated as one.
 */

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/macro.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/output.h"

static int dispatch(const struct kr_options *o, FILE *out, FILE *err,
                    char **ret_line)
{
	switch (o->command) {
	case KR_COMMAND_AUDIT:
		return kr_cli_audit(o, out, err, ret_line);
	case KR_COMMAND_FIX:
	case KR_COMMAND_UNDO:
	case KR_COMMAND_RECOVER:
		return kr_cli_change(o, out, err);
	case KR_COMMAND_HISTORY:
		return kr_cli_history(o, out, err);
	case KR_COMMAND_STATUS:
		return kr_cli_status(o, out, err);
	case KR_COMMAND_FLEET:
		return kr_cli_fleet(o, out, err, ret_line);
	case KR_COMMAND_CONTROLS:
		return kr_cli_controls(o, out, err);
	case KR_COMMAND_VERSION:
		fprintf(out, "%s %s\n", KR_NAME, KR_VERSION);
		return 0;
	default:
		kr_help(out, o->help_on);
		return 0;
	}
}

/* Where the output is lost. */
static int lost(int status)
{
	return status <= 1 ? KR_STATUS_LOST_OUTPUT : status;
}

/* OUT took it all. */
static int finish(FILE *out, FILE *err, int status)
{
	if (fflush(out) == 0 && !ferror(out))
		return status;
	fprintf(err, "%s: the output could not be written: %s\n", KR_NAME,
	        strerror(errno));
	return lost(status);
}

/*
 * With --output-file. What cannot be written to is known before the run, which
 * does nothing then. OUT gets the result in one line: the log of a unit has it
 * then, and so does a person at a terminal.
 */
static int run_to_file(const struct kr_options *o, FILE *out, FILE *err)
{
	_cleanup_output_file_ struct kr_output_file file;
	_cleanup_free_ char *line = NULL;
	int status;

	if (kr_output_file_begin(&file, o->output_file, err) < 0)
		return KR_STATUS_LOST_OUTPUT;
	status = dispatch(o, file.stream, err, &line);
	switch (status) {
	case KR_STATUS_USAGE:
	case KR_STATUS_NO_MEMORY:
	case KR_STATUS_LOST_OUTPUT:
		return status;
	default:
		break;
	}
	if (kr_output_file_commit(&file, err) < 0)
		return lost(status);
	if (line)
		fprintf(out, "%s\n", line);
	return finish(out, err, status);
}

int kr_cli_run(const struct kr_options *o, FILE *out, FILE *err)
{
	_cleanup_free_ char *line = NULL;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (o->output_file)
		return run_to_file(o, out, err);
	return finish(out, err, dispatch(o, out, err, &line));
}
