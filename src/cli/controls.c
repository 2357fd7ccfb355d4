/* SPDX-License-Identifier: Apache-2.0 */

/*
 * controls: what there is to be audited and fixed. Only --benchmark=auto reads
 * the node.
 */

#include <errno.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/select.h"
#include "host/host.h"
#include "report/controls.h"

static void all_rules(struct kr_selected *ret)
{
	for (size_t i = 0; i < kr_rules_n; i++)
		ret->items[i] = &kr_rules_table[i];
	ret->rules = (struct kr_rules){ret->items, kr_rules_n, NULL};
}

static int print(const struct kr_options *o, FILE *out,
                 const struct kr_rules *rules)
{
	const struct kr_term term = kr_cli_terminal(o, out);

	if (o->quiet)
		return 0;
	if (o->format == KR_FORMAT_JSON)
		return kr_json_rules(out, rules, !rules);
	if (rules)
		return kr_text_rules(&term, rules);
	kr_text_editions(&term);
	return 0;
}

int kr_cli_controls(const struct kr_options *o, FILE *out, FILE *err)
{
	const struct kr_term err_term = kr_cli_terminal(o, err);
	const char *benchmark = o->select.benchmark;
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_host_ struct kr_host *host = NULL;
	struct kr_selected selected = {0};
	bool help = benchmark && strcmp(benchmark, KR_SELECT_HELP) == 0;
	int r = 0;

	if (benchmark && strcmp(benchmark, KR_SELECT_AUTO) == 0) {
		r = kr_diag_result(&diag, kr_host_open(&o->node, &diag, &host));
		if (r == -ENOMEM)
			return kr_cli_out_of_memory(err);
		kr_term_messages(&err_term, &diag, KR_ERROR);
		if (r < 0)
			return KR_STATUS_NO_VERDICT;
	}
	if (!benchmark)
		all_rules(&selected);
	else if (!help)
		r = kr_select(o, host ? host->node : NULL, err, &selected);
	if (r == -EINVAL)
		return KR_STATUS_USAGE;
	if (r >= 0)
		r = print(o, out, help ? NULL : &selected.rules);
	return r < 0 ? kr_cli_out_of_memory(err) : 0;
}
