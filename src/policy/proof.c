/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The proof of a plan. Nothing is believed of an edit: the node is read again
 * with the edited bytes in place of the files' own, by the same code that read
 * it the first time, and the two readings are compared.
 *
 *   value    the disk view of the edited node is true
 *   argv     without the uses of our flag the two are the same, and the flag
 *            stands there as often as was planned
 *   config   kr_config_prove(): the same tokens outside our key, and a second
 *            reader finds the value
 *   between  after each single replacement the node is no worse than before
 *            the first: true < false < unknown < invalid; a value that
 *            depends on kubelet's version counts as false
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "policy/proof.h"

static int refuse(struct kr_diag *diag, const char *format, ...) _printf_(2, 3);

static int refuse(struct kr_diag *diag, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;
	int r;

	va_start(args, format);
	r = kr_vformat(&text, format, args);
	va_end(args);
	if (r < 0)
		return r;
	kr_diag_add(diag, KR_ERROR, "not-proven", KR_SPAN_NONE, "%s", text);
	return -EOPNOTSUPP;
}

/* --- argv ---------------------------------------------------------------- */

/* The next argument from I on that is no use of our flag. */
static size_t next_other(const struct kr_inputs *in, int field, size_t i)
{
	while (i < in->argc && kr_flags_is_use(&in->flags, field, i))
		i++;
	return i;
}

static int prove_argv(const struct kr_inputs *before,
                      const struct kr_inputs *after, int field, size_t n_uses,
                      struct kr_diag *diag)
{
	size_t b = next_other(before, field, 0);
	size_t a = next_other(after, field, 0);
	size_t n;

	while (b < before->argc && a < after->argc) {
		if (strcmp(before->argv[b], after->argv[a]) != 0)
			return refuse(diag,
			              "the edit would change the argument "
			              "'%s' to '%s'",
			              before->argv[b], after->argv[a]);
		b = next_other(before, field, b + 1);
		a = next_other(after, field, a + 1);
	}
	if (b < before->argc || a < after->argc)
		return refuse(diag, "the edit would %s the argument '%s'",
		              b < before->argc ? "take away" : "add",
		              b < before->argc ? before->argv[b]
		                               : after->argv[a]);
	n = kr_flags_count(&after->flags, field);
	if (n != n_uses)
		return refuse(diag,
		              "the flag would stand %zu times among the "
		              "arguments instead of %zu",
		              n, n_uses);
	return 0;
}

/* --- config files -------------------------------------------------------- */

/* The index of the file at REAL among those kubelet reads; -1: it is none. */
static int find_file(const struct kr_inputs *in, const char *real)
{
	for (size_t i = 0; i < in->n_files; i++) {
		if (strcmp(in->files[i]->real, real) == 0)
			return (int)i;
	}
	return -1;
}

static int prove_configs(struct kr_node *node, struct kr_plan *plan,
                         struct kr_diag *diag)
{
	const struct kr_inputs *old = &node->disk.inputs;
	const struct kr_inputs *new = &plan->after->disk.inputs;

	for (size_t i = 0; i < plan->edits.n_files; i++) {
		int before = find_file(old, plan->edits.files[i].path);
		int after = find_file(new, plan->edits.files[i].path);
		struct kr_config_options options;
		int r;

		if (before < 0 || after < 0)
			continue;
		options = (struct kr_config_options){
			.dropin = old->merged.configs[before].dropin,
			.kubelet_minor = old->kubelet_minor,
		};
		r = kr_config_prove_with(node->setting, old->files[before],
		                         new->files[after], &options,
		                         node->setting->required, diag);
		if (r == -EBADMSG)
			return -EOPNOTSUPP;
		if (r < 0)
			return r;
	}
	return 0;
}

int kr_proof_run(struct kr_node *node, struct kr_plan *plan,
                 struct kr_diag *diag)
{
	const struct kr_audit_options options = {.live = KR_STATE_ABSENT};
	_cleanup_diag_ struct kr_diag found = {0};
	const struct kr_inputs *after;
	int r = kr_node_with_edits(node, &plan->edits, &found, &plan->after);

	if (r == 0)
		r = kr_audit_run(plan->after, &options, &found, &plan->audit);
	if (r < 0) {
		kr_diag_merge(diag, &found);
		return r;
	}
	if (plan->audit->disk.state !=
	    (node->setting->required ? KR_STATE_TRUE : KR_STATE_FALSE))
		return refuse(diag, "the edit would not make it true: %s",
		              plan->audit->disk.reason);
	after = &plan->after->disk.inputs;
	r = prove_argv(&node->disk.inputs, after, node->setting->field,
	               plan->n_uses, diag);
	if (r == 0)
		r = prove_configs(node, plan, diag);
	return r;
}

/* --- order --------------------------------------------------------------- */

static int badness(const struct kr_node *node)
{
	/* false for some versions of kubelet, true for others */
	if (node->disk.state == KR_STATE_UNKNOWN && node->disk.inputs_valid &&
	    node->disk.inputs.by_version)
		return 1;
	switch (node->disk.state) {
	case KR_STATE_TRUE:
		return 0;
	case KR_STATE_FALSE:
		return 1;
	case KR_STATE_INVALID:
		return 3;
	default:
		return 2;
	}
}

/* Whether every prefix of the edits' order is no worse than the node. */
static int check_order(struct kr_node *node, const struct kr_edits *edits,
                       struct kr_diag *diag)
{
	int limit = badness(node);

	for (size_t n = 1; n < edits->n_files; n++) {
		const struct kr_edits prefix = {edits->files, n};
		_cleanup_node_ struct kr_node *between = NULL;
		_cleanup_diag_ struct kr_diag found = {0};
		int r = kr_node_with_edits(node, &prefix, &found, &between);

		if (r < 0) {
			kr_diag_merge(diag, &found);
			return r;
		}
		if (badness(between) > limit)
			return -EOPNOTSUPP;
	}
	return 0;
}

static void reverse(struct kr_edits *edits)
{
	for (size_t i = 0, k = edits->n_files; i + 1 < k; i++) {
		struct kr_file_edits saved = edits->files[i];

		edits->files[i] = edits->files[--k];
		edits->files[k] = saved;
	}
}

int kr_proof_order(struct kr_node *node, struct kr_plan *plan,
                   struct kr_diag *diag)
{
	int r = check_order(node, &plan->edits, diag);

	if (r == -EOPNOTSUPP) {
		reverse(&plan->edits);
		r = check_order(node, &plan->edits, diag);
	}
	if (r == -EOPNOTSUPP)
		return refuse(diag,
		              "no order of the edits keeps kubelet able to "
		              "start between two of them");
	return r;
}
