/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A document laid over another one. */

#include "doc/tree.h"

/*
 * Lays the map PATCH over the map TARGET, both sorted by kr_tree_sort(), by
 * RFC 7386. The nodes of PATCH become TARGET's. 0 or -ENOMEM.
 */
int kr_tree_patch(struct kr_tree_node *target, struct kr_tree_node *patch);
