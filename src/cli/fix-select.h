/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which controls a fix is about, and what the owner says of each: --allow,
 * --set, and that it is named; which of them are waived.
 */

#include "cli/select.h"
#include "policy/plan.h"

struct kr_fix_selected {
	const struct kr_options *o;
	FILE *err;
	/* out, again for each node that was read; RULES do not move */
	struct kr_rules rules;
	struct kr_consent consents[KR_N_RULES];
	/* the options that select the same once more, and that allow and set
	 * the same */
	char *audit_words, *words;
	char *left_words; /* by which a control that is left is judged */
	char *how;        /* see kr_fix_how() */
	bool usage;       /* a line about wrong usage is on ERR */
	struct kr_waivers waivers;
	bool unread; /* the waivers cannot be read */
	/* the rest is its own */
	struct kr_selected selected;
	struct kr_rule own[KR_N_RULES]; /* those with a value of --set */
	size_t n_own;
	const struct kr_rule *items[KR_N_RULES];
};

/* The options of O, a fix's or an undo's, that say how it is done: " --explicit
 * --restart=never ...". 0 or -ENOMEM. */
int kr_fix_how(const struct kr_options *o, char **ret);

/*
 * For struct kr_fix_options: selects for NODE, which was read; SELECTED is a
 * struct kr_fix_selected with O and ERR. 0; -EINVAL: USAGE is set; -ENOMEM;
 * another errno, with words in DIAG.
 */
int kr_fix_select(void *selected, struct kr_node *node, struct kr_diag *diag);
void kr_fix_selected_done(struct kr_fix_selected *selected);
#define _cleanup_fix_selected_ _cleanup_(kr_fix_selected_done)
