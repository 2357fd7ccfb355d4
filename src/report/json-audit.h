/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An audit as JSON (data/schema/audit.json), and what the other results have in
 * common with it.
 */

#include <stdio.h>

#include "base/json-build.h"
#include "host/host.h"
#include "node/node.h"
#include "policy/judge.h"
#include "store/manifest.h"

/* Of audit, fix and undo. */
#define KR_JSON_SCHEMA 2

/* Each prints one object and a newline. 0 or -ENOMEM. */
int kr_json_audit(FILE *out, struct kr_host *host, const struct kr_audit *audit,
                  const struct kr_diag *diag);
/* An audit by RULES that could read nothing: every view is unknown. */
int kr_json_unread(FILE *out, const struct kr_rules *rules,
                   const struct kr_node_options *options,
                   const struct kr_diag *diag);

/* The same as members of ROOT, with the RECORDS of earlier fixes. */
void kr_json_add_audit(struct kr_build *j, cJSON *root, struct kr_node *node,
                       const struct kr_manifests *records,
                       const struct kr_audit *audit,
                       const struct kr_diag *diag);

/* "schema", "tool" and "time". */
void kr_json_add_head(struct kr_build *j, cJSON *root);
/* "node". */
void kr_json_add_node(struct kr_build *j, cJSON *root, struct kr_node *node);
/* MEMBER: "benchmark" and the like; EDITION may be NULL. */
void kr_json_add_edition(struct kr_build *j, cJSON *root, const char *member,
                         const struct kr_edition *edition);
/* "name", "key", "flag", "id", "type", "level", "ids"; EDITION may be NULL. */
void kr_json_add_rule(struct kr_build *j, cJSON *control,
                      const struct kr_rule *rule,
                      const struct kr_edition *edition);
/* "id", "type", "level": of the control NAME in EDITION, which may be NULL. */
void kr_json_add_id(struct kr_build *j, cJSON *control, const char *name,
                    const struct kr_edition *edition);
/* W, or null, as the member "waiver" of C. */
void kr_json_add_waiver(struct kr_build *j, cJSON *c,
                        const struct kr_waiver *w);

/* NAME: V in the type that it has for kubelet; null where STATE has no value.
 */
void kr_json_add_value(struct kr_build *j, cJSON *o, const char *name,
                       enum kr_state state, const struct kr_value *v);
/* "ids": the number of the control NAME in each edition that has it. */
void kr_json_add_ids(struct kr_build *j, cJSON *control, const char *name);
/* "messages". */
void kr_json_add_messages(struct kr_build *j, cJSON *root,
                          const struct kr_diag *diag);

/* The unit that OPTIONS mean. */
const char *kr_json_unit(const struct kr_node_options *options);
