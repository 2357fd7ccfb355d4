/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is seen on the node that makes a change dangerous, but not forbidden. */

#include "fix/apply.h"
#include "store/hold-lines.h"

struct kr_holds {
	/* of each rule: the options' consents, and what was seen; NULL: nothing
	 * was said or seen */
	struct kr_consent *consents;
	char **texts; /* owned: what the consents borrow */
	char **bars;  /* the same, of fix/remembered */
	size_t n;
};

/*
 * Looks for the holds of the rules that fail in the fix's before: at a node
 * that runs, since in an image nothing can be asked. A rule that is
 * allowed is not looked at. GO_ON, the caller ends RET; ENDED: a signal came;
 * -ENOMEM.
 */
int kr_holds_find(struct kr_applying *a, struct kr_holds *ret);
void kr_holds_done(struct kr_holds *holds);

/* Whether a fix made now goes by LINES for RULE, which has a hold: it cannot
 * look, or a look cannot speak against its line. */
bool kr_holds_go_by_line(const struct kr_node *node,
                         const struct kr_hold_lines *lines,
                         const struct kr_rule *rule);
