/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The rollback that outlives us: a timer of systemd's that reverts a
 * transaction (fix/rescue) unless it is stopped.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "host/host.h"
#include "store/manifest.h"

/* What reverts a change at boot, where that is enabled. */
#define KR_WATCHDOG_BOOT_UNIT "kubelet-remedy-recover.service"

#define KR_WATCHDOG_NAME_SIZE (KR_TRANSACTION_ID_SIZE + 32)

/* The name of the timer of transaction ID, without suffix. */
void kr_watchdog_name(const char *id, char ret[static KR_WATCHDOG_NAME_SIZE]);

/* How long a phase of a run may take: systemd's stop and start of kubelet, the
 * wait for its health, and what is slow. HOST's systemd need not answer. */
uint64_t kr_watchdog_limit_usec(const struct kr_host *host, uint64_t wait_usec);

struct kr_watchdog {
	char *name;  /* of the timer, without suffix; NULL: not armed */
	bool copied; /* the program lies below the root */
};

/*
 * Arms it for the transaction ID of HOST, whose systemd answers: it runs out
 * after the time that a restart and WAIT_USEC for kubelet's health may take,
 * and some more. Where HOST is below a --root, the program is copied there and
 * tried first. 0; KR_REFUSED: the host cannot run the program; other errnos;
 * with words.
 */
int kr_watchdog_arm(struct kr_host *host, const char *id, uint64_t wait_usec,
                    struct kr_diag *diag, struct kr_watchdog *ret);

/* Warns if no unit would revert a run that a reboot ends: "no-boot-unit". */
void kr_watchdog_warn_of_reboot(struct kr_host *host, struct kr_diag *diag);

/* The next phase begins: its time counts from now. One that has run out waits
 * for our lock, so that a failure does not matter. */
void kr_watchdog_rearm(const struct kr_watchdog *watchdog,
                       struct kr_host *host);

/* Stops it: the transaction has come to its end. One that cannot be stopped
 * finds nothing to do. */
void kr_watchdog_disarm(struct kr_watchdog *watchdog, struct kr_host *host);

/* The same of the transaction ID of a run that was killed, and that is
 * reverted: the program that the timer would start may be gone by then. */
void kr_watchdog_stop(struct kr_host *host, const char *id);

void kr_watchdog_done(struct kr_watchdog *watchdog);
