/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A service inherits the manager's own environment and what User= and
 * PassEnvironment= bring; some variables are made at each start. A
 * manager that runs tells its environment as one block. Without it the files
 * tell what DefaultEnvironment= gives (unit/manager-conf); of PATH and the
 * locale they do not.
 *
 * PassEnvironment= passes what systemd's process itself has: what
 * ManagerEnvironment= gives, else what the kernel's command line gave, which no
 * file tells. Where it has nothing, the manager's block or DefaultEnvironment=
 * stays. (Tried on systemd 252.)
 *
 * WorkingDirectory=~ is the home of User=, or /root where there is none or it
 * is no folder of use: "/", empty, not absolute. (Tried on systemd 252.)
 *
 * Source: acquire_home(), build_environment() in src/core/execute.c,
 * service_spawn() in src/core/service.c of systemd 252.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "unit/credentials.h"
#include "unit/environment-merge.h"
#include "unit/inherit.h"
#include "unit/manager-conf.h"

/* Set at each start. */
static bool made_at_start(const struct kr_directives *d, const char *name)
{
	static const char *const directories[] = {
		[KR_DIRECTORY_RUNTIME] = "RUNTIME_DIRECTORY",
		[KR_DIRECTORY_STATE] = "STATE_DIRECTORY",
		[KR_DIRECTORY_CACHE] = "CACHE_DIRECTORY",
		[KR_DIRECTORY_LOGS] = "LOGS_DIRECTORY",
		[KR_DIRECTORY_CONFIGURATION] = "CONFIGURATION_DIRECTORY",
	};
	bool notify = strncmp(d->unit->type, "notify", 6) == 0;

	static_assert(ARRAY_SIZE(directories) == _KR_DIRECTORY_MAX,
	              "a variable for each");
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		if (strcmp(name, directories[i]) == 0)
			return d->directories[i];
	}
	if (strcmp(name, "CREDENTIALS_DIRECTORY") == 0)
		return d->may_have_credentials;
	if (strcmp(name, "NOTIFY_SOCKET") == 0)
		return notify || d->watchdog;
	if (strncmp(name, "WATCHDOG_", 9) == 0)
		return d->watchdog;
	if (strncmp(name, "LISTEN_", 7) == 0)
		return d->sockets;
	if (strcmp(name, "PIDFILE") == 0)
		return d->pid_file;
	return strcmp(name, "INVOCATION_ID") == 0 ||
	       strcmp(name, "JOURNAL_STREAM") == 0 ||
	       strcmp(name, "SYSTEMD_EXEC_PID") == 0 ||
	       strncmp(name, "MEMORY_PRESSURE_", 16) == 0;
}

/* The manager's own variables, "NAME=value"; NULL: not known. */
static const char *const *manager_block(const struct kr_directives *d)
{
	const struct kr_unit_options *options = d->specifiers.options;

	return options ? options->manager_environment : NULL;
}

static const char *manager_value(const struct kr_directives *d,
                                 const char *name)
{
	const char *const *p = manager_block(d);
	size_t length = strlen(name);

	for (; p && *p; p++) {
		if (strncmp(*p, name, length) == 0 && (*p)[length] == '=')
			return *p + length + 1;
	}
	return NULL;
}

bool kr_inherit_may(void *directives, const char *name)
{
	struct kr_directives *d = directives;

	bool may = made_at_start(d, name);

	if (!may && !manager_block(d))
		may = strcmp(name, "PATH") == 0 || strcmp(name, "LANG") == 0 ||
		      strcmp(name, "LANGUAGE") == 0 ||
		      strncmp(name, "LC_", 3) == 0;
	return may && !kr_environment_is_unset(&d->environment, name);
}

/* The N-th field of the line of USER in /etc/passwd; NULL: not there. */
static char *passwd_field(struct kr_directives *d, const char *user, unsigned n)
{
	const struct kr_file *file;
	size_t length = strlen(user);

	if (kr_fs_read(d->specifiers.fs, "/etc/passwd", &file) < 0)
		return NULL;
	for (const char *s = file->data; *s; s += *s == '\n') {
		const char *field = s;

		s += strcspn(s, "\n");
		if (strncmp(field, user, length) != 0 || field[length] != ':')
			continue;
		for (unsigned i = 0; i < n && field < s; i++)
			field += strcspn(field, ":\n") + 1;
		return field < s ? strndup(field, strcspn(field, ":\n")) : NULL;
	}
	return NULL;
}

/* The name of the user of the number UID in /etc/passwd; NULL: none. */
static char *passwd_name(struct kr_directives *d, const char *uid)
{
	const struct kr_file *file;
	size_t length = strlen(uid);

	if (kr_fs_read(d->specifiers.fs, "/etc/passwd", &file) < 0)
		return NULL;
	for (const char *s = file->data; *s; s += *s == '\n') {
		const char *start = s, *field = s;

		s += strcspn(s, "\n");
		for (unsigned i = 0; i < 2 && field < s; i++)
			field += strcspn(field, ":\n") + 1;
		if (field < s && strncmp(field, uid, length) == 0 &&
		    field[length] == ':')
			return strndup(start, strcspn(start, ":\n"));
	}
	return NULL;
}

/* The home of USER in /etc/passwd, by name or number; NULL: not there. */
static char *passwd_home(struct kr_directives *d, const char *user)
{
	bool number = strspn(user, "0123456789") == strlen(user);
	_cleanup_free_ char *name = NULL;

	if (number)
		name = passwd_name(d, user);
	if (number && !name)
		return NULL;
	return passwd_field(d, name ? name : user, 5);
}

int kr_inherit_home(struct kr_directives *d)
{
	struct kr_unit *unit = d->unit;
	_cleanup_free_ char *home = NULL;

	if (!unit->working_directory ||
	    strcmp(unit->working_directory, "~") != 0)
		return 0;
	if (unit->user && strcmp(unit->user, "root") != 0 &&
	    strcmp(unit->user, "0") != 0) {
		home = passwd_home(d, unit->user);
		if (!home)
			return 0;
	}
	/* a path of no use counts as none */
	if (home && *home == '/' && strspn(home, "/") < strlen(home)) {
		free(unit->working_directory);
		unit->working_directory = TAKE_PTR(home);
		return 0;
	}
	free(unit->working_directory);
	unit->working_directory = strdup("/root");
	return unit->working_directory ? 0 : -ENOMEM;
}

static int inherit(struct kr_directives *d, enum kr_variable_source source,
                   const char *name, const char *value)
{
	return kr_environment_inherit(&d->environment, source, name, value,
	                              d->specifiers.diag);
}

/* HOME, LOGNAME, SHELL and USER, which only User= brings. */
static int inherit_user(struct kr_directives *d)
{
	_cleanup_free_ char *home = NULL, *shell = NULL;
	const char *user = d->unit->user;
	int r;

	if (!user)
		return 0;
	if (strcmp(user, "root") != 0) {
		home = passwd_field(d, user, 5);
		shell = passwd_field(d, user, 6);
	}
	r = inherit(d, KR_VARIABLE_MADE, "HOME",
	            strcmp(user, "root") == 0 ? "/root" : home);
	if (r < 0)
		return r;
	r = inherit(d, KR_VARIABLE_MADE, "LOGNAME", user);
	if (r < 0)
		return r;
	r = inherit(d, KR_VARIABLE_MADE, "USER", user);
	if (r < 0)
		return r;
	return inherit(d, KR_VARIABLE_MADE, "SHELL", shell);
}

/* CREDENTIALS_DIRECTORY, the same as "%d". */
static int inherit_credentials(struct kr_directives *d)
{
	_cleanup_free_ char *folder = NULL;
	int r = kr_credentials_complete(d->unit, d->specifiers.name, &folder,
	                                &d->may_have_credentials);

	if (r < 0 || !folder)
		return r;
	return inherit(d, KR_VARIABLE_MADE, "CREDENTIALS_DIRECTORY", folder);
}

/* The variables of KEY in system.conf; the caller frees them. */
static int read_conf(struct kr_directives *d, const char *key,
                     struct kr_variables *ret)
{
	struct kr_environment e = {.texts = d->environment.texts,
	                           .held = d->environment.held};
	int r = kr_manager_conf_read(&d->specifiers, key, &e);

	d->environment.held = e.held;
	*ret = TAKE(e.unit);
	kr_environment_done(&e);
	return r;
}

/* Whether one of VARIABLES, which a file gives, has that NAME. */
static bool contains(const struct kr_variables *variables, const char *name)
{
	KR_EACH(const struct kr_unit_variable, v, variables->items,
	        variables->n_items) {
		if (v->file && strcmp(v->name, name) == 0)
			return true;
	}
	return false;
}

/* A variable of PassEnvironment= that ManagerEnvironment= does not set. */
static int inherit_passed(struct kr_directives *d, const char *name)
{
	const char *value = manager_value(d, name);
	bool stays = !value && contains(&d->environment.all, name);

	if (!value)
		kr_diag_add_path(
			d->specifiers.diag, stays ? KR_NOTE : KR_WARNING,
			"pass-environment-unknown", d->unit->fragment_path,
			"PassEnvironment= passes '%s', whose value is "
			"not in a file%s",
			name,
			stays ? ": it is taken to be that of "
				"DefaultEnvironment="
			      : "");
	return stays ? 0 : inherit(d, KR_VARIABLE_MANAGER, name, value);
}

static int inherit_pass(struct kr_directives *d)
{
	struct kr_strings *pass = &d->environment.pass;
	_cleanup_variables_ struct kr_variables known = {0};
	int r;

	if (pass->n_items == 0)
		return 0;
	r = read_conf(d, "ManagerEnvironment", &known);
	if (r < 0)
		return r;
	for (size_t i = 0; i < pass->n_items; i++) {
		r = contains(&known, pass->items[i])
		            ? 0
		            : inherit_passed(d, pass->items[i]);
		if (r < 0)
			return r;
	}
	KR_EACH(struct kr_unit_variable, v, known.items, known.n_items) {
		r = kr_strings_contain(pass, v->name)
		            ? kr_environment_inherit_one(&d->environment, v)
		            : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int inherit_block(struct kr_directives *d, const char *const *block)
{
	for (const char *const *p = block; *p; p++) {
		const char *equals = strchr(*p, '=');
		_cleanup_free_ char *name = NULL;
		int r;

		if (!equals)
			continue;
		name = strndup(*p, (size_t)(equals - *p));
		if (!name)
			return -ENOMEM;
		r = inherit(d, KR_VARIABLE_MANAGER, name, equals + 1);
		if (r < 0)
			return r;
	}
	return 0;
}

static int inherit_manager(struct kr_directives *d)
{
	if (manager_block(d))
		return inherit_block(d, manager_block(d));
	/* the first that it gets */
	return read_conf(d, "DefaultEnvironment", &d->environment.all);
}

int kr_inherit(struct kr_directives *d)
{
	int r = inherit_manager(d);

	if (r < 0)
		return r;
	r = inherit_user(d);
	if (r < 0)
		return r;
	r = inherit_credentials(d);
	if (r < 0)
		return r;
	if (d->search_path)
		r = inherit(d, KR_VARIABLE_MADE, "PATH", d->search_path);
	return r < 0 ? r : inherit_pass(d);
}
