/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The kernel's settings that a kubelet with protectKernelDefaults demands, as
 * the next boot will have them.
 */

#include <stdbool.h>

#include "base/diag.h"
#include "base/fs.h"

#define KR_N_KERNEL_SETTINGS 6

struct kr_kernel_setting {
	const char *name;   /* "vm.overcommit_memory" */
	const char *wanted; /* what kubelet demands */
	bool right;         /* the next boot has it */
	/* what is written at boot, of at most 63 bytes, and where: no file: by
	 * the kernel's command line; "": not set, it is the kernel's own */
	char value[64];
	struct kr_span place;
};

/*
 * Reads what FS's node has for its next boot, in the order of the names' table.
 * COMMAND_LINE is the kernel's; NULL: not known, as of an image. RET_MASKED:
 * no file counts, since systemd-sysctl is masked. The spans point into files of
 * FS. 0; -ENOMEM; the errno of a file or folder that is there and cannot be
 * read, which DIAG names: nothing is known then.
 */
int kr_kernel_settings_read(struct kr_fs *fs, const char *command_line,
                            struct kr_diag *diag, bool *ret_masked,
                            struct kr_kernel_setting ret[KR_N_KERNEL_SETTINGS]);
