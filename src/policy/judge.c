/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The verdict.
 *
 *   disk     what the unit, its environment and kubelet's files would give
 *   running  what the process was started with: its argv, and its files where
 *            they have not changed since
 *   live     what configz says, where it was asked
 *
 * A file has changed when its mtime or its inode's birth is later than the
 * start by more than 20 ms (a start time from /proc is only so exact). A later
 * ctime alone (chmod, a link) keeps the value, with a warning.
 *
 * A kubelet that has settled on the very argv and the unchanged files that we
 * call invalid proves us wrong: unknown, "model-disagrees". One that has only
 * been started proves nothing: kubelet takes 0.1 s to refuse its files, and up
 * to 14 s for the rest.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/vec.h"
#include "policy/judge.h"
#include "policy/sources.h"

#define START_SLACK_USEC (20 * KR_USEC_PER_MSEC)

const struct kr_source *kr_judgement_deciding(const struct kr_judgement *j)
{
	return j->disk.source >= 0 ? &j->sources.items[j->disk.source] : NULL;
}

/* What is done for one rule. */
struct judging {
	struct kr_node *node;
	const struct kr_audit_options *options;
	struct kr_diag *diag;
	struct kr_audit *audit;
	struct kr_judgement *j;
	/* a file of the running kubelet of which only a later ctime can be
	 * said; NULL */
	const char *ctime_only;
};

/* --- the running view ---------------------------------------------------- */

static uint64_t to_usec(struct timespec ts)
{
	return (uint64_t)ts.tv_sec * KR_USEC_PER_SEC +
	       (uint64_t)ts.tv_nsec / 1000;
}

/* What has changed since the process was started: nothing, only a ctime, or
 * what the file says. */
enum change {
	UNCHANGED,
	CTIME_ONLY,
	CHANGED,
};

static enum change changed_since(const struct stat *st, struct timespec btime,
                                 uint64_t started_usec)
{
	uint64_t limit = started_usec + START_SLACK_USEC;

	if (to_usec(st->st_mtim) > limit || to_usec(btime) > limit)
		return CHANGED;
	return to_usec(st->st_ctim) > limit ? CTIME_ONLY : UNCHANGED;
}

/* Adds PATH to what changed, or remembers a later ctime. */
static int note(struct judging *g, enum change change, const char *path)
{
	if (change == CTIME_ONLY)
		g->ctime_only = path;
	if (change != CHANGED)
		return 0;
	return kr_strings_add(&g->audit->changed, path);
}

static int note_folder(struct judging *g, const char *path)
{
	struct kr_node *node = g->node;
	struct kr_fs *fs = node->process_fs ? node->process_fs : node->fs;
	_cleanup_stat_ struct kr_stat st = {0};
	uint64_t limit = node->process.started_usec + START_SLACK_USEC;
	int r = kr_fs_stat(fs, path, true, &st);

	if (r == -ENOMEM)
		return r;
	/* a folder that is gone was there when it was listed: changed */
	if (r == 0 && to_usec(st.st.st_mtim) <= limit)
		return 0;
	return note(g, CHANGED, path);
}

/* What the running kubelet has read and what has changed since. */
static int find_drift(struct judging *g)
{
	const struct kr_inputs *in = &g->node->running;
	int r;

	for (size_t i = 0; i < in->n_files; i++) {
		r = note(g,
		         changed_since(&in->files[i]->st, in->files[i]->btime,
		                       g->node->process.started_usec),
		         in->files[i]->path);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < in->folders.n_items; i++) {
		r = note_folder(g, in->folders.items[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What holds of the process, whatever a rule asks. */
static int look_at_process(struct judging *g)
{
	const struct kr_node *node = g->node;

	if (node->process_doubt)
		return 0;
	if (!node->has_process) {
		g->audit->pid = node->host_pid;
		g->audit->started_usec = node->host_started_usec;
		return 0;
	}
	g->audit->pid = node->process.pid;
	g->audit->started_usec = node->process.started_usec;
	return node->running_valid ? find_drift(g) : 0;
}

static int set_running(struct kr_judgement *j, enum kr_state state,
                       const char *format, ...) _printf_(3, 4);

static int set_running(struct kr_judgement *j, enum kr_state state,
                       const char *format, ...)
{
	va_list args;
	int r;

	j->running.state = state;
	va_start(args, format);
	r = kr_vformat(&j->running.reason, format, args);
	va_end(args);
	return r;
}

static int running_from_files(struct judging *g, const struct kr_decision *d)
{
	struct kr_judgement *j = g->j;
	int pid = (int)g->node->process.pid, r;

	if (g->audit->changed.n_items > 0)
		return set_running(j, KR_STATE_UNKNOWN,
		                   "%s changed after kubelet[%d] was started",
		                   g->audit->changed.items[0], pid);
	if (g->ctime_only) {
		j->assumed = true;
		kr_diag_add_path(g->diag, KR_WARNING, "ctime-later",
		                 g->ctime_only,
		                 "its ctime is later than the start of "
		                 "kubelet[%d], its content is taken to be what "
		                 "that has read",
		                 pid);
	}
	j->running.by = d->by;
	j->running.either_default = d->either_default;
	if (d->state == KR_STATE_UNKNOWN)
		return set_running(j, KR_STATE_UNKNOWN, "%s", d->reason);
	if (d->state == KR_STATE_INVALID && !g->node->process_settled)
		return set_running(
			j, KR_STATE_UNKNOWN,
			"kubelet[%d] was started with it, and has not shown "
			"that it can live with it: %s",
			pid, d->reason);
	if (d->state == KR_STATE_INVALID) {
		kr_diag_add(g->diag, KR_WARNING, "model-disagrees",
		            KR_SPAN_NONE,
		            "kubelet[%d] runs although this would stop it: %s",
		            pid, d->reason);
		return set_running(
			j, KR_STATE_UNKNOWN,
			"kubelet[%d] runs on what is held to be invalid here",
			pid);
	}
	r = kr_value_copy(&d->value, &j->running.value);
	if (r < 0)
		return r;
	return set_running(j, d->state, "kubelet[%d] was started with it", pid);
}

static bool same_argv(const struct kr_inputs *a, const struct kr_inputs *b)
{
	if (a->argc != b->argc)
		return false;
	for (size_t i = 1; i < a->argc; i++) {
		if (strcmp(a->argv[i], b->argv[i]) != 0)
			return false;
	}
	return true;
}

/* The unit's process is another program, and no kubelet of its own was found.
 */
static int judge_hidden(struct judging *g)
{
	const struct kr_foreign *foreign = g->node->disk.foreign;
	int pid = (int)g->node->host_pid;

	if (foreign)
		return set_running(g->j, KR_STATE_UNKNOWN,
		                   "kubelet is a part of %s[%d], which does "
		                   "not show its arguments",
		                   foreign->name, pid);
	return set_running(g->j, KR_STATE_UNKNOWN,
	                   "process %d of %s is not known to be a kubelet", pid,
	                   g->node->unit_name);
}

/* The flag that decides what the process has, whatever its files are now; NULL:
 * none does. */
static const struct kr_flag_use *running_flag(const struct kr_node *node,
                                              int field,
                                              const struct kr_decision *d)
{
	const struct kr_flags *flags = &node->running.flags;
	enum kr_state state = kr_flags_state(flags, field);

	if (d->by == KR_BY_FLAG)
		return d->flag;
	return kr_field(field)->type == KR_TYPE_BOOL &&
	                       kr_field(field)->combine ==
	                               KR_COMBINE_OVERRIDE &&
	                       (state == KR_STATE_TRUE ||
	                        state == KR_STATE_FALSE)
	               ? kr_flags_last(flags, field)
	               : NULL;
}

static int running_from_flag(struct judging *g, const struct kr_decision *d,
                             const struct kr_flag_use *flag)
{
	struct kr_value *value = &g->j->running.value;
	int r = d->by == KR_BY_FLAG
	                ? kr_value_copy(&d->value, value)
	                : kr_flag_use_value(flag, flag->field, value);

	if (r < 0)
		return r;
	g->j->running_arg = flag->arg;
	return set_running(g->j, kr_value_state(value),
	                   "kubelet[%d] was started with the flag: its "
	                   "argument %zu is %s",
	                   (int)g->node->process.pid, flag->arg,
	                   g->node->running.argv[flag->arg]);
}

static bool same_value(const struct kr_view *a, const struct kr_view *b)
{
	return a->state == b->state && (!kr_state_is_value(a->state) ||
	                                kr_value_equal(&a->value, &b->value));
}

static int judge_process(struct judging *g)
{
	const struct kr_node *node = g->node;
	const int field = g->j->rule->fields[0];
	_cleanup_decision_ struct kr_decision d = {0};
	const struct kr_flag_use *flag;
	int r = kr_decide(&node->running, field, &d);

	if (r < 0)
		return r;
	g->j->needs_version = g->j->needs_version || d.needs_version;
	flag = running_flag(node, field, &d);
	if (flag)
		r = running_from_flag(g, &d, flag);
	else
		r = running_from_files(g, &d);
	if (r < 0)
		return r;
	if (same_value(&g->j->running, &g->j->disk) && kr_node_inputs(node) &&
	    same_argv(&node->disk.inputs, &node->running))
		g->j->running.source = g->j->disk.source;
	return 0;
}

static int judge_running(struct judging *g)
{
	const struct kr_node *node = g->node;

	g->j->running.source = -1;
	if (node->process_doubt)
		return set_running(g->j, KR_STATE_UNKNOWN, "%s",
		                   node->process_doubt);
	if (!node->has_process && node->host_pid > 0)
		return judge_hidden(g);
	if (!node->has_process)
		return set_running(g->j, KR_STATE_ABSENT, "%s",
		                   node->live ? "kubelet does not run"
		                              : "an image, no running system");
	if (!node->running_valid)
		return set_running(g->j, KR_STATE_UNKNOWN,
		                   "what it was started with cannot be read");
	return judge_process(g);
}

/* --- the other views ----------------------------------------------------- */

enum kr_answer kr_judge_ask(const struct kr_rule *rule,
                            const struct kr_decision *d)
{
	if (!rule->test || !kr_state_is_value(d->state))
		return KR_ANSWER_NONE;
	return rule->test(rule, d);
}

int kr_judge_decide(const struct kr_node *node, const struct kr_rule *rule,
                    struct kr_decision *ret)
{
	const char *doubt = node->disk.start_doubt;
	_cleanup_decision_ struct kr_decision d = {0};
	int r = kr_node_decide(node, rule->fields[0], &d);

	if (r < 0)
		return r;
	/* what fails is no pass, whatever is there */
	if (doubt && kr_state_is_value(d.state) &&
	    kr_judge_ask(rule, &d) != KR_ANSWER_FAIL) {
		d.state = KR_STATE_UNKNOWN;
		d.by = KR_BY_NOTHING;
		r = kr_format(&d.reason, "%s", doubt);
		if (r < 0)
			return r;
	}
	*ret = d;
	d = (struct kr_decision){0};
	return 0;
}

static int judge_disk(struct judging *g)
{
	struct kr_judgement *j = g->j;
	_cleanup_decision_ struct kr_decision d = {0};
	int r = kr_judge_decide(g->node, j->rule, &d);

	if (r < 0)
		return r;
	r = kr_sources_collect(g->node, j->rule->fields[0], &d, &j->sources);
	if (r < 0)
		return r;
	j->disk.state = d.state;
	j->by_setting = d.by_setting;
	j->by_version = d.by_version;
	j->disk.either_default = d.either_default;
	j->disk.by = d.by;
	j->needs_version = d.needs_version;
	j->disk.source = j->sources.deciding;
	j->disk.reason = TAKE_PTR(d.reason);
	j->disk.value = d.value;
	d.value = (struct kr_value){0};
	return 0;
}

/* The disk is called invalid, yet a kubelet runs on the same words and files.
 */
static int doubt_disk(struct judging *g)
{
	const struct kr_node *node = g->node;
	struct kr_view *disk = &g->j->disk;

	if (disk->state != KR_STATE_INVALID || !node->process_settled ||
	    !node->running_valid || !kr_node_inputs(node) ||
	    !same_argv(&node->disk.inputs, &node->running) ||
	    g->audit->changed.n_items > 0)
		return 0;
	disk->state = KR_STATE_UNKNOWN;
	kr_diag_add(g->diag, KR_WARNING, "model-disagrees", KR_SPAN_NONE,
	            "kubelet[%d] runs on this very configuration, which is "
	            "held to be invalid here: %s",
	            (int)node->process.pid, disk->reason);
	return kr_format(&disk->reason,
	                 "held to be invalid, but kubelet[%d] runs on it",
	                 (int)node->process.pid);
}

/* Two views that cannot both be right, or that a restart will bring together.
 */
static int name_disagreement(struct judging *g)
{
	const struct kr_judgement *j = g->j;
	_cleanup_free_ char *live = NULL, *other = NULL;
	int r = kr_value_format(&j->live.value, &live);

	if (r < 0)
		return r;
	if (g->audit->pid == 0 && !g->node->process_doubt) {
		kr_diag_add(g->diag, KR_WARNING, "live-disagrees", KR_SPAN_NONE,
		            "configz says %s, but kubelet does not run here: "
		            "it may be another node's (--node)",
		            live);
	} else if (kr_state_is_value(j->running.state) &&
	           !same_value(&j->running, &j->live)) {
		r = kr_value_format(&j->running.value, &other);
		if (r < 0)
			return r;
		kr_diag_add(g->diag, KR_WARNING, "live-disagrees", KR_SPAN_NONE,
		            "configz says %s, but kubelet[%d] was started with "
		            "%s: it may be another node's (--node)",
		            live, (int)g->audit->pid, other);
	}
	if (!kr_state_is_value(j->disk.state) || same_value(&j->disk, &j->live))
		return 0;
	free(other);
	other = NULL;
	r = kr_value_format(&j->disk.value, &other);
	if (r < 0)
		return r;
	kr_diag_add(g->diag, KR_WARNING, "live-disagrees", KR_SPAN_NONE,
	            "configz says %s, the files say %s: so will kubelet once "
	            "it is restarted",
	            live, other);
	return 0;
}

/* What a changed file, or another program around it, hides of the running
 * kubelet, configz may tell. */
static int running_from_live(struct judging *g)
{
	struct kr_judgement *j = g->j;
	int r;

	if (g->node->process_doubt || g->audit->pid == 0 ||
	    j->running.state != KR_STATE_UNKNOWN)
		return 0;
	r = kr_value_copy(&j->live.value, &j->running.value);
	if (r < 0)
		return r;
	return set_running(j, j->live.state, "kubelet[%d] says so of itself",
	                   (int)g->audit->pid);
}

/* Only the usual control was asked for (struct kr_audit_options). */
static int judge_live(struct judging *g)
{
	const struct kr_audit_options *o = g->options;
	struct kr_view *live = &g->j->live;
	bool asked = g->j->rule == kr_rules_usual.items[0];
	int r = kr_format(&live->reason, "%s",
	                  asked && o->live_reason ? o->live_reason
	                                          : "not asked for");

	if (r < 0)
		return r;
	live->source = -1;
	live->state = asked ? o->live : KR_STATE_ABSENT;
	if (!kr_state_is_value(live->state))
		return 0;
	live->value = (struct kr_value){.type = KR_TYPE_BOOL,
	                                .b = live->state == KR_STATE_TRUE};
	r = name_disagreement(g);
	return r < 0 ? r : running_from_live(g);
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
static int judge_rest(struct judging *g)
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

static int judge(struct judging *g)
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

static int ask(struct kr_judgement *j, struct kr_view *view)
{
	/* borrowed */
	const struct kr_decision d = {
		.state = view->state, .value = view->value, .by = view->by};
	const struct kr_field *f = kr_field(j->rule->fields[0]);
	enum kr_answer before;
	int r;

	view->answer = kr_judge_ask(j->rule, &d);
	if (view->state != KR_STATE_UNKNOWN || !view->either_default)
		return 0;
	r = ask_default(j->rule, f->before, &before);
	if (r < 0)
		return r;
	r = ask_default(j->rule, f->by_default, &view->answer);
	if (r < 0)
		return r;
	if (view->answer != before)
		view->answer = KR_ANSWER_NONE;
	return 0;
}

static int judge_one(struct judging *g)
{
	struct kr_judgement *j = g->j;
	int r = judge_disk(g);

	if (r < 0)
		return r;
	r = judge_running(g);
	if (r < 0)
		return r;
	r = doubt_disk(g);
	if (r < 0)
		return r;
	r = judge_live(g);
	if (r < 0)
		return r;
	r = ask(j, &j->disk);
	if (r < 0)
		return r;
	r = ask(j, &j->running);
	if (r < 0)
		return r;
	r = ask(j, &j->live);
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
	struct judging g = {
		.node = node, .options = options, .diag = diag, .audit = a};
	const char *why = NULL;
	int r;

	if (!a)
		return -ENOMEM;
	a->items = calloc(rules->n_items, sizeof(*a->items));
	a->endpoint = options->endpoint ? strdup(options->endpoint) : NULL;
	if (!a->items || (options->endpoint && !a->endpoint))
		return -ENOMEM;
	a->explicit_wanted = options->explicit_wanted;
	r = look_at_process(&g);
	if (r < 0)
		return r;
	while (a->n_items < rules->n_items) {
		g.j = &a->items[a->n_items];
		g.j->rule = rules->items[a->n_items++];
		g.j->sources.deciding = -1;
		kr_diag_about(diag, g.j->rule->name);
		r = judge_one(&g);
		kr_diag_about(diag, NULL);
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

static void view_done(struct kr_view *view)
{
	free(view->reason);
	kr_value_done(&view->value);
}

struct kr_audit *kr_audit_free(struct kr_audit *a)
{
	if (!a)
		return NULL;
	for (size_t i = 0; i < a->n_items; i++) {
		struct kr_judgement *j = &a->items[i];

		kr_sources_done(&j->sources);
		view_done(&j->disk);
		view_done(&j->running);
		view_done(&j->live);
		free(j->reason);
	}
	free(a->items);
	kr_strings_done(&a->changed);
	free(a->endpoint);
	free(a);
	return NULL;
}
