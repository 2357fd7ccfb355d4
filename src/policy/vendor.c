/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A flag in a vendor's file. The next update of the package would bring it back
 * if it were cut there, so it is overridden, since the last use wins:
 *
 *   1. "--FLAG=true" at the end of a variable of the administrator's that the
 *      command expands behind the vendor's use. Which one does it is not
 *      reckoned but tried: the edited node is read, and must say true.
 *      Where the command itself is the administrator's, at its end.
 *   2. else a drop-in: "ExecStart=" and the vendor's command less the flag, and
 *      with "--FLAG=true" at its end where the flag comes from a variable. Its
 *      name sorts behind that of the drop-in that has the vendor's command.
 *
 * A use that kubelet refuses (a bad value) cannot be overridden by 1: every
 * occurrence must parse.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "node/vendor.h"
#include "policy/sources.h"
#include "policy/vendor.h"

#define SYSTEM_UNITS "/etc/systemd/system"

struct overriding {
	struct kr_node *node;
	const struct kr_rule *rule;
	struct kr_plan *plan;
	struct kr_diag *diag;
	const struct kr_unit_command *command;
	const char *flag; /* "--make-iptables-util-chains=true" */
};

static bool is_vendors(struct kr_node *node, size_t arg)
{
	const struct kr_unit_word *word = kr_node_word(node, arg);
	const struct kr_file *file;

	if (!word)
		return false;
	file = kr_word_cut(word).file ?: kr_word_span(word).file;
	return file && kr_source_refusal(file);
}

bool kr_vendor_owns_use(struct kr_node *node, const struct kr_flag_use *use)
{
	for (size_t i = 0; i < use->n_args; i++) {
		if (is_vendors(node, use->arg + i))
			return true;
	}
	return false;
}

/* How many uses stay where they are; -1: one of them kubelet refuses. */
static int count_staying(struct kr_node *node, int field)
{
	const struct kr_flags *flags = &node->disk.inputs.flags;
	const struct kr_flag_use *use;
	size_t at = 0;
	int n = 0;

	while ((use = kr_flags_next(flags, field, &at))) {
		if (!kr_vendor_owns_use(node, use))
			continue;
		if (use->state == KR_STATE_INVALID)
			return -1;
		n++;
	}
	return n;
}

/* --- 1: a variable ------------------------------------------------------- */

static int copy_edits(struct kr_edits *to, const struct kr_edits *from)
{
	for (size_t f = 0; f < from->n_files; f++) {
		KR_EACH(const struct kr_edit, e, from->files[f].edits,
		        from->files[f].n_edits) {
			const struct kr_span span = {from->files[f].file,
			                             e->offset, e->length};
			int r = kr_edits_add(to, span, e->text);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Whether the node would pass by its flag after EDITS. 1, 0 or an errno. */
static int decides(struct overriding *o, const struct kr_edits *edits)
{
	_cleanup_node_ struct kr_node *after = NULL;
	_cleanup_decision_ struct kr_decision d = {0};
	int r = kr_node_with_edits(o->node, edits, NULL, &after);

	if (r < 0)
		return r;
	r = kr_judge_decide(after, o->rule, &d);
	if (r < 0)
		return r;
	return kr_judge_ask(o->rule, &d) == KR_ANSWER_PASS &&
	       d.by == KR_BY_FLAG;
}

/* 1: done; 0: this variable does not do it. */
static int try_variable(struct overriding *o, const char *name)
{
	const struct kr_unit_variable *v =
		kr_unit_variable(o->node->disk.unit, name);
	_cleanup_edits_ struct kr_edits edits = {0};
	int r;

	if (!v || !v->file || kr_source_refusal(v->file))
		return 0;
	r = copy_edits(&edits, &o->plan->edits);
	if (r < 0)
		return r;
	r = kr_unit_append_word(v, o->flag, &edits, NULL);
	if (r < 0)
		return r == KR_REFUSED || r == KR_COLLIDES ? 0 : r;
	r = decides(o, &edits);
	if (r <= 0)
		return r;
	kr_edits_done(&o->plan->edits);
	o->plan->edits = TAKE(edits);
	return 1;
}

static int try_variables(struct overriding *o)
{
	for (size_t i = o->command->expands.n_items; i-- > 0;) {
		int r = try_variable(o, o->command->expands.items[i]);

		if (r != 0)
			return r;
	}
	return 0;
}

int kr_vendor_refuse(const struct kr_rule *rule, struct kr_diag *diag,
                     struct kr_span span, const char *what)
{
	const char *reason = kr_source_refusal(span.file);
	const char *instead = kr_source_instead(span.file);
	_cleanup_free_ char *text = NULL;

	if (!instead)
		return kr_diag_refuse(diag, "file-not-ours", span, "%s %s",
		                      what, reason);
	text = kr_rule_text(rule, instead);
	if (!text)
		return -ENOMEM;
	return kr_diag_refuse(diag, "file-of-a-store", span, "%s %s: %s", what,
	                      reason, text);
}

/* --- 2: a drop-in -------------------------------------------------------- */

/* The command's bytes without those of the uses that stand in it. */
static char *command_text(struct overriding *o, bool *ret_variable)
{
	const struct kr_flags *flags = &o->node->disk.inputs.flags;
	struct kr_span span = o->command->span;
	char *text = strndup(span.file->data + span.offset, span.length);
	const struct kr_flag_use *use;
	size_t gone = 0, next = 0;
	bool variable = false;

	/* a gate's uses hold those of others: the last entry of a name wins */
	*ret_variable =
		kr_field(o->rule->fields[0])->combine == KR_COMBINE_GATE;
	while (text && !*ret_variable &&
	       (use = kr_flags_next(flags, o->rule->fields[0], &next))) {
		for (size_t k = 0; k < use->n_args; k++) {
			const struct kr_unit_word *w =
				kr_node_word(o->node, use->arg + k);
			size_t at;

			if (w->from->kind != KR_WORD_LITERAL ||
			    w->cut_length == 0) {
				variable = true;
				continue;
			}
			at = w->cut_start - span.offset - gone;
			memmove(text + at, text + at + w->cut_length,
			        strlen(text + at + w->cut_length) + 1);
			gone += w->cut_length;
		}
	}
	*ret_variable = *ret_variable || variable;
	return text;
}

/* The command is the administrator's own: the flag at its end does it. */
static int append_to_command(struct overriding *o, int staying)
{
	if (staying < 0)
		return KR_REFUSED;
	o->plan->n_uses = (size_t)staying + 1;
	return kr_unit_append_argument(o->command, o->flag, &o->plan->edits,
	                               o->diag);
}

static int make_dropin(struct overriding *o)
{
	struct stat st;
	_cleanup_free_ char *path = kr_vendor_path(
		o->node->disk.unit, o->node->unit_name, o->command->span.file);
	_cleanup_free_ char *command = NULL, *text = NULL;
	bool variable;
	int r;

	command = command_text(o, &variable);
	if (!path || !command)
		return -ENOMEM;
	if (kr_fs_look(o->node->fs, path, false, &st) == 0)
		return kr_diag_refuse_path(
			o->diag, "dropin-exists", path,
			"is there already and does not hold the "
			"command: it must go first");
	if (variable) {
		char *longer;

		if (asprintf(&longer, "%s %s", command, o->flag) < 0)
			return -ENOMEM;
		free(command);
		command = longer;
	}
	o->plan->n_uses =
		variable
			? (size_t)count_staying(o->node, o->rule->fields[0]) + 1
			: 0;
	text = kr_vendor_format(o->command->span.file, o->rule->fields[0],
	                        command);
	if (!text)
		return -ENOMEM;
	r = kr_edits_create(&o->plan->edits, path, text);
	return r == KR_COLLIDES ? KR_REFUSED : r;
}

/* Whether a drop-in would stand in what is built, too: then it cannot be made,
 * or is gone with the next build. */
static int is_built(struct kr_node *node, const struct kr_file *command)
{
	_cleanup_free_ char *real = NULL;
	int r;

	if (!kr_source_instead(command))
		return 0;
	r = kr_fs_real(node->fs, SYSTEM_UNITS, &real);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return strcmp(real, SYSTEM_UNITS) != 0;
}

/* Says why, where R is KR_REFUSED. */
static int refuse_unsafe(const struct overriding *o, int r)
{
	if (r == KR_REFUSED)
		kr_diag_add(o->diag, KR_ERROR, "file-not-ours",
		            o->command->span,
		            "the flag stands in a file of the vendor, and "
		            "neither a variable nor a drop-in overrides it "
		            "safely");
	return r;
}

/* KR_REFUSED: neither the command nor a drop-in can have the flag. */
static int override_by_unit(struct overriding *o, int staying)
{
	if (!kr_source_refusal(o->command->span.file))
		return append_to_command(o, staying);
	if (o->node->disk.unit->n_commands > 1)
		return KR_REFUSED;
	return make_dropin(o);
}

static int override(struct overriding *o)
{
	int staying = count_staying(o->node, o->rule->fields[0]);
	int r = staying > 0 ? try_variables(o) : 0;

	if (r < 0)
		return refuse_unsafe(o, r);
	if (r > 0) {
		o->plan->n_uses = (size_t)staying + 1;
		return 0;
	}
	r = is_built(o->node, o->command->span.file);
	if (r < 0)
		return r;
	if (r > 0)
		return kr_vendor_refuse(o->rule, o->diag, o->command->span,
		                        "the flag stands in");
	return refuse_unsafe(o, override_by_unit(o, staying));
}

int kr_vendor_override(struct kr_node *node, const struct kr_rule *rule,
                       struct kr_plan *plan, struct kr_diag *diag)
{
	_cleanup_free_ char *flag = kr_rule_text(rule, "--@FLAG@=@VALUE@");
	struct overriding o = {
		.node = node,
		.rule = rule,
		.plan = plan,
		.diag = diag,
		.command = kr_node_command(node),
		.flag = flag,
	};

	return flag ? override(&o) : -ENOMEM;
}
