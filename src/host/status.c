/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The state of kubelet's unit: one GetAll, healthz, the journal.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "host/log-line.h"
#include "host/status.h"

#define SYNC_USEC KR_USEC_PER_SEC /* for journald to write the last lines */

static int read_log(struct kr_status *status, struct kr_diag *diag)
{
	struct kr_journal_query query = {
		.root = status->host->node->root,
		.unit = status->host->node->unit_name,
		.n_max = KR_STATUS_LOG_LINES,
	};
	int r;

	/* as systemctl has it: of the invocation that runs, or ran last */
	if (kr_log_line_ask_reason(status->loaded, &query))
		kr_journal_sync(query.root, SYNC_USEC); /* it may be new */
	else
		query.invocation_id = status->loaded->invocation_id;
	r = kr_journal_read(&query, diag, &status->log);
	/* the state is worth telling without the log, whose words are said */
	return r == -ENOMEM ? r : 0;
}

int kr_status_read(const struct kr_node_options *options, struct kr_diag *diag,
                   struct kr_status *ret)
{
	_cleanup_status_ struct kr_status status = {0};
	int r = kr_host_open(options, diag, &status.host);

	if (r < 0)
		return r;
	if (!status.host->manager) {
		status.health.state = KR_HEALTH_UNASKED;
		r = kr_format(&status.health.why, "%s",
		              status.host->node->live
		                      ? "systemd cannot be asked"
		                      : "this is an image, no running system");
		if (r < 0)
			return r;
	} else {
		status.loaded = status.host->loaded;
		status.found =
			strcmp(status.loaded->load_state, "not-found") != 0;
	}
	if (status.found) {
		r = kr_host_health(status.host, &status.health);
		if (r < 0)
			return r;
		r = read_log(&status, diag);
		if (r < 0)
			return r;
	}
	*ret = status;
	status = (struct kr_status){0};
	return 0;
}

void kr_status_done(struct kr_status *status)
{
	kr_host_free(status->host);
	kr_log_done(&status->log);
	kr_health_report_done(&status->health);
	*status = (struct kr_status){0};
}
