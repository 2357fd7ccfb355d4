/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The durable place of EKS AL2023: NodeConfig files that nodeadm merges into
 * the one of the user data.
 */

#include <stdbool.h>

#include "base/diag.h"
#include "base/fs.h"
#include "kubelet/field.h"

#define KR_NODEADM_FOLDER "/etc/eks/nodeadm.d"
#define KR_NODEADM_FILE   KR_NODEADM_FOLDER "/90-kubelet-remedy.yaml"

/* What one NodeConfig, or several, say of the field that was asked for. */
struct kr_nodeadm_says {
	bool key;  /* spec.kubelet.config has the key, as it is wanted */
	bool flag; /* the last use of the flag in spec.kubelet.flags does */
	bool any_key, any_flag; /* it is set, to whatever */
};

struct kr_nodeadm {
	bool reads_folder; /* nodeadm-run.service does */
	/* those that are read before ours, all of them; their flags go before
	 * ours, too */
	struct kr_nodeadm_says earlier;
	const struct kr_file *ours; /* NULL: it is not there */
	struct kr_nodeadm_says ours_says;
};

/*
 * Reads what the folder of the node whose files are FS's says of FIELD, which
 * is to be WANT. What stands in a file that
 * is read after ours and undoes it, what mentions FIELD and is neither
 * JSON nor YAML, and a file that cannot be read is a warning in DIAG. 0;
 * -ENOMEM; an errno, but never -ENOENT, with words where ours is there and
 * cannot be read (-ELOOP: a link that leads nowhere, too), or where the folder
 * or nodeadm-run's unit cannot.
 */
int kr_nodeadm_read(struct kr_fs *fs, int field, const struct kr_value *want,
                    struct kr_diag *diag, struct kr_nodeadm *ret);
