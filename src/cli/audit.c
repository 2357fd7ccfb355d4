/* SPDX-License-Identifier: Apache-2.0 */

/*
 * audit: reads, judges, prints. Its status is the verdict's.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/format.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/learn.h"
#include "cli/output.h"
#include "cli/select.h"
#include "host/interrupted.h"
#include "host/live.h"
#include "node/ec2-instance.h"
#include "node/name.h"
#include "policy/demands.h"
#include "policy/remarks.h"
#include "report/finding.h"
#include "report/headline.h"
#include "report/json-audit.h"
#include "report/next.h"
#include "report/text-audit.h"
#include "report/text-fix.h"
#include "report/text-words.h"

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

/* What has no demand is nothing to be found. */
static void demanded(const struct kr_rules *rules, const struct kr_rule **items,
                     struct kr_rules *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < rules->n_items; i++) {
		if (rules->items[i]->test)
			items[n++] = rules->items[i];
	}
	*ret = (struct kr_rules){items, n, rules->edition};
}

/* UNREAD is the reason where there is no audit. */
static struct kr_finding make_finding(const struct run *run, const char *name,
                                      const struct kr_rule *rule,
                                      const char *unread)
{
	const struct kr_audit *a = run->audit;
	struct kr_finding f;

	for (size_t i = 0; a && i < a->n_items; i++) {
		if (a->items[i].rule == rule)
			return kr_finding_from_audit(name, a, i, &run->diag);
	}
	f = kr_finding_unread(name, rule, unread, &run->diag);
	f.numbers = kr_demand_numbers(rule, run->selected.rules.edition, NULL);
	return f;
}

/* The findings of this audit, in a format for other programs. */
static int print_findings(const struct run *run, FILE *out, const char *name)
{
	const char *given = run->o->node.root ? run->o->node.root : "/";
	_cleanup_free_ char *root = realpath(given, NULL);
	_cleanup_free_ char *unread =
		kr_diag_reason(&run->diag, "the node cannot be read");
	const struct kr_rule *items[KR_N_RULES];
	struct kr_finding findings[KR_N_RULES];
	struct kr_rules rules;
	char instance[KR_EC2_INSTANCE_SIZE] = "";
	const struct kr_asff asff = {
		.account = run->o->asff.account,
		.region = run->o->asff.region,
		.instance = instance,
	};
	const struct kr_finding_about about = {
		.rules = &rules,
		.node = name,
		.root = root ? root : given,
		.asff = &asff,
	};
	struct kr_findings w;
	int r;

	if (!unread)
		return -ENOMEM;
	r = run->o->format == KR_FORMAT_ASFF && run->host
	            ? kr_ec2_instance(run->host->node, instance)
	            : 0;
	if (r < 0)
		return r;
	demanded(&run->selected.rules, items, &rules);
	for (size_t i = 0; i < rules.n_items; i++) {
		findings[i] = make_finding(run, name, items[i], unread);
		findings[i].first = i == 0;
		findings[i].time_usec = kr_realtime_usec();
		findings[i].took_usec = kr_now_usec() - run->since_usec;
	}
	r = kr_findings_begin(&w, kr_cli_finding_format(run->o), out, &about);
	if (r < 0)
		return r;
	r = kr_findings_add(&w, findings, rules.n_items);
	return r < 0 ? r : kr_findings_end(&w, run->audit != NULL);
}

static int print_unread(const struct run *run, FILE *out)
{
	const struct kr_options *o = run->o;
	const struct kr_term term = kr_cli_terminal(o, out);
	_cleanup_free_ char *reason = NULL;

	if (kr_cli_finding_format(o))
		return print_findings(run, out, NULL);
	if (o->format == KR_FORMAT_JSON)
		return kr_json_unread(out, &run->selected.rules, &o->node,
		                      &run->diag);
	reason = kr_diag_reason(&run->diag, "the node cannot be read");
	if (!reason)
		return -ENOMEM;
	kr_text_verdict(&term, KR_VERDICT_UNKNOWN, reason);
	kr_next_print_cause(&term, kr_diag_cause(&run->diag), false);
	return 0;
}

static int print_audit(const struct run *run, FILE *out)
{
	const struct kr_options *o = run->o;
	struct kr_node *node = run->host->node;
	const struct kr_term term = kr_cli_terminal(o, out);
	_cleanup_free_ char *words = NULL;
	char name[KR_NODE_NAME_SIZE];

	if (o->format == KR_FORMAT_JSON)
		return kr_json_audit(out, run->host, run->audit, &run->diag);
	if (o->format == KR_FORMAT_TEXT) {
		words = kr_select_words(o, run->selected.rules.edition);
		if (!words)
			return -ENOMEM;
		return kr_text_audit(&term, run->host, &o->api, run->audit,
		                     words, o->verbose, &run->diag);
	}
	kr_node_name(node, name, sizeof(name));
	return print_findings(run, out, *name ? name : NULL);
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
	_cleanup_configz_values_ struct kr_configz_values values = {0};
	struct kr_audit_options options = {
		.explicit_wanted = run->o->fix.explicit_wanted,
		.waivers = &run->waivers,
	};
	uint64_t since;
	int r = ask_live(run, &live);

	if (r < 0)
		return r;
	if (run->o->api.configz && !kr_rules_are_usual(&run->selected.rules)) {
		r = kr_live_values(&live, &values);
		if (r < 0)
			return r;
		options.live_values = &values;
	}
	since = kr_now_usec();
	options.live = live.state;
	options.live_reason = live.reason;
	options.endpoint = live.endpoint;
	r = kr_audit_run(run->host->node, &run->selected.rules, &options,
	                 &run->diag, &run->audit);
	return r < 0 ? r : kr_actions_add(&run->steps, "judge", "done", since);
}

/* Adds WHAT, unless it is NULL or there. 0 or -ENOMEM. */
static int add_read(struct kr_strings *read, const char *what)
{
	return !what || kr_strings_contain(read, what)
	               ? 0
	               : kr_strings_add(read, what);
}

static int add_unit(struct kr_strings *read, const struct kr_unit *unit)
{
	int r = unit->fragment ? add_read(read, unit->fragment->path) : 0;

	for (size_t i = 0; r == 0 && i < unit->n_dropins; i++)
		r = add_read(read, unit->dropins[i]->path);
	for (size_t i = 0; r == 0 && i < unit->environment_files.n_items; i++)
		r = add_read(read, unit->environment_files.items[i]);
	return r;
}

/* Where another program has kubelet's arguments from. */
static int add_foreign(struct kr_strings *read,
                       const struct kr_foreign *foreign)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < foreign->n_words; i++) {
		const struct kr_file *file = foreign->words[i].span.file;

		r = add_read(read, file ? file->path : NULL);
	}
	return r;
}

/* The unit, the process and the files that NODE was read from. 0 or -ENOMEM. */
static int name_read(const struct kr_node *node, char **ret)
{
	const struct kr_inputs *in = &node->disk.inputs;
	_cleanup_strings_ struct kr_strings read = {0};
	char process[32] = "";
	int r = add_read(&read, node->unit_name);

	if (node->has_process)
		snprintf(process, sizeof(process), "process %d",
		         (int)node->process.pid);
	if (r == 0)
		r = add_read(&read, *process ? process : NULL);
	if (r == 0 && node->disk.unit)
		r = add_unit(&read, node->disk.unit);
	if (r == 0 && node->disk.foreign)
		r = add_foreign(&read, node->disk.foreign);
	if (r == 0)
		r = add_read(&read, in->config_path);
	/* with those of --config-dir */
	for (size_t i = 0; r == 0 && i < in->n_files; i++)
		r = add_read(&read, in->files[i]->path);
	for (size_t i = 0; r == 0 && i < read.n_items; i++)
		r = kr_format(ret, "%s%s%s", *ret ? *ret : "", *ret ? ", " : "",
		              read.items[i]);
	return r;
}

/* Reads the node, and adds that as a step. 0 or an errno, with words. */
static int read_host(struct run *run, struct kr_learn *learn)
{
	const struct kr_node_options options = kr_cli_learn(run->o, learn);
	_cleanup_free_ char *what = NULL;
	uint64_t since = kr_now_usec();
	int r = kr_host_open(&options, &run->diag, &run->host);

	/* only -v shows it */
	if (r >= 0 && run->o->verbose)
		r = name_read(run->host->node, &what);
	if (r < 0)
		return r;
	return kr_actions_add(&run->steps, "read", what ? what : "done", since);
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
	const struct kr_manifests *records;
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
	r = kr_host_records(run->host, &records);
	if (r < 0)
		return r;
	node = run->host->node;
	kr_host_warn_down(run->host, &run->diag);
	return kr_interrupted_report(node->fs, records, node->proc_fd,
	                             run->host->manager, &run->diag);
}

/* The result in one line, where a file gets the whole. 0 or -ENOMEM. */
static int make_line(const struct run *run, char **ret)
{
	_cleanup_free_ char *text = NULL;

	if (!run->o->output_file)
		return 0;
	text = run->audit
	               ? kr_headline(run->audit)
	               : kr_diag_reason(&run->diag, "the node cannot be read");
	if (!text ||
	    (run->audit && kr_format(&text, "%s%s", text,
	                             kr_headline_pending(&run->diag)) < 0))
		return -ENOMEM;
	*ret = kr_cli_line(
		run->audit ? run->audit->verdict : KR_VERDICT_UNKNOWN, text);
	return *ret ? 0 : -ENOMEM;
}

/* The verdict of a node that could not be read has the words of its cause. */
static bool is_cause(const struct kr_message *m, const void *closure)
{
	return m == closure;
}

/* The result of a node that could not be read. */
static int end_unread(const struct run *run, FILE *out, char **ret_line)
{
	const struct kr_options *o = run->o;
	const struct kr_term err_term = kr_cli_terminal(o, run->err);

	if (!o->quiet &&
	    (print_unread(run, out) < 0 || make_line(run, ret_line) < 0))
		return kr_cli_out_of_memory(run->err);
	kr_term_messages_but(&err_term, &run->diag, KR_NOTE, is_cause,
	                     o->quiet || o->format != KR_FORMAT_TEXT
	                             ? NULL
	                             : kr_diag_cause(&run->diag));
	return KR_STATUS_NO_VERDICT;
}

/* What -v and -q want to be said beside the result. */
static void print_beside(const struct run *run)
{
	const struct kr_term term = kr_cli_terminal(run->o, run->err);

	if (run->o->verbose)
		kr_text_steps(&term, &run->steps);
	if (run->o->quiet)
		kr_term_messages(&term, &run->diag, KR_ERROR);
}

int kr_cli_audit(const struct kr_options *o, FILE *out, FILE *err,
                 char **ret_line)
{
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
	if (r < 0)
		return end_unread(&run, out, ret_line);
	if (o->verbose || o->quiet)
		print_beside(&run);
	if (!o->quiet &&
	    (print_audit(&run, out) < 0 || make_line(&run, ret_line) < 0))
		return kr_cli_out_of_memory(err);
	return audit_status(run.audit->verdict);
}
