/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What systemd itself says about a service: plain data, filled over D-Bus by
 * systemd/manager and read by node/, which talks to no bus.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"

#define KR_INVOCATION_ID_SIZE 33 /* 32 hex digits and a NUL */

struct kr_loaded_unit {
	char *id; /* its name, aliases resolved */
	char *load_state, *active_state, *sub_state, *result, *type;
	char *load_error;    /* the message of LoadError, or NULL */
	char *fragment_path; /* "" where there is none */
	char *file_state; /* UnitFileState, "enabled"; "" where it has none */
	char *control_group;
	char **dropin_paths;
	size_t n_dropin_paths;
	/* ExecStart=: each command's argv as it is loaded, variables and all,
	 * each NULL-terminated */
	char ***commands;
	size_t n_commands;
	char **environment; /* "NAME=value" of Environment= */
	size_t n_environment;
	char **environment_files; /* paths, with a leading "-" where given */
	size_t n_environment_files;
	bool need_daemon_reload;
	/* where that is set: the manager's UnitsLoadTimestamp, after which this
	 * unit was read, realtime; 0: not known */
	uint64_t units_load_usec;
	pid_t main_pid;      /* 0: none */
	unsigned n_restarts; /* 0 also where systemd is too old to count */
	uint32_t job_id; /* what systemd is about to do with it, 0: nothing */
	/* "" where systemd is too old or the unit never ran */
	char invocation_id[KR_INVOCATION_ID_SIZE];
	uint64_t started_realtime_usec; /* ExecMainStartTimestamp, 0: never */
	uint64_t started_monotonic_usec;
	uint64_t exited_realtime_usec; /* ExecMainExitTimestamp */
	uint64_t state_change_usec;    /* StateChangeTimestamp, realtime */
	uint64_t active_enter_usec;    /* ActiveEnterTimestamp, realtime */
	uint64_t inactive_enter_usec;
	/* when it last began to start, CLOCK_MONOTONIC, 0: never */
	uint64_t inactive_exit_monotonic_usec;
	int exec_main_code,
		exec_main_status; /* CLD_EXITED ..., and its value */
	uint64_t timeout_start_usec, timeout_stop_usec; /* UINT64_MAX: none */
	/* MemoryCurrent, TasksCurrent; 0, UINT64_MAX: not counted */
	uint64_t memory_bytes, n_tasks;
};

/* No member set. Accepts NULL, returns NULL. */
struct kr_loaded_unit *kr_loaded_unit_free(struct kr_loaded_unit *unit);
DEFINE_FREEP(struct kr_loaded_unit, kr_loaded_unit_free);
#define _cleanup_loaded_unit_ _cleanup_(kr_loaded_unit_freep)
