/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A connection to the manager, and calls that do not outlast their welcome.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "systemd/manager.h"
#include "systemd/sd.h"

#define KR_BUS_DESTINATION  "org.freedesktop.systemd1"
#define KR_BUS_MANAGER_PATH "/org/freedesktop/systemd1"
#define KR_BUS_UNIT_PATH    "/org/freedesktop/systemd1/unit"
#define KR_BUS_MANAGER      "org.freedesktop.systemd1.Manager"
#define KR_BUS_UNIT         "org.freedesktop.systemd1.Unit"
#define KR_BUS_SERVICE      "org.freedesktop.systemd1.Service"
#define KR_BUS_JOB          "org.freedesktop.systemd1.Job"
#define KR_BUS_PROPERTIES   "org.freedesktop.DBus.Properties"

struct kr_bus_early;

struct kr_bus {
	sd_bus *sd;
	bool peer;             /* the private socket: no bus between */
	bool subscribed;       /* systemd sends this connection its signals */
	bool gone;             /* systemd has left the bus since then */
	bool between;          /* opening failed as it does in a re-execution */
	bool seen;             /* systemd has answered once, here or before */
	bool opened;           /* by kr_bus_open(): the early calls were sent */
	unsigned generation;   /* of SD: another has no matches of the former */
	char own_job[64];      /* the path of the last job that was asked for */
	unsigned version;      /* systemd's, 0: not known */
	char *root;            /* NULL: this machine */
	uint64_t timeout_usec; /* of a call; 0: see kr_bus_patience() */
	kr_manager_tick_t tick;
	void *closure;
	/* sent by kr_bus_open() before it waits for an answer */
	struct kr_bus_early *early;
	size_t n_early;
	/* done while their answers are waited for; NULL: nothing, or done */
	void (*meanwhile)(void *closure);
	void *meanwhile_closure;
};

struct kr_bus_method {
	const char *path, *interface, *member;
	const char *about; /* the unit's name for messages, or NULL */
	bool again;        /* may be sent again, over new connections */
	/* appends arguments that no TYPES can describe, in place of them; 0 or
	 * a negative errno */
	int (*append)(sd_bus_message *m, const void *closure);
	const void *closure;
	/* the same call, which may be on its way: its answer is this one's,
	 * once; NULL */
	struct kr_bus_early *early;
};

/* A call that is sent with others, before its answer is waited for. */
struct kr_bus_early {
	struct kr_bus_method method; /* its arguments are APPEND's */
	sd_bus_slot *slot;           /* NULL: not sent, or answered and used */
	sd_bus_message *reply;
	bool done;
};

/* Connects BUS, whose options are set, and asks for the version. A systemd that
 * is being re-executed is waited for. The outcomes are those of
 * kr_manager_open(). */
int kr_bus_open(struct kr_bus *bus, struct kr_diag *diag);

/* The connection of MANAGER. */
struct kr_bus *kr_bus_of_manager(struct kr_manager *manager);

/* Opens it again, however often it takes, until the deadline of WAIT. What is
 * installed on BUS->sd ends with it; BUS->generation is another one then. */
int kr_bus_reopen(struct kr_bus *bus, const struct kr_manager_wait *wait,
                  struct kr_diag *diag);
void kr_bus_close(struct kr_bus *bus);

/* How long one call may take: the caller's wish, else USUAL_USEC. */
struct kr_manager_wait kr_bus_patience(const struct kr_bus *bus,
                                       uint64_t usual_usec);
#define KR_BUS_USUAL_USEC  (UINT64_C(25) * 1000000)
#define KR_BUS_RELOAD_USEC (UINT64_C(180) * 1000000)

/*
 * Calls METHOD with the arguments that TYPES describes, as for
 * sd_bus_message_append(). RET may be NULL. 0; -ETIMEDOUT: no answer until the
 * deadline; what the tick gave; -ECONNRESET and its like
 * (kr_bus_error_is_lost()): systemd or the bus went before the answer, and
 * METHOD may not be sent again, or the deadline is over; an error's errno.
 */
int kr_bus_call(struct kr_bus *bus, const struct kr_bus_method *method,
                const struct kr_manager_wait *wait, struct kr_diag *diag,
                sd_bus_message **ret, const char *types, ...);

/*
 * Has systemd send its signals to this connection, once for each connection,
 * and kr_bus_wait() and the calls notice when systemd leaves the bus from now
 * on. Matches are installed before. The outcomes are those of kr_bus_call().
 */
int kr_bus_subscribe(struct kr_bus *bus, const struct kr_manager_wait *wait,
                     struct kr_diag *diag);

/* Handles what arrives until *DONE. 0, -ETIMEDOUT, what the tick gave, or what
 * became of the connection: -ECONNRESET also where systemd has left the bus, so
 * that a signal may be lost and one has to look again; without words. */
int kr_bus_wait(struct kr_bus *bus, const struct kr_manager_wait *wait,
                const bool *done);

/* The object path of UNIT, as sd_bus_path_encode(3) makes it, which the caller
 * frees; libsystemd is not needed for it. 0 or -ENOMEM. */
int kr_bus_unit_path(const char *unit, char **ret);

/* All that systemd says of UNIT, whose object is PATH. 0 or an errno. */
int kr_bus_get_unit(struct kr_bus *bus, const char *unit, const char *path,
                    const struct kr_manager_wait *wait, struct kr_diag *diag,
                    struct kr_loaded_unit **ret);
