/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A document as a tree, for what needs the whole of it: YAML's aliases and
 * merge keys, and the merge of drop-ins.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/diag.h"
#include "doc/event.h"

/* The name of a member. */
struct kr_tree_name {
	const char *text;
	size_t length;
	struct kr_span span;
	char type; /* YAML: a name of another type is another name */
};

struct kr_tree_node {
	struct kr_event event; /* its first one; the text lives in the tree */
	struct kr_tree_name name; /* of a member of a map */
	bool overridden;          /* a later member has the same name */
	struct kr_tree_node *parent, *first, *last, *next;
	size_t n_children;
};

struct kr_tree {
	struct kr_tree_node *root;
	struct kr_arena memory; /* of nodes and texts */
	bool too_large;         /* there would be more than may be */
};

/* What a tree may take: 100,000 values, where a kubelet's configuration has
 * some hundreds. */
#define KR_TREE_BYTES_MAX ((size_t)28 * 1024 * 1024)

/* What -ENOMEM of these functions was: itself, or -EFBIG where TREE would have
 * become too large; DIAG says so of FILE then. */
int kr_tree_error(const struct kr_tree *tree, int r, const char *path,
                  struct kr_diag *diag);

/* Memory of the tree, zeroed; NULL when there is no more, or TREE is as large
 * as one may be (too_large). */
void *kr_tree_alloc(struct kr_tree *tree, size_t size);

/* A copy of a text, NUL-terminated, or NULL. */
char *kr_tree_text(struct kr_tree *tree, const char *text, size_t length);

/* A node behind the last child of PARENT (NULL: the root). NULL when memory
 * runs out. */
struct kr_tree_node *kr_tree_add(struct kr_tree *tree,
                                 struct kr_tree_node *parent);

/* Gives back what TREE has of nodes and texts that are below its root no more.
 * 0 or -ENOMEM. */
int kr_tree_compact(struct kr_tree *tree);

/*
 * Marks the members of MAP that a later one of the same name and type of name
 * overrides. >0: there are such, RET is the place of the first that comes
 * again; 0; -ENOMEM.
 */
int kr_tree_override(struct kr_tree_node *map, struct kr_span *ret);

/* Puts the members of MAP in order of their names, byte by byte. 0 or -ENOMEM.
 */
int kr_tree_sort(struct kr_tree_node *map);

/* Names in that order: < 0, 0, > 0. */
int kr_tree_compare_names(const struct kr_tree_name *a,
                          const struct kr_tree_name *b);

/* What is at PATH ("a.b.c") below NODE, through maps alone; NULL: nothing. */
const struct kr_tree_node *kr_tree_find(const struct kr_tree_node *node,
                                        const char *path);

/* A listener that builds TREE, maps sorted. It must be zeroed. */
struct kr_tree_builder {
	struct kr_tree *tree;
	struct kr_tree_node *at; /* the map or list that is open */
	struct kr_tree_name name;
};
int kr_tree_hear(void *userdata, const struct kr_event *event);

/* Tells LISTENER the tree, without what is overridden, but with those
 * overridden members of the root. 0 or what it gave. */
int kr_tree_tell(const struct kr_tree_node *root,
                 const struct kr_listener *listener);

void kr_tree_done(struct kr_tree *tree);
#define _cleanup_tree_ _cleanup_(kr_tree_done)
