/* SPDX-License-Identifier: Apache-2.0 */

/*
 * --help, printed from the tables, in 80 columns whatever the terminal has: it
 * goes into pagers and bug reports, too.
 */

#include <stdio.h>
#include <string.h>

#include "cli/help.h"
#include "cli/option-table.h"

#define WIDTH         80
#define COMMAND_WIDTH 12 /* of what is left of a command's summary */
#define STATUS_INDENT 2
#define OPTION_WIDTH  27 /* of what is left of an option's help */

/* TEXT in lines of words that start at column INDENT, from the first line on if
 * there is room behind the COLUMNS that are taken. */
static void print_wrapped(FILE *out, size_t columns, size_t indent,
                          const char *text)
{
	const char *blank = "";

	if (columns >= indent) {
		fputc('\n', out);
		columns = 0;
	}
	fprintf(out, "%*s", (int)(indent - columns), "");
	columns = indent;
	while (*text) {
		size_t length = strcspn(text, " ");

		if (columns + strlen(blank) + length > WIDTH) {
			fprintf(out, "\n%*s", (int)indent, "");
			columns = indent;
			blank = "";
		}
		columns += (size_t)fprintf(out, "%s%.*s", blank, (int)length,
		                           text);
		blank = " ";
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static void print_commands(FILE *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(kr_commands); i++) {
		if (kr_commands[i].hidden)
			continue;
		print_wrapped(out,
		              (size_t)fprintf(out, "  %s", kr_commands[i].name),
		              COMMAND_WIDTH, kr_commands[i].summary);
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
	int columns = fprintf(
		out, "  %c%c%c --%s%s%s%s%s", row->letter ? '-' : ' ',
		row->letter ? row->letter : ' ', row->letter ? ',' : ' ',
		row->name, row->argument_may_lack ? "[" : "",
		row->argument ? "=" : "", row->argument ? row->argument : "",
		row->argument_may_lack ? "]" : "");

	print_wrapped(out, (size_t)columns, OPTION_WIDTH, row->help);
}

/* The commands of ROW that people see. */
static unsigned visible(const struct kr_option_row *row)
{
	return row->commands & ~KR_BIT(KR_COMMAND_RECOVER);
}

static bool is_common(const struct kr_option_row *row)
{
	return row->commands == KR_EVERY;
}

static void print_rows(FILE *out, enum kr_command command, bool common)
{
	for (size_t i = 0; i < kr_n_option_rows; i++) {
		const struct kr_option_row *row = &kr_option_rows[i];

		if ((row->commands & KR_BIT(command)) &&
		    is_common(row) == common)
			print_row(out, row);
	}
}

static void print_command(FILE *out, enum kr_command command)
{
	const struct kr_command_row *row = &kr_commands[command];

	fprintf(out, "usage: %s %s [OPTION]...%s%s%s\n%s\n\n", KR_NAME,
	        row->name, row->argument ? " [" : "",
	        row->argument ? row->argument : "", row->argument ? "]" : "",
	        row->summary);
	print_rows(out, command, false);
	print_rows(out, command, true);
	fputs("\nexit status:\n", out);
	print_wrapped(out, 0, STATUS_INDENT, row->statuses);
}

void kr_help_commands(FILE *out, unsigned commands)
{
	const char *before = "";

	commands &= ~KR_BIT(KR_COMMAND_RECOVER);
	for (size_t i = 0; i < _KR_COMMAND_MAX; i++) {
		if (!(commands & KR_BIT(i)))
			continue;
		commands &= ~KR_BIT(i);
		fprintf(out, "%s%s", before, kr_commands[i].name);
		before = commands & (commands - 1) ? ", " : " and ";
	}
}

/* The rows of the same commands as that of INDEX, if it is the first of them.
 */
static void print_group(FILE *out, size_t index)
{
	unsigned commands = visible(&kr_option_rows[index]);

	for (size_t i = 0; i < index; i++) {
		if (visible(&kr_option_rows[i]) == commands)
			return;
	}
	fputs("\noptions of ", out);
	kr_help_commands(out, commands);
	fputs(":\n", out);
	for (size_t i = index; i < kr_n_option_rows; i++) {
		if (visible(&kr_option_rows[i]) == commands)
			print_row(out, &kr_option_rows[i]);
	}
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
	        "file decides it,\nand put it right.\n\n",
	        KR_NAME);
	print_commands(out);
	fputs("\noptions of every command:\n", out);
	print_rows(out, KR_COMMAND_AUDIT, true);
	for (size_t i = 0; i < kr_n_option_rows; i++) {
		if (!is_common(&kr_option_rows[i]))
			print_group(out, i);
	}
	fputs("\nexit status: 0 it is (or was made) true, 1 it is not, 2 wrong "
	      "usage,\n3 no verdict, 4 refused or failed, nothing changed, 5 "
	      "put "
	      "back,\n6 kubelet needs a hand\n",
	      out);
}
