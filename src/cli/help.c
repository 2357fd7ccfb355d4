/* SPDX-License-Identifier: Apache-2.0 */

/*
 * --help, printed from the tables, in 80 columns whatever the terminal has: it
 * goes into pagers and bug reports, too.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "cli/help.h"
#include "cli/option-table.h"

#define WIDTH         80
#define COMMAND_WIDTH 12 /* of what is left of a command's summary */
#define STATUS_INDENT 2
#define OPTION_WIDTH  27 /* of what is left of an option's help */

/* What is judged where no option says it. */
#define USUAL                                                                  \
	"Without --benchmark and --control this is about one setting, "        \
	"makeIPTablesUtilChains, which must be true."

/* TEXT in lines of words that start at column INDENT, from the first line on if
 * there is room behind the COLUMNS that are taken. */
static void print_wrapped(FILE *out, size_t columns, size_t indent,
                          const char *text)
{
	const char *blank = "";

	if (columns > 0 && columns >= indent) {
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

/* The words that each of COMMANDS knows. */
static void list_words(FILE *list, const struct kr_option_row *row,
                       unsigned commands)
{
	const char *before = row->words && row->words->means ? "; " : ": ";

	for (const struct kr_option_word *w = row->words; w && w->name; w++) {
		bool by_default = row->first_by_default && w == row->words;

		if ((w->commands & commands) != commands)
			continue;
		fprintf(list, "%s%s%s%s%s", before, w->name,
		        by_default ? " (default)" : "", w->means ? ": " : "",
		        w->means ? w->means : "");
		before = w->means ? "; " : ", ";
	}
}

/* The options that only some of COMMANDS know, by command. */
static void list_more_words(FILE *list, const struct kr_option_row *row,
                            unsigned commands)
{
	unsigned said = 0;

	for (const struct kr_option_word *w = row->words; w && w->name; w++) {
		unsigned of = w->commands & commands;
		const char *before = " also ";

		if (of == 0 || of == commands || of == said)
			continue;
		said = of;
		fputs("; ", list);
		kr_help_commands(list, of);
		for (const struct kr_option_word *v = w; v->name; v++) {
			if ((v->commands & commands) != of)
				continue;
			fprintf(list, "%s%s", before, v->name);
			before = ", ";
		}
	}
}

/* ROW as it is for COMMANDS, all of them. */
static void print_row(FILE *out, const struct kr_option_row *row,
                      unsigned commands)
{
	_cleanup_free_ char *help = NULL;
	size_t size;
	FILE *list = open_memstream(&help, &size);
	int columns = fprintf(
		out, "  %c%c%c --%s%s%s%s%s", row->letter ? '-' : ' ',
		row->letter ? row->letter : ' ', row->letter ? ',' : ' ',
		row->name, row->argument_may_lack ? "[" : "",
		row->argument ? "=" : "", row->argument ? row->argument : "",
		row->argument_may_lack ? "]" : "");

	if (list) {
		fputs(row->help, list);
		list_words(list, row, commands);
		list_more_words(list, row, commands);
		fclose(list);
	}
	print_wrapped(out, (size_t)columns, OPTION_WIDTH,
	              help ? help : row->help);
}

/* The commands of ROW that people see. */
static unsigned visible(const struct kr_option_row *row)
{
	return row->commands & ~KR_BIT(KR_COMMAND_RECOVER);
}

static bool is_of_all(const struct kr_option_row *row)
{
	return visible(row) == (KR_EVERY & ~KR_BIT(KR_COMMAND_RECOVER));
}

/* These come last where one command is asked for: fleet and history know fewer
 * of them. */
static bool is_common(const struct kr_option_row *row)
{
	unsigned most = KR_EVERY & ~KR_BIT(KR_COMMAND_RECOVER) &
	                ~KR_BIT(KR_COMMAND_FLEET) & ~KR_BIT(KR_COMMAND_HISTORY);

	return (visible(row) & most) == most;
}

static void print_rows(FILE *out, enum kr_command command, bool common)
{
	KR_EACH(const struct kr_option_row, row, kr_option_rows,
	        kr_n_option_rows) {
		if ((row->commands & KR_BIT(command)) &&
		    is_common(row) == common)
			print_row(out, row, KR_BIT(command));
	}
}

static void print_command(FILE *out, enum kr_command command)
{
	const struct kr_command_row *row = &kr_commands[command];
	_cleanup_free_ char *about = NULL;

	fprintf(out, "usage: %s %s [OPTION]...%s%s%s\n", KR_NAME, row->name,
	        row->argument ? " [" : "", row->argument ? row->argument : "",
	        row->argument ? "]" : "");
	if (kr_format(
		    &about, "%c%s.%s", toupper(*row->summary), row->summary + 1,
		    kr_command_takes(command, "control") ? " " USUAL : "") == 0)
		print_wrapped(out, 0, 0, about);
	if (row->example)
		fprintf(out,
		        "example: %1$s %2$s%3$s\n"
		        "the manual is %1$s(8)\n",
		        KR_NAME, row->name, row->example);
	fputc('\n', out);
	print_rows(out, command, false);
	print_rows(out, command, true);
	if (row->left) {
		fputs("\nwhat it leaves, and why:\n", out);
		print_wrapped(out, 0, STATUS_INDENT, row->left);
	}
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
			print_row(out, &kr_option_rows[i], commands);
	}
}

void kr_help(FILE *out, enum kr_command command)
{
	if (command < _KR_COMMAND_MAX) {
		print_command(out, command);
		return;
	}
	fprintf(out, "usage: %s COMMAND [OPTION]...\n", KR_NAME);
	print_wrapped(out, 0, 0,
	              "Audit and fix the kubelet settings that the CIS "
	              "benchmarks demand of a node. " USUAL);
	fputc('\n', out);
	print_commands(out);
	fprintf(out,
	        "\nexamples:\n"
	        "  %1$s audit       why does this node fail?\n"
	        "  %1$s fix -n      what would change?\n"
	        "  %1$s audit --benchmark=eks-1.8\n"
	        "the manual is %1$s(8)\n",
	        KR_NAME);
	fputs("\noptions of every command:\n", out);
	for (size_t i = 0; i < kr_n_option_rows; i++) {
		if (is_of_all(&kr_option_rows[i]))
			print_row(out, &kr_option_rows[i],
			          visible(&kr_option_rows[i]));
	}
	for (size_t i = 0; i < kr_n_option_rows; i++) {
		if (!is_of_all(&kr_option_rows[i]))
			print_group(out, i);
	}
	fputs("\nexit status: 0 all pass (now), 1 a control fails or would "
	      "change, 2 wrong usage,\n3 no verdict, 4 refused or failed and "
	      "nothing is changed, 5 put back,\n6 kubelet needs manual "
	      "repair\n",
	      out);
}
