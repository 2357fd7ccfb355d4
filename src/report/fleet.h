/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the kubelets of many nodes say, for people and for scripts. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/json-build.h"
#include "base/vec.h"
#include "host/configz.h"
#include "host/node-page.h"
#include "policy/judge.h"
#include "report/finding.h"
#include "report/term.h"

#define KR_FLEET_REASON_SIZE 512

/* The edition whose number RULE has on NODE, as kr_demand_numbers() has it;
 * NULL, too, of a node of which nothing is known. */
const struct kr_edition *kr_fleet_numbers(const struct kr_node_entry *node,
                                          const struct kr_rule *rule,
                                          const struct kr_edition *chosen);

/* What CONFIGZ of NODE says of RULE; the node's name and REASON, which is for
 * its words, are borrowed. The time is now. */
struct kr_finding kr_fleet_finding(const struct kr_node_entry *node,
                                   const struct kr_rule *rule,
                                   const struct kr_configz *configz,
                                   char reason[static KR_FLEET_REASON_SIZE]);

/* The end of a run. */
struct kr_fleet_summary {
	size_t n_verdicts[_KR_VERDICT_MAX];
	/* nodes whose controls have the numbers of each edition */
	size_t n_numbered[KR_N_EDITIONS];
	const char *server; /* its URL */
	size_t n_nodes;     /* that there are, as far as is known */
	size_t n_left_out;  /* besides: they have no kubelet to ask */
	bool complete;      /* all of them were asked */
	bool unlisted;      /* by their names alone, no list told more */
	const char *reason; /* why not, or why there are none; NULL */
	const char *error;  /* the same with all that is known; NULL */
	uint64_t took_usec;
};

/* All together: what the worst of them is; no node at all is no verdict. */
enum kr_verdict kr_fleet_verdict(const struct kr_fleet_summary *summary);

/* A line for a node, and the last one; DETAIL ("": none) is what the server
 * itself said. 0 or -ENOMEM. */
int kr_fleet_json_node(FILE *out, const struct kr_finding *finding,
                       const char *detail);
void kr_fleet_json_control(struct kr_build *b, cJSON *control,
                           const struct kr_finding *finding,
                           const struct kr_value *value);
int kr_fleet_json_summary(FILE *out, const struct kr_rule *rule,
                          const struct kr_fleet_summary *summary);

/* Which nodes were asked, when and by what, and the outcome, as members of
 * SUM. */
void kr_fleet_json_sum(struct kr_build *b, cJSON *sum,
                       const struct kr_fleet_summary *summary);

/* The counts as members of O; WHOLE: of a control, with what fails nothing. */
void kr_fleet_json_counts(struct kr_build *b, cJSON *o,
                          const size_t n_verdicts[static _KR_VERDICT_MAX],
                          bool whole);

/* How many nodes of one reason a table names, if not all. */
#define KR_FLEET_NAMES_MAX 100

/* The nodes that do not pass, or are waived, by reason. */
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

/* The first line's words behind the verdict on RULE. 0 or -ENOMEM; the caller
 * frees RET. */
int kr_fleet_headline(const struct kr_rule *rule,
                      const struct kr_fleet_summary *summary, char **ret);

/* The verdict on all, the table, the next command. 0 or -ENOMEM. */
int kr_fleet_text(const struct kr_term *term, struct kr_fleet_table *table,
                  const struct kr_fleet_summary *summary);

/* The numbers of RULE in the editions of SUMMARY's nodes, with commas between;
 * "": there are none. The caller frees it; NULL: no memory. */
char *kr_fleet_ids(const struct kr_fleet_summary *summary,
                   const struct kr_rule *rule, const struct kr_edition *chosen);

/* NAMES with blanks between, in lines that fit. */
void kr_fleet_text_names(const struct kr_term *term,
                         const struct kr_strings *names);

/* The same without the verdict. RULE: the only one, whose numbers are shown;
 * NULL: there are several. 0 or -ENOMEM. */
int kr_fleet_text_groups(const struct kr_term *term,
                         struct kr_fleet_table *table,
                         const struct kr_fleet_summary *summary,
                         const struct kr_rule *rule);
