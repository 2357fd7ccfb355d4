/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The merge of --config-dir.
 *
 * kubelet decodes --config into its struct, fills in the defaults and prints
 * that as JSON. On this it lays one drop-in after the other by RFC 7386:
 *
 *	merge(target, patch):
 *	    for each member of patch:
 *	        null                  the target's member is gone
 *	        object over object    merge them
 *	        anything else         takes the place of the target's member
 *
 * Names are told apart by case in that. The result is printed with its names in
 * byte order and decoded by encoding/json into the struct with the defaults:
 * case plays no role there and a later name wins, so that
 * "makeiptablesutilchains" beats "makeIPTablesUtilChains" from whatever file it
 * comes, and "MakeIPTablesUtilChains" loses to it. As the base has all
 * defaults written out, the right name is always among them.
 *
 * Until 1.31 the base is printed from the internal struct, whose fields have no
 * JSON names: it holds "MakeIPTablesUtilChains". So a drop-in's own spelling
 * stands beside it, sorts behind it and wins, a null of that spelling finds
 * nothing to take away, and a drop-in's "MakeIPTablesUtilChains" takes its
 * place. A null of this spelling takes it away; the result is decoded over the
 * struct that was printed, which still has the base's value.
 *
 * 1.28 has no patch: each file is decoded like --config, with its defaults, and
 * mergo lays the structs over each other, in which a false is an empty value.
 * The result is true as soon as one of the files has true.
 *
 * A wrong type is an error only here, when it has survived; of whatever field.
 * The base's own fields have the right types by then, so that only those are
 * carried along that we ask for.
 *
 * Source: kubernetes cmd/kubelet/app/server.go (mergeKubeletConfigurations,
 * 1.29 and later; kubernetes#127421 for the names; 1.28: kubernetes#121193),
 * evanphx/json-patch merge.go, encoding/json.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "doc/patch.h"
#include "kubelet/config-read.h"
#include "kubelet/decode.h"
#include "kubelet/dropins.h"

bool kr_dropin_name(const char *name)
{
	static const char suffix[] = ".conf";
	size_t length = strlen(name), n = strlen(suffix);

	return length >= n && strcmp(name + length - n, suffix) == 0;
}

static struct kr_tree_node *add_base(struct kr_tree *tree, const char *name,
                                     struct kr_event event)
{
	struct kr_tree_node *node = kr_tree_add(tree, tree->root);

	if (!node)
		return NULL;
	node->name = (struct kr_tree_name){
		.text = name,
		.length = strlen(name),
	};
	node->event = event;
	return node;
}

/* How the base spells the member KEY; NULL when memory runs out. */
static const char *base_name(struct kr_tree *tree, enum kr_merge merge,
                             const char *key)
{
	static const char iptables[] = "iptables";
	char *name;

	if (merge == KR_MERGE_FILE_NAMES)
		return key;
	name = kr_tree_text(tree, key, strlen(key));
	if (!name)
		return NULL;
	if (strncmp(name, iptables, strlen(iptables)) == 0)
		memcpy(name, "IPT", 3);
	else if (strncmp(name, "oom", 3) == 0)
		memcpy(name, "OOM", 3);
	else
		name[0] = (char)(name[0] & ~0x20);
	return name;
}

/* The numbers of the base that are validated after the merge. Its defaults are
 * printed, too, and win over a drop-in's name that sorts before theirs: null
 * stands for them. */
static int add_ranges(struct kr_tree *tree, enum kr_merge merge,
                      const struct kr_config *base)
{
	for (size_t i = 0; i < KR_N_RANGES; i++) {
		const char *name = base_name(tree, merge, kr_range_key(i));
		struct kr_event event = {.type = KR_EVENT_NULL};
		char digits[24];

		if (base && base->ranges[i].set) {
			snprintf(digits, sizeof(digits), "%lld",
			         (long long)base->ranges[i].value);
			event.type = KR_EVENT_NUMBER;
			event.span = base->ranges[i].span;
			event.length = strlen(digits);
			event.text = kr_tree_text(tree, digits, event.length);
			if (!event.text)
				return -ENOMEM;
		}
		if (!name || !add_base(tree, name, event))
			return -ENOMEM;
	}
	return 0;
}

static struct kr_event own_value(const struct kr_setting *setting,
                                 const struct kr_config *base)
{
	bool value = setting->by_default;
	struct kr_event event = {0};

	if (base &&
	    (base->state == KR_STATE_TRUE || base->state == KR_STATE_FALSE)) {
		value = base->state == KR_STATE_TRUE;
		if (base->wins >= 0)
			event.span = base->uses[base->wins].value;
	}
	event.type = value ? KR_EVENT_TRUE : KR_EVENT_FALSE;
	return event;
}

/* What kubelet prints of --config, as far as we ask; BASE may be NULL. */
static int make_base(const struct kr_setting *setting, enum kr_merge merge,
                     const struct kr_config *base, struct kr_tree *tree)
{
	struct kr_tree_node *root = kr_tree_add(tree, NULL);
	struct kr_event address = {.type = KR_EVENT_NULL};
	const char *key = base_name(tree, merge, setting->key);
	const char *bind = base_name(tree, merge, "healthzBindAddress");
	int r;

	if (!root || !key || !bind)
		return -ENOMEM;
	root->event.type = KR_EVENT_MAP;
	if (base && base->healthz_bind_address) {
		address.type = KR_EVENT_STRING;
		address.text = base->healthz_bind_address;
		address.length = strlen(address.text);
	}
	if (!add_base(tree, key, own_value(setting, base)) ||
	    !add_base(tree, bind, address))
		return -ENOMEM;
	r = add_ranges(tree, merge, base);
	return r == 0 ? kr_tree_sort(root) : r;
}

static int add_dropin(struct kr_tree *tree, const struct kr_config *config,
                      const struct kr_file *file)
{
	struct kr_tree_node *root = tree->root;
	struct kr_tree_builder builder = {.tree = tree};
	const struct kr_listener listener = {kr_tree_hear, &builder};
	struct kr_layout layout;
	struct kr_span twice;
	int r = kr_config_read(file, config->format, &listener, NULL, &layout,
	                       &twice);

	if (r >= 0)
		r = kr_tree_patch(root, tree->root);
	tree->root = root;
	return r;
}

/* Finds the use at SPAN in the files. */
static void find_use(struct kr_merged *m, struct kr_span span)
{
	for (size_t i = 0; i < m->n_configs; i++) {
		const struct kr_config *c = &m->configs[i];

		for (size_t k = 0; k < c->n_uses; k++) {
			if (c->uses[k].value.file != span.file ||
			    c->uses[k].value.offset != span.offset)
				continue;
			m->file = (int)i;
			m->use = (int)k;
		}
	}
}

static void find_file(struct kr_merged *m, const struct kr_file *const *files,
                      const struct kr_file *file)
{
	for (size_t i = 0; i < m->n_configs; i++) {
		if (files[i] == file)
			m->file = (int)i;
	}
}

static void judge(struct kr_merged *m, const struct kr_file *const *files,
                  const struct kr_config *base, const struct kr_file *blamed)
{
	const struct kr_config *c = &m->result;
	const struct kr_config_use *use = NULL;

	m->state = c->state;
	memcpy(m->ranges, c->ranges, sizeof(m->ranges));
	m->healthz_port = c->healthz_port;
	m->healthz_bind_address = c->healthz_bind_address;
	m->masquerade_bit = c->masquerade_bit;
	m->drop_bit = c->drop_bit;
	if (c->refused) {
		find_file(m, files, blamed);
		return;
	}
	for (size_t i = 0; i < c->n_uses; i++) {
		if (c->state != KR_STATE_INVALID ||
		    c->uses[i].state == KR_STATE_INVALID)
			use = &c->uses[i];
	}
	if (use && use->value.file)
		find_use(m, use->value);
	else if (!use || !base || !base->internal)
		m->state = KR_STATE_ABSENT;
}

/*
 * Until 1.31 the result is decoded over the struct that the base was printed
 * from: a member that a patch took away keeps the base's value.
 */
static void keep_base(struct kr_merged *m, const struct kr_config *base)
{
	if (m->result.n_uses == 0 &&
	    (base->state == KR_STATE_TRUE || base->state == KR_STATE_FALSE)) {
		m->state = base->state;
		m->file = base->wins >= 0 ? 0 : -1;
		m->use = base->wins;
	}
	if (m->healthz_port < 0)
		m->healthz_port = base->healthz_port;
	if (!m->healthz_bind_address)
		m->healthz_bind_address = base->healthz_bind_address;
	if (m->masquerade_bit < 0)
		m->masquerade_bit = base->masquerade_bit;
	if (m->drop_bit < 0)
		m->drop_bit = base->drop_bit;
}

/* The config file, and each drop-in over it. */
static int merge_trees(const struct kr_setting *setting,
                       const struct kr_file *const *files,
                       const struct kr_config *base, enum kr_merge merge,
                       struct kr_tree *tree, struct kr_merged *m)
{
	int r = make_base(setting, merge, base, tree);

	if (r < 0)
		return r;
	for (size_t i = base ? 1 : 0; i < m->n_configs; i++) {
		r = add_dropin(tree, &m->configs[i], files[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int merge_files(const struct kr_setting *setting,
                       const struct kr_file *const *files, bool no_base,
                       enum kr_merge merge, struct kr_diag *diag,
                       struct kr_merged *m)
{
	const struct kr_config *base = no_base ? NULL : &m->configs[0];
	_cleanup_tree_ struct kr_tree tree = {0};
	_cleanup_decode_ struct kr_decode decode;
	const struct kr_listener listener = {kr_decode_hear, &decode};
	int r;

	kr_decode_init(&decode, setting, NULL, NULL);
	r = merge_trees(setting, files, base, merge, &tree, m);
	if (r < 0)
		return kr_tree_error(&tree, r, files[0]->path, diag);
	r = kr_tree_tell(tree.root, &listener);
	if (r < 0)
		return kr_tree_error(&tree, r, files[0]->path, diag);
	r = kr_decode_finish(&decode, true, diag, &m->result);
	if (r < 0)
		return kr_tree_error(&tree, r, files[0]->path, diag);
	judge(m, files, base, decode.fault.span.file);
	if (merge == KR_MERGE_GO_NAMES && base && !m->result.refused)
		keep_base(m, base);
	return 0;
}

static int parse_files(const struct kr_setting *setting,
                       const struct kr_file *const *files, size_t n,
                       bool no_base, unsigned kubelet_minor,
                       struct kr_diag *diag, struct kr_merged *m)
{
	bool patched = kr_merge_of(kubelet_minor) != KR_MERGE_STRUCTS;

	m->configs = calloc(n ? n : 1, sizeof(*m->configs));
	if (!m->configs)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct kr_config_options options = {
			.dropin = patched && (no_base || i > 0),
			.kubelet_minor = kubelet_minor,
		};
		int r = kr_config_parse(setting, files[i], &options, diag,
		                        &m->configs[i]);

		if (r < 0)
			return r;
		m->n_configs++;
	}
	return 0;
}

/* --config alone, or a file that kubelet refuses: >0, nothing to merge. */
static int judge_one(struct kr_merged *m, bool no_base)
{
	for (size_t i = 0; i < m->n_configs; i++) {
		const struct kr_config *c = &m->configs[i];

		if (!c->refused &&
		    (c->dropin || (c->state != KR_STATE_INVALID &&
		                   (m->n_configs > 1 || no_base))))
			continue;
		m->state = c->state;
		m->file = (int)i;
		m->use = c->wins;
		if (c->refused)
			m->use = -1;
		if (c->state == KR_STATE_NULL)
			m->state = KR_STATE_ABSENT;
		if (m->state == KR_STATE_ABSENT)
			m->use = -1;
		if (m->use < 0 && !c->refused && c->state != KR_STATE_INVALID)
			m->file = -1;
		memcpy(m->ranges, c->ranges, sizeof(m->ranges));
		m->healthz_port = c->healthz_port;
		m->healthz_bind_address = c->healthz_bind_address;
		m->masquerade_bit = c->masquerade_bit;
		m->drop_bit = c->drop_bit;
		return 1;
	}
	return 0;
}

/* 1.28: true where one file has it, by its words or by default. */
static void judge_structs(struct kr_merged *m, bool no_base)
{
	const struct kr_config *last = &m->configs[m->n_configs - 1];

	m->state = no_base ? KR_STATE_ABSENT : KR_STATE_FALSE;
	for (size_t i = 0; i < m->n_configs; i++) {
		const struct kr_config *c = &m->configs[i];

		if (c->state == KR_STATE_FALSE && m->state == KR_STATE_FALSE &&
		    m->file < 0) {
			m->file = (int)i;
			m->use = c->wins;
		} else if (c->state == KR_STATE_TRUE) {
			m->state = KR_STATE_TRUE;
			m->file = (int)i;
			m->use = c->wins;
		} else if (c->state != KR_STATE_FALSE &&
		           m->state == KR_STATE_FALSE) {
			m->state = KR_STATE_ABSENT;
			m->file = m->use = -1;
		}
	}
	memcpy(m->ranges, last->ranges, sizeof(m->ranges));
	m->healthz_port = last->healthz_port;
	m->healthz_bind_address = last->healthz_bind_address;
	m->masquerade_bit = last->masquerade_bit;
	m->drop_bit = last->drop_bit;
}

int kr_merge_parse(const struct kr_setting *setting,
                   const struct kr_file *const *files, size_t n, bool no_base,
                   unsigned kubelet_minor, struct kr_diag *diag,
                   struct kr_merged *ret)
{
	_cleanup_merged_ struct kr_merged m = {
		.file = -1,
		.use = -1,
		.healthz_port = -1,
		.masquerade_bit = -1,
		.drop_bit = -1,
	};
	enum kr_merge merge = kr_merge_of(kubelet_minor);
	int r;

	r = parse_files(setting, files, n, no_base, kubelet_minor, diag, &m);
	if (r < 0)
		return r;
	if (!judge_one(&m, no_base)) {
		if (merge == KR_MERGE_STRUCTS)
			judge_structs(&m, no_base);
		else
			r = merge_files(setting, files, no_base, merge, diag,
			                &m);
		if (r < 0)
			return r;
	}
	*ret = m;
	m = (struct kr_merged){0};
	return 0;
}

void kr_merged_done(struct kr_merged *merged)
{
	for (size_t i = 0; i < merged->n_configs; i++)
		kr_config_done(&merged->configs[i]);
	free(merged->configs);
	kr_config_done(&merged->result);
	*merged = (struct kr_merged){0};
}
