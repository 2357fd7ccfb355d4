/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From a unit's name to what systemd would run: the files are found
 * (unit/path), read in order (unit/syntax), the directives that matter taken
 * from them, the environment put together (unit/environment) and the commands
 * expanded with it (unit/expand).
 *
 * In the fragment a fault in a command, in a section header or in the encoding
 * stops the unit from being loaded; in a drop-in it only ends that drop-in.
 * Then the unit as a whole is judged as service_verify() does.
 *
 * What systemd adds to the environment itself is known only in part from files:
 * a command that expands such a variable has an unknown word.
 *
 * Source: src/core/load-fragment.c, src/core/load-dropin.c, src/core/service.c,
 * build_environment() in src/core/execute.c of systemd 252.
 */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "unit/environment.h"
#include "unit/exec.h"
#include "unit/expand.h"
#include "unit/path.h"
#include "unit/resolve.h"
#include "unit/specifier.h"
#include "unit/syntax.h"

#define PATH_DEFAULT                                                           \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct loader {
	struct kr_fs *fs;
	const struct kr_unit_options *options;
	struct kr_diag *diag;
	struct kr_unit *unit;
	struct kr_unit_files files;
	struct kr_specifiers specifiers;
	struct kr_environment environment;
	struct kr_exec start;
	/* directives of which only being there, or the text, counts */
	char *bus_name, *restart, *remain, *success_action, *force_restart;
	char *search_path;
	struct kr_exec stop;
	bool directories[5]; /* RuntimeDirectory= and so on are set */
	bool credentials, watchdog, sockets, pid_file;
};

typedef int directive_fn(struct loader *l, struct kr_text *value,
                         size_t member);

/* --- directives
 * --------------------------------------------------------------- */

static int take_exec_start(struct loader *l, struct kr_text *value,
                           size_t member)
{
	return kr_exec_parse(&l->start, &l->specifiers, value);
}

static int take_exec_stop(struct loader *l, struct kr_text *value,
                          size_t member)
{
	return kr_exec_parse(&l->stop, &l->specifiers, value);
}

/* The other commands matter only if they are wrong. */
static int take_exec_other(struct loader *l, struct kr_text *value,
                           size_t member)
{
	struct kr_exec exec = {0};
	int r = kr_exec_parse(&exec, &l->specifiers, value);

	kr_exec_done(&exec);
	return r;
}

static int take_environment(struct loader *l, struct kr_text *value,
                            size_t member)
{
	return kr_environment_assign(&l->environment, &l->specifiers, value);
}

static int take_environment_file(struct loader *l, struct kr_text *value,
                                 size_t member)
{
	return kr_environment_add_file(&l->environment, &l->specifiers, value);
}

static int take_unset(struct loader *l, struct kr_text *value, size_t member)
{
	return kr_environment_unset(&l->environment, &l->specifiers, value);
}

static int take_pass(struct loader *l, struct kr_text *value, size_t member)
{
	return kr_environment_pass(&l->environment, &l->specifiers, value);
}

static char **string_at(void *base, size_t member)
{
	return (char **)((char *)base + member);
}

static int set_string(char **to, const char *value)
{
	free(*to);
	*to = *value ? strdup(value) : NULL;
	return *value && !*to ? -ENOMEM : 0;
}

/* The text as it is; empty takes it back. */
static int take_text(struct loader *l, struct kr_text *value, size_t member)
{
	return set_string(string_at(l, member), value->bytes);
}

/* The text of a member of the unit, specifiers resolved. */
static int take_resolved(struct loader *l, struct kr_text *value, size_t member)
{
	_cleanup_text_ struct kr_text text = {0};
	bool any = false, unknown = false;
	int r = kr_specifiers_expand(&l->specifiers, value, PATH_MAX - 1, &text,
	                             &any, &unknown);

	if (r < 0 && r != -ENOMEM)
		return 0; /* systemd ignores the line */
	return r < 0 ? r : set_string(string_at(l->unit, member), text.bytes);
}

/* A path; with "-" it may be missing. */
static int take_folder(struct loader *l, struct kr_text *value, size_t member)
{
	char **to = string_at(l->unit, member);
	_cleanup_free_ char *old = *to;
	char *path = NULL;
	int r;

	*to = NULL;
	r = take_resolved(l, value, member);
	if (r < 0 || !*to)
		return r;
	if (**to == '-')
		memmove(*to, *to + 1, strlen(*to));
	if (strcmp(*to, "~") == 0)
		return 0;
	if (**to == '/')
		path = kr_path_normalise(*to);
	else
		path = TAKE_PTR(old); /* not absolute: the line is ignored */
	free(*to);
	*to = path;
	return 0;
}

static const char *const service_types[] = {
	"simple", "exec",   "forking",       "oneshot",
	"dbus",   "notify", "notify-reload", "idle",
};

static int take_type(struct loader *l, struct kr_text *value, size_t member)
{
	for (size_t i = 0; i < ARRAY_SIZE(service_types); i++) {
		if (strcmp(value->bytes, service_types[i]) == 0)
			return set_string(&l->unit->type, value->bytes);
	}
	kr_diag_add(l->diag, KR_WARNING, "unit-type-invalid",
	            kr_text_span(value, 0, value->length),
	            "type is unknown: ignored");
	return 0;
}

/* Whether the directive is set to anything. */
static int take_flag(struct loader *l, struct kr_text *value, size_t member)
{
	*((bool *)l + member) = value->length > 0;
	return 0;
}

#define IN_LOADER(name) offsetof(struct loader, name)
#define IN_UNIT(name)   offsetof(struct kr_unit, name)

static const struct directive {
	const char *section, *key;
	directive_fn *take;
	size_t member;
} directives[] = {
	{"Service", "ExecStart", take_exec_start},
	{"Service", "Environment", take_environment},
	{"Service", "EnvironmentFile", take_environment_file},
	{"Service", "UnsetEnvironment", take_unset},
	{"Service", "PassEnvironment", take_pass},
	{"Service", "Type", take_type},
	{"Service", "User", take_resolved, IN_UNIT(user)},
	{"Service", "WorkingDirectory", take_folder,
         IN_UNIT(working_directory)},
	{"Service", "RootDirectory", take_folder, IN_UNIT(root_directory)},
	{"Service", "RootImage", take_folder, IN_UNIT(root_image)},
	{"Service", "ExecSearchPath", take_text, IN_LOADER(search_path)},
	{"Service", "ExecStop", take_exec_stop},
	{"Service", "ExecCondition", take_exec_other},
	{"Service", "ExecStartPre", take_exec_other},
	{"Service", "ExecStartPost", take_exec_other},
	{"Service", "ExecReload", take_exec_other},
	{"Service", "ExecStopPost", take_exec_other},
	{"Service", "BusName", take_text, IN_LOADER(bus_name)},
	{"Service", "Restart", take_text, IN_LOADER(restart)},
	{"Service", "RemainAfterExit", take_text, IN_LOADER(remain)},
	{"Service", "RestartForceExitStatus", take_text,
         IN_LOADER(force_restart)},
	{"Unit", "SuccessAction", take_text, IN_LOADER(success_action)},
	{"Service", "RuntimeDirectory", take_flag, IN_LOADER(directories[0])},
	{"Service", "StateDirectory", take_flag, IN_LOADER(directories[1])},
	{"Service", "CacheDirectory", take_flag, IN_LOADER(directories[2])},
	{"Service", "LogsDirectory", take_flag, IN_LOADER(directories[3])},
	{"Service", "ConfigurationDirectory", take_flag,
         IN_LOADER(directories[4])},
	{"Service", "LoadCredential", take_flag, IN_LOADER(credentials)},
	{"Service", "SetCredential", take_flag, IN_LOADER(credentials)},
	{"Service", "WatchdogSec", take_flag, IN_LOADER(watchdog)},
	{"Service", "PIDFile", take_flag, IN_LOADER(pid_file)},
	{"Service", "Sockets", take_flag, IN_LOADER(sockets)},
};

static const char *const sections[] = {"Unit", "Service", "Install", NULL};

static int assign(void *userdata, const char *section, const char *key,
                  struct kr_text *value)
{
	struct loader *l = userdata;

	for (size_t i = 0; i < ARRAY_SIZE(directives); i++) {
		if (strcmp(directives[i].key, key) == 0 &&
		    strcmp(directives[i].section, section) == 0)
			return directives[i].take(l, value,
			                          directives[i].member);
	}
	return 0;
}

/* --- files
 * ----------------------------------------------------------------------- */

static int unreadable(struct loader *l, const char *path, int r)
{
	if (r != -ENOMEM)
		kr_diag_add_path(l->diag, KR_ERROR, "file-unreadable", path,
		                 "file cannot be read: %s", strerror(-r));
	return r;
}

static int bad(struct loader *l, const char *path, const char *text)
{
	l->unit->load = KR_UNIT_BAD;
	kr_diag_add_path(l->diag, KR_ERROR, "unit-bad", path, "%s", text);
	return 0;
}

static int read_fragment(struct loader *l)
{
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
	if (r == -EINVAL) /* a link to a device masks, too */
		return 0;
	if (r == -EISDIR || r == -ELOOP)
		return bad(l, path, "unit is no file");
	if (r == -ENOENT)
		l->unit->load = KR_UNIT_NOT_FOUND;
	if (r < 0)
		return r == -ENOENT ? 0 : unreadable(l, path, r);
	l->unit->fragment = file;
	if (file->size == 0)
		return 0;
	l->unit->load = KR_UNIT_LOADED;
	r = kr_syntax_parse(file, sections, assign, l, l->diag);
	if (r == -ENOMEM)
		return r;
	return r < 0 ? bad(l, path, "unit cannot be loaded") : 0;
}

/* What is wrong in a drop-in ends it, and is nothing but a warning. */
/* A device: /dev/null is how a drop-in is masked. */
static bool is_null(struct loader *l, const char *path)
{
	_cleanup_stat_ struct kr_stat st = {0};

	return kr_fs_stat(l->fs, path, true, &st) == 0 &&
	       S_ISCHR(st.st.st_mode);
}

static int read_dropin(struct loader *l, const char *path)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	struct kr_unit *unit = l->unit;
	const struct kr_file *file, **grown;
	int r = kr_fs_read(l->fs, path, &file);

	/* a link that leads nowhere, or to /dev/null */
	if (r == -ENOENT || r == -ELOOP || (r == -EINVAL && is_null(l, path)))
		return 0;
	if (r == -EISDIR || r == -EINVAL) {
		kr_diag_add_path(l->diag, KR_WARNING, "dropin-not-a-file", path,
		                 "drop-in is no regular file: systemd reads "
		                 "nothing from it");
		return 0;
	}
	if (r < 0)
		return unreadable(l, path, r);
	grown = reallocarray(unit->dropins, unit->n_dropins + 1,
	                     sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	unit->dropins = grown;
	grown[unit->n_dropins++] = file;
	l->specifiers.diag = &diag;
	r = kr_syntax_parse(file, sections, assign, l, &diag);
	l->specifiers.diag = l->diag;
	for (size_t i = 0; i < diag.n_messages; i++)
		diag.messages[i].severity = KR_WARNING;
	if (l->diag)
		kr_diag_merge(l->diag, &diag);
	return r == -ENOMEM ? r : 0;
}

/* --- the unit as a whole
 * --------------------------------------------------------- */

static int complete_type(struct loader *l)
{
	if (l->unit->type)
		return 0;
	return set_string(&l->unit->type, l->bus_name           ? "dbus"
	                                  : l->start.n_commands ? "simple"
	                                                        : "oneshot");
}

static bool is_true(const char *s)
{
	return s && (strcasecmp(s, "yes") == 0 || strcasecmp(s, "y") == 0 ||
	             strcasecmp(s, "true") == 0 || strcasecmp(s, "t") == 0 ||
	             strcasecmp(s, "on") == 0 || strcmp(s, "1") == 0);
}

static const char *find_fault(const struct loader *l)
{
	bool oneshot = strcmp(l->unit->type, "oneshot") == 0;
	bool action =
		l->success_action && strcmp(l->success_action, "none") != 0;
	bool always = l->restart && (strcmp(l->restart, "always") == 0 ||
	                             strcmp(l->restart, "on-success") == 0);
	size_t n = l->start.n_commands;

	if (n == 0 && l->stop.n_commands == 0 && !action)
		return "service has no ExecStart=";
	if (n == 0 && !oneshot)
		return "service has no ExecStart=, which only Type=oneshot "
		       "may lack";
	if (n == 0 && !is_true(l->remain) && !action)
		return "service has no ExecStart=, which needs "
		       "RemainAfterExit=yes";
	if (n > 1 && !oneshot)
		return "service has more than one ExecStart=, which only "
		       "Type=oneshot may have";
	if (oneshot && always)
		return "service has Type=oneshot and a Restart= that is not "
		       "allowed with it";
	if (strcmp(l->unit->type, "dbus") == 0 && !l->bus_name)
		return "service has Type=dbus and no BusName=";
	return NULL;
}

/* --- what systemd adds to the environment
 * ------------------------------------------ */

/* Set for each start anew. */
static bool made_at_start(const struct loader *l, const char *name)
{
	static const char *const folders[] = {
		"RUNTIME_DIRECTORY", "STATE_DIRECTORY", "CACHE_DIRECTORY",
		"LOGS_DIRECTORY", "CONFIGURATION_DIRECTORY"};
	bool notify = strncmp(l->unit->type, "notify", 6) == 0;

	static_assert(ARRAY_SIZE(folders) ==
	                      sizeof(((struct loader *)0)->directories),
	              "a variable for each kind of folder");
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		if (strcmp(name, folders[i]) == 0)
			return l->directories[i];
	}
	if (strcmp(name, "CREDENTIALS_DIRECTORY") == 0)
		return l->credentials;
	if (strcmp(name, "NOTIFY_SOCKET") == 0)
		return notify || l->watchdog;
	if (strncmp(name, "WATCHDOG_", 9) == 0)
		return l->watchdog;
	if (strncmp(name, "LISTEN_", 7) == 0)
		return l->sockets;
	if (strcmp(name, "PIDFILE") == 0)
		return l->pid_file;
	return strcmp(name, "INVOCATION_ID") == 0 ||
	       strcmp(name, "JOURNAL_STREAM") == 0 ||
	       strcmp(name, "SYSTEMD_EXEC_PID") == 0 ||
	       strncmp(name, "MEMORY_PRESSURE_", 16) == 0;
}

static const char *manager_value(const struct loader *l, const char *name)
{
	size_t length = strlen(name);

	if (!l->options || !l->options->manager_environment)
		return NULL;
	for (const char *const *p = l->options->manager_environment; *p; p++) {
		if (strncmp(*p, name, length) == 0 && (*p)[length] == '=')
			return *p + length + 1;
	}
	return NULL;
}

/* Whether a variable that no file sets may have a value all the same. */
static bool inherited(void *userdata, const char *name)
{
	struct loader *l = userdata;

	if (kr_strings_contain(&l->environment.unset, name))
		return false;
	if (made_at_start(l, name))
		return true;
	if (l->options && l->options->manager_environment)
		return false;
	return strcmp(name, "PATH") == 0 || strcmp(name, "LANG") == 0 ||
	       strcmp(name, "LANGUAGE") == 0 || strncmp(name, "LC_", 3) == 0;
}

/* The N-th field of the line of USER in /etc/passwd; NULL: not there. */
static char *passwd_field(struct loader *l, const char *user, unsigned n)
{
	const struct kr_file *file;
	size_t length = strlen(user);

	if (kr_fs_read(l->fs, "/etc/passwd", &file) < 0)
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

/* HOME, LOGNAME, SHELL and USER, which only User= brings. */
static int inherit_user(struct loader *l)
{
	_cleanup_free_ char *home = NULL, *shell = NULL;
	const char *user = l->unit->user;
	int r;

	if (!user)
		return 0;
	if (strcmp(user, "root") != 0) {
		home = passwd_field(l, user, 5);
		shell = passwd_field(l, user, 6);
	}
	r = kr_environment_inherit(&l->environment, "HOME",
	                           strcmp(user, "root") == 0 ? "/root" : home);
	if (r == 0)
		r = kr_environment_inherit(&l->environment, "LOGNAME", user);
	if (r == 0)
		r = kr_environment_inherit(&l->environment, "USER", user);
	return r < 0 ? r
	             : kr_environment_inherit(&l->environment, "SHELL", shell);
}

static int inherit_pass(struct loader *l)
{
	struct kr_strings *pass = &l->environment.pass;
	int r = 0;

	for (size_t i = 0; r == 0 && i < pass->n_items; i++) {
		const char *value = manager_value(l, pass->items[i]);

		if (!value)
			kr_diag_add_path(l->diag, KR_WARNING,
			                 "pass-environment-unknown",
			                 l->unit->fragment_path,
			                 "PassEnvironment= passes '%s', whose "
			                 "value is not in a file",
			                 pass->items[i]);
		r = kr_environment_inherit(&l->environment, pass->items[i],
		                           value);
	}
	return r;
}

static int inherit(struct loader *l)
{
	const char *const *p = NULL;
	int r = 0;

	if (l->options)
		p = l->options->manager_environment;
	for (; r == 0 && p && *p; p++) {
		const char *equals = strchr(*p, '=');
		_cleanup_free_ char *name = NULL;

		if (!equals)
			continue;
		name = strndup(*p, (size_t)(equals - *p));
		r = name ? kr_environment_inherit(&l->environment, name,
		                                  equals + 1)
		         : -ENOMEM;
	}
	if (r == 0)
		r = inherit_user(l);
	if (r == 0 && l->search_path)
		r = kr_environment_inherit(&l->environment, "PATH",
		                           l->search_path);
	return r == 0 ? inherit_pass(l) : r;
}

/* --- the result
 * ----------------------------------------------------------------------- */

/* Environment= and EnvironmentFile= as the manager holds them. */
static int keep_written(struct loader *l)
{
	struct kr_environment *e = &l->environment;
	struct kr_unit *unit = l->unit;

	unit->written_environment = calloc(e->unit.n_items + 1, sizeof(char *));
	if (!unit->written_environment)
		return -ENOMEM;
	for (size_t i = 0; i < e->unit.n_items; i++) {
		const struct kr_unit_variable *v = &e->unit.items[i];
		const char *value = v->value.bytes ? v->value.bytes : "";

		if (asprintf(&unit->written_environment[i], "%s=%s", v->name,
		             value) < 0)
			return -ENOMEM;
		unit->n_written_environment++;
	}
	unit->written_files = TAKE_PTR(e->paths.items);
	unit->n_written_files = e->paths.n_items;
	e->paths.n_items = 0;
	return 0;
}

static int keep_words(const struct kr_exec_command *from,
                      struct kr_unit_command *to)
{
	to->written = calloc(from->n_words + 1, sizeof(char *));
	if (!to->written)
		return -ENOMEM;
	for (size_t i = 0; i < from->n_words; i++) {
		const char *bytes = from->words[i].text.bytes;

		to->written[i] = strdup(bytes ? bytes : "");
		if (!to->written[i])
			return -ENOMEM;
	}
	return 0;
}

static int complete_environment(struct loader *l)
{
	struct kr_environment *e = &l->environment;
	struct kr_unit *unit = l->unit;
	struct kr_variables variables = {0};
	unsigned version = l->options ? l->options->systemd_version : 0;
	int r = inherit(l);

	if (r < 0)
		return r;
	r = kr_environment_read(e, l->fs, version, l->diag);
	if (r == -ENOEXEC)
		unit->load = KR_UNIT_BAD;
	if (r == 1) {
		unit->load = KR_UNIT_NO_ENVIRONMENT_FILE;
		unit->missing_file = TAKE_PTR(e->missing);
		kr_diag_add_path(l->diag, KR_WARNING,
		                 "environment-file-missing", unit->missing_file,
		                 "environment file is not there: the service "
		                 "cannot start");
	}
	if (r < 0 && r != -ENOEXEC)
		return r;
	r = keep_written(l);
	if (r < 0)
		return r;
	r = kr_environment_merge(e, &variables);
	unit->variables = variables.items;
	unit->n_variables = variables.n_items;
	unit->shadowed = TAKE_PTR(e->shadowed.items);
	unit->n_shadowed = e->shadowed.n_items;
	e->shadowed.n_items = 0;
	unit->environment_files = TAKE_PTR(e->read.items);
	unit->n_environment_files = e->read.n_items;
	e->read.n_items = 0;
	return r;
}

/* A program without a path is looked for in the search path. */
static int find_program(struct loader *l, char **path)
{
	const char *s = l->search_path ? l->search_path : PATH_DEFAULT;

	while (**path != '/' && *s) {
		_cleanup_free_ char *folder = strndup(s, strcspn(s, ":"));
		_cleanup_free_ char *found =
			folder ? kr_path_join(folder, *path) : NULL;
		_cleanup_stat_ struct kr_stat st = {0};

		if (!found)
			return -ENOMEM;
		s += strcspn(s, ":");
		s += *s == ':';
		if (kr_fs_stat(l->fs, found, true, &st) < 0 ||
		    !S_ISREG(st.st.st_mode) || !(st.st.st_mode & 0111))
			continue;
		free(*path);
		*path = TAKE_PTR(found);
	}
	return 0;
}

static int complete_commands(struct loader *l)
{
	struct kr_unit *unit = l->unit;
	int r = 0;

	unit->commands =
		calloc(l->start.n_commands + 1, sizeof(*unit->commands));
	if (!unit->commands)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < l->start.n_commands; i++) {
		const struct kr_exec_command *c = &l->start.commands[i];

		r = kr_expand_command(unit, c, &l->start.lines[c->line],
		                      inherited, l, l->diag,
		                      &unit->commands[i]);
		if (r == 0) {
			unit->n_commands++;
			r = keep_words(c, &unit->commands[i]);
		}
		if (r == 0)
			r = find_program(l, &unit->commands[i].path);
	}
	return r;
}

static int load(struct loader *l)
{
	struct kr_unit *unit = l->unit;
	const char *fault;
	int r = kr_unit_files_find(l->fs, unit->name, l->diag, &l->files);

	if (r < 0)
		return r;
	l->specifiers.fragment_path = l->files.fragment;
	if (l->files.fragment)
		r = read_fragment(l);
	/* the fragment is read under the name that was asked for, the
	 * drop-ins under its own */
	l->specifiers.name = l->files.id;
	for (size_t i = 0; r == 0 && i < l->files.n_dropins; i++)
		r = read_dropin(l, l->files.dropins[i]);
	if (r == 0)
		r = complete_type(l);
	fault = r == 0 && unit->load == KR_UNIT_LOADED ? find_fault(l) : NULL;
	if (fault)
		r = bad(l, unit->fragment_path, fault);
	if (r == 0)
		r = complete_environment(l);
	if (r == 0)
		r = complete_commands(l);
	return r;
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
		.specifiers = {fs, options, diag, name, NULL},
	};
	int r;

	if (!unit)
		return -ENOMEM;
	unit->load = KR_UNIT_NOT_FOUND;
	unit->name = strdup(name);
	r = unit->name ? load(&l) : -ENOMEM;
	kr_unit_files_done(&l.files);
	kr_environment_done(&l.environment);
	kr_exec_done(&l.start);
	kr_exec_done(&l.stop);
	free(l.bus_name);
	free(l.restart);
	free(l.remain);
	free(l.success_action);
	free(l.force_restart);
	free(l.search_path);
	if (r == 0)
		*ret = TAKE_PTR(unit);
	return r;
}

static void free_strings(char **strings, size_t n)
{
	struct kr_strings list = {strings, n};

	kr_strings_done(&list);
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
	for (size_t i = 0; i < unit->n_commands; i++) {
		for (char **w = unit->commands[i].written; w && *w; w++)
			free(*w);
		free(unit->commands[i].written);
		kr_unit_command_done(&unit->commands[i]);
	}
	free(unit->commands);
	free_strings(unit->environment_files, unit->n_environment_files);
	free_strings(unit->written_environment, unit->n_written_environment);
	free_strings(unit->written_files, unit->n_written_files);
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
	for (size_t i = 0; i < unit->n_variables; i++) {
		if (strcmp(unit->variables[i].name, name) == 0)
			return &unit->variables[i];
	}
	return NULL;
}
