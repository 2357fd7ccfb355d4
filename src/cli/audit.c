/* SPDX-License-Identifier: Apache-2.0 */

/*
 * audit: reads, judges, prints. Its status is the verdict's.
 */

#include <errno.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "fix/recover.h"
#include "report/json.h"
#include "report/text.h"

static int audit_status(enum kr_verdict verdict)
{
	switch (verdict) {
	case KR_VERDICT_PASS:
		return 0;
	case KR_VERDICT_FAIL:
		return 1;
	default:
		return KR_STATUS_NO_VERDICT;
	}
}

int kr_cli_audit(const struct kr_options *o, FILE *out, FILE *err)
{
	const struct kr_audit_options options = {
		.explicit_wanted = o->fix.explicit_wanted,
		.live = KR_STATE_ABSENT,
	};
	const struct kr_term term = kr_cli_terminal(o, out);
	const struct kr_term err_term = kr_cli_terminal(o, err);
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_host_ struct kr_host *host = NULL;
	_cleanup_audit_ struct kr_audit *audit = NULL;
	_cleanup_(kr_actions_done) struct kr_actions steps = {0};
	uint64_t since = kr_now_usec();
	int r = kr_host_open(&kr_setting_iptables, &o->node, &diag, &host);

	if (r == 0)
		r = kr_actions_add(&steps, "read", "done", since);
	since = kr_now_usec();
	if (r == 0)
		r = kr_audit_run(host->node, &options, &diag, &audit);
	if (r == 0)
		r = kr_actions_add(&steps, "judge", "done", since);
	if (r == 0)
		r = kr_recover_report(host->node->fs, &diag);
	if (r == -ENOMEM)
		return kr_cli_out_of_memory(err);
	if (r < 0) {
		if (o->format == KR_FORMAT_JSON && !o->quiet)
			kr_json_unread(out, &kr_setting_iptables, &o->node,
			               &diag);
		else if (!o->quiet)
			kr_text_unread(&term, "the node cannot be read");
		kr_term_messages(&err_term, &diag, KR_NOTE);
		return KR_STATUS_NO_VERDICT;
	}
	if (o->verbose)
		kr_text_steps(&err_term, &steps);
	if (o->quiet)
		kr_term_messages(&err_term, &diag, KR_ERROR);
	else if (o->format == KR_FORMAT_TEXT)
		kr_text_audit(&term, host->node, audit, &diag);
	else if (kr_json_audit(out, host->node, audit, &diag) < 0)
		return kr_cli_out_of_memory(err);
	return audit_status(audit->verdict);
}
