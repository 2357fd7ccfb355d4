/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The version of a node's kubelet, as it has registered it:
 * GET /api/v1/nodes/NAME, .status.nodeInfo.kubeletVersion.
 */

#include "net/http.h"

#define KR_NODE_VERSION_SIZE 64

/*
 * The version in SIZE bytes at BODY, a Node. 0; KR_MALFORMED: it is no Node, or
 * says no version, or two, or too long a one; -ENOMEM.
 */
int kr_node_info_parse(const char *body, size_t size,
                       char ret[static KR_NODE_VERSION_SIZE]);

/*
 * Asks for NODE with T. 0; *RET is "" where the version is not said: the user
 * may lack the right to get nodes, and need not have it. -EINTR: T's tick()
 * said stop; -ENOMEM.
 */
int kr_node_info_get(struct kr_http_transfer *t, const char *node,
                     char ret[static KR_NODE_VERSION_SIZE]);
