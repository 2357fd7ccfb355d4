/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The verdict: of each rule what its three views (policy/views) answer, and
 * what they add up to (policy/verdict).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/vec.h"
#include "node/kubelet-version.h"
#include "policy/demands.h"
#include "policy/files.h"
#include "policy/notes.h"
#include "policy/views.h"

bool kr_judgement_runs_wrong(const struct kr_judgement *j)
{
	return j->running.answer == KR_ANSWER_FAIL ||
	       j->live.answer == KR_ANSWER_FAIL;
}

bool kr_audit_is_usual(const struct kr_audit *audit)
{
	return audit->n_items == 1 &&
	       audit->items[0].rule == kr_rules_usual.items[0];
}

const char *kr_judgement_number(const struct kr_judgement *j)
{
	return kr_edition_number(j->numbers, j->rule->name);
}

const char *kr_audit_number(const struct kr_audit *a,
                            const struct kr_rule *rule)
{
	for (size_t i = 0; a && i < a->n_items; i++) {
		if (a->items[i].rule == rule)
			return kr_judgement_number(&a->items[i]);
	}
	return "";
}

const struct kr_edition *kr_audit_numbers(const struct kr_audit *a)
{
	for (size_t i = 0; i < a->n_items; i++) {
		if (a->items[i].numbers)
			return a->items[i].numbers;
	}
	return a->edition;
}

/* --- without a process --------------------------------------------------- */

enum kr_answer kr_judge_ask(const struct kr_rule *rule,
                            const struct kr_decision *d)
{
	const struct kr_decision all[KR_RULE_FIELDS_MAX] = {*d};

	return kr_rule_ask(rule, NULL, all);
}

static void decisions_done(struct kr_decision d[static KR_RULE_FIELDS_MAX])
{
	for (size_t i = 0; i < KR_RULE_FIELDS_MAX; i++)
		kr_decision_done(&d[i]);
}

int kr_judge_decide(const struct kr_node *node, const struct kr_rule *rule,
                    struct kr_decision *ret)
{
	struct kr_decision d[KR_RULE_FIELDS_MAX];
	int r = kr_views_decide(node, rule, NULL, d);

	if (r >= 0) {
		*ret = d[0];
		d[0] = (struct kr_decision){0};
	}
	decisions_done(d);
	return r;
}

/* --- by edition and version ---------------------------------------------- */

/*
 * The chosen edition has not the control that others have, or this kubelet not
 * the setting. 1: then the reason says so; 0; -ENOMEM. What no edition has is
 * judged all the same, as it was named.
 */
static int is_beside(struct kr_judging *g)
{
	struct kr_judgement *j = g->j;
	const struct kr_rule *rule = j->rule;
	const struct kr_edition *edition = g->edition;
	struct kr_edition_control its;
	unsigned minor = 0;
	int r = 0;

	if (!edition || !kr_edition_of_any(rule->name))
		return 0;
	if (!kr_edition_control(kr_edition_id(edition), rule->name, &its)) {
		r = kr_format(&j->reason, "%s %s has no such control",
		              edition->title, edition->version);
		return r < 0 ? r : 1;
	}
	if (rule->n_fields == 0 || kr_field(rule->fields[0])->first_minor == 0)
		return 0;
	r = kr_kubelet_version_told(g->node, &minor);
	if (r < 0 || minor == 0 ||
	    minor >= kr_field(rule->fields[0])->first_minor)
		return r;
	r = kr_format(&j->reason, "kubelet 1.%u has no %s", minor, rule->name);
	return r < 0 ? r : 1;
}

/* ANSWER is FAIL, of a setting that newer kubelets ignore: then it passes. */
static int forgive(struct kr_node *node, const struct kr_rule *rule, bool disk,
                   enum kr_answer *answer, bool *ret_needs_version)
{
	unsigned minor = 0;
	int r;

	if (*answer != KR_ANSWER_FAIL || rule->unused_since == 0)
		return 0;
	r = kr_kubelet_version_seek(node, disk, &minor);
	if (r < 0)
		return r;
	if (minor >= rule->unused_since)
		*answer = KR_ANSWER_PASS;
	if (minor == 0)
		*ret_needs_version = true;
	return 0;
}

/* --- one ----------------------------------------------------------------- */

/* What the rule says of TEXT, one of kubelet's defaults. */
static int ask_default(const struct kr_rule *rule, const char *text,
                       enum kr_answer *ret)
{
	_cleanup_decision_ struct kr_decision d = {.by = KR_BY_DEFAULT};
	int r = kr_value_parse(kr_field(rule->fields[0])->type, text,
	                       strlen(text), &d.value);

	if (r < 0)
		return r;
	d.state = kr_value_state(&d.value);
	*ret = kr_judge_ask(rule, &d);
	return 0;
}

static int ask(struct kr_judging *g, enum kr_view_id id, struct kr_view *view)
{
	const struct kr_rule *rule = g->j->rule;
	struct kr_decision d[KR_RULE_FIELDS_MAX];
	const struct kr_field *f = kr_field(rule->fields[0]);
	enum kr_answer before;
	int r;

	kr_views_decisions(g, id, d);
	view->answer = kr_rule_ask(rule, g->edition, d);
	before = view->answer;
	r = forgive(g->node, rule, id == KR_VIEW_DISK, &view->answer,
	            &g->j->needs_version);
	g->unused = g->unused || view->answer != before;
	if (r < 0 || view->state != KR_STATE_UNKNOWN || !view->either_default)
		return r;
	r = ask_default(rule, f->before, &before);
	if (r < 0)
		return r;
	r = ask_default(rule, f->by_default, &view->answer);
	if (r < 0)
		return r;
	if (view->answer != before)
		view->answer = KR_ANSWER_NONE;
	return 0;
}

/* Whether what is shown fails, and what is only looked at makes it pass. */
static bool passes_instead(const struct kr_rule *rule,
                           const struct kr_edition *edition,
                           const struct kr_decision *decisions)
{
	struct kr_decision shown[KR_RULE_FIELDS_MAX] = {0};

	if (!rule->instead)
		return false;
	for (size_t i = 0; i < rule->n_fields; i++)
		shown[i] = decisions[i];
	return kr_rule_ask(rule, edition, shown) != KR_ANSWER_PASS;
}

/*
 * What passes by its words may name a file that does not load: a FAIL. WHY says
 * it, and what is not there yet. One that cannot be read tells nothing:
 * UNKNOWN. 0 or -ENOMEM.
 */
static int try_files(struct kr_judging *g, const struct kr_decision *decisions)
{
	struct kr_view *view = &g->j->disk;
	enum kr_loads loads;
	int r;

	if (!g->j->rule->names_file || view->answer != KR_ANSWER_PASS)
		return 0;
	r = kr_files_load(g->node, g->j->rule, decisions, &loads,
	                  &g->not_there);
	if (r < 0)
		return r;
	if (loads == KR_LOADS_NOT)
		view->answer = KR_ANSWER_FAIL;
	if (loads != KR_LOADS_UNKNOWN)
		return 0;
	view->answer = KR_ANSWER_NONE;
	r = kr_view_set(view, KR_STATE_UNKNOWN, "%s", g->not_there);
	free(g->not_there);
	g->not_there = NULL;
	return r;
}

/* What its changed files do not tell of the process any more was seen before
 * they were changed. */
static int recall_running(struct kr_judging *g)
{
	const struct kr_audit *ran = g->options->ran;
	struct kr_view *view = &g->j->running;
	const struct kr_view *seen;
	int r;

	if (!ran || kr_state_is_value(view->state) || ran->pid == 0 ||
	    ran->pid != g->audit->pid ||
	    ran->start_ticks != g->audit->start_ticks)
		return 0;
	seen = &ran->items[g->j - g->audit->items].running;
	if (!kr_state_is_value(seen->state))
		return kr_view_set(view, seen->state, "%s", seen->reason);
	r = kr_value_copy(&seen->value, &view->value);
	if (r < 0)
		return r;
	view->by = seen->by;
	view->answer = seen->answer;
	return kr_view_set(view, seen->state,
	                   "kubelet[%d] was started with it, before the change",
	                   (int)ran->pid);
}

/* What the rule answers of each view. */
static int ask_views(struct kr_judging *g)
{
	struct kr_judgement *j = g->j;
	struct kr_decision d[KR_RULE_FIELDS_MAX];
	int r = ask(g, KR_VIEW_DISK, &j->disk);

	if (r < 0)
		return r;
	kr_views_decisions(g, KR_VIEW_DISK, d);
	g->instead = j->disk.answer == KR_ANSWER_PASS &&
	             passes_instead(j->rule, g->edition, d);
	r = g->instead ? 0 : try_files(g, d);
	if (r < 0)
		return r;
	r = ask(g, KR_VIEW_RUNNING, &j->running);
	if (r < 0)
		return r;
	r = recall_running(g);
	return r < 0 ? r : ask(g, KR_VIEW_LIVE, &j->live);
}

/* The verdict is the benchmark's; the answers, which tell a fix what to do, are
 * those of the rule with the owner's value. */
static int judge_by_benchmark(struct kr_judging *g)
{
	struct kr_judgement *j = g->j;
	const struct kr_rule *own = j->rule;
	const enum kr_answer disk = j->disk.answer, running = j->running.answer,
			     live = j->live.answer;
	const enum kr_state state = j->disk.state;
	int r;

	free(g->not_there);
	g->not_there = NULL;
	j->rule = own->of;
	r = ask_views(g);
	if (r >= 0)
		r = kr_verdict_find(g);
	j->rule = own;
	j->disk.state = state;
	j->disk.answer = disk;
	j->running.answer = running;
	j->live.answer = live;
	return r;
}

static int judge_fields(struct kr_judging *g)
{
	int r = kr_views_find(g);

	if (r >= 0)
		r = ask_views(g);
	if (r < 0)
		return r;
	return g->j->rule->of ? judge_by_benchmark(g) : kr_verdict_find(g);
}

/* --- of files ------------------------------------------------------------ */

static int no_view(struct kr_view *view)
{
	view->state = KR_STATE_ABSENT;
	view->source = -1;
	return kr_format(&view->reason,
	                 "mode and owner are what they are on the disk");
}

/* What is wrong with the worst file; "". */
static const char *fault_of(const struct kr_judging *g)
{
	const struct kr_rule *rule = g->j->rule;

	if (g->j->verdict != KR_VERDICT_FAIL)
		return "";
	if (rule->subject == KR_SUBJECT_OWNER)
		return ", must be root:root";
	return kr_demand_mode(rule, g->edition) == 0644
	               ? ", must be 0644 or stricter"
	               : ", must be 0600 or stricter";
}

/* The worst, and how many more are as bad. */
static int reason_files(struct kr_judging *g)
{
	struct kr_judgement *j = g->j;
	const struct kr_source *worst = kr_judgement_deciding(j);
	const char *what =
		j->rule->subject == KR_SUBJECT_MODE ? "mode" : "owner";
	size_t n = 0;
	int r;

	for (size_t i = 0; i < j->sources.n; i++)
		n += j->sources.items[i].wins;
	r = kr_format(&j->reason, "%s has %s %s%s", worst->path, what,
	              j->disk.value.s, fault_of(g));
	if (r < 0 || n == 1)
		return r;
	return kr_format(&j->reason, "%s; %zu more file%s", j->reason, n - 1,
	                 n == 2 ? " also fails" : "s also fail");
}

static int judge_files(struct kr_judging *g)
{
	struct kr_judgement *j = g->j;
	struct kr_decision d[KR_RULE_FIELDS_MAX] = {0};
	int r = kr_files_look(g->node, j->rule, g->edition, &j->sources,
	                      &j->disk);

	if (r < 0)
		return r;
	r = no_view(&j->running);
	if (r < 0)
		return r;
	r = no_view(&j->live);
	if (r < 0)
		return r;
	d[0] = (struct kr_decision){.state = j->disk.state,
	                            .value = j->disk.value};
	j->disk.answer = kr_rule_ask(j->rule, g->edition, d);
	if (j->disk.state == KR_STATE_INVALID)
		j->verdict = KR_VERDICT_INVALID;
	else if (j->disk.state == KR_STATE_UNKNOWN)
		j->verdict = KR_VERDICT_UNKNOWN;
	else if (j->disk.answer == KR_ANSWER_FAIL)
		j->verdict = KR_VERDICT_FAIL;
	if (!kr_state_is_value(j->disk.state))
		return kr_format(&j->reason, "%s", j->disk.reason);
	return reason_files(g);
}

/* --- what is beside the verdict ------------------------------------------ */

/* The client CA of a control plane is read by users other than root. */
static int find_policy(struct kr_judging *g)
{
	static const char server[] =
		"/etc/kubernetes/manifests/kube-apiserver.yaml";
	struct stat st;
	struct kr_judgement *j = g->j;
	int r;

	j->policy = kr_rule_policy(j->rule, g->edition);
	if (j->rule->subject != KR_SUBJECT_MODE ||
	    j->rule->files != KR_FILES_CLIENT_CA)
		return 0;
	r = kr_fs_look(g->node->fs, server, true, &st);
	if (r >= 0)
		j->policy = KR_POLICY_ASK;
	return r == -ENOMEM ? r : 0;
}

static bool scanner_passes(const struct kr_judgement *j,
                           enum kr_scanner scanner)
{
	const struct kr_value *value = &j->disk.value;
	bool written = j->disk.by > KR_BY_DEFAULT;
	mode_t mode = 0;

	switch (scanner) {
	case KR_SCANNER_WRITTEN:
		return written;
	case KR_SCANNER_ZERO:
		return written && kr_state_is_value(j->disk.state) &&
		       kr_value_is_zero(value);
	case KR_SCANNER_0600:
		return j->disk.state != KR_STATE_VALUE ||
		       kr_mode_parse(value->s, &mode) < 0 || !(mode & ~0600);
	default:
		return true;
	}
}

static int judge_one(struct kr_judging *g)
{
	struct kr_judgement *j = g->j;
	enum kr_scanner scanner = kr_demand_scanner(j->rule, g->edition);
	int r = j->rule->subject == KR_SUBJECT_FIELDS ? judge_fields(g)
	                                              : judge_files(g);

	if (r < 0)
		return r;
	r = find_policy(g);
	if (r < 0)
		return r;
	if (j->verdict == KR_VERDICT_PASS && !scanner_passes(j, scanner))
		j->scanner = kr_scanner_text(scanner);
	r = is_beside(g);
	if (r < 0)
		return r;
	if (r > 0) {
		j->verdict = KR_VERDICT_NOT_APPLICABLE;
		j->restart_needed = false;
		j->scanner = NULL;
		return 0;
	}
	r = kr_notes_add(g);
	if (r < 0 || !g->options->waivers)
		return r;
	j->waiver = kr_waivers_find(g->options->waivers, j->rule->name);
	/* a kubelet that does not start is no one's to live with */
	if (j->waiver && j->verdict != KR_VERDICT_INVALID)
		j->verdict = KR_VERDICT_WAIVED;
	return 0;
}

/* --- all of them --------------------------------------------------------- */

/* How bad a verdict is, the worst last. */
static int badness(enum kr_verdict verdict)
{
	static const int order[_KR_VERDICT_MAX] = {
		[KR_VERDICT_UNKNOWN] = 1,
		[KR_VERDICT_INVALID] = 2,
		[KR_VERDICT_FAIL] = 3,
	};

	return order[verdict];
}

/* What is waived or not applicable counts as a pass. */
static void sum_up(struct kr_audit *a)
{
	bool waived = false;

	KR_EACH(const struct kr_judgement, j, a->items, a->n_items) {
		bool counts = badness(j->verdict) > 0;

		waived = waived || j->verdict == KR_VERDICT_WAIVED;
		if (j->verdict == KR_VERDICT_WAIVED)
			continue;
		a->restart_needed = a->restart_needed || j->restart_needed;
		if (!j->rule->test ||
		    (a->reason && badness(j->verdict) <= badness(a->verdict)))
			continue;
		a->verdict = counts ? j->verdict : KR_VERDICT_PASS;
		a->reason = j->reason;
	}
	if (!a->reason)
		a->reason = waived ? "what was asked for is waived"
		                   : "nothing is demanded of what was asked "
		                     "for";
}

/* Behind the reason of a lone control that fails in the kubelet that runs: that
 * none will run after it. Of several that is said once, in the headline. */
static int reason_next_start(struct kr_audit *a)
{
	struct kr_judgement *j = &a->items[0];

	if (a->n_items != 1 || j->disk.state != KR_STATE_INVALID ||
	    (j->verdict != KR_VERDICT_FAIL && j->verdict != KR_VERDICT_WAIVED))
		return 0;
	return kr_format(&j->reason, "%s; the next start would fail: %s",
	                 j->reason, j->disk.reason);
}

int kr_audit_run(struct kr_node *node, const struct kr_rules *rules,
                 const struct kr_audit_options *options, struct kr_diag *diag,
                 struct kr_audit **ret)
{
	_cleanup_audit_ struct kr_audit *a = calloc(1, sizeof(*a));
	struct kr_judging g = {.node = node,
	                       .edition = rules->edition,
	                       .options = options,
	                       .diag = diag,
	                       .audit = a};
	const struct kr_edition *its;
	const char *why = NULL;
	int r = kr_edition_of_node(node, &its, NULL);

	if (r < 0)
		return r;
	if (!a)
		return -ENOMEM;
	a->items = calloc(rules->n_items, sizeof(*a->items));
	a->endpoint = options->endpoint ? strdup(options->endpoint) : NULL;
	if (!a->items || (options->endpoint && !a->endpoint))
		return -ENOMEM;
	a->explicit_wanted = options->explicit_wanted;
	a->waivers = options->waivers;
	a->restarts = options->restarts;
	a->edition = rules->edition;
	r = kr_views_begin(&g);
	if (r < 0)
		return r;
	while (a->n_items < rules->n_items) {
		g.j = &a->items[a->n_items];
		g.j->rule = rules->items[a->n_items++];
		g.j->numbers =
			kr_demand_numbers(g.j->rule, rules->edition, its);
		g.j->sources.deciding = -1;
		kr_diag_about(diag, g.j->rule->name);
		r = judge_one(&g);
		kr_views_end(&g);
		kr_diag_about(diag, NULL);
		if (r < 0)
			return r;
	}
	r = reason_next_start(a);
	if (r < 0)
		return r;
	sum_up(a);
	a->reload_needed = kr_node_reload_needed(node, &why);
	if (a->reload_needed)
		kr_diag_add(diag, KR_WARNING, "reload-needed", KR_SPAN_NONE,
		            "systemd has an older %s loaded than the one on "
		            "disk: %s "
		            "(daemon-reload needed)",
		            node->unit_name, why);
	r = kr_diag_result(diag, 0);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(a);
	return 0;
}

struct kr_audit *kr_audit_free(struct kr_audit *a)
{
	if (!a)
		return NULL;
	KR_EACH(struct kr_judgement, j, a->items, a->n_items) {
		kr_sources_done(&j->sources);
		kr_view_done(&j->disk);
		kr_view_done(&j->running);
		kr_view_done(&j->live);
		free(j->reason);
	}
	free(a->items);
	kr_strings_done(&a->changed);
	free(a->endpoint);
	free(a);
	return NULL;
}

bool kr_judgement_owns(const struct kr_judgement *j, const struct kr_message *m)
{
	unsigned line, column;

	KR_EACH(const struct kr_source, s, j->sources.items, j->sources.n) {
		if (s->state != KR_STATE_INVALID || !s->span.file)
			continue;
		kr_span_position(s->span, &line, &column);
		if (m->line == line && m->column == column && m->file &&
		    strcmp(m->file, s->span.file->path) == 0)
			return true;
	}
	return false;
}
