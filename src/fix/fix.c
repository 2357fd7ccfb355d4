/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fix.
 *
 *   read the node ── audit ── plan, proven ── what else a restart would apply
 *        │ nothing is written up to here: refused, 4
 *   new contents beside their targets, copies in /var/lib
 *        │ failed, 4: they are removed again
 *   rename all ── Reload ── restart ── settled? ── read and audit again: 0
 *                                        │ no
 *                rename the old ones back ── Reload ── restart ── settled? 5
 *                                                          │ no: 6
 *
 * kubelet's health is looked at before the first write. One that was down or
 * unhealthy is not restarted by "auto", and a right change is never put back
 * because of it; but where the disk was invalid by our own setting it is, and
 * must get healthy.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "fix/fix.h"
#include "fix/health.h"
#include "fix/pending.h"

#define LOG_LINES 10

static const struct {
	const char *name;
	int status;
} outcomes[] = {
	[KR_OUTCOME_COMPLIANT] = {"compliant", 0},
	[KR_OUTCOME_CHANGED] = {"changed", 0},
	[KR_OUTCOME_WOULD_CHANGE] = {"would-change", 1},
	[KR_OUTCOME_UNCONFIGURED] = {"unconfigured", 3},
	[KR_OUTCOME_REFUSED] = {"refused", 4},
	[KR_OUTCOME_FAILED] = {"failed", 4},
	[KR_OUTCOME_ROLLED_BACK] = {"rolled-back", 5},
	[KR_OUTCOME_BROKEN] = {"broken", 6},
};

static_assert(ARRAY_SIZE(outcomes) == _KR_OUTCOME_MAX,
              "a name for each outcome");

static const char *const restart_names[] = {
	[KR_RESTART_AUTO] = "auto",
	[KR_RESTART_ALWAYS] = "always",
	[KR_RESTART_NEVER] = "never",
};

static_assert(ARRAY_SIZE(restart_names) == _KR_RESTART_MAX, "a name for each");

const char *kr_outcome_to_string(enum kr_outcome outcome)
{
	return outcomes[outcome].name;
}

int kr_outcome_to_status(enum kr_outcome outcome)
{
	return outcomes[outcome].status;
}

int kr_restart_from_string(const char *s, enum kr_restart *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(restart_names); i++) {
		if (strcmp(s, restart_names[i]) == 0) {
			*ret = (enum kr_restart)i;
			return 0;
		}
	}
	return -EINVAL;
}

struct fixing {
	const struct kr_fix_options *options;
	struct kr_fix *fix;
	struct kr_diag *diag;
	struct kr_transaction *tx;
	bool was_healthy;
	char *unhealthy_why;
	bool was_invalid; /* the disk, by our own setting */
};

static void fixing_done(struct fixing *f)
{
	kr_transaction_free(f->tx);
	free(f->unhealthy_why);
}

static int end(struct fixing *f, enum kr_outcome outcome, const char *format,
               ...) _printf_(3, 4);

/* Sets the outcome; 1 tells the steps below that there is no more to do. */
static int end(struct fixing *f, enum kr_outcome outcome, const char *format,
               ...)
{
	va_list args;
	int r;

	free(f->fix->reason);
	f->fix->outcome = outcome;
	va_start(args, format);
	r = vasprintf(&f->fix->reason, format, args);
	va_end(args);
	if (r < 0) {
		f->fix->reason = NULL;
		return -ENOMEM;
	}
	return 1;
}

/* The first error that was found, as the reason of an end. */
static int end_by_error(struct fixing *f, enum kr_outcome outcome,
                        const char *otherwise)
{
	const struct kr_message *m = kr_diag_first(f->diag, KR_ERROR);

	if (m && m->file)
		return end(f, outcome, "%s: %s", m->file, m->text);
	return end(f, outcome, "%s", m ? m->text : otherwise);
}

static struct kr_node *node_of(struct fixing *f)
{
	return f->fix->host->node;
}

static bool can_restart(struct fixing *f)
{
	return node_of(f)->live && f->fix->host->manager &&
	       f->fix->host->loaded;
}

/* --- before the first write ---------------------------------------------- */

static int read_and_audit(struct fixing *f, const struct kr_setting *setting,
                          const struct kr_node_options *node_options)
{
	const struct kr_audit_options options = {
		.explicit_wanted = f->options->explicit_wanted,
		.live = KR_STATE_ABSENT,
	};
	int r = kr_host_open(setting, node_options, f->diag, &f->fix->host);

	if (r == 0)
		r = kr_audit_run(node_of(f), &options, f->diag,
		                 &f->fix->before);
	if (r < 0 && r != -ENOMEM)
		return end_by_error(f, KR_OUTCOME_FAILED,
		                    "the node cannot be read");
	return r;
}

static int check_syntax(struct fixing *f)
{
	const struct kr_message *m = kr_diag_find(f->diag, "unit-syntax");

	if (!m)
		return 0;
	kr_diag_add_path(f->diag, KR_ERROR, "unit-not-understood", m->file,
	                 "line %u is not understood by systemd, which ignores "
	                 "it: it must be put right or taken away first",
	                 m->line);
	return end(f, KR_OUTCOME_REFUSED,
	           "%s:%u:%u is not understood by systemd: %s", m->file,
	           m->line, m->column, m->text);
}

static int make_plan(struct fixing *f)
{
	const struct kr_plan_options options = {
		.method = f->options->method,
		.explicit_wanted = f->options->explicit_wanted,
	};
	int r = kr_plan_make(node_of(f), f->fix->before, &options, f->diag,
	                     &f->fix->plan);

	if (r == -ENOENT)
		return end(f, KR_OUTCOME_UNCONFIGURED, "%s",
		           f->fix->before->disk.reason);
	if (r == -EOPNOTSUPP)
		return end_by_error(f, KR_OUTCOME_REFUSED, "no safe edit");
	if (r < 0 && r != -ENOMEM)
		return end_by_error(f, KR_OUTCOME_FAILED, strerror(-r));
	if (r == 0 && f->fix->plan->edits.n_files > 0)
		r = check_syntax(f);
	return r;
}

/* Whether kubelet will be restarted, and whether it may be. */
static int decide_restart(struct fixing *f)
{
	const struct kr_audit *before = f->fix->before;
	const struct kr_plan *plan = f->fix->plan;
	enum kr_restart restart = f->options->restart;
	bool edits = plan->edits.n_files > 0;
	int r;

	f->was_invalid = before->disk.state == KR_STATE_INVALID &&
	                 node_of(f)->disk.inputs.by_setting;
	if (!node_of(f)->live)
		return 0;
	if (can_restart(f)) {
		r = kr_health_now(f->fix->host, &f->unhealthy_why);
		if (r < 0)
			return r;
		f->was_healthy = r == 1;
	}
	f->fix->reloads = plan->unit_changes || before->reload_needed;
	if (restart == KR_RESTART_NEVER) {
		f->fix->reloads = f->fix->reloads && edits;
		return 0;
	}
	if (restart == KR_RESTART_ALWAYS)
		f->fix->restarts = true;
	else if (f->was_healthy)
		f->fix->restarts =
			edits || before->running.state == KR_STATE_FALSE;
	else
		f->fix->restarts = edits && f->was_invalid;
	f->fix->reloads = f->fix->reloads && (edits || f->fix->restarts);
	return 0;
}

static const struct kr_inputs *planned_inputs(struct fixing *f)
{
	return f->fix->plan->after ? &f->fix->plan->after->disk.inputs
	                           : &node_of(f)->disk.inputs;
}

static int check_pending(struct fixing *f)
{
	const struct kr_audit *before = f->fix->before;
	bool refuses = f->options->restart == KR_RESTART_AUTO;
	int r;

	if (!f->fix->restarts)
		return 0;
	for (size_t i = 0; i < before->n_changed; i++)
		kr_diag_add_path(f->diag, KR_WARNING, "pending-file",
		                 before->changed[i],
		                 "changed after kubelet was started: the "
		                 "restart applies that, too");
	r = kr_pending_arguments(node_of(f), planned_inputs(f),
	                         refuses ? KR_ERROR : KR_WARNING, f->diag);
	if (r <= 0 || !refuses)
		return r < 0 ? r : 0;
	kr_diag_add(f->diag, KR_NOTE, "pending-help", KR_SPAN_NONE,
	            "--restart=always accepts this, --restart=never changes "
	            "only the files");
	return end(f, KR_OUTCOME_REFUSED,
	           "a restart would apply other changes of kubelet's "
	           "arguments, too");
}

static int check_permission(struct fixing *f)
{
	if (node_of(f)->live && geteuid() != 0) {
		kr_diag_add(f->diag, KR_ERROR, "not-root", KR_SPAN_NONE,
		            "only root may change this node: run it with sudo");
		return end(f, KR_OUTCOME_REFUSED,
		           "only root may change this node");
	}
	if (f->fix->restarts && !can_restart(f))
		return end_by_error(f, KR_OUTCOME_REFUSED,
		                    "systemd cannot be reached: --restart="
		                    "never changes only the files");
	return 0;
}

static int end_preview(struct fixing *f)
{
	if (f->fix->plan->edits.n_files > 0 || f->fix->restarts)
		return end(f, KR_OUTCOME_WOULD_CHANGE, "changes would be made");
	return end(f, KR_OUTCOME_COMPLIANT, "%s", f->fix->before->reason);
}

/* --- writing ------------------------------------------------------------- */

static int interrupted(struct fixing *f)
{
	return f->options->tick
	               ? f->options->tick(f->options->closure, "", 0, 0)
	               : 0;
}

static int write_files(struct fixing *f)
{
	struct kr_fix *fix = f->fix;
	uint64_t since = kr_now_usec();
	int r;

	if (fix->plan->edits.n_files == 0)
		return 0;
	if (interrupted(f) < 0)
		return end(f, KR_OUTCOME_FAILED,
		           "interrupted before anything was changed");
	r = kr_transaction_prepare(node_of(f)->fs, &fix->plan->edits, f->diag,
	                           &f->tx);
	if (r == 0)
		r = kr_transaction_commit(f->tx, f->diag);
	if (r == -ENOTRECOVERABLE)
		return end_by_error(f, KR_OUTCOME_BROKEN,
		                    "the files could not be put back");
	if (r < 0 && r != -ENOMEM)
		return end_by_error(f, KR_OUTCOME_FAILED,
		                    "the files could not be replaced");
	if (r < 0)
		return r;
	strlcpy(fix->transaction, kr_transaction_id(f->tx),
	        sizeof(fix->transaction));
	return kr_actions_add(&fix->actions, "write", "done", since);
}

/* --- the way back -------------------------------------------------------- */

static void show_log(struct fixing *f, const char *invocation_id)
{
	const struct kr_journal_query query = {
		.root = node_of(f)->root,
		.unit = node_of(f)->unit_name,
		.invocation_id = invocation_id,
		.n_max = LOG_LINES,
	};
	struct kr_log log = {0};

	if (kr_journal_read(&query, f->diag, &log) < 0)
		return;
	kr_log_done(&f->fix->log);
	f->fix->log = log;
}

static int end_broken(struct fixing *f, const char *why)
{
	if (!f->fix->transaction[0])
		return end(f, KR_OUTCOME_BROKEN, "%s", why);
	return end(f, KR_OUTCOME_BROKEN, "%s; the old files are kept in %s/%s",
	           why, KR_STATE_DIR, f->fix->transaction);
}

static int go_back(struct fixing *f, const char *failure)
{
	_cleanup_free_ char *why = strdup(failure);
	struct kr_activation act = {.wait_usec = f->options->wait_usec};
	uint64_t since = kr_now_usec();
	int r = f->tx ? kr_transaction_revert(f->tx, f->diag) : 0;

	if (!why)
		return -ENOMEM;
	if (r < 0)
		return end_broken(f, "the files could not be put back");
	if (kr_actions_add(&f->fix->actions, "put-back", "done", since) < 0)
		return -ENOMEM;
	if (f->fix->reloads)
		r = kr_activation_reload(f->fix->host, &f->fix->actions,
		                         f->diag);
	if (r == 0)
		r = kr_activation_restart(f->fix->host, &act, &f->fix->actions,
		                          f->diag);
	if (r == 0)
		return end(f, KR_OUTCOME_ROLLED_BACK,
		           "%s; everything was put back and kubelet is "
		           "healthy again",
		           why);
	kr_diag_add(f->diag, KR_ERROR, "broken", KR_SPAN_NONE,
	            "kubelet is not healthy on the old files either: %s",
	            act.failure ? act.failure : strerror(-r));
	free(act.failure);
	return end_broken(f, "kubelet is not healthy, neither with the new "
	                     "files nor with the old ones");
}

/* --- activation ---------------------------------------------------------- */

static int failed_start(struct fixing *f, struct kr_activation *act, int error)
{
	const char *failure =
		act->failure      ? act->failure
		: error == -EINTR ? "interrupted while kubelet was restarted"
				  : strerror(-error);

	if (act->invocation_id[0])
		show_log(f, act->invocation_id);
	if (!f->was_healthy && error != -EINTR) {
		kr_diag_add(f->diag, KR_WARNING, "unhealthy-before",
		            KR_SPAN_NONE,
		            "kubelet was not healthy before the change "
		            "either: the change stays");
		if (f->was_invalid)
			return end_broken(f, failure);
		return end(f, KR_OUTCOME_CHANGED,
		           "the files are right now, but kubelet is still not "
		           "healthy: %s",
		           failure);
	}
	if (f->options->no_rollback && error != -EINTR)
		return end_broken(f, failure);
	return go_back(f, failure);
}

static int activate(struct fixing *f)
{
	struct kr_fix *fix = f->fix;
	const struct kr_inputs *planned = planned_inputs(f);
	struct kr_activation act = {
		.wait_usec = f->options->wait_usec,
		.argv = planned->argv,
		.argc = planned->argc,
		.tick = f->options->tick,
		.closure = f->options->closure,
	};
	int r = 0;

	if (fix->reloads && can_restart(f))
		r = kr_activation_reload(fix->host, &fix->actions, f->diag);
	if (r == 0 && fix->restarts)
		r = kr_activation_restart(fix->host, &act, &fix->actions,
		                          f->diag);
	if (r < 0 && r != -ENOMEM)
		r = failed_start(f, &act, r);
	free(act.failure);
	return r;
}

/* --- the end ------------------------------------------------------------- */

static int audit_again(struct fixing *f)
{
	const struct kr_audit_options options = {
		.explicit_wanted = f->options->explicit_wanted,
		.live = KR_STATE_ABSENT,
	};
	_cleanup_diag_ struct kr_diag found = {0};
	struct kr_host *now = NULL;
	int r = kr_host_open(f->fix->host->setting, &f->fix->host->options,
	                     &found, &now);

	if (r == 0)
		r = kr_audit_run(now->node, &options, &found, &f->fix->after);
	f->fix->host_after = now;
	return r == -ENOMEM ? r : 0;
}

static int end_done(struct fixing *f)
{
	struct kr_fix *fix = f->fix;

	if (fix->plan->edits.n_files == 0 && !fix->restarts)
		return end(f, KR_OUTCOME_COMPLIANT,
		           "%s; nothing was changed, nothing was restarted",
		           fix->before->reason);
	if (fix->restarts)
		return end(f, KR_OUTCOME_CHANGED,
		           "kubelet runs with it and is healthy");
	if (!node_of(f)->live)
		return end(f, KR_OUTCOME_CHANGED, "the files are right now");
	if (f->options->restart == KR_RESTART_AUTO && f->unhealthy_why) {
		kr_diag_add(f->diag, KR_WARNING, "unhealthy-before",
		            KR_SPAN_NONE,
		            "kubelet was not healthy before (%s) and was not "
		            "restarted",
		            f->unhealthy_why);
		show_log(f, NULL);
	}
	return end(f, KR_OUTCOME_CHANGED,
	           "the files are right now; kubelet was not restarted");
}

static int run(struct fixing *f, const struct kr_setting *setting,
               const struct kr_node_options *node_options)
{
	int r = read_and_audit(f, setting, node_options);

	if (r == 0)
		r = make_plan(f);
	if (r == 0)
		r = decide_restart(f);
	if (r == 0)
		r = check_pending(f);
	if (r == 0 && f->options->dry_run)
		return end_preview(f);
	if (r == 0 && (f->fix->plan->edits.n_files > 0 || f->fix->restarts))
		r = check_permission(f);
	if (r == 0)
		r = write_files(f);
	if (r == 0)
		r = activate(f);
	if (r == 0)
		r = end_done(f);
	if (r < 0 || f->fix->actions.n_actions == 0)
		return r;
	return audit_again(f);
}

int kr_fix_run(const struct kr_setting *setting,
               const struct kr_node_options *node_options,
               const struct kr_fix_options *options, struct kr_diag *diag,
               struct kr_fix **ret)
{
	_cleanup_fix_ struct kr_fix *fix = calloc(1, sizeof(*fix));
	_cleanup_(fixing_done) struct fixing f = {
		.options = options, .fix = fix, .diag = diag};
	int r;

	if (!fix)
		return -ENOMEM;
	r = run(&f, setting, node_options);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(fix);
	return 0;
}

struct kr_fix *kr_fix_free(struct kr_fix *fix)
{
	if (!fix)
		return NULL;
	kr_plan_free(fix->plan);
	kr_audit_free(fix->before);
	kr_audit_free(fix->after);
	kr_actions_done(&fix->actions);
	kr_log_done(&fix->log);
	kr_host_free(fix->host);
	kr_host_free(fix->host_after);
	free(fix->reason);
	free(fix);
	return NULL;
}
