/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A node and its systemd, read together.
 */

#include "base/diag.h"
#include "host/health.h"
#include "node/node.h"
#include "store/manifest.h"
#include "systemd/manager.h"

struct kr_host {
	struct kr_node_options options; /* borrowed strings */
	char *unit;                     /* the unit that was found in the end */
	struct kr_manager *manager;     /* NULL: an image, or no bus */
	int bus_error;                  /* why there is none; 0 */
	struct kr_loaded_unit *loaded;
	struct kr_node *node;
	/* those of kr_iptables_units that are active; NULL: not asked */
	const char *const *iptables_units;
	struct kr_manifests records; /* see kr_host_records() */
	bool records_read;
};

/*
 * Opens and reads the node of OPTIONS, whose strings must live longer. A live
 * node without a bus is read from its files, with a warning. 0, -ENOMEM, or an
 * errno with words.
 */
int kr_host_open(const struct kr_node_options *options, struct kr_diag *diag,
                 struct kr_host **ret);

/* The records of fixes as they were when they were first asked for; none where
 * they cannot be read. 0 or -ENOMEM. */
int kr_host_records(struct kr_host *host, const struct kr_manifests **ret);

/*
 * Whether the kubelet that runs was started after the beginning of MANIFEST.
 * Its invocation tells, since a clock may be set meanwhile; the times do where
 * the record has none, and that of the process where systemd was not asked. A
 * kubelet whose start is unknown counts as started since.
 */
bool kr_host_is_newer(const struct kr_host *host,
                      const struct kr_manifest *manifest);

/*
 * Warns of a kubelet that ran in this boot and does not now, or that systemd
 * starts again and again ("kubelet-down"): correct files do not make it run.
 * One that was not started yet is not warned of.
 */
void kr_host_warn_down(const struct kr_host *host, struct kr_diag *diag);

/* The name of kubelet's unit as systemd itself has it, aliases resolved; as it
 * was named where systemd was not asked. */
const char *kr_host_unit(const struct kr_host *host);

/* How the kubelet of HOST's unit is now: what systemd said of its process when
 * HOST was read, and what it says of itself. As kr_health_probe_ask(). */
int kr_host_health(struct kr_host *host, struct kr_health_report *ret);

/* The same of process PID, or, where that is 0, of the one kubelet that runs
 * there, without asking systemd. Several are KR_HEALTH_UNASKED. */
int kr_host_health_without_systemd(struct kr_host *host, pid_t pid,
                                   struct kr_health_report *ret);

struct kr_host *kr_host_free(struct kr_host *host);
DEFINE_FREEP(struct kr_host, kr_host_free);
#define _cleanup_host_ _cleanup_(kr_host_freep)
