/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A manager that a test plays: what systemd says over the bus, and in which
 * order, without a systemd. It has one unit, and answers one connection at a
 * time, in a thread of its own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "systemd/manager.h"

struct kr_fake_manager;

/* What the unit says of itself. */
struct kr_fake_unit {
	const char *active_state, *sub_state, *result;
	uint32_t job_id; /* 0: nothing is being done with it */
	uint32_t main_pid, n_restarts;
	int32_t exec_main_code, exec_main_status; /* CLD_EXITED, 255 */
	bool system_stops;
	uint8_t invocation; /* the last byte of its id; 0: it has none */
};

/* What happens AT_MSEC after somebody has subscribed. */
struct kr_fake_step {
	unsigned at_msec;
	const struct kr_fake_unit *unit; /* it becomes; NULL: it stays */
	uint32_t job;                    /* is announced; 0: none */
	const char *job_type;            /* see kr_fake_manager_add_job() */
	bool hang_up;                    /* the connection ends */
};

/* Called in the manager's thread with the name of a method that was called:
 * before the answer, and behind it. */
typedef void (*kr_fake_hook_t)(struct kr_fake_manager *m, const char *member);

/* Starts a manager that has UNIT, and has DBUS_SYSTEM_BUS_ADDRESS name it.
 * Either hook may be NULL. */
struct kr_fake_manager *kr_fake_manager_new(const char *unit,
                                            kr_fake_hook_t before,
                                            kr_fake_hook_t after);
void kr_fake_manager_free(struct kr_fake_manager *m);

/* The N steps, in order, are made; before the first call. They must live
 * longer. */
void kr_fake_manager_play(struct kr_fake_manager *m,
                          const struct kr_fake_step *steps, size_t n);

/* The unit's state from now on; for the hooks, or before the first call. */
void kr_fake_manager_set(struct kr_fake_manager *m,
                         const struct kr_fake_unit *unit);

/* How often METHOD ("GetAll") was called until now; for the hooks. */
size_t kr_fake_manager_calls(const struct kr_fake_manager *m,
                             const char *method);

/* Announces a job of the unit; for the hooks. TYPE is "stop" or the like; NULL:
 * the job is over by the time anybody asks. */
void kr_fake_manager_add_job(struct kr_fake_manager *m, uint32_t id,
                             const char *type);
