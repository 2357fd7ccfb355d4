/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The editions of the benchmarks: which controls each has, under which number.
 */

#include <stdbool.h>

#include "node/node.h"

enum kr_edition_id {
	KR_EKS_1_0,
	KR_EKS_1_2,
	KR_EKS_1_5,
	KR_EKS_1_7,
	KR_EKS_1_8,
	KR_AKS_1_0,
	KR_AKS_1_7,
	KR_AKS_1_8,
	KR_GKE_1_2,
	KR_GKE_1_6,
	KR_GKE_1_9,
	KR_CIS_1_5,
	KR_CIS_1_6,
	KR_CIS_1_20,
	KR_CIS_1_23,
	KR_CIS_1_24,
	KR_CIS_1_7,
	KR_CIS_1_8,
	KR_CIS_1_9,
	KR_CIS_1_10,
	KR_CIS_1_11,
	KR_CIS_1_12,
	KR_RH_1_8,
	KR_RKE2_1_8,
	KR_K3S_1_9,
	KR_N_EDITIONS,
};

struct kr_edition {
	const char *name;    /* "eks-1.8.0" */
	const char *title;   /* "CIS Amazon EKS" */
	const char *version; /* "1.8.0" */
	bool audit_only;     /* no fix goes by it */
};

/* By enum kr_edition_id. */
extern const struct kr_edition kr_editions[KR_N_EDITIONS];

/* EDITION's number. */
enum kr_edition_id kr_edition_id(const struct kr_edition *edition);

/* EDITION's name without its patch level, "eks-1.8", written to RET. */
#define KR_EDITION_NAME_SIZE 32
void kr_edition_short_name(const struct kr_edition *edition,
                           char ret[static KR_EDITION_NAME_SIZE]);

/* The edition that NAME names, with or without its patch level; -1: none. */
int kr_edition_find(const char *name);

/*
 * The newest edition with a kubelet section for PLATFORM (struct kr_platform's
 * id; NULL: not known) and kubelet 1.MINOR (0: not known). Where the platform
 * has none of its own it is the CIS Kubernetes edition.
 */
enum kr_edition_id kr_edition_for(const char *platform, unsigned minor);

/* The same for NODE, which was read, as far as kubelet's version is known.
 * RET_NEWEST, where not NULL, says that it would decide and is not known. 0 or
 * -ENOMEM. */
int kr_edition_of_node(struct kr_node *node, const struct kr_edition **ret,
                       bool *ret_newest);

enum kr_assessment {
	KR_ASSESSED_AUTOMATED, /* "scored" in older ones */
	KR_ASSESSED_MANUAL,
};

/* "automated", "manual". */
const char *kr_assessment_to_string(enum kr_assessment assessment);

struct kr_edition_control {
	const char *id; /* "3.2.4" */
	enum kr_assessment assessment;
	unsigned level; /* 1 or 2 */
};

/* What EDITION has of the control NAME (struct kr_rule's). Whether it has it.
 */
bool kr_edition_control(enum kr_edition_id edition, const char *name,
                        struct kr_edition_control *ret);

/* Whether any edition has the control NAME. */
bool kr_edition_of_any(const char *name);

/* The newest editions that have the control NAME, with its numbers there:
 * "eks-1.8.0 3.2.4, ..."; where none of these has it, RET_OLDER, the last of
 * each kind that had. RET is NULL before, and after it where no edition has it;
 * the caller frees it. 0 or -ENOMEM. */
int kr_edition_list(const char *name, char **ret, bool *ret_older);

/* The number of the control NAME in EDITION, static; "": EDITION is NULL, or
 * has it not. */
const char *kr_edition_number(const struct kr_edition *edition,
                              const char *name);
