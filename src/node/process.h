/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The running kubelet as /proc shows it.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/diag.h"

/* What STARTED_USEC, which comes from /proc, may be too early. */
#define KR_PROCESS_START_SLACK_USEC (20 * KR_USEC_PER_MSEC)

struct kr_process {
	pid_t pid;
	char **argv; /* NULL-terminated */
	size_t argc;
	char *cwd;   /* below its own root; NULL: not permitted to look */
	char *unit;  /* the .service of its control group, or NULL */
	int root_fd; /* O_PATH of its root; -1: not permitted to look */
	uint64_t started_usec; /* realtime, to 10 ms */
	uint64_t start_ticks;  /* field 22 of stat: tells a PID from its next */
};

/*
 * Reads process PID below PROC_FD, an open /proc; UNIT is the one that it is
 * known to be of, or NULL. 0; -ESRCH: gone, also while it was read; -ENOMEM;
 * other errnos, with words.
 */
int kr_process_read(int proc_fd, pid_t pid, const char *unit,
                    struct kr_diag *diag, struct kr_process *ret);
void kr_process_done(struct kr_process *process);
#define _cleanup_process_ _cleanup_(kr_process_done)

/* How a process is, by its stat. */
struct kr_process_state {
	char letter;          /* field 3: 'R', 'S', 'D', 'T', ... */
	uint64_t start_ticks; /* field 22 */
};

/* Looks at process PID below PROC_FD. 0; -ESRCH: gone; other errnos. */
int kr_process_look(int proc_fd, pid_t pid, struct kr_process_state *ret);

/* The start of process PID, in clock ticks since the boot: field 22 of its
 * stat. 0; -ESRCH: it has ended, a zombie too; -ENOMEM; -EBADMSG; other errnos.
 */
int kr_process_start(int proc_fd, pid_t pid, uint64_t *ret);

/*
 * The PIDs of all processes whose program is a kubelet (the name of the
 * executable or of argv[0] is "kubelet", or "hyperkube" run as one) and that
 * are in the PID namespace of process 1, so that one in a container is not
 * taken for the node's, and are root's or a system service: not what a user
 * calls kubelet. The caller frees RET. The count, or an errno.
 */
int kr_process_find(int proc_fd, pid_t **ret);

/* Whether PID's network namespace is ours: what listens on its loopback
 * address is then reachable on ours. 1, 0, or an errno. */
int kr_process_shares_network(int proc_fd, pid_t pid);

/* Whether PID is in the mount namespace of process 1, the node's. 1, 0, or an
 * errno. */
int kr_process_shares_mounts(int proc_fd, pid_t pid);

/* The index of the word that is kubelet's own argv[0] in a command line:
 * 0, or more where a wrapper runs it; -1: no word is a kubelet. */
int kr_process_kubelet_word(const char *const *argv, size_t argc);
