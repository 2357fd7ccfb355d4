/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Every time that kubelet and systemd are given, once, in microseconds, with
 * where the figure comes from. "Measured" is kubelet 1.20.2 with a real API
 * server, on an idle node and on a loaded one.
 *
 *   restart asked ── job done ── first ok ── SETTLED ── ok again: healthy
 *        │  job limit    │   --wait   │                       │
 *        └───────────────┴────────────┴── rollback timer, + SLACK
 */

#include "base/clock.h"

/* kubelet opens healthz, and only then starts what may still end it: cAdvisor
 * and the ContainerManager. Measured: death 18 to 750 ms after the first ok. */
#define KR_SETTLED_USEC (5 * KR_USEC_PER_SEC)

/* The same in recover, which only the next run waits for, for its lock:
 * well over the 750 ms that were measured, and no more. */
#define KR_SETTLED_RECOVER_USEC (2 * KR_USEC_PER_SEC)

/* The same where healthz is off or may not be asked: only the time since the
 * process began is left. Measured: healthz opens after 5.4 to 13.5 s, and the
 * deaths behind it come until 14.3 s. */
#define KR_SETTLED_UNASKED_USEC (20 * KR_USEC_PER_SEC)

/* Between two questions to healthz before the first ok. Measured on a start
 * that takes 12 s: 60 questions, 3 ms of CPU time. */
#define KR_HEALTHZ_EVERY_USEC (200 * KR_USEC_PER_MSEC)

/* What healthz may take to answer, in the wait and where it is asked once. It
 * is a plain ping: what takes longer hangs. */
#define KR_HEALTHZ_WAIT_USEC KR_USEC_PER_SEC
#define KR_HEALTHZ_ONCE_USEC (5 * KR_USEC_PER_SEC)

/* What kubelet gets on the way back at least, where to give up is no help:
 * the default of --wait. */
#define KR_BACK_USEC (60 * KR_USEC_PER_SEC)

/* systemd's own limits for stopping the unit may be infinite: no more than this
 * of them is waited for. */
#define KR_TIMEOUT_CAP_USEC (600 * KR_USEC_PER_SEC)

/* What a job may take beyond its unit's limits, on a slow machine. */
#define KR_JOB_SLACK_USEC (5 * KR_USEC_PER_SEC)

/* What the proofs behind the settling may take: an API server that is asked for
 * configz once more when --wait is over. */
#define KR_PROOF_USEC (10 * KR_USEC_PER_SEC)

/* What the rollback timer leaves for all that is not waiting: reading, writing,
 * two reloads, and whatever is slow. */
#define KR_ROLLBACK_SLACK_USEC (30 * KR_USEC_PER_SEC)
