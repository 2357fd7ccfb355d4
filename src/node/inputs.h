/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads all that one kubelet reads at its start: its argv, the file of
 * --config, the files of --config-dir.
 */

#include "base/diag.h"
#include "base/fs.h"
#include "kubelet/decide.h"
#include "unit/resolve.h"

struct kr_inputs_options {
	const char *working_directory; /* for relative paths; NULL: "/" */
	const char *config;     /* read instead of what --config says; NULL */
	unsigned kubelet_minor; /* 31 for 1.31; 0: not known */
	/* kubelet's environment is known to lack
	 * KUBELET_CONFIG_DROPIN_DIR_ALPHA */
	bool no_alpha;
	/* of each argument why it is not what kubelet gets, one sentence, or
	 * NULL where it is; NULL: all are. The sentences must live as long as
	 * what is read */
	const char *const *doubts;
	/* the strings of ARGV live as long as RET: they are not copied */
	bool argv_lives;
	/* the unit whose credentials kubelet may read; NULL: none's */
	const struct kr_unit *unit;
	bool openshift; /* whose kubelet takes what others refuse */
	/* its arguments may be completed, by --kubeconfig for one: another
	 * program starts it, or it was not started yet */
	bool wrapped;
};

/*
 * Reads. What kubelet would refuse is a result; what it has for a field is
 * asked afterwards, kr_decide(). 0 or -ENOMEM. The files belong to FS, which
 * must live longer.
 *
 * An argument that is not known is UNKNOWN where it may be one that counts: no
 * fault is derived from it, nor is a file read that it names. A credential of
 * the unit is read where systemd would load it from, or is UNKNOWN.
 */
int kr_inputs_read(struct kr_fs *fs, const char *const *argv, size_t argc,
                   const struct kr_inputs_options *options,
                   struct kr_diag *diag, struct kr_inputs *ret);
