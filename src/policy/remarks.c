/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Remarks. A node is read before it is known which fields are asked for. The
 * messages about one field alone are made here, once that is known. They change
 * no verdict.
 */

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "kubelet/config.h"
#include "policy/iptables.h"
#include "policy/judge.h"
#include "policy/remarks.h"

/*
 * Decoys.
 *
 * The CIS text names two files, and its remediation writes into them whether
 * this kubelet reads them or not: the config file at a path of Amazon's older
 * images, and KUBELET_ARGS in a drop-in, which newer units do not expand. After
 * that a check of files says "pass", and kubelet runs with what it had.
 *
 * In --config-dir kubelet reads only what ends in .conf: a repair in
 * 10-cis.yaml or an old 10-cis.conf.bak is a decoy, too. So is what lies behind
 * a link to a folder, which kubelet does not walk into.
 *
 * systemd reads a drop-in only if its name ends in .conf, too, and of a unit
 * only the lines it knows: a flag elsewhere is a decoy.
 *
 * A variable is expanded where a byte of an argument comes from its value.
 *
 * The flag's text inside of another argument is no flag: quotes around too much
 * ("--node-labels=a=b --flag=false") or a missing blank make it a part of the
 * other flag's value.
 *
 * Names in a file that kubelet does read, which only look like the key, are
 * reported by kubelet/decode.
 */

static const char *const cis_paths[] = {
	"/etc/kubernetes/kubelet/kubelet-config.json",
	"/etc/kubernetes/kubelet/config.json",
};

struct looking {
	struct kr_node *node;
	const struct kr_rules *rules;
	struct kr_diag *diag;
};

/* VALUE is the decoy's; NULL: it has none. 0 or -ENOMEM. */
static int find_severity(const struct looking *l, const struct kr_rule *rule,
                         const struct kr_value *value, enum kr_severity *ret)
{
	_cleanup_decision_ struct kr_decision d = {0};
	int r;

	*ret = KR_NOTE;
	if (!value)
		return 0;
	r = kr_judge_decide(l->node, rule, &d);
	if (r < 0)
		return r;
	if (!kr_state_is_value(d.state) || !kr_value_equal(&d.value, value))
		*ret = KR_WARNING;
	return 0;
}

/* --- config files -------------------------------------------------------- */

static int name_config(const struct looking *l, const struct kr_rule *rule,
                       const struct kr_file *file,
                       const struct kr_config *config)
{
	const char *path = l->node->disk.inputs.config_path;
	const struct kr_config_use *use;
	enum kr_state state = kr_config_state(config, rule->fields[0], &use);
	bool has_value = use && kr_state_is_value(state);
	enum kr_severity severity;
	int r = find_severity(l, rule, has_value ? &use->v : NULL, &severity);

	if (r < 0)
		return r;
	kr_diag_add(l->diag, severity, "decoy-config",
	            use ? use->value : (struct kr_span){file, 0, 0},
	            "this kubelet does not read the file: %s%s",
	            path ? "its --config is " : "it has no --config",
	            path ? path : "");
	return 0;
}

static int check_config(const struct looking *l, const char *path)
{
	const struct kr_inputs *in = &l->node->disk.inputs;
	_cleanup_config_ struct kr_config config = {0};
	const struct kr_file *file;
	int r;

	if (in->config_path && strcmp(in->config_path, path) == 0)
		return 0;
	r = kr_fs_read(l->node->fs, path, &file);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (kr_inputs_find_file(in, file->real) >= 0)
		return 0;
	r = kr_config_parse(file, NULL, NULL, &config);
	if (r < 0) /* a file that is too large has no value */
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < l->rules->n_items; i++) {
		r = name_config(l, l->rules->items[i], file, &config);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- variables ----------------------------------------------------------- */

/* Where the flag starts in the SIZE bytes of TEXT, behind which is a NUL or a
 * line's end, and its length; false: they do not hold it. "_" is as good as "-"
 * in a flag's name. */
static bool find_flag(const char *flag, const char *text, size_t size,
                      size_t *ret_start, size_t *ret_length)
{
	size_t n = strlen(flag);

	for (size_t i = 0; i + n + 2 <= size; i++) {
		const char *s = text + i;
		size_t k = 0;

		if (strncmp(s, "--", 2) != 0)
			continue;
		while (k < n && (s[2 + k] == flag[k] ||
		                 (flag[k] == '-' && s[2 + k] == '_')))
			k++;
		if (k < n || !memchr("= \t\n", s[2 + n], 5))
			continue;
		*ret_start = i;
		*ret_length = strcspn(s, " \t\n");
		return true;
	}
	return false;
}

static bool comes_from(const struct kr_unit_word *word, struct kr_span span)
{
	const struct kr_text text = kr_word_text(word);

	for (size_t i = 0; i < text.length; i++) {
		struct kr_origin o = kr_text_origin(&text, i);

		if (o.file == span.file && o.offset >= span.offset &&
		    o.offset < kr_span_end(span))
			return true;
	}
	return false;
}

static bool is_expanded(const struct kr_unit *unit,
                        const struct kr_unit_variable *v)
{
	KR_EACH(const struct kr_unit_command, c, unit->commands,
	        unit->n_commands) {
		for (size_t w = 0; w < c->n_words; w++) {
			if (comes_from(&c->words[w], kr_variable_span(v)))
				return true;
		}
	}
	return false;
}

/* Of what the flag would say, were it read. */
static int flag_severity(const struct looking *l, const struct kr_rule *rule,
                         const char *s, size_t length, enum kr_severity *ret)
{
	_cleanup_flags_ struct kr_flags flags = {0};
	_cleanup_value_ struct kr_value said = {0};
	_cleanup_free_ char *word = strndup(s, length);
	const char *const argv[] = {"kubelet", word};
	const struct kr_flag_use *use;
	int r = word ? kr_flags_parse(argv, ARRAY_SIZE(argv), &flags) : -ENOMEM;

	if (r < 0)
		return r;
	*ret = KR_NOTE;
	use = kr_state_is_value(kr_flags_state(&flags, rule->fields[0]))
	              ? kr_flags_last(&flags, rule->fields[0])
	              : NULL;
	if (!use)
		return 0;
	r = kr_flag_use_value(use, rule->fields[0], &said);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return find_severity(l, rule, &said, ret);
}

static int check_variable(const struct looking *l, const struct kr_rule *rule,
                          const struct kr_unit_variable *v, bool shadowed)
{
	const char *flag = kr_field(rule->fields[0])->flag;
	enum kr_severity severity;
	size_t start, length;
	const struct kr_text value = kr_variable_value(v);
	struct kr_span span;
	int r;

	if (!v->file ||
	    !find_flag(flag, value.bytes, value.length, &start, &length) ||
	    (!shadowed && is_expanded(l->node->disk.unit, v)))
		return 0;
	span = kr_text_span(&value, start, length);
	r = flag_severity(l, rule, value.bytes + start, length, &severity);
	if (r < 0)
		return r;
	kr_diag_add(
		l->diag, severity, "decoy-variable",
		span.file ? span : kr_variable_span(v),
		!shadowed ? "no command expands %s: the flag here does not "
			    "reach kubelet"
		: kr_unit_variable(l->node->disk.unit, v->name)
			? "another assignment of %s wins over this one: "
			  "the flag here does not reach kubelet"
			: "UnsetEnvironment= removes %s: the flag here does "
			  "not reach kubelet",
		v->name);
	return 0;
}

static int check_variables(const struct looking *l, const struct kr_rule *rule)
{
	const struct kr_unit *unit = l->node->disk.unit;
	int r;

	for (size_t i = 0; i < unit->n_variables; i++) {
		r = check_variable(l, rule, &unit->variables[i], false);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < unit->n_shadowed; i++) {
		r = check_variable(l, rule, &unit->shadowed[i], true);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- lines of units ------------------------------------------------------ */

/* The first place of the flag on the lines of SPAN, comments left out; UNREAD:
 * of a file that systemd does not read. */
static int check_lines(const struct looking *l, const struct kr_rule *rule,
                       struct kr_span span, bool unread)
{
	const char *flag = kr_field(rule->fields[0])->flag;
	const char *data = span.file->data;
	size_t end = kr_span_end(span), next, start, length;

	for (size_t at = span.offset; at < end; at = next) {
		const char *line = data + at;
		enum kr_severity severity = KR_NOTE;
		const char *first;
		int r;

		next = at + strcspn(line, "\n") + 1;
		first = line + strspn(line, " \t");
		if (*first == '#' || *first == ';' ||
		    !find_flag(flag, line, (next < end ? next : end) - at,
		               &start, &length))
			continue;
		length = strcspn(line + start, " \t\r\n\"'\\");
		r = unread ? 0
		           : flag_severity(l, rule, line + start, length,
		                           &severity);
		if (r < 0)
			return r;
		kr_diag_add(l->diag, severity,
		            unread ? "decoy-dropin" : "decoy-line",
		            (struct kr_span){span.file, at + start, length},
		            unread ? "systemd does not read the file: its name "
		                     "must end in .conf"
		                   : "systemd starts nothing with this line: "
		                     "the flag here does not reach kubelet");
		return 0;
	}
	return 0;
}

/* Of a drop-in whose name is wrong. */
static int check_unread_dropin(const struct looking *l, const char *path)
{
	_cleanup_file_ struct kr_file *file = NULL;
	int r = kr_fs_read_once(l->node->fs, path, &file);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < l->rules->n_items && r == 0; i++) {
		kr_diag_about(l->diag, l->rules->items[i]->name);
		r = check_lines(l, l->rules->items[i],
		                (struct kr_span){file, 0, file->size}, true);
		kr_diag_about(l->diag, NULL);
	}
	return r;
}

static int check_unread_dropins(const struct looking *l)
{
	const struct kr_unit *unit = l->node->disk.unit;
	int r = 0;

	for (size_t i = 0; i < unit->unread.n_items && r == 0; i++)
		r = check_unread_dropin(l, unit->unread.items[i]);
	return r;
}

/* --- arguments ----------------------------------------------------------- */

static void check_argument(const struct looking *l, const struct kr_rule *rule,
                           size_t arg)
{
	struct kr_node *node = l->node;
	const struct kr_inputs *in = &node->disk.inputs;
	const struct kr_unit_word *word = kr_node_word(node, arg);
	const char *text = in->argv[arg];
	struct kr_span span = KR_SPAN_NONE;
	struct kr_text whole;
	size_t start, length;

	/* at the start it is a flag, or what another one swallows, which is
	 * reported by kubelet/flags */
	if (!find_flag(kr_field(rule->fields[0])->flag, text, strlen(text),
	               &start, &length) ||
	    start == 0 || text[start - 1] == '-')
		return;
	if (word) {
		whole = kr_word_text(word);
		span = kr_text_span(&whole, start, length);
	}
	kr_diag_add(l->diag, KR_NOTE, "decoy-argument",
	            span.file ? span : kr_node_span(node, arg),
	            "the flag is inside of another argument and does not "
	            "reach kubelet as a flag");
}

/* --- drop-ins ------------------------------------------------------------ */

static const char why_name[] = "its name must end in .conf";
static const char why_link[] = "it follows no link to a folder in --config-dir";

static int check_folder(const struct looking *l, const char *path)
{
	_cleanup_dir_ struct kr_dir dir = {0};
	const char *first = NULL;
	size_t n = 0;
	int r = kr_fs_list(l->node->fs, path, &dir);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < dir.n_entries; i++) {
		if (dir.entries[i].type == DT_DIR ||
		    !kr_dropin_name(dir.entries[i].name))
			continue;
		first = first ? first : dir.entries[i].name;
		n++;
	}
	if (first)
		kr_diag_add_path(l->diag, KR_NOTE, "decoy-config-dir", path,
		                 "kubelet is given no --config-dir: %s%s here "
		                 "is not read",
		                 first, n > 1 ? " and what else is" : "");
	return 0;
}

/* A file of --config-dir that is no drop-in, and that has our key; WHY not. */
static int check_unread(const struct looking *l, const char *path,
                        const char *why)
{
	const struct kr_config_options options = {.dropin = true};
	_cleanup_config_ struct kr_config config = {0};
	_cleanup_file_ struct kr_file *file = NULL;
	int r = kr_fs_read_once(l->node->fs, path, &file);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	/* --config may name it, or a link beside it */
	if (kr_inputs_find_file(&l->node->disk.inputs, file->real) >= 0)
		return 0;
	r = kr_config_parse(file, &options, NULL, &config);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < l->rules->n_items; i++) {
		const int field = l->rules->items[i]->fields[0];
		const struct kr_config_use *use;
		size_t at = 0;

		use = kr_config_next(&config, field, &at);
		if (use)
			kr_diag_add(l->diag, KR_NOTE, "decoy-config-dir",
			            use->key,
			            "kubelet does not read the file: %s", why);
	}
	return 0;
}

/* The folder that the link at PATH leads to; a file is one itself. */
static int check_link(const struct looking *l, const char *path)
{
	_cleanup_dir_ struct kr_dir dir = {0};
	int r = kr_fs_list(l->node->fs, path, &dir);

	if (r == -ENOTDIR)
		return check_unread(l, path, why_name);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < dir.n_entries; i++) {
		_cleanup_free_ char *file =
			kr_path_join(path, dir.entries[i].name);

		if (!file)
			return -ENOMEM;
		r = check_unread(l, file, why_link);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_read_folder(const struct looking *l, const char *path)
{
	_cleanup_dir_ struct kr_dir dir = {0};
	int r = kr_fs_list(l->node->fs, path, &dir);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	KR_EACH(const struct kr_dir_entry, e, dir.entries, dir.n_entries) {
		_cleanup_free_ char *child = NULL;

		if (e->type == DT_DIR || kr_dropin_name(e->name))
			continue;
		child = kr_path_join(path, e->name);
		if (!child)
			return -ENOMEM;
		r = e->type == DT_LNK ? check_link(l, child)
		                      : check_unread(l, child, why_name);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_folders(const struct looking *l)
{
	const struct kr_inputs *in = &l->node->disk.inputs;
	_cleanup_free_ char *beside = NULL, *common = NULL;
	int r;

	for (size_t i = 0; i < in->folders.n_items; i++) {
		r = check_read_folder(l, in->folders.items[i]);
		if (r < 0)
			return r;
	}
	if (in->config_dir || !in->config_path)
		return 0;
	if (asprintf(&beside, "%s.d", in->config_path) < 0) {
		beside = NULL;
		return -ENOMEM;
	}
	if (asprintf(&common, "%.*s/kubelet.conf.d",
	             (int)(strrchr(in->config_path, '/') - in->config_path),
	             in->config_path) < 0) {
		common = NULL;
		return -ENOMEM;
	}
	r = check_folder(l, beside);
	if (r < 0 || strcmp(beside, common) == 0)
		return r;
	return check_folder(l, common);
}

static int find_decoys(struct kr_node *node, const struct kr_rules *rules,
                       struct kr_diag *diag)
{
	const struct looking l = {node, rules, diag};
	const struct kr_unit *unit = node->disk.unit;
	bool command = kr_node_command(node) && !node->config_override;
	int r;

	if (!kr_node_inputs(node))
		return 0;
	for (size_t k = 0; k < rules->n_items; k++) {
		kr_diag_about(diag, rules->items[k]->name);
		for (size_t i = 1; i < node->disk.inputs.argc; i++)
			check_argument(&l, rules->items[k], i);
		r = command ? check_variables(&l, rules->items[k]) : 0;
		for (size_t i = 0; command && r == 0 && i < unit->n_ignored;
		     i++)
			r = check_lines(&l, rules->items[k], unit->ignored[i],
			                false);
		kr_diag_about(diag, NULL);
		if (r < 0)
			return r;
	}
	if (!command)
		return 0;
	r = check_unread_dropins(&l);
	if (r < 0)
		return r;
	r = check_folders(&l);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(cis_paths); i++) {
		r = check_config(&l, cis_paths[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- names in files ------------------------------------------------------ */

static void remark_names(const struct kr_node *node, int field,
                         struct kr_diag *diag)
{
	const struct kr_inputs *in = &node->disk.inputs;

	for (size_t i = 0; in->merged_valid && i < in->merged.n_configs; i++)
		kr_config_remark(in->merged.configs[i], in->files[i], field,
		                 diag);
}

/* --- systemd's own environment ------------------------------------------- */

static void remark_manager(const struct kr_node *node, size_t arg,
                           struct kr_diag *diag)
{
	const struct kr_unit_word *word = kr_node_word(node, arg);

	if (!word || !word->from->manager)
		return;
	kr_diag_add(diag, KR_NOTE, "manager-environment", KR_SPAN_NONE,
	            "%s comes from %s of systemd's own environment, which "
	            "'systemctl show-environment' shows",
	            node->disk.inputs.argv[arg], word->from->manager);
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
	KR_EACH(const struct kr_foreign_word, w, f->replaced, f->n_replaced) {
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
	return KR_ANY(one, rules->items, rules->n_items,
	              *one == kr_rules_usual.items[0]);
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
	r = find_decoys(node, &single, diag);
	if (r < 0 || !has_iptables(rules))
		return r;
	kr_diag_about(diag, kr_rule_of_field(KR_FIELD_IPTABLES)->name);
	r = kr_iptables_remark(node, active, diag);
	kr_diag_about(diag, NULL);
	return r;
}
