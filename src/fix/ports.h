/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * kubelet's own ports: what they answer before a change, and behind the restart
 * that brings it.
 */

#include "host/kubelet-port.h"

struct kr_applying;

struct kr_ports {
	bool looked; /* the rest is filled */
	struct kr_own_port serving, readonly;
	char *kubeconfig; /* kubelet's; NULL: not known */
	struct kr_kubelet_look before;
	/* why the API server's way in cannot be tried behind a restart; "": it
	 * can */
	char why_not[400];
};

/*
 * Asks kubelet's own port, once for each time that the node is read. GO_ON;
 * ENDED: a signal came; -ENOMEM.
 */
int kr_apply_look_at_ports(struct kr_applying *a);

/*
 * Why the API server's way in cannot be tried behind the restart, where there
 * is one: "" where it can, by the client certificate or by configz. The ports
 * were looked at.
 */
const char *kr_apply_way_in_doubt(const struct kr_applying *a);

/* Before the first write: what a proof has to be compared with. GO_ON; ENDED;
 * -ENOMEM. */
int kr_apply_check_ports(struct kr_applying *a);

void kr_ports_done(struct kr_ports *ports);
