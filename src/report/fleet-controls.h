/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the kubelets of many nodes say of several controls. */

#include "host/node-page.h"
#include "kubelet/configz-values.h"
#include "policy/waivers.h"
#include "report/fleet.h"

/* The controls that were chosen, and what came of them. */
struct kr_fleet_controls {
	const struct kr_rule *judged[KR_N_RULES], *left[KR_N_RULES];
	struct kr_rules
		rules; /* of JUDGED; behind those with a demand others */
	size_t n_demanded;
	size_t n_left; /* of LEFT: configz never shows it */
	/* each node is judged by the edition of its platform and version; what
	 * that has not is not applicable to it */
	bool by_node;
	bool named;     /* they are shown, whatever edition has them */
	unsigned level; /* BY_NODE: of its edition's controls; 0: all */
	const struct kr_waivers *waivers; /* borrowed; NULL: none */
	size_t n_verdicts[KR_N_RULES][_KR_VERDICT_MAX]; /* by JUDGED */
	size_t n_of_edition[KR_N_EDITIONS];             /* nodes, BY_NODE */
};

/* Tells those of RULES that configz shows from the others. RET must not be
 * moved. */
void kr_fleet_controls_begin(const struct kr_rules *rules,
                             struct kr_fleet_controls *ret);

/* One node. */
struct kr_fleet_heard {
	struct kr_finding findings[KR_N_RULES];
	char *reasons[KR_N_RULES]; /* NULL: configz's own */
	struct kr_configz_values configz;
	struct kr_value values[KR_N_RULES]; /* of those that have one */
	const struct kr_edition *edition;   /* by which it was judged; NULL */
	enum kr_verdict verdict;            /* the worst of them */
	char *reason;                       /* with all that are as bad */
};

/* What CONFIGZ of NODE says of CONTROLS, which count it; both are borrowed. 0
 * or -ENOMEM; the caller ends RET. */
int kr_fleet_hear(struct kr_fleet_controls *controls,
                  const struct kr_node_entry *node,
                  const struct kr_configz *configz, struct kr_fleet_heard *ret);
void kr_fleet_heard_done(struct kr_fleet_heard *heard);
#define _cleanup_fleet_heard_ _cleanup_(kr_fleet_heard_done)

/* A line for a node, and the last one. 0 or -ENOMEM. */
int kr_fleet_json_heard(FILE *out, const struct kr_fleet_controls *controls,
                        const struct kr_fleet_heard *heard, const char *detail);
int kr_fleet_json_total(FILE *out, const struct kr_fleet_controls *controls,
                        const struct kr_fleet_summary *summary);

/* The first line's words behind the verdict. 0 or -ENOMEM; the caller frees
 * RET. */
int kr_fleet_controls_headline(const struct kr_fleet_controls *controls,
                               const struct kr_fleet_summary *summary,
                               char **ret);

/* The verdict on all, a line a control, the nodes by reason. 0 or -ENOMEM. */
int kr_fleet_text_controls(const struct kr_term *term,
                           const struct kr_fleet_controls *controls,
                           struct kr_fleet_table *table,
                           const struct kr_fleet_summary *summary);
