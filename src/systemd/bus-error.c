/* SPDX-License-Identifier: Apache-2.0 */

/*
 * D-Bus errors.
 *
 * An error of D-Bus is a name, and a sentence of its sender. The name
 * decides: rows[] gives each that a manager is known to send an errno and what
 * must be true; the rest have the errno that libsystemd knows, else
 * EIO. The sentence is passed on as it came.
 *
 * One name lies. A caller who is not root is checked through polkit, and where
 * polkit.service is masked, systemd 252 hands on what happened to polkit:
 * UnitMasked. An UnitMasked that does not name the unit that was asked for is
 * therefore a denial.
 *
 * Some errors are not systemd's but of the bus between. NoReply is no time-out:
 * dbus-daemon 1.14 ("Message recipient disconnected from message bus without
 * replying"), dbus-broker 37 ("Remote peer disconnected") and sd-bus for its
 * own connection ("Connection terminated") send it when who was asked is gone.
 * When there is no such name, an ordinary call asks the bus to start who has
 * it: where systemd is to do that, the bus keeps the call until systemd comes,
 * and gives TimedOut after 25 s; a dbus-daemon without systemd runs /bin/false
 * and gives Spawn.ChildExited; where nothing says how to start it, it is
 * ServiceUnknown or NameHasNoOwner.
 *
 * Sources: org.freedesktop.systemd1(5); src/libsystemd/sd-bus/
 * bus-common-errors.c of systemd 252; seen on 252, 257 and 262.
 */

#include <errno.h>
#include <string.h>

#include "systemd/bus-error.h"
#include "systemd/sd.h"

struct row {
	const char *name;
	int error;
	const char *code;
	const char *wanted; /* what must be true, or NULL */
	enum kr_bus_reach reach;
};

#define DBUS    "org.freedesktop.DBus.Error."
#define SYSTEMD "org.freedesktop.systemd1."

static const struct row denied = {
	.error = EACCES,
	.code = "bus-denied",
	.wanted = "the caller must be root",
};

static const struct row rows[] = {
	{DBUS "AccessDenied", EACCES, "bus-denied", "the caller must be root"},
	{DBUS "InteractiveAuthorizationRequired", EACCES, "bus-denied",
         "the caller must be root"},
	{DBUS "ServiceUnknown", ENOTSUP, "bus-no-systemd",
         "systemd must run as PID 1 and be on this bus", KR_BUS_ABSENT},
	{DBUS "NameHasNoOwner", ENOTSUP, "bus-no-systemd",
         "systemd must run as PID 1 and be on this bus", KR_BUS_ABSENT},
	{DBUS "Spawn.ChildExited", ENOTSUP, "bus-no-systemd",
         "systemd must run as PID 1 and be on this bus", KR_BUS_ABSENT},
	{DBUS "TimedOut", ENOTSUP, "bus-no-systemd",
         "systemd must run as PID 1 and be on this bus", KR_BUS_ABSENT},
	{DBUS "NoReply", ECONNRESET, "bus-lost",
         "systemd must stay on the bus until it has answered", KR_BUS_WENT},
	{DBUS "Timeout", ETIMEDOUT, "bus-timeout",
         "systemd must answer; it hangs or is stopped"},
	{DBUS "UnknownObject", EINVAL, "unit-name",
         "it must be the name of a unit"},
	{DBUS "InvalidArgs", EINVAL, "unit-name",
         "it must be the name of a unit"},
	{SYSTEMD "NoSuchUnit", ENOENT, "unit-not-found",
         "a unit file of this name must be in systemd's load path"},
	{SYSTEMD "NoUnitForPID", ENOENT, "unit-not-found", NULL},
	{SYSTEMD "NoSuchProcess", ENOENT, "unit-not-found", NULL},
	{SYSTEMD "BadUnitSetting", EBADMSG, "unit-bad-setting",
         "the unit must load; \"systemd-analyze verify\" names the line"},
	{SYSTEMD "LoadFailed", EBADMSG, "unit-bad-setting",
         "the unit must load; \"systemd-analyze verify\" names the line"},
	{SYSTEMD "UnitMasked", ERFKILL, "unit-masked",
         "the unit must not be masked; \"systemctl unmask\" undoes that"},
	{SYSTEMD "ShuttingDown", ECANCELED, "bus-shutting-down",
         "the machine must not be shutting down"},
	{SYSTEMD "AlreadySubscribed", EALREADY, "bus-error", NULL},
	{SYSTEMD "JobTypeNotApplicable", EBADR, "unit-job", NULL},
	{SYSTEMD "TransactionIsDestructive", EDEADLK, "unit-job",
         "no other job must be about to stop the unit, as a shutdown is"},
	{SYSTEMD "OnlyByDependency", EPERM, "unit-job",
         "the unit must not have RefuseManualStart= or RefuseManualStop="},
};

static const struct row other = {.code = "bus-error"};

static const struct row *find(const char *unit, const sd_bus_error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].name, error->name) != 0)
			continue;
		if (rows[i].error == ERFKILL && unit && error->message &&
		    !strstr(error->message, unit))
			return &denied;
		return &rows[i];
	}
	return &other;
}

int kr_bus_error_add(struct kr_diag *diag, const char *call, const char *unit,
                     const sd_bus_error *error)
{
	const struct row *row = find(unit, error);
	const char *words = error->message ? error->message : "no words";
	size_t n = strlen(words);
	int e = row->error;

	if (e == 0)
		e = sym_sd_bus_error_get_errno(error);
	if (e == 0)
		e = EIO;
	if (n > 0 && words[n - 1] == '.')
		n--;
	kr_diag_add(diag, KR_ERROR, row->code, KR_SPAN_NONE,
	            "org.freedesktop.systemd1: %s%s%s: %.*s (%s)%s%s", call,
	            unit ? " of " : "", unit ? unit : "", (int)n, words,
	            error->name, row->wanted ? ": " : "",
	            row->wanted ? row->wanted : "");
	return -e;
}

enum kr_bus_reach kr_bus_error_reach(const sd_bus_error *error)
{
	return find(NULL, error)->reach;
}

bool kr_bus_error_is_lost(int error)
{
	switch (error) {
	case -ECONNRESET:
	case -ENOTCONN:
	case -EPIPE:
	case -ESHUTDOWN:
		return true;
	default:
		return false;
	}
}
