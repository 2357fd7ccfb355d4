/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the answers of a rule's views add up to, and the sentence that says why.
 * A failing view outweighs an invalid one, and both outweigh an unknown one.
 */

#include "base/format.h"
#include "policy/views.h"

const struct kr_source *kr_judgement_deciding(const struct kr_judgement *j)
{
	return j->disk.source >= 0 ? &j->sources.items[j->disk.source] : NULL;
}

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

/* What is demanded is written down: the default alone does not do. That
 * nothing is set cannot be written down. */
static bool written_down(const struct kr_judging *g)
{
	const struct kr_judgement *j = g->j;
	const struct kr_source *s = kr_judgement_deciding(j);

	return j->rule->wants_nothing || g->instead ||
	       (s && s->kind != KR_SOURCE_DEFAULT &&
	        j->disk.answer == KR_ANSWER_PASS);
}

int kr_judge_words(const struct kr_rule *rule, const struct kr_view *view,
                   char **ret)
{
	const struct kr_field *f = kr_field(rule->fields[0]);

	if (view->state == KR_STATE_UNKNOWN && view->either_default)
		return kr_format(ret, "%s or %s", f->before, f->by_default);
	return kr_value_format(&view->value, ret);
}

/* VALUE "": none. */
static int say_one(const char *name, const char *is, const char *value,
                   char **ret)
{
	if (*value)
		return kr_format(ret, "%s%s%s", name, is, value);
	if (strcmp(is, " is ") == 0)
		return kr_format(ret, "%s is not set", name);
	return kr_format(ret, "no %s", name);
}

/* PAIR is as kr_views_pair() makes it. */
static int say_pair(const struct kr_strings *pair, const char *is, char **ret)
{
	char *const *words = pair->items;
	_cleanup_free_ char *first = NULL, *second = NULL;
	int r;

	if (!*words[1] && !*words[3] && strcmp(is, " is ") != 0)
		return kr_format(ret, "neither %s nor %s", words[0], words[2]);
	r = say_one(words[0], is, words[1], &first);
	if (r == 0)
		r = say_one(words[2], is, words[3], &second);
	return r < 0 ? r : kr_format(ret, "%s and %s", first, second);
}

int kr_judge_say(const struct kr_rule *rule, const struct kr_view *view,
                 const char *is, char **ret)
{
	_cleanup_free_ char *value = NULL;
	int r;

	if (!kr_state_is_value(view->state) && !view->either_default)
		return say_one(rule->name, is, "", ret);
	if (rule->n_fields == 2)
		return say_pair(&view->value.list, is, ret);
	r = kr_judge_words(rule, view, &value);
	return r < 0 ? r : say_one(rule->name, is, value, ret);
}

/* FORMAT has one place, for what VIEW has, with IS between. */
static int reason(struct kr_judgement *j, const char *format, const char *is,
                  const struct kr_view *view)
{
	_cleanup_free_ char *said = NULL;
	int r = kr_judge_say(j->rule, view, is, &said);

	return r < 0 ? r : kr_format(&j->reason, format, said);
}

/* Behind the reason: the files are correct, a restart is needed. */
static int reason_restart(struct kr_judgement *j)
{
	_cleanup_free_ char *value = NULL;
	int r;

	if (j->disk.answer != KR_ANSWER_PASS)
		return 0;
	j->restart_needed = true;
	r = kr_judge_words(j->rule, &j->disk, &value);
	if (r < 0)
		return r;
	return kr_format(&j->reason,
	                 "%s; the files say %s, a restart is needed", j->reason,
	                 kr_value_says_nothing(&j->disk.value) ? "nothing"
	                                                       : value);
}

static int judge_fail(struct kr_judging *g)
{
	struct kr_judgement *j = g->j;
	const struct kr_view *view = &j->running;
	const char *format = "kubelet runs with %s";
	int r;

	j->verdict = KR_VERDICT_FAIL;
	if (j->disk.answer == KR_ANSWER_FAIL && g->not_there)
		return kr_format(&j->reason, "%s: %s", j->rule->name,
		                 g->not_there);
	if (j->disk.answer == KR_ANSWER_FAIL)
		return reason(j, "kubelet would start with %s", " = ",
		              &j->disk);
	if (j->running.answer != KR_ANSWER_FAIL) {
		view = &j->live;
		format = "kubelet says through the API server that it runs "
			 "with %s";
	}
	if (view->answer != KR_ANSWER_FAIL)
		return reason(j,
		              "%s only by kubelet's default, nothing says so",
		              " is ", &j->disk);
	r = reason(j, format, " = ", view);
	return r < 0 ? r : reason_restart(j);
}

/* What of a view is not known, where that is what its answer depends on; NULL.
 * One of two values that both pass is known well enough. */
static const char *doubt(const struct kr_judging *g, enum kr_view_id id,
                         const struct kr_view *view)
{
	if (view->answer != KR_ANSWER_NONE)
		return NULL;
	if (view->state == KR_STATE_UNKNOWN)
		return view->reason;
	if (!kr_state_is_value(view->state))
		return NULL;
	return g->fields[id][g->j->rule->n_fields].reason;
}

static int judge_pass(struct kr_judging *g)
{
	struct kr_judgement *j = g->j;
	const struct kr_source *s = kr_judgement_deciding(j);
	const struct kr_view *view = &j->disk;

	j->verdict = KR_VERDICT_PASS;
	if (j->disk.state == KR_STATE_UNKNOWN)
		return kr_format(&j->reason,
		                 "%s passes by kubelet's default, in each "
		                 "version that may run",
		                 j->rule->name);
	if (g->instead)
		return kr_format(&j->reason, "%s passes, as %s", j->rule->name,
		                 j->rule->instead);
	if (s && s->kind == KR_SOURCE_DEFAULT)
		return reason(j, "%s by kubelet's default", " is ", view);
	if (view->answer != KR_ANSWER_PASS)
		view = j->running.answer == KR_ANSWER_PASS ? &j->running
		                                           : &j->live;
	return reason(j, "%s", " is ", view);
}

/* What there is to be judged is neither wrong nor refused. */
static int judge_rest(struct kr_judging *g)
{
	struct kr_judgement *j = g->j;
	const char *unknown = doubt(g, KR_VIEW_DISK, &j->disk);

	j->verdict = KR_VERDICT_UNKNOWN;
	if (unknown)
		return kr_format(&j->reason, "%s", unknown);
	unknown = doubt(g, KR_VIEW_RUNNING, &j->running);
	if (unknown)
		return kr_format(&j->reason,
		                 "what kubelet runs with is not known: %s",
		                 unknown);
	unknown = doubt(g, KR_VIEW_LIVE, &j->live);
	if (unknown)
		return kr_format(&j->reason,
		                 "what kubelet reports is not known: %s",
		                 unknown);
	if (!answers(j, KR_ANSWER_PASS))
		return kr_format(&j->reason, "no view has a value");
	return judge_pass(g);
}

int kr_verdict_find(struct kr_judging *g)
{
	struct kr_judgement *j = g->j;

	j->written = written_down(g);
	if (!j->rule->test)
		return kr_format(&j->reason, "%s", j->disk.reason);
	if (answers(j, KR_ANSWER_FAIL) ||
	    (g->options->explicit_wanted && j->disk.answer == KR_ANSWER_PASS &&
	     !j->written))
		return judge_fail(g);
	if (any(j, KR_STATE_INVALID)) {
		j->verdict = KR_VERDICT_INVALID;
		return kr_format(&j->reason, "%s", j->disk.reason);
	}
	return judge_rest(g);
}
