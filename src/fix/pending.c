/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a restart would apply besides our change: a drop-in was edited and
 * kubelet never restarted, or the process was started by hand. The words are
 * compared as a multiset, so that the message names what comes and what goes; a
 * mere change of order is named as such, since with kubelet the last of two
 * equal flags wins.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "fix/pending.h"

/* Whether argument I is one of a flag of RULES. */
static bool is_ours(const struct kr_inputs *in, const struct kr_rules *rules,
                    size_t i)
{
	for (size_t k = 0; k < rules->n_items; k++) {
		const struct kr_rule *rule = rules->items[k];

		for (size_t f = 0; f < rule->n_fields; f++) {
			if (kr_flags_is_use(&in->flags, rule->fields[f], i))
				return true;
		}
	}
	return false;
}

/* The arguments behind argv[0] that are not ours. The texts are borrowed. */
static int others(const struct kr_inputs *in, const struct kr_rules *rules,
                  const char ***ret, size_t *ret_n)
{
	const char **words = calloc(in->argc + 1, sizeof(*words));
	size_t n = 0;

	if (!words)
		return -ENOMEM;
	for (size_t i = 1; i < in->argc; i++) {
		if (!is_ours(in, rules, i))
			words[n++] = in->argv[i];
	}
	*ret = words;
	*ret_n = n;
	return 0;
}

static void name_differences(const char **old, size_t n_old, const char **new,
                             size_t n_new, enum kr_severity severity,
                             struct kr_diag *diag)
{
	size_t o = 0, n = 0;

	qsort(old, n_old, sizeof(*old), kr_strings_compare);
	qsort(new, n_new, sizeof(*new), kr_strings_compare);
	while (o < n_old || n < n_new) {
		int order = o == n_old   ? 1
		            : n == n_new ? -1
		                         : strcmp(old[o], new[n]);

		if (order < 0)
			kr_diag_add(diag, severity, "pending-argument",
			            KR_SPAN_NONE,
			            "a restart would take away the argument "
			            "'%s', which kubelet runs with",
			            old[o]);
		else if (order > 0)
			kr_diag_add(diag, severity, "pending-argument",
			            KR_SPAN_NONE,
			            "a restart would add the argument '%s', "
			            "which kubelet does not run with",
			            new[n]);
		o += order <= 0;
		n += order >= 0;
	}
}

int kr_pending_arguments(const struct kr_node *node,
                         const struct kr_inputs *planned,
                         const struct kr_rules *rules,
                         enum kr_severity severity, struct kr_diag *diag)
{
	_cleanup_free_ const char **old = NULL, **new = NULL;
	size_t n_old, n_new, same = 0;
	int r;

	if (!node->running_valid)
		return KR_PENDING_NOTHING;
	r = others(&node->running, rules, &old, &n_old);
	if (r < 0)
		return r;
	r = others(planned, rules, &new, &n_new);
	if (r < 0)
		return r;
	while (same < n_old && same < n_new &&
	       strcmp(old[same], new[same]) == 0)
		same++;
	if (same == n_old && same == n_new)
		return KR_PENDING_NOTHING;
	kr_diag_add(
		diag, severity, "pending-arguments", KR_SPAN_NONE,
		"a restart would also change other arguments of kubelet[%d]; "
		"the first is '%s'",
		(int)node->process.pid, same < n_old ? old[same] : new[same]);
	name_differences(old, n_old, new, n_new, severity, diag);
	return KR_PENDING_ARGUMENTS;
}
