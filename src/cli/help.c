/* SPDX-License-Identifier: Apache-2.0 */

/*
 * --help, printed from the tables.
 */

#include <stdio.h>

#include "cli/help.h"
#include "cli/option-table.h"

static void print_commands(FILE *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(kr_commands); i++) {
		if (!kr_commands[i].hidden)
			fprintf(out, "  %-8s %s\n", kr_commands[i].name,
			        kr_commands[i].summary);
	}
}

void kr_usage(FILE *out)
{
	fprintf(out, "usage: %s COMMAND [OPTION]...\n", KR_NAME);
	print_commands(out);
	fprintf(out, "see '%s --help'\n", KR_NAME);
}

static void print_row(FILE *out, const struct kr_option_row *row)
{
	char left[64];

	snprintf(left, sizeof(left), "%c%c%c --%s%s%s%s%s",
	         row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
	         row->letter ? ',' : ' ', row->name,
	         row->argument_may_lack ? "[" : "", row->argument ? "=" : "",
	         row->argument ? row->argument : "",
	         row->argument_may_lack ? "]" : "");
	fprintf(out, "  %-24s %s\n", left, row->help);
}

static void print_rows(FILE *out, enum kr_command command, bool common)
{
	for (size_t i = 0; i < kr_n_option_rows; i++) {
		if ((kr_option_rows[i].commands & KR_BIT(command)) &&
		    (kr_option_rows[i].commands == KR_EVERY) == common)
			print_row(out, &kr_option_rows[i]);
	}
}

static void print_command(FILE *out, enum kr_command command)
{
	fprintf(out, "usage: %s %s [OPTION]...%s%s%s\n%s\n\n", KR_NAME,
	        kr_commands[command].name,
	        kr_commands[command].argument ? " [" : "",
	        kr_commands[command].argument ? kr_commands[command].argument
	                                      : "",
	        kr_commands[command].argument ? "]" : "",
	        kr_commands[command].summary);
	print_rows(out, command, false);
	print_rows(out, command, true);
}

static bool has_own_rows(enum kr_command command)
{
	for (size_t i = 0; i < kr_n_option_rows; i++) {
		if ((kr_option_rows[i].commands & KR_BIT(command)) &&
		    kr_option_rows[i].commands != KR_EVERY)
			return true;
	}
	return false;
}

void kr_help(FILE *out, enum kr_command command)
{
	if (command < _KR_COMMAND_MAX) {
		print_command(out, command);
		return;
	}
	fprintf(out,
	        "usage: %s COMMAND [OPTION]...\n"
	        "Find out whether this node's kubelet manages its own iptables "
	        "chains\n(makeIPTablesUtilChains), say which byte of which "
	        "file "
	        "decides it, and put it right.\n\n",
	        KR_NAME);
	print_commands(out);
	fputs("\noptions of every command:\n", out);
	print_rows(out, KR_COMMAND_AUDIT, true);
	for (size_t i = 0; i < ARRAY_SIZE(kr_commands); i++) {
		if (kr_commands[i].hidden || !has_own_rows((enum kr_command)i))
			continue;
		fprintf(out, "\n%s:\n", kr_commands[i].name);
		print_rows(out, (enum kr_command)i, false);
	}
	fputs("\nexit status: 0 it is (or was made) true, 1 it is not, 2 wrong "
	      "usage, 3 no verdict,\n4 refused or failed, nothing changed, 5 "
	      "put back, 6 kubelet needs a hand\n",
	      out);
}
