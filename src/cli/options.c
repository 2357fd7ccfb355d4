/* SPDX-License-Identifier: Apache-2.0 */

/*
 * getopt_long(3) parses with what the tables (cli/option-table) say. Which
 * options there are depends on the command, which may stand behind some: it is
 * looked for first, and taken out.
 */

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "cli/help.h"
#include "cli/option-table.h"
#include "cli/select.h"
#include "cli/usage.h"

#define KR_OPTIONS_MAX 64

const char *kr_command_to_string(enum kr_command command)
{
	return kr_commands[command].name;
}

static int find_command(const char *word, enum kr_command *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(kr_commands); i++) {
		if (strcmp(word, kr_commands[i].name) == 0) {
			*ret = (enum kr_command)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int has_arg(const struct kr_option_row *row)
{
	if (!row->argument)
		return no_argument;
	return row->argument_may_lack ? optional_argument : required_argument;
}

/* Options of getopt_long(3); its value is the row's index and 256. */
static void build(enum kr_command command, struct option *longs, char *shorts)
{
	size_t n = 0;

	*shorts++ = ':'; /* a missing argument differs from an unknown option */
	for (size_t i = 0; i < kr_n_option_rows; i++) {
		if (!(kr_option_rows[i].commands & KR_BIT(command)))
			continue;
		longs[n++] = (struct option){
			.name = kr_option_rows[i].name,
			.has_arg = has_arg(&kr_option_rows[i]),
			.val = (int)i + 256,
		};
		if (kr_option_rows[i].letter) {
			*shorts++ = kr_option_rows[i].letter;
			if (kr_option_rows[i].argument)
				*shorts++ = ':';
		}
	}
	longs[n] = (struct option){0};
	*shorts = '\0';
}

static const struct kr_option_row *find_row(int value)
{
	if (value >= 256)
		return &kr_option_rows[value - 256];
	return KR_FIRST(row, kr_option_rows, kr_n_option_rows,
	                row->letter == value);
}

/* Whether ARG is one of the words, where only some will do. */
static bool is_wanted(const struct kr_option_row *row, enum kr_command command,
                      const char *arg)
{
	for (const struct kr_option_word *w = row->words; w && w->name; w++) {
		if (strcmp(w->name, arg) == 0)
			return w->commands & KR_BIT(command);
	}
	return !row->words;
}

/* 0; -EINVAL: ARG is not what ROW wants. */
static int set(struct kr_options *o, const struct kr_option_row *row,
               const char *arg)
{
	void *member = (char *)o + row->at;
	const char *error;

	switch (row->kind) {
	case KR_OPTION_FLAG:
		*(bool *)member = true;
		return 0;
	case KR_OPTION_TEXT:
		*(const char **)member = arg;
		return *arg ? 0 : -EINVAL;
	case KR_OPTION_SECONDS:
		*(uint64_t *)member =
			(uint64_t)strtonum(arg, 1, row->most, &error) *
			KR_USEC_PER_SEC;
		return error ? -EINVAL : 0;
	case KR_OPTION_OWN:
		break;
	}
	return row->set(o, arg);
}

/* Of two arguments only one could count. SEEN has those of before, by row. */
static int take_once(const struct kr_option_row *row, const char *arg,
                     const char **seen, enum kr_command command, FILE *err)
{
	const char **before = &seen[row - kr_option_rows];

	arg = arg ? arg : "";
	if (row->argument && !row->again && *before &&
	    strcmp(*before, arg) != 0)
		return kr_usage_twice(err, command, row);
	*before = arg;
	return 0;
}

/* The first option of the API server that is given; NULL: none. */
static const char *api_option(const struct kr_api_options *api)
{
	return api->cacert          ? "--cacert"
	       : api->token_file    ? "--token-file"
	       : api->cert          ? "--cert"
	       : api->key           ? "--key"
	       : api->insecure_http ? "--insecure-http"
	                            : NULL;
}

/* The first option that says which node, or which of its kubelets. */
static const char *node_option(const struct kr_node_options *node)
{
	return node->root     ? "--root"
	       : node->unit   ? "--unit"
	       : node->pid    ? "--pid"
	       : node->config ? "--config"
	                      : NULL;
}

static int check_asff(const struct kr_options *o, FILE *err)
{
	if (o->format == KR_FORMAT_ASFF &&
	    (!o->asff.account || !o->asff.region)) {
		fprintf(err,
		        "%s: -o asff: --asff-account=ID and "
		        "--asff-region=REGION must be given\n",
		        KR_NAME);
		return -EINVAL;
	}
	if (o->format != KR_FORMAT_ASFF && (o->asff.account || o->asff.region))
		return kr_usage_alone(err, o->command,
		                      o->asff.account ? "--asff-account"
		                                      : "--asff-region",
		                      "-o asff");
	return 0;
}

/* No option is swallowed: what does nothing without another one is refused. */
static int check(const struct kr_options *o, FILE *err)
{
	const char *api = api_option(&o->api), *node = node_option(&o->node);
	bool asks = o->command == KR_COMMAND_FLEET || o->api.configz;
	bool is_auto = o->select.benchmark &&
	               strcmp(o->select.benchmark, KR_SELECT_AUTO) == 0;
	int r = check_asff(o, err);

	if (r < 0)
		return r;
	if (api && !asks)
		return kr_usage_alone(err, o->command, api, "--configz");
	if (node && o->command == KR_COMMAND_CONTROLS && !is_auto)
		return kr_usage_alone(err, o->command, node,
		                      "--benchmark=auto");
	if (o->fix.medium && !o->fix.dry_run)
		return kr_usage_alone(err, o->command, "--for", "--dry-run");
	if (o->output_file && o->quiet) {
		fprintf(err,
		        "%s: --output-file: there is no result with --quiet\n",
		        KR_NAME);
		return -EINVAL;
	}
	return kr_select_check(o, err);
}

static int parse_rest(int argc, char **argv, FILE *err, struct kr_options *o)
{
	struct option longs[KR_OPTIONS_MAX + 1];
	char shorts[2 * KR_OPTIONS_MAX + 2];
	enum kr_command command = o->command;
	const struct kr_option_row *before = NULL;
	const char *seen[KR_OPTIONS_MAX] = {0};
	const char *behind = NULL;
	int value, r;

	assert(kr_n_option_rows <= KR_OPTIONS_MAX);
	build(command, longs, shorts);
	opterr = 0;
	optind = 1;
	while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct kr_option_row *row =
			find_row(value == ':' || value == '?' ? optopt : value);

		if (value == ':')
			return kr_usage_no_argument(err, command, row);
		if (value == '?')
			return kr_usage_no_option(err, command,
			                          argv[optind - 1], optopt,
			                          optopt >= 256 ? row : NULL);
		r = is_wanted(row, command, optarg) ? set(o, row, optarg)
		                                    : -EINVAL;
		if (r < 0)
			return kr_usage_no_value(err, command, row, optarg);
		if (take_once(row, optarg, seen, command, err) < 0)
			return -EINVAL;
		if (o->command == KR_COMMAND_HELP)
			return 0;
		/* getopt_long(3) moves what is no option to the end */
		if (row->argument_may_lack && !optarg && optind < argc &&
		    !behind) {
			before = row;
			behind = argv[optind];
		}
	}
	if (optind < argc && kr_commands[command].argument)
		o->transaction = argv[optind++];
	if (optind < argc)
		return kr_usage_no_operand(err, command, argv[optind],
		                           argv[optind] == behind ? before
		                                                  : NULL);
	return check(o, err);
}

static bool is_without_command(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
	       strcmp(word, "--version") == 0;
}

/* --- what stands before the command -------------------------------------- */

/* It may be abbreviated. */
static const struct kr_option_row *find_long(const char *name, size_t length)
{
	const struct kr_option_row *found = NULL;

	KR_EACH(const struct kr_option_row, row, kr_option_rows,
	        kr_n_option_rows) {
		if (strncmp(row->name, name, length) != 0)
			continue;
		if (!row->name[length])
			return row;
		found = found ? found : row;
	}
	return found;
}

/* Whether the option WORD takes the word behind it. Of letters in one word, the
 * first that takes anything takes the rest of it. */
static bool takes_next(const char *word)
{
	const struct kr_option_row *row;

	if (word[1] == '-') {
		row = find_long(word + 2, strcspn(word + 2, "="));
		return row && !strchr(word, '=') &&
		       has_arg(row) == required_argument;
	}
	for (const char *c = word + 1; *c; c++) {
		row = find_row(*c);
		if (row && row->argument)
			return !c[1];
	}
	return false;
}

/* The place of the command in ARGV, or of the --help or --version that there is
 * instead of one; 0: there is neither. */
static int find_first(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0)
			return 0;
		if (argv[i][0] != '-' || is_without_command(argv[i]))
			return i;
		i += takes_next(argv[i]);
	}
	return 0;
}

static int parse_help(int argc, char **argv, FILE *err, struct kr_options *ret)
{
	ret->command = KR_COMMAND_HELP;
	if (argc == 0)
		return 0;
	/* --help may be given again and again */
	if (strcmp(argv[0], "help") == 0 || strcmp(argv[0], "--help") == 0 ||
	    strcmp(argv[0], "-h") == 0)
		return parse_help(argc - 1, argv + 1, err, ret);
	if (argv[0][0] == '-') {
		fprintf(err, "%s: help: ", KR_NAME);
		kr_usage_word(err, argv[0]);
		fputs(": not expected: a command's name may stand there\n",
		      err);
		return -EINVAL;
	}
	if (find_command(argv[0], &ret->help_on) < 0)
		return kr_usage_no_command(err, argv[0]);
	if (argc == 1)
		return 0;
	fprintf(err, "%s: help: it is about one command\n", KR_NAME);
	return -EINVAL;
}

int kr_options_parse(int argc, char **argv, FILE *err, struct kr_options *ret)
{
	int first;

	*ret = (struct kr_options){
		.help_on = _KR_COMMAND_MAX,
		.fix.wait_usec = KR_WAIT_USEC_DEFAULT,
		.fleet.timeout_usec = 10 * KR_USEC_PER_SEC,
		.fleet.total_usec = 3600 * KR_USEC_PER_SEC,
	};
	ret->sets = calloc((size_t)argc + 1, sizeof(*ret->sets));
	if (!ret->sets)
		return -ENOMEM;
	if (argc < 2) {
		kr_usage(err);
		return -EINVAL;
	}
	first = find_first(argc, argv);
	if (first == 0)
		return kr_usage_no_command(err, argv[1]);
	if (is_without_command(argv[first])) {
		ret->command = strcmp(argv[first], "--version") == 0
		                       ? KR_COMMAND_VERSION
		                       : KR_COMMAND_HELP;
		return 0;
	}
	if (first == 1 && strcmp(argv[first], "help") == 0)
		return parse_help(argc - 2, argv + 2, err, ret);
	if (find_command(argv[first], &ret->command) < 0)
		return kr_usage_no_command(err, argv[first]);
	/* what stands before it takes its place */
	memmove(argv + 1, argv, (size_t)first * sizeof(*argv));
	return parse_rest(argc - 1, argv + 1, err, ret);
}

void kr_options_done(struct kr_options *options)
{
	free(options->sets);
}
