/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A kubeadm node that is installed but has not joined a cluster.
 */

#include "node/node.h"

/* kubelet's client certificate, in the folder of --cert-dir. */
#define KR_CERT_DIR           "/var/lib/kubelet/pki"
#define KR_CLIENT_CERTIFICATE "kubelet-client-current.pem"

/*
 * Whether the node, whose disk view's arguments were read, waits for 'kubeadm
 * init' or 'kubeadm join': its unit is kubeadm's, and all that these write is
 * missing. 1 or 0; -ENOMEM.
 */
int kr_unjoined(struct kr_node *node);
