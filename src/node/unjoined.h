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

/*
 * Whether a kubelet of the disk view's arguments has run here, in whatever
 * boot: it makes the folder of its pods in that of --root-dir, once its
 * configuration and its kubeconfig were read. 1: also where that may not be
 * looked at; 0; -ENOMEM.
 */
int kr_unjoined_has_pods(const struct kr_node *node);
