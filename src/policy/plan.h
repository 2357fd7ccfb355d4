/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A change as data: the edits that make a rule pass, and the proof that
 * they do and do nothing else.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/edit.h"
#include "node/node.h"
#include "policy/durable.h"
#include "policy/judge.h"

enum kr_method {
	KR_METHOD_AUTO,
	KR_METHOD_CONFIG, /* CIS remediation 1 */
	KR_METHOD_FLAG,   /* CIS remediation 2 */
	_KR_METHOD_MAX,
};

/* "auto", "config", "flag". */
const char *kr_method_to_string(enum kr_method method);
/* 0, or -EINVAL for another word. */
int kr_method_from_string(const char *s, enum kr_method *ret);

struct kr_plan_options {
	enum kr_method method;
	bool explicit_wanted; /* what is demanded must be written down */
	bool no_persist;      /* the platform's durable place is left alone */
	/* only the edits, without proof, order and durable place: to see
	 * whether there would be a plan, at no cost but memory */
	bool draft;
};

struct kr_plan {
	enum kr_method method; /* CONFIG or FLAG */
	/* in the order in which the files are to be replaced: every state in
	 * between was audited and is no worse than the first */
	struct kr_edits edits;
	size_t n_uses;     /* of the flag among the arguments afterwards */
	bool unit_changes; /* a unit or drop-in is edited: Reload */
	bool unconfigured; /* only the durable place is written */
	struct kr_durable durable;
	struct kr_node *after;  /* the node as it will be; NULL: no edits */
	struct kr_audit *audit; /* of AFTER; NULL: no edits */
};

/*
 * Plans for NODE, which AUDIT judged by one rule. 0: RET is proven (no edits
 * where the disk passes already); -EOPNOTSUPP: refused, DIAG says why, where,
 * and what would have to be true; -ENOENT: there is nothing to judge yet (no
 * unit, not configured) and no durable place to be written; -ENOMEM; other
 * errnos. NODE must outlive RET.
 */
int kr_plan_make(struct kr_node *node, const struct kr_audit *audit,
                 const struct kr_plan_options *options, struct kr_diag *diag,
                 struct kr_plan **ret);
/* Whether EDITS touch a file that systemd reads at a Reload: not the config
 * files and environment files of NODE, which are read at each start, nor what
 * only the platform reads. */
bool kr_plan_unit_changes(struct kr_node *node, const struct kr_edits *edits);

struct kr_plan *kr_plan_free(struct kr_plan *plan);
DEFINE_FREEP(struct kr_plan, kr_plan_free);
#define _cleanup_plan_ _cleanup_(kr_plan_freep)
