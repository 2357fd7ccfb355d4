/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The commands and options as data: parsing (cli/options), help (cli/help), the
 * completions and the manual's test go by these tables, so that none of them
 * can differ.
 */

#include <stddef.h>

#include "cli/options.h"

#define KR_BIT(command) (1U << (command))
#define KR_EVERY        (KR_BIT(_KR_COMMAND_MAX) - 1)

struct kr_command_row {
	const char *name;
	const char *summary;
	const char *argument; /* NULL: takes none */
	bool hidden;          /* for units, not for people */
	const char *statuses; /* the exit statuses and what they mean */
};

/* One row for each enum kr_command below _KR_COMMAND_MAX. */
extern const struct kr_command_row kr_commands[_KR_COMMAND_MAX];

/* What a shell offers for an argument. */
enum kr_complete {
	KR_COMPLETE_NOTHING, /* or the row's words */
	KR_COMPLETE_FILE,
	KR_COMPLETE_FOLDER,
};

/* One of the words that an option takes. */
struct kr_option_word {
	const char *name;
	unsigned commands; /* bits of those that know it */
};

struct kr_option_row {
	const char *name;
	char letter;            /* 0: none */
	const char *argument;   /* NULL: none; else its name in the help */
	bool argument_may_lack; /* --name and --name=ARGUMENT */
	unsigned commands;
	/* 0; -EINVAL: ARG is not what the option wants */
	int (*set)(struct kr_options *o, const char *arg);
	/* where only some words will do: up to one without a name */
	const struct kr_option_word *words;
	const char *wants; /* else: of the argument, for the message */
	enum kr_complete complete;
	const char *help;
};

extern const struct kr_option_row kr_option_rows[];
extern const size_t kr_n_option_rows;
