/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A change as data: the edits that make rules pass, the proof that they do and
 * do nothing else, and which rules are left as they are.
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

/* What is known of a rule besides the node's files: what the owner said of it,
 * and what was seen on the node. All is borrowed. */
struct kr_consent {
	bool named;         /* in --control: it may be asked for */
	bool allowed;       /* in --allow: the same, and a hold is overridden */
	const char *held;   /* what was seen, one sentence; NULL */
	const char *barred; /* why it is not tried once more; NULL */
};

typedef int (*kr_check_files_t)(struct kr_fs *fs, const struct kr_edits *edits,
                                struct kr_diag *diag);

struct kr_plan_options {
	enum kr_method method;
	/* of each rule of the audit; NULL: each is named, nothing was seen */
	const struct kr_consent *consents;
	bool explicit_wanted; /* what is demanded must be written down */
	bool no_persist;      /* the platform's durable place is left alone */
	const struct kr_platform *medium; /* as kr_durable_plan() has it */
	/* Without proof, order and durable place: to see whether there would be
	 * a plan, at no cost but memory. Of several rules only which of them
	 * there are edits for, and not the edits; of a node that kubelet
	 * refuses the cure in full. */
	bool draft;
	bool preview; /* the plan is shown and not carried out */
	/* a step: others follow before kubelet can start, see policy/plan */
	bool together;
	/* a step: that nothing can be edited on the node is said already */
	bool brief;
	/* Whether the files of EDITS can be changed where they lie, as far as a
	 * look tells: 0; 1, with words in DIAG; -ENOMEM. Where there are
	 * several rules, those whose files cannot be are left. NULL: not
	 * asked. */
	kr_check_files_t check_files;
};

/* Why a rule that fails is left as it is. */
enum kr_why {
	KR_WHY_ASK,     /* it is the owner's to allow */
	KR_WHY_HOLD,    /* seen on this node: dangerous, yet arguable */
	KR_WHY_NEVER,   /* the owner's affair */
	KR_WHY_REFUSED, /* it would do harm, or there is no safe edit */
	KR_WHY_WAIVED,
	_KR_WHY_MAX,
};

/* "ask", "hold", "never", "refused", "waived". */
const char *kr_why_to_string(enum kr_why why);

struct kr_left {
	const struct kr_rule *rule;
	enum kr_why why;
	char *text; /* one sentence; lines to write may stand behind it */
	/* the options of the fix that does it; NULL: none does, or it is known
	 * to be refused */
	char *options;
	bool invalid; /* kubelet would not start, for another reason */
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
	/* the rules that the edits are for, in the order of the audit: they
	 * pass then, but for a rule that LEFT has, too */
	const struct kr_rule **rules;
	size_t n_rules;
	/* a step that is refused: where its value may be put by hand; NULL */
	const struct kr_platform *by_hand;
	struct kr_left *left; /* those that stay, in the order of the audit */
	size_t n_left;
};

/* Whether PLAN has edits for RULE. */
bool kr_plan_fixes(const struct kr_plan *plan, const struct kr_rule *rule);

/* Why PLAN leaves RULE; NULL: it does not. */
const struct kr_left *kr_plan_left(const struct kr_plan *plan,
                                   const struct kr_rule *rule);

/* How many rules that fail PLAN, which may be NULL, leaves: those that are
 * waived do not count. */
size_t kr_plan_n_failing(const struct kr_plan *plan);

/* The first digits of a SHA-256. */
#define KR_PLAN_HASH_SIZE 17

/*
 * Plans for NODE, which AUDIT judged. The rules join the plan in the audit's
 * order, each proved with those before it; one that does not fit is left, with
 * its reason, and tried again behind those that come later.
 *
 * 0: RET is proven (no edits where nothing is to be done or can be);
 * KR_REFUSED: refused as a whole, DIAG says why, where, and what must be
 * true; RET has no edits, but why each of several is left, and DURABLE what
 * they are to have where it is put by hand: a platform that is never edited, a
 * kubelet that would not start whatever the rules say, or the only rule of the
 * audit; KR_NOTHING_YET: there is nothing to judge yet (no unit, not
 * configured) and no durable place to be written; -ENOMEM; other errnos. NODE
 * must outlive RET.
 */
int kr_plan_make(struct kr_node *node, const struct kr_audit *audit,
                 const struct kr_plan_options *options, struct kr_diag *diag,
                 struct kr_plan **ret);

/* What tells two plans apart: files, their bytes, modes and owners, and the
 * edits. "" where there are none. 0 or -ENOMEM. */
int kr_plan_hash(const struct kr_edits *edits, char ret[KR_PLAN_HASH_SIZE]);

/* Whether EDITS touch a file that systemd reads at a Reload: not the config
 * files and environment files of NODE, which are read at each start, nor what
 * only the platform reads. */
bool kr_plan_unit_changes(struct kr_node *node, const struct kr_edits *edits);

struct kr_plan *kr_plan_free(struct kr_plan *plan);
DEFINE_FREEP(struct kr_plan, kr_plan_free);
#define _cleanup_plan_ _cleanup_(kr_plan_freep)
