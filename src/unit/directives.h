/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the directives of a service say.
 */

#include <stdbool.h>

#include "base/diag.h"
#include "base/fs.h"
#include "unit/environment.h"
#include "unit/exec.h"
#include "unit/resolve.h"
#include "unit/specifier.h"

/* RuntimeDirectory= and so on. */
enum kr_directory {
	KR_DIRECTORY_RUNTIME,
	KR_DIRECTORY_STATE,
	KR_DIRECTORY_CACHE,
	KR_DIRECTORY_LOGS,
	KR_DIRECTORY_CONFIGURATION,
	_KR_DIRECTORY_MAX,
};

struct kr_directives {
	struct kr_unit
		*unit; /* gets what others see: its type, user, folders */
	struct kr_specifiers specifiers; /* of the file that is read */
	struct kr_environment environment;
	struct kr_exec start_pre, start, stop;
	/* as they are written; NULL where not set */
	char *bus_name, *restart, *remain, *success_action;
	char *search_path, *limit_stack;
	/* set to anything */
	bool directories[_KR_DIRECTORY_MAX];
	bool watchdog, sockets, pid_file;
	bool may_have_credentials; /* whether there is a folder is not known */
	bool may_be_missing;       /* WorkingDirectory= has a "-" */
	bool start_refused;        /* an ExecStart= that gave no command */
	struct kr_span line;       /* that is read */
	struct kr_span emptied;    /* the ExecStart= that cleared the others */
};

/*
 * Takes the directives of a fragment or drop-in. 0; -ENOMEM; another errno: the
 * file is at fault, DIAG says why, and nothing behind that place is read.
 */
int kr_directives_read(struct kr_directives *directives,
                       const struct kr_file *file, struct kr_diag *diag);

/* Type=, where no file says it. 0 or -ENOMEM. */
int kr_directives_complete(struct kr_directives *directives);

/* What systemd would refuse the service for, static; NULL: nothing. Of a second
 * command RET_SPAN is the place, else it has no file. */
const char *kr_directives_fault(const struct kr_directives *directives,
                                struct kr_span *ret_span);

void kr_directives_done(struct kr_directives *directives);
