/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Trees of documents: nodes and texts in one arena (base/arena), walked by
 * parent pointers and never by recursion, so that no file can exhaust the
 * stack.
 */

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/macro.h"
#include "doc/tree.h"

/* Whether another SIZE bytes may be taken. */
static bool has_room(struct kr_tree *tree, size_t size)
{
	if (tree->memory.n_bytes + kr_arena_growth(&tree->memory, size) >
	    KR_TREE_BYTES_MAX)
		tree->too_large = true;
	return !tree->too_large;
}

void *kr_tree_alloc(struct kr_tree *tree, size_t size)
{
	return has_room(tree, size) ? kr_arena_take(&tree->memory, size) : NULL;
}

int kr_tree_error(const struct kr_tree *tree, int r, const char *path,
                  struct kr_diag *diag)
{
	if (r != -ENOMEM || !tree->too_large)
		return r;
	kr_diag_add_path(diag, KR_ERROR, "config-too-large", path,
	                 "the configuration is too large to be read: its "
	                 "values need more than %zu MiB of memory",
	                 KR_TREE_BYTES_MAX >> 20);
	return -EFBIG;
}

char *kr_tree_text(struct kr_tree *tree, const char *text, size_t length)
{
	char *copy = has_room(tree, length + 1)
	                     ? kr_arena_take_text(&tree->memory, length + 1)
	                     : NULL;

	if (copy && length > 0)
		memcpy(copy, text, length);
	return copy;
}

struct kr_tree_node *kr_tree_add(struct kr_tree *tree,
                                 struct kr_tree_node *parent)
{
	struct kr_tree_node *node = kr_tree_alloc(tree, sizeof(*node));

	if (!node)
		return NULL;
	node->parent = parent;
	if (!parent) {
		tree->root = node;
		return node;
	}
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	parent->n_children++;
	return node;
}

static struct kr_tree_node *copy_node(struct kr_tree *tree,
                                      struct kr_tree_node *parent,
                                      const struct kr_tree_node *from)
{
	struct kr_tree_node *node = kr_tree_add(tree, parent);

	if (!node)
		return NULL;
	node->event = from->event;
	node->name = from->name;
	node->overridden = from->overridden;
	if (from->event.text)
		node->event.text = kr_tree_text(tree, from->event.text,
		                                from->event.length);
	if (from->name.text)
		node->name.text =
			kr_tree_text(tree, from->name.text, from->name.length);
	return (from->event.text && !node->event.text) ||
	                       (from->name.text && !node->name.text)
	               ? NULL
	               : node;
}

int kr_tree_compact(struct kr_tree *tree)
{
	_cleanup_tree_ struct kr_tree copy = {0};
	struct kr_tree_node *parent = NULL, *made, *node = tree->root;
	struct kr_tree old = *tree;

	while (node) {
		made = copy_node(&copy, parent, node);
		if (!made)
			return -ENOMEM;
		if (node->first) {
			parent = made;
			node = node->first;
			continue;
		}
		while (node != tree->root && !node->next) {
			node = node->parent;
			parent = parent->parent;
		}
		node = node != tree->root ? node->next : NULL;
	}
	*tree = copy;
	copy = old;
	return 0;
}

struct place {
	struct kr_tree_node *node;
	size_t at;
};

static int compare_names(const struct kr_tree_name *x,
                         const struct kr_tree_name *y)
{
	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return x->length == 0 ? 0 : memcmp(x->text, y->text, x->length);
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int r = compare_names(&x->node->name, &y->node->name);

	return r != 0 ? r : x->at < y->at ? -1 : x->at > y->at;
}

/* The children of MAP with their places, in COMPARE's order; NULL when memory
 * runs out. */
static struct place *sorted(const struct kr_tree_node *map,
                            int (*compare)(const void *, const void *))
{
	struct place *places = calloc(map->n_children, sizeof(*places));
	size_t n = 0;

	if (!places)
		return NULL;
	for (struct kr_tree_node *c = map->first; c; c = c->next, n++)
		places[n] = (struct place){c, n};
	qsort(places, n, sizeof(*places), compare);
	return places;
}

int kr_tree_override(struct kr_tree_node *map, struct kr_span *ret)
{
	_cleanup_free_ struct place *places = NULL;
	size_t first = SIZE_MAX;

	if (map->n_children < 2)
		return 0;
	places = sorted(map, compare_places);
	if (!places)
		return -ENOMEM;
	for (size_t i = 1; i < map->n_children; i++) {
		struct kr_tree_node *earlier = places[i - 1].node;

		if (compare_names(&earlier->name, &places[i].node->name) != 0)
			continue;
		earlier->overridden = true;
		if (places[i].at < first) {
			first = places[i].at;
			*ret = places[i].node->name.span;
		}
	}
	return first != SIZE_MAX;
}

int kr_tree_compare_names(const struct kr_tree_name *a,
                          const struct kr_tree_name *b)
{
	size_t n = a->length < b->length ? a->length : b->length;
	int r = n > 0 ? memcmp(a->text, b->text, n) : 0;

	return r != 0 ? r : a->length < b->length ? -1 : a->length > b->length;
}

static int compare_in_order(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int r = kr_tree_compare_names(&x->node->name, &y->node->name);

	return r != 0 ? r : x->at < y->at ? -1 : x->at > y->at;
}

int kr_tree_sort(struct kr_tree_node *map)
{
	_cleanup_free_ struct place *places = NULL;
	struct kr_tree_node **link = &map->first;

	if (map->n_children < 2)
		return 0;
	places = sorted(map, compare_in_order);
	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < map->n_children; i++) {
		*link = map->last = places[i].node;
		link = &places[i].node->next;
	}
	*link = NULL;
	return 0;
}

static int hear_name(struct kr_tree_builder *b, const struct kr_event *e)
{
	char *text = kr_tree_alloc(b->tree,
	                           e->escaped ? 3 * e->length : e->length + 1);

	if (!text)
		return -ENOMEM;
	b->name = (struct kr_tree_name){
		.text = text,
		.length = e->length,
		.span = e->span,
	};
	if (e->escaped)
		b->name.length = kr_json_unescape(e->text, e->length, text);
	else
		memcpy(text, e->text, e->length);
	return 0;
}

int kr_tree_hear(void *userdata, const struct kr_event *e)
{
	struct kr_tree_builder *b = userdata;
	struct kr_tree_node *node;
	int r = 0;

	if (e->type == KR_EVENT_MAP_END || e->type == KR_EVENT_LIST_END) {
		if (e->type == KR_EVENT_MAP_END)
			r = kr_tree_sort(b->at);
		b->at = b->at->parent;
		return r;
	}
	if (e->key)
		return hear_name(b, e);
	node = kr_tree_add(b->tree, b->at);
	if (!node)
		return -ENOMEM;
	node->name = b->name;
	node->event = *e;
	if (e->length > 0) {
		node->event.text = kr_tree_text(b->tree, e->text, e->length);
		if (!node->event.text)
			return -ENOMEM;
	}
	if (e->type == KR_EVENT_MAP || e->type == KR_EVENT_LIST)
		b->at = node;
	return 0;
}

const struct kr_tree_node *kr_tree_find(const struct kr_tree_node *node,
                                        const char *path)
{
	size_t length = strcspn(path, ".");
	const struct kr_tree_node *n =
		node && node->event.type == KR_EVENT_MAP ? node->first : NULL;

	while (n && (n->overridden || n->name.length != length ||
	             memcmp(n->name.text, path, length) != 0))
		n = n->next;
	return n && path[length] ? kr_tree_find(n, path + length + 1) : n;
}

static int tell_start(const struct kr_tree_node *node,
                      const struct kr_listener *listener)
{
	struct kr_event event = node->event;
	int r;

	if (node->parent && node->parent->event.type == KR_EVENT_MAP) {
		const struct kr_event key = {
			.type = KR_EVENT_STRING,
			.key = true,
			.text = node->name.text,
			.length = node->name.length,
			.span = node->name.span,
		};

		r = listener->hear(listener->userdata, &key);
		if (r < 0)
			return r;
	}
	event.overridden = node->overridden;
	return listener->hear(listener->userdata, &event);
}

static int tell_end(const struct kr_tree_node *node,
                    const struct kr_listener *listener)
{
	struct kr_event event = {.span = node->event.span};

	if (node->event.type == KR_EVENT_MAP)
		event.type = KR_EVENT_MAP_END;
	else if (node->event.type == KR_EVENT_LIST)
		event.type = KR_EVENT_LIST_END;
	else
		return 0;
	return listener->hear(listener->userdata, &event);
}

static bool is_told(const struct kr_tree_node *node)
{
	return !node->overridden || (node->parent && !node->parent->parent);
}

int kr_tree_tell(const struct kr_tree_node *root,
                 const struct kr_listener *listener)
{
	const struct kr_tree_node *node = root;
	int r;

	while (node) {
		r = is_told(node) ? tell_start(node, listener) : 0;
		if (r < 0)
			return r;
		if (is_told(node) && node->first) {
			node = node->first;
			continue;
		}
		for (;;) {
			r = is_told(node) ? tell_end(node, listener) : 0;
			if (r < 0)
				return r;
			if (node == root)
				return 0;
			if (node->next)
				break;
			node = node->parent;
		}
		node = node->next;
	}
	return 0;
}

void kr_tree_done(struct kr_tree *tree)
{
	kr_arena_done(&tree->memory);
	*tree = (struct kr_tree){0};
}
