/* SPDX-License-Identifier: Apache-2.0 */

/*
 * print-completions: what the build makes the completions for shells with.
 *
 *     print-completions bash|zsh|fish TEMPLATE
 *
 * Prints TEMPLATE, a script in the shell's own language, and the commands and
 * options in that language in the place of its line "# @TABLE@". So what a
 * shell offers is what the program takes.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/vec.h"
#include "cli/option-table.h"

#define MARK "# @TABLE@\n"
#define HELP "print the help of a command" /* which is no row of the table */

/* The words that ROW takes with COMMAND, each behind a blank. */
static void print_words(const struct kr_option_row *row,
                        enum kr_command command)
{
	for (const struct kr_option_word *w = row->words; w && w->name; w++) {
		if (w->commands & KR_BIT(command))
			printf(" %s", w->name);
	}
}

/* TEXT, with a backslash before each character of SPECIAL; "'" as QUOTE says.
 */
static void print_escaped(const char *text, const char *special,
                          const char *quote)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs(quote, stdout);
		else if (strchr(special, *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

/* --- bash ---------------------------------------------------------------- */

static void print_bash_words(void)
{
	puts("# _kubelet_remedy_words COMMAND: its options; none: the "
	     "commands\n"
	     "_kubelet_remedy_words() {\n    case $1 in\n"
	     "        '') printf '%s\\n' --help --version");
	for (int c = 0; c < _KR_COMMAND_MAX; c++)
		printf("            printf '%%s\\n' %s\n", kr_commands[c].name);
	puts("            printf '%s\\n' help\n            ;;\n        help)");
	for (int c = 0; c < _KR_COMMAND_MAX; c++)
		printf("            printf '%%s\\n' %s\n", kr_commands[c].name);
	puts("            ;;");
	for (int c = 0; c < _KR_COMMAND_MAX; c++) {
		printf("        %s)\n", kr_commands[c].name);
		KR_EACH(const struct kr_option_row, row, kr_option_rows,
		        kr_n_option_rows) {
			if (!(row->commands & KR_BIT(c)))
				continue;
			printf("            printf '%%s\\n'");
			if (row->letter)
				printf(" -%c", row->letter);
			if (!row->argument || row->argument_may_lack)
				printf(" --%s", row->name);
			if (row->argument)
				printf(" --%s=", row->name);
			putchar('\n');
		}
		puts("            ;;");
	}
	puts("    esac\n}\n");
}

static void print_bash_argument(const struct kr_option_row *row,
                                enum kr_command command)
{
	printf("        %s,--%s", kr_commands[command].name, row->name);
	if (row->letter)
		printf("|%s,-%c", kr_commands[command].name, row->letter);
	fputs(row->argument_may_lack ? ") echo 'joined " : ") echo '", stdout);
	if (row->complete == KR_COMPLETE_FILE)
		fputs("file", stdout);
	else if (row->complete == KR_COMPLETE_FOLDER)
		fputs("folder", stdout);
	else
		fputs("words", stdout);
	print_words(row, command);
	puts("';;");
}

static void print_bash(void)
{
	print_bash_words();
	puts("# _kubelet_remedy_argument COMMAND OPTION: file, folder, or "
	     "words\n"
	     "_kubelet_remedy_argument() {\n    case $1,$2 in");
	for (int c = 0; c < _KR_COMMAND_MAX; c++) {
		KR_EACH(const struct kr_option_row, row, kr_option_rows,
		        kr_n_option_rows) {
			if (row->argument && (row->commands & KR_BIT(c)))
				print_bash_argument(row, (enum kr_command)c);
		}
	}
	puts("    esac\n}");
}

/* --- zsh ----------------------------------------------------------------- */

#define ZSH_QUOTE "'\\''"

static void print_zsh_option(const struct kr_option_row *row,
                             enum kr_command command)
{
	const char *equals = row->argument_may_lack ? "=-"
	                     : row->argument        ? "="
	                                            : "";

	fputs(" \\\n        ", stdout);
	if (row->letter)
		printf("'(-%c --%s)'{-%c%s,--%s%s}'[", row->letter, row->name,
		       row->letter, row->argument ? "+" : "", row->name,
		       equals);
	else
		printf("'--%s%s[", row->name, equals);
	print_escaped(row->help, "[]\\", ZSH_QUOTE);
	putchar(']');
	if (row->argument) {
		fputs(row->argument_may_lack ? "::" : ":", stdout);
		print_escaped(row->argument, ":\\", ZSH_QUOTE);
		putchar(':');
	}
	if (row->complete == KR_COMPLETE_FILE)
		fputs("_files", stdout);
	else if (row->complete == KR_COMPLETE_FOLDER)
		fputs("_files -/", stdout);
	if (row->words) {
		putchar('(');
		print_words(row, command);
		putchar(')');
	}
	putchar('\'');
}

static void print_zsh(void)
{
	puts("_kubelet-remedy_commands() {\n    local -a commands\n"
	     "    commands=(");
	for (int c = 0; c < _KR_COMMAND_MAX; c++) {
		printf("        '%s:", kr_commands[c].name);
		print_escaped(kr_commands[c].summary, ":\\", ZSH_QUOTE);
		puts("'");
	}
	puts("        'help:" HELP "'\n"
	     "    )\n    _describe -t commands command commands\n}\n"
	     "\n_kubelet-remedy_help() {\n"
	     "    _arguments '1:command:_kubelet-remedy_commands'\n}");
	for (int c = 0; c < _KR_COMMAND_MAX; c++) {
		printf("\n_kubelet-remedy_%s() {\n    _arguments -s -S",
		       kr_commands[c].name);
		for (size_t i = 0; i < kr_n_option_rows; i++) {
			if (kr_option_rows[i].commands & KR_BIT(c))
				print_zsh_option(&kr_option_rows[i],
				                 (enum kr_command)c);
		}
		if (kr_commands[c].argument)
			printf(" \\\n        "
			       "'1:%s:_kubelet-remedy_transactions'",
			       kr_commands[c].argument);
		puts("\n}");
	}
}

/* --- fish ---------------------------------------------------------------- */

#define FISH_QUOTE "\\'"

static void print_fish_option(const struct kr_option_row *row,
                              enum kr_command command)
{
	printf("complete -c kubelet-remedy -n "
	       "'__fish_seen_subcommand_from %s' -l %s",
	       kr_commands[command].name, row->name);
	if (row->letter)
		printf(" -s %c", row->letter);
	if (row->complete == KR_COMPLETE_FILE) {
		fputs(" -r -F", stdout);
	} else if (row->complete == KR_COMPLETE_FOLDER) {
		fputs(" -x -a '(__fish_complete_directories)'", stdout);
	} else if (row->words) {
		fputs(" -x -a '", stdout);
		print_words(row, command);
		putchar('\'');
	} else if (row->argument && !row->argument_may_lack) {
		fputs(" -x", stdout);
	}
	fputs(" -d '", stdout);
	print_escaped(row->help, "\\", FISH_QUOTE);
	puts("'");
}

static void print_fish_help(void)
{
	puts("complete -c kubelet-remedy -n __fish_use_subcommand -a help -d "
	     "'" HELP "'");
	for (int c = 0; c < _KR_COMMAND_MAX; c++)
		printf("complete -c kubelet-remedy -n "
		       "'__fish_seen_subcommand_from help' -a %s\n",
		       kr_commands[c].name);
}

static void print_fish(void)
{
	print_fish_help();
	for (int c = 0; c < _KR_COMMAND_MAX; c++) {
		printf("complete -c kubelet-remedy -n __fish_use_subcommand -a "
		       "%s -d '",
		       kr_commands[c].name);
		print_escaped(kr_commands[c].summary, "\\", FISH_QUOTE);
		puts("'");
		if (kr_commands[c].argument)
			printf("complete -c kubelet-remedy -n "
			       "'__fish_seen_subcommand_from %s' -a "
			       "'(__kubelet_remedy_transactions)'\n",
			       kr_commands[c].name);
		for (size_t i = 0; i < kr_n_option_rows; i++) {
			if (kr_option_rows[i].commands & KR_BIT(c))
				print_fish_option(&kr_option_rows[i],
				                  (enum kr_command)c);
		}
	}
}

/* --- the whole ----------------------------------------------------------- */

static const struct {
	const char *name;
	void (*print)(void);
} shells[] = {
	{"bash", print_bash},
	{"zsh", print_zsh},
	{"fish", print_fish},
};

static int print_template(const char *path, void (*print)(void))
{
	_cleanup_fclose_ FILE *in = fopen(path, "re");
	char line[512];
	bool marked = false;

	if (!in) {
		perror(path);
		return 1;
	}
	while (fgets(line, sizeof(line), in)) {
		if (strcmp(line, MARK) == 0) {
			print();
			marked = true;
		} else {
			fputs(line, stdout);
		}
	}
	return marked && !ferror(in) && fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 3 && i < ARRAY_SIZE(shells); i++) {
		if (strcmp(argv[1], shells[i].name) == 0)
			return print_template(argv[2], shells[i].print);
	}
	fputs("usage: print-completions bash|zsh|fish TEMPLATE\n", stderr);
	return 2;
}
