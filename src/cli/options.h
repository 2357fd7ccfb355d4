/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the user asked for.
 */

#include <stdbool.h>
#include <stdio.h>

#include "fix/fix.h"
#include "net/api.h"
#include "node/node.h"

/* What --width takes. */
#define KR_WIDTH_MIN 20
#define KR_WIDTH_MAX 10000

enum kr_command {
	KR_COMMAND_AUDIT,
	KR_COMMAND_FIX,
	KR_COMMAND_UNDO,
	KR_COMMAND_HISTORY,
	KR_COMMAND_STATUS,
	KR_COMMAND_FLEET,
	KR_COMMAND_CONTROLS,
	KR_COMMAND_RECOVER, /* what units run: it is in no list of commands */
	_KR_COMMAND_MAX,
	KR_COMMAND_HELP,    /* --help was asked for */
	KR_COMMAND_VERSION, /* --version */
};

enum kr_format {
	KR_FORMAT_TEXT,
	KR_FORMAT_JSON,
	KR_FORMAT_SARIF, /* this and the next: audit and fleet only */
	KR_FORMAT_JUNIT,
	KR_FORMAT_PROMETHEUS,
	KR_FORMAT_ASFF, /* audit only */
	_KR_FORMAT_MAX,
};

enum kr_when {
	KR_WHEN_AUTO,
	KR_WHEN_ALWAYS,
	KR_WHEN_NEVER,
};

#define KR_UNIT_NAME_SIZE 256 /* systemd's UNIT_NAME_MAX and a 0 byte */

struct kr_options {
	enum kr_command command;      /* what is to be done */
	char unit[KR_UNIT_NAME_SIZE]; /* what node.unit points to, if given */
	enum kr_command help_on; /* HELP: of this one; _KR_COMMAND_MAX: all */
	struct kr_node_options node;
	struct kr_fix_options fix; /* also audit's --explicit */
	struct kr_api_options api;
	struct {
		const char *nodes; /* names with commas between; borrowed */
		bool all_nodes;
		const char *selector;  /* of labels; borrowed */
		unsigned n_parallel;   /* 0: not given */
		uint64_t timeout_usec; /* for one node */
		uint64_t total_usec;   /* for all of them */
	} fleet;
	/* which controls (cli/select); texts are borrowed, NULL: not given */
	struct {
		const char *benchmark;       /* an edition, "auto" or "help" */
		const char *controls, *skip; /* names with commas between */
		unsigned level;              /* 0: all */
		const char *waivers;         /* a file */
		bool no_waivers;
	} select;
	/* fix: names with commas, and "NAME=VALUE"; borrowed */
	const char *allow;
	const char **sets; /* as much room as there are arguments */
	size_t n_sets;
	const char *transaction; /* undo: which; NULL: the last */
	enum kr_format format;
	const char *output_file; /* NULL: stdout; borrowed */
	struct {
		const char *account, *region; /* borrowed; NULL: not given */
	} asff;
	enum kr_when color;
	unsigned width; /* columns of text; 0: not given */
	bool quiet, verbose;
};

/*
 * Reads ARGV, whose order it changes, into RET; the strings are borrowed. 0;
 * -EINVAL: wrong usage, one line about it is on ERR; -ENOMEM. RET is to be
 * freed in each case.
 */
int kr_options_parse(int argc, char **argv, FILE *err, struct kr_options *ret);
void kr_options_done(struct kr_options *options);
#define _cleanup_options_ _cleanup_(kr_options_done)

/* "fix", "undo", ...: the word for COMMAND, which is below _KR_COMMAND_MAX. */
const char *kr_command_to_string(enum kr_command command);
