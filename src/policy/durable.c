/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What makes a change last. On EKS AL2023 a file of ours does: a NodeConfig
 * that nodeadm merges into its own at every boot. It is an edit of the plan
 * like the others, so that it is shown, written, put back and undone with them;
 * but kubelet and systemd do not read it. Everywhere else the words are found
 * that has to be put somewhere by hand.
 *
 * A file of that name that is there already is changed only where it is as one
 * of ours is made, for whichever rules; what it says stays in it. One that
 * others have edited stays, with a warning if it does not say what it should.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "node/nodeadm.h"
#include "policy/demands.h"
#include "policy/durable.h"

/* What a place is to say, each field once, in the order of their numbers. */
struct sayings {
	const struct kr_node *node;
	bool key[KR_N_FIELDS];
	bool flag[KR_N_FIELDS]; /* the flag has to be set, too */
	const struct kr_rule *rules[KR_N_FIELDS]; /* borrowed */
	/* modes and owners, which this program alone can give */
	const struct kr_rule *perms[KR_N_RULES];
	size_t n_perms;
	const struct kr_edition *edition; /* NULL: none was chosen */
	const char *how;                  /* as in the options; NULL */
};

struct making {
	struct kr_node *node;
	const struct kr_rules *rules;
	struct kr_edits *edits;
	const struct kr_durable_options *options;
	struct kr_diag *diag;
	struct kr_durable *durable;
	struct sayings wanted;
	bool kept; /* ours is another one and stays: said already */
};

static const char header[] = "# Made by kubelet-remedy: nodeadm merges it into "
			     "the NodeConfig of the "
			     "user\n# data at every boot.\n";

bool kr_durable_is_place(const char *path)
{
	return strncmp(path, KR_NODEADM_FOLDER "/",
	               strlen(KR_NODEADM_FOLDER) + 1) == 0;
}

bool kr_durable_only(const struct kr_edits *edits)
{
	for (size_t i = 0; i < edits->n_files; i++) {
		if (!kr_durable_is_place(edits->files[i].path))
			return false;
	}
	return edits->n_files > 0;
}

/* --- what is written again ------------------------------------------------ */

/* The first edited file that PLATFORM's owner writes; NULL: none. */
static const char *find_rewritten(const struct kr_platform *platform,
                                  const struct kr_edits *edits)
{
	for (size_t i = 0; i < edits->n_files; i++) {
		if (kr_platform_writes(platform, edits->files[i].path))
			return edits->files[i].path;
	}
	return NULL;
}

/* The flag is set in a file that will be written again, with the flag. */
static bool flag_comes_back(const struct kr_node *node, int field)
{
	const struct kr_flag_use *use;
	size_t at = 0;

	while ((use = kr_flags_next(&node->disk.inputs.flags, field, &at))) {
		struct kr_span span = kr_node_span(node, use->arg);

		if (span.file &&
		    kr_platform_writes(node->platform, span.file->real))
			return true;
	}
	return false;
}

/* --- place and text ------------------------------------------------------ */

/* TEXT in the words of the fields that are set in WHICH. NULL: no memory. */
static char *put_words(const struct sayings *says,
                       const bool which[static KR_N_FIELDS], const char *text)
{
	struct kr_value values[KR_N_FIELDS];
	int fields[KR_N_FIELDS];
	size_t n = 0;

	for (int i = 0; i < KR_N_FIELDS; i++) {
		if (!which[i])
			continue;
		fields[n] = i;
		values[n++] = says->rules[i]->want;
	}
	return n > 0 || says->n_perms > 0
	               ? kr_platform_text(fields, values, n, text)
	               : strdup("");
}

/* What is demanded of files differs by edition. */
static int add_perms(const struct sayings *says, char **names, char **ret)
{
	char edition[KR_EDITION_NAME_SIZE];
	int r = 0;

	for (size_t i = 0; i < says->n_perms && r == 0; i++)
		r = kr_format(names, "%s%s%s", *names ? *names : "",
		              *names ? "," : "", says->perms[i]->name);
	if (r < 0 || says->n_perms == 0 || !says->edition)
		return r;
	kr_edition_short_name(says->edition, edition);
	return kr_format(ret, " --benchmark=%s", edition);
}

/* The options by which this program fixes what SAYS says: none for the control
 * that it fixes without them. 0 or -ENOMEM. */
static int make_options(const struct sayings *says, char **ret)
{
	_cleanup_free_ char *names = NULL, *sets = NULL, *benchmark = NULL;
	bool usual = says->n_perms == 0;
	int r;

	for (size_t i = 0; i < KR_N_FIELDS; i++) {
		_cleanup_free_ char *value = NULL;
		const struct kr_rule *rule = says->rules[i];

		if (!rule)
			continue;
		usual = usual && i == KR_FIELD_IPTABLES;
		r = kr_format(&names, "%s%s%s", names ? names : "",
		              names ? "," : "", rule->name);
		if (r < 0)
			return r;
		if (!kr_rules_table[i].owners_value)
			continue;
		r = kr_value_format(&rule->want, &value);
		if (r < 0)
			return r;
		r = kr_format(&sets, "%s --set=%s=%s", sets ? sets : "",
		              rule->name, value);
		if (r < 0)
			return r;
	}
	r = add_perms(says, &names, &benchmark);
	if (r < 0)
		return r;
	return kr_format(ret, "%s%s%s%s%s", benchmark ? benchmark : "",
	                 usual ? "" : " --control=", usual ? "" : names,
	                 sets ? sets : "", says->how ? says->how : "");
}

/* The mode that a file of kubelet's configuration is to have. 0 or -ENOMEM. */
static int make_mode(const struct sayings *says, char **ret)
{
	static const char name[] = "mode:config";
	char mode[KR_MODE_SIZE];

	kr_mode_format(
		kr_demand_mode(kr_rule_find(name, strlen(name)), says->edition),
		mode);
	return kr_format(ret, "%s", mode);
}

/* The folder of drop-ins that kubelet has; else one for it. */
static int make_config_dir(const struct sayings *says, char **ret)
{
	const struct kr_inputs *in = kr_node_inputs(says->node);

	return kr_format(ret, "%s",
	                 in && in->config_dir && *in->config_dir == '/'
	                         ? in->config_dir
	                         : "/etc/kubernetes/kubelet.conf.d");
}

static int make_unit(const struct sayings *says, char **ret)
{
	const struct kr_node *node = says->node;

	return kr_format(ret, "%s",
	                 node->unit_name ? node->unit_name : "kubelet.service");
}

static int make_variant(const struct sayings *says, char **ret)
{
	const char *variant = kr_platform_butane(says->node->fs);

	return kr_format(ret, "%s", variant ? variant : "flatcar  # or fcos");
}

/* The options where this program is called. */
#define OPTIONS_MARK "@OPTIONS@"

bool kr_durable_runs_fix(const struct kr_platform *platform)
{
	return platform->text && strstr(platform->text, OPTIONS_MARK);
}

static const struct {
	const char *mark;
	int (*make)(const struct sayings *says, char **ret);
} marks[] = {
	{OPTIONS_MARK, make_options},      {"@MODE@", make_mode},
	{"@CONFIG-DIR@", make_config_dir}, {"@UNIT@", make_unit},
	{"@VARIANT@", make_variant},
};

/* TEXT with these marks filled in. 0 or -ENOMEM. */
static int fill_marks(const struct sayings *says, const char *text, char **ret)
{
	int r = kr_format(ret, "%s", text);

	for (size_t i = 0; i < ARRAY_SIZE(marks) && r == 0; i++) {
		_cleanup_free_ char *word = NULL;
		size_t from = 0;
		const char *at;

		if (!strstr(*ret, marks[i].mark))
			continue;
		r = marks[i].make(says, &word);
		while (r == 0 && (at = strstr(*ret + from, marks[i].mark))) {
			from = (size_t)(at - *ret) + strlen(word);
			r = kr_format(ret, "%.*s%s%s", (int)(at - *ret), *ret,
			              word, at + strlen(marks[i].mark));
		}
	}
	return r;
}

static int describe_as(const struct kr_platform *p, const struct sayings *says,
                       const char *place, struct kr_durable *ret)
{
	_cleanup_free_ char *own = NULL, *text = NULL, *flags = NULL;
	int r = fill_marks(says, p->text ? p->text : "", &own);

	if (r < 0)
		return r;
	ret->place = put_words(says, says->key, place);
	text = put_words(says, says->key, own);
	flags = put_words(says, says->flag, p->flag_text ? p->flag_text : "");
	if (!ret->place || !text || !flags ||
	    asprintf(&ret->text, "%s%s%s", text, flags,
	             p->end_text ? p->end_text : "") < 0) {
		ret->text = NULL;
		kr_durable_done(ret);
		return -ENOMEM;
	}
	ret->platform = p;
	return 0;
}

static int describe(const struct sayings *says, const char *place,
                    struct kr_durable *ret)
{
	return describe_as(says->node->platform, says, place, ret);
}

static void say(struct sayings *says, const struct kr_rule *rule, bool flag)
{
	says->key[rule->fields[0]] = true;
	says->flag[rule->fields[0]] |= flag;
	says->rules[rule->fields[0]] = rule;
}

int kr_durable_describe(const struct kr_node *node,
                        const struct kr_platform *platform,
                        const struct kr_rules *rules, struct kr_durable *ret)
{
	struct sayings says = {.node = node, .edition = rules->edition};

	for (size_t i = 0; i < rules->n_items; i++)
		say(&says, rules->items[i], false);
	return describe_as(platform, &says, platform->place, ret);
}

/* --- nodeadm's ----------------------------------------------------------- */

/* What our file holds; the caller frees it. NULL: no memory. */
static char *make_content(struct making *m, const struct sayings *says)
{
	_cleanup_durable_ struct kr_durable one = {0};
	char *content;

	if (describe(says, "", &one) < 0 ||
	    asprintf(&content, "%s%s", header, one.text) < 0)
		return NULL;
	return content;
}

/* What our file on the disk says of RULE. */
static int read_ours(struct making *m, const struct kr_rule *rule,
                     struct sayings *ret)
{
	_cleanup_diag_ struct kr_diag ignored = {0};
	struct kr_nodeadm nodeadm = {0};
	int r = kr_nodeadm_read(m->node->fs, rule->fields[0], &rule->want,
	                        &ignored, &nodeadm);

	if (r < 0 || !nodeadm.ours_says.key)
		return r;
	say(ret, rule, nodeadm.ours_says.flag);
	return 0;
}

/* What our file says, if it is as one of ours is made. 1; 0; an errno. */
static int read_as_made(struct making *m, const struct kr_file *file,
                        struct sayings *ret)
{
	_cleanup_free_ char *content = NULL;

	for (size_t i = 0; i < kr_rules_n + m->rules->n_items; i++) {
		const struct kr_rule *rule =
			i < kr_rules_n ? &kr_rules_table[i]
				       : m->rules->items[i - kr_rules_n];
		int r;

		if (rule->n_fields != 1 || rule->owners_value || !rule->test ||
		    rule->wants_nothing)
			continue;
		r = read_ours(m, rule, ret);
		if (r < 0)
			return r;
	}
	content = make_content(m, ret);
	if (!content)
		return -ENOMEM;
	return strlen(content) == file->size &&
	       memcmp(content, file->data, file->size) == 0;
}

/* Of one rule; several say it in one message each. */
static int warn_kept(struct making *m, const struct kr_file *file)
{
	m->kept = true;
	for (size_t i = 0; i < m->rules->n_items; i++) {
		const struct kr_rule *rule = m->rules->items[i];
		_cleanup_free_ char *text = NULL;

		if (rule->n_fields == 0)
			continue;
		text = kr_rule_text(
			rule, m->wanted.flag[rule->fields[0]]
				      ? "@KEY@: @VALUE@ in spec.kubelet.config "
					"and --@FLAG@=@VALUE@ in "
					"spec.kubelet.flags"
				      : "@KEY@: @VALUE@ in "
					"spec.kubelet.config");
		if (!text)
			return -ENOMEM;
		kr_diag_add_path(m->diag, KR_WARNING, "durable-kept",
		                 file->path,
		                 "was edited and stays as it is, but undoes "
		                 "this change at the next boot: it must "
		                 "set %s",
		                 text);
	}
	return 0;
}

/* What is there already makes the change of this rule last. */
static bool suffices(const struct kr_nodeadm_says *says, bool flag)
{
	if (says->any_flag || flag)
		return says->key && says->flag;
	return says->key;
}

static int write_nodeadm(struct making *m, const struct kr_file *ours)
{
	struct sayings says = {.node = m->node};
	_cleanup_free_ char *content = NULL;
	int r = ours ? read_as_made(m, ours, &says) : 1;

	if (r <= 0)
		return r < 0 ? r : warn_kept(m, ours);
	for (int i = 0; i < KR_N_FIELDS; i++) {
		if (!m->wanted.key[i])
			continue;
		says.key[i] = true;
		says.flag[i] |= m->wanted.flag[i];
		says.rules[i] = m->wanted.rules[i];
	}
	content = make_content(m, &says);
	if (!content)
		return -ENOMEM;
	if (ours)
		r = kr_edits_add(m->edits,
		                 (struct kr_span){ours, 0, ours->size},
		                 content);
	else
		r = kr_edits_create(m->edits, KR_NODEADM_FILE, content);
	m->durable->written = r == 0;
	return r;
}

/* Where nothing is to be written there, what cannot be read does not matter. */
static int read_nodeadm(const struct making *m, const struct kr_rule *rule,
                        struct kr_nodeadm *ret)
{
	_cleanup_diag_ struct kr_diag ignored = {0};
	int r;

	if (!m->options->no_persist)
		return kr_nodeadm_read(m->node->fs, rule->fields[0],
		                       &rule->want, m->diag, ret);
	r = kr_nodeadm_read(m->node->fs, rule->fields[0], &rule->want, &ignored,
	                    ret);
	return r == -ENOMEM ? r : 0;
}

/* 1: nodeadm reads the folder, DURABLE is filled; 0: it does not. */
static int plan_nodeadm(struct making *m)
{
	const struct kr_file *ours = NULL;
	bool all = true;
	int r;

	for (size_t i = 0; i < m->rules->n_items; i++) {
		const struct kr_rule *rule = m->rules->items[i];
		struct kr_nodeadm nodeadm = {0};
		bool *flag;

		if (rule->n_fields == 0)
			continue;
		r = read_nodeadm(m, rule, &nodeadm);
		if (r < 0 || !nodeadm.reads_folder)
			return r;
		flag = &m->wanted.flag[rule->fields[0]];
		*flag = *flag || nodeadm.earlier.any_flag;
		ours = nodeadm.ours;
		all = all && ours && suffices(&nodeadm.ours_says, *flag);
	}
	r = describe(&m->wanted, KR_NODEADM_FILE, m->durable);
	m->durable->left_out = m->options->no_persist;
	if (r < 0)
		return r;
	m->durable->written = all && !m->options->no_persist;
	if (m->options->no_persist || all)
		return 1;
	r = write_nodeadm(m, ours);
	return r < 0 ? r : 1;
}

/* --- the whole ----------------------------------------------------------- */

static int plan(struct making *m)
{
	const struct kr_platform *p = m->node->platform;
	int r = p->nodeadm ? plan_nodeadm(m) : 0;

	if (r != 0)
		return r < 0 ? r : 0;
	return describe(&m->wanted, p->place, m->durable);
}

static void warn_rewritten(struct making *m, const char *path)
{
	const struct kr_platform *p = m->node->platform;

	if (m->durable->written || m->kept || !path)
		return;
	kr_diag_add_path(m->diag, p->seldom ? KR_NOTE : KR_WARNING,
	                 "platform-rewrites", path,
	                 "%s writes it again %s: what is to last goes into %s",
	                 p->owner, p->when, m->durable->place);
}

/* Whether P has to say the flag of FIELD, too. Of a medium it is unknown which
 * of the node's files are made from it: any flag may come back. */
static bool wants_flag(const struct making *m, const struct kr_platform *p,
                       int field)
{
	size_t at = 0;

	if (m->options->flag)
		return true;
	return p == m->options->medium
	               ? kr_flags_next(&m->node->disk.inputs.flags, field,
	                               &at) != NULL
	               : flag_comes_back(m->node, field);
}

/* What the place of P has to say for RULES; false: nothing. */
static bool find_wanted(struct making *m, const struct kr_platform *p)
{
	const bool runs_us = kr_durable_runs_fix(p);
	bool any = false;

	m->wanted.node = m->node;
	m->wanted.edition = m->rules->edition;
	m->wanted.how = m->options->how;
	for (size_t i = 0; i < m->rules->n_items; i++) {
		const struct kr_rule *rule = m->rules->items[i];

		if (rule->n_fields == 0 && runs_us)
			m->wanted.perms[m->wanted.n_perms++] = rule;
		any = any || rule->n_fields > 0 || runs_us;
		if (rule->n_fields == 0)
			continue;
		say(&m->wanted, rule, wants_flag(m, p, rule->fields[0]));
	}
	return any;
}

static int plan_platform(struct kr_node *node, const struct kr_rules *rules,
                         struct kr_edits *edits,
                         const struct kr_durable_options *options,
                         struct kr_diag *diag, struct kr_durable *ret)
{
	const struct kr_platform *p = node->platform;
	_cleanup_durable_ struct kr_durable durable = {0};
	struct making m = {
		.node = node,
		.rules = rules,
		.edits = edits,
		.options = options,
		.diag = diag,
		.durable = &durable,
	};
	const char *path;
	int r;

	*ret = durable;
	if (node->platform_error < 0) {
		kr_diag_add_path(diag, KR_ERROR, "platform-unread", node->root,
		                 "it is unknown which platform this is, and so "
		                 "what writes its files again: %s",
		                 kr_fs_strerror(-node->platform_error));
		return node->platform_error;
	}
	if (!p || !p->owner)
		return 0;
	path = find_rewritten(p, edits);
	if (!path && !kr_node_waits(node))
		return 0;
	if (!find_wanted(&m, p))
		return 0;
	r = plan(&m);
	if (r < 0)
		return r;
	warn_rewritten(&m, path);
	*ret = TAKE(durable);
	return 0;
}

int kr_durable_describe_medium(struct kr_node *node,
                               const struct kr_rules *rules,
                               const struct kr_durable_options *options,
                               struct kr_durable *ret)
{
	const struct kr_platform *medium = options->medium;
	struct making m = {.node = node, .rules = rules, .options = options};

	if (!find_wanted(&m, medium))
		return 0;
	kr_durable_done(ret);
	return describe_as(medium, &m.wanted, medium->place, ret);
}

int kr_durable_plan(struct kr_node *node, const struct kr_rules *rules,
                    struct kr_edits *edits,
                    const struct kr_durable_options *options,
                    struct kr_diag *diag, struct kr_durable *ret)
{
	int r = plan_platform(node, rules, edits, options, diag, ret);

	return r < 0 || !options->medium
	               ? r
	               : kr_durable_describe_medium(node, rules, options, ret);
}

void kr_durable_done(struct kr_durable *durable)
{
	free(durable->place);
	free(durable->text);
	*durable = (struct kr_durable){0};
}
