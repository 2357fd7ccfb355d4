/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the kubelets of many nodes say of several controls. */

#include "kubelet/configz-values.h"
#include "report/fleet.h"

/* The controls that were chosen, and what came of them. */
struct kr_fleet_controls {
	const struct kr_rule *judged[KR_N_RULES], *left[KR_N_RULES];
	struct kr_rules rules; /* of JUDGED */
	size_t n_left;         /* of LEFT: configz does not tell */
	size_t n_verdicts[KR_N_RULES][_KR_VERDICT_MAX]; /* by JUDGED */
};

/* Tells those of RULES that configz shows from the others. RET must not be
 * moved. */
void kr_fleet_controls_begin(const struct kr_rules *rules,
                             struct kr_fleet_controls *ret);

/* One node. */
struct kr_fleet_heard {
	struct kr_finding findings[KR_N_RULES];
	char *reasons[KR_N_RULES]; /* NULL: configz's own */
	struct kr_configz_values values;
	enum kr_verdict verdict; /* the worst of them */
	const char *reason;      /* of the first that is as bad */
};

/* What CONFIGZ of the node NAME says of CONTROLS, which count it; both strings
 * are borrowed. 0 or -ENOMEM; the caller ends RET. */
int kr_fleet_hear(struct kr_fleet_controls *controls, const char *name,
                  const struct kr_configz *configz, struct kr_fleet_heard *ret);
void kr_fleet_heard_done(struct kr_fleet_heard *heard);
#define _cleanup_fleet_heard_ _cleanup_(kr_fleet_heard_done)

/* A line for a node, and the last one. 0 or -ENOMEM. */
int kr_fleet_json_heard(FILE *out, const struct kr_fleet_controls *controls,
                        const struct kr_fleet_heard *heard, const char *detail);
int kr_fleet_json_total(FILE *out, const struct kr_fleet_controls *controls,
                        const struct kr_fleet_summary *summary);

/* The verdict on all, a line a control, the nodes by reason. 0 or -ENOMEM. */
int kr_fleet_text_controls(const struct kr_term *term,
                           const struct kr_fleet_controls *controls,
                           struct kr_fleet_table *table,
                           const struct kr_fleet_summary *summary);
