/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The beginning of fix and undo: the node is read and audited; what an
 * interrupted run left is reverted first, kubelet is revived where that run
 * left it dead, and all is read again.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/format.h"
#include "fix/apply.h"
#include "host/figures.h"
#include "host/health.h"
#include "host/interrupted.h"
#include "host/watchdog.h"
#include "policy/remarks.h"
#include "store/lock.h"
#include "store/recover.h"

static int open_host(struct kr_applying *f,
                     const struct kr_node_options *node_options)
{
	struct kr_audit_options options;
	struct kr_fix *fix = f->fix;
	int r;

	fix->plan = kr_plan_free(fix->plan);
	kr_ports_done(&f->ports);
	fix->before = kr_audit_free(fix->before);
	fix->host = kr_host_free(fix->host);
	r = kr_host_open(node_options, f->diag, &fix->host);
	if (r < 0)
		return r;
	if (f->options->select)
		r = f->options->select(f->options->select_closure,
		                       kr_apply_node(f), f->diag);
	if (r < 0)
		return r;
	r = kr_remarks_find(kr_apply_node(f), f->options->rules,
	                    fix->host->iptables_units, f->diag);
	if (r < 0)
		return r;
	r = kr_apply_ask_live(f);
	if (r != KR_STEP_GO_ON)
		return r;
	options = kr_apply_audit_options(f);
	r = kr_audit_run(kr_apply_node(f), f->options->rules, &options, f->diag,
	                 &fix->before);
	f->n_before = f->diag->n_messages;
	return r;
}

/* A fix that goes on restarts it for the change; an undo may find nothing more
 * to do, and must not leave it on files that are gone. */
static bool may_stay(const struct kr_applying *f)
{
	return !f->undo || f->options->restart == KR_RESTART_NEVER ||
	       f->recovered.realtime_usec == 0 ||
	       !kr_host_is_newer(f->fix->host, &f->recovered);
}

static int restart_kubelet(struct kr_applying *f)
{
	_cleanup_activation_ struct kr_activation act = {
		.settling = {.host = f->fix->host,
	                     .wait_usec = f->options->wait_usec,
	                     .tick = kr_apply_tick_on,
	                     .closure = f},
		.back = true,
	};
	enum kr_settled end = KR_SETTLED_NOT;
	int r;

	kr_recovery_extend(&f->recovery, kr_apply_phase_usec(f, true));
	r = kr_activation_reload(f->fix->host, &f->fix->actions, f->diag);
	if (r >= 0)
		r = kr_activation_restart(&act, &f->fix->actions, f->diag,
		                          &end);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || end != KR_SETTLED)
		kr_diag_add(f->diag, KR_WARNING, "recovered", KR_SPAN_NONE,
		            "kubelet is not healthy on the files from before "
		            "the interruption: %s",
		            act.settling.failure ? act.settling.failure
		            : r < 0              ? strerror(-r)
		                                 : "others stopped it");
	return 0;
}

/* kubelet as the interrupted run left it is on the new files, or dead. */
static int revive_kubelet(struct kr_applying *f)
{
	_cleanup_health_report_ struct kr_health_report report = {0};
	int r;

	if (!kr_apply_can_restart(f))
		return 0;
	r = kr_host_health(f->fix->host, &report);
	if (r < 0)
		return r;
	if (report.state != KR_HEALTH_BAD && may_stay(f))
		return 0;
	return restart_kubelet(f);
}

/* What the interrupted run left is over. */
static int end_recovery(struct kr_applying *f)
{
	int r = kr_recover_end(kr_apply_node(f)->fs, &f->recovery, f->diag);

	kr_recovery_done(&f->recovery);
	if (r >= 0)
		kr_watchdog_stop(f->fix->host, f->recovered.id);
	if (r >= 0 || r == -ENOMEM)
		return r;
	return kr_apply_end_by_error(f, KR_OUTCOME_BROKEN,
	                             "an interrupted run cannot be reverted");
}

/* What the record of the interrupted run says of kubelet. */
static int note_recovered(struct kr_applying *f, const struct kr_manifest *m)
{
	if (!m)
		return 0;
	kr_manifest_done(&f->recovered);
	strlcpy(f->recovered.id, m->id, sizeof(f->recovered.id));
	f->recovered.realtime_usec = m->realtime_usec;
	f->recovered.invocation_id =
		m->invocation_id ? strdup(m->invocation_id) : NULL;
	if (m->invocation_id && !f->recovered.invocation_id)
		return -ENOMEM;
	free(f->fix->recovered_unit);
	free(f->fix->recovered_config);
	f->fix->recovered_unit = strdup(m->unit);
	f->fix->recovered_config = m->config ? strdup(m->config) : NULL;
	return f->fix->recovered_unit &&
	                       (f->fix->recovered_config || !m->config)
	               ? 0
	               : -ENOMEM;
}

/* What it would do to the files of an interrupted run. */
static void name_files(struct kr_applying *f, const struct kr_manifest *m)
{
	for (size_t i = 0; i < m->n_files; i++)
		kr_diag_add_path(f->diag, KR_NOTE, "would-take-back",
		                 m->files[i].path, "%s",
		                 m->files[i].copy
		                         ? "would get back its old content"
		                         : "would be removed again");
}

/*
 * What a preview could show of the files as they are would be wrong: they go
 * back first. GO_ON: no run was interrupted (a run at work is named); ENDED.
 * Records that cannot be read are named later.
 */
static int preview_recovery(struct kr_applying *f)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	_cleanup_diag_ struct kr_diag ignored = {0};
	struct kr_host *host = f->fix->host;
	struct kr_fs *fs = host->node->fs;
	struct kr_interrupted run;
	const struct kr_manifest *m;
	int r = kr_manifests_read(fs, &ignored, &list);

	if (r < 0)
		return r == -ENOMEM ? r : KR_STEP_GO_ON;
	m = kr_recover_find(fs, &list);
	if (!m)
		return KR_STEP_GO_ON;
	r = kr_interrupted_warn(fs, host->node->proc_fd, host->manager, m,
	                        f->diag, &run);
	if (r < 0)
		return r;
	if (run.state == KR_INTERRUPTED_NOT ||
	    run.state == KR_INTERRUPTED_RECOVERS)
		return KR_STEP_GO_ON;
	name_files(f, m);
	return kr_apply_end(f, KR_OUTCOME_WOULD_FIX,
	                    "the interrupted run %s would be reverted first "
	                    "(%zu file%s%s), then %s would go on with the "
	                    "files as they are then",
	                    m->id, m->n_files, m->n_files == 1 ? "" : "s",
	                    kr_apply_can_restart(f) ? ", and kubelet restarted"
	                                            : "",
	                    f->undo ? "undo" : "fix");
}

/* After the files are back: the kubelet of that run, which need not be the one
 * of this run. */
static int revive(struct kr_applying *f,
                  const struct kr_node_options *node_options)
{
	struct kr_node_options options = *node_options;
	int r;

	options.unit = f->fix->recovered_unit;
	if (f->fix->recovered_config)
		options.config = f->fix->recovered_config;
	r = open_host(f, &options);
	if (r != KR_STEP_GO_ON)
		return r;
	r = revive_kubelet(f);
	return r < 0 ? r : end_recovery(f);
}

/* GO_ON: there is nothing to be reverted; AGAIN: something was, or it was
 * waited for; ENDED. */
static int recover(struct kr_applying *f,
                   const struct kr_node_options *node_options)
{
	_cleanup_manifests_ struct kr_manifests list = {0};
	struct kr_fs *fs = kr_apply_node(f)->fs;
	const struct kr_manifest *m;
	int r;

	if (f->options->dry_run)
		return preview_recovery(f);
	if (!kr_apply_may_write(f))
		return KR_STEP_GO_ON;
	r = kr_manifests_read(fs, f->diag, &list);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return kr_apply_end_by_error(f, KR_OUTCOME_FAILED, "");
	r = kr_recover_is_due(fs, &list);
	if (r <= 0)
		return r;
	m = kr_recover_find(fs, &list);
	r = note_recovered(f, m);
	if (r < 0)
		return r;
	r = kr_apply_lock(f);
	if (r < 0 || r == KR_STEP_ENDED)
		return r;
	f->recovery.usec = kr_apply_phase_usec(f, true);
	r = kr_recover_run(fs, &f->recovery, f->diag);
	if (r == KR_RECOVERED_BUSY)
		return kr_apply_end_by_error(f, KR_OUTCOME_REFUSED, "busy");
	if (r == KR_RECOVERED_NOTHING)
		return KR_STEP_AGAIN;
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return kr_apply_end_by_error(
			f, m ? KR_OUTCOME_BROKEN : KR_OUTCOME_FAILED,
			"an interrupted run cannot be reverted");
	r = revive(f, node_options);
	return r == KR_STEP_GO_ON ? KR_STEP_AGAIN : r;
}

int kr_apply_read(struct kr_applying *f,
                  const struct kr_node_options *node_options)
{
	int r;

	f->root = node_options->root ? node_options->root : "/";
	r = open_host(f, node_options);
	if (r == KR_STEP_GO_ON)
		r = recover(f, node_options);
	if (r == KR_STEP_AGAIN)
		r = open_host(f, node_options);
	return r < 0 && r != -ENOMEM ? kr_apply_end_unread(f, r) : r;
}
