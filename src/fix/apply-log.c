/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Why a kubelet that is not healthy ended, or what it said last.
 *
 * It is asked for where that shows, and read at the very end, when the node is
 * in its old or its new state and nothing is armed any more: journald may be
 * slow, and the way back must not wait for it. By then others have spoken, too:
 * the kubelet of before, whose last lines may come late, and the one that runs
 * on the old files again. Both are left out.
 */

#include "base/clock.h"
#include "fix/apply.h"
#include "host/log-line.h"

#define N_LINES    10
#define LIMIT_USEC (10 * KR_USEC_PER_SEC) /* of journald */

void kr_apply_want_log(struct kr_applying *f,
                       const struct kr_activation *failed,
                       const struct kr_activation *back)
{
	f->log = (struct kr_log_wish){.wanted = true};
	if (failed) {
		f->log.since_usec = failed->asked_usec;
		f->log.except[0] = failed->old;
		f->fix->failed_usec = failed->asked_usec;
		f->fix->failed = failed->settling.invocation;
	}
	if (back)
		f->log.except[1] = back->settling.invocation;
}

void kr_apply_read_log(struct kr_applying *f)
{
	struct kr_journal_query query = {
		.root = kr_apply_node(f)->root,
		.unit = kr_apply_node(f)->unit_name,
		.except = {f->log.except[0], f->log.except[1]},
		.n_max = N_LINES,
		.since_usec = f->log.since_usec,
	};
	struct kr_log log = {0};

	if (!f->log.wanted)
		return;
	if (f->log.since_usec) {
		query.classify = kr_log_line_classify;
		query.trouble = true;
	} else if (f->fix->host->loaded) {
		kr_log_line_ask_reason(f->fix->host->loaded, &query);
	}
	/* best effort: what is there is read in any case */
	kr_journal_sync(query.root, LIMIT_USEC);
	if (kr_journal_read(&query, f->diag, &log) < 0)
		return;
	kr_log_done(&f->fix->log);
	f->fix->log = log;
}
