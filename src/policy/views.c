/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Views.
 *
 *   disk     what the unit, its environment and kubelet's files would give
 *   running  what the process was started with: its argv, and its files where
 *            they have not changed since
 *   live     what configz says, where it was asked
 *
 * A file has changed when its mtime or its inode's birth is later than the
 * start by more than 20 ms (a start time from /proc is only so exact). A later
 * ctime alone (chmod, a link) keeps the value, with a warning; without one
 * where our own record has that ctime.
 *
 * A kubelet that has settled on the very argv and the unchanged files that we
 * call invalid proves us wrong: unknown, "model-disagrees". One that has only
 * been started proves nothing: kubelet takes 0.1 s to refuse its files, and up
 * to 14 s for the rest.
 *
 * A rule may show two fields as one value, and look at others that it does not
 * show. Each has its own three views first.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/vec.h"
#include "policy/views.h"
#include "unit/credentials.h"

/* --- the running view ---------------------------------------------------- */

/* What has changed since the process was started: nothing, only a ctime, or
 * what the file says. */
enum change {
	UNCHANGED,
	CTIME_ONLY,
	CHANGED,
};

static enum change changed_since(const struct kr_file_stat *st,
                                 struct timespec btime, uint64_t started_usec)
{
	uint64_t limit = started_usec + KR_PROCESS_START_SLACK_USEC;

	if (kr_timespec_usec(&st->st_mtim) > limit ||
	    kr_timespec_usec(&btime) > limit)
		return CHANGED;
	return kr_timespec_usec(&st->st_ctim) > limit ? CTIME_ONLY : UNCHANGED;
}

/* Adds PATH to what changed, or remembers a later ctime. */
static int note(struct kr_judging *g, enum change change, const char *path)
{
	if (change == CTIME_ONLY)
		g->ctime_only = path;
	if (change != CHANGED)
		return 0;
	return kr_strings_add(&g->audit->changed, path);
}

static int note_folder(struct kr_judging *g, const char *path)
{
	struct kr_node *node = g->node;
	struct kr_fs *fs = node->process_fs ? node->process_fs : node->fs;
	struct stat st;
	uint64_t limit =
		node->process.started_usec + KR_PROCESS_START_SLACK_USEC;
	int r = kr_fs_look(fs, path, true, &st);

	if (r == -ENOMEM)
		return r;
	/* a folder that is gone was there when it was listed: changed */
	if (r == 0 && kr_timespec_usec(&st.st_mtim) <= limit)
		return 0;
	return note(g, CHANGED, path);
}

/* A fix of its mode or owner has changed it, and no one since. */
static bool is_by_us(const struct kr_node *node, const struct kr_file *file)
{
	return node->changed_by_us &&
	       node->changed_by_us(node->changed_closure, file->real,
	                           &file->st.st_ctim);
}

/* What the running kubelet has read and what has changed since. */
static int find_drift(struct kr_judging *g)
{
	const struct kr_inputs *in = &g->node->running;
	int r;

	for (size_t i = 0; i < in->n_files; i++) {
		const struct kr_file *file = in->files[i];
		enum change change = changed_since(
			&file->st, file->btime, g->node->process.started_usec);

		if (kr_credentials_have(file->path))
			continue;
		if (change == CTIME_ONLY && is_by_us(g->node, file))
			change = UNCHANGED;
		r = note(g, change, file->path);
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

int kr_views_begin(struct kr_judging *g)
{
	const struct kr_node *node = g->node;

	if (node->process_doubt || g->options->restarts)
		return 0;
	if (!node->has_process) {
		g->audit->pid = node->host_pid;
		g->audit->started_usec = node->host_started_usec;
		return 0;
	}
	g->audit->pid = node->process.pid;
	g->audit->started_usec = node->process.started_usec;
	g->audit->start_ticks = node->process.start_ticks;
	return node->running_valid && !node->before ? find_drift(g) : 0;
}

int kr_view_set(struct kr_view *view, enum kr_state state, const char *format,
                ...)
{
	va_list args;
	int r;

	view->state = state;
	va_start(args, format);
	r = kr_vformat(&view->reason, format, args);
	va_end(args);
	return r;
}

static int running_from_files(struct kr_judging *g, const struct kr_decision *d,
                              struct kr_view *view)
{
	int pid = (int)g->node->process.pid, r;

	if (g->audit->changed.n_items > 0)
		return kr_view_set(view, KR_STATE_UNKNOWN,
		                   "%s changed after kubelet[%d] was started",
		                   g->audit->changed.items[0], pid);
	if (g->ctime_only) {
		g->j->assumed = true;
		kr_diag_add_path(g->diag, KR_WARNING, "ctime-later",
		                 g->ctime_only,
		                 "its ctime is later than the start of "
		                 "kubelet[%d], its content is taken to be what "
		                 "that has read",
		                 pid);
	}
	view->by = d->by;
	view->either_default = d->either_default;
	if (d->state == KR_STATE_UNKNOWN)
		return kr_view_set(view, KR_STATE_UNKNOWN, "%s", d->reason);
	if (d->state == KR_STATE_INVALID && kr_node_reads_other_config(g->node))
		return kr_view_set(view, KR_STATE_UNKNOWN,
		                   "kubelet[%d] reads another file than %s, "
		                   "which was given with --config",
		                   pid, g->node->config_override);
	if (d->state == KR_STATE_INVALID && !g->node->process_settled)
		return kr_view_set(view, KR_STATE_UNKNOWN,
		                   "kubelet[%d] was started with it, and has "
		                   "not settled yet: %s",
		                   pid, d->reason);
	if (d->state == KR_STATE_INVALID) {
		kr_diag_add(g->diag, KR_WARNING, "model-disagrees",
		            KR_SPAN_NONE,
		            "kubelet[%d] runs although this would stop it: %s",
		            pid, d->reason);
		return kr_view_set(
			view, KR_STATE_UNKNOWN,
			"kubelet[%d] runs on what is held to be invalid here",
			pid);
	}
	r = kr_value_copy(&d->value, &view->value);
	if (r < 0)
		return r;
	return kr_view_set(view, d->state, "kubelet[%d] was started with it",
	                   pid);
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
static int judge_hidden(const struct kr_judging *g, struct kr_view *view)
{
	const struct kr_foreign *foreign = g->node->disk.foreign;
	int pid = (int)g->node->host_pid;

	if (foreign)
		return kr_view_set(view, KR_STATE_UNKNOWN,
		                   "kubelet is a part of %s[%d], which does "
		                   "not show its arguments",
		                   foreign->name, pid);
	return kr_view_set(view, KR_STATE_UNKNOWN,
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

static int running_from_flag(const struct kr_judging *g,
                             const struct kr_decision *d,
                             const struct kr_flag_use *flag,
                             struct kr_view *view)
{
	struct kr_value *value = &view->value;
	int r = d->by == KR_BY_FLAG
	                ? kr_value_copy(&d->value, value)
	                : kr_flag_use_value(flag, flag->field, value);

	if (r < 0)
		return r;
	g->j->running_arg = flag->arg;
	return kr_view_set(view, kr_value_state(value),
	                   "kubelet[%d] was started with the flag: its "
	                   "argument %u is %s",
	                   (int)g->node->process.pid, flag->arg,
	                   g->node->running.argv[flag->arg]);
}

static bool same_value(const struct kr_view *a, const struct kr_view *b)
{
	return a->state == b->state && (!kr_state_is_value(a->state) ||
	                                kr_value_equal(&a->value, &b->value));
}

static int judge_process(struct kr_judging *g, int field,
                         const struct kr_view *disk, struct kr_view *view)
{
	const struct kr_node *node = g->node;
	_cleanup_decision_ struct kr_decision d = {0};
	const struct kr_flag_use *flag;
	int r = kr_decide(&node->running, field, &d);

	if (r < 0)
		return r;
	g->j->needs_version = g->j->needs_version || d.needs_version;
	flag = running_flag(node, field, &d);
	if (flag)
		r = running_from_flag(g, &d, flag, view);
	else
		r = running_from_files(g, &d, view);
	if (r < 0)
		return r;
	if (same_value(view, disk) && kr_node_inputs(node) &&
	    same_argv(&node->disk.inputs, &node->running))
		view->source = disk->source;
	return 0;
}

/* Of a kubelet that is still to be started. */
static int judge_started(const struct kr_view *disk, struct kr_view *view)
{
	int r;

	view->either_default = disk->either_default;
	if (!kr_state_is_value(disk->state))
		return kr_view_set(view, disk->state, "%s", disk->reason);
	r = kr_value_copy(&disk->value, &view->value);
	if (r < 0)
		return r;
	view->by = disk->by;
	view->source = disk->source;
	return kr_view_set(view, disk->state, "kubelet is started with it");
}

static int judge_running(struct kr_judging *g, int field,
                         const struct kr_view *disk, struct kr_view *view)
{
	const struct kr_node *node = g->node;

	view->source = -1;
	if (g->options->restarts)
		return judge_started(disk, view);
	/* an edit changes nothing of it: what it runs with is no part of what
	 * the files would give */
	if (node->before &&
	    (node->has_process || node->host_pid > 0 || node->process_doubt))
		return kr_view_set(view, KR_STATE_ABSENT,
		                   "what runs was started before the change");
	if (node->process_doubt)
		return kr_view_set(view, KR_STATE_UNKNOWN, "%s",
		                   node->process_doubt);
	if (!node->has_process && node->host_pid > 0)
		return judge_hidden(g, view);
	if (!node->has_process)
		return kr_view_set(view, KR_STATE_ABSENT, "%s",
		                   node->live ? "kubelet does not run"
		                              : "an image, no running system");
	if (!node->running_valid)
		return kr_view_set(view, KR_STATE_UNKNOWN,
		                   "what it was started with cannot be read");
	return judge_process(g, field, disk, view);
}

/* --- the disk view ------------------------------------------------------- */

/* Why kubelet may not start, of a value that DOUBT leaves open. */
static int leave_open(struct kr_decision *d, const char *doubt)
{
	d->state = KR_STATE_UNKNOWN;
	d->by = KR_BY_NOTHING;
	return kr_format(&d->reason, "%s", doubt);
}

int kr_views_decide(const struct kr_node *node, const struct kr_rule *rule,
                    const struct kr_edition *edition, struct kr_decision *ret)
{
	const size_t n = rule->n_fields + rule->n_also;
	const char *doubt = node->disk.start_doubt;
	int r;

	for (size_t i = 0; i < KR_RULE_FIELDS_MAX; i++)
		ret[i] = (struct kr_decision){0};
	for (size_t i = 0; i < n; i++) {
		r = kr_node_decide(node, rule->fields[i], &ret[i]);
		if (r < 0)
			return r;
	}
	/* what fails is no pass, whatever is there */
	if (!doubt || kr_rule_ask(rule, edition, ret) == KR_ANSWER_FAIL)
		return 0;
	for (size_t i = 0; i < n; i++) {
		r = kr_state_is_value(ret[i].state) ? leave_open(&ret[i], doubt)
		                                    : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* D becomes VIEW. */
static void take_decision(struct kr_judging *g, struct kr_decision *d,
                          struct kr_view *view)
{
	struct kr_judgement *j = g->j;

	view->state = d->state;
	view->either_default = d->either_default;
	view->by = d->by;
	view->source = j->sources.deciding;
	view->reason = TAKE_PTR(d->reason);
	view->value = TAKE(d->value);
	j->by_setting = j->by_setting || d->by_setting;
	j->by_version = j->by_version || d->by_version;
	j->needs_version = j->needs_version || d->needs_version;
}

static int judge_disk(struct kr_judging *g)
{
	const struct kr_rule *rule = g->j->rule;
	struct kr_decision d[KR_RULE_FIELDS_MAX];
	int r = kr_views_decide(g->node, rule, g->edition, d);

	for (size_t i = 0; i < rule->n_fields && r >= 0; i++) {
		r = kr_sources_collect(g->node, rule->fields[i], &d[i],
		                       &g->j->sources);
		if (r >= 0)
			take_decision(g, &d[i], &g->fields[KR_VIEW_DISK][i]);
	}
	for (size_t i = rule->n_fields; i < KR_RULE_FIELDS_MAX && r >= 0; i++)
		take_decision(g, &d[i], &g->fields[KR_VIEW_DISK][i]);
	for (size_t i = 0; i < KR_RULE_FIELDS_MAX; i++)
		kr_decision_done(&d[i]);
	return r;
}

/* The disk is called invalid, yet a kubelet runs on the same words and files.
 */
static int doubt_disk(struct kr_judging *g, struct kr_view *disk)
{
	const struct kr_node *node = g->node;

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

/* --- the live view ------------------------------------------------------- */

/* Two views that cannot both be right, or that a restart will bring together.
 */
static int name_disagreement(const struct kr_judging *g,
                             const struct kr_view *disk,
                             const struct kr_view *running,
                             const struct kr_view *said)
{
	_cleanup_free_ char *live = NULL, *other = NULL;
	int r = kr_value_format(&said->value, &live);

	if (r < 0)
		return r;
	if (g->audit->pid == 0 && !g->node->process_doubt) {
		kr_diag_add(g->diag, KR_WARNING, "live-disagrees", KR_SPAN_NONE,
		            "%s: configz says %s, but kubelet does not run "
		            "here: it may be another node's (--node)",
		            g->j->rule->name, live);
	} else if (kr_state_is_value(running->state) &&
	           !same_value(running, said)) {
		r = kr_value_format(&running->value, &other);
		if (r < 0)
			return r;
		kr_diag_add(g->diag, KR_WARNING, "live-disagrees", KR_SPAN_NONE,
		            "%s: configz says %s, but kubelet[%d] was started "
		            "with %s: it may be another node's (--node)",
		            g->j->rule->name, live, (int)g->audit->pid, other);
	}
	if (!kr_state_is_value(disk->state) || same_value(disk, said))
		return 0;
	free(other);
	other = NULL;
	r = kr_value_format(&disk->value, &other);
	if (r < 0)
		return r;
	kr_diag_add(g->diag, KR_WARNING, "live-disagrees", KR_SPAN_NONE,
	            "%s: configz says %s, the files say %s: so will kubelet "
	            "once it is restarted",
	            g->j->rule->name, live, other);
	return 0;
}

/* What a changed file, or another program around it, hides of the running
 * kubelet, configz may tell. */
static int running_from_live(const struct kr_judging *g,
                             const struct kr_view *said,
                             struct kr_view *running)
{
	int r;

	if (g->node->process_doubt || g->audit->pid == 0 ||
	    running->state != KR_STATE_UNKNOWN)
		return 0;
	r = kr_value_copy(&said->value, &running->value);
	if (r < 0)
		return r;
	running->by = said->by;
	return kr_view_set(running, said->state,
	                   "kubelet[%d] says so of itself", (int)g->audit->pid);
}

/* What was asked of FIELD: all fields, or only the usual control's, or none. */
static struct kr_configz_value find_live(const struct kr_judging *g, int field)
{
	const struct kr_audit_options *o = g->options;
	struct kr_configz_value said = {KR_STATE_ABSENT,
	                                .reason = "not asked for"};

	if (o->live_values &&
	    (field != kr_rules_usual.items[0]->fields[0] || !o->live_reason))
		return o->live_values->items[field];
	if (g->j->rule != kr_rules_usual.items[0])
		return said;
	said.state = o->live;
	if (o->live_reason)
		said.reason = o->live_reason;
	said.value = (struct kr_value){.type = KR_TYPE_BOOL,
	                               .b = o->live == KR_STATE_TRUE};
	return said;
}

/* kubelet shows the certificate that it has made itself, as it was given none.
 */
static bool is_self_made(const struct kr_configz_value *said,
                         const struct kr_view *disk)
{
	return said->self_made && disk->state == KR_STATE_VALUE &&
	       !*disk->value.s;
}

static int judge_live(struct kr_judging *g, size_t i)
{
	static char nothing[] = "";
	const int field = g->j->rule->fields[i];
	struct kr_configz_value said = find_live(g, field);
	struct kr_view *view = &g->fields[KR_VIEW_LIVE][i];
	struct kr_view *running = &g->fields[KR_VIEW_RUNNING][i];
	int r;

	if (is_self_made(&said, &g->fields[KR_VIEW_DISK][i])) {
		said.value =
			(struct kr_value){.type = KR_TYPE_STRING, .s = nothing};
		said.reason = "kubelet has made its certificate itself";
	}
	r = kr_view_set(view, said.state, "%s", said.reason);
	view->source = -1;
	if (r < 0 || !kr_state_is_value(view->state))
		return r;
	r = kr_value_copy(&said.value, &view->value);
	if (r < 0)
		return r;
	/* the benchmarks take what configz leaves out for what nothing sets;
	 * if something does, the other views tell */
	view->by = said.left_out ? KR_BY_DEFAULT : KR_BY_NOTHING;
	if (i < g->j->rule->n_fields)
		r = name_disagreement(g, &g->fields[KR_VIEW_DISK][i], running,
		                      view);
	return r < 0 ? r : running_from_live(g, view, running);
}

/* --- of several fields --------------------------------------------------- */

int kr_views_pair(const struct kr_rule *rule,
                  const struct kr_decision *decisions, struct kr_value *ret)
{
	_cleanup_value_ struct kr_value both = {.type = KR_TYPE_TREE};
	int r;

	for (size_t i = 0; i < rule->n_fields; i++) {
		r = kr_strings_add(&both.list, kr_field_name(rule->fields[i]));
		if (r < 0)
			return r;
		r = kr_strings_add(&both.list, decisions[i].value.s);
		if (r < 0)
			return r;
	}
	*ret = TAKE(both);
	return 0;
}

/* How little the state of one of several fields leaves of the others. */
static int weight(enum kr_state state)
{
	static const int weights[_KR_STATE_MAX] = {
		[KR_STATE_ABSENT] = 1,
		[KR_STATE_UNKNOWN] = 2,
		[KR_STATE_INVALID] = 3,
	};

	return weights[state];
}

/* Two fields are one view: a value only where both have one. */
static int join(struct kr_judging *g, enum kr_view_id id, struct kr_view *ret)
{
	const struct kr_rule *rule = g->j->rule;
	const struct kr_view *first = &g->fields[id][0], *worst = first;
	struct kr_decision d[KR_RULE_FIELDS_MAX];
	int r;

	ret->by = first->by;
	ret->source = first->source;
	for (size_t i = 1; i < rule->n_fields; i++) {
		const struct kr_view *view = &g->fields[id][i];

		if (weight(view->state) > weight(worst->state))
			worst = view;
		if (view->by > ret->by) {
			ret->by = view->by;
			ret->source = view->source;
		}
	}
	r = kr_view_set(ret, worst->state, "%s", worst->reason);
	if (r < 0 || !kr_state_is_value(ret->state))
		return r;
	kr_views_decisions(g, id, d);
	return kr_views_pair(rule, d, &ret->value);
}

static struct kr_view *view_of(struct kr_judgement *j, enum kr_view_id id)
{
	struct kr_view *const views[KR_N_VIEWS] = {
		[KR_VIEW_DISK] = &j->disk,
		[KR_VIEW_RUNNING] = &j->running,
		[KR_VIEW_LIVE] = &j->live,
	};

	return views[id];
}

void kr_views_decisions(const struct kr_judging *g, enum kr_view_id id,
                        struct kr_decision ret[static KR_RULE_FIELDS_MAX])
{
	for (size_t i = 0; i < KR_RULE_FIELDS_MAX; i++) {
		const struct kr_view *view = &g->fields[id][i];

		if (i == 0 && g->j->rule->n_fields != 2)
			view = view_of(g->j, id);
		ret[i] = (struct kr_decision){.state = view->state,
		                              .value = view->value,
		                              .by = view->by};
	}
}

static int show(struct kr_judging *g, enum kr_view_id id)
{
	struct kr_view *ret = view_of(g->j, id);

	if (g->j->rule->n_fields > 1)
		return join(g, id, ret);
	*ret = g->fields[id][0];
	g->fields[id][0] = (struct kr_view){0};
	return 0;
}

int kr_views_find(struct kr_judging *g)
{
	const struct kr_rule *rule = g->j->rule;
	int r = judge_disk(g);

	for (size_t i = 0; i < rule->n_fields + rule->n_also && r >= 0; i++) {
		struct kr_view *disk = &g->fields[KR_VIEW_DISK][i];
		const size_t arg = g->j->running_arg;

		r = judge_running(g, rule->fields[i], disk,
		                  &g->fields[KR_VIEW_RUNNING][i]);
		if (r < 0)
			return r;
		/* of what it shows */
		if (i >= rule->n_fields)
			g->j->running_arg = arg;
		r = doubt_disk(g, disk);
		if (r < 0)
			return r;
		r = judge_live(g, i);
	}
	for (int id = 0; id < KR_N_VIEWS && r >= 0; id++)
		r = show(g, (enum kr_view_id)id);
	return r;
}

void kr_view_done(struct kr_view *view)
{
	free(view->reason);
	kr_value_done(&view->value);
	*view = (struct kr_view){0};
}

void kr_views_end(struct kr_judging *g)
{
	for (int id = 0; id < KR_N_VIEWS; id++) {
		for (size_t i = 0; i < KR_RULE_FIELDS_MAX; i++)
			kr_view_done(&g->fields[id][i]);
	}
	free(g->not_there);
	g->not_there = NULL;
	g->unused = false;
	g->instead = false;
}
