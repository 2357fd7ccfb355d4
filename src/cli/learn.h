/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is learnt of a node while it is read. */

#include "cli/options.h"
#include "host/activation.h"
#include "host/live.h"
#include "host/node-info.h"

struct kr_learn {
	struct kr_live_wait wait; /* its tick is asked meanwhile */
	struct kr_actions *steps; /* the question becomes one; NULL */

	const struct kr_options *options; /* the rest is the module's own */
	bool asked;
	unsigned minor; /* 0: not known */
};

/*
 * O's node, whose kr_node_options.registered_version asks the API server of
 * --configz, where there is one: once, however often the node is read. LEARN
 * must live as long as what is opened with it.
 */
struct kr_node_options kr_cli_learn(const struct kr_options *o,
                                    struct kr_learn *learn);
