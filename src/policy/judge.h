/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The verdict: of each rule three views, the places that set its field, and
 * what they add up to.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/span.h"
#include "base/vec.h"
#include "kubelet/configz-values.h"
#include "node/node.h"
#include "policy/rules.h"
#include "policy/sources.h"
#include "policy/waivers.h"

struct kr_view {
	enum kr_state state; /* TRUE, FALSE, VALUE, INVALID, UNKNOWN, ABSENT */
	char *reason;        /* one sentence */
	int source;          /* index of the source that decides, -1: none */
	struct kr_value value; /* of TRUE, FALSE and VALUE */
	enum kr_decider by;    /* of the disk, and of the process's files */
	/* UNKNOWN since kubelet's default depends on its version: it is one of
	 * two */
	bool either_default;
	enum kr_answer answer; /* of both, if they have the same */
};

/* Of one rule. */
struct kr_judgement {
	const struct kr_rule *rule;
	/* PASS, too, where nothing is demanded (the rule has no test), and
	 * means nothing then */
	enum kr_verdict verdict;
	/* the rule's, or a stricter one that this node or the edition asks
	 * for */
	enum kr_policy policy;
	/* whose number a scanner's report has of it (kr_demand_numbers()) */
	const struct kr_edition *numbers;
	/* what scanners miss on this node although it passes; static; NULL */
	const char *scanner;
	const struct kr_waiver *waiver; /* borrowed of the options; NULL */
	char *reason;                   /* one sentence */
	bool restart_needed;
	struct kr_view disk, running, live;
	size_t running_arg; /* the process's argument that decides; 0: none */
	bool assumed; /* the running value holds if a changed ctime was only a
	                 chmod or the like */
	struct kr_sources sources; /* of the disk view */
	/* of the disk view, as in struct kr_decision */
	bool by_setting, by_version;
	bool written; /* what is demanded is written down: no default, or what
	               * the rule takes instead */
	/* kubelet's version would tell what the disk or the process has */
	bool needs_version;
};

/* What holds of the node, and each rule's judgement. */
struct kr_audit {
	enum kr_verdict verdict;          /* the worst of them */
	const char *reason;               /* of the first that is as bad */
	bool explicit_wanted;             /* the default was not accepted */
	const struct kr_waivers *waivers; /* of the options: borrowed; NULL */
	const struct kr_edition *edition; /* NULL: none was chosen */
	bool restart_needed, reload_needed;
	char *endpoint; /* whom the live view is from; NULL: not asked */
	/* of the running process; 0 where there is none, or it is still to be
	 * started (RESTARTS) */
	pid_t pid;
	bool restarts;         /* as in the options */
	uint64_t started_usec; /* realtime: another at each look, by a little */
	uint64_t start_ticks;  /* of a kubelet: tells a PID from its next */
	/* files and folders of the running kubelet that changed after its
	 * start: a restart applies that, too */
	struct kr_strings changed;
	struct kr_judgement *items; /* in the order of the rules */
	size_t n_items;
};

struct kr_audit_options {
	bool explicit_wanted; /* what is demanded must be written down */
	/* what the owner lives with, which must live as long as the audit;
	 * NULL: nothing */
	const struct kr_waivers *waivers;
	/* what configz said of the usual control: TRUE or FALSE; UNKNOWN: it
	 * was asked for and is unknown; ABSENT: it was not asked for, or
	 * there is no kubelet to ask. The reason is one sentence; NULL where it
	 * was not asked for. ENDPOINT is the URL; NULL: there is none */
	enum kr_state live;
	const char *live_reason, *endpoint;
	/* what configz said of each field, the usual control's too where there
	 * is no LIVE_REASON; NULL: it was asked of no other */
	const struct kr_configz_values *live_values;
	/* of a preview: kubelet is started with what the disk has then */
	bool restarts;
	/* of a preview: what was seen of the process, which stays; NULL:
	 * nothing is known of it */
	const struct kr_audit *ran;
};

/*
 * What kubelet would have for RULE's first field, if it were started now: as
 * kr_node_decide(), but where that it starts is not known a value is only told
 * if it fails. 0 or -ENOMEM.
 */
int kr_judge_decide(const struct kr_node *node, const struct kr_rule *rule,
                    struct kr_decision *ret);

/* What RULE's test says of D, its first field's, without an edition. */
enum kr_answer kr_judge_ask(const struct kr_rule *rule,
                            const struct kr_decision *d);

/*
 * Judges NODE, which was read, by each of RULES; nothing of it is read again.
 * Messages about it are in DIAG already, more are added. 0 or -ENOMEM. The
 * spans point into NODE's files.
 *
 * A control that is waived is judged, and its verdict is WAIVED. What the
 * chosen edition, or kubelet's version, has not is NOT_APPLICABLE.
 *
 * The rule of the verdict (interface.md): fail if any view fails, or the
 * default is not accepted and nothing says what is demanded; else invalid if
 * any is; else unknown if disk is, or running is and there is a process, or
 * live was asked for and is, or no view has a value; else pass. Where the files
 * of the running kubelet changed, or it does not show its arguments, the live
 * view settles what it runs with. Views that contradict the live one are named
 * in DIAG, code "live-disagrees".
 */
int kr_audit_run(struct kr_node *node, const struct kr_rules *rules,
                 const struct kr_audit_options *options, struct kr_diag *diag,
                 struct kr_audit **ret);
struct kr_audit *kr_audit_free(struct kr_audit *audit);
DEFINE_FREEP(struct kr_audit, kr_audit_free);
#define _cleanup_audit_ _cleanup_(kr_audit_freep)

/* What kubelet runs with fails. */
bool kr_judgement_runs_wrong(const struct kr_judgement *j);

/* Whether the usual control alone was judged, of which all is said by its own
 * words, without an option that names it. */
bool kr_audit_is_usual(const struct kr_audit *audit);

/* J's number, static; "": it has none. */
const char *kr_judgement_number(const struct kr_judgement *j);

/* That of RULE, which AUDIT (may be NULL) judged. */
const char *kr_audit_number(const struct kr_audit *audit,
                            const struct kr_rule *rule);

/* The edition that the numbers of AUDIT are of; NULL: there are none. */
const struct kr_edition *kr_audit_numbers(const struct kr_audit *audit);

/* "NAME = VALUE" of RULE, with IS between, or "no NAME": of two fields, both. 0
 * or -ENOMEM. */
int kr_judge_say(const struct kr_rule *rule, const struct kr_view *view,
                 const char *is, char **ret);

/* What VIEW has of RULE in words: both, where it is one of two defaults. 0 or
 * -ENOMEM. */
int kr_judge_words(const struct kr_rule *rule, const struct kr_view *view,
                   char **ret);

/* The source that decides the disk view, or NULL. */
const struct kr_source *kr_judgement_deciding(const struct kr_judgement *j);

/* Whether M is about what J's control has, which a fix would change. */
bool kr_judgement_owns(const struct kr_judgement *j,
                       const struct kr_message *m);
