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
#include "kubelet/schema.h"

bool kr_dropin_name(const char *name)
{
	static const char suffix[] = ".conf";
	size_t length = strlen(name), n = strlen(suffix);

	return length >= n && strcmp(name + length - n, suffix) == 0;
}

/* --- what kubelet prints of --config ------------------------------------ */

static struct kr_tree_node *add_member(struct kr_tree *tree,
                                       struct kr_tree_node *map,
                                       const char *name, size_t length)
{
	struct kr_tree_node *node = kr_tree_add(tree, map);

	if (!node)
		return NULL;
	node->name = (struct kr_tree_name){.text = name, .length = length};
	return node;
}

/* The member NAME of MAP, a map itself, which is added where it is missing;
 * NULL when memory runs out. */
static struct kr_tree_node *find_map(struct kr_tree *tree,
                                     struct kr_tree_node *map, const char *name,
                                     size_t length)
{
	struct kr_tree_node *node;

	for (node = map->first; node; node = node->next) {
		if (node->name.length == length &&
		    memcmp(node->name.text, name, length) == 0)
			return node;
	}
	node = add_member(tree, map, name, length);
	if (node)
		node->event.type = KR_EVENT_MAP;
	return node;
}

/* The place of FIELD in the base, spelt as MERGE has it; NULL when memory runs
 * out. */
static struct kr_tree_node *add_field(struct kr_tree *tree, enum kr_merge merge,
                                      int field)
{

	const char *path = kr_field(field)->path;
	struct kr_tree_node *map = tree->root;

	for (;;) {
		size_t length = strcspn(path, ".");
		bool last = !path[length];
		char *name = kr_tree_text(tree, path, length);

		if (!name)
			return NULL;
		if (merge == KR_MERGE_GO_NAMES &&
		    (!last || kr_field(field)->combine != KR_COMBINE_GATE))
			kr_field_go_name(path, length, name);
		if (last && field != KR_FIELD_GATES)
			return add_member(tree, map, name, length);
		map = find_map(tree, map, name, length);
		if (!map || last)
			return map;
		path += length + 1;
	}
}

static int set_text(struct kr_tree *tree, enum kr_event_type type,
                    const char *text, struct kr_event *ret)
{
	ret->type = type;
	ret->length = strlen(text);
	ret->text = kr_tree_text(tree, text, ret->length);
	return ret->text ? 0 : -ENOMEM;
}

static int set_list(struct kr_tree *tree, struct kr_tree_node *node,
                    const struct kr_strings *list)
{
	node->event.type = KR_EVENT_LIST;
	for (size_t i = 0; i < list->n_items; i++) {
		struct kr_tree_node *item = kr_tree_add(tree, node);

		if (!item || set_text(tree, KR_EVENT_STRING, list->items[i],
		                      &item->event) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* A plain value of the type SCHEMA (NULL: not known) from its TEXT. */
static int set_plain(struct kr_tree *tree, const struct kr_schema *schema,
                     const char *text, struct kr_event *ret)
{
	switch (schema ? kr_schema_kind(schema) : KR_SCHEMA_STRING) {
	case KR_SCHEMA_BOOL:
		ret->type = strcmp(text, "true") == 0 ? KR_EVENT_TRUE
		                                      : KR_EVENT_FALSE;
		return 0;
	case KR_SCHEMA_INT32:
	case KR_SCHEMA_INT64:
	case KR_SCHEMA_UINT32:
	case KR_SCHEMA_FLOAT64:
		return set_text(tree, KR_EVENT_NUMBER, text, ret);
	default:
		return set_text(tree, KR_EVENT_STRING, text, ret);
	}
}

/* The member, or the next element, of MAP that the first part of *PATH is;
 * *PATH and *SCHEMA move on. NULL when memory runs out. */
static struct kr_tree_node *add_part(struct kr_tree *tree,
                                     struct kr_tree_node *node,
                                     const struct kr_schema **schema,
                                     const char **path)
{
	enum kr_schema_kind kind =
		*schema ? kr_schema_kind(*schema) : KR_SCHEMA_MAP;
	size_t length =
		kind == KR_SCHEMA_MAP ? strlen(*path) : strcspn(*path, "/");
	const char *name = *path;

	*path += length + (name[length] == '/');
	if (kind == KR_SCHEMA_LIST) {
		*schema = kr_schema_element(*schema);
		if (strtoul(name, NULL, 10) < node->n_children)
			return node->last;
		node = kr_tree_add(tree, node);
		if (node)
			node->event.type = KR_EVENT_MAP;
		return node;
	}
	if (kind == KR_SCHEMA_MAP && *schema)
		*schema = kr_schema_element(*schema);
	else if (*schema)
		*schema = kr_schema_member(*schema, name, length, true);
	name = kr_tree_text(tree, name, length);
	return name ? find_map(tree, node, name, length) : NULL;
}

/* The gates that are fields stand there by their own rows. */
static bool is_printed(int field, const char *path)
{
	for (int i = 0; field == KR_FIELD_GATES && i < KR_N_FIELDS; i++) {
		if (kr_field(i)->combine == KR_COMBINE_GATE &&
		    strcmp(strchr(kr_field(i)->path, '.') + 1, path) == 0)
			return true;
	}
	return false;
}

static int set_tree(struct kr_tree *tree, struct kr_tree_node *root, int field,
                    const struct kr_strings *pairs)
{
	const struct kr_schema *schema = kr_schema_at(kr_field(field)->path);

	root->event.type = kr_schema_kind(schema) == KR_SCHEMA_LIST
	                           ? KR_EVENT_LIST
	                           : KR_EVENT_MAP;
	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		const char *path = pairs->items[i];
		const struct kr_schema *at = schema;
		struct kr_tree_node *node = root;

		if (is_printed(field, path))
			continue;
		do {
			node = add_part(tree, node, &at, &path);
			if (!node)
				return -ENOMEM;
		} while (*path);
		if (node->parent->event.type == KR_EVENT_MAP &&
		    set_plain(tree, at, pairs->items[i + 1], &node->event) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int set_value(struct kr_tree *tree, struct kr_tree_node *node,
                     const struct kr_value *v)
{
	_cleanup_free_ char *text = NULL;

	if (v->type == KR_TYPE_BOOL) {
		node->event.type = v->b ? KR_EVENT_TRUE : KR_EVENT_FALSE;
		return 0;
	}
	if (v->type == KR_TYPE_LIST)
		return set_list(tree, node, &v->list);
	if (kr_value_format(v, &text) < 0)
		return -ENOMEM;
	if (v->type == KR_TYPE_INT32 || v->type == KR_TYPE_INT64 ||
	    v->type == KR_TYPE_FLOAT)
		return set_text(tree, KR_EVENT_NUMBER, text, &node->event);
	return set_text(tree, KR_EVENT_STRING, text, &node->event);
}

/* What kubelet has of FIELD before the drop-ins: 0, -ENOENT: nothing that is
 * known here, -ENOMEM. BASE: NULL, there is no --config. */
static int base_value(int field, const struct kr_config *base, unsigned minor,
                      struct kr_value *ret, struct kr_span *ret_span)
{
	const struct kr_config_use *use = NULL;
	enum kr_state state = KR_STATE_ABSENT;

	if (base)
		state = kr_config_state(base, field, &use);
	if (use && state != KR_STATE_NULL) {
		*ret_span = use->value;
		return kr_value_copy(&use->v, ret);
	}
	if (state == KR_STATE_FALSE) {
		*ret = (struct kr_value){.type = KR_TYPE_BOOL};
		return 0;
	}
	if (kr_field(field)->combine == KR_COMBINE_GATE)
		return -ENOENT;
	return kr_field_default(field, !base, minor, ret);
}

/* FIELD as kubelet prints it. The defaults are printed, too, and win over a
 * drop-in's name that sorts before theirs: for a default that is not known here
 * null stands. A zero is left out, but not by a pointer, and not by the
 * internal struct. */
static int print_field(struct kr_tree *tree, enum kr_merge merge, int field,
                       const struct kr_config *base, unsigned minor)
{
	_cleanup_value_ struct kr_value v = {0};
	struct kr_span span = KR_SPAN_NONE;
	int r = base_value(field, base, minor, &v, &span);
	struct kr_tree_node *node;

	if (r < 0 && r != -ENOENT)
		return r;
	if (r == -ENOENT && (kr_field(field)->combine == KR_COMBINE_GATE ||
	                     field == KR_FIELD_GATES))
		return 0;
	if (r == 0 && merge == KR_MERGE_FILE_NAMES && field != KR_FIELD_GATES &&
	    !kr_field(field)->pointer &&
	    kr_field(field)->combine != KR_COMBINE_GATE && kr_value_is_zero(&v))
		return 0;
	node = add_field(tree, merge, field);
	if (!node)
		return -ENOMEM;
	node->event.type = KR_EVENT_NULL;
	node->event.span = span;
	if (r == 0 && v.type == KR_TYPE_TREE)
		return set_tree(tree, node, field, &v.list);
	return r == 0 ? set_value(tree, node, &v) : 0;
}

static int sort_maps(struct kr_tree_node *map)
{
	for (struct kr_tree_node *node = map->first; node; node = node->next) {
		int r = node->event.type == KR_EVENT_MAP ? sort_maps(node) : 0;

		if (r < 0)
			return r;
	}
	return kr_tree_sort(map);
}

/* What kubelet prints of --config, as far as we ask; BASE may be NULL. */
static int make_base(const struct kr_merged *m, const struct kr_config *base,
                     struct kr_tree *tree)
{
	struct kr_tree_node *root = kr_tree_add(tree, NULL);

	if (!root)
		return -ENOMEM;
	root->event.type = KR_EVENT_MAP;
	for (int i = 0; i < KR_N_FIELDS; i++) {
		int r = kr_field(i)->path ? print_field(tree, m->merge, i, base,
		                                        m->kubelet_minor)
		                          : 0;

		if (r < 0)
			return r;
	}
	return sort_maps(root);
}

/* --- the merge ----------------------------------------------------------- */

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

/* The use at SPAN in the files, or NULL. */
static const struct kr_config_use *find_use(const struct kr_merged *m,
                                            int field, struct kr_span span)
{
	for (size_t i = 0; span.file && i < m->n_configs; i++) {
		const struct kr_config_use *use;
		size_t at = 0;

		while ((use = kr_config_next(m->configs[i], field, &at))) {
			if (use->value.file == span.file &&
			    use->value.offset == span.offset)
				return use;
		}
	}
	return NULL;
}

/* The number of the file of USE; -1: it is in none. */
static int file_of(const struct kr_merged *m, const struct kr_config_use *use)
{
	for (size_t i = 0; use && i < m->n_configs; i++) {
		const struct kr_config *c = m->configs[i];

		if (c->n_uses > 0 && use >= c->uses &&
		    use < c->uses + c->n_uses)
			return (int)i;
	}
	return -1;
}

/* C stops kubelet: it is refused, or one of its uses is INVALID. */
static void blame(struct kr_merged *m, const struct kr_config *c, int file)
{
	m->fault = c->doubtful ? KR_STATE_UNKNOWN : KR_STATE_INVALID;
	m->fault_file = file;
	if (c->refused || c->doubtful)
		return;
	KR_EACH(const struct kr_config_use, use, c->uses, c->n_uses) {
		if (use->state != KR_STATE_INVALID || use->overridden)
			continue;
		m->fault_use =
			m->merged ? find_use(m, use->field, use->value) : use;
		if (m->fault_use)
			m->fault_file = file_of(m, m->fault_use);
	}
}

static int find_file(const struct kr_merged *m,
                     const struct kr_file *const *files,
                     const struct kr_file *file)
{
	for (size_t i = 0; i < m->n_configs; i++) {
		if (files[i] == file)
			return (int)i;
	}
	return -1;
}

/* A tree of so many bytes is not looked through for what is gone. */
#define ROOM ((size_t)256 * 1024)

/* The config file, and each drop-in over it. */
static int merge_trees(const struct kr_file *const *files,
                       const struct kr_merged *m, struct kr_tree *tree)
{
	const struct kr_config *base = m->no_base ? NULL : m->configs[0];
	size_t most = ROOM;
	int r = make_base(m, base, tree);

	if (r < 0)
		return r;
	for (size_t i = base ? 1 : 0; i < m->n_configs; i++) {
		r = add_dropin(tree, m->configs[i], files[i]);
		if (r < 0)
			return r;
		/* most of what a drop-in has takes the place of an earlier */
		if (tree->memory.n_bytes < most)
			continue;
		r = kr_tree_compact(tree);
		if (r < 0)
			return r;
		most = 2 * tree->memory.n_bytes + ROOM;
	}
	return 0;
}

static int tell_merged(const struct kr_file *const *files, struct kr_merged *m,
                       struct kr_tree *tree, struct kr_diag *diag,
                       const struct kr_file **ret_blamed)
{
	_cleanup_decode_ struct kr_decode decode;
	const struct kr_listener listener = {kr_decode_hear, &decode};
	const struct kr_config_options options = {
		.kubelet_minor = m->kubelet_minor,
		.any_types = m->any_types,
	};
	int r;

	kr_decode_init(&decode, NULL, &options);
	r = merge_trees(files, m, tree);
	if (r < 0)
		return r;
	r = kr_tree_tell(tree->root, &listener);
	if (r < 0)
		return r;
	*ret_blamed = decode.blamed;
	return kr_decode_finish(&decode, true, diag, &m->result);
}

static int merge_files(const struct kr_file *const *files, struct kr_diag *diag,
                       struct kr_merged *m)
{
	_cleanup_tree_ struct kr_tree tree = {0};
	const struct kr_file *blamed = NULL;
	int r = tell_merged(files, m, &tree, diag, &blamed);

	if (r < 0)
		return kr_tree_error(&tree, r, files[0]->path, diag);
	m->merged = true;
	if (kr_config_stops(&m->result, -1))
		blame(m, &m->result, find_file(m, files, blamed));
	return 0;
}

static void config_release(struct kr_config *config)
{
	if (config->n_others > 0) {
		config->n_others--;
		return;
	}
	kr_config_done(config);
	free(config);
}

/* Moves *CONFIG into M, or shares LIKE's for it. */
static int keep_config(struct kr_merged *m, struct kr_config *config,
                       const struct kr_merged *like)
{
	struct kr_config *kept = like ? like->configs[m->n_configs] : NULL;

	if (kept && kr_config_share(config, kept)) {
		kept->n_others++;
		kr_config_done(config);
	} else {
		kept = malloc(sizeof(*kept));
		if (!kept)
			return -ENOMEM;
		*kept = *config;
		*config = (struct kr_config){0};
	}
	m->configs[m->n_configs++] = kept;
	return 0;
}

static int parse_files(const struct kr_file *const *files, size_t n,
                       const struct kr_merged *like, struct kr_diag *diag,
                       struct kr_merged *m)
{
	m->configs = calloc(n ? n : 1, sizeof(*m->configs));
	if (!m->configs)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct kr_config_options options = {
			.dropin = m->merge != KR_MERGE_STRUCTS &&
		                  (m->no_base || i > 0),
			.kubelet_minor = m->kubelet_minor,
			.any_types = m->any_types,
		};
		_cleanup_config_ struct kr_config config = {0};
		int r = kr_config_parse(files[i], &options, diag, &config);

		if (r < 0)
			return r;
		r = keep_config(m, &config, like);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse(const struct kr_file *const *files, size_t n, bool no_base,
                 unsigned kubelet_minor, bool any_types,
                 const struct kr_merged *like, struct kr_diag *diag,
                 struct kr_merged *ret)
{
	_cleanup_merged_ struct kr_merged m = {
		.no_base = no_base,
		.merge = kr_merge_of(kubelet_minor),
		.kubelet_minor = kubelet_minor,
		.any_types = any_types,
		.fault_file = -1,
	};
	int r;

	r = parse_files(files, n, like, diag, &m);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n && m.fault == KR_STATE_ABSENT; i++) {
		if (kr_config_stops(m.configs[i], -1))
			blame(&m, m.configs[i], (int)i);
	}
	if (m.fault == KR_STATE_ABSENT && (n > 1 || no_base) &&
	    m.merge != KR_MERGE_STRUCTS) {
		r = merge_files(files, diag, &m);
		if (r < 0)
			return r;
	}
	*ret = TAKE(m);
	return 0;
}

int kr_merge_parse(const struct kr_file *const *files, size_t n, bool no_base,
                   unsigned kubelet_minor, struct kr_diag *diag,
                   struct kr_merged *ret)
{
	return parse(files, n, no_base, kubelet_minor, false, NULL, diag, ret);
}

int kr_merge_parse_as(const struct kr_file *const *files, size_t n,
                      bool no_base, unsigned kubelet_minor,
                      const struct kr_merged *like, struct kr_merged *ret)
{
	return parse(files, n, no_base, kubelet_minor, true, like, NULL, ret);
}

/* --- one field ----------------------------------------------------------- */

/* A value of Go's zero that no use has, of the internal version. */
static const struct kr_value *zero_of(enum kr_state state)
{
	static const struct kr_value none = {.type = KR_TYPE_BOOL};

	return state == KR_STATE_FALSE ? &none : NULL;
}

static void find_alone(const struct kr_merged *m, const struct kr_config *c,
                       int field, struct kr_merged_value *ret)
{
	const struct kr_config_use *use;
	enum kr_state state = kr_config_state(c, field, &use);

	if (!kr_state_is_value(state))
		return;
	ret->state = state;
	ret->use = use;
	ret->value = use ? &use->v : zero_of(state);
	ret->file = file_of(m, use);
}

/* A zero of the base is not printed, and is what kubelet has all the same. */
static bool is_left_out(int field, const struct kr_merged_value *own)
{
	return own->use && !kr_field(field)->pointer &&
	       kr_value_is_zero(own->value);
}

/*
 * The merge's result. Until 1.31 it is decoded over the struct that the base
 * was printed from: a member that a patch took away keeps the base's value.
 */
static void find_merged(const struct kr_merged *m, int field,
                        struct kr_merged_value *ret)
{
	const struct kr_config *base = m->no_base ? NULL : m->configs[0];
	const struct kr_config_use *use;
	enum kr_state state = kr_config_state(&m->result, field, &use);
	struct kr_merged_value own = {.file = -1};
	size_t at = 0;

	if (base && !kr_config_next(&m->result, field, &at)) {
		find_alone(m, base, field, &own);
		if (m->merge == KR_MERGE_GO_NAMES || is_left_out(field, &own))
			*ret = own;
		return;
	}
	if (!kr_state_is_value(state))
		return;
	ret->value = &use->v;
	ret->use = find_use(m, field, use->value);
	ret->file = file_of(m, ret->use);
	if (ret->use || (base && base->internal && state == KR_STATE_FALSE))
		ret->state = state;
}

/* 1.28: the last file that has another value than Go's zero, by its words or by
 * default. */
static void find_in_structs(const struct kr_merged *m, int field,
                            struct kr_merged_value *ret)
{
	_cleanup_value_ struct kr_value by_default = {0};
	bool known = kr_field_default(field, false, m->kubelet_minor,
	                              &by_default) == 0;
	bool taken = m->no_base;

	for (size_t i = 0; i < m->n_configs; i++) {
		struct kr_merged_value own = {.file = -1};

		find_alone(m, m->configs[i], field, &own);
		if (own.value && (!taken || !kr_value_is_zero(own.value)))
			*ret = own;
		else if (!own.value && known && ret->value &&
		         !kr_value_is_zero(&by_default) &&
		         !kr_value_equal(ret->value, &by_default))
			*ret = own;
		taken = true;
	}
}

void kr_merged_find(const struct kr_merged *m, int field,
                    struct kr_merged_value *ret)
{
	*ret = (struct kr_merged_value){.file = -1};
	if (m->fault != KR_STATE_ABSENT) {
		ret->state = m->fault;
		ret->file = m->fault_file;
		if (m->fault_use && m->fault_use->field == field)
			ret->use = m->fault_use;
	} else if (m->merged) {
		find_merged(m, field, ret);
	} else if (m->merge == KR_MERGE_STRUCTS) {
		find_in_structs(m, field, ret);
	} else if (m->n_configs > 0) {
		find_alone(m, m->configs[0], field, ret);
	}
}

const struct kr_value *kr_merged_value(const struct kr_merged *m, int field)
{
	struct kr_merged_value found;

	kr_merged_find(m, field, &found);
	return kr_state_is_value(found.state) ? found.value : NULL;
}

void kr_merged_done(struct kr_merged *merged)
{
	for (size_t i = 0; i < merged->n_configs; i++)
		config_release(merged->configs[i]);
	free(merged->configs);
	kr_config_done(&merged->result);
	*merged = (struct kr_merged){0};
}
