/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The process that holds a lock of ours, and its end.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct kr_holder {
	pid_t pid;            /* 0: it cannot be seen */
	uint64_t start_ticks; /* tells a PID from its next */
	bool stopped;         /* by a signal or a debugger */
};

/*
 * The process that holds a flock(2) on the very file FILE, as PROC_FD (an open
 * /proc, or -1) shows it. One in a pid namespace that is not below that of
 * PROC_FD is not seen. 0 or an errno.
 */
int kr_holder_find(int proc_fd, const struct stat *file, struct kr_holder *ret);

enum kr_killed {
	KR_KILLED,        /* the signal is sent */
	KR_KILLED_GONE,   /* there was no such process any more */
	KR_KILLED_CANNOT, /* its pid is not one of ours, or the kernel or a
	                     filter forbids it */
};

/* Sends SIGKILL to HOLDER, and not to a process that has got its pid
 * meanwhile. */
enum kr_killed kr_holder_kill(int proc_fd, const struct kr_holder *holder);
