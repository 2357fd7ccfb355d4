/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * --config, then the files of --config-dir merged over it, as kubelet does.
 */

#include "kubelet/config.h"

struct kr_merged {
	/* TRUE, FALSE, ABSENT (the default), INVALID: what kubelet has after
	 * the merge and before the flags */
	enum kr_state state;
	struct kr_config *configs; /* one a file, in the order of the files */
	size_t n_configs;
	/* the file and the use in it that decide; -1: kubelet's default */
	int file;
	int use;
	int healthz_port;                 /* after the merge, -1: not set */
	const char *healthz_bind_address; /* borrowed, NULL: not set */
	int masquerade_bit, drop_bit;
};

/*
 * Merges FILES, N of them: [0] is that of --config unless NO_BASE, the others
 * are the drop-ins in the order in which kubelet walks them. 0 or -ENOMEM.
 */
int kr_merge_parse(const struct kr_setting *setting,
                   const struct kr_file *const *files, size_t n, bool no_base,
                   struct kr_diag *diag, struct kr_merged *ret);
void kr_merged_done(struct kr_merged *merged);
#define _cleanup_merged_ _cleanup_(kr_merged_done)

/* Whether kubelet reads a file of this name in --config-dir: the extension is
 * exactly ".conf" (filepath.Ext: "x.conf", ".conf", ".10-a.conf"). */
bool kr_dropin_name(const char *name);
