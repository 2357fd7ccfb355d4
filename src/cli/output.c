/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the commands print on. Colours are for terminals, unless --color=always
 * is given; NO_COLOR (no-color.org) turns them off where --color is not given.
 */

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/output.h"

struct kr_term kr_cli_terminal(const struct kr_options *o, FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	bool is_tty = isatty(fileno(out)) == 1;
	struct kr_term term = {.out = out, .is_terminal = is_tty};
	struct winsize size;

	term.color = o->color == KR_WHEN_ALWAYS ||
	             (o->color == KR_WHEN_AUTO && is_tty &&
	              !(no_color && *no_color));
	if (is_tty && ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
		term.width = size.ws_col;
	return term;
}

const struct kr_finding_format *kr_cli_finding_format(
	const struct kr_options *o)
{
	switch (o->format) {
	case KR_FORMAT_SARIF:
		return &kr_sarif;
	case KR_FORMAT_JUNIT:
		return &kr_junit;
	case KR_FORMAT_PROMETHEUS:
		return &kr_prometheus;
	default:
		return NULL;
	}
}

int kr_cli_out_of_memory(FILE *err)
{
	fprintf(err, "%s: out of memory\n", KR_NAME);
	return KR_STATUS_NO_MEMORY;
}
