/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The state of kubelet's unit: one GetAll, healthz, the journal.
 */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "host/interrupted.h"
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

/* A unit that was named and starts no kubelet. What a wrapper of kubelet runs
 * is in its control group or in none that is a unit's. */
static bool is_other(const struct kr_node *node)
{
	const char *unit = node->has_process ? node->process.unit : NULL;

	return node->disk.no_kubelet && node->unit_named &&
	       (!node->has_process ||
	        (unit && strcmp(unit, node->unit_name) != 0));
}

/* The health of kubelet, and what the journal has of its unit. */
static int look(struct kr_status *status, struct kr_diag *diag)
{
	const struct kr_node *node = status->host->node;
	int r;

	status->other = is_other(node);
	if (status->other) {
		status->health.state = KR_HEALTH_UNASKED;
		r = kr_format(&status->health.why, "%s does not run kubelet",
		              node->unit_name);
	} else {
		r = kr_host_health(status->host, &status->health);
	}
	return r < 0 ? r : read_log(status, diag);
}

/* Why there is no manager to ask: the host's message has it behind a colon. */
static int say_unasked(const struct kr_node *node, const struct kr_diag *diag,
                       char **ret)
{
	const struct kr_message *m = kr_diag_find(diag, "no-bus");
	const char *why = m ? strstr(m->text, ": ") : NULL;

	if (!node->live)
		return kr_format(ret, "this is an image, no running system");
	return kr_format(ret, "systemd cannot be asked%s", why ? why : "");
}

int kr_status_read(const struct kr_node_options *options, struct kr_diag *diag,
                   struct kr_status *ret)
{
	_cleanup_status_ struct kr_status status = {0};
	const struct kr_manifests *records;
	int r = kr_host_open(options, diag, &status.host);

	if (r < 0)
		return r;
	r = kr_host_records(status.host, &records);
	if (r >= 0)
		r = kr_interrupted_report(status.host->node->fs, records,
		                          status.host->node->proc_fd,
		                          status.host->manager, diag);
	if (r < 0)
		return r;
	if (!status.host->manager) {
		status.health.state = KR_HEALTH_UNASKED;
		r = say_unasked(status.host->node, diag, &status.health.why);
		if (r < 0)
			return r;
	} else {
		status.loaded = status.host->loaded;
		status.found =
			strcmp(status.loaded->load_state, "not-found") != 0;
	}
	if (status.found) {
		r = look(&status, diag);
		if (r < 0)
			return r;
	}
	*ret = TAKE(status);
	return 0;
}

void kr_status_done(struct kr_status *status)
{
	kr_host_free(status->host);
	kr_log_done(&status->log);
	kr_health_report_done(&status->health);
	*status = (struct kr_status){0};
}
