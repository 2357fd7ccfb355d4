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
#include "cli/select.h"
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

/* What one audit is made of. */
struct run {
	const struct kr_options *o;
	FILE *err;
	uint64_t since_usec;
	struct kr_diag diag;
	struct kr_host *host;
	struct kr_selected selected;
	struct kr_waivers waivers;
	struct kr_audit *audit;
	struct kr_actions steps;
	bool usage; /* the node is read, and what was named is not there */
};

static void run_done(struct run *run)
{
	kr_audit_free(run->audit);
	kr_waivers_done(&run->waivers);
	kr_host_free(run->host);
	kr_actions_done(&run->steps);
	kr_diag_done(&run->diag);
}

/* --- output -------------------------------------------------------------- */

/* The one finding of this audit, in a format for other programs. */
static int print_finding(const struct run *run, FILE *out,
                         struct kr_finding *finding, bool complete)
{
	_cleanup_free_ char *root =
		realpath(run->o->node.root ? run->o->node.root : "/", NULL);
	const struct kr_finding_about about = {
		.rule = kr_rules_usual.items[0],
		.root = root,
	};
	struct kr_findings w;
	int r;

	finding->time_usec = kr_realtime_usec();
	finding->took_usec = kr_now_usec() - run->since_usec;
	r = kr_findings_begin(&w, kr_cli_finding_format(run->o), out, &about);
	if (r < 0)
		return r;
	r = kr_findings_add(&w, finding);
	return r < 0 ? r : kr_findings_end(&w, complete);
}

static int print_unread(const struct run *run, FILE *out)
{
	const struct kr_options *o = run->o;
	const struct kr_term term = kr_cli_terminal(o, out);
	struct kr_finding finding = kr_finding_unread(NULL, &run->diag);
	_cleanup_free_ char *reason = NULL;

	if (kr_cli_finding_format(o))
		return print_finding(run, out, &finding, false);
	if (o->format == KR_FORMAT_JSON)
		return kr_json_unread(out, &run->selected.rules, &o->node,
		                      &run->diag);
	reason = kr_diag_reason(&run->diag, "the node cannot be read");
	if (!reason)
		return -ENOMEM;
	kr_text_verdict(&term, KR_VERDICT_UNKNOWN, reason);
	return 0;
}

static int print_audit(const struct run *run, FILE *out)
{
	const struct kr_options *o = run->o;
	struct kr_node *node = run->host->node;
	const struct kr_term term = kr_cli_terminal(o, out);
	_cleanup_free_ char *words = NULL;
	char name[KR_NODE_NAME_SIZE];
	struct kr_finding finding;

	if (o->format == KR_FORMAT_JSON)
		return kr_json_audit(out, node, run->audit, &run->diag);
	if (o->format == KR_FORMAT_TEXT) {
		words = kr_select_words(o, run->selected.rules.edition);
		if (!words)
			return -ENOMEM;
		return kr_text_audit(&term, run->host, &o->api, run->audit,
		                     words, &run->diag);
	}
	kr_node_name(node, name, sizeof(name));
	finding = kr_finding_from_audit(*name ? name : NULL, run->audit,
	                                &run->diag);
	return print_finding(run, out, &finding, true);
}

/* --- the audit ----------------------------------------------------------- */

/* Where --configz is given: asks, and adds that as a step. */
static int ask_live(struct run *run, struct kr_live *live)
{
	const struct kr_live_wait wait = {.timeout_usec = KR_LIVE_ASK_USEC};
	uint64_t since = kr_now_usec();
	int r = kr_live_open(live, &run->o->api, run->host->node, &run->diag);

	if (r < 0)
		return r;
	r = kr_live_ask(live, kr_rules_usual.items[0]->fields[0], &wait,
	                &run->diag);
	if (r < 0 || !live->endpoint)
		return r;
	return kr_actions_add(&run->steps, "configz",
	                      kr_state_to_string(live->state), since);
}

static int judge(struct run *run)
{
	_cleanup_live_ struct kr_live live = {0};
	struct kr_audit_options options = {
		.explicit_wanted = run->o->fix.explicit_wanted,
		.waivers = &run->waivers,
	};
	uint64_t since;
	int r = ask_live(run, &live);

	if (r < 0)
		return r;
	since = kr_now_usec();
	options.live = live.state;
	options.live_reason = live.reason;
	options.endpoint = live.endpoint;
	r = kr_audit_run(run->host->node, &run->selected.rules, &options,
	                 &run->diag, &run->audit);
	return r < 0 ? r : kr_actions_add(&run->steps, "judge", "done", since);
}

/* Reads the node, and adds that as a step. 0 or an errno, with words. */
static int read_host(struct run *run, struct kr_learn *learn)
{
	const struct kr_node_options options = kr_cli_learn(run->o, learn);
	uint64_t since = kr_now_usec();
	int r = kr_host_open(&options, &run->diag, &run->host);

	return r < 0 ? r : kr_actions_add(&run->steps, "read", "done", since);
}

static int choose(struct run *run)
{
	int r = kr_select(run->o, run->host->node, run->err, &run->selected);

	run->usage = r == -EINVAL;
	if (r < 0)
		return r;
	if (run->selected.newest)
		kr_diag_add(&run->diag, KR_NOTE, "edition-newest", KR_SPAN_NONE,
		            "kubelet's version is not known: %s is the newest "
		            "edition (--kubelet-version)",
		            run->selected.rules.edition->name);
	return kr_select_waivers(run->o, run->host->node, &run->diag,
	                         &run->waivers);
}

static int run_audit(struct run *run, struct kr_learn *learn)
{
	const struct kr_node *node;
	int r = read_host(run, learn);

	if (r < 0)
		return r;
	r = choose(run);
	if (r < 0)
		return r;
	r = kr_remarks_find(run->host->node, &run->selected.rules,
	                    run->host->iptables_units, &run->diag);
	if (r < 0)
		return r;
	r = judge(run);
	if (r < 0)
		return r;
	node = run->host->node;
	return kr_interrupted_report(node->fs, node->proc_fd,
	                             run->host->manager, &run->diag);
}

int kr_cli_audit(const struct kr_options *o, FILE *out, FILE *err)
{
	const struct kr_term err_term = kr_cli_terminal(o, err);
	_cleanup_(run_done) struct run run = {
		.o = o, .err = err, .since_usec = kr_now_usec()};
	struct kr_learn learn = {.steps = &run.steps};
	int r = run_audit(&run, &learn);

	r = kr_diag_result(&run.diag, r);
	if (r == -ENOMEM)
		return kr_cli_out_of_memory(err);
	if (run.usage)
		return KR_STATUS_USAGE;
	if (r < 0 && !run.host && kr_select(o, NULL, err, &run.selected) < 0)
		return KR_STATUS_USAGE;
	if (r < 0) {
		if (!o->quiet && print_unread(&run, out) < 0)
			return kr_cli_out_of_memory(err);
		kr_term_messages(&err_term, &run.diag, KR_NOTE);
		return KR_STATUS_NO_VERDICT;
	}
	if (o->verbose)
		kr_text_steps(&err_term, &run.steps);
	if (o->quiet)
		kr_term_messages(&err_term, &run.diag, KR_ERROR);
	else if (print_audit(&run, out) < 0)
		return kr_cli_out_of_memory(err);
	return audit_status(run.audit->verdict);
}
