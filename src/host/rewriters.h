/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which programs may have written kubelet's files while it was being
 * started. */

#include "base/diag.h"
#include "host/host.h"

/*
 * Names in DIAG, as notes, what runs before each start of kubelet: the
 * ExecStartPre= lines of HOST's unit, and the oneshot units that it requires or
 * wants and is ordered after, which ran since SINCE_USEC (realtime). A systemd
 * that does not say is passed over.
 */
void kr_rewriters_name(struct kr_host *host, uint64_t since_usec,
                       struct kr_diag *diag);
