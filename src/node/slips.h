/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Slips of the pen: what a message speaks of, and what it comes from. */

#include "node/node.h"

/* Adds a remark on each variable inside a variable, on each "${NAME}" of
 * kubelet's command that nothing sets, and on what is meant for a shell. */
void kr_slips_remark(const struct kr_node *node, struct kr_diag *diag);

/*
 * Where the disk of NODE, which was read, is invalid: if what DIAG blames comes
 * from a line that was swallowed, a variable, text for a shell or a template
 * that was not rendered, that becomes the first error, and the disk's slip. 0
 * or -ENOMEM.
 */
int kr_slips_explain(struct kr_node *node, struct kr_diag *diag);

/* Whether the bytes of SPAN hold a template's placeholder, but for "${NAME}",
 * which is systemd's, too. RET is its place. */
bool kr_slips_find_template(struct kr_span span, struct kr_span *ret);
