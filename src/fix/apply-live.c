/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fix --configz: what kubelet says of itself through the API server, before and
 * after (CIS remediation 3).
 *
 * Before the first write it must say something: an API server that cannot be
 * reached, or does not let us in, would be found out only after the restart,
 * and all would be put back for nothing. It may be silent where kubelet is not
 * well, since that cannot answer anybody; that the API server is there shows in
 * its own status (5xx).
 *
 * After the restart kubelet has settled, but its API port and the API server's
 * way to it may need longer: it is asked until the deadline, and once in any
 * case, with time enough to answer. What it says then is final, it reads its
 * configuration once.
 */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "fix/apply.h"

#define PAUSE_USEC (500 * KR_USEC_PER_MSEC)
#define ASK_USEC   (5 * KR_USEC_PER_SEC)

int kr_apply_ask_live(struct kr_applying *f)
{
	const struct kr_live_wait wait = {
		.timeout_usec = KR_LIVE_ASK_USEC,
		.tick = f->options->tick,
		.closure = f->options->closure,
		.what = "configz",
		.since_usec = kr_now_usec(),
		.limit_usec = KR_LIVE_ASK_USEC,
	};
	int r;

	kr_live_done(&f->live);
	r = kr_live_open(&f->live, f->options->api, kr_apply_node(f), f->diag);
	if (r < 0)
		return r;
	r = kr_live_ask(&f->live, kr_apply_field(f), &wait, f->diag);
	return r == -EINTR ? kr_apply_end_interrupted(f) : r;
}

int kr_apply_check_live(struct kr_applying *f)
{
	bool only_files = !f->fix->restarts && f->fix->plan->edits.n_files > 0;

	if (f->live.state != KR_STATE_UNKNOWN || only_files)
		return KR_STEP_GO_ON;
	if (!f->was_healthy && f->live.status >= 500) {
		kr_diag_add(f->diag, KR_WARNING, "live-unknown", KR_SPAN_NONE,
		            "configz does not answer, kubelet is not healthy: "
		            "%s",
		            f->live.reason);
		return KR_STEP_GO_ON;
	}
	kr_diag_add(f->diag, KR_ERROR, "live-unknown", KR_SPAN_NONE,
	            "configz must answer before anything is changed: %s",
	            f->live.reason);
	return kr_apply_end(f, KR_OUTCOME_REFUSED,
	                    "configz must answer before anything is changed: "
	                    "%s",
	                    f->live.reason);
}

/* Until it says something: PROVED, or SILENT; what tick gave; -ENOMEM. */
static int ask_until(struct kr_applying *f, uint64_t deadline_usec)
{
	const struct kr_live_wait wait = {
		.timeout_usec = ASK_USEC,
		.tick = f->options->tick,
		.closure = f->options->closure,
		.what = "configz",
		.since_usec = kr_now_usec(),
		.limit_usec = kr_left_usec(deadline_usec),
	};

	for (;;) {
		int r = kr_live_ask(&f->live, kr_apply_field(f), &wait, NULL);

		if (r < 0 || f->live.state != KR_STATE_UNKNOWN)
			return r;
		if (kr_left_usec(deadline_usec) <= PAUSE_USEC)
			return KR_PROVED_SILENT;
		kr_pause_usec(PAUSE_USEC);
	}
}

int kr_apply_prove_live(struct kr_applying *f, uint64_t deadline_usec,
                        char **ret_failure)
{
	const char *wanted = kr_state_to_string(kr_apply_planned_state(f));
	uint64_t since = kr_now_usec();
	int r;

	if (!f->fix->asks_live)
		return KR_PROVED;
	r = ask_until(f, deadline_usec);
	if (r == -ENOMEM ||
	    kr_actions_add(&f->fix->actions, "configz",
	                   kr_state_to_string(f->live.state), since) < 0)
		return -ENOMEM;
	if (r < 0)
		return r;
	if (r == KR_PROVED_SILENT) {
		r = kr_format(ret_failure, "configz did not say %s in time: %s",
		              wanted, f->live.reason);
		return r < 0 ? r : KR_PROVED_SILENT;
	}
	if (f->live.state == kr_apply_planned_state(f))
		return KR_PROVED;
	r = kr_format(ret_failure, "configz says %s after the restart",
	              kr_state_to_string(f->live.state));
	return r < 0 ? r : KR_PROVED_OTHERWISE;
}
