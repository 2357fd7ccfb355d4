/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A kubeadm node that is installed but has not joined a cluster.
 */

#include "node/node.h"

/*
 * Whether the node, whose disk view's arguments were read, waits for 'kubeadm
 * init' or 'kubeadm join': its unit is kubeadm's, and all that these write is
 * missing. 1 or 0; -ENOMEM.
 */
int kr_unjoined(struct kr_node *node);

/*
 * Whether kubelet's client certificate is in the folder of --cert-dir, as the
 * disk view's arguments name it. 1; 0: it is not, or that may not be looked at;
 * -ENOMEM.
 */
int kr_unjoined_has_certificate(const struct kr_node *node);
