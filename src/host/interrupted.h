/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A run that is not at its end: whether it is at work, and what becomes of it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/diag.h"
#include "base/fs.h"
#include "store/manifest.h"
#include "systemd/manager.h"

enum kr_interrupted_state {
	KR_INTERRUPTED_NOT,      /* it is at work, within its time */
	KR_INTERRUPTED_RECOVERS, /* it is being reverted, within that time */
	KR_INTERRUPTED_STUCK,    /* a run lives whose time is over */
	KR_INTERRUPTED,          /* no run is about it */
	_KR_INTERRUPTED_MAX,
};

struct kr_interrupted {
	enum kr_interrupted_state state;
	pid_t pid;             /* of the run that is about it; 0: not known */
	bool stopped;          /* that process, by a signal */
	uint64_t reverts_usec; /* realtime, when systemd reverts it; 0: it
	                          does not, or cannot be asked */
	bool at_boot;          /* the unit that does so at boot is enabled */
	bool asked;            /* systemd was */
};

/*
 * Looks at the run of MANIFEST, which is pending, of the node whose files are
 * FS's. PROC_FD: its /proc, or -1; MANAGER: its systemd, or NULL. 0; -ENOMEM.
 */
int kr_interrupted_look(struct kr_fs *fs, int proc_fd,
                        struct kr_manager *manager,
                        const struct kr_manifest *manifest,
                        struct kr_interrupted *ret);

/* What to say about it behind "the run ID ", which the caller frees; NULL: no
 * memory. */
char *kr_interrupted_describe(const struct kr_interrupted *run);

/* Looks, and warns of it: "run-at-work", "run-stuck" or "interrupted". RET may
 * be NULL. 0 or -ENOMEM. */
int kr_interrupted_warn(struct kr_fs *fs, int proc_fd,
                        struct kr_manager *manager,
                        const struct kr_manifest *manifest,
                        struct kr_diag *diag, struct kr_interrupted *ret);

/* The same of the node's last run of LIST, where that has not come to its end
 * or has not tidied up. 0 or -ENOMEM. */
int kr_interrupted_report(struct kr_fs *fs, const struct kr_manifests *list,
                          int proc_fd, struct kr_manager *manager,
                          struct kr_diag *diag);
