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

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/help.h"

static int dispatch(const struct kr_options *o, FILE *out, FILE *err)
{
	switch (o->command) {
	case KR_COMMAND_AUDIT:
		return kr_cli_audit(o, out, err);
	case KR_COMMAND_FIX:
	case KR_COMMAND_UNDO:
	case KR_COMMAND_RECOVER:
		return kr_cli_change(o, out, err);
	case KR_COMMAND_HISTORY:
		return kr_cli_history(o, out, err);
	case KR_COMMAND_STATUS:
		return kr_cli_status(o, out, err);
	case KR_COMMAND_FLEET:
		return kr_cli_fleet(o, out, err);
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

int kr_cli_run(const struct kr_options *o, FILE *out, FILE *err)
{
	int status;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	status = dispatch(o, out, err);
	if (fflush(out) == 0 && !ferror(out))
		return status;
	fprintf(err, "%s: the output could not be written: %s\n", KR_NAME,
	        strerror(errno));
	return status <= 1 ? KR_STATUS_LOST_OUTPUT : status;
}
