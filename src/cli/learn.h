/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is learnt of a node before it is judged. */

#include "cli/options.h"
#include "host/live.h"
#include "host/node-info.h"

/*
 * kubelet's version, from the API server of --configz, where an answer depends
 * on it and OPTIONS do not say it; NODE was read. WAIT has the tick that is
 * asked meanwhile. 0; *RET is "" where nobody is asked or it is not told, which
 * is no fault. What tick gave; -ENOMEM.
 */
int kr_cli_learn_version(const struct kr_options *options, struct kr_node *node,
                         const struct kr_live_wait *wait,
                         char ret[static KR_NODE_VERSION_SIZE]);
