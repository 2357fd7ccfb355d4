/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Prints what we think systemd would run: "dump-unit VERSION ROOT UNIT ...".
 * For each unit its name and how it loads, then for each command the program,
 * "-" or nothing, the number of words and two fields for each word, "=" or "?"
 * (not known) and the word, then "end of unit"; all are ended by NUL. With a
 * leading "-v" the messages go to stderr. MANAGER_ENVIRONMENT, one assignment a
 * line, is the manager's.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/resolve.h"

static const char *const loads[] = {
	[KR_UNIT_LOADED] = "loaded",
	[KR_UNIT_NOT_FOUND] = "not-found",
	[KR_UNIT_MASKED] = "masked",
	[KR_UNIT_BAD] = "bad",
	[KR_UNIT_NO_ENVIRONMENT_FILE] = "no-environment-file",
};

static void put(const char *s)
{
	fwrite(s, 1, strlen(s) + 1, stdout);
}

static void put_unit(const struct kr_unit *unit)
{
	put(unit->name);
	put(loads[unit->load]);
	for (size_t i = 0; i < unit->n_commands; i++) {
		const struct kr_unit_command *c = &unit->commands[i];

		put(c->path);
		put(c->ignore_failure ? "-" : "");
		printf("%zu", c->n_words);
		put("");
		for (size_t k = 0; k < c->n_words; k++) {
			put(c->words[k].from->unknown ? "?" : "=");
			put(c->words[k].text);
		}
	}
	put("end of unit");
}

static void put_messages(const struct kr_diag *diag)
{
	for (size_t i = 0; i < diag->n_messages; i++) {
		const struct kr_message *m = &diag->messages[i];

		fprintf(stderr, "%s:%u:%u: %s: %s\n", m->file ? m->file : "-",
		        m->line, m->column, kr_severity_to_string(m->severity),
		        m->text);
	}
}

static int dump(const char *root, const char *name,
                const struct kr_unit_options *options, bool verbose)
{
	_cleanup_close_ int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fs_ struct kr_fs *fs = NULL;
	_cleanup_unit_ struct kr_unit *unit = NULL;
	_cleanup_diag_ struct kr_diag diag = {0};
	int r = fd < 0 ? -errno : kr_fs_new(fd, &fs);

	if (r == 0)
		r = kr_unit_resolve(fs, name, options, &diag, &unit);
	if (verbose)
		put_messages(&diag);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", name, strerror(-r));
		return r;
	}
	put_unit(unit);
	return 0;
}

int main(int argc, char **argv)
{
	struct kr_unit_options options = {0};
	char *environment = getenv("MANAGER_ENVIRONMENT");
	const char *lines[64] = {NULL};
	bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	size_t n = 0;
	int failed = 0;

	argc -= verbose;
	argv += verbose;
	if (argc < 4)
		return 2;
	options.systemd_version = (unsigned)atoi(argv[1]);
	for (char *p = environment; p && n + 1 < ARRAY_SIZE(lines);) {
		lines[n++] = strsep(&p, "\n");
		options.manager_environment = lines;
	}
	for (int i = 3; i < argc; i++)
		failed |= dump(argv[2], argv[i], &options, verbose) < 0;
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
