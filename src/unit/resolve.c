/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From a unit's name to what systemd would run: the files are found
 * (unit/path), read in order (unit/syntax), the directives that matter taken
 * from them (unit/directives), the environment put together (unit/environment)
 * with what systemd adds to it (unit/inherit), and the commands expanded with
 * it (unit/expand).
 *
 * In the fragment a fault in a command, in a section header or in the encoding
 * stops the unit from being loaded; in a drop-in it only ends that drop-in.
 *
 * Source: src/core/load-fragment.c, src/core/load-dropin.c of systemd 252.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "unit/credentials.h"
#include "unit/directives.h"
#include "unit/environment-files.h"
#include "unit/environment-merge.h"
#include "unit/expand.h"
#include "unit/inherit.h"
#include "unit/mounts.h"
#include "unit/resolve.h"

#define PATH_DEFAULT                                                           \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Of ExecStartPre=; each looks at the whole environment. */
#define BEFORE_MAX ((size_t)64)

struct loader {
	struct kr_fs *fs;
	const struct kr_unit_options *options;
	struct kr_diag *diag;
	struct kr_unit *unit;
	struct kr_unit_files files;
	struct kr_directives directives;
	bool dropin_ended; /* before its end */
};

/* --- files --------------------------------------------------------------- */

static int unreadable(struct loader *l, const char *path, int r)
{
	if (r != -ENOMEM)
		kr_diag_add_path(l->diag, KR_ERROR, "file-unreadable", path,
		                 "file cannot be read: %s", kr_fs_strerror(-r));
	return r;
}

static int bad(struct loader *l, const char *path, const char *text)
{
	l->unit->load = KR_UNIT_BAD;
	kr_diag_add_path(l->diag, KR_ERROR, "unit-bad", path, "%s", text);
	return 0;
}

/* Makes the messages of CODE errors. */
static void raise_code(struct kr_diag *diag, const char *code)
{
	for (size_t i = 0; i < diag->n_messages; i++) {
		if (strcmp(diag->messages[i].code, code) == 0)
			diag->messages[i].severity = KR_ERROR;
	}
}

/* Makes what stopped systemd in a file an error. Whether there is one. */
static bool raise_faults(struct kr_diag *diag)
{
	static const char *const codes[] = {
		"exec-start-invalid", "unit-section-invalid", "unit-not-utf8",
		"unit-line-too-long"};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		raise_code(diag, codes[i]);
	return kr_diag_first(diag, KR_ERROR);
}

static int read_fragment(struct loader *l)
{
	_cleanup_diag_ struct kr_diag found = {0};
	const char *path = l->files.fragment;
	const struct kr_file *file;
	int r;

	l->unit->fragment_path = strdup(path);
	if (!l->unit->fragment_path)
		return -ENOMEM;
	l->unit->load = KR_UNIT_MASKED;
	if (l->files.masked)
		return 0;
	r = kr_fs_read(l->fs, path, &file);
	if (r == -EINVAL &&
	    kr_fs_is_device(l->fs, path)) /* a link to one masks */
		return 0;
	/* opening a FIFO, systemd hangs for good */
	if (r == -EINVAL || r == -EISDIR || r == -ELOOP)
		return bad(l, path, "unit is no file");
	if (r == -ENOENT)
		l->unit->load = KR_UNIT_NOT_FOUND;
	if (r < 0)
		return r == -ENOENT ? 0 : unreadable(l, path, r);
	l->unit->fragment = file;
	if (file->size == 0)
		return 0;
	l->unit->load = KR_UNIT_LOADED;
	r = kr_directives_read(&l->directives, file, &found);
	if (r < 0 && r != -ENOMEM && r != -EFBIG) {
		l->unit->load = KR_UNIT_BAD;
		if (!raise_faults(&found))
			bad(l, path, "unit cannot be loaded");
		r = 0;
	}
	if (l->diag)
		kr_diag_merge(l->diag, &found);
	return r;
}

/* What is wrong in a drop-in ends it, and is nothing but a warning. */
static int read_dropin(struct loader *l, const char *path)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	struct kr_unit *unit = l->unit;
	const struct kr_file *file, **next;
	int r = kr_fs_read(l->fs, path, &file);

	/* a link that leads nowhere, or to /dev/null */
	if (r == -ENOENT || r == -ELOOP ||
	    (r == -EINVAL && kr_fs_is_device(l->fs, path)))
		return 0;
	if (r == -EISDIR) {
		kr_diag_add_path(l->diag, KR_NOTE, "dropin-is-folder", path,
		                 "drop-in is a folder: systemd ignores it");
		return 0;
	}
	if (r == -EINVAL) {
		kr_diag_add_path(l->diag, KR_WARNING, "dropin-not-a-file", path,
		                 "drop-in is no regular file: systemd reads "
		                 "nothing from it");
		return 0;
	}
	if (r < 0)
		return unreadable(l, path, r);
	next = KR_VEC_NEXT(unit->dropins, unit->n_dropins);
	if (!next)
		return -ENOMEM;
	*next = file;
	unit->n_dropins++;
	r = kr_directives_read(&l->directives, file, &diag);
	l->dropin_ended = l->dropin_ended || r < 0;
	for (size_t i = 0; r != -EFBIG && i < diag.n_messages; i++)
		diag.messages[i].severity = KR_WARNING;
	if (l->diag)
		kr_diag_merge(l->diag, &diag);
	return r == -ENOMEM || r == -EFBIG ? r : 0;
}

/* --- the result ---------------------------------------------------------- */

/* Where the working directory may be missing and is, it is "/". */
static int complete_folder(struct loader *l)
{
	struct kr_unit *unit = l->unit;
	struct stat st;
	int r = kr_inherit_home(&l->directives);

	if (r < 0 || !unit->working_directory || !l->directives.may_be_missing)
		return r;
	r = kr_fs_look(l->fs, unit->working_directory, true, &st);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || !S_ISDIR(st.st_mode)) {
		free(unit->working_directory);
		unit->working_directory = NULL;
	}
	return 0;
}

static int complete_environment(struct loader *l)
{
	struct kr_environment *e = &l->directives.environment;
	struct kr_unit *unit = l->unit;
	struct kr_variables variables = {0};
	unsigned version = l->options ? l->options->systemd_version : 0;
	int r = complete_folder(l);

	if (r < 0)
		return r;
	r = kr_inherit(&l->directives);
	if (r < 0)
		return r;
	r = kr_environment_written(e, &unit->written_environment);
	if (r < 0)
		return r;
	r = kr_environment_read(e, l->fs, version, l->diag);
	if (r < 0)
		return r;
	if (r == KR_ENV_FILES_REFUSED)
		unit->load = KR_UNIT_BAD;
	if (r == KR_ENV_FILES_MISSING && l->diag &&
	    kr_environment_is_several(e->missing)) {
		unit->load = KR_UNIT_BAD;
		raise_code(l->diag, "environment-file-blank");
	} else if (r == KR_ENV_FILES_MISSING) {
		unit->load = KR_UNIT_NO_ENVIRONMENT_FILE;
		unit->missing_file = TAKE_PTR(e->missing);
		kr_diag_add_path(l->diag, KR_WARNING,
		                 "environment-file-missing", unit->missing_file,
		                 "environment file is not there: the service "
		                 "cannot start");
	}
	r = kr_environment_merge(e, &variables);
	unit->variables = variables.items;
	unit->n_variables = variables.n_items;
	unit->shadowed = TAKE_PTR(e->shadowed.items);
	unit->n_shadowed = e->shadowed.n_items;
	e->shadowed.n_items = 0;
	unit->environment_files = TAKE(e->read);
	unit->written_files = TAKE(e->paths);
	return r;
}

/* A program without a path is looked for in the search path. */
static int find_program(struct loader *l, char **path)
{
	const char *s = l->directives.search_path ? l->directives.search_path
	                                          : PATH_DEFAULT;

	while (**path != '/' && *s) {
		_cleanup_free_ char *folder = strndup(s, strcspn(s, ":"));
		_cleanup_free_ char *found =
			folder ? kr_path_join(folder, *path) : NULL;
		struct stat st;

		if (!found)
			return -ENOMEM;
		s += strcspn(s, ":");
		s += *s == ':';
		if (kr_fs_look(l->fs, found, true, &st) < 0 ||
		    !S_ISREG(st.st_mode) || !(st.st_mode & 0111))
			continue;
		free(*path);
		*path = TAKE_PTR(found);
	}
	return 0;
}

/* The limits of what the unit starts; the program is still to be set. */
static struct kr_limits limits_of(const struct loader *l)
{
	return (struct kr_limits){
		.fs = l->fs,
		.stack = l->directives.limit_stack,
		.page_size = l->options ? l->options->page_size : 0,
	};
}

static struct kr_expand_options expand_options(struct loader *l,
                                               struct kr_limits *limits,
                                               struct kr_diag *diag)
{
	return (struct kr_expand_options){
		.inherited = kr_inherit_may,
		.userdata = &l->directives,
		.limits = limits,
		.diag = diag,
	};
}

/*
 * As they are written: variables are not expanded, so that many commands cost
 * no more than their bytes. What is wrong with them is said when they are run.
 */
static int complete_before_commands(struct loader *l)
{
	const struct kr_exec *pre = &l->directives.start_pre;
	struct kr_unit *unit = l->unit;
	struct kr_limits limits = limits_of(l);
	const struct kr_expand_options options =
		expand_options(l, &limits, NULL);
	int r;

	unit->before_commands =
		calloc(pre->n_commands + 1, sizeof(*unit->before_commands));
	if (!unit->before_commands)
		return -ENOMEM;
	for (size_t i = 0; i < pre->n_commands && i < BEFORE_MAX; i++) {
		struct kr_exec_command c = pre->commands[i];
		struct kr_unit_command *to =
			&unit->before_commands[unit->n_before_commands];

		c.no_environment = true;
		limits.program = c.path;
		r = kr_expand_command(unit, &c, &pre->lines[c.line], &options,
		                      to);
		if (r == -E2BIG || r == -EFBIG)
			continue;
		if (r < 0)
			return r;
		unit->n_before_commands++;
		r = find_program(l, &to->path);
		if (r < 0)
			return r;
	}
	return 0;
}

static int complete_commands(struct loader *l)
{
	struct kr_exec *start = &l->directives.start;
	struct kr_unit *unit = l->unit;
	struct kr_limits limits = limits_of(l);
	struct kr_expand_options options = expand_options(l, &limits, l->diag);

	unit->commands = calloc(start->n_commands + 1, sizeof(*unit->commands));
	if (!unit->commands)
		return -ENOMEM;
	for (size_t i = 0; i < start->n_commands; i++) {
		struct kr_exec_command *c = &start->commands[i];
		const struct kr_text *line = &start->lines[c->line];
		_cleanup_free_ char **written = kr_exec_written(c, line);
		int r;

		if (!written)
			return -ENOMEM;
		limits.program = c->path;
		options.written = written;
		r = kr_expand_command(unit, c, line, &options,
		                      &unit->commands[i]);
		if (r == -E2BIG) {
			unit->load = KR_UNIT_BAD;
			return 0;
		}
		if (r < 0)
			return r;
		unit->commands[i].written = TAKE_PTR(written);
		unit->n_commands++;
		r = find_program(l, &unit->commands[i].path);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The service is without a command, as a line that has one was not taken: that
 * line is the fault. */
static bool blame_line(struct loader *l)
{
	const struct kr_directives *d = &l->directives;

	if (d->start.n_commands > 0 || !l->diag)
		return false;
	if (d->start_refused)
		raise_code(l->diag, "exec-start-ignored");
	return (l->dropin_ended || d->start_refused) && raise_faults(l->diag);
}

/* Whether systemd takes the service as all files together have made it. */
static void judge_service(struct loader *l)
{
	const struct kr_directives *d = &l->directives;
	struct kr_unit *unit = l->unit;
	struct kr_span span;
	const char *fault = kr_directives_fault(d, &span);

	if (!fault)
		return;
	unit->load = KR_UNIT_BAD;
	if (span.file)
		kr_diag_add(l->diag, KR_ERROR, "unit-two-commands", span, "%s",
		            fault);
	else if (blame_line(l))
		return;
	else if (d->start.n_commands == 0 && d->emptied.file)
		kr_diag_add(l->diag, KR_ERROR, "unit-bad", d->emptied,
		            "%s: this line empties it, and no command follows",
		            fault);
	else
		bad(l, unit->fragment_path, fault);
}

/* A file has its path: those of the list go as they are read. */
static int read_dropins(struct loader *l)
{
	_cleanup_free_ char **paths = kr_strings_take(&l->files.dropins);
	int r = 0;

	for (char **p = paths; p && *p; p++) {
		_cleanup_free_ char *path = *p;

		if (r >= 0)
			r = read_dropin(l, path);
	}
	return r;
}

static int load(struct loader *l)
{
	int r = 0;

	if (l->options && l->options->files)
		l->files = TAKE(*l->options->files);
	else
		r = kr_unit_files_find(l->fs, l->unit->name, l->diag,
		                       &l->files);
	if (r < 0)
		return r;
	l->directives.specifiers.fragment_path = l->files.fragment;
	r = l->files.fragment ? read_fragment(l) : 0;
	if (r < 0)
		return r;
	/* the fragment is read under the name that was asked for, the
	 * drop-ins under its own */
	l->directives.specifiers.name = l->files.id;
	r = read_dropins(l);
	if (r < 0)
		return r;
	r = kr_directives_complete(&l->directives);
	if (r < 0)
		return r;
	if (l->unit->load == KR_UNIT_LOADED)
		judge_service(l);
	r = complete_environment(l);
	if (r < 0)
		return r;
	r = complete_before_commands(l);
	l->unit->unread = TAKE(l->files.unread);
	return r < 0 ? r : complete_commands(l);
}

int kr_unit_resolve(struct kr_fs *fs, const char *name,
                    const struct kr_unit_options *options, struct kr_diag *diag,
                    struct kr_unit **ret)
{
	_cleanup_unit_ struct kr_unit *unit = calloc(1, sizeof(*unit));
	struct loader l = {
		.fs = fs,
		.options = options,
		.diag = diag,
		.unit = unit,
		.directives =
			{
				.unit = unit,
				.environment.texts = unit ? &unit->texts : NULL,
				.specifiers = {fs, options, diag, name, NULL},
			},
	};
	int r;

	if (!unit)
		return -ENOMEM;
	unit->load = KR_UNIT_NOT_FOUND;
	unit->name = strdup(name);
	r = unit->name ? load(&l) : -ENOMEM;
	kr_unit_files_done(&l.files);
	kr_directives_done(&l.directives);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(unit);
	return 0;
}

struct kr_unit *kr_unit_free(struct kr_unit *unit)
{
	struct kr_variables variables, shadowed;

	if (!unit)
		return NULL;
	variables = (struct kr_variables){unit->variables, unit->n_variables};
	shadowed = (struct kr_variables){unit->shadowed, unit->n_shadowed};
	kr_variables_done(&variables);
	kr_variables_done(&shadowed);
	kr_arena_done(&unit->texts);
	for (size_t i = 0; i < unit->n_commands; i++) {
		free(unit->commands[i].written);
		kr_unit_command_done(&unit->commands[i]);
	}
	free(unit->commands);
	for (size_t i = 0; i < unit->n_before_commands; i++)
		kr_unit_command_done(&unit->before_commands[i]);
	free(unit->before_commands);
	kr_mounts_done(unit);
	kr_credentials_done(unit);
	free(unit->before_start);
	free(unit->ignored);
	kr_strings_done(&unit->unread);
	kr_strings_done(&unit->environment_files);
	kr_strings_done(&unit->written_environment);
	kr_strings_done(&unit->written_files);
	free(unit->name);
	free(unit->fragment_path);
	free(unit->dropins);
	free(unit->missing_file);
	free(unit->type);
	free(unit->root_directory);
	free(unit->root_image);
	free(unit->working_directory);
	free(unit->user);
	free(unit);
	return NULL;
}

const struct kr_unit_variable *kr_unit_variable(const struct kr_unit *unit,
                                                const char *name)
{
	return KR_FIND(unit->variables, unit->n_variables, name, name);
}
