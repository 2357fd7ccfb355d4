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
	const char *argument; /* NULL: takes none */
	const char *summary;
	const char *example;  /* its options; NULL: a person gives none */
	const char *statuses; /* the exit statuses and what they mean */
	const char *left;     /* why it leaves a control as it is; NULL */
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
	const char *means; /* for the help; NULL: the name says it */
};

/* What an option sets. */
enum kr_option_kind {
	KR_OPTION_FLAG,    /* a bool, true */
	KR_OPTION_TEXT,    /* a const char *, which is not empty */
	KR_OPTION_SECONDS, /* a uint64_t in µs, of 1 to MOST seconds */
	KR_OPTION_OWN,     /* what SET makes of it */
};

struct kr_option_row {
	const char *name;
	char letter;          /* 0: none */
	const char *argument; /* NULL: none; else its name in the help */
	unsigned commands;
	enum kr_option_kind kind;
	size_t at; /* offset in struct kr_options */
	unsigned most;
	/* 0; -EINVAL: ARG is not what the option wants */
	int (*set)(struct kr_options *o, const char *arg);
	bool argument_may_lack; /* --name and --name=ARGUMENT */
	/* where only some words will do: up to one without a name */
	const struct kr_option_word *words;
	bool first_by_default; /* the first word, where it is not given */
	const char *wants;     /* else: of the argument, for the message */
	enum kr_complete complete;
	/* it may be given again with another argument: the last counts, as a
	 * unit's options are followed by the owner's, or each does */
	bool again;
	const char *help; /* WORDS are listed behind it */
};

extern const struct kr_option_row kr_option_rows[];
extern const size_t kr_n_option_rows;

/* Whether COMMAND has the option NAME, without its dashes. */
bool kr_command_takes(enum kr_command command, const char *name);
