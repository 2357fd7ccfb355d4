/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The verdict: of each rule what its three views (policy/views) answer, and
 * what they add up to.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "policy/views.h"

const struct kr_source *kr_judgement_deciding(const struct kr_judgement *j)
{
	return j->disk.source >= 0 ? &j->sources.items[j->disk.source] : NULL;
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

/* --- the verdict --------------------------------------------------------- */

static bool any(const struct kr_judgement *j, enum kr_state state)
{
	return j->disk.state == state || j->running.state == state ||
	       j->live.state == state;
}

static bool answers(const struct kr_judgement *j, enum kr_answer answer)
{
	return j->disk.answer == answer || j->running.answer == answer ||
	       j->live.answer == answer;
}

/* Somebody wrote down what is demanded: the default alone does not do. */
static bool written_down(const struct kr_judgement *j)
{
	const struct kr_source *s = kr_judgement_deciding(j);

	return s && s->kind != KR_SOURCE_DEFAULT &&
	       j->disk.answer == KR_ANSWER_PASS;
}

static int reason(struct kr_judgement *j, const char *format,
                  const struct kr_view *view)
{
	_cleanup_free_ char *value = NULL;
	int r = kr_value_format(&view->value, &value);

	return r < 0 ? r : kr_format(&j->reason, format, j->rule->name, value);
}

/* Behind the reason: the files are right, a restart is needed. */
static int reason_restart(struct kr_judgement *j)
{
	_cleanup_free_ char *value = NULL;
	int r;

	if (j->disk.answer != KR_ANSWER_PASS)
		return 0;
	j->restart_needed = true;
	r = kr_value_format(&j->disk.value, &value);
	if (r < 0)
		return r;
	return kr_format(&j->reason,
	                 "%s; the files say %s, a restart is needed", j->reason,
	                 value);
}

static int judge_fail(struct kr_judgement *j)
{
	const struct kr_view *view = &j->running;
	const char *format = "kubelet runs with %s = %s";
	int r;

	j->verdict = KR_VERDICT_FAIL;
	if (j->disk.answer == KR_ANSWER_FAIL)
		return reason(j, "kubelet would start with %s = %s", &j->disk);
	if (j->running.answer != KR_ANSWER_FAIL) {
		view = &j->live;
		format = "kubelet says through the API server that it runs "
			 "with %s = %s";
	}
	if (view->answer != KR_ANSWER_FAIL)
		return reason(
			j,
			"%s is %s only by kubelet's default, nothing says "
			"so",
			&j->disk);
	r = reason(j, format, view);
	return r < 0 ? r : reason_restart(j);
}

/* One of two values that both pass is known well enough. */
static bool is_unknown(const struct kr_view *view)
{
	return view->state == KR_STATE_UNKNOWN &&
	       view->answer != KR_ANSWER_PASS;
}

/* What there is to be judged is neither wrong nor refused. */
static int judge_rest(struct kr_judging *g)
{
	struct kr_judgement *j = g->j;
	const struct kr_source *s = kr_judgement_deciding(j);
	const struct kr_view *view = &j->disk;

	j->verdict = KR_VERDICT_UNKNOWN;
	if (is_unknown(&j->disk))
		return kr_format(&j->reason, "%s", j->disk.reason);
	if (is_unknown(&j->running))
		return kr_format(&j->reason,
		                 "what kubelet runs with is not known: %s",
		                 j->running.reason);
	if (j->live.state == KR_STATE_UNKNOWN)
		return kr_format(&j->reason,
		                 "what kubelet says of itself is not known: %s",
		                 j->live.reason);
	if (!answers(j, KR_ANSWER_PASS))
		return kr_format(&j->reason, "no view has a value");
	j->verdict = KR_VERDICT_PASS;
	if (j->disk.state == KR_STATE_UNKNOWN)
		return kr_format(
			&j->reason,
			"%s passes by kubelet's default, whichever its "
			"version has",
			j->rule->name);
	if (s && s->kind == KR_SOURCE_DEFAULT)
		return reason(j, "%s is %s by kubelet's default", view);
	if (view->answer != KR_ANSWER_PASS)
		view = j->running.answer == KR_ANSWER_PASS ? &j->running
		                                           : &j->live;
	return reason(j, "%s is %s", view);
}

static int judge(struct kr_judging *g)
{
	struct kr_judgement *j = g->j;

	if (!j->rule->test)
		return kr_format(&j->reason, "%s", j->disk.reason);
	if (answers(j, KR_ANSWER_FAIL) ||
	    (g->options->explicit_wanted && j->disk.answer == KR_ANSWER_PASS &&
	     !written_down(j)))
		return judge_fail(j);
	if (any(j, KR_STATE_INVALID)) {
		j->verdict = KR_VERDICT_INVALID;
		return kr_format(&j->reason, "%s", j->disk.reason);
	}
	return judge_rest(g);
}

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

static int ask(const struct kr_judging *g, enum kr_view_id id,
               struct kr_view *view)
{
	const struct kr_rule *rule = g->j->rule;
	struct kr_decision d[KR_RULE_FIELDS_MAX];
	const struct kr_field *f = kr_field(rule->fields[0]);
	enum kr_answer before;
	int r;

	kr_views_decisions(g, id, d);
	view->answer = kr_rule_ask(rule, g->edition, d);
	if (view->state != KR_STATE_UNKNOWN || !view->either_default)
		return 0;
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

static int judge_one(struct kr_judging *g)
{
	struct kr_judgement *j = g->j;
	int r = kr_views_find(g);

	if (r < 0)
		return r;
	r = ask(g, KR_VIEW_DISK, &j->disk);
	if (r < 0)
		return r;
	r = ask(g, KR_VIEW_RUNNING, &j->running);
	if (r < 0)
		return r;
	r = ask(g, KR_VIEW_LIVE, &j->live);
	return r < 0 ? r : judge(g);
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

static void sum_up(struct kr_audit *a)
{
	for (size_t i = 0; i < a->n_items; i++) {
		const struct kr_judgement *j = &a->items[i];

		a->restart_needed = a->restart_needed || j->restart_needed;
		if (!j->rule->test ||
		    (a->reason && badness(j->verdict) <= badness(a->verdict)))
			continue;
		a->verdict = j->verdict;
		a->reason = j->reason;
	}
	if (!a->reason)
		a->reason = "nothing is demanded of the settings that were "
			    "asked for by name";
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
	const char *why = NULL;
	int r;

	if (!a)
		return -ENOMEM;
	a->items = calloc(rules->n_items, sizeof(*a->items));
	a->endpoint = options->endpoint ? strdup(options->endpoint) : NULL;
	if (!a->items || (options->endpoint && !a->endpoint))
		return -ENOMEM;
	a->explicit_wanted = options->explicit_wanted;
	a->edition = rules->edition;
	r = kr_views_begin(&g);
	if (r < 0)
		return r;
	while (a->n_items < rules->n_items) {
		g.j = &a->items[a->n_items];
		g.j->rule = rules->items[a->n_items++];
		g.j->sources.deciding = -1;
		r = judge_one(&g);
		kr_views_end(&g);
		if (r < 0)
			return r;
	}
	sum_up(a);
	a->reload_needed = kr_node_reload_needed(node, &why);
	if (a->reload_needed)
		kr_diag_add(diag, KR_WARNING, "reload-needed", KR_SPAN_NONE,
		            "systemd holds another %s than the disk: %s",
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
	for (size_t i = 0; i < a->n_items; i++) {
		struct kr_judgement *j = &a->items[i];

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
