/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a node is called in its cluster. */

#include <stddef.h>

#include "node/node.h"

#define KR_NODE_NAME_SIZE 256

/*
 * NODE's name: as it was given (--node), else NODE_NAME of the environment,
 * else kubelet's --hostname-override (of the one that runs, else of the disk),
 * else the host name (an image's is in /etc/hostname), the last two in lower
 * case. SIZE bytes at RET, NUL-terminated; empty: it is not known.
 */
void kr_node_name(struct kr_node *node, char *ret, size_t size);
