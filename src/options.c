/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The commands and options. getopt_long(3) parses with what the tables say;
 * help is printed from them, so that the two cannot differ.
 */

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

#define BIT(command) (1U << (command))
#define EVERY        (BIT(_KR_COMMAND_MAX) - 1)

static const struct {
	const char *name;
	const char *summary;
	const char *argument; /* NULL: takes none */
	bool hidden;          /* for units, not for people */
} commands[] = {
	[KR_COMMAND_AUDIT] =
		{"audit", "what the value is, in every view, and which byte "
                          "of which file decides it"},
	[KR_COMMAND_FIX] = {"fix",
                            "make it true, restart kubelet, prove it, else put "
                            "everything back"},
	[KR_COMMAND_UNDO] = {"undo",
                             "put back what a fix changed (the last one by "
                             "default)",
                             "TRANSACTION"},
	[KR_COMMAND_HISTORY] = {"history",
                                "the fixes made on this node and what can be "
                                "undone"},
	[KR_COMMAND_STATUS] = {"status",
                               "kubelet's unit as 'systemctl status -l' shows "
                               "it, and its health"},
	[KR_COMMAND_RECOVER] = {"recover",
                                "take back a fix or undo that was interrupted, "
                                "and bring kubelet back",
                                "TRANSACTION", .hidden = true},
};

static_assert(ARRAY_SIZE(commands) == _KR_COMMAND_MAX, "each command");

const char *kr_command_to_string(enum kr_command command)
{
	return commands[command].name;
}

static int set_root(struct kr_options *o, const char *arg)
{
	o->node.root = arg;
	return *arg ? 0 : -EINVAL;
}

static int set_unit(struct kr_options *o, const char *arg)
{
	size_t length = strlen(arg);

	o->node.unit = arg;
	if (strchr(arg, '/') || length <= 8 ||
	    strcmp(arg + length - 8, ".service") != 0)
		return -EINVAL;
	return 0;
}

static int set_pid(struct kr_options *o, const char *arg)
{
	const char *error;

	o->node.pid = (pid_t)strtonum(arg, 1, 1 << 22, &error);
	return error ? -EINVAL : 0;
}

static int set_config(struct kr_options *o, const char *arg)
{
	o->node.config = arg;
	return *arg ? 0 : -EINVAL;
}

static int set_output(struct kr_options *o, const char *arg)
{
	o->format = strcmp(arg, "json") == 0 ? KR_FORMAT_JSON : KR_FORMAT_TEXT;
	return o->format == KR_FORMAT_JSON || strcmp(arg, "text") == 0
	               ? 0
	               : -EINVAL;
}

static int set_quiet(struct kr_options *o, const char *arg)
{
	o->quiet = true;
	return 0;
}

static int set_verbose(struct kr_options *o, const char *arg)
{
	o->verbose = true;
	return 0;
}

static int set_color(struct kr_options *o, const char *arg)
{
	static const char *const words[] = {"auto", "always", "never"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(arg, words[i]) == 0) {
			o->color = (enum kr_when)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_help(struct kr_options *o, const char *arg)
{
	o->help_on = o->command;
	o->command = KR_COMMAND_HELP;
	return 0;
}

static int set_explicit(struct kr_options *o, const char *arg)
{
	o->fix.explicit_wanted = true;
	return 0;
}

static int set_dry_run(struct kr_options *o, const char *arg)
{
	o->fix.dry_run = true;
	return 0;
}

static int set_method(struct kr_options *o, const char *arg)
{
	return kr_method_from_string(arg, &o->fix.method);
}

static int set_restart(struct kr_options *o, const char *arg)
{
	return kr_restart_from_string(arg, &o->fix.restart);
}

static int set_wait(struct kr_options *o, const char *arg)
{
	const char *error;

	o->fix.wait_usec =
		(uint64_t)strtonum(arg, 1, 86400, &error) * KR_USEC_PER_SEC;
	return error ? -EINVAL : 0;
}

static int set_no_rollback(struct kr_options *o, const char *arg)
{
	o->fix.no_rollback = true;
	return 0;
}

static int set_retry(struct kr_options *o, const char *arg)
{
	o->fix.retry = true;
	return 0;
}

struct option_row {
	const char *name;
	char letter;          /* 0: none */
	const char *argument; /* NULL: none; else its name in the help */
	unsigned commands;
	int (*set)(struct kr_options *o, const char *arg);
	const char *wants; /* of the argument, for the message */
	const char *help;
};

static const struct option_row rows[] = {
	{.name = "root",
         .argument = "DIR",
         .commands = EVERY,
         .set = set_root,
         .wants = "a folder",
         .help = "the node whose root file system is at DIR"},
	{.name = "unit",
         .argument = "NAME",
         .commands = EVERY,
         .set = set_unit,
         .wants = "the name of a service, NAME.service",
         .help = "kubelet's unit (default: kubelet.service, else the unit of "
                 "the kubelet that runs)"},
	{.name = "pid",
         .argument = "PID",
         .commands = EVERY,
         .set = set_pid,
         .wants = "the number of a process",
         .help = "the kubelet process, where several run"},
	{.name = "config",
         .argument = "FILE",
         .commands = EVERY,
         .set = set_config,
         .wants = "a file",
         .help = "the kubelet config file, instead of the one found"},
	{.name = "output",
         .letter = 'o',
         .argument = "FORMAT",
         .commands = EVERY,
         .set = set_output,
         .wants = "text or json",
         .help = "text (default) or json"},
	{.name = "quiet",
         .letter = 'q',
         .commands = EVERY,
         .set = set_quiet,
         .help = "print only errors"},
	{.name = "verbose",
         .letter = 'v',
         .commands = EVERY,
         .set = set_verbose,
         .help = "print the steps, with their timings"},
	{.name = "color",
         .argument = "WHEN",
         .commands = EVERY,
         .set = set_color,
         .wants = "auto, always or never",
         .help = "auto (default; honours NO_COLOR), always, never"},
	{.name = "explicit",
         .commands = BIT(KR_COMMAND_AUDIT) | BIT(KR_COMMAND_FIX),
         .set = set_explicit,
         .help = "do not accept kubelet's default: true must be written down"},
	{.name = "dry-run",
         .letter = 'n',
         .commands = BIT(KR_COMMAND_FIX) | BIT(KR_COMMAND_UNDO),
         .set = set_dry_run,
         .help = "print the plan as a diff, change nothing, restart nothing"},
	{.name = "method",
         .argument = "METHOD",
         .commands = BIT(KR_COMMAND_FIX),
         .set = set_method,
         .wants = "auto, config or flag",
         .help = "auto (default): config where kubelet reads a config file, "
                 "else flag"},
	{.name = "restart",
         .argument = "WHEN",
         .commands = BIT(KR_COMMAND_FIX) | BIT(KR_COMMAND_UNDO) |
                     BIT(KR_COMMAND_RECOVER),
         .set = set_restart,
         .wants = "auto, always or never",
         .help = "auto (default): when kubelet runs and its value is false, "
                 "or something it reads at start was changed; always; never"},
	{.name = "wait",
         .argument = "SECONDS",
         .commands = BIT(KR_COMMAND_FIX) | BIT(KR_COMMAND_UNDO) |
                     BIT(KR_COMMAND_RECOVER),
         .set = set_wait,
         .wants = "seconds, 1 to 86400",
         .help = "how long kubelet may take to be healthy before everything "
                 "is put back (default 60)"},
	{.name = "no-rollback",
         .commands = BIT(KR_COMMAND_FIX),
         .set = set_no_rollback,
         .help = "leave the change in place when kubelet does not come back"},
	{.name = "retry",
         .commands = BIT(KR_COMMAND_FIX),
         .set = set_retry,
         .help = "try again a change that was put back before"},
	{.name = "help",
         .letter = 'h',
         .commands = EVERY,
         .set = set_help,
         .help = "print this help"},
};

/* --- parsing ------------------------------------------------------------- */

static int find_command(const char *word, enum kr_command *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(word, commands[i].name) == 0) {
			*ret = (enum kr_command)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int usage_error(FILE *err, enum kr_command command, const char *what,
                       const char *word)
{
	fprintf(err, "%s: %s: %s\n", KR_NAME, word, what);
	fprintf(err, "%s: see '%s%s%s --help'\n", KR_NAME, KR_NAME,
	        command < _KR_COMMAND_MAX ? " " : "",
	        command < _KR_COMMAND_MAX ? commands[command].name : "");
	return -EINVAL;
}

/* Options of getopt_long(3); its value is the row's index and 256. */
static void build(enum kr_command command, struct option *longs, char *shorts)
{
	size_t n = 0;

	*shorts++ = ':'; /* a missing argument is told from an unknown option */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!(rows[i].commands & BIT(command)))
			continue;
		longs[n++] = (struct option){
			.name = rows[i].name,
			.has_arg = rows[i].argument ? required_argument
		                                    : no_argument,
			.val = (int)i + 256,
		};
		if (rows[i].letter) {
			*shorts++ = rows[i].letter;
			if (rows[i].argument)
				*shorts++ = ':';
		}
	}
	longs[n] = (struct option){0};
	*shorts = '\0';
}

static const struct option_row *find_row(int value)
{
	if (value >= 256)
		return &rows[value - 256];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].letter == value)
			return &rows[i];
	}
	return NULL;
}

static int parse_rest(int argc, char **argv, FILE *err, struct kr_options *o)
{
	struct option longs[ARRAY_SIZE(rows) + 1];
	char shorts[2 * ARRAY_SIZE(rows) + 2];
	enum kr_command command = o->command;
	int value;

	build(command, longs, shorts);
	opterr = 0;
	optind = 1;
	while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct option_row *row = find_row(value);

		if (value == ':')
			return usage_error(err, command, "needs an argument",
			                   argv[optind - 1]);
		if (!row)
			return usage_error(err, command, "not an option of it",
			                   argv[optind - 1]);
		if (row->set(o, optarg) < 0) {
			fprintf(err, "%s: --%s: '%s' is not %s\n", KR_NAME,
			        row->name, optarg, row->wants);
			return -EINVAL;
		}
		if (o->command == KR_COMMAND_HELP)
			return 0;
	}
	if (optind < argc && commands[command].argument)
		o->transaction = argv[optind++];
	if (optind < argc)
		return usage_error(err, command, "not expected here",
		                   argv[optind]);
	return 0;
}

int kr_options_parse(int argc, char **argv, FILE *err, struct kr_options *ret)
{
	*ret = (struct kr_options){
		.help_on = _KR_COMMAND_MAX,
		.fix.wait_usec = KR_WAIT_USEC_DEFAULT,
	};
	if (argc < 2) {
		kr_options_usage(err);
		return -EINVAL;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		ret->command = KR_COMMAND_HELP;
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		ret->command = KR_COMMAND_VERSION;
		return 0;
	}
	if (find_command(argv[1], &ret->command) < 0)
		return usage_error(err, _KR_COMMAND_MAX, "not a command",
		                   argv[1]);
	return parse_rest(argc - 1, argv + 1, err, ret);
}

/* --- help ---------------------------------------------------------------- */

static void print_commands(FILE *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!commands[i].hidden)
			fprintf(out, "  %-8s %s\n", commands[i].name,
			        commands[i].summary);
	}
}

void kr_options_usage(FILE *out)
{
	fprintf(out, "usage: %s COMMAND [OPTION]...\n", KR_NAME);
	print_commands(out);
	fprintf(out, "see '%s --help'\n", KR_NAME);
}

static void print_row(FILE *out, const struct option_row *row)
{
	char left[64];

	snprintf(left, sizeof(left), "%c%c%c --%s%s%s", row->letter ? '-' : ' ',
	         row->letter ? row->letter : ' ', row->letter ? ',' : ' ',
	         row->name, row->argument ? "=" : "",
	         row->argument ? row->argument : "");
	fprintf(out, "  %-24s %s\n", left, row->help);
}

static void print_rows(FILE *out, enum kr_command command, bool common)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if ((rows[i].commands & BIT(command)) &&
		    (rows[i].commands == EVERY) == common)
			print_row(out, &rows[i]);
	}
}

static void print_command(FILE *out, enum kr_command command)
{
	fprintf(out, "usage: %s %s [OPTION]...%s%s%s\n%s\n\n", KR_NAME,
	        commands[command].name, commands[command].argument ? " [" : "",
	        commands[command].argument ? commands[command].argument : "",
	        commands[command].argument ? "]" : "",
	        commands[command].summary);
	print_rows(out, command, false);
	print_rows(out, command, true);
}

static bool has_own_rows(enum kr_command command)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if ((rows[i].commands & BIT(command)) &&
		    rows[i].commands != EVERY)
			return true;
	}
	return false;
}

void kr_options_help(FILE *out, enum kr_command command)
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
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].hidden || !has_own_rows((enum kr_command)i))
			continue;
		fprintf(out, "\n%s:\n", commands[i].name);
		print_rows(out, (enum kr_command)i, false);
	}
	fputs("\nexit status: 0 it is (or was made) true, 1 it is not, 2 wrong "
	      "usage, 3 no verdict,\n4 refused or failed, nothing changed, 5 "
	      "put back, 6 kubelet needs a hand\n",
	      out);
}
