/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fleet: asks the kubelets of many nodes and says what they say.
 *
 * For scripts each node is printed as a line as soon as its answer is there. A
 * signal, or a reader that is gone, ends the run: what is known is printed, and
 * a line says that it is not all.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/select.h"
#include "cli/usage.h"
#include "cli/watch.h"
#include "host/fleet-width.h"
#include "host/fleet.h"
#include "net/http-server.h"
#include "report/fleet-controls.h"

#define DRAW_USEC (250 * KR_USEC_PER_MSEC)

/* A question has a connection, and while a name is looked up some more. */
#define FDS_OF_ONE 4
#define FDS_OF_US  64

struct run {
	const struct kr_options *options;
	const char *words; /* that select the same controls on a node */
	const struct kr_rule *rule;
	struct kr_fleet_controls *controls; /* NULL: RULE alone */
	FILE *out;
	char **ret_line;
	struct kr_watch watch;
	struct kr_fleet_table table;
	struct kr_findings findings;
	const struct kr_finding_format *format; /* NULL: text or JSON */
	struct kr_fleet_summary summary;
	uint64_t since_usec, drawn_usec;
	bool no_memory;
};

/* --- while it runs ------------------------------------------------------- */

/* How many of HEARD's first N findings have no verdict for the reason WHY. */
static size_t count_why(const struct kr_fleet_heard *heard, size_t n,
                        const char *why)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		const char *its = heard->findings[i].why;

		found += its && strcmp(its, why) == 0;
	}
	return found;
}

/* A control that is waived has a line with why. */
static int tabulate_waived(struct run *run, struct kr_finding f)
{
	const struct kr_waiver *w = f.waiver;
	_cleanup_free_ char *reason = NULL;
	int r = kr_format(&reason, "%s: %s%s%s%s", f.rule->name, w->reason,
	                  *w->until ? " (until " : "", w->until,
	                  *w->until ? ")" : "");

	f.reason = reason;
	return r < 0 ? r : kr_fleet_table_add(&run->table, &f, "");
}

/* What several controls of a node say alike is said once. */
static int tabulate(struct run *run, const struct kr_fleet_heard *heard,
                    const struct kr_configz *configz)
{
	size_t n = run->controls->rules.n_items;

	for (size_t i = 0; i < n; i++) {
		struct kr_finding f = heard->findings[i];
		int r;

		if (f.verdict == KR_VERDICT_WAIVED) {
			r = tabulate_waived(run, f);
			if (r < 0)
				return r;
			continue;
		}
		if (f.why && count_why(heard, i, f.why) > 0)
			continue;
		if (f.why && count_why(heard, n, f.why) > 1)
			f.reason = f.why;
		r = kr_fleet_table_add(&run->table, &f, configz->detail);
		if (r < 0)
			return r;
		/* without an answer each says the same */
		if (!configz->body && f.verdict == KR_VERDICT_UNKNOWN)
			return 0;
	}
	return 0;
}

/* Of the N findings F of a node. */
static void count_numbers(struct run *run, const struct kr_finding *f, size_t n)
{
	size_t i = 0;

	while (i < n && !f[i].numbers)
		i++;
	if (i < n)
		run->summary.n_numbered[kr_edition_id(f[i].numbers)]++;
}

static int hear_controls(struct run *run, const struct kr_node_entry *node,
                         const struct kr_configz *configz)
{
	struct kr_fleet_controls *c = run->controls;
	_cleanup_fleet_heard_ struct kr_fleet_heard heard = {0};
	int r = kr_fleet_hear(c, node, configz, &heard);

	if (r < 0)
		return r;
	run->summary.n_verdicts[heard.verdict]++;
	count_numbers(run, heard.findings, c->rules.n_items);
	if (run->options->quiet)
		return 0;
	if (run->format)
		return kr_findings_add(&run->findings, heard.findings,
		                       c->n_demanded);
	if (run->options->format == KR_FORMAT_JSON)
		return kr_fleet_json_heard(run->out, c, &heard,
		                           configz->detail);
	return tabulate(run, &heard, configz);
}

static int hear(void *closure, const struct kr_node_entry *node,
                const struct kr_configz *configz)
{
	struct run *run = closure;
	char reason[KR_FLEET_REASON_SIZE];
	struct kr_finding finding =
		kr_fleet_finding(node, run->rule, configz, reason);
	int r = 0;

	if (run->controls) {
		r = hear_controls(run, node, configz);
		run->no_memory = r < 0;
		return r;
	}
	run->summary.n_verdicts[finding.verdict]++;
	count_numbers(run, &finding, 1);
	if (run->options->quiet)
		return 0;
	if (run->format)
		r = kr_findings_add(&run->findings, &finding, 1);
	else if (run->options->format == KR_FORMAT_JSON)
		r = kr_fleet_json_node(run->out, &finding, configz->detail);
	else
		r = kr_fleet_table_add(&run->table, &finding, configz->detail);
	run->no_memory = r < 0;
	return r;
}

static void format_progress(const struct run *run,
                            const struct kr_fleet_progress *p,
                            char line[static KR_WATCH_LINE_SIZE])
{
	double seconds = (double)(kr_now_usec() - run->since_usec) /
	                 (double)KR_USEC_PER_SEC;
	double rate = seconds > 0 ? (double)p->n_done / seconds : 0;
	size_t left = p->n_nodes > p->n_done ? p->n_nodes - p->n_done : 0;
	char rest[32] = "";

	if (rate > 0)
		snprintf(rest, sizeof(rest), ", %.0f s left",
		         (double)left / rate);
	snprintf(line, KR_WATCH_LINE_SIZE,
	         "%zu of %zu nodes, %zu fail, %zu unknown, %.0f/s%s", p->n_done,
	         p->n_nodes, run->summary.n_verdicts[KR_VERDICT_FAIL],
	         run->summary.n_verdicts[KR_VERDICT_UNKNOWN], rate, rest);
}

static int tick(void *closure, const struct kr_fleet_progress *progress)
{
	struct run *run = closure;
	uint64_t now = kr_now_usec();
	char line[KR_WATCH_LINE_SIZE];

	if (fflush(run->out) != 0 || ferror(run->out))
		return -EPIPE;
	if (run->watch.progress_fd < 0 || now - run->drawn_usec < DRAW_USEC)
		return kr_watch_line(&run->watch, NULL);
	if (progress->n_nodes == 0)
		return kr_watch_line(&run->watch, "asking for the nodes");
	run->drawn_usec = now;
	format_progress(run, progress, line);
	return kr_watch_line(&run->watch, line);
}

/* --- which nodes --------------------------------------------------------- */

/*
 * Splits LIST at its commas, in place; each name once, in order. 0 and the
 * array, which the caller frees, and whose names are LIST's; -EINVAL: a name is
 * empty; -ENOMEM.
 */
static int split_names(char *list, const char ***ret, size_t *ret_n)
{
	_cleanup_free_ const char **names = NULL;
	size_t size = 1, n = 0, n_kept = 0;

	for (const char *c = list; *c; c++)
		size += *c == ',';
	names = calloc(size, sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (char *name; (name = strsep(&list, ","));) {
		if (!*name)
			return -EINVAL;
		names[n++] = name;
	}
	qsort(names, n, sizeof(*names), kr_strings_compare);
	for (size_t i = 0; i < n; i++) {
		if (n_kept == 0 || strcmp(names[i], names[n_kept - 1]) != 0)
			names[n_kept++] = names[i];
	}
	*ret = TAKE_PTR(names);
	*ret_n = n_kept;
	return 0;
}

static int usage_error(FILE *err, const char *what)
{
	fprintf(err, "%s: fleet: ", KR_NAME);
	kr_usage_word(err, what);
	fprintf(err, "\n%s: see '%s fleet --help'\n", KR_NAME, KR_NAME);
	return KR_STATUS_USAGE;
}

/* --- a run --------------------------------------------------------------- */

static int begin(struct run *run, const struct kr_finding_about *about)
{
	run->format = kr_cli_finding_format(run->options);
	run->table = (struct kr_fleet_table){
		.rule = run->rule,
		.all_names = run->options->verbose,
		.words = run->words,
	};
	run->since_usec = kr_now_usec();
	if (run->options->quiet || !run->format)
		return 0;
	return kr_findings_begin(&run->findings, run->format, run->out, about);
}

/* The result in one line, where a file gets the whole. 0 or -ENOMEM. */
static int make_line(struct run *run)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (!run->options->output_file)
		return 0;
	r = run->controls ? kr_fleet_controls_headline(run->controls,
	                                               &run->summary, &text)
	                  : kr_fleet_headline(run->rule, &run->summary, &text);
	if (r < 0)
		return r;
	*run->ret_line = kr_cli_line(kr_fleet_verdict(&run->summary), text);
	return *run->ret_line ? 0 : -ENOMEM;
}

static int print_end(struct run *run)
{
	const struct kr_term term = kr_cli_terminal(run->options, run->out);

	if (run->format)
		return kr_findings_end(&run->findings, run->summary.complete);
	if (run->controls && run->options->format == KR_FORMAT_JSON)
		return kr_fleet_json_total(run->out, run->controls,
		                           &run->summary);
	if (run->controls)
		return kr_fleet_text_controls(&term, run->controls, &run->table,
		                              &run->summary);
	if (run->options->format == KR_FORMAT_JSON)
		return kr_fleet_json_summary(run->out, run->rule,
		                             &run->summary);
	return kr_fleet_text(&term, &run->table, &run->summary);
}

static int end(struct run *run)
{
	int r;

	run->summary.took_usec = kr_now_usec() - run->since_usec;
	if (run->options->quiet)
		return 0;
	r = print_end(run);
	return r < 0 ? r : make_line(run);
}

static const char *why_not_all(const struct run *run, int r)
{
	switch (r) {
	case KR_FLEET_DONE:
		return NULL;
	case KR_FLEET_LIST_FAILED:
		return "the list of nodes could not be read";
	case KR_FLEET_TIME_OVER:
		return "the time for all nodes was over (--max-time)";
	default:
		return run->watch.signal ? "a signal asked for an end"
		                         : "the output cannot be written";
	}
}

/* Why no node was asked, of a list that was read to its end. */
static const char *why_none(const struct run *run)
{
	if (run->summary.n_left_out > 0)
		return "every node was left out";
	return run->options->fleet.selector ? "no node has these labels"
	                                    : "the cluster has no nodes";
}

/* R is what kr_fleet_run() gave. 0; -ENOMEM; -ENOPKG; -EIO. */
static int sum_up(struct run *run, int r, const struct kr_fleet_progress *p,
                  const struct kr_diag *diag)
{
	const struct kr_message *error = kr_diag_first(diag, KR_ERROR);

	run->summary.error = error ? error->text : NULL;
	run->summary.n_nodes = p->n_nodes;
	run->summary.n_left_out = p->n_left_out;
	run->summary.complete = r == KR_FLEET_DONE;
	run->summary.unlisted =
		r == KR_FLEET_LIST_FAILED && run->options->fleet.nodes;
	run->summary.reason = why_not_all(run, r);
	if (run->summary.complete && p->n_nodes == 0)
		run->summary.reason = why_none(run);
	if (run->no_memory)
		return -ENOMEM;
	return r == -EINTR || r > 0 ? 0 : r;
}

/*
 * As many file descriptors as N_PARALLEL questions need, if we may: 1,024 are
 * usual. How many questions they are enough for. Where a number was asked for,
 * that stays: a node without one is asked again and says so then.
 */
static unsigned want_fds(unsigned n_parallel)
{
	rlim_t wanted = FDS_OF_US + FDS_OF_ONE * (rlim_t)n_parallel;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
		return n_parallel;
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= wanted)
		return n_parallel;
	return limit.rlim_cur > FDS_OF_US + FDS_OF_ONE * KR_FLEET_WIDTH_LEAST
	               ? (unsigned)((limit.rlim_cur - FDS_OF_US) / FDS_OF_ONE)
	               : KR_FLEET_WIDTH_LEAST;
}

static int ask_all(struct run *run, const struct kr_http_server *server,
                   const char *const *nodes, size_t n_nodes,
                   struct kr_diag *diag)
{
	const struct kr_options *o = run->options;
	const struct kr_fleet_options options = {
		.n_parallel_most =
			want_fds(o->fleet.n_parallel > 0 ? o->fleet.n_parallel
	                                                 : KR_FLEET_WIDTH_MOST),
		.key = kr_field_name(run->rule->fields[0]),
		.nodes = nodes,
		.n_nodes = n_nodes,
		.selector = o->fleet.selector,
		.look_up = run->controls && run->controls->by_node,
		.n_parallel = o->fleet.n_parallel,
		.timeout_usec = o->fleet.timeout_usec,
		.total_usec = o->fleet.total_usec,
		.hear = hear,
		.tick = tick,
		.closure = run,
		.wake_fd = run->watch.signal_fd,
	};
	const struct kr_fleet_controls *c = run->controls;
	const struct kr_rules rules = {c ? c->judged : kr_rules_usual.items,
	                               c ? c->n_demanded : 1,
	                               c ? c->rules.edition : NULL};
	const struct kr_finding_about about = {
		.rules = &rules,
		.many = true,
		.by_node = run->controls && run->controls->by_node,
	};
	struct kr_fleet_progress progress = {0};
	int r = begin(run, &about);

	run->summary.server = server->url;

	if (r < 0)
		return r;
	r = kr_fleet_run(server, &options, diag, &progress);
	kr_watch_end(&run->watch);
	r = sum_up(run, r, &progress, diag);
	return r < 0 ? r : end(run);
}

static int exit_status(const struct run *run)
{
	switch (kr_fleet_verdict(&run->summary)) {
	case KR_VERDICT_PASS:
		/* a signal that came too late to be heeded was one */
		return run->watch.signal || run->watch.hung_up
		               ? KR_STATUS_LOST_OUTPUT
		               : 0;
	case KR_VERDICT_FAIL:
		return 1;
	default:
		return KR_STATUS_NO_VERDICT;
	}
}

static int run_fleet(const struct kr_options *o, const char *words,
                     struct kr_fleet_controls *controls,
                     const struct kr_http_server *server,
                     const char *const *nodes, size_t n_nodes, FILE *out,
                     FILE *err, char **ret_line)
{
	const struct kr_term err_term = kr_cli_terminal(o, err);
	struct run run = {
		.options = o,
		.rule = kr_rules_usual.items[0],
		.controls = controls,
		.words = words,
		.out = out,
		.ret_line = ret_line,
	};
	_cleanup_diag_ struct kr_diag diag = {0};
	int r = kr_watch_begin(&run.watch, o, err);

	if (r < 0) {
		fprintf(err, "%s: signals: %s\n", KR_NAME, strerror(-r));
		return KR_STATUS_NO_VERDICT;
	}
	/* lines on a terminal say themselves how far it is */
	if (o->format != KR_FORMAT_TEXT && kr_cli_terminal(o, out).is_terminal)
		kr_watch_mute(&run.watch);
	r = ask_all(&run, server, nodes, n_nodes, &diag);
	kr_fleet_table_done(&run.table);
	kr_term_messages(&err_term, &diag, o->quiet ? KR_ERROR : KR_NOTE);
	if (r == -ENOMEM)
		return kr_cli_out_of_memory(err);
	if (r < 0) {
		fprintf(err, "%s: libcurl: %s\n", KR_NAME, strerror(-r));
		return KR_STATUS_NO_VERDICT;
	}
	return exit_status(&run);
}

/* 0, or the exit status, with words on ERR. */
static int read_waivers(const struct kr_options *o, FILE *err,
                        struct kr_fs **ret_fs, struct kr_waivers *ret)
{
	const struct kr_term term = kr_cli_terminal(o, err);
	_cleanup_diag_ struct kr_diag diag = {0};
	int r = kr_select_waivers_file(o, &diag, ret_fs, ret);

	kr_term_messages(&term, &diag, o->quiet ? KR_ERROR : KR_NOTE);
	if (r == -ENOMEM)
		return kr_cli_out_of_memory(err);
	return r < 0 ? KR_STATUS_NO_VERDICT : 0;
}

int kr_cli_fleet(const struct kr_options *o, FILE *out, FILE *err,
                 char **ret_line)
{
	_cleanup_http_server_ struct kr_http_server *server = NULL;
	_cleanup_free_ const char **nodes = NULL;
	_cleanup_free_ char *list = NULL, *reason = NULL, *words = NULL;
	struct kr_options on_node = *o; /* whose waivers are its own */
	struct kr_selected selected;
	struct kr_fleet_controls controls;
	_cleanup_fs_ struct kr_fs *fs = NULL;
	_cleanup_waivers_ struct kr_waivers waivers = {0};
	size_t n_nodes = 0;
	bool several;
	int r;

	r = kr_select(o, NULL, err, &selected);
	if (r < 0)
		return r == -EINVAL ? KR_STATUS_USAGE
		                    : kr_cli_out_of_memory(err);
	kr_fleet_controls_begin(&selected.rules, &controls);
	if (controls.rules.n_items == 0)
		return usage_error(err, "configz shows none of the controls");
	controls.by_node = o->select.benchmark &&
	                   strcmp(o->select.benchmark, KR_SELECT_AUTO) == 0;
	controls.named = o->select.controls != NULL;
	controls.level = o->select.level;
	if (!!o->fleet.nodes + !!o->fleet.selector + o->fleet.all_nodes != 1)
		return usage_error(
			err, "give exactly one of --nodes=NAME[,NAME...], "
			     "--selector=LABELS and --all-nodes");
	if (o->select.waivers) {
		r = read_waivers(o, err, &fs, &waivers);
		if (r != 0)
			return r;
		controls.waivers = &waivers;
	}
	if (o->fleet.nodes) {
		list = strdup(o->fleet.nodes);
		r = list ? split_names(list, &nodes, &n_nodes) : -ENOMEM;
		if (r == -EINVAL)
			return usage_error(err,
			                   "--nodes: a name must not be empty");
		if (r < 0)
			return kr_cli_out_of_memory(err);
	}
	r = kr_http_server_new(&o->api, &server, &reason);
	if (r == -EINVAL)
		return usage_error(err, reason);
	if (r == -ENOMEM)
		return kr_cli_out_of_memory(err);
	if (r < 0) {
		fprintf(err, "%s: ", KR_NAME);
		kr_usage_word(err, reason);
		fputc('\n', err);
		return KR_STATUS_NO_VERDICT;
	}
	on_node.select.waivers = NULL;
	on_node.select.no_waivers = false;
	words = kr_select_words(&on_node, selected.rules.edition);
	if (!words)
		return kr_cli_out_of_memory(err);
	several =
		o->select.benchmark || o->select.controls || o->select.waivers;
	return run_fleet(o, words, several ? &controls : NULL, server, nodes,
	                 n_nodes, out, err, ret_line);
}
