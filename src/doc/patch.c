/* SPDX-License-Identifier: Apache-2.0 */

/*
 * RFC 7386, the merge patch:
 *
 *	merge(target, patch):
 *	    for each member of patch:
 *	        null                  the target's member is gone
 *	        object over object    merge them
 *	        anything else         takes the place of the target's member
 *
 * Names are told apart by case. Maps are kept sorted, and two of them merge in
 * one pass; the pairs that are still to be merged wait in a list, so that depth
 * costs no stack.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/vec.h"
#include "doc/patch.h"

struct pair {
	struct kr_tree_node *target;
	struct kr_tree_node *patch; /* the first member of it */
};

struct pairs {
	struct pair *items;
	size_t n;
};

static int push_pair(struct pairs *pairs, struct kr_tree_node *target,
                     struct kr_tree_node *patch)
{
	struct pair *next = KR_VEC_NEXT(pairs->items, pairs->n);

	if (!next)
		return -ENOMEM;
	*next = (struct pair){target, patch};
	pairs->n++;
	return 0;
}

static void append(struct kr_tree_node *map, struct kr_tree_node *node)
{
	if (map->last)
		map->last->next = node;
	else
		map->first = node;
	map->last = node;
	map->n_children++;
	node->parent = map;
	node->next = NULL;
}

/* A patch's member where the target has none of its name. */
static int place(struct pairs *pairs, struct kr_tree_node *map,
                 struct kr_tree_node *node)
{
	struct kr_tree_node *members = node->first;

	if (node->event.type == KR_EVENT_NULL)
		return 0;
	append(map, node);
	if (node->event.type != KR_EVENT_MAP || !members)
		return 0;
	/* its own nulls must go */
	node->first = node->last = NULL;
	node->n_children = 0;
	return push_pair(pairs, node, members);
}

/* Two members of one name. */
static int replace(struct pairs *pairs, struct kr_tree_node *map,
                   struct kr_tree_node *old, struct kr_tree_node *node)
{
	if (old->event.type != KR_EVENT_MAP || node->event.type != KR_EVENT_MAP)
		return place(pairs, map, node);
	append(map, old);
	return push_pair(pairs, old, node->first);
}

static int merge_pair(struct pairs *pairs, struct pair pair)
{
	struct kr_tree_node *map = pair.target, *a = map->first;
	struct kr_tree_node *b = pair.patch;
	int r = 0;

	map->first = map->last = NULL;
	map->n_children = 0;
	while (a || b) {
		struct kr_tree_node *next_a = a ? a->next : NULL;
		struct kr_tree_node *next_b = b ? b->next : NULL;
		int order = !a   ? 1
		            : !b ? -1
		                 : kr_tree_compare_names(&a->name, &b->name);

		if (order < 0)
			append(map, a);
		else if (order > 0)
			r = place(pairs, map, b);
		else
			r = replace(pairs, map, a, b);
		if (r < 0)
			return r;
		if (order <= 0)
			a = next_a;
		if (order >= 0)
			b = next_b;
	}
	return 0;
}

static void pairs_done(struct pairs *pairs)
{
	free(pairs->items);
}

int kr_tree_patch(struct kr_tree_node *target, struct kr_tree_node *patch)
{
	_cleanup_(pairs_done) struct pairs pairs = {0};
	int r = push_pair(&pairs, target, patch->first);

	if (r < 0)
		return r;
	while (pairs.n > 0) {
		r = merge_pair(&pairs, pairs.items[--pairs.n]);
		if (r < 0)
			return r;
	}
	return 0;
}
