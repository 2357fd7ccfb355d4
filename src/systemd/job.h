/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A job of the manager, from the wish to its end.
 */

#include "systemd/bus.h"

/*
 * Has METHOD ("RestartUnit", "StopUnit") done to UNIT and waits for its job to
 * be removed. The outcomes are those of kr_manager_restart().
 */
int kr_job_run(struct kr_bus *bus, const char *method, const char *unit,
               const struct kr_manager_wait *wait, struct kr_diag *diag,
               enum kr_job_result *ret);

/* The same with a METHOD of any arguments that answers with a job's path:
 * "StartTransientUnit". Its about is UNIT. */
int kr_job_run_method(struct kr_bus *bus, const struct kr_bus_method *method,
                      const struct kr_manager_wait *wait, struct kr_diag *diag,
                      enum kr_job_result *ret);
