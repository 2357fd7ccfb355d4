/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The state of kubelet's unit, as `systemctl status` has it, and its health. */

#include <stdbool.h>

#include "base/diag.h"
#include "host/health.h"
#include "host/host.h"
#include "systemd/journal.h"

struct kr_status {
	struct kr_host *host;
	const struct kr_loaded_unit *loaded; /* NULL: no bus */
	bool found;                          /* there is such a unit */
	bool other; /* it was named, and is another program's */
	/* of kubelet, where the unit is there; its WHY says, too, why nothing
	 * can be said of the unit */
	struct kr_health_report health;
	struct kr_log log;
};

#define KR_STATUS_LOG_LINES 10

/*
 * 0: RET is filled, also where systemd cannot be asked (loaded is NULL, the
 * health's why says so); -ENOMEM; an errno where the node cannot be opened,
 * with words.
 */
int kr_status_read(const struct kr_node_options *options, struct kr_diag *diag,
                   struct kr_status *ret);
void kr_status_done(struct kr_status *status);
#define _cleanup_status_ _cleanup_(kr_status_done)
