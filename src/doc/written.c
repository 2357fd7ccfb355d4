/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One view of what is written in a file, for both languages: nodes with their
 * bytes, styles and children, in the order of the file. JSON becomes what
 * YAML's flow style is: mappings and sequences in brackets, names and strings
 * in quotes, words that are plain.
 *
 * Nothing is resolved here: an alias is a node of its own, a merge key a name
 * like others, and a name that comes twice is there twice.
 */

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/macro.h"
#include "doc/name.h"
#include "doc/written.h"
#include "doc/yaml-scalar.h"

int kr_doc_path_parse(const char *text, struct kr_doc_path *ret)
{
	struct kr_doc_path path = {0};
	int r;

	for (;;) {
		size_t length = strcspn(text, ".");

		r = kr_strings_add_part(&path.names, text, length);
		if (r < 0) {
			kr_doc_path_done(&path);
			return r;
		}
		if (!text[length])
			break;
		text += length + 1;
	}
	*ret = path;
	return 0;
}

void kr_doc_path_done(struct kr_doc_path *path)
{
	kr_strings_done(&path->names);
}

/* --- JSON ---------------------------------------------------------------- */

struct json_reader {
	const struct kr_file *file;
	struct kr_tree *tree;
	struct kr_yaml_document *doc;
	struct kr_yaml_node **open; /* objects and arrays not closed yet */
	size_t depth;
};

static int add_json(struct json_reader *j, const struct kr_json_token *t)
{
	bool opens = t->type == KR_JSON_OBJECT || t->type == KR_JSON_ARRAY;
	bool quoted = t->type == KR_JSON_STRING;
	struct kr_yaml_node *node = kr_tree_alloc(j->tree, sizeof(*node));
	struct kr_yaml_node *parent =
		j->depth > 0 ? j->open[j->depth - 1] : NULL;
	struct kr_yaml_node **next;
	const char *text = j->file->data + t->offset + quoted;
	size_t length = t->length - 2 * quoted;
	char *copy;

	if (!node)
		return -ENOMEM;
	node->span = (struct kr_span){j->file, t->offset, t->length};
	node->flow = opens;
	if (opens)
		node->kind = t->type == KR_JSON_OBJECT ? KR_YAML_MAPPING
		                                       : KR_YAML_SEQUENCE;
	node->plain = node->implicit = !opens && !quoted;
	if (!opens) {
		copy = kr_tree_alloc(j->tree, 3 * length + 1);
		if (!copy)
			return -ENOMEM;
		node->text = copy;
		node->length = kr_json_unescape(text, length, copy);
	}
	if (!parent)
		j->doc->root = node;
	else if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	if (parent)
		parent->last = node;
	if (!opens)
		return 0;
	next = KR_VEC_NEXT(j->open, j->depth);
	if (!next)
		return -ENOMEM;
	*next = node;
	j->depth++;
	return 0;
}

static int take_json(struct json_reader *j, const struct kr_json_token *t)
{
	struct kr_yaml_node *node;

	switch (t->type) {
	case KR_JSON_COMMA:
	case KR_JSON_COLON:
		return 0;
	case KR_JSON_OBJECT_END:
	case KR_JSON_ARRAY_END:
		node = j->open[--j->depth];
		node->span.length = t->offset + 1 - node->span.offset;
		return 0;
	default:
		return add_json(j, t);
	}
}

static int parse_json(const struct kr_file *file, struct kr_tree *tree,
                      struct kr_diag *diag, struct kr_yaml_document *doc)
{
	struct json_reader j = {.file = file, .tree = tree, .doc = doc};
	_cleanup_json_ struct kr_json json;
	struct kr_json_token token;
	int r;

	kr_json_init(&json, file, 0, diag);
	do {
		r = kr_json_next(&json, &token);
		if (r < 0 || token.type == KR_JSON_END)
			break;
		r = take_json(&j, &token);
	} while (r >= 0);
	free(j.open);
	doc->end = file->size;
	return kr_tree_error(tree, r, file->path, diag);
}

int kr_written_parse(const struct kr_file *file, bool yaml,
                     struct kr_tree *tree, struct kr_diag *diag,
                     struct kr_yaml_document *doc)
{
	*doc = (struct kr_yaml_document){0};
	if (!yaml)
		return parse_json(file, tree, diag, doc);
	return kr_tree_error(tree, kr_yaml_parse(file, tree, diag, doc),
	                     file->path, diag);
}

/* --- places -------------------------------------------------------------- */

struct kr_yaml_node *kr_written_find(const struct kr_yaml_node *map,
                                     const struct kr_doc_path *path, size_t i,
                                     struct kr_yaml_node *after)
{
	bool last = i + 1 == path->names.n_items;
	bool fold = path->fold && !(last && path->exact_last);
	struct kr_yaml_node *name = after ? after->next->next : map->first;

	for (; name; name = name->next->next) {
		const struct kr_yaml_node *n = name->target ?: name;

		if (n->kind == KR_YAML_SCALAR &&
		    kr_name_equal(path->names.items[i], n->text, n->length,
		                  fold))
			return name;
	}
	return NULL;
}

size_t kr_written_end(const struct kr_yaml_node *node)
{
	size_t end = node->span.offset;

	while (!node->flow && node->last) {
		node = node->last;
		end = node->span.offset > end ? node->span.offset : end;
	}
	return node->span.length > 0 ? kr_span_end(node->span) : end;
}

size_t kr_written_member_end(const struct kr_yaml_node *name)
{
	size_t key = kr_span_end(name->span);
	size_t value = kr_written_end(name->next);

	return value > key ? value : key;
}

/* --- values -------------------------------------------------------------- */

/* The type of a scalar; what cannot be resolved is not a string. */
static int resolve(const struct kr_yaml_node *node, enum kr_yaml_type *type,
                   char number[static KR_YAML_NUMBER_SIZE])
{
	*type = KR_YAML_STRING;
	if (!node->tag && !node->implicit)
		return 0;
	return kr_yaml_resolve(node->tag, node->text, node->length, type,
	                       number);
}

static int says_string(const struct kr_yaml_node *node, const char *text)
{
	char number[KR_YAML_NUMBER_SIZE];
	enum kr_yaml_type type;
	int r;

	node = node->target ?: node;
	if (node->kind != KR_YAML_SCALAR)
		return 0;
	r = resolve(node, &type, number);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return type == KR_YAML_STRING && node->length == strlen(text) &&
	       memcmp(node->text, text, node->length) == 0;
}

static int says_word(const struct kr_yaml_node *node, const char *text)
{
	char number[KR_YAML_NUMBER_SIZE], wanted_number[KR_YAML_NUMBER_SIZE];
	enum kr_yaml_type type, wanted;
	int r;

	r = resolve(node, &type, number);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = kr_yaml_resolve(NULL, text, strlen(text), &wanted, wanted_number);
	if (r < 0)
		return r;
	if (type != wanted)
		return 0;
	return type == KR_YAML_TRUE || type == KR_YAML_FALSE ||
	       strcmp(number, wanted_number) == 0;
}

static int says_list(const struct kr_yaml_node *node,
                     const struct kr_strings *list)
{
	size_t n = 0;
	int r;

	for (struct kr_yaml_node *c = node->first; c; c = c->next, n++) {
		if (n == list->n_items)
			return 0;
		r = says_string(c, list->items[n]);
		if (r <= 0)
			return r;
	}
	return n == list->n_items;
}

int kr_written_says(const struct kr_yaml_node *node,
                    const struct kr_doc_value *value)
{
	node = node->target ?: node;
	if (value->type == KR_DOC_LIST)
		return node->kind == KR_YAML_SEQUENCE
		               ? says_list(node, value->list)
		               : 0;
	if (node->kind != KR_YAML_SCALAR)
		return 0;
	if (value->type == KR_DOC_STRING)
		return says_string(node, value->text);
	return says_word(node, value->text);
}

int kr_written_is_null(const struct kr_yaml_node *node)
{
	char number[KR_YAML_NUMBER_SIZE];
	enum kr_yaml_type type;
	int r;

	if (node->kind != KR_YAML_SCALAR)
		return 0;
	r = resolve(node, &type, number);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return type == KR_YAML_NULL;
}

bool kr_written_is_merge(const struct kr_yaml_node *name)
{
	static const char tag[] = "tag:yaml.org,2002:merge";

	return name->kind == KR_YAML_SCALAR && name->length == 2 &&
	       memcmp(name->text, "<<", 2) == 0 &&
	       (name->implicit || (name->tag && strcmp(name->tag, tag) == 0));
}

const char *kr_written_fixed(const struct kr_yaml_node *node)
{
	const char *data = node->span.file->data;

	if (node->anchor)
		return "the value has an anchor that others may refer to, it "
		       "must have none";
	if (node->block)
		return "the value is a block scalar, it must be a "
		       "plain word";
	if (node->span.length == 0 &&
	    (node->span.offset == 0 || data[node->span.offset - 1] != ':'))
		return "the name has no value, it must be followed "
		       "by a colon";
	return NULL;
}
