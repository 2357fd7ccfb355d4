/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Wrong usage, in one sentence and a line that says where to read on. What was
 * meant is looked for among the words that would do (cli/suggest): the options
 * of this command, then those of the others.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/suggest.h"
#include "cli/usage.h"
#include "policy/editions.h"
#include "policy/rules.h"
#include "report/term.h"

void kr_usage_word(FILE *err, const char *word)
{
	const struct kr_term term = {.out = err};

	kr_term_text(&term, word);
}

void kr_usage_sentence(FILE *err, const char *format, va_list args)
{
	_cleanup_free_ char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	kr_usage_word(err, text ? text : "out of memory");
	fputc('\n', err);
}

static int read_on(FILE *err, enum kr_command command)
{
	bool known = command < _KR_COMMAND_MAX;

	fprintf(err, "%s: see '%s%s%s --help'\n", KR_NAME, KR_NAME,
	        known ? " " : "", known ? kr_commands[command].name : "");
	return -EINVAL;
}

/* "a, b or c"; the words come one by one, the last is known as such. */
struct list {
	FILE *out;
	size_t n_left; /* words still to come */
	bool begun;
};

static void list_next(struct list *list, const char *prefix, const char *word)
{
	list->n_left--;
	if (list->begun)
		fprintf(list->out, "%s", list->n_left > 0 ? ", " : " or ");
	fprintf(list->out, "%s%s", prefix, word);
	list->begun = true;
}

/* --- commands ------------------------------------------------------------ */

/* What other programs call it. */
static const struct {
	const char *words; /* blanks between them and at both ends */
	const char *ours, *what;
} synonyms[] = {
	{" check scan test verify report run assess validate ", "audit",
         "shows what does not pass, and which byte of which file decides"},
	{" plan diff preview dry-run dryrun simulate ", "fix -n",
         "shows what fix would change"},
	{" apply repair remediate patch enforce harden ", "fix",
         "corrects it; 'fix -n' shows the change first"},
	{" restart reload ", "fix --restart=always",
         "restarts kubelet, too, and proves that it is healthy"},
	{" rollback roll-back revert restore reset unfix ", "undo",
         "puts back what a fix changed; 'undo -n' shows the change first"},
	{" log logs changes transactions ", "history",
         "lists the fixes made on this node"},
	{" state show info health ", "status",
         "shows kubelet's unit and its health"},
	{" list ls rules benchmark benchmarks checks ", "controls",
         "lists the controls"},
	{" cluster nodes all ", "fleet",
         "audits many nodes through the API server"},
};

/* 1: WORD is another program's, and ours was named. */
static int name_ours(FILE *err, const char *word)
{
	size_t length = strlen(word);

	for (size_t i = 0; length > 0 && i < ARRAY_SIZE(synonyms); i++) {
		const char *at = strstr(synonyms[i].words, word);

		if (!at || strchr(word, ' ') || at[-1] != ' ' ||
		    at[length] != ' ')
			continue;
		fprintf(err, "%s: %s: not a command; '%s %s' %s\n", KR_NAME,
		        word, KR_NAME, synonyms[i].ours, synonyms[i].what);
		return 1;
	}
	return 0;
}

int kr_usage_no_command(FILE *err, const char *word)
{
	struct kr_suggest near = kr_suggest_for(word);
	bool is_option = word[0] == '-';

	if (name_ours(err, word))
		return read_on(err, _KR_COMMAND_MAX);

	for (size_t i = 0; i < _KR_COMMAND_MAX && !is_option; i++)
		kr_suggest_offer(&near, kr_commands[i].name);
	kr_suggest_offer(&near, "--help");
	kr_suggest_offer(&near, "--version");
	/* what other programs call it */
	if (strcmp(word, "-V") == 0)
		near.nearest = "--version";
	fprintf(err, "%s: ", KR_NAME);
	kr_usage_word(err, word);
	fprintf(err, ": %s",
	        is_option && !near.nearest ? "no command is given"
	                                   : "not a command");
	if (near.nearest)
		fprintf(err, "; did you mean '%s'?", near.nearest);
	fputc('\n', err);
	return read_on(err, _KR_COMMAND_MAX);
}

int kr_usage_alone(FILE *err, enum kr_command command, const char *name,
                   const char *other)
{
	fprintf(err, "%s: %s: does nothing without %s\n", KR_NAME, name, other);
	return read_on(err, command);
}

/* --- options ------------------------------------------------------------- */

static int no_letter(FILE *err, enum kr_command command, char letter)
{
	fprintf(err, "%s: -", KR_NAME);
	kr_usage_word(err, (char[]){letter, '\0'});
	fprintf(err, ": not an option of %s", kr_commands[command].name);
	for (size_t i = 0; i < kr_n_option_rows; i++) {
		if (kr_option_rows[i].letter != letter)
			continue;
		fputs(", but of ", err);
		kr_help_commands(err, kr_option_rows[i].commands);
	}
	fputc('\n', err);
	return read_on(err, command);
}

static int not_clear(FILE *err, enum kr_command command, const char *name,
                     size_t n_rows)
{
	struct list list = {.out = err, .n_left = n_rows};

	fprintf(err, "%s: --%s: not clear: ", KR_NAME, name);
	for (size_t i = 0; i < kr_n_option_rows; i++) {
		if ((kr_option_rows[i].commands & KR_BIT(command)) &&
		    strncmp(kr_option_rows[i].name, name, strlen(name)) == 0)
			list_next(&list, "--", kr_option_rows[i].name);
	}
	fputc('\n', err);
	return read_on(err, command);
}

/* The row of another command that was meant, word for word or nearly. */
static const struct kr_option_row *find_other(enum kr_command command,
                                              const char *name)
{
	const struct kr_option_row *found = NULL;
	struct kr_suggest near = kr_suggest_for(name);

	KR_EACH(const struct kr_option_row, row, kr_option_rows,
	        kr_n_option_rows) {
		if (row->commands & KR_BIT(command))
			continue;
		if (strcmp(row->name, name) == 0)
			return row;
		kr_suggest_offer(&near, row->name);
		if (near.nearest == row->name)
			found = row;
	}
	return found;
}

static int no_name(FILE *err, enum kr_command command, const char *name)
{
	const struct kr_option_row *other = find_other(command, name);
	struct kr_suggest near = kr_suggest_for(name);
	size_t n_begin = 0;

	for (size_t i = 0; i < kr_n_option_rows; i++) {
		const struct kr_option_row *row = &kr_option_rows[i];

		if (!(row->commands & KR_BIT(command)))
			continue;
		kr_suggest_offer(&near, row->name);
		n_begin += strncmp(row->name, name, strlen(name)) == 0;
	}
	if (*name && n_begin > 1)
		return not_clear(err, command, name, n_begin);
	fprintf(err, "%s: --", KR_NAME);
	kr_usage_word(err, name);
	fprintf(err, ": not an option of %s", kr_commands[command].name);
	if (other && strcmp(other->name, name) == 0) {
		fputs(", but of ", err);
		kr_help_commands(err, other->commands);
	} else if (near.nearest) {
		fprintf(err, "; did you mean '--%s'?", near.nearest);
	} else if (other) {
		fprintf(err, "; --%s is one of ", other->name);
		kr_help_commands(err, other->commands);
	}
	fputc('\n', err);
	return read_on(err, command);
}

int kr_usage_no_option(FILE *err, enum kr_command command, const char *arg,
                       int code, const struct kr_option_row *row)
{
	_cleanup_free_ char *name = NULL;

	if (row) {
		fprintf(err, "%s: --%s: takes no argument\n", KR_NAME,
		        row->name);
		return read_on(err, command);
	}
	if (code != 0)
		return no_letter(err, command, (char)code);
	arg += strspn(arg, "-");
	name = strndup(arg, strcspn(arg, "="));
	return no_name(err, command, name ? name : "");
}

/* --- arguments ----------------------------------------------------------- */

int kr_usage_no_argument(FILE *err, enum kr_command command,
                         const struct kr_option_row *row)
{
	fprintf(err, "%s: --%s: needs an argument: --%s=%s\n", KR_NAME,
	        row->name, row->name, row->argument);
	return read_on(err, command);
}

static void list_words(FILE *err, enum kr_command command,
                       const struct kr_option_word *words)
{
	struct list list = {.out = err};

	for (const struct kr_option_word *w = words; w->name; w++)
		list.n_left += (w->commands & KR_BIT(command)) != 0;
	for (const struct kr_option_word *w = words; w->name; w++) {
		if (w->commands & KR_BIT(command))
			list_next(&list, "", w->name);
	}
}

int kr_usage_no_value(FILE *err, enum kr_command command,
                      const struct kr_option_row *row, const char *value)
{
	fprintf(err, "%s: --%s: '", KR_NAME, row->name);
	kr_usage_word(err, value);
	fputs("' is not ", err);
	if (row->words)
		list_words(err, command, row->words);
	else
		fputs(row->wants, err);
	fputc('\n', err);
	return -EINVAL;
}

int kr_usage_twice(FILE *err, enum kr_command command,
                   const struct kr_option_row *row)
{
	const char *list = strstr(row->argument, "[,");

	fprintf(err, "%s: --%s: given twice, and only one would count", KR_NAME,
	        row->name);
	if (list)
		fprintf(err, "; several stand in one list: --%s=A,B",
		        row->name);
	fputc('\n', err);
	return read_on(err, command);
}

static bool is_number_of_control(const char *word)
{
	return KR_ANY(edition, kr_editions, KR_N_EDITIONS,
	              kr_rule_of_id(edition, word, strlen(word)));
}

/* Where WORD, which stands alone, is the name of a control or its number, which
 * is another one's in another edition. */
static void suggest_control(FILE *err, const char *word)
{
	if (kr_rule_find(word, strlen(word)))
		fprintf(err, "; did you mean '--control=%s'?", word);
	else if (is_number_of_control(word))
		fprintf(err, "; did you mean '--benchmark=NAME --control=%s'?",
		        word);
}

int kr_usage_no_operand(FILE *err, enum kr_command command, const char *word,
                        const struct kr_option_row *before)
{
	const char *argument = kr_commands[command].argument;

	fprintf(err, "%s: ", KR_NAME);
	kr_usage_word(err, word);
	fputs(": ", err);
	if (argument)
		fprintf(err, "only one %s can be named", argument);
	else
		fprintf(err, "not expected: %s takes options only",
		        kr_commands[command].name);
	if (before) {
		fprintf(err, "; did you mean '--%s=", before->name);
		kr_usage_word(err, word);
		fputs("'?", err);
	} else if (kr_command_takes(command, "control")) {
		suggest_control(err, word);
	}
	fputc('\n', err);
	return read_on(err, command);
}
