/* SPDX-License-Identifier: Apache-2.0 */

/*
 * history and status: they show, and judge or change nothing.
 */

#include <errno.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "fix/history.h"
#include "host/status.h"
#include "report/json.h"
#include "report/text-history.h"
#include "report/text-status.h"

int kr_cli_history(const struct kr_options *o, FILE *out, FILE *err)
{
	const struct kr_term term = kr_cli_terminal(o, out);
	const struct kr_term err_term = kr_cli_terminal(o, err);
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_history_ struct kr_history history = {0};
	int r = kr_history_read(&o->node, &diag, &history);

	if (r == -ENOMEM)
		return kr_cli_out_of_memory(err);
	kr_term_messages(&err_term, &diag, KR_NOTE);
	if (r < 0) {
		if (o->format == KR_FORMAT_JSON && !o->quiet &&
		    kr_json_history_unread(out, &diag) < 0)
			return kr_cli_out_of_memory(err);
		return KR_STATUS_NO_VERDICT;
	}
	if (o->quiet)
		return 0;
	if (o->format == KR_FORMAT_TEXT)
		r = kr_text_history(&term, &history);
	else
		r = kr_json_history(out, &history);
	return r < 0 ? kr_cli_out_of_memory(err) : 0;
}

/* Of a run that is not at its end: kubelet may be healthy meanwhile. */
static void print_pending(const struct kr_term *term,
                          const struct kr_diag *diag)
{
	static const char *const codes[] = {"interrupted", "run-stuck",
	                                    "run-at-work"};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		kr_term_messages_of(term, diag, codes[i]);
}

int kr_cli_status(const struct kr_options *o, FILE *out, FILE *err)
{
	const struct kr_term term = kr_cli_terminal(o, out);
	const struct kr_term err_term = kr_cli_terminal(o, err);
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_status_ struct kr_status status = {0};
	int r = kr_status_read(&o->node, &diag, &status);

	if (r == -ENOMEM)
		return kr_cli_out_of_memory(err);
	kr_term_messages(&err_term, &diag, KR_ERROR);
	if (r < 0) {
		if (o->format == KR_FORMAT_JSON && !o->quiet &&
		    kr_json_status_unread(out, &o->node) < 0)
			return kr_cli_out_of_memory(err);
		return KR_STATUS_NO_VERDICT;
	}
	if (!o->quiet)
		print_pending(&err_term, &diag);
	if (o->format == KR_FORMAT_JSON && !o->quiet)
		r = kr_json_status(out, &status);
	else if (!o->quiet)
		kr_text_status(&term, &status);
	if (r < 0)
		return kr_cli_out_of_memory(err);
	if (!status.found || status.health.state == KR_HEALTH_UNASKED)
		return KR_STATUS_NO_VERDICT;
	return status.health.state == KR_HEALTH_GOOD ? 0 : 1;
}
