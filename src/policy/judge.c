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

static const char *const verdict_names[] = {
	[KR_VERDICT_PASS] = "pass",
	[KR_VERDICT_FAIL] = "fail",
	[KR_VERDICT_INVALID] = "invalid",
	[KR_VERDICT_UNKNOWN] = "unknown",
};

static_assert(ARRAY_SIZE(verdict_names) == _KR_VERDICT_MAX,
              "a name for each verdict");

const char *kr_verdict_to_string(enum kr_verdict verdict)
{
	return verdict_names[verdict];
}

const struct kr_source *kr_audit_deciding(const struct kr_audit *audit)
{
	return audit->disk.source >= 0
	               ? &audit->sources.items[audit->disk.source]
	               : NULL;
}

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
static int note(struct kr_audit *audit, enum change change, const char *path,
                const char **ctime_only)
{
	if (change == CTIME_ONLY)
		*ctime_only = path;
	if (change != CHANGED)
		return 0;
	return kr_strings_add(&audit->changed, path);
}

static int note_folder(struct kr_node *node, struct kr_audit *audit,
                       const char *path)
{
	struct kr_fs *fs = node->process_fs ? node->process_fs : node->fs;
	_cleanup_stat_ struct kr_stat st = {0};
	uint64_t limit = node->process.started_usec + START_SLACK_USEC;
	const char *ignored;
	int r = kr_fs_stat(fs, path, true, &st);

	if (r == -ENOMEM)
		return r;
	/* a folder that is gone was there when it was listed: changed */
	if (r == 0 && to_usec(st.st.st_mtim) <= limit)
		return 0;
	return note(audit, CHANGED, path, &ignored);
}

/* What the running kubelet has read and what has changed since. CTIME_ONLY:
 * the last file of which only that can be said, or NULL. */
static int find_drift(struct kr_node *node, struct kr_audit *audit,
                      const char **ret_ctime_only)
{
	const struct kr_inputs *in = &node->running;
	int r;

	*ret_ctime_only = NULL;
	for (size_t i = 0; i < in->n_files; i++) {
		r = note(audit,
		         changed_since(&in->files[i]->st, in->files[i]->btime,
		                       node->process.started_usec),
		         in->files[i]->path, ret_ctime_only);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < in->folders.n_items; i++) {
		r = note_folder(node, audit, in->folders.items[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int running_unreadable(const char *reason, struct kr_audit *audit)
{
	audit->running.state = KR_STATE_UNKNOWN;
	return kr_format(&audit->running.reason, "%s", reason);
}

static int running_from_files(struct kr_node *node, struct kr_audit *audit,
                              const struct kr_decision *d,
                              const char *ctime_only, struct kr_diag *diag)
{
	int r;

	if (audit->changed.n_items > 0) {
		audit->running.state = KR_STATE_UNKNOWN;
		return kr_format(&audit->running.reason,
		                 "%s changed after kubelet[%d] was started",
		                 audit->changed.items[0],
		                 (int)node->process.pid);
	}
	if (ctime_only) {
		audit->assumed = true;
		kr_diag_add_path(diag, KR_WARNING, "ctime-later", ctime_only,
		                 "its ctime is later than the start of "
		                 "kubelet[%d], its content is taken to be what "
		                 "that has read",
		                 (int)node->process.pid);
	}
	if (d->state == KR_STATE_UNKNOWN)
		return running_unreadable(d->reason, audit);
	if (d->state == KR_STATE_INVALID && !node->process_settled) {
		audit->running.state = KR_STATE_UNKNOWN;
		return kr_format(
			&audit->running.reason,
			"kubelet[%d] was started with it, and has not shown "
			"that it can live with it: %s",
			(int)node->process.pid, d->reason);
	}
	if (d->state == KR_STATE_INVALID) {
		audit->running.state = KR_STATE_UNKNOWN;
		kr_diag_add(diag, KR_WARNING, "model-disagrees", KR_SPAN_NONE,
		            "kubelet[%d] runs although this would stop it: %s",
		            (int)node->process.pid, d->reason);
		return kr_format(
			&audit->running.reason,
			"kubelet[%d] runs on what is held to be invalid "
			"here",
			(int)node->process.pid);
	}
	r = kr_value_copy(&d->value, &audit->running.value);
	if (r < 0)
		return r;
	audit->running.state = d->state;
	return kr_format(&audit->running.reason,
	                 "kubelet[%d] was started with it",
	                 (int)node->process.pid);
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
static int judge_hidden(struct kr_node *node, struct kr_audit *audit)
{
	const struct kr_foreign *foreign = node->disk.foreign;

	audit->running.state = KR_STATE_UNKNOWN;
	audit->pid = node->host_pid;
	audit->started_usec = node->host_started_usec;
	if (foreign)
		return kr_format(
			&audit->running.reason,
			"kubelet is a part of %s[%d], which does not show "
			"its arguments",
			foreign->name, (int)node->host_pid);
	return kr_format(&audit->running.reason,
	                 "process %d of %s is not known to be a kubelet",
	                 (int)node->host_pid, node->unit_name);
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

static int running_from_flag(struct kr_node *node, struct kr_audit *audit,
                             const struct kr_decision *d,
                             const struct kr_flag_use *flag)
{
	int r = d->by == KR_BY_FLAG
	                ? kr_value_copy(&d->value, &audit->running.value)
	                : kr_flag_use_value(flag, flag->field,
	                                    &audit->running.value);

	if (r < 0)
		return r;
	audit->running.state = kr_value_state(&audit->running.value);
	audit->running_arg = flag->arg;
	return kr_format(&audit->running.reason,
	                 "kubelet[%d] was started with the flag: its argument "
	                 "%zu is %s",
	                 (int)node->process.pid, flag->arg,
	                 node->running.argv[flag->arg]);
}

static int judge_process(struct kr_node *node, struct kr_audit *audit,
                         int field, struct kr_diag *diag)
{
	_cleanup_decision_ struct kr_decision d = {0};
	const struct kr_flag_use *flag;
	const char *ctime_only;
	int r = kr_decide(&node->running, field, &d);

	if (r < 0)
		return r;
	r = find_drift(node, audit, &ctime_only);
	if (r < 0)
		return r;
	flag = running_flag(node, field, &d);
	if (flag)
		r = running_from_flag(node, audit, &d, flag);
	else
		r = running_from_files(node, audit, &d, ctime_only, diag);
	if (r < 0)
		return r;
	if (audit->running.state == audit->disk.state &&
	    (audit->running.state != KR_STATE_VALUE ||
	     kr_value_equal(&audit->running.value, &audit->disk.value)) &&
	    node->disk.inputs_valid &&
	    same_argv(&node->disk.inputs, &node->running))
		audit->running.source = audit->disk.source;
	return 0;
}

static int judge_running(struct kr_node *node, struct kr_audit *audit,
                         int field, struct kr_diag *diag)
{
	audit->running.source = -1;
	audit->running.state = KR_STATE_ABSENT;
	if (node->process_doubt) {
		audit->running.state = KR_STATE_UNKNOWN;
		return kr_format(&audit->running.reason, "%s",
		                 node->process_doubt);
	}
	if (!node->has_process && node->host_pid > 0)
		return judge_hidden(node, audit);
	if (!node->has_process)
		return kr_format(&audit->running.reason,
		                 node->live ? "kubelet does not run"
		                            : "an image, no running system");
	audit->pid = node->process.pid;
	audit->started_usec = node->process.started_usec;
	if (!node->running_valid)
		return running_unreadable(
			node->running.reason
				?: "what it was started with cannot be read",
			audit);
	return judge_process(node, audit, field, diag);
}

/* --- the other views ----------------------------------------------------- */

static int judge_disk(struct kr_node *node, struct kr_audit *audit, int field)
{
	_cleanup_decision_ struct kr_decision d = {0};
	int r = kr_node_decide(node, field, &d);

	if (r < 0)
		return r;
	r = kr_sources_collect(node, field, &d, &audit->sources);
	if (r < 0)
		return r;
	audit->disk.state = d.state;
	audit->either_default = d.either_default;
	audit->disk.source = audit->sources.deciding;
	audit->disk.reason = TAKE_PTR(d.reason);
	audit->disk.value = d.value;
	d.value = (struct kr_value){0};
	return 0;
}

/* The disk is called invalid, yet a kubelet runs on the same words and files.
 */
static int doubt_disk(struct kr_node *node, struct kr_audit *audit,
                      struct kr_diag *diag)
{
	if (audit->disk.state != KR_STATE_INVALID || !node->process_settled ||
	    !node->running_valid || !node->disk.inputs_valid ||
	    !same_argv(&node->disk.inputs, &node->running) ||
	    audit->changed.n_items > 0)
		return 0;
	audit->disk.state = KR_STATE_UNKNOWN;
	kr_diag_add(diag, KR_WARNING, "model-disagrees", KR_SPAN_NONE,
	            "kubelet[%d] runs on this very configuration, which is "
	            "held to be invalid here: %s",
	            (int)node->process.pid, audit->disk.reason);
	return kr_format(&audit->disk.reason,
	                 "held to be invalid, but kubelet[%d] runs on it",
	                 (int)node->process.pid);
}

static bool is_told(const struct kr_view *view)
{
	return view->state == KR_STATE_TRUE || view->state == KR_STATE_FALSE;
}

/* Two views that cannot both be right, or that a restart will bring together.
 */
static void name_disagreement(struct kr_node *node, struct kr_audit *audit,
                              struct kr_diag *diag)
{
	const char *live = kr_state_to_string(audit->live.state);

	if (!is_told(&audit->live))
		return;
	if (audit->pid == 0 && !node->process_doubt)
		kr_diag_add(diag, KR_WARNING, "live-disagrees", KR_SPAN_NONE,
		            "configz says %s, but kubelet does not run here: "
		            "it may be another node's (--node)",
		            live);
	else if (is_told(&audit->running) &&
	         audit->running.state != audit->live.state)
		kr_diag_add(diag, KR_WARNING, "live-disagrees", KR_SPAN_NONE,
		            "configz says %s, but kubelet[%d] was started with "
		            "%s: it may be another node's (--node)",
		            live, (int)audit->pid,
		            kr_state_to_string(audit->running.state));
	if (is_told(&audit->disk) && audit->disk.state != audit->live.state)
		kr_diag_add(diag, KR_WARNING, "live-disagrees", KR_SPAN_NONE,
		            "configz says %s, the files say %s: so will "
		            "kubelet once it is restarted",
		            live, kr_state_to_string(audit->disk.state));
}

/* What a changed file, or another program around it, hides of the running
 * kubelet, configz may tell. */
static int running_from_live(struct kr_node *node, struct kr_audit *audit)
{
	if (!is_told(&audit->live) || node->process_doubt || audit->pid == 0 ||
	    audit->running.state != KR_STATE_UNKNOWN)
		return 0;
	audit->running.state = audit->live.state;
	return kr_format(&audit->running.reason,
	                 "kubelet[%d] says so of itself", (int)audit->pid);
}

static int judge_live(struct kr_node *node, struct kr_audit *audit,
                      const struct kr_audit_options *options,
                      struct kr_diag *diag)
{
	int r;

	audit->live.source = -1;
	audit->live.state = options->live;
	if (options->endpoint) {
		audit->endpoint = strdup(options->endpoint);
		if (!audit->endpoint)
			return -ENOMEM;
	}
	r = kr_format(&audit->live.reason, "%s",
	              options->live_reason ? options->live_reason
	                                   : "not asked for");
	if (r < 0)
		return r;
	name_disagreement(node, audit, diag);
	return running_from_live(node, audit);
}

/* --- the verdict --------------------------------------------------------- */

static bool any(const struct kr_audit *a, enum kr_state state)
{
	return a->disk.state == state || a->running.state == state ||
	       a->live.state == state;
}

/* Somebody wrote true down: the default alone does not do. */
static bool written_down(const struct kr_audit *a)
{
	const struct kr_source *s = kr_audit_deciding(a);

	return s && s->kind != KR_SOURCE_DEFAULT && s->state == KR_STATE_TRUE;
}

static int judge_fail(struct kr_node *node, struct kr_audit *a)
{
	const char *key = node->setting->key;

	a->verdict = KR_VERDICT_FAIL;
	if (a->disk.state == KR_STATE_FALSE)
		return kr_format(&a->reason,
		                 "kubelet would start with %s = false", key);
	if (a->running.state == KR_STATE_FALSE &&
	    a->disk.state == KR_STATE_TRUE) {
		a->restart_needed = true;
		return kr_format(
			&a->reason,
			"kubelet runs with %s = false; the files say true, "
			"a restart is needed",
			key);
	}
	if (a->running.state == KR_STATE_FALSE)
		return kr_format(&a->reason, "kubelet runs with %s = false",
		                 key);
	if (a->live.state == KR_STATE_FALSE) {
		a->restart_needed = a->disk.state == KR_STATE_TRUE;
		return kr_format(
			&a->reason,
			"kubelet says through the API server that it runs "
			"with %s = false%s",
			key,
			a->restart_needed
				? "; the files say true, a restart is needed"
				: "");
	}
	return kr_format(
		&a->reason,
		"%s is true only by kubelet's default, nothing says so", key);
}

static int judge(struct kr_node *node, struct kr_audit *a)
{
	const char *key = node->setting->key;

	if (any(a, KR_STATE_FALSE) ||
	    (a->explicit_wanted && a->disk.state == KR_STATE_TRUE &&
	     !written_down(a)))
		return judge_fail(node, a);
	if (any(a, KR_STATE_INVALID)) {
		a->verdict = KR_VERDICT_INVALID;
		return kr_format(&a->reason, "%s", a->disk.reason);
	}
	a->verdict = KR_VERDICT_UNKNOWN;
	if (a->disk.state == KR_STATE_UNKNOWN)
		return kr_format(&a->reason, "%s", a->disk.reason);
	if (a->running.state == KR_STATE_UNKNOWN)
		return kr_format(&a->reason,
		                 "what kubelet runs with is not known: %s",
		                 a->running.reason);
	if (a->live.state == KR_STATE_UNKNOWN)
		return kr_format(&a->reason,
		                 "what kubelet says of itself is not known: %s",
		                 a->live.reason);
	if (!any(a, KR_STATE_TRUE))
		return kr_format(&a->reason, "no view has a value");
	a->verdict = KR_VERDICT_PASS;
	if (node->disk.inputs_valid && node->disk.inputs.by == KR_BY_DEFAULT)
		return kr_format(&a->reason, "%s is true by kubelet's default",
		                 key);
	return kr_format(&a->reason, "%s is true", key);
}

static struct kr_audit *new_audit(void)
{
	struct kr_audit *a = calloc(1, sizeof(*a));

	if (a)
		a->sources.deciding = -1;
	return a;
}

static int judge_views(struct kr_node *node, struct kr_audit *a, int field,
                       struct kr_diag *diag)
{
	int r = judge_disk(node, a, field);

	if (r < 0)
		return r;
	r = judge_running(node, a, field, diag);
	if (r < 0)
		return r;
	return doubt_disk(node, a, diag);
}

int kr_audit_field(struct kr_node *node, int field, struct kr_diag *diag,
                   struct kr_audit **ret)
{
	static const struct kr_audit_options options = {
		.live = KR_STATE_ABSENT,
	};
	_cleanup_audit_ struct kr_audit *a = new_audit();
	int r;

	if (!a)
		return -ENOMEM;
	r = judge_views(node, a, field, diag);
	if (r < 0)
		return r;
	r = judge_live(node, a, &options, diag);
	if (r < 0)
		return r;
	a->verdict = KR_VERDICT_UNKNOWN;
	*ret = TAKE_PTR(a);
	return 0;
}

int kr_audit_run(struct kr_node *node, const struct kr_audit_options *options,
                 struct kr_diag *diag, struct kr_audit **ret)
{
	_cleanup_audit_ struct kr_audit *a = new_audit();
	const char *why = NULL;
	int r;

	if (!a)
		return -ENOMEM;
	a->explicit_wanted = options->explicit_wanted;
	r = judge_views(node, a, node->setting->field, diag);
	if (r < 0)
		return r;
	r = judge_live(node, a, options, diag);
	if (r < 0)
		return r;
	r = judge(node, a);
	if (r < 0)
		return r;
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
	kr_sources_done(&a->sources);
	kr_strings_done(&a->changed);
	free(a->reason);
	free(a->disk.reason);
	kr_value_done(&a->disk.value);
	free(a->running.reason);
	kr_value_done(&a->running.value);
	free(a->live.reason);
	free(a->endpoint);
	free(a);
	return NULL;
}
