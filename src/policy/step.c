/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A step of a plan: what to edit for one rule.
 *
 *   config (CIS remediation 1)  every use of the flag is cut, wherever it is
 *       set, and the key is right in the file that decides: the drop-in of
 *       --config-dir that has the last word, else the file of --config
 *   flag (CIS remediation 2)    every use is cut and one stands at the end of
 *       the variable that holds kubelet's arguments
 *
 * Where the flag alone is wrong and nothing need be written down
 * (cut_suffices), it is cut and that is all. A feature gate's uses hold the
 * gates of others, too: only its own entries go.
 *
 * A flag in a vendor's file is overridden (policy/vendor). A config file that
 * is not ours to edit, or a word whose bytes do not stand in one place, is
 * refused; so is a unit with lines that systemd does not understand: they were
 * meant to say something.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/demands.h"
#include "policy/flag-edit.h"
#include "policy/iptables.h"
#include "policy/proof.h"
#include "policy/sources.h"
#include "policy/step.h"
#include "policy/vendor.h"

struct planning {
	struct kr_node *node;
	const struct kr_judgement *judgement;
	const struct kr_rule *rule;
	struct kr_plan *plan;
	struct kr_diag *diag;
	bool explicit_wanted;
	bool together; /* others that are at fault follow */
};

static int field_of(const struct planning *p)
{
	return p->rule->fields[0];
}

static int refuse(struct planning *p, const char *code, struct kr_span span,
                  const char *text)
{
	kr_diag_add(p->diag, KR_ERROR, code, span, "%s", text);
	return -EOPNOTSUPP;
}

/* --- the key ------------------------------------------------------------- */

/* The file that has the last word on the key: index into the inputs' files. */
static size_t deciding_file(const struct planning *p,
                            const struct kr_merged *merged)
{
	struct kr_merged_value found;

	kr_merged_find(merged, field_of(p), &found);
	return found.file > 0 ? (size_t)found.file : 0;
}

/* The key in the file I, or the file's begin. */
static struct kr_span key_span(const struct planning *p, size_t i)
{
	const struct kr_inputs *in = &p->node->disk.inputs;
	const struct kr_config_use *use;

	kr_config_state(&in->merged.configs[i], field_of(p), &use);
	return use ? use->key : (struct kr_span){in->files[i], 0, 0};
}

static int edit_file(struct planning *p, size_t i)
{
	const struct kr_inputs *in = &p->node->disk.inputs;

	if (kr_source_refusal(in->files[i]))
		return kr_vendor_refuse(p->rule, p->diag, key_span(p, i),
		                        "the key stands in");
	return (p->together ? kr_config_edit_together : kr_config_edit)(
		field_of(p), &in->merged.configs[i], in->files[i],
		&p->rule->want, p->diag, &p->plan->edits);
}

/* Whether the files of MERGED make the rule pass. 1, 0 or -ENOMEM. */
static int is_wanted(const struct planning *p, const struct kr_merged *merged)
{
	_cleanup_decision_ struct kr_decision d = {0};
	struct kr_merged_value found;
	int r;

	kr_merged_find(merged, field_of(p), &found);
	d.state = found.state;
	if (found.state == KR_STATE_ABSENT) {
		if (p->explicit_wanted)
			return 0;
		r = kr_field_default(field_of(p), false,
		                     p->node->disk.inputs.kubelet_minor,
		                     &d.value);
		if (r == -ENOENT)
			return 0;
		d.state = r == 0 ? kr_value_state(&d.value) : d.state;
	} else {
		r = found.value ? kr_value_copy(found.value, &d.value) : 0;
	}
	if (r < 0)
		return r;
	return kr_judge_ask(p->rule, &d) == KR_ANSWER_PASS;
}

/* Where kubelet's version is not known and two of them go by two files, both
 * are edited. */
static int edit_config(struct planning *p)
{
	const struct kr_inputs *in = &p->node->disk.inputs;
	size_t i = deciding_file(p, &in->merged);
	size_t older = deciding_file(p, &in->older);
	bool by_version = p->judgement->by_version;
	int r;

	if (in->n_files == 0 || !in->merged_valid)
		return refuse(p, "no-config-file", KR_SPAN_NONE,
		              "kubelet reads no config file here: "
		              "--method=flag sets the flag instead");
	r = by_version ? is_wanted(p, &in->merged) : 0;
	if (r == 0)
		r = edit_file(p, i);
	if (r < 0 || !in->older_valid)
		return r < 0 ? r : 0;
	r = is_wanted(p, &in->older);
	if (r != 0)
		return r < 0 ? r : 0;
	return older != i || by_version ? edit_file(p, older) : 0;
}

/* --- grounds ------------------------------------------------------------- */

/* Whether systemd reads FILE at a Reload. */
static bool is_unit_file(const struct kr_unit *unit, const struct kr_file *file)
{
	for (size_t i = 0; i < unit->n_dropins; i++) {
		if (unit->dropins[i] == file)
			return true;
	}
	return unit->fragment == file;
}

static int name_place(struct planning *p, const struct kr_source *s)
{
	const struct kr_node_disk *disk = &p->node->disk;
	_cleanup_free_ char *text = kr_rule_text(
		p->rule, s->kind == KR_SOURCE_FLAG ? "@FLAG@=@VALUE@"
						   : "@KEY@: @VALUE@");

	if (!text)
		return -ENOMEM;
	kr_diag_add(p->diag, KR_ERROR, "not-a-unit", s->span,
	            "%s starts kubelet, nothing of it is edited: make this "
	            "%s by hand, then run '%s%s'",
	            disk->foreign->name, text,
	            is_unit_file(disk->unit, s->span.file)
	                    ? "systemctl daemon-reload && "
	                    : "",
	            disk->foreign->restart);
	return 0;
}

/*
 * Another program starts kubelet: what to write where by hand, at each place
 * that does not say it.
 */
static int refuse_foreign(struct planning *p)
{
	const struct kr_judgement *j = p->judgement;
	const struct kr_foreign *f = p->node->disk.foreign;
	const struct kr_source *right = NULL;
	_cleanup_free_ char *where = NULL, *value = NULL;
	bool named = false;

	if (j->restart_needed) {
		kr_diag_add(p->diag, KR_ERROR, "not-a-unit", KR_SPAN_NONE,
		            "%s starts kubelet and is not restarted by this "
		            "program: run '%s'",
		            f->name, f->restart);
		return -EOPNOTSUPP;
	}
	if (p->rule->policy == KR_POLICY_NEVER || p->rule->owners_value) {
		kr_diag_add(p->diag, KR_ERROR, "not-a-unit", KR_SPAN_NONE,
		            "%s starts kubelet, nothing of it is edited: what "
		            "%s has to be is the owner's to say",
		            f->name, p->rule->name);
		return -EOPNOTSUPP;
	}
	where = kr_rule_text(p->rule, f->where);
	if (!where)
		return -ENOMEM;
	for (size_t i = 0; i < j->sources.n; i++) {
		const struct kr_source *s = &j->sources.items[i];
		const struct kr_decision said = {.state = s->state,
		                                 .value = s->value};
		int r;

		if (!s->span.file)
			continue;
		if (kr_judge_ask(p->rule, &said) == KR_ANSWER_PASS) {
			right = s;
			continue;
		}
		named = true;
		r = name_place(p, s);
		if (r < 0)
			return r;
	}
	if (!named && right && kr_value_format(&right->value, &value) < 0)
		return -ENOMEM;
	if (!named && right)
		kr_diag_add(p->diag, KR_ERROR, "not-a-unit", right->span,
		            "%s; here it says %s already: 'kubelet-remedy "
		            "audit --configz' shows what kubelet runs with",
		            j->disk.reason, value);
	else if (!named)
		kr_diag_add(p->diag, KR_ERROR, "not-a-unit", KR_SPAN_NONE,
		            "%s starts kubelet, nothing of it is edited: "
		            "write %s by hand, then run '%s'",
		            f->name, where, f->restart);
	return -EOPNOTSUPP;
}

/* kubelet up to 1.23: the configuration comes from a ConfigMap, unless a flag
 * decides. */
static bool uses_dynamic_config(const struct kr_node_disk *disk)
{
	const char *dir =
		kr_flags_text(&disk->inputs.flags, KR_FIELD_DYNAMIC_CONFIG_DIR);

	return dir && *dir;
}

static struct kr_span dynamic_config_span(const struct kr_node *node)
{
	return kr_node_span(node, kr_flags_last(&node->disk.inputs.flags,
	                                        KR_FIELD_DYNAMIC_CONFIG_DIR)
	                                  ->value_arg);
}

static int refuse_platform(struct planning *p,
                           const struct kr_platform *platform)
{
	_cleanup_free_ char *text = kr_rule_text(p->rule, platform->refusal);

	return text ? refuse(p, "platform", KR_SPAN_NONE, text) : -ENOMEM;
}

/* The edit would be right, and an old kubelet would die of it. */
static int check_bits(struct planning *p)
{
	int bit, r;

	/* where it is on already, nothing is switched on */
	if (field_of(p) != KR_FIELD_IPTABLES ||
	    p->judgement->disk.state == KR_STATE_TRUE)
		return 0;
	r = kr_iptables_bits_fatal(p->node, &p->node->disk.inputs, &bit);
	if (r <= 0)
		return r;
	kr_diag_add(p->diag, KR_ERROR, "mark-bits-equal", KR_SPAN_NONE,
	            "iptablesMasqueradeBit and iptablesDropBit are both %d: a "
	            "kubelet before 1.28 would end a few seconds after its "
	            "start with this setting on; one of them would have to be "
	            "another bit (14 and 15 by default)",
	            bit);
	return -EOPNOTSUPP;
}

static int refuse_not_by_setting(struct planning *p)
{
	kr_diag_add(p->diag, KR_ERROR, "not-by-setting", KR_SPAN_NONE,
	            "%s: this must be put right first",
	            p->judgement->disk.reason);
	return -EOPNOTSUPP;
}

/* kubelet would not start, and nothing told that it is by our field: a range,
 * or a rule between several fields. Whether it starts with the edits shows. */
static bool is_cure(const struct kr_judgement *j)
{
	return j->disk.state == KR_STATE_INVALID && !j->by_setting;
}

/* Whether there is anything that a plan could be made for. */
static int check_grounds(struct planning *p)
{
	const struct kr_judgement *j = p->judgement;
	const struct kr_node_disk *disk = &p->node->disk;
	const struct kr_inputs *in = kr_node_inputs(p->node);
	const struct kr_platform *platform = p->node->platform;
	_cleanup_free_ char *flag = kr_rule_text(p->rule, "--@FLAG@=@VALUE@");
	_cleanup_free_ char *member = kr_rule_text(p->rule, "@KEY@ @VALUE@");

	if (!flag || !member)
		return -ENOMEM;

	if (platform && platform->refusal)
		return refuse_platform(p, platform);
	if (kr_node_waits(p->node))
		return -ENOENT;
	if (disk->foreign)
		return refuse_foreign(p);
	if (uses_dynamic_config(disk) && (j->disk.state == KR_STATE_UNKNOWN ||
	                                  p->plan->method == KR_METHOD_CONFIG))
		return refuse(p, "dynamic-config", dynamic_config_span(p->node),
		              "kubelet takes its configuration from the "
		              "ConfigMap that the node's spec.configSource "
		              "names: set the key there with 'kubectl edit "
		              "configmap' (kubelet 1.24 and later have no "
		              "--dynamic-config-dir)");
	if (!in && disk->state == KR_STATE_INVALID) {
		kr_diag_add(p->diag, KR_ERROR, "not-by-setting", KR_SPAN_NONE,
		            "%s must be put right first", p->node->unit_name);
		return -EOPNOTSUPP;
	}
	if (!in || disk->start == KR_START_PROCESS) {
		kr_diag_add(p->diag, KR_ERROR, "not-a-unit", KR_SPAN_NONE,
		            "%s: there is nothing here that could be edited "
		            "safely: it must be started with %s",
		            disk->start == KR_START_PROCESS
		                    ? "kubelet belongs to no unit of systemd"
		                    : j->disk.reason,
		            flag);
		return -EOPNOTSUPP;
	}
	if (disk->start == KR_START_HIDDEN &&
	    j->disk.state == KR_STATE_UNKNOWN) {
		kr_diag_add(p->diag, KR_ERROR, "mounted-over", KR_SPAN_NONE,
		            "%s: make %s by hand, in the file that kubelet has "
		            "there",
		            j->disk.reason, member);
		return -EOPNOTSUPP;
	}
	/* what is written takes the place of either default */
	if (j->disk.state == KR_STATE_UNKNOWN && !j->by_version &&
	    !j->disk.either_default)
		return refuse_not_by_setting(p);
	return check_bits(p);
}

/* --- the whole ----------------------------------------------------------- */

bool kr_step_is_done(const struct kr_node *node, const struct kr_judgement *j,
                     const struct kr_plan_options *options)
{
	const struct kr_source *s = kr_judgement_deciding(j);

	if (node->disk.foreign && j->restart_needed)
		return false;
	if (!j->rule->test || j->verdict == KR_VERDICT_NOT_APPLICABLE)
		return true;
	/* a file that is not there is open to nobody */
	if (j->rule->n_fields == 0 && j->disk.state == KR_STATE_ABSENT)
		return true;
	if (j->disk.answer != KR_ANSWER_PASS)
		return false;
	return !options->explicit_wanted || j->rule->wants_nothing ||
	       j->rule->n_fields == 0 || (s && s->kind != KR_SOURCE_DEFAULT);
}

bool kr_step_is_hopeless(const struct kr_node *node)
{
	return (node->platform && node->platform->refusal) ||
	       kr_node_waits(node) || node->disk.foreign ||
	       !kr_node_inputs(node) || node->disk.start == KR_START_PROCESS;
}

/* 1: with the edits so far the rule passes; 0; -ENOMEM. */
static int passes(struct planning *p)
{
	_cleanup_node_ struct kr_node *after = NULL;
	_cleanup_decision_ struct kr_decision d = {0};
	int r;

	if (p->plan->edits.n_files == 0)
		return 0;
	r = kr_node_with_edits(p->node, &p->plan->edits, NULL, &after);
	if (r == 0)
		r = kr_judge_decide(after, p->rule, &d);
	if (r < 0)
		return r;
	return kr_judge_ask(p->rule, &d) == KR_ANSWER_PASS;
}

static int make_edits(struct planning *p)
{
	const struct kr_flag_edit e = {p->node, p->rule, &p->plan->edits,
	                               p->diag};
	bool vendor;
	int r = kr_flag_edit_cut(&e, field_of(p), NULL, &vendor);

	if (r == 0 && !vendor && p->rule->cut_suffices && !p->explicit_wanted)
		r = passes(p);
	if (r != 0)
		return r < 0 ? r : 0;
	if (p->plan->method == KR_METHOD_CONFIG)
		r = edit_config(p);
	if (r == 0 && vendor)
		return kr_vendor_override(p->node, p->rule, p->plan, p->diag);
	if (r == 0 && p->plan->method == KR_METHOD_FLAG) {
		p->plan->n_uses = 1;
		r = kr_flag_edit_append(&e, field_of(p), &p->rule->want);
	}
	return r;
}

enum kr_method kr_step_method(const struct kr_node *node)
{
	if (kr_node_waits(node))
		return KR_METHOD_CONFIG;
	return node->disk.inputs.n_files > 0 &&
	                       node->disk.start != KR_START_HIDDEN &&
	                       !uses_dynamic_config(&node->disk)
	               ? KR_METHOD_CONFIG
	               : KR_METHOD_FLAG;
}

int kr_step_make(struct kr_node *node, const struct kr_judgement *j,
                 const struct kr_plan_options *options, struct kr_diag *diag,
                 struct kr_plan *step)
{
	struct planning p = {
		.node = node,
		.judgement = j,
		.rule = j->rule,
		.plan = step,
		.diag = diag,
		.explicit_wanted = options->explicit_wanted,
		.together = options->together,
	};
	_cleanup_diag_ struct kr_diag found = {0};
	int r = check_grounds(&p);

	if (is_cure(j))
		p.diag = &found;
	if (r == 0)
		r = make_edits(&p);
	if (r == 0)
		r = kr_edits_join(&step->edits);
	if (r == 0 && (!options->draft || is_cure(j)))
		r = kr_proof_run(node, j->rule, step, options->together,
		                 p.diag);
	if (!is_cure(j))
		return r;
	p.diag = diag;
	if (r == -EOPNOTSUPP && found.n_messages > 0)
		return refuse_not_by_setting(&p);
	kr_diag_merge(diag, &found);
	return r;
}

/* --- mode and owner ------------------------------------------------------- */

/* S becomes what is demanded, with the fewest bits changed. */
static int edit_perms(struct kr_node *disk, const struct kr_edition *edition,
                      const struct kr_rule *rule, const struct kr_source *s,
                      struct kr_diag *diag, struct kr_plan *step)
{
	const bool of_mode = rule->subject == KR_SUBJECT_MODE;
	const mode_t mode = s->perms.mode & kr_demand_mode(rule, edition);
	const struct kr_file *file;
	int r;

	if (of_mode ? mode == s->perms.mode
	            : s->perms.uid == 0 && s->perms.gid == 0)
		return 0;
	if (!s->editable) {
		kr_diag_add_path(diag, KR_ERROR, "file-not-ours", s->path,
		                 "its mode and owner stay: %s", s->reason);
		return -EOPNOTSUPP;
	}
	r = kr_fs_read(disk->fs, s->real, &file);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || file->st.st_nlink != 1) {
		kr_diag_add_path(diag, KR_ERROR, "file-not-ours", s->path,
		                 "its mode and owner stay: it %s",
		                 r < 0 ? "cannot be read"
		                       : "has another name, too");
		return -EOPNOTSUPP;
	}
	return of_mode ? kr_edits_chmod(&step->edits, file, mode)
	               : kr_edits_chown(&step->edits, file, 0, 0);
}

int kr_step_make_perms(struct kr_node *node, struct kr_node *disk,
                       const struct kr_edition *edition,
                       const struct kr_judgement *j, struct kr_diag *diag,
                       struct kr_plan *step)
{
	const struct kr_audit_options options = {.live = KR_STATE_ABSENT};
	const struct kr_rules rules = {&j->rule, 1, edition};
	_cleanup_diag_ struct kr_diag found = {0};
	int r;

	for (size_t i = 0; i < j->sources.n; i++) {
		if (j->sources.items[i].kind != KR_SOURCE_FILE)
			continue;
		r = edit_perms(disk, edition, j->rule, &j->sources.items[i],
		               diag, step);
		if (r < 0)
			return r;
	}
	r = kr_node_with_edits(node, &step->edits, &found, &step->after);
	if (r == 0)
		r = kr_audit_run(step->after, &rules, &options, &found,
		                 &step->audit);
	if (r < 0)
		return r;
	if (step->audit->items[0].disk.answer == KR_ANSWER_PASS)
		return 0;
	kr_diag_add(diag, KR_ERROR, "not-proven", KR_SPAN_NONE,
	            "the change would not make it as demanded: %s",
	            step->audit->items[0].reason);
	return -EOPNOTSUPP;
}
