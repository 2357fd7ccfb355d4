/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What all steps of a fix and an undo have in common: the node and its audit,
 * whose the change is, how long a phase may take, and how a run ends. No step
 * is called from here.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/format.h"
#include "base/utf8.h"
#include "fix/apply.h"
#include "host/figures.h"
#include "host/interrupted.h"
#include "store/lock.h"

int kr_apply_end(struct kr_applying *f, enum kr_outcome outcome,
                 const char *format, ...)
{
	va_list args;
	int r;

	f->fix->outcome = outcome;
	va_start(args, format);
	r = kr_vformat(&f->fix->reason, format, args);
	va_end(args);
	return r < 0 ? r : KR_STEP_ENDED;
}

int kr_apply_refuse(struct kr_applying *f, const char *code, const char *format,
                    ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;
	int r;

	va_start(args, format);
	r = vasprintf(&text, format, args);
	va_end(args);
	if (r < 0) {
		text = NULL;
		return -ENOMEM;
	}
	kr_diag_add(f->diag, KR_ERROR, code, KR_SPAN_NONE, "%s", text);
	return kr_apply_end(f, KR_OUTCOME_REFUSED, "%s", text);
}

int kr_apply_end_interrupted(struct kr_applying *f)
{
	return kr_apply_end(f, KR_OUTCOME_FAILED,
	                    "interrupted before anything was changed");
}

int kr_apply_end_by_error(struct kr_applying *f, enum kr_outcome outcome,
                          const char *otherwise)
{
	_cleanup_free_ char *reason = kr_diag_reason(f->diag, otherwise);
	const struct kr_message *m = kr_diag_cause(f->diag);
	char *lf = NULL;
	int r;

	if (!reason)
		return -ENOMEM;
	/* a plan's refusal has lines only where they have to be written */
	if (m && strcmp(m->code, "refused") == 0)
		lf = strchr(reason, '\n');
	if (lf) {
		*lf = '\0';
		r = kr_format(&f->fix->lines, "%s\n", lf + 1);
		if (r < 0)
			return r;
	}
	return kr_apply_end(f, outcome, "%s", reason);
}

int kr_apply_end_unread(struct kr_applying *f, int error)
{
	if (!kr_diag_first(f->diag, KR_ERROR))
		kr_diag_add_path(f->diag, KR_ERROR, "node-unreadable", f->root,
		                 "the node cannot be read: %s",
		                 kr_fs_strerror(-error));
	return kr_apply_end_by_error(f, KR_OUTCOME_FAILED, "");
}

struct kr_node *kr_apply_node(struct kr_applying *f)
{
	return f->fix->host->node;
}

bool kr_apply_can_restart(struct kr_applying *f)
{
	return kr_apply_node(f)->live && f->fix->host->manager &&
	       f->fix->host->loaded;
}

bool kr_apply_may_write(struct kr_applying *f)
{
	return !kr_apply_node(f)->live || geteuid() == 0;
}

bool kr_apply_is_mine(const struct kr_applying *f)
{
	return !f->tx || kr_transaction_is_mine(f->tx);
}

const struct kr_inputs *kr_apply_planned(struct kr_applying *f)
{
	return f->fix->plan->after ? &f->fix->plan->after->disk.inputs
	                           : &kr_apply_node(f)->disk.inputs;
}

const struct kr_view *kr_apply_planned_view(const struct kr_applying *f,
                                            size_t i)
{
	const struct kr_fix *fix = f->fix;

	return fix->plan->audit ? &fix->plan->audit->items[i].disk
	                        : &fix->before->items[i].disk;
}

enum kr_state kr_apply_planned_state(struct kr_applying *f)
{
	return kr_apply_planned_view(f, 0)->state;
}

int kr_apply_describe_disk(const struct kr_judgement *j, char **ret)
{
	const struct kr_source *s = kr_judgement_deciding(j);
	_cleanup_free_ char *value = NULL;
	int r;

	if (!kr_state_is_value(j->disk.state))
		return kr_format(ret, "%s", kr_state_to_string(j->disk.state));
	if (s && s->kind == KR_SOURCE_DEFAULT)
		return kr_format(ret, "default");
	r = kr_value_format(&j->disk.value, &value);
	if (r < 0)
		return r;
	/* as it comes back from the record */
	*ret = kr_utf8_copy(value, strlen(value));
	return *ret ? 0 : -ENOMEM;
}

bool kr_apply_is_left(const struct kr_applying *f, size_t i)
{
	const struct kr_plan *plan = f->fix->plan;
	const struct kr_judgement *j = &f->fix->before->items[i];

	/* of a waived one the files may be correct, and what runs not */
	return j->waiver || (plan && kr_plan_left(plan, j->rule));
}

const struct kr_judgement *kr_apply_find(
	const struct kr_applying *f, const struct kr_audit *audit,
	bool (*matches)(const struct kr_judgement *j))
{
	for (size_t i = 0; i < audit->n_items; i++) {
		if (!kr_apply_is_left(f, i) && matches(&audit->items[i]))
			return &audit->items[i];
	}
	return NULL;
}

/* kubelet would not start, by this rule's own setting. */
static bool is_own_fault(const struct kr_judgement *j)
{
	return j->disk.state == KR_STATE_INVALID && j->by_setting;
}

bool kr_apply_cures(const struct kr_applying *f)
{
	const struct kr_audit *before = f->fix->before;

	if (kr_apply_find(f, before, is_own_fault))
		return true;
	for (size_t i = 0; f->fix->plan && i < before->n_items; i++) {
		if (before->items[i].disk.state == KR_STATE_INVALID &&
		    !kr_apply_is_left(f, i) &&
		    kr_state_is_value(kr_apply_planned_view(f, i)->state))
			return true;
	}
	return false;
}

bool kr_apply_changes(const struct kr_applying *f, const struct kr_rule *rule)
{
	const struct kr_audit *before = f->fix->before;

	if (kr_plan_fixes(f->fix->plan, rule))
		return true;
	for (size_t i = 0; i < before->n_items; i++) {
		if (before->items[i].rule == rule && !kr_apply_is_left(f, i))
			return kr_judgement_runs_wrong(&before->items[i]);
	}
	return false;
}

static bool same_value(const struct kr_view *a, const struct kr_view *b)
{
	return a->state == b->state && (!kr_state_is_value(a->state) ||
	                                kr_value_equal(&a->value, &b->value));
}

bool kr_apply_is_as_planned(const struct kr_applying *f, bool running)
{
	for (size_t i = 0; i < f->fix->after->n_items; i++) {
		const struct kr_judgement *after = &f->fix->after->items[i];
		const struct kr_view *wanted = kr_apply_planned_view(f, i);

		if (kr_apply_is_left(f, i) || !after->rule->test)
			continue;
		if (!same_value(&after->disk, wanted))
			return false;
		/* kubelet does not read modes and owners */
		if (running && after->rule->n_fields > 0 &&
		    !same_value(&after->running, wanted))
			return false;
	}
	return true;
}

const struct kr_judgement *kr_apply_before(const struct kr_applying *f)
{
	return &f->fix->before->items[0];
}

bool kr_apply_is_usual(const struct kr_applying *f)
{
	return kr_rules_are_usual(f->options->rules);
}

struct kr_audit_options kr_apply_audit_options(const struct kr_applying *f)
{
	return (struct kr_audit_options){
		.explicit_wanted = f->options->explicit_wanted,
		.waivers = f->options->waivers,
		.live = f->live.state,
		.live_reason = f->live.reason,
		.endpoint = f->live.endpoint,
		.live_values =
			f->live.state == KR_STATE_ABSENT || kr_apply_is_usual(f)
				? NULL
				: &f->live_values,
	};
}

/* --- the end ------------------------------------------------------------- */

int kr_apply_audit_again(struct kr_applying *f)
{
	const struct kr_audit_options options = kr_apply_audit_options(f);
	_cleanup_diag_ struct kr_diag found = {0};
	struct kr_fix *fix = f->fix;
	int r;

	fix->after = kr_audit_free(fix->after);
	fix->host_after = kr_host_free(fix->host_after);
	r = kr_host_open(&fix->host->options, &found, &fix->host_after);
	if (r < 0)
		return r;
	return kr_audit_run(fix->host_after->node, f->options->rules, &options,
	                    &found, &fix->after);
}

int kr_apply_interrupted(struct kr_applying *f)
{
	if (!f->options->tick)
		return 0;
	return f->options->tick(f->options->closure, "", 0, 0);
}

int kr_apply_tick_on(void *closure, const char *what, uint64_t passed_usec,
                     uint64_t limit_usec)
{
	const struct kr_applying *f = closure;

	if (f->options->tick)
		f->options->tick(f->options->closure, what, passed_usec,
		                 limit_usec);
	return 0;
}

/* On the way back kubelet has more time than that of the timer, which may run
 * out then: what it starts waits for us as long as the record says. */
uint64_t kr_apply_phase_usec(struct kr_applying *f, bool back)
{
	uint64_t wait_usec = f->options->wait_usec;

	if (back && wait_usec < KR_BACK_USEC)
		wait_usec = KR_BACK_USEC;
	return kr_watchdog_limit_usec(f->fix->host, wait_usec);
}

/* Who goes on where this run is killed, and when. */
static void tell_timer(const struct kr_applying *f, bool back)
{
	char when[KR_RFC3339_SIZE];

	if (!f->watchdog.name)
		return;
	kr_local_hour(kr_realtime_usec() +
	                      kr_watchdog_limit_usec(f->fix->host,
	                                             f->options->wait_usec),
	              when);
	kr_actions_say(
		&f->fix->actions, "if this program is killed, systemd %s at %s",
		back ? "puts everything back" : "reverts the change", when);
}

void kr_apply_begin_phase(struct kr_applying *f, bool back)
{
	if (f->tx)
		kr_transaction_extend(f->tx, kr_apply_phase_usec(f, back));
	kr_watchdog_rearm(&f->watchdog, f->fix->host);
	tell_timer(f, back);
}

/* A run that waits in vain says for whom. */
static void report_other(struct kr_applying *f)
{
	struct kr_host *host = f->fix->host;
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_fs_ struct kr_fs *now = NULL;

	if (kr_fs_new(kr_fs_root_fd(host->node->fs), &now) == 0 &&
	    kr_manifests_read(now, NULL, &list) == 0)
		kr_interrupted_report(now, &list, host->node->proc_fd,
		                      host->manager, f->diag);
}

int kr_apply_lock(struct kr_applying *f)
{
	int r;

	if (f->lock_fd >= 0)
		return KR_STEP_GO_ON;
	r = kr_lock_take(kr_apply_node(f)->fs, f->options->wait_usec,
	                 f->options->tick, f->options->closure, f->diag,
	                 &f->lock_fd);
	if (r == -ENOMEM)
		return r;
	if (r == -EINTR)
		return kr_apply_end_interrupted(f);
	if (r == KR_LOCK_OURS)
		return KR_STEP_GO_ON;
	if (r == KR_LOCK_WAITED)
		return KR_STEP_AGAIN;
	if (r == KR_LOCK_BUSY)
		report_other(f);
	return kr_apply_end_by_error(f, KR_OUTCOME_REFUSED,
	                             "the lock cannot be taken");
}
