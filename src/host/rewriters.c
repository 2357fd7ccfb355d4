/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which programs may have written kubelet's files while it was being started.
 *
 * That a file is another one is known, who wrote it is not. What runs before
 * each start of kubelet shows in its unit: ExecStartPre=, and oneshot units
 * that kubelet.service pulls in and waits for (a renderer of its config, a node
 * agent). Our own boot unit is one of these, and stands aside while a fix is at
 * work.
 */

#include <string.h>

#include "base/vec.h"
#include "host/rewriters.h"

#define OUR_UNITS "kubelet-remedy"

static void name_commands(const struct kr_unit *unit, struct kr_diag *diag)
{
	for (size_t i = 0; i < unit->n_before_start; i++)
		kr_diag_add(diag, KR_NOTE, "rewritten-by",
		            unit->before_start[i],
		            "this ExecStartPre= runs before each start of "
		            "kubelet, and may have written the file");
}

void kr_rewriters_name(struct kr_host *host, uint64_t since_usec,
                       struct kr_diag *diag)
{
	_cleanup_diag_ struct kr_diag ignored = {0};
	_cleanup_strings_ struct kr_strings units = {0};

	if (host->node->disk.unit)
		name_commands(host->node->disk.unit, diag);
	if (!host->manager ||
	    kr_manager_started_before(host->manager, host->node->unit_name,
	                              since_usec, &ignored, &units) < 0)
		return;
	for (size_t i = 0; i < units.n_items; i++) {
		const char *unit = units.items[i];

		if (strncmp(unit, OUR_UNITS, strlen(OUR_UNITS)) == 0)
			continue;
		kr_diag_add(diag, KR_NOTE, "rewritten-by", KR_SPAN_NONE,
		            "%s ran before this start of kubelet, and may have "
		            "written the file",
		            unit);
	}
}
