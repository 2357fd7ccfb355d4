/* SPDX-License-Identifier: Apache-2.0 */

/*
 * audit: reads, judges, prints. Its status is the verdict's.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/learn.h"
#include "cli/output.h"
#include "host/interrupted.h"
#include "host/live.h"
#include "node/name.h"
#include "policy/remarks.h"
#include "report/finding.h"
#include "report/json-audit.h"
#include "report/text-audit.h"
#include "report/text-fix.h"

static int audit_status(enum kr_verdict verdict)
{
	switch (verdict) {
	case KR_VERDICT_PASS:
		return 0;
	case KR_VERDICT_FAIL:
		return 1;
	default:
		return KR_STATUS_NO_VERDICT;
	}
}

/* The one finding of this audit, in a format for other programs. */
static int print_finding(const struct kr_options *o, FILE *out,
                         struct kr_finding *finding, uint64_t since,
                         bool complete)
{
	_cleanup_free_ char *root =
		realpath(o->node.root ? o->node.root : "/", NULL);
	const struct kr_finding_about about = {
		.rule = kr_rules_usual.items[0],
		.root = root,
	};
	struct kr_findings w;
	int r;

	finding->time_usec = kr_realtime_usec();
	finding->took_usec = kr_now_usec() - since;
	r = kr_findings_begin(&w, kr_cli_finding_format(o), out, &about);
	if (r < 0)
		return r;
	r = kr_findings_add(&w, finding);
	return r < 0 ? r : kr_findings_end(&w, complete);
}

static int print_unread(const struct kr_options *o, FILE *out, uint64_t since,
                        const struct kr_rules *rules,
                        const struct kr_diag *diag)
{
	const struct kr_term term = kr_cli_terminal(o, out);
	struct kr_finding finding = kr_finding_unread(NULL, diag);
	_cleanup_free_ char *reason = NULL;

	if (kr_cli_finding_format(o))
		return print_finding(o, out, &finding, since, false);
	if (o->format == KR_FORMAT_JSON)
		return kr_json_unread(out, rules, &o->node, diag);
	reason = kr_diag_reason(diag, "the node cannot be read");
	if (!reason)
		return -ENOMEM;
	kr_text_verdict(&term, KR_VERDICT_UNKNOWN, reason);
	return 0;
}

static int print_audit(const struct kr_options *o, FILE *out, uint64_t since,
                       struct kr_host *host, const struct kr_audit *audit,
                       const struct kr_diag *diag)
{
	struct kr_node *node = host->node;
	const struct kr_term term = kr_cli_terminal(o, out);
	char name[KR_NODE_NAME_SIZE];
	struct kr_finding finding;

	if (o->format == KR_FORMAT_JSON)
		return kr_json_audit(out, node, audit, diag);
	if (o->format == KR_FORMAT_TEXT)
		return kr_text_audit(&term, host, &o->api, audit, diag);
	kr_node_name(node, name, sizeof(name));
	finding = kr_finding_from_audit(*name ? name : NULL, audit, diag);
	return print_finding(o, out, &finding, since, true);
}

/* Where --configz is given: asks, and adds that as a step. */
static int ask_live(const struct kr_options *o, struct kr_node *node,
                    struct kr_live *live, struct kr_diag *diag,
                    struct kr_actions *steps)
{
	const struct kr_live_wait wait = {.timeout_usec = KR_LIVE_ASK_USEC};
	uint64_t since = kr_now_usec();
	int r = kr_live_open(live, &o->api, node, diag);

	if (r < 0)
		return r;
	r = kr_live_ask(live, kr_rules_usual.items[0]->fields[0], &wait, diag);
	if (r < 0 || !live->endpoint)
		return r;
	return kr_actions_add(steps, "configz", kr_state_to_string(live->state),
	                      since);
}

static int judge(const struct kr_options *o, struct kr_node *node,
                 const struct kr_rules *rules, struct kr_diag *diag,
                 struct kr_actions *steps, struct kr_audit **ret)
{
	_cleanup_live_ struct kr_live live = {0};
	struct kr_audit_options options = {
		.explicit_wanted = o->fix.explicit_wanted,
	};
	uint64_t since;
	int r = o->controls.n > 0 ? 0 : ask_live(o, node, &live, diag, steps);

	if (r < 0)
		return r;
	since = kr_now_usec();
	options.live = live.state;
	options.live_reason = live.reason;
	options.endpoint = live.endpoint;
	r = kr_audit_run(node, rules, &options, diag, ret);
	return r < 0 ? r : kr_actions_add(steps, "judge", "done", since);
}

/* Reads the node, and adds that as a step. 0 or an errno, with words. */
static int read_host(const struct kr_options *o, struct kr_learn *learn,
                     struct kr_diag *diag, struct kr_actions *steps,
                     struct kr_host **ret)
{
	const struct kr_node_options options = kr_cli_learn(o, learn);
	uint64_t since = kr_now_usec();
	int r;

	r = kr_host_open(&options, diag, ret);
	return r < 0 ? r : kr_actions_add(steps, "read", "done", since);
}

/* The rules that are asked for: those of the settings of --control. */
static void choose_rules(const struct kr_options *o,
                         const struct kr_rule **items, struct kr_rules *ret)
{
	*ret = kr_rules_usual;
	if (o->controls.n == 0)
		return;
	for (size_t i = 0; i < o->controls.n; i++)
		items[i] = kr_rule_of_field(o->controls.fields[i]);
	*ret = (struct kr_rules){items, o->controls.n};
}

static int run_audit(const struct kr_options *o, struct kr_learn *learn,
                     const struct kr_rules *rules, struct kr_diag *diag,
                     struct kr_actions *steps, struct kr_host **ret_host,
                     struct kr_audit **ret)
{
	int r = read_host(o, learn, diag, steps, ret_host);

	if (r < 0)
		return r;
	r = kr_remarks_find((*ret_host)->node, rules,
	                    (*ret_host)->iptables_units, diag);
	if (r < 0)
		return r;
	r = judge(o, (*ret_host)->node, rules, diag, steps, ret);
	if (r < 0)
		return r;
	return kr_interrupted_report((*ret_host)->node->fs,
	                             (*ret_host)->node->proc_fd,
	                             (*ret_host)->manager, diag);
}

int kr_cli_audit(const struct kr_options *o, FILE *out, FILE *err)
{
	const struct kr_term err_term = kr_cli_terminal(o, err);
	const uint64_t start = kr_now_usec();
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_host_ struct kr_host *host = NULL;
	_cleanup_audit_ struct kr_audit *audit = NULL;
	_cleanup_(kr_actions_done) struct kr_actions steps = {0};
	struct kr_learn learn = {.steps = &steps};
	const struct kr_rule *items[KR_N_SETTINGS];
	struct kr_rules rules;
	int r;

	choose_rules(o, items, &rules);
	r = run_audit(o, &learn, &rules, &diag, &steps, &host, &audit);
	r = kr_diag_result(&diag, r);
	if (r == -ENOMEM)
		return kr_cli_out_of_memory(err);
	if (r < 0) {
		if (!o->quiet && print_unread(o, out, start, &rules, &diag) < 0)
			return kr_cli_out_of_memory(err);
		kr_term_messages(&err_term, &diag, KR_NOTE);
		return KR_STATUS_NO_VERDICT;
	}
	if (o->verbose)
		kr_text_steps(&err_term, &steps);
	if (o->quiet)
		kr_term_messages(&err_term, &diag, KR_ERROR);
	else if (print_audit(o, out, start, host, audit, &diag) < 0)
		return kr_cli_out_of_memory(err);
	return audit_status(audit->verdict);
}
