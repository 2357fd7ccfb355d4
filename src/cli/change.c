/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fix, undo and recover. With its output gone (SIGPIPE is ignored) or its
 * terminal (SIGHUP) a fix goes on to its end and its result is in the journal;
 * its status is then not 0, since nobody has seen what it said.
 */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/learn.h"
#include "cli/log.h"
#include "cli/output.h"
#include "cli/watch.h"
#include "fix/rescue.h"
#include "fix/undo.h"
#include "report/json.h"
#include "report/text-fix.h"

static int change_status(const struct kr_options *o, const struct kr_fix *fix)
{
	switch (o->command) {
	case KR_COMMAND_UNDO:
		return kr_outcome_to_undo_status(fix->outcome);
	case KR_COMMAND_RECOVER:
		return kr_outcome_to_recover_status(fix->outcome);
	default:
		return kr_outcome_to_status(fix->outcome);
	}
}

static int report_change(const struct kr_options *o, const struct kr_fix *fix,
                         const struct kr_diag *diag, FILE *out, FILE *err)
{
	const struct kr_term term = kr_cli_terminal(o, out);
	const struct kr_term err_term = kr_cli_terminal(o, err);
	bool json = o->format == KR_FORMAT_JSON;
	bool undo = o->command == KR_COMMAND_UNDO;
	int r = 0;

	if (o->verbose)
		kr_text_steps(&err_term, &fix->actions);
	if (!json)
		kr_term_messages(&err_term, diag,
		                 o->quiet ? KR_ERROR : KR_NOTE);
	if (o->quiet) {
		if (!json)
			kr_term_messages_of(&err_term, diag, KR_STILL_FALSE);
		if (change_status(o, fix) > 1)
			kr_text_outcome(&err_term, fix);
		kr_text_advice(&err_term, fix, diag, "");
		return 0;
	}
	if (json)
		return kr_json_fix(out, fix, diag);
	if (o->fix.dry_run)
		r = kr_text_preview(&term, fix, undo ? "undo" : "fix");
	else if (o->command == KR_COMMAND_FIX)
		kr_text_fix(&term, fix);
	else
		r = kr_text_undo(&term, fix);
	kr_text_advice(&term, fix, diag, o->fix.dry_run ? "# " : "");
	return r;
}

/* LEARN must live as long as RET. */
static int change(const struct kr_options *o, struct kr_watch *watch,
                  struct kr_learn *learn, struct kr_diag *diag,
                  struct kr_fix **ret)
{
	struct kr_node_options node = kr_cli_learn(o, learn);
	struct kr_fix_options options = o->fix;

	options.tick = kr_watch_tick;
	options.closure = watch;
	if (o->command == KR_COMMAND_UNDO)
		return kr_undo_run(&kr_setting_iptables, &o->node, &options,
		                   o->transaction, diag, ret);
	if (o->command == KR_COMMAND_RECOVER)
		return kr_rescue_run(&kr_setting_iptables, &o->node, &options,
		                     o->transaction, diag, ret);
	options.api = &o->api;
	return kr_fix_run(&kr_setting_iptables, &node, &options, diag, ret);
}

int kr_cli_change(const struct kr_options *o, FILE *out, FILE *err)
{
	struct kr_watch watch;
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_fix_ struct kr_fix *fix = NULL;
	struct kr_learn learn = {
		.wait =
			{
				.tick = kr_watch_tick,
				.closure = &watch,
				.what = "kubelet's version",
				.limit_usec = KR_LIVE_ASK_USEC,
			},
	};
	int r = kr_watch_begin(&watch, o, err), status;

	if (r < 0) {
		fprintf(err, "%s: signals: %s\n", KR_NAME, strerror(-r));
		return kr_outcome_to_status(KR_OUTCOME_FAILED);
	}
	r = change(o, &watch, &learn, &diag, &fix);
	kr_watch_end(&watch);
	if (r < 0)
		return kr_cli_out_of_memory(err);
	status = change_status(o, fix);
	kr_cli_log(o, fix, status);
	r = report_change(o, fix, &diag, out, err);
	if (kr_diag_result(&diag, r) < 0)
		return kr_cli_out_of_memory(err);
	/* a signal that came too late to be heeded was one all the same */
	return (watch.hung_up || watch.signal) && status <= 1
	               ? KR_STATUS_LOST_OUTPUT
	               : status;
}
