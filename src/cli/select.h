/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which controls a command is about: --benchmark, --control, --skip, --level;
 * and which of them are waived.
 */

#include <stdio.h>

#include "cli/options.h"
#include "node/node.h"
#include "policy/rules.h"
#include "policy/waivers.h"

#define KR_SELECT_AUTO "auto"
#define KR_SELECT_HELP "help"

struct kr_selected {
	const struct kr_rule *items[KR_N_RULES];
	struct kr_rules rules; /* of ITEMS, or those that nothing names */
	/* the edition is the newest, since kubelet's version is not known */
	bool newest;
};

/*
 * Whether what O names is known, as far as that is known without a node. 0;
 * -EINVAL: a line about it is on ERR.
 */
int kr_select_check(const struct kr_options *o, FILE *err);

/* Whether each node's own edition is meant. */
bool kr_select_is_auto(const struct kr_options *o);

/*
 * The controls that O names, in the order of the edition, else in that of
 * --control. Of a fleet with --benchmark=auto they are those of all editions,
 * and RET has none. NODE, which was read, decides what --benchmark=auto is;
 * NULL: a node of which nothing is known. 0; -EINVAL: a line about it is on
 * ERR; -ENOMEM. RET must not be moved.
 */
int kr_select(const struct kr_options *o, struct kr_node *node, FILE *err,
              struct kr_selected *ret);

/* " --benchmark=NAME ...": the options that select the same again, for a
 * command to recommend; EDITION is the one that was taken, or NULL. The caller
 * frees it; NULL: no memory. */
char *kr_select_words(const struct kr_options *o,
                      const struct kr_edition *edition);

/*
 * Reads what O's node waives: the file of --waivers, else that of the live
 * node, if it is there. 0; -ENOMEM; a negative errno with words in DIAG: the
 * file is there and not to be trusted, or was named and cannot be read.
 */
int kr_select_waivers(const struct kr_options *o, struct kr_node *node,
                      struct kr_diag *diag, struct kr_waivers *ret);

/* The same of the file of --waivers alone, which is this machine's. FS, which
 * the waivers point into, is the caller's. */
int kr_select_waivers_file(const struct kr_options *o, struct kr_diag *diag,
                           struct kr_fs **ret_fs, struct kr_waivers *ret);
