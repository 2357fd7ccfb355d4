/* SPDX-License-Identifier: Apache-2.0 */

/*
 * systemd's manager.
 *
 * What is asked of it is little: what a unit is now, a reload, a reset, a
 * restart. How the connection is made and kept is in systemd/bus, how a job is
 * waited for in systemd/job, what an error means in systemd/bus-error.
 *
 * A unit is addressed by its object path, which is made from its name: systemd
 * loads it on demand, so that no GetUnit or LoadUnit goes before, and a unit
 * that is not there is "not-found" rather than an error. The state comes from
 * one GetAll of all interfaces, as two Gets can be of two moments: seen were
 * ActiveState=active and SubState=failed.
 *
 * Source: org.freedesktop.systemd1(5); tried on 252, 257 and 262.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/vec.h"
#include "systemd/bus.h"
#include "systemd/job.h"
#include "systemd/manager.h"

enum {
	EARLY_UNIT,
	EARLY_ENVIRONMENT,
	EARLY_ACTIVE,
	N_EARLY
};

struct kr_manager {
	struct kr_bus bus;
	struct kr_bus_early early[N_EARLY];
	char *early_path;   /* of EARLY_UNIT */
	char **environment; /* NULL: not asked for yet */
	char **active;      /* what kr_manager_active_units() gave last */
};

struct kr_manager *kr_manager_free(struct kr_manager *manager)
{
	if (!manager)
		return NULL;
	kr_bus_close(&manager->bus);
	free(manager->bus.root);
	free(manager->early_path);
	kr_strings_free(manager->environment);
	kr_strings_free(manager->active);
	free(manager);
	return NULL;
}

/* For the Get of the environment. */
static int append_environment(sd_bus_message *m, const void *closure)
{
	return sym_sd_bus_message_append(m, "ss", KR_BUS_MANAGER,
	                                 "Environment");
}

/* For GetAll: all interfaces. */
static int append_all(sd_bus_message *m, const void *closure)
{
	return sym_sd_bus_message_append(m, "s", "");
}

static int append_active(sd_bus_message *m, const void *closure)
{
	int r = sym_sd_bus_message_append(m, "as", 1, "active");

	/* it does not write to it */
	return r < 0 ? r
	             : sym_sd_bus_message_append_strv(
			       m, (char **)(uintptr_t)closure);
}

static int plan_early(struct kr_manager *manager,
                      const struct kr_manager_options *options)
{
	int r = kr_bus_unit_path(options->unit, &manager->early_path);

	if (r < 0)
		return r;
	manager->early[EARLY_UNIT].method = (struct kr_bus_method){
		.path = manager->early_path,
		.interface = KR_BUS_PROPERTIES,
		.member = "GetAll",
		.append = append_all,
	};
	manager->early[EARLY_ENVIRONMENT].method = (struct kr_bus_method){
		.path = KR_BUS_MANAGER_PATH,
		.interface = KR_BUS_PROPERTIES,
		.member = "Get",
		.append = append_environment,
	};
	manager->early[EARLY_ACTIVE].method = (struct kr_bus_method){
		.path = KR_BUS_MANAGER_PATH,
		.interface = KR_BUS_MANAGER,
		.member = "ListUnitsByPatterns",
		.append = append_active,
		.closure = options->names,
	};
	manager->bus.early = manager->early;
	manager->bus.n_early = N_EARLY;
	return 0;
}

int kr_manager_open(const struct kr_manager_options *options,
                    struct kr_diag *diag, struct kr_manager **ret)
{
	_cleanup_manager_ struct kr_manager *manager = NULL;
	int r;

	manager = calloc(1, sizeof(*manager));
	if (!manager)
		return -ENOMEM;
	if (options->root && strcmp(options->root, "/") != 0) {
		manager->bus.root = strdup(options->root);
		if (!manager->bus.root)
			return -ENOMEM;
	}
	manager->bus.timeout_usec = options->timeout_usec;
	manager->bus.tick = options->tick;
	manager->bus.closure = options->closure;
	manager->bus.meanwhile = options->meanwhile;
	manager->bus.meanwhile_closure = options->meanwhile_closure;
	r = options->unit ? plan_early(manager, options) : 0;
	if (r == 0)
		r = kr_bus_open(&manager->bus, diag);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(manager);
	return 0;
}

struct kr_bus *kr_bus_of_manager(struct kr_manager *manager)
{
	return &manager->bus;
}

void kr_manager_set_patience(struct kr_manager *manager, uint64_t timeout_usec,
                             kr_manager_tick_t tick, void *closure)
{
	manager->bus.timeout_usec = timeout_usec;
	manager->bus.tick = tick;
	manager->bus.closure = closure;
}

unsigned kr_manager_version(struct kr_manager *manager)
{
	return manager->bus.version;
}

/* The property NAME of INTERFACE of the object at PATH, as a variant. */
static int get(struct kr_manager *manager, const char *path,
               const char *interface, const char *name, struct kr_diag *diag,
               sd_bus_message **ret)
{
	const struct kr_bus_method method = {
		.path = path,
		.interface = KR_BUS_PROPERTIES,
		.member = "Get",
		.again = true,
	};
	const struct kr_manager_wait wait =
		kr_bus_patience(&manager->bus, KR_BUS_USUAL_USEC);

	return kr_bus_call(&manager->bus, &method, &wait, diag, ret, "ss",
	                   interface, name);
}

/* A variant of strings; NULL where there are none. */
static int read_strings(sd_bus_message *reply, char ***ret)
{
	int r = sym_sd_bus_message_enter_container(reply, 'v', "as");

	return r < 0 ? r : sym_sd_bus_message_read_strv(reply, ret);
}

/* The strings that the property NAME lists; NULL where it is empty. */
static int get_strings(struct kr_manager *manager, const char *path,
                       const char *interface, const char *name,
                       struct kr_diag *diag, char ***ret)
{
	_cleanup_sd_message_ sd_bus_message *reply = NULL;
	int r;

	r = get(manager, path, interface, name, diag, &reply);
	return r < 0 ? r : read_strings(reply, ret);
}

static int ask_environment(struct kr_manager *manager, struct kr_diag *diag)
{
	const struct kr_bus_method method = {
		.path = KR_BUS_MANAGER_PATH,
		.interface = KR_BUS_PROPERTIES,
		.member = "Get",
		.again = true,
		.append = append_environment,
		.early = &manager->early[EARLY_ENVIRONMENT],
	};
	const struct kr_manager_wait wait =
		kr_bus_patience(&manager->bus, KR_BUS_USUAL_USEC);
	_cleanup_sd_message_ sd_bus_message *reply = NULL;
	int r = kr_bus_call(&manager->bus, &method, &wait, diag, &reply, NULL);

	return r < 0 ? r : read_strings(reply, &manager->environment);
}

int kr_manager_environment(struct kr_manager *manager, struct kr_diag *diag,
                           const char *const **ret)
{
	int r;

	if (!manager->environment) {
		r = ask_environment(manager, diag);
		if (r < 0)
			return r;
	}
	if (!manager->environment) {
		/* sd-bus makes no list of an empty array */
		manager->environment = calloc(1, sizeof(char *));
		if (!manager->environment)
			return -ENOMEM;
	}
	*ret = (const char *const *)manager->environment;
	return 0;
}

/* The names in a(ssssssouso). */
static int read_names(sd_bus_message *reply, char ***ret)
{
	_cleanup_strings_ struct kr_strings names = {0};
	const char *name;
	int r;

	r = sym_sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
	if (r < 0)
		return r;
	while ((r = sym_sd_bus_message_read(reply, "(ssssssouso)", &name, NULL,
	                                    NULL, NULL, NULL, NULL, NULL, NULL,
	                                    NULL, NULL)) > 0) {
		r = kr_strings_add(&names, name);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	/* no names are an answer, too */
	*ret = names.items ? kr_strings_take(&names)
	                   : calloc(1, sizeof(char *));
	return *ret ? 0 : -ENOMEM;
}

int kr_manager_active_units(struct kr_manager *manager,
                            const char *const *names, struct kr_diag *diag,
                            const char *const **ret)
{
	const struct kr_bus_method method = {
		.path = KR_BUS_MANAGER_PATH,
		.interface = KR_BUS_MANAGER,
		.member = "ListUnitsByPatterns",
		.again = true,
		.append = append_active,
		.closure = names,
		.early = names == manager->early[EARLY_ACTIVE].method.closure
	                         ? &manager->early[EARLY_ACTIVE]
	                         : NULL,
	};
	const struct kr_manager_wait wait =
		kr_bus_patience(&manager->bus, KR_BUS_USUAL_USEC);
	_cleanup_sd_message_ sd_bus_message *reply = NULL;
	char **active;
	int r = kr_bus_call(&manager->bus, &method, &wait, diag, &reply, NULL);

	if (r < 0)
		return r;
	r = read_names(reply, &active);
	if (r < 0) {
		kr_diag_add(diag, KR_ERROR, "bus-error", KR_SPAN_NONE,
		            "org.freedesktop.systemd1: %s: %s", method.member,
		            strerror(-r));
		return r;
	}
	kr_strings_free(manager->active);
	manager->active = active;
	*ret = (const char *const *)active;
	return 0;
}

int kr_manager_main_pid(struct kr_manager *manager, const char *path,
                        struct kr_diag *diag, pid_t *ret)
{
	_cleanup_sd_message_ sd_bus_message *reply = NULL;
	uint32_t pid;
	int r = get(manager, path, KR_BUS_SERVICE, "MainPID", diag, &reply);

	if (r >= 0)
		r = sym_sd_bus_message_read(reply, "v", "u", &pid);
	if (r < 0)
		return r;
	*ret = (pid_t)pid;
	return 0;
}

/* When the manager last began to read its units; 0: an old one does not say. */
static uint64_t get_units_load(struct kr_manager *manager)
{
	_cleanup_sd_message_ sd_bus_message *reply = NULL;
	_cleanup_diag_ struct kr_diag ignored = {0};
	uint64_t usec;

	if (get(manager, KR_BUS_MANAGER_PATH, KR_BUS_MANAGER,
	        "UnitsLoadTimestamp", &ignored, &reply) < 0 ||
	    sym_sd_bus_message_read(reply, "v", "t", &usec) < 0)
		return 0;
	return usec;
}

int kr_manager_get_unit(struct kr_manager *manager, const char *unit,
                        struct kr_diag *diag, struct kr_loaded_unit **ret)
{
	const struct kr_manager_wait wait =
		kr_bus_patience(&manager->bus, KR_BUS_USUAL_USEC);
	_cleanup_free_ char *path = NULL;
	int r;

	r = kr_bus_unit_path(unit, &path);
	if (r < 0)
		return r;
	r = kr_bus_get_unit(&manager->bus, unit, path, &wait, diag, ret);
	if (r >= 0 && (*ret)->need_daemon_reload)
		(*ret)->units_load_usec = get_units_load(manager);
	return r;
}

int kr_manager_unit_of_pid(struct kr_manager *manager, pid_t pid,
                           struct kr_diag *diag, char **ret)
{
	static const struct kr_bus_method method = {
		.path = KR_BUS_MANAGER_PATH,
		.interface = KR_BUS_MANAGER,
		.member = "GetUnitByPID",
		.again = true,
	};
	const struct kr_manager_wait wait =
		kr_bus_patience(&manager->bus, KR_BUS_USUAL_USEC);
	_cleanup_sd_message_ sd_bus_message *reply = NULL;
	_cleanup_diag_ struct kr_diag words = {0};
	_cleanup_free_ char *unit = NULL;
	const char *path;
	int r;

	/* systemd takes 0 for the caller */
	if (pid <= 0)
		return -EINVAL;
	r = kr_bus_call(&manager->bus, &method, &wait, &words, &reply, "u",
	                (uint32_t)pid);
	if (r != -ENOENT)
		kr_diag_merge(diag, &words);
	if (r < 0)
		return r;
	r = sym_sd_bus_message_read(reply, "o", &path);
	if (r < 0)
		return r;
	r = sym_sd_bus_path_decode(path, KR_BUS_UNIT_PATH, &unit);
	if (r < 0)
		return r;
	if (!unit)
		return -ENOENT;
	*ret = TAKE_PTR(unit);
	return 0;
}

int kr_manager_is_enabled(struct kr_manager *manager, const char *unit,
                          struct kr_diag *diag)
{
	const struct kr_bus_method method = {
		.path = KR_BUS_MANAGER_PATH,
		.interface = KR_BUS_MANAGER,
		.member = "GetUnitFileState",
		.about = unit,
		.again = true,
	};
	const struct kr_manager_wait wait =
		kr_bus_patience(&manager->bus, KR_BUS_USUAL_USEC);
	_cleanup_sd_message_ sd_bus_message *reply = NULL;
	_cleanup_diag_ struct kr_diag words = {0};
	const char *state;
	int r;

	r = kr_bus_call(&manager->bus, &method, &wait, &words, &reply, "s",
	                unit);
	if (r == -ENOENT)
		return 0;
	kr_diag_merge(diag, &words);
	if (r < 0)
		return r;
	r = sym_sd_bus_message_read(reply, "s", &state);
	return r < 0 ? r : strcmp(state, "enabled") == 0;
}

/* The string property NAME of INTERFACE at PATH; the caller frees it. */
static int get_string(struct kr_manager *manager, const char *path,
                      const char *interface, const char *name,
                      struct kr_diag *diag, char **ret)
{
	_cleanup_sd_message_ sd_bus_message *reply = NULL;
	const char *value;
	int r;

	r = get(manager, path, interface, name, diag, &reply);
	if (r < 0)
		return r;
	r = sym_sd_bus_message_read(reply, "v", "s", &value);
	if (r < 0)
		return r;
	*ret = strdup(value);
	return *ret ? 0 : -ENOMEM;
}

int kr_manager_is_stopping(struct kr_manager *manager)
{
	_cleanup_diag_ struct kr_diag words = {0};
	_cleanup_free_ char *state = NULL;
	int r;

	r = get_string(manager, KR_BUS_MANAGER_PATH, KR_BUS_MANAGER,
	               "SystemState", &words, &state);
	return r < 0 ? r : strcmp(state, "stopping") == 0;
}

int kr_manager_job_state(struct kr_manager *manager,
                         const struct kr_loaded_unit *unit,
                         struct kr_diag *diag, enum kr_job_state *ret)
{
	_cleanup_diag_ struct kr_diag words = {0};
	_cleanup_free_ char *state = NULL, *type = NULL;
	char path[80];
	int r;

	*ret = KR_JOB_NONE;
	if (unit->job_id == 0)
		return 0;
	snprintf(path, sizeof(path), KR_BUS_MANAGER_PATH "/job/%u",
	         unit->job_id);
	r = get_string(manager, path, KR_BUS_JOB, "State", &words, &state);
	if (r >= 0)
		r = get_string(manager, path, KR_BUS_JOB, "JobType", &words,
		               &type);
	if (r == -EINVAL) /* no such object */
		return 0;
	if (r < 0) {
		kr_diag_merge(diag, &words);
		return r;
	}
	if (strcmp(state, "running") == 0)
		*ret = KR_JOB_RUNS;
	else if (strcmp(type, "stop") != 0)
		*ret = KR_JOB_START_WAITS;
	return 0;
}

static bool contains(char *const *strings, const char *s)
{
	for (char *const *p = strings; p && *p; p++) {
		if (strcmp(*p, s) == 0)
			return true;
	}
	return false;
}

/* Whether UNIT is a oneshot service that was run since then. */
static int was_run(struct kr_manager *manager, const char *unit,
                   uint64_t since_usec, struct kr_diag *diag, bool *ret)
{
	_cleanup_loaded_unit_ struct kr_loaded_unit *u = NULL;
	size_t n = strlen(unit);
	int r;

	*ret = false;
	if (n < 8 || strcmp(unit + n - 8, ".service") != 0)
		return 0;
	r = kr_manager_get_unit(manager, unit, diag, &u);
	if (r < 0)
		return r;
	*ret = strcmp(u->type, "oneshot") == 0 &&
	       u->started_realtime_usec >= since_usec;
	return 0;
}

/* Moves those of FROM that are in AFTER, and were run, to the end of *RET. */
static int add_started(struct kr_manager *manager, char *const *from,
                       char *const *after, uint64_t since_usec,
                       struct kr_diag *diag, struct kr_strings *ret)
{
	for (char *const *p = from; p && *p; p++) {
		bool run;
		int r;

		if (!contains(after, *p) || kr_strings_contain(ret, *p))
			continue;
		r = was_run(manager, *p, since_usec, diag, &run);
		if (r < 0)
			return r;
		if (!run)
			continue;
		r = kr_strings_add(ret, *p);
		if (r < 0)
			return r;
	}
	return 0;
}

int kr_manager_started_before(struct kr_manager *manager, const char *unit,
                              uint64_t since_usec, struct kr_diag *diag,
                              struct kr_strings *ret)
{
	static const char *const dependencies[] = {"Requires", "Wants",
	                                           "BindsTo"};
	_cleanup_(kr_strings_freep) char **after = NULL;
	_cleanup_free_ char *path = NULL;
	int r;

	r = kr_bus_unit_path(unit, &path);
	if (r < 0)
		return r;
	r = get_strings(manager, path, KR_BUS_UNIT, "After", diag, &after);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(dependencies); i++) {
		_cleanup_(kr_strings_freep) char **names = NULL;

		r = get_strings(manager, path, KR_BUS_UNIT, dependencies[i],
		                diag, &names);
		if (r < 0)
			return r;
		r = add_started(manager, names, after, since_usec, diag, ret);
		if (r < 0)
			return r;
	}
	return 0;
}

int kr_manager_reload(struct kr_manager *manager, struct kr_diag *diag)
{
	static const struct kr_bus_method method = {
		.path = KR_BUS_MANAGER_PATH,
		.interface = KR_BUS_MANAGER,
		.member = "Reload",
		.again = true,
	};
	const struct kr_manager_wait wait =
		kr_bus_patience(&manager->bus, KR_BUS_RELOAD_USEC);

	return kr_bus_call(&manager->bus, &method, &wait, diag, NULL, NULL);
}

int kr_manager_reset_failed(struct kr_manager *manager, const char *unit,
                            struct kr_diag *diag)
{
	const struct kr_bus_method method = {
		.path = KR_BUS_MANAGER_PATH,
		.interface = KR_BUS_MANAGER,
		.member = "ResetFailedUnit",
		.about = unit,
		.again = true,
	};
	const struct kr_manager_wait wait =
		kr_bus_patience(&manager->bus, KR_BUS_USUAL_USEC);
	_cleanup_diag_ struct kr_diag words = {0};
	int r;

	r = kr_bus_call(&manager->bus, &method, &wait, &words, NULL, "s", unit);
	if (r == -ENOENT) /* a unit that is not loaded has not failed */
		return 0;
	kr_diag_merge(diag, &words);
	return r;
}

int kr_manager_restart(struct kr_manager *manager, const char *unit,
                       const struct kr_manager_wait *wait, struct kr_diag *diag,
                       enum kr_job_result *ret_result)
{
	return kr_job_run(&manager->bus, "RestartUnit", unit, wait, diag,
	                  ret_result);
}

int kr_manager_stop(struct kr_manager *manager, const char *unit,
                    const struct kr_manager_wait *wait, struct kr_diag *diag,
                    enum kr_job_result *ret_result)
{
	return kr_job_run(&manager->bus, "StopUnit", unit, wait, diag,
	                  ret_result);
}
