/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * systemd's manager over D-Bus. It knows nothing of kubelet.
 */

#include <stdint.h>

#include "base/diag.h"
#include "base/vec.h"
#include "unit/loaded.h"

struct kr_manager;

/* What every wait calls, about every 250 ms and after each signal. Returning
 * < 0 ends the wait with that value (-EINTR, when it is time to go). */
typedef int (*kr_manager_tick_t)(void *closure);

struct kr_manager_options {
	/* NULL or "/": the system bus, and where that is down the manager's
	 * private socket; else ROOT/run/dbus/system_bus_socket only.
	 * DBUS_SYSTEM_BUS_ADDRESS is honoured where ROOT is not given, and
	 * then there is no other way either. */
	const char *root;
	uint64_t timeout_usec;  /* of each call; 0: 25 s, of a reload 180 s */
	kr_manager_tick_t tick; /* in all calls but those with a wait of their
	                           own; NULL: none */
	void *closure;
	/* what is asked first, in one flight with the connection: of this unit
	 * kr_manager_get_unit(), of these names kr_manager_active_units(), and
	 * kr_manager_environment(). Each first answer is of the time of the
	 * opening; unit NULL: none */
	const char *unit;
	const char *const *names;
	/* done once all that is asked, before the first answer; NULL */
	void (*meanwhile)(void *closure);
	void *meanwhile_closure;
};

/*
 * Connects. A systemd that is being re-executed is waited for, for 2 s or until
 * it answers; a root that was not booted with systemd costs no time.
 * 0; -ENOENT, -ECONNREFUSED, ...: no bus and no private socket; -EACCES: not
 * allowed; -ENOTSUP: a systemd older than 245 or no systemd; -ETIMEDOUT: no
 * answer. DIAG says which was tried and what each gave.
 *
 * All calls below: a systemd or bus that goes meanwhile is opened and asked
 * again until the call's deadline. Then -ECONNRESET and its like: it went again
 * and again; -ETIMEDOUT: it was there and gave no answer.
 */
int kr_manager_open(const struct kr_manager_options *options,
                    struct kr_diag *diag, struct kr_manager **ret);
struct kr_manager *kr_manager_free(struct kr_manager *manager);
DEFINE_FREEP(struct kr_manager, kr_manager_free);
#define _cleanup_manager_ _cleanup_(kr_manager_freep)

/* Other limits than those of the options from now on; 0 and NULL: none. */
void kr_manager_set_patience(struct kr_manager *manager, uint64_t timeout_usec,
                             kr_manager_tick_t tick, void *closure);

/* systemd's version, 252; 0 where it does not say. */
unsigned kr_manager_version(struct kr_manager *manager);

/* The manager's environment block, NULL-terminated, owned by MANAGER.
 * 0 or an errno. */
int kr_manager_environment(struct kr_manager *manager, struct kr_diag *diag,
                           const char *const **ret);

/*
 * Which of the units NAMES (NULL-terminated, at least one) are active, by one
 * call that loads none of them: NULL-terminated, owned by MANAGER until the
 * next call. 0 or an errno, with words.
 */
int kr_manager_active_units(struct kr_manager *manager,
                            const char *const *names, struct kr_diag *diag,
                            const char *const **ret);

/*
 * All that systemd says of UNIT, from one GetAll: a consistent state. A unit
 * that does not exist has load_state "not-found". Where it needs a reload, the
 * manager is asked when it read its units. 0 or an errno, with words.
 */
int kr_manager_get_unit(struct kr_manager *manager, const char *unit,
                        struct kr_diag *diag, struct kr_loaded_unit **ret);

/* The main process of the service at the object PATH; 0: none. Errnos as
 * above. */
int kr_manager_main_pid(struct kr_manager *manager, const char *path,
                        struct kr_diag *diag, pid_t *ret);

/*
 * The oneshot services that UNIT requires or wants and is ordered after, and
 * that were run since SINCE_USEC (realtime) are added to RET. 0 or an errno,
 * with words.
 */
int kr_manager_started_before(struct kr_manager *manager, const char *unit,
                              uint64_t since_usec, struct kr_diag *diag,
                              struct kr_strings *ret);

/* The unit that PID belongs to; the caller frees it. 0; -ENOENT: none, without
 * words; -EINVAL: PID is no process id; other errnos. */
int kr_manager_unit_of_pid(struct kr_manager *manager, pid_t pid,
                           struct kr_diag *diag, char **ret);

/* Whether UNIT is enabled: 1, 0 (also a unit that is not there), or an errno,
 * with words. */
int kr_manager_is_enabled(struct kr_manager *manager, const char *unit,
                          struct kr_diag *diag);

/* Whether the whole system is about to stop: 1, 0, or an errno, without words.
 */
int kr_manager_is_stopping(struct kr_manager *manager);

enum kr_job_state {
	KR_JOB_NONE,        /* nothing is being done with the unit */
	KR_JOB_START_WAITS, /* a start or restart, for another unit's job */
	KR_JOB_RUNS,
};

/* What systemd does with UNIT, which was looked at, at this moment: 0, or an
 * errno, with words. A job that is over meanwhile, and a stop that waits for
 * its turn, are KR_JOB_NONE. */
int kr_manager_job_state(struct kr_manager *manager,
                         const struct kr_loaded_unit *unit,
                         struct kr_diag *diag, enum kr_job_state *ret);

/* daemon-reload; returns when it is done. 0; what TICK gave; or an errno. */
int kr_manager_reload(struct kr_manager *manager, struct kr_diag *diag);

/* 0 also where there was nothing to reset. */
int kr_manager_reset_failed(struct kr_manager *manager, const char *unit,
                            struct kr_diag *diag);

enum kr_job_result {
	KR_JOB_DONE,
	KR_JOB_FAILED,
	KR_JOB_CANCELED,
	KR_JOB_TIMEOUT,
	KR_JOB_DEPENDENCY,
	KR_JOB_SKIPPED,
	KR_JOB_OTHER, /* "assert", "unsupported", ...: a KR_NOTE in DIAG, code
	                 "job-result", has the name */
};

struct kr_manager_wait {
	uint64_t deadline_usec; /* of kr_now_usec() */
	kr_manager_tick_t tick; /* NULL: none */
	void *closure;
};

/*
 * Queues a restart ("replace") and waits for that very job to be removed.
 * Subscribes before. A bus that goes away meanwhile is opened again and the job
 * looked up; it is asked for again only where nothing shows that systemd has
 * heard of it. One that ended unseen has the unit's own result ("canceled"
 * where the unit did not even begin) and a KR_NOTE, "job-unseen". RET_RESULT as
 * JobRemoved says: "done" is no proof that the service runs. WAIT must be
 * there. 0; -ETIMEDOUT: the deadline passed, the job goes on; what TICK gave;
 * -EACCES; -ENOENT: no such unit; -EBADMSG: bad setting; -ERFKILL: masked;
 * other errnos.
 */
int kr_manager_restart(struct kr_manager *manager, const char *unit,
                       const struct kr_manager_wait *wait, struct kr_diag *diag,
                       enum kr_job_result *ret_result);
/* The same for a stop. */
int kr_manager_stop(struct kr_manager *manager, const char *unit,
                    const struct kr_manager_wait *wait, struct kr_diag *diag,
                    enum kr_job_result *ret_result);

/* "done", "failed", "canceled", "timeout", "dependency", "skipped", "other". */
const char *kr_job_result_to_string(enum kr_job_result result);
