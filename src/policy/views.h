/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The three views of a rule, and the sources of its disk view: what there is,
 * not yet what is to be said of it. A part of policy/judge.
 */

#include "policy/judge.h"

enum kr_view_id {
	KR_VIEW_DISK,
	KR_VIEW_RUNNING,
	KR_VIEW_LIVE,
	KR_N_VIEWS,
};

/* What is done for one rule. */
struct kr_judging {
	struct kr_node *node;
	const struct kr_edition *edition;
	const struct kr_audit_options *options;
	struct kr_diag *diag;
	struct kr_audit *audit;
	struct kr_judgement *j;
	/* a file of the running kubelet of which only a later ctime can be
	 * said; NULL */
	const char *ctime_only;
	/* of each field that the rule looks at; what the rule shows of a lone
	 * field is J's alone, and nothing here */
	struct kr_view fields[KR_N_VIEWS][KR_RULE_FIELDS_MAX];
	bool unused;     /* this kubelet takes the setting and ignores it */
	bool instead;    /* what it looks at passes, not what it shows */
	char *not_there; /* a file that a setting names; owned */
};

/* What holds of the process, whatever a rule asks. 0 or -ENOMEM. */
int kr_views_begin(struct kr_judging *g);

/* Fills J's views, without their answers, its sources, and FIELDS; DIAG gets
 * what is to be said of them. 0 or -ENOMEM. */
int kr_views_find(struct kr_judging *g);

/* J's verdict and reason, of a rule of settings whose views have their answers.
 * 0 or -ENOMEM. */
int kr_verdict_find(struct kr_judging *g);

/* Frees what G has for one rule. */
void kr_views_end(struct kr_judging *g);

/* The fields of one of J's views as the rule's test is asked them; borrowed. */
void kr_views_decisions(const struct kr_judging *g, enum kr_view_id id,
                        struct kr_decision ret[static KR_RULE_FIELDS_MAX]);

/*
 * What kubelet would have for RULE's fields, if it were started now: as
 * kr_node_decide(), but where that it starts is not known values are only told
 * if they fail. RET has room for KR_RULE_FIELDS_MAX. 0 or -ENOMEM; the caller
 * ends each in either case.
 */
int kr_views_decide(const struct kr_node *node, const struct kr_rule *rule,
                    const struct kr_edition *edition, struct kr_decision *ret);

/* One value of the N_FIELDS that RULE shows, all of them values; the caller
 * ends it. 0 or -ENOMEM. */
int kr_views_pair(const struct kr_rule *rule,
                  const struct kr_decision *decisions, struct kr_value *ret);

/* VIEW has STATE, and what FORMAT makes of its arguments as the reason. 0 or
 * -ENOMEM. */
int kr_view_set(struct kr_view *view, enum kr_state state, const char *format,
                ...) _printf_(3, 4);
void kr_view_done(struct kr_view *view);
