/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The proof of a plan. Nothing is believed of an edit: the node is read again
 * with the edited bytes in place of the files' own, by the same code that read
 * it the first time, and the two readings are compared.
 *
 *   value    the disk view of the edited node passes
 *   argv     without the uses of our flag the two are the same, and the flag
 *            stands there as often as was planned. Of a gate's flag the
 *            entries of other gates are the same, in their order
 *   config   kr_config_prove(): the same tokens outside our key, and a second
 *            reader finds the value
 *   between  after each single replacement the node is no worse than before
 *            the first: pass < fail < unknown < invalid; a value that
 *            depends on kubelet's version counts as a fail
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/proof.h"

#define refuse(diag, ...)                                                      \
	kr_diag_refuse(diag, "not-proven", KR_SPAN_NONE, __VA_ARGS__)

/* --- argv ---------------------------------------------------------------- */

/* The entries of all --feature-gates but those of FIELD, one behind the other.
 */
static int other_gates(const struct kr_inputs *in, int field, char **ret)
{
	const char *gate = strchr(kr_field(field)->path, '.') + 1;
	const struct kr_flag_use *use;
	size_t at = 0, size, length = strlen(gate);
	FILE *out = open_memstream(ret, &size);

	if (!out)
		return -ENOMEM;
	while ((use = kr_flags_next(&in->flags, field, &at))) {
		for (const char *s = use->text; s && *s;) {
			size_t n = strcspn(s, ","), blanks = strspn(s, " \t");
			const char *name = s + (blanks < n ? blanks : n);
			const char *end = name + length;

			if (strncmp(name, gate, length) != 0 ||
			    end[strspn(end, " \t")] != '=')
				fprintf(out, "%.*s,", (int)n, s);
			s += n + (s[n] == ',');
		}
	}
	return fclose(out) == 0 ? 0 : -ENOMEM;
}

static int prove_gates(const struct kr_inputs *before,
                       const struct kr_inputs *after, int field,
                       struct kr_diag *diag)
{
	_cleanup_free_ char *old = NULL, *new = NULL;
	int r = other_gates(before, field, &old);

	if (r < 0)
		return r;
	r = other_gates(after, field, &new);
	if (r < 0 || strcmp(old, new) == 0)
		return r;
	return refuse(diag,
	              "the edit would change the feature gates '%s' to '%s'",
	              old, new);
}

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
	if (kr_field(field)->combine == KR_COMBINE_GATE)
		return prove_gates(before, after, field, diag);
	n = kr_flags_count(&after->flags, field);
	if (n != n_uses)
		return refuse(diag,
		              "the flag would stand %zu times among the "
		              "arguments instead of %zu",
		              n, n_uses);
	return 0;
}

/* --- config files -------------------------------------------------------- */

static int prove_configs(struct kr_node *node, const struct kr_rule *rule,
                         struct kr_plan *plan, struct kr_diag *diag)
{
	const struct kr_inputs *old = &node->disk.inputs;
	const struct kr_inputs *new = &plan->after->disk.inputs;

	for (size_t i = 0; i < plan->edits.n_files; i++) {
		int before =
			kr_inputs_find_file(old, plan->edits.files[i].path);
		int after = kr_inputs_find_file(new, plan->edits.files[i].path);
		struct kr_config_options options;
		int r;

		if (before < 0 || after < 0)
			continue;
		options = (struct kr_config_options){
			.dropin = old->merged.configs[before]->dropin,
			.kubelet_minor = old->kubelet_minor,
		};
		r = kr_config_prove(rule->fields[0], old->files[before],
		                    new->files[after], &options, &rule->want,
		                    diag);
		if (r == KR_MALFORMED)
			return KR_REFUSED;
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_no_error(const struct kr_message *m, const void *userdata)
{
	return m->severity != KR_ERROR;
}

/* The edit would not make it WANT. FOUND is what was said of the edited node:
 * behind a fault that the edit cures stands the next one, of which NODE's
 * reading did not come to speak. */
static int refuse_value(const struct kr_node *node, const struct kr_rule *rule,
                        const struct kr_view *disk, struct kr_diag *found,
                        struct kr_diag *diag)
{
	_cleanup_decision_ struct kr_decision before = {0};
	_cleanup_free_ char *want = NULL;
	int r = kr_judge_decide(node, rule, &before);

	if (r < 0)
		return r;
	if (before.by_setting && disk->state == KR_STATE_INVALID) {
		kr_diag_remove(found, is_no_error, NULL);
		if (kr_diag_cause(found)) {
			kr_diag_merge(diag, found);
			return KR_REFUSED;
		}
	}
	r = kr_value_format(&rule->want, &want);
	return r < 0 ? r
	             : refuse(diag, "the edit would not make it %s: %s", want,
	                      disk->reason);
}

int kr_proof_run(struct kr_node *node, const struct kr_rule *rule,
                 struct kr_plan *plan, bool together, struct kr_diag *diag)
{
	const struct kr_audit_options options = {.live = KR_STATE_ABSENT};
	const struct kr_rules rules = {&rule, 1};
	const struct kr_view *disk;
	_cleanup_diag_ struct kr_diag found = {0};
	const struct kr_inputs *after;
	int r = kr_node_with_edits(node, &plan->edits, &found, &plan->after);

	if (r == 0)
		r = kr_audit_run(plan->after, &rules, &options, &found,
		                 &plan->audit);
	if (r < 0) {
		kr_diag_merge(diag, &found);
		return r;
	}
	disk = &plan->audit->items[0].disk;
	if (!together && disk->answer != KR_ANSWER_PASS)
		return refuse_value(node, rule, disk, &found, diag);
	after = &plan->after->disk.inputs;
	r = prove_argv(&node->disk.inputs, after, rule->fields[0], plan->n_uses,
	               diag);
	return r < 0 ? r : prove_configs(node, rule, plan, diag);
}

/* --- order --------------------------------------------------------------- */

static int find_badness(const struct kr_node *node, const struct kr_rule *rule,
                        int *ret)
{
	_cleanup_decision_ struct kr_decision d = {0};
	enum kr_answer answer;
	int r;

	*ret = 0;
	/* mode and owner: kubelet reads the file as it did */
	if (rule->n_fields == 0)
		return 0;
	r = kr_judge_decide(node, rule, &d);
	if (r < 0)
		return r;
	answer = kr_judge_ask(rule, &d);
	if (answer == KR_ANSWER_PASS)
		*ret = 0;
	/* it fails in some versions of kubelet, and passes in others */
	else if (answer == KR_ANSWER_FAIL ||
	         (d.state == KR_STATE_UNKNOWN && d.by_version))
		*ret = 1;
	else
		*ret = d.state == KR_STATE_INVALID ? 3 : 2;
	return 0;
}

/* Whether BETWEEN is no worse than NODE by each of RULES. 0; KR_REFUSED; an
 * errno. */
static int compare(const struct kr_node *node, const struct kr_node *between,
                   const struct kr_rules *rules)
{
	for (size_t i = 0; i < rules->n_items; i++) {
		int limit, bad, r = find_badness(node, rules->items[i], &limit);

		if (r < 0)
			return r;
		r = find_badness(between, rules->items[i], &bad);
		if (r < 0)
			return r;
		if (bad > limit)
			return KR_REFUSED;
	}
	return 0;
}

/* Whether every prefix of the edits' order is no worse than the node. */
static int check_order(struct kr_node *node, const struct kr_rules *rules,
                       const struct kr_edits *edits, struct kr_diag *diag)
{
	for (size_t n = 1; n < edits->n_files; n++) {
		const struct kr_edits prefix = {edits->files, n};
		_cleanup_node_ struct kr_node *between = NULL;
		_cleanup_diag_ struct kr_diag found = {0};
		int r = kr_node_with_edits(node, &prefix, &found, &between);

		if (r == 0)
			r = compare(node, between, rules);
		if (r < 0 && r != KR_REFUSED)
			kr_diag_merge(diag, &found);
		if (r < 0)
			return r;
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

int kr_proof_order(struct kr_node *node, const struct kr_rules *rules,
                   struct kr_plan *plan, struct kr_diag *diag)
{
	int r = check_order(node, rules, &plan->edits, diag);

	if (r == KR_REFUSED) {
		reverse(&plan->edits);
		r = check_order(node, rules, &plan->edits, diag);
	}
	if (r == KR_REFUSED)
		return refuse(diag,
		              "no order of the edits keeps kubelet able to "
		              "start between two of them");
	return r;
}
