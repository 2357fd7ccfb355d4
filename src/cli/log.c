/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One entry a run, also of one that found nothing to do: a unit or a script
 * that runs at every boot is seen to have run. Each outcome has a MESSAGE_ID of
 * its own; data/kubelet-remedy.catalog explains them to "journalctl -x", and a
 * test holds that it has them all.
 */

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/log.h"
#include "systemd/journal.h"

static const struct {
	const char *message_id;
	const char *priority; /* as syslog(3) counts them */
} entries[] = {
	[KR_OUTCOME_COMPLIANT] = {"51238fdf08a4458fab449e1d7169c940", "6"},
	[KR_OUTCOME_CHANGED] = {"d0a1c93f6a6b4b0f9c0f6a1d2b7d5e11", "6"},
	[KR_OUTCOME_PARTLY] = {"5f0c2a9be1c84d0e9b6d4c0a6a7f3e42", "4"},
	[KR_OUTCOME_WOULD_CHANGE] = {NULL},
	[KR_OUTCOME_UNCONFIGURED] = {"54bdee31e0e34e33b20a160401b47c2d", "5"},
	[KR_OUTCOME_REFUSED] = {"fd56c0d0ecde49c49febccb452de923c", "4"},
	[KR_OUTCOME_FAILED] = {"4714819701834de98d8d6afc83e65272", "4"},
	[KR_OUTCOME_ROLLED_BACK] = {"08ad2c4bd4d1408fb717a79a76e95feb", "4"},
	[KR_OUTCOME_BROKEN] = {"fb1f041466d44cf38f02312d86c360e1", "3"},
};

static_assert(ARRAY_SIZE(entries) == _KR_OUTCOME_MAX, "one for each outcome");

/* A node that could not be read at all is this machine if no root was named. */
static bool is_live(const struct kr_options *o, const struct kr_fix *fix)
{
	if (fix->host && fix->host->node)
		return fix->host->node->live;
	return !o->node.root || strcmp(o->node.root, "/") == 0;
}

/* REASON is fix->reason, and TEXT has it in it, as a log may be given it. */
static void send(const struct kr_options *o, const struct kr_fix *fix,
                 const char *status, const char *text, const char *reason)
{
	const char *unit =
		fix->host && fix->host->node ? fix->host->node->unit_name : "";
	const struct kr_journal_field fields[] = {
		{"MESSAGE", text},
		{"MESSAGE_ID", entries[fix->outcome].message_id},
		{"PRIORITY", entries[fix->outcome].priority},
		{"KUBELET_REMEDY_COMMAND", kr_command_to_string(o->command)},
		{"KUBELET_REMEDY_OUTCOME", kr_outcome_to_string(fix->outcome)},
		{"KUBELET_REMEDY_REASON", reason},
		{"KUBELET_REMEDY_STATUS", status},
		{"KUBELET_REMEDY_TRANSACTION", fix->transaction},
		{"KUBELET_REMEDY_UNIT", unit},
	};

	kr_journal_send(fields, ARRAY_SIZE(fields));
}

void kr_cli_log(const struct kr_options *o, const struct kr_fix *fix,
                int status)
{
	_cleanup_free_ char *text = NULL, *reason = NULL;
	char number[16];

	if (o->fix.dry_run || !is_live(o, fix))
		return;
	reason = kr_utf8_escape(fix->reason, strlen(fix->reason));
	snprintf(number, sizeof(number), "%d", status);
	if (!reason ||
	    asprintf(&text, "%s: %s: %s", kr_command_to_string(o->command),
	             kr_outcome_to_string(fix->outcome), reason) < 0) {
		text = NULL;
		return;
	}
	send(o, fix, number, text, reason);
}
