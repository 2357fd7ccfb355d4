/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The directives of a service that matter to what it runs: one row of a table
 * each. Of most of them the text is kept as it is; of some only that they are
 * set. Those that mount are unit/mounts', those that give credentials
 * unit/credentials'. What none has is passed over.
 *
 * The service as a whole is then judged as service_verify() does.
 *
 * Source: src/core/load-fragment-gperf.gperf.in, src/core/load-fragment.c,
 * src/core/service.c of systemd 252.
 */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "unit/credentials.h"
#include "unit/directives.h"
#include "unit/environment-files.h"
#include "unit/mounts.h"
#include "unit/syntax.h"

#define IN_DIRECTIVES(name) offsetof(struct kr_directives, name)
#define IN_UNIT(name)       offsetof(struct kr_unit, name)

typedef int directive_fn(struct kr_directives *d, struct kr_text *value,
                         size_t member);

static int take_exec_start(struct kr_directives *d, struct kr_text *value,
                           size_t member)
{
	bool empty = value->length == 0;
	size_t before = d->start.n_commands;
	int r = kr_exec_parse(&d->start, &d->specifiers, value);

	if (empty && (before > 0 || !d->emptied.file))
		d->emptied = d->line;
	d->start_refused =
		!empty && (d->start_refused || d->start.n_commands == before);
	return r;
}

static int take_exec_stop(struct kr_directives *d, struct kr_text *value,
                          size_t member)
{
	return kr_exec_parse(&d->stop, &d->specifiers, value);
}

/* The other commands matter only if they are wrong. */
static int take_exec_other(struct kr_directives *d, struct kr_text *value,
                           size_t member)
{
	struct kr_exec exec = {0};
	int r = kr_exec_parse(&exec, &d->specifiers, value);

	kr_exec_done(&exec);
	return r;
}

/* The commands that run before kubelet; an empty value clears the earlier
 * ones. */
static int take_exec_start_pre(struct kr_directives *d, struct kr_text *value,
                               size_t member)
{
	struct kr_span span = kr_text_span(value, 0, value->length);
	struct kr_unit *unit = d->unit;
	bool empty = value->length == 0;
	int r;

	r = kr_exec_parse(&d->start_pre, &d->specifiers, value);
	if (r < 0)
		return r;
	if (empty) {
		unit->n_before_start = 0;
		return 0;
	}
	return KR_VEC_MOVE(unit->before_start, unit->n_before_start, &span);
}

static int take_environment(struct kr_directives *d, struct kr_text *value,
                            size_t member)
{
	return kr_environment_assign(&d->environment, &d->specifiers, value);
}

static int take_environment_file(struct kr_directives *d, struct kr_text *value,
                                 size_t member)
{
	return kr_environment_add_file(&d->environment, &d->specifiers, value);
}

static int take_unset(struct kr_directives *d, struct kr_text *value,
                      size_t member)
{
	return kr_environment_unset(&d->environment, &d->specifiers, value);
}

static int take_pass(struct kr_directives *d, struct kr_text *value,
                     size_t member)
{
	return kr_environment_pass(&d->environment, &d->specifiers, value);
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

/* The text as it is; empty clears it. */
static int take_text(struct kr_directives *d, struct kr_text *value,
                     size_t member)
{
	return set_string(string_at(d, member), value->bytes);
}

/* The text of a member of the unit, specifiers resolved. */
static int take_resolved(struct kr_directives *d, struct kr_text *value,
                         size_t member)
{
	_cleanup_text_ struct kr_text text = {0};
	bool any = false, unknown = false;
	int r = kr_specifiers_expand(&d->specifiers, value, PATH_MAX - 1, &text,
	                             &any, &unknown);

	if (r < 0 && r != -ENOMEM)
		return 0; /* systemd ignores the line */
	return r < 0 ? r : set_string(string_at(d->unit, member), text.bytes);
}

/* A path; with "-" it may be missing. */
static int take_folder(struct kr_directives *d, struct kr_text *value,
                       size_t member)
{
	char **to = string_at(d->unit, member);
	_cleanup_free_ char *old = *to;
	char *path = NULL;
	int r;

	*to = NULL;
	r = take_resolved(d, value, member);
	if (r < 0 || !*to)
		return r;
	if (member == IN_UNIT(working_directory))
		d->may_be_missing = **to == '-';
	if (**to == '-')
		memmove(*to, *to + 1, strlen(*to));
	if (strcmp(*to, "~") == 0 && member == IN_UNIT(working_directory))
		return 0;
	if (**to == '/')
		path = kr_path_normalise(*to);
	else
		path = TAKE_PTR(old); /* not absolute: the line is ignored */
	free(*to);
	*to = path;
	/* the host's own root is no other */
	if (member == IN_UNIT(root_directory) && path && !path[1]) {
		free(path);
		*to = NULL;
	}
	return 0;
}

static const char *const service_types[] = {
	"simple", "exec",   "forking",       "oneshot",
	"dbus",   "notify", "notify-reload", "idle",
};

static int take_type(struct kr_directives *d, struct kr_text *value,
                     size_t member)
{
	for (size_t i = 0; i < ARRAY_SIZE(service_types); i++) {
		if (strcmp(value->bytes, service_types[i]) == 0)
			return set_string(&d->unit->type, value->bytes);
	}
	kr_diag_add(d->specifiers.diag, KR_WARNING, "unit-type-invalid",
	            kr_text_span(value, 0, value->length),
	            "type is unknown: ignored");
	return 0;
}

/* Whether the directive is set to anything. */
static int take_flag(struct kr_directives *d, struct kr_text *value,
                     size_t member)
{
	*((bool *)d + member) = value->length > 0;
	return 0;
}

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
	{"Service", "ExecSearchPath", take_text, IN_DIRECTIVES(search_path)},
	{"Service", "LimitSTACK", take_text, IN_DIRECTIVES(limit_stack)},
	{"Service", "ExecStop", take_exec_stop},
	{"Service", "ExecCondition", take_exec_other},
	{"Service", "ExecStartPre", take_exec_start_pre},
	{"Service", "ExecStartPost", take_exec_other},
	{"Service", "ExecReload", take_exec_other},
	{"Service", "ExecStopPost", take_exec_other},
	{"Service", "BusName", take_text, IN_DIRECTIVES(bus_name)},
	{"Service", "Restart", take_text, IN_DIRECTIVES(restart)},
	{"Service", "RemainAfterExit", take_text, IN_DIRECTIVES(remain)},
	{"Unit", "SuccessAction", take_text, IN_DIRECTIVES(success_action)},
	{"Service", "RuntimeDirectory", take_flag,
         IN_DIRECTIVES(directories[KR_DIRECTORY_RUNTIME])},
	{"Service", "StateDirectory", take_flag,
         IN_DIRECTIVES(directories[KR_DIRECTORY_STATE])},
	{"Service", "CacheDirectory", take_flag,
         IN_DIRECTIVES(directories[KR_DIRECTORY_CACHE])},
	{"Service", "LogsDirectory", take_flag,
         IN_DIRECTIVES(directories[KR_DIRECTORY_LOGS])},
	{"Service", "ConfigurationDirectory", take_flag,
         IN_DIRECTIVES(directories[KR_DIRECTORY_CONFIGURATION])},
	{"Service", "WatchdogSec", take_flag, IN_DIRECTIVES(watchdog)},
	{"Service", "PIDFile", take_flag, IN_DIRECTIVES(pid_file)},
	{"Service", "Sockets", take_flag, IN_DIRECTIVES(sockets)},
};

static const char *const sections[] = {"Unit", "Service", "Install", NULL};

/* --- lines that systemd ignores ------------------------------------------ */

/* Whether the LENGTH bytes at A are the word B, but for letters' case and one
 * slip: a letter more, less or another one, or two exchanged. */
static bool is_near(const char *a, size_t length, const char *b)
{
	size_t n = length, m = strlen(b), i = 0;

	while (i < n && i < m && strncasecmp(a + i, b + i, 1) == 0)
		i++;
	for (; n > i && m > i && strncasecmp(a + n - 1, b + m - 1, 1) == 0; n--)
		m--;
	return (n < i + 2 && m < i + 2) ||
	       (n == i + 2 && m == i + 2 &&
	        strncasecmp(a + i, b + i + 1, 1) == 0 &&
	        strncasecmp(a + i + 1, b + i, 1) == 0);
}

/* systemd logs no more than that it does not know the name. */
static void say_ignored(struct kr_directives *d, const struct directive *meant,
                        const char *section, const char *key, bool no_equals)
{
	bool is_start = meant->take == take_exec_start;
	const char *code = is_start ? "exec-start-ignored" : "unit-key-ignored";
	struct kr_diag *diag = d->specifiers.diag;

	d->start_refused = d->start_refused || is_start;
	if (no_equals)
		kr_diag_add(diag, KR_WARNING, code, d->line,
		            "'=' is missing behind %s: the line is ignored",
		            meant->key);
	else if (strcmp(meant->key, key) != 0)
		kr_diag_add(diag, KR_WARNING, code, d->line,
		            "'%s=' is unknown: ignored; did you mean '%s='?",
		            key, meant->key);
	else
		kr_diag_add(diag, KR_WARNING, code, d->line,
		            "%s= is ignored in [%s]: it must be in [%s]", key,
		            section, meant->section);
}

/* Says what a line that systemd ignores was meant to be; where that is unknown
 * and it may hold an argument, it is kept. */
static int ignore(struct kr_directives *d, const char *section, const char *key,
                  const struct kr_text *value)
{
	size_t word = strcspn(key, " \t");
	bool no_equals = key[word] != '\0';

	for (size_t i = 0; value->length > 0 && i < ARRAY_SIZE(directives);
	     i++) {
		if (!is_near(key, word, directives[i].key))
			continue;
		say_ignored(d, &directives[i], section, key, no_equals);
		return 0;
	}
	if (!memmem(value->bytes, value->length, "--", 2))
		return 0;
	return KR_VEC_MOVE(d->unit->ignored, d->unit->n_ignored, &d->line);
}

static int assign(void *userdata, const char *section, const char *key,
                  struct kr_text *value, struct kr_span line)
{
	struct kr_directives *d = userdata;
	int r;

	d->line = line;
	for (size_t i = 0; i < ARRAY_SIZE(directives); i++) {
		if (strcmp(directives[i].key, key) == 0 &&
		    strcmp(directives[i].section, section) == 0)
			return directives[i].take(d, value,
			                          directives[i].member);
	}
	r = ignore(d, section, key, value);
	if (r < 0 || strcmp(section, "Service") != 0)
		return r;
	r = kr_credentials_take(d->unit, &d->specifiers, key, value);
	return r < 0 ? r : kr_mounts_take(d->unit, &d->specifiers, key, value);
}

int kr_directives_read(struct kr_directives *d, const struct kr_file *file,
                       struct kr_diag *diag)
{
	struct kr_diag *outer = d->specifiers.diag;
	int r;

	d->specifiers.diag = diag;
	r = kr_syntax_parse(file, sections, assign, d, diag);
	d->specifiers.diag = outer;
	return r;
}

/* --- the service as a whole ---------------------------------------------- */

int kr_directives_complete(struct kr_directives *d)
{
	if (d->unit->type)
		return 0;
	return set_string(&d->unit->type, d->bus_name           ? "dbus"
	                                  : d->start.n_commands ? "simple"
	                                                        : "oneshot");
}

static bool is_true(const char *s)
{
	return s && (strcasecmp(s, "yes") == 0 || strcasecmp(s, "y") == 0 ||
	             strcasecmp(s, "true") == 0 || strcasecmp(s, "t") == 0 ||
	             strcasecmp(s, "on") == 0 || strcmp(s, "1") == 0);
}

static struct kr_span start_span(const struct kr_directives *d, size_t i)
{
	const struct kr_exec_command *c = &d->start.commands[i];

	return kr_text_span(&d->start.lines[c->line], c->start,
	                    c->end - c->start);
}

/* The drop-in of an administrator who wrote no empty ExecStart= first is how
 * most second commands come about. */
static const char *second_fault(const struct kr_directives *d,
                                struct kr_span *ret_span)
{
	const struct kr_exec_command *c = d->start.commands;

	*ret_span = start_span(d, 1);
	if (c[0].line == c[1].line)
		return "second command in one ExecStart=, which only "
		       "Type=oneshot may have";
	if (start_span(d, 0).file == ret_span->file)
		return "second ExecStart= of this file, which only "
		       "Type=oneshot may have";
	return "second ExecStart=, which only Type=oneshot may have: an empty "
	       "'ExecStart=' line before it is missing";
}

const char *kr_directives_fault(const struct kr_directives *d,
                                struct kr_span *ret_span)
{
	bool oneshot = strcmp(d->unit->type, "oneshot") == 0;
	bool action =
		d->success_action && strcmp(d->success_action, "none") != 0;
	bool always = d->restart && (strcmp(d->restart, "always") == 0 ||
	                             strcmp(d->restart, "on-success") == 0);
	size_t n = d->start.n_commands;

	*ret_span = KR_SPAN_NONE;
	if (n == 0 && d->stop.n_commands == 0 && !action)
		return "service has no ExecStart=";
	if (n == 0 && !oneshot)
		return "service has no ExecStart=, which only Type=oneshot "
		       "may lack";
	if (n == 0 && !is_true(d->remain) && !action)
		return "service has no ExecStart=, which needs "
		       "RemainAfterExit=yes";
	if (n > 1 && !oneshot)
		return second_fault(d, ret_span);
	if (oneshot && always)
		return "service has Type=oneshot and a Restart= that is not "
		       "allowed with it";
	if (strcmp(d->unit->type, "dbus") == 0 && !d->bus_name)
		return "service has Type=dbus and no BusName=";
	return NULL;
}

void kr_directives_done(struct kr_directives *d)
{
	kr_environment_done(&d->environment);
	kr_exec_done(&d->start_pre);
	kr_exec_done(&d->start);
	kr_exec_done(&d->stop);
	free(d->bus_name);
	free(d->restart);
	free(d->remain);
	free(d->success_action);
	free(d->search_path);
	free(d->limit_stack);
}
