/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A unit's properties.
 *
 * One GetAll without an interface's name gives the properties of all interfaces
 * of a unit in one answer: several hundred, of one moment. rows[] names those
 * that we read, the type each must have, and where it goes; the rest are
 * skipped. systemd adds properties with every version and never changes the
 * type of one: a row whose type is another one is skipped, too, as if it was
 * not there.
 *
 * Text members are never NULL afterwards, except load_error: NULL where the
 * unit loaded.
 *
 * Source: org.freedesktop.systemd1(5).
 */

#include <errno.h>
#include <string.h>

#include "base/vec.h"
#include "systemd/sd.h"
#include "systemd/unit-properties.h"

struct row {
	const char *name;
	const char *type;
	int (*read)(sd_bus_message *m, struct kr_loaded_unit *unit,
	            const struct row *row);
	size_t offset;
	size_t count_offset; /* of a list's length */
};

static void *member(struct kr_loaded_unit *unit, size_t offset)
{
	return (char *)unit + offset;
}

/* For 'u', 'i' and 't': the member is of the type's own size. */
static int read_number(sd_bus_message *m, struct kr_loaded_unit *unit,
                       const struct row *row)
{
	return sym_sd_bus_message_read_basic(m, row->type[0],
	                                     member(unit, row->offset));
}

static int read_bool(sd_bus_message *m, struct kr_loaded_unit *unit,
                     const struct row *row)
{
	int value, r; /* D-Bus booleans are ints in sd-bus */

	r = sym_sd_bus_message_read_basic(m, 'b', &value);
	if (r > 0)
		*(bool *)member(unit, row->offset) = value;
	return r;
}

static int read_string(sd_bus_message *m, struct kr_loaded_unit *unit,
                       const struct row *row)
{
	char **slot = member(unit, row->offset);
	const char *value;
	int r;

	r = sym_sd_bus_message_read_basic(m, row->type[0], &value);
	if (r < 0)
		return r;
	free(*slot);
	*slot = strdup(value);
	return *slot ? 0 : -ENOMEM;
}

/* Appends TEXT, which becomes LIST's, even when memory runs out. */
static int append(char ***list, size_t *n, char *text)
{
	struct kr_strings strings = {*list, *n};
	int r = kr_strings_consume(&strings, text);

	*list = strings.items;
	*n = strings.n_items;
	return r;
}

static int read_list(sd_bus_message *m, char ***list, size_t *n)
{
	const char *item;
	int r;

	r = sym_sd_bus_message_enter_container(m, 'a', "s");
	if (r < 0)
		return r;
	while ((r = sym_sd_bus_message_read_basic(m, 's', &item)) > 0) {
		r = append(list, n, strdup(item));
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sym_sd_bus_message_exit_container(m);
}

static int read_strings(sd_bus_message *m, struct kr_loaded_unit *unit,
                        const struct row *row)
{
	return read_list(m, member(unit, row->offset),
	                 member(unit, row->count_offset));
}

/* EnvironmentFiles: a path, and whether it may be missing. */
static int read_environment_files(sd_bus_message *m,
                                  struct kr_loaded_unit *unit,
                                  const struct row *row)
{
	const char *path;
	int optional, r;
	char *text;

	r = sym_sd_bus_message_enter_container(m, 'a', "(sb)");
	if (r < 0)
		return r;
	while ((r = sym_sd_bus_message_read(m, "(sb)", &path, &optional)) > 0) {
		if (asprintf(&text, "%s%s", optional ? "-" : "", path) < 0)
			return -ENOMEM;
		r = append(&unit->environment_files, &unit->n_environment_files,
		           text);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sym_sd_bus_message_exit_container(m);
}

static int read_command(sd_bus_message *m, struct kr_loaded_unit *unit)
{
	char ***command = KR_VEC_NEXT(unit->commands, unit->n_commands);
	size_t n = 0;
	int r;

	if (!command)
		return -ENOMEM;
	*command = calloc(1, sizeof(char *));
	if (!*command)
		return -ENOMEM;
	unit->n_commands++;
	r = sym_sd_bus_message_skip(m, "s");
	if (r < 0)
		return r;
	r = read_list(m, command, &n);
	return r < 0 ? r : sym_sd_bus_message_skip(m, "bttttuii");
}

/* ExecStart: the program, its argv, and when it last ran. */
static int read_commands(sd_bus_message *m, struct kr_loaded_unit *unit,
                         const struct row *row)
{
	int r;

	r = sym_sd_bus_message_enter_container(m, 'a', "(sasbttttuii)");
	if (r < 0)
		return r;
	while ((r = sym_sd_bus_message_enter_container(m, 'r', "sasbttttuii")) >
	       0) {
		r = read_command(m, unit);
		if (r < 0)
			return r;
		r = sym_sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sym_sd_bus_message_exit_container(m);
}

static int read_load_error(sd_bus_message *m, struct kr_loaded_unit *unit,
                           const struct row *row)
{
	const char *name, *message;
	int r;

	r = sym_sd_bus_message_read(m, "(ss)", &name, &message);
	if (r < 0 || !*name)
		return r;
	free(unit->load_error);
	unit->load_error = strdup(*message ? message : name);
	return unit->load_error ? 0 : -ENOMEM;
}

static int read_job(sd_bus_message *m, struct kr_loaded_unit *unit,
                    const struct row *row)
{
	const char *path;

	return sym_sd_bus_message_read(m, "(uo)", &unit->job_id, &path);
}

static int read_invocation_id(sd_bus_message *m, struct kr_loaded_unit *unit,
                              const struct row *row)
{
	const uint8_t *bytes;
	size_t size;
	int r;

	r = sym_sd_bus_message_read_array(m, 'y', (const void **)&bytes, &size);
	if (r < 0 || size != (KR_INVOCATION_ID_SIZE - 1) / 2)
		return r;
	for (size_t i = 0; i < size; i++)
		snprintf(unit->invocation_id + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

#define MEMBER(m) .offset = offsetof(struct kr_loaded_unit, m)
#define TEXT(n, m)                                                             \
	{                                                                      \
		n, "s", read_string, MEMBER(m)                                 \
	}
#define LIST(n, m)                                                             \
	{                                                                      \
		n, "as", read_strings, MEMBER(m),                              \
			.count_offset = offsetof(struct kr_loaded_unit, n_##m) \
	}
#define USEC(n, m)                                                             \
	{                                                                      \
		n, "t", read_number, MEMBER(m)                                 \
	}

static_assert(sizeof(pid_t) == sizeof(uint32_t), "MainPID is a 'u'");

static const struct row rows[] = {
	TEXT("Id", id),
	TEXT("LoadState", load_state),
	TEXT("ActiveState", active_state),
	TEXT("SubState", sub_state),
	TEXT("Result", result),
	TEXT("Type", type),
	TEXT("FragmentPath", fragment_path),
	TEXT("UnitFileState", file_state),
	TEXT("ControlGroup", control_group),
	{"LoadError", "(ss)", read_load_error},
	LIST("DropInPaths", dropin_paths),
	LIST("Environment", environment),
	{"EnvironmentFiles", "a(sb)", read_environment_files},
	{"ExecStart", "a(sasbttttuii)", read_commands},
	{"NeedDaemonReload", "b", read_bool, MEMBER(need_daemon_reload)},
	{"MainPID", "u", read_number, MEMBER(main_pid)},
	{"NRestarts", "u", read_number, MEMBER(n_restarts)},
	{"Job", "(uo)", read_job},
	{"InvocationID", "ay", read_invocation_id},
	USEC("ExecMainStartTimestamp", started_realtime_usec),
	USEC("ExecMainStartTimestampMonotonic", started_monotonic_usec),
	USEC("ExecMainExitTimestamp", exited_realtime_usec),
	USEC("StateChangeTimestamp", state_change_usec),
	USEC("ActiveEnterTimestamp", active_enter_usec),
	USEC("InactiveEnterTimestamp", inactive_enter_usec),
	USEC("InactiveExitTimestampMonotonic", inactive_exit_monotonic_usec),
	{"ExecMainCode", "i", read_number, MEMBER(exec_main_code)},
	{"ExecMainStatus", "i", read_number, MEMBER(exec_main_status)},
	USEC("TimeoutStartUSec", timeout_start_usec),
	USEC("TimeoutStopUSec", timeout_stop_usec),
	{"MemoryCurrent", "t", read_number, MEMBER(memory_bytes)},
	{"TasksCurrent", "t", read_number, MEMBER(n_tasks)},
};

static const struct row *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		/* nearly all of four hundred names differ here */
		if (rows[i].name[0] == name[0] &&
		    strcmp(rows[i].name, name) == 0)
			return &rows[i];
	}
	return NULL;
}

/* One {sv}; the dictionary's entry is entered. */
static int read_entry(sd_bus_message *m, struct kr_loaded_unit *unit)
{
	const struct row *row;
	const char *name, *type;
	int r;

	r = sym_sd_bus_message_read_basic(m, 's', &name);
	if (r < 0)
		return r;
	row = find(name);
	if (!row)
		return sym_sd_bus_message_skip(m, "v");
	r = sym_sd_bus_message_peek_type(m, NULL, &type);
	if (r < 0)
		return r;
	if (strcmp(type, row->type) != 0)
		return sym_sd_bus_message_skip(m, "v");
	r = sym_sd_bus_message_enter_container(m, 'v', row->type);
	if (r < 0)
		return r;
	r = row->read(m, unit, row);
	return r < 0 ? r : sym_sd_bus_message_exit_container(m);
}

static int fill_empty(struct kr_loaded_unit *unit)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char **slot = member(unit, rows[i].offset);

		if (rows[i].read != read_string || *slot)
			continue;
		*slot = strdup("");
		if (!*slot)
			return -ENOMEM;
	}
	return 0;
}

static int read_all(sd_bus_message *m, struct kr_loaded_unit *unit)
{
	int r = sym_sd_bus_message_enter_container(m, 'a', "{sv}");

	if (r < 0)
		return r;
	while ((r = sym_sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = read_entry(m, unit);
		if (r < 0)
			return r;
		r = sym_sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : fill_empty(unit);
}

int kr_unit_properties_read(sd_bus_message *m, struct kr_loaded_unit **ret)
{
	_cleanup_loaded_unit_ struct kr_loaded_unit *unit =
		calloc(1, sizeof(*unit));
	int r;

	if (!unit)
		return -ENOMEM;
	r = read_all(m, unit);
	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;
	*ret = TAKE_PTR(unit);
	return 0;
}
