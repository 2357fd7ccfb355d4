/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads all that one kubelet reads at its start: its argv, the file of
 * --config, the files of --config-dir.
 */

#include "base/diag.h"
#include "base/fs.h"
#include "kubelet/decide.h"

struct kr_inputs_options {
	const char *working_directory; /* for relative paths; NULL: "/" */
	const char *config;     /* read instead of what --config says; NULL */
	unsigned kubelet_minor; /* 31 for 1.31; 0: not known */
	bool openshift;         /* whose kubelet takes what others refuse */
	bool wrapped; /* another program starts it, and may have a client */
};

/*
 * Reads. What kubelet would refuse is a result; what it has for a field is
 * asked afterwards, kr_decide(). 0 or -ENOMEM. The files belong to FS, which
 * must live longer.
 */
int kr_inputs_read(struct kr_fs *fs, const char *const *argv, size_t argc,
                   const struct kr_inputs_options *options,
                   struct kr_diag *diag, struct kr_inputs *ret);
