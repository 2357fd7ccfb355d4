/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the kubelets of many nodes say, for people and for scripts. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "host/configz.h"
#include "policy/judge.h"
#include "report/finding.h"
#include "report/term.h"

#define KR_FLEET_REASON_SIZE 512

/* What CONFIGZ of node NAME says of RULE; NAME and REASON, which is for its
 * words, are borrowed. The time is now. */
struct kr_finding kr_fleet_finding(const char *name, const struct kr_rule *rule,
                                   const struct kr_configz *configz,
                                   char reason[static KR_FLEET_REASON_SIZE]);

/* The end of a run. */
struct kr_fleet_summary {
	size_t n_verdicts[_KR_VERDICT_MAX];
	size_t n_nodes;     /* that there are, as far as is known */
	bool complete;      /* all of them were asked */
	const char *reason; /* why not; NULL: it is complete */
	const char *error;  /* the same with all that is known; NULL */
	uint64_t took_usec;
};

/* All together: what the worst of them is; no node at all is no verdict. */
enum kr_verdict kr_fleet_verdict(const struct kr_fleet_summary *summary);

/* A line for a node, and the last one; DETAIL ("": none) is what the server
 * itself said. 0 or -ENOMEM. */
int kr_fleet_json_node(FILE *out, const struct kr_finding *finding,
                       const char *detail);
int kr_fleet_json_summary(FILE *out, const struct kr_fleet_summary *summary);

/* How many nodes of one reason a table names, if not all. */
#define KR_FLEET_NAMES_MAX 100

/* The nodes that do not pass, by reason. */
struct kr_fleet_table {
	const struct kr_rule *rule;
	bool all_names;
	/* the options that select its controls on a node: borrowed; NULL */
	const char *words;
	struct kr_fleet_group *groups;
	size_t n_groups;
};

/* Takes a finding in. 0 or -ENOMEM. */
int kr_fleet_table_add(struct kr_fleet_table *table,
                       const struct kr_finding *finding, const char *detail);
void kr_fleet_table_done(struct kr_fleet_table *table);
#define _cleanup_fleet_table_ _cleanup_(kr_fleet_table_done)

/* The verdict on all, the table, the next command. */
void kr_fleet_text(const struct kr_term *term, struct kr_fleet_table *table,
                   const struct kr_fleet_summary *summary);

/* The same without the verdict. */
void kr_fleet_text_groups(const struct kr_term *term,
                          struct kr_fleet_table *table,
                          const struct kr_fleet_summary *summary);
