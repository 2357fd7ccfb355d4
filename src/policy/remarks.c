/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Remarks. A node is read without a question, so that what is said of one field
 * alone is said here, once it is known which fields are asked for. None of it
 * changes a verdict.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kubelet/config.h"
#include "node/platform.h"
#include "policy/decoy.h"
#include "policy/iptables.h"
#include "policy/judge.h"
#include "policy/remarks.h"

/* --- names in files ------------------------------------------------------ */

static void remark_names(const struct kr_node *node, int field,
                         struct kr_diag *diag)
{
	const struct kr_inputs *in = &node->disk.inputs;

	for (size_t i = 0; in->merged_valid && i < in->merged.n_configs; i++)
		kr_config_remark(&in->merged.configs[i], in->files[i], field,
		                 diag);
}

/* --- systemd's own environment ------------------------------------------- */

static void remark_manager(const struct kr_node *node, size_t arg,
                           struct kr_diag *diag)
{
	const struct kr_unit_word *word = kr_node_word(node, arg);

	if (!word || !word->manager)
		return;
	kr_diag_add(diag, KR_NOTE, "manager-environment", KR_SPAN_NONE,
	            "%s comes from %s of systemd's own environment, which "
	            "'systemctl show-environment' shows",
	            node->disk.inputs.argv[arg], word->manager);
}

/* Whether FIELD depends on the flag: its own, or one that names a file. */
static bool is_deciding(int field, const struct kr_flag_use *use)
{
	return use->field == field || use->field == KR_FIELD_CONFIG ||
	       use->field == KR_FIELD_CONFIG_DIR;
}

static void remark_manager_words(const struct kr_node *node, int field,
                                 struct kr_diag *diag)
{
	const struct kr_flags *flags = &node->disk.inputs.flags;

	for (size_t i = 0; i < flags->n_uses; i++) {
		if (is_deciding(field, &flags->uses[i]))
			remark_manager(node, flags->uses[i].arg, diag);
	}
}

/* --- old kubelets -------------------------------------------------------- */

/* kubelet 1.28 would make another value of these drop-ins, if it does not
 * refuse them, and its version is not known. */
static int remark_old_dropins(const struct kr_node *node,
                              const struct kr_rule *rule, struct kr_diag *diag)
{
	const struct kr_inputs *in = &node->disk.inputs;
	_cleanup_decision_ struct kr_decision d = {0};
	int r;

	if (!in->older_valid || in->config_dir_refusal || in->files_doubt ||
	    node->disk.start != KR_START_COMMAND)
		return 0;
	r = kr_judge_decide(node, rule, &d);
	if (r < 0 || d.by == KR_BY_FLAG)
		return r;
	r = kr_inputs_differ_1_28(in, rule->fields[0]);
	if (r > 0)
		kr_diag_add_path(
			diag, KR_NOTE, "dropins-1-28", in->config_dir,
			"kubelet 1.28 merges drop-ins otherwise: there a "
			"false of a drop-in does not override true, and a "
			"drop-in without the key makes it true");
	return r < 0 ? r : 0;
}

/* --- k3s and RKE2 -------------------------------------------------------- */

static bool is_of(const struct kr_foreign_word *word, const char *flag)
{
	size_t length = strlen(flag);

	return strncmp(word->text, "--", 2) == 0 &&
	       strncmp(word->text + 2, flag, length) == 0 &&
	       word->text[2 + length] == '=';
}

static void remark_replaced(const struct kr_foreign *f, const char *flag,
                            struct kr_diag *diag)
{
	for (size_t i = 0; i < f->n_replaced; i++) {
		const struct kr_foreign_word *w = &f->replaced[i];
		unsigned line, column;

		if (!is_of(w, flag))
			continue;
		kr_span_position(w->by, &line, &column);
		kr_diag_add(diag, KR_NOTE, "decoy-kubelet-arg", w->span,
		            "the list of %s:%u takes the place of this one: "
		            "\"kubelet-arg+\" there would be appended to it",
		            w->by.file->path, line);
	}
}

static void remark_folder(const struct kr_foreign *f, const char *flag,
                          struct kr_diag *diag)
{
	for (size_t i = 1; f->folder && i < f->n_words; i++) {
		const struct kr_foreign_word *w = &f->words[i];

		if ((is_of(w, flag) || is_of(w, "config") ||
		     is_of(w, "config-dir")) &&
		    w->span.file &&
		    strncmp(w->span.file->path, f->folder, strlen(f->folder)) ==
		            0)
			kr_diag_add(diag, KR_NOTE, "config-yaml-d", w->span,
			            "%s before 1.21 does not read %s", f->name,
			            f->folder);
	}
}

/* --- all ----------------------------------------------------------------- */

static int remark_rule(struct kr_node *node, const struct kr_rule *rule,
                       struct kr_diag *diag)
{
	const int field = rule->fields[0];
	const char *flag = kr_field(field)->flag;

	if (node->disk.foreign) {
		remark_replaced(node->disk.foreign, flag, diag);
		remark_folder(node->disk.foreign, flag, diag);
	}
	if (!kr_node_inputs(node))
		return 0;
	if (node->disk.start != KR_START_HIDDEN &&
	    node->disk.start != KR_START_UNJOINED)
		remark_names(node, field, diag);
	remark_manager_words(node, field, diag);
	return remark_old_dropins(node, rule, diag);
}

static bool has_iptables(const struct kr_rules *rules)
{
	for (size_t i = 0; i < rules->n_items; i++) {
		if (rules->items[i] == kr_rules_usual.items[0])
			return true;
	}
	return false;
}

/* The rules of the fields that RULES show, each by itself; of files there is
 * nothing to remark. The caller frees RET's items. */
static int split(const struct kr_rules *rules,
                 const struct kr_rule ***ret_items, struct kr_rules *ret)
{
	const struct kr_rule **items =
		calloc(rules->n_items + 1, KR_RULE_FIELDS_MAX * sizeof(*items));
	size_t n = 0;

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < rules->n_items; i++) {
		const struct kr_rule *rule = rules->items[i];

		if (rule->n_fields == 1)
			items[n++] = rule;
		for (size_t k = 0; rule->n_fields > 1 && k < rule->n_fields;
		     k++)
			items[n++] = kr_rule_of_field(rule->fields[k]);
	}
	*ret_items = items;
	*ret = (struct kr_rules){items, n, rules->edition};
	return 0;
}

int kr_remarks_find(struct kr_node *node, const struct kr_rules *rules,
                    const char *const *active, struct kr_diag *diag)
{
	_cleanup_free_ const struct kr_rule **items = NULL;
	struct kr_rules single;
	int r = split(rules, &items, &single);

	if (r < 0)
		return r;
	for (size_t i = 0; i < single.n_items; i++) {
		kr_diag_about(diag, single.items[i]->name);
		r = remark_rule(node, single.items[i], diag);
		kr_diag_about(diag, NULL);
		if (r < 0)
			return r;
	}
	r = kr_decoys_find(node, &single, diag);
	if (r < 0 || !has_iptables(rules))
		return r;
	kr_diag_about(diag, kr_rule_of_field(KR_FIELD_IPTABLES)->name);
	r = kr_iptables_remark(node, active, diag);
	kr_diag_about(diag, NULL);
	return r;
}
