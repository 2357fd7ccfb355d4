/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A manager that a test plays: what systemd says over the bus, and in which
 * order, without a systemd. It has one unit, and answers one connection at a
 * time, in a thread of its own.
 */

#include <stddef.h>
#include <stdint.h>

#include "systemd/manager.h"

struct kr_fake_manager;

/* What the unit says of itself. */
struct kr_fake_unit {
	const char *active_state, *sub_state, *result;
	uint32_t job_id; /* 0: nothing is being done with it */
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
