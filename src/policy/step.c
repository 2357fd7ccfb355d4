/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A step of a plan: what to edit for one rule.
 *
 *   config (CIS remediation 1)  every use of the flag is cut, wherever it is
 *       set, and the key is right in the file that decides: the drop-in of
 *       --config-dir that has the last word, else the file of --config, else,
 *       where kubelet has --config-dir alone, a drop-in of our own
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

#include "base/format.h"
#include "kubelet/flag-table.h"
#include "policy/flag-edit.h"
#include "policy/iptables.h"
#include "policy/proof.h"
#include "policy/refusal.h"
#include "policy/sources.h"
#include "policy/step.h"
#include "policy/vendor.h"
#include "unit/environment.h"

struct planning {
	struct kr_node *node;
	const struct kr_judgement *judgement;
	const struct kr_rule *rule;
	struct kr_plan *plan;
	struct kr_diag *diag;
	bool explicit_wanted;
	bool together; /* others that are at fault follow */
	bool brief;    /* a refusal of the node is said already */
};

static int field_of(const struct planning *p)
{
	return p->rule->fields[0];
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

	kr_config_state(in->merged.configs[i], field_of(p), &use);
	return use ? use->key : (struct kr_span){in->files[i], 0, 0};
}

static int edit_file(struct planning *p, size_t i)
{
	const struct kr_inputs *in = &p->node->disk.inputs;

	if (kr_source_refusal(in->files[i]))
		return kr_vendor_refuse(p->rule, p->diag, key_span(p, i),
		                        "the key stands in");
	return (p->together ? kr_config_edit_together : kr_config_edit)(
		field_of(p), in->merged.configs[i], in->files[i],
		&p->rule->want, p->diag, &p->plan->edits);
}

#define MADE_NAME "90-kubelet-remedy.conf"

/* The drop-in that a fix has made, among those of --config-dir; -1: none. */
static ssize_t find_made(const struct kr_inputs *in)
{
	for (size_t i = in->config_read; i < in->n_files; i++) {
		const char *name = strrchr(in->files[i]->real, '/') + 1;

		if (strcmp(name, MADE_NAME) == 0)
			return (ssize_t)i;
	}
	return -1;
}

/* kubelet has --config-dir alone, and no file there sets the key: a file of our
 * own does, which an earlier step or fix may have made. */
static int make_dropin(struct planning *p)
{
	const struct kr_inputs *in = &p->node->disk.inputs;
	_cleanup_free_ char *path = NULL, *text = NULL, *folder = NULL;
	const int field = field_of(p);
	ssize_t made = find_made(in);
	int r;

	if (made >= 0)
		return edit_file(p, (size_t)made);
	r = kr_fs_real(p->node->fs, in->config_dir, &folder);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || kr_source_refusal_at(folder))
		return kr_diag_refuse_path(
			p->diag, "file-not-ours", in->config_dir,
			"a drop-in with the key must stand "
			"there, and it %s",
			r < 0 ? "cannot be looked at"
			      : kr_source_refusal_at(folder));
	path = kr_path_join(folder, MADE_NAME);
	if (!path)
		return -ENOMEM;
	r = kr_config_make(&field, &p->rule->want, 1, &text);
	if (r == 0)
		r = kr_edits_create(&p->plan->edits, path, text);
	return r == KR_COLLIDES ? KR_REFUSED : r;
}

/* Whether that is so. */
static bool wants_dropin(const struct planning *p)
{
	const struct kr_inputs *in = &p->node->disk.inputs;
	struct kr_merged_value found;

	if (!in->config_dir || in->config_read)
		return false;
	if (in->n_files == 0)
		return true;
	if (!in->merged_valid)
		return false;
	kr_merged_find(&in->merged, field_of(p), &found);
	return found.file < 0;
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
		if (r < 0)
			return r == -ENOENT ? 0 : r;
		d.state = kr_value_state(&d.value);
	} else if (found.value) {
		r = kr_value_copy(found.value, &d.value);
		if (r < 0)
			return r;
	}
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

	if (wants_dropin(p))
		return make_dropin(p);
	if (in->n_files == 0 || !in->merged_valid)
		return kr_diag_refuse(p->diag, "no-config-file", KR_SPAN_NONE,
		                      "kubelet reads no config file here: "
		                      "--method=flag sets the flag instead");
	r = by_version ? is_wanted(p, &in->merged) : 0;
	if (r < 0)
		return r;
	r = r > 0 ? 0 : edit_file(p, i);
	if (r < 0 || !in->older_valid)
		return r;
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

/* What would do harm is no advice, either; WHO starts kubelet or writes its
 * files, NULL: that is said already. Where nothing is known of what kubelet is
 * given, the advice stays, and RET_BUT says when it must not be followed. 0;
 * KR_REFUSED, with words; -ENOMEM. */
static int find_harm(struct kr_node *node, const struct kr_rule *rule,
                     const char *who, struct kr_diag *diag, char **ret_but)
{
	_cleanup_free_ char *why = NULL;
	const bool by_inputs = rule->refusal != KR_REFUSAL_SYSCTLS &&
	                       rule->refusal != KR_REFUSAL_VERSION;
	int r = kr_refusal_find(node, node, rule, diag, &why);

	if (r < 0)
		return r;
	if (r == 0 || (by_inputs && !kr_node_inputs(node)))
		return kr_format(ret_but, "%s%s",
		                 r == 0 ? "" : ", but not while ",
		                 r == 0 ? "" : why);
	if (!who)
		return kr_diag_refuse(diag, "refused", KR_SPAN_NONE,
		                      "do not set it yourself, either: %s",
		                      why);
	return kr_diag_refuse(
		diag, "refused", KR_SPAN_NONE,
		"%s, so fix edits nothing here; do not set %s there yourself, "
		"either: %s",
		who, rule->name, why);
}

/* The value would be right, and an old kubelet would die of it. */
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
	return kr_diag_refuse(
		p->diag, "mark-bits-equal", KR_SPAN_NONE,
		"iptablesMasqueradeBit and iptablesDropBit are both %d: a "
		"kubelet before 1.28 would exit a few seconds after its start "
		"with this setting on; one of them must be "
		"another bit (14 and 15 by default)",
		bit);
}

/* The owner has to know what it is to be. */
static bool is_owners(const struct kr_rule *rule)
{
	return rule->policy == KR_POLICY_NEVER || rule->owners_value;
}

/* S of a setting, which may say what is demanded. */
static bool says_right(const struct planning *p, const struct kr_source *s)
{
	const struct kr_decision said = {.state = s->state, .value = s->value};

	return kr_judge_ask(p->rule, &said) == KR_ANSWER_PASS;
}

#define STARTS_KUBELET "starts kubelet, so fix edits nothing here"

/* Whether the flag S is written with its dashes: k3s and RKE2 need none. */
static bool has_dashes(const struct kr_source *s)
{
	const char *at = s->span.file->data + s->span.offset;
	size_t n = strcspn(s->text, "=");

	return memmem(at, s->span.length, s->text, n) ||
	       !memmem(at, s->span.length, s->text + 2, n - 2);
}

/* Whether the value of the flag S is a word of its own behind it. */
static bool has_two_words(const struct kr_source *s)
{
	size_t n = s->kind == KR_SOURCE_FLAG ? strlen(s->text) : 0;
	const struct kr_flag *flag =
		n > 2 ? kr_flag_find(s->text + 2, n - 2) : NULL;

	return flag && (s->state == KR_STATE_INVALID || !kr_flag_is_bare(flag));
}

static int name_place(struct planning *p, const struct kr_source *s,
                      const char *but)
{
	const struct kr_node_disk *disk = &p->node->disk;
	const char *where = kr_source_where(s->span.file);
	_cleanup_free_ char *text = kr_rule_text(
		p->rule, s->kind != KR_SOURCE_FLAG ? "@KEY@: @VALUE@"
			 : has_dashes(s)           ? "--@FLAG@=@VALUE@"
						   : "@FLAG@=@VALUE@");

	if (!text)
		return -ENOMEM;
	if (where)
		return kr_diag_refuse(p->diag, "not-a-unit", s->span,
		                      "%s%schange this to %s%s, but not here: "
		                      "%s",
		                      p->brief ? "" : disk->foreign->name,
		                      p->brief ? "" : " " STARTS_KUBELET ": ",
		                      text, but, where);
	return kr_diag_refuse(
		p->diag, "not-a-unit", s->span,
		"%s%schange this%s to %s yourself%s, then run '%s%s'",
		p->brief ? "" : disk->foreign->name,
		p->brief ? "" : " " STARTS_KUBELET ": ",
		has_two_words(s) ? " and the word behind it" : "", text, but,
		is_unit_file(disk->unit, s->span.file)
			? "systemctl daemon-reload && "
			: "",
		disk->foreign->restart);
}

/* Whether S is a flag that stands elsewhere than in the file that PLACE ends
 * with, if it does: what is put there does not count beside it. */
static bool overrides(const struct kr_node *node, const char *place,
                      const struct kr_source *s)
{
	const char *path = strchr(place, '/');
	_cleanup_free_ char *real = NULL;

	return s->kind == KR_SOURCE_FLAG &&
	       (!path || kr_fs_real(node->fs, path, &real) < 0 ||
	        strcmp(real, s->span.file->real) != 0);
}

/* What to write where by hand: at each place that says something else, or, as
 * there is none, where the program takes it from. */
static int name_places(struct planning *p)
{
	const struct kr_foreign *f = p->node->disk.foreign;
	const struct kr_judgement *j = p->judgement;
	_cleanup_free_ char *who = NULL, *where = NULL, *but = NULL;
	int r = check_bits(p);
	bool named = false, elsewhere = false;

	if (r == 0)
		r = kr_format(&who, "%s starts kubelet", f->name);
	if (r == 0)
		r = find_harm(p->node, p->rule, p->brief ? NULL : who, p->diag,
		              &but);
	for (size_t i = 0; i < j->sources.n && (r == 0 || named); i++) {
		const struct kr_source *s = &j->sources.items[i];

		if (!s->span.file || says_right(p, s))
			continue;
		named = true;
		elsewhere |= overrides(p->node, f->by_hand->place, s);
		r = name_place(p, s, but);
		if (r != KR_REFUSED)
			return r;
	}
	if ((r == 0 || named) && p->brief && !elsewhere && !*but)
		p->plan->by_hand = f->by_hand;
	if (r < 0)
		return r;
	where = kr_rule_text(p->rule, f->where);
	if (!where)
		return -ENOMEM;
	return kr_diag_refuse(p->diag, "not-a-unit", KR_SPAN_NONE,
	                      "%s%swrite %s yourself%s, then run '%s'",
	                      p->brief ? "" : f->name,
	                      p->brief ? "" : " " STARTS_KUBELET ": ", where,
	                      but, f->restart);
}

/* The last place that says what is demanded; NULL: there is none, or another
 * says something else. */
static const struct kr_source *find_right(const struct planning *p)
{
	const struct kr_sources *all = &p->judgement->sources;
	const struct kr_source *right = NULL;

	for (size_t i = 0; i < all->n; i++) {
		if (!all->items[i].span.file)
			continue;
		if (!says_right(p, &all->items[i]))
			return NULL;
		right = &all->items[i];
	}
	return right;
}

/* Another program starts kubelet. */
static int refuse_foreign(struct planning *p)
{
	const struct kr_judgement *j = p->judgement;
	const struct kr_foreign *f = p->node->disk.foreign;
	const struct kr_source *right = find_right(p);
	_cleanup_free_ char *value = NULL;

	if (j->restart_needed)
		return kr_diag_refuse(
			p->diag, "not-a-unit", KR_SPAN_NONE,
			"%s starts kubelet and is not restarted by this "
			"program: run '%s'",
			f->name, f->restart);
	if (is_owners(p->rule))
		return kr_diag_refuse(p->diag, "not-a-unit", KR_SPAN_NONE,
		                      "%s " STARTS_KUBELET
		                      ": the owner must choose the "
		                      "value of %s",
		                      f->name, p->rule->name);
	if (!right)
		return name_places(p);
	if (kr_value_format(&right->value, &value) < 0)
		return -ENOMEM;
	return kr_diag_refuse(
		p->diag, "not-a-unit", right->span,
		"%s; here it says %s already: 'kubelet-remedy audit "
		"--configz' shows what kubelet runs with",
		j->disk.reason, value);
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

int kr_step_refuse_platform(struct kr_node *node, const struct kr_rule *rule,
                            bool brief, struct kr_diag *diag)
{
	const struct kr_platform *platform = node->platform;
	_cleanup_free_ char *text = NULL, *who = NULL, *but = NULL;
	int r = kr_format(&who, "%s writes kubelet's files", platform->owner);

	if (r == 0 && is_owners(rule))
		return kr_diag_refuse(diag, "not-a-unit", KR_SPAN_NONE,
		                      "%s, so fix edits nothing here: the "
		                      "owner must choose the value of %s",
		                      who, rule->name);
	if (r == 0)
		r = find_harm(node, rule, brief ? NULL : who, diag, &but);
	if (r < 0)
		return r;
	text = kr_rule_text(rule, platform->instead);
	if (!text)
		return -ENOMEM;
	return kr_diag_refuse(diag, "platform", KR_SPAN_NONE, "%s%s%s%s",
	                      brief ? "" : platform->refusal, brief ? "" : ": ",
	                      text, but);
}

static int refuse_not_by_setting(struct planning *p)
{
	const char *reason = p->judgement->disk.reason;
	const char *step = "this must be corrected first";

	if (strstr(reason, KR_CONFIG_DOUBT))
		step = "write a blank behind that tag, then run this again";
	else if (strstr(reason, KR_COMMENT_CONTINUES))
		step = "take the backslash at the end of that comment away, "
		       "then run this again";
	return kr_diag_refuse(p->diag, "not-by-setting", KR_SPAN_NONE, "%s: %s",
	                      reason, step);
}

/* kubelet would not start, and nothing told that it is by our field: a range,
 * or a rule between several fields. Whether it starts with the edits shows. */
static bool is_cure(const struct kr_judgement *j)
{
	return j->disk.state == KR_STATE_INVALID && !j->by_setting;
}

static int refuse_platform(struct planning *p)
{
	_cleanup_diag_ struct kr_diag ignored = {0};
	_cleanup_free_ char *why = NULL;
	int r = kr_step_refuse_platform(p->node, p->rule, p->brief, p->diag);
	int harm;

	if (!kr_diag_find(p->diag, "platform"))
		return r;
	/* what is not to be done is no text to paste */
	harm = kr_refusal_find(p->node, p->node, p->rule, &ignored, &why);
	if (harm < 0)
		return harm;
	if (harm == 0)
		p->plan->by_hand = p->node->platform;
	return r;
}

/* No file says what kubelet is started with. */
static bool is_unseen(struct kr_node *node)
{
	const struct kr_node_disk *disk = &node->disk;

	if (disk->no_kubelet && node->unit_named)
		return false;
	return disk->start == KR_START_PROCESS ||
	       (!kr_node_inputs(node) && disk->state != KR_STATE_INVALID);
}

/* Why that is so. */
static const char *unseen(const struct kr_node *node)
{
	return node->disk.start == KR_START_PROCESS
	               ? "kubelet belongs to no unit of systemd"
	               : node->disk.reason;
}

/* The words of TEXT about RULE, whose value may be its owner's to choose. */
static char *word(const struct kr_rule *rule, const char *text)
{
	static char unsaid[] = "VALUE";
	const struct kr_value value = {.type = KR_TYPE_STRING, .s = unsaid};

	return kr_platform_text(
		rule->fields, is_owners(rule) ? &value : &rule->want, 1, text);
}

static bool is_masked(const struct kr_node *node)
{
	return node->disk.unit && node->disk.unit->load == KR_UNIT_MASKED;
}

char *kr_step_way(const struct kr_node *node, const struct kr_rule *rule)
{
	const struct kr_platform *p = node->platform;
	const struct kr_foreign *f = node->disk.foreign;
	_cleanup_free_ char *where = NULL;
	char *way = NULL;

	if (p && p->refusal)
		return word(rule, p->instead);
	if (node->disk.step)
		return strdup(node->disk.step);
	if (is_masked(node)) {
		kr_format(&way, "run 'systemctl unmask %s', then this again",
		          node->unit_name);
		return way;
	}
	if (!f)
		return word(rule,
		            "kubelet must be started with --@FLAG@=@VALUE@");
	where = word(rule, f->where);
	if (where)
		kr_format(&way, "write %s yourself, then run '%s'", where,
		          f->restart);
	return way;
}

#define NOTHING_HERE "there is nothing here that could be edited safely"

static int refuse_start(struct planning *p)
{
	static const struct kr_platform by_hand = {
		.owner = "what starts kubelet",
		.when = "at each start of kubelet",
		.place = "kubelet's arguments",
		.text = "--@FLAG@=@VALUE@\n",
	};
	_cleanup_free_ char *way = kr_step_way(p->node, p->rule);
	bool curable = p->node->disk.step || is_masked(p->node);

	if (!way)
		return -ENOMEM;
	if (p->brief && !curable && !is_owners(p->rule))
		p->plan->by_hand = &by_hand;
	return kr_diag_refuse(p->diag, "not-a-unit", KR_SPAN_NONE, "%s%s%s",
	                      p->brief ? "" : unseen(p->node),
	                      p->brief  ? ""
	                      : curable ? ": "
	                                : ": " NOTHING_HERE ": ",
	                      way);
}

char *kr_step_hopeless_why(struct kr_node *node)
{
	const struct kr_node_disk *disk = &node->disk;
	char *why = NULL;
	int r = 0;

	if (node->platform && node->platform->refusal)
		r = kr_format(&why, "%s", node->platform->refusal);
	else if (disk->foreign)
		r = kr_format(&why, "%s " STARTS_KUBELET, disk->foreign->name);
	else if (is_unseen(node))
		r = kr_format(&why, "%s: " NOTHING_HERE, unseen(node));
	return r < 0 ? NULL : why;
}

/* Whether there is anything that a plan could be made for. */
static int check_grounds(struct planning *p)
{
	const struct kr_judgement *j = p->judgement;
	const struct kr_node_disk *disk = &p->node->disk;
	const struct kr_inputs *in = kr_node_inputs(p->node);
	const struct kr_platform *platform = p->node->platform;
	_cleanup_free_ char *member = kr_rule_text(p->rule, "@KEY@ @VALUE@");

	if (!member)
		return -ENOMEM;

	if (platform && platform->refusal)
		return refuse_platform(p);
	if (kr_node_waits(p->node))
		return KR_NOTHING_YET;
	if (disk->foreign)
		return refuse_foreign(p);
	if (uses_dynamic_config(disk) && (j->disk.state == KR_STATE_UNKNOWN ||
	                                  p->plan->method == KR_METHOD_CONFIG))
		return kr_diag_refuse(
			p->diag, "dynamic-config", dynamic_config_span(p->node),
			"kubelet takes its configuration from the "
			"ConfigMap that the node's spec.configSource "
			"names: set the key there with 'kubectl edit "
			"configmap' (kubelet 1.24 and later have no "
			"--dynamic-config-dir)");
	if (!in && disk->state == KR_STATE_INVALID)
		return kr_diag_refuse(p->diag, "not-by-setting", KR_SPAN_NONE,
		                      "%s must be corrected first",
		                      p->node->unit_name);
	if (disk->no_kubelet && p->node->unit_named)
		return kr_diag_refuse(
			p->diag, "not-a-unit", KR_SPAN_NONE,
			"%s: give kubelet's unit with --unit=NAME",
			j->disk.reason);
	if (is_unseen(p->node))
		return refuse_start(p);
	if (disk->start == KR_START_HIDDEN && j->disk.state == KR_STATE_UNKNOWN)
		return kr_diag_refuse(
			p->diag, "mounted-over", KR_SPAN_NONE,
			"%s: write %s yourself, in the file that kubelet has "
			"there",
			j->disk.reason, member);
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
	if (node->disk.foreign && j->restart_needed)
		return false;
	if (!j->rule->test || j->verdict == KR_VERDICT_NOT_APPLICABLE)
		return true;
	/* a file that is not there is closed to all */
	if (j->rule->n_fields == 0 && j->disk.state == KR_STATE_ABSENT)
		return true;
	if (j->disk.answer != KR_ANSWER_PASS)
		return false;
	return !options->explicit_wanted || j->rule->n_fields == 0 ||
	       j->written;
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
	if (r < 0)
		return r;
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
	int r = kr_flag_edit_cut(&e, field_of(p), &vendor);

	if (r < 0)
		return r;
	if (!vendor && p->rule->cut_suffices && !p->explicit_wanted) {
		r = passes(p);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	if (p->plan->method == KR_METHOD_CONFIG) {
		r = edit_config(p);
		if (r < 0)
			return r;
	}
	if (vendor)
		return kr_vendor_override(p->node, p->rule, p->plan, p->diag);
	if (p->plan->method != KR_METHOD_FLAG)
		return 0;
	p->plan->n_uses = 1;
	return kr_flag_edit_append(&e, field_of(p), &p->rule->want);
}

bool kr_step_is_in_config_dir(struct kr_node *node, const char *real)
{
	const char *dir = node->disk.inputs.config_dir;
	_cleanup_free_ char *folder = NULL;
	size_t n;

	if (!dir || kr_fs_real(node->fs, dir, &folder) < 0)
		return false;
	n = strlen(folder);
	return strncmp(real, folder, n) == 0 && real[n] == '/';
}

enum kr_method kr_step_method(const struct kr_node *node)
{
	const struct kr_inputs *in = &node->disk.inputs;

	if (kr_node_waits(node))
		return KR_METHOD_CONFIG;
	return (in->n_files > 0 || in->config_dir) &&
	                       node->disk.start != KR_START_HIDDEN &&
	                       !uses_dynamic_config(&node->disk)
	               ? KR_METHOD_CONFIG
	               : KR_METHOD_FLAG;
}

static int make(struct planning *p, bool proven)
{
	int r = make_edits(p);

	if (r < 0)
		return r;
	r = kr_edits_join(&p->plan->edits);
	if (r < 0 || !proven)
		return r;
	return kr_proof_run(p->node, p->rule, p->plan, p->together, p->diag);
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
		.brief = options->brief,
	};
	_cleanup_diag_ struct kr_diag found = {0};
	int r = check_grounds(&p);

	if (r < 0)
		return r;
	if (!is_cure(j))
		return make(&p, !options->draft);
	p.diag = &found;
	r = make(&p, true);
	p.diag = diag;
	if (r == KR_REFUSED && found.n_messages > 0)
		return refuse_not_by_setting(&p);
	kr_diag_merge(diag, &found);
	return r;
}

void kr_step_done(struct kr_plan *step)
{
	kr_audit_free(step->audit);
	kr_node_free(step->after);
	kr_edits_done(&step->edits);
}
