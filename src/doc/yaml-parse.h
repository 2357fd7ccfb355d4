/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The first document of a YAML file as it is written: nodes with their bytes.
 */

#include "base/diag.h"
#include "doc/tree.h"

enum kr_yaml_kind {
	KR_YAML_SCALAR,
	KR_YAML_MAPPING,
	KR_YAML_SEQUENCE,
	KR_YAML_ALIAS,
};

struct kr_yaml_node {
	enum kr_yaml_kind kind;
	bool flow;          /* {} or [] */
	bool block;         /* a scalar of | or > */
	bool plain;         /* a scalar without quotes */
	bool implicit;      /* its text says its type */
	const char *tag;    /* in full, NULL: none; "!" stays */
	const char *anchor; /* its own, or an alias's */
	const char *text;
	size_t length;
	/* with anchor and tag; of a mapping or sequence up to its end */
	struct kr_span span;
	struct kr_yaml_node *target; /* of an alias */
	bool busy;                   /* of an alias: it is being followed */
	/* of a mapping: names and values in turn */
	struct kr_yaml_node *first, *last, *next;
};

struct kr_yaml_document {
	struct kr_yaml_node *root; /* NULL: there is no document */
	size_t end; /* offset of the document's end: "---", "..." or the file's
	             */
	/* static: why no byte of the file can be exchanged, or NULL */
	const char *fixed;
	/* kubelet's reader may take this place otherwise than libyaml; no file:
	 * there is none. Set whatever the outcome is */
	struct kr_span doubt;
};

/* Hears NODE, which lives as long as the call, as it starts; NULL: the mapping
 * or sequence that was opened last ends before the byte END. 0 to go on; < 0
 * ends the reading and is handed up. */
typedef int kr_yaml_hear_fn(void *userdata, const struct kr_yaml_node *node,
                            size_t end);

/*
 * The same document, told node by node: no tree is made, and an alias has no
 * target. What takes two readings (a colon that is text) ends it with
 * KR_MALFORMED. RET's root is NULL. Else as kr_yaml_parse().
 */
int kr_yaml_tell(const struct kr_file *file, kr_yaml_hear_fn *hear,
                 void *userdata, struct kr_yaml_document *ret);

/*
 * Reads the first document of FILE. Nodes and texts belong to TREE. 0;
 * KR_MALFORMED: no YAML as yaml.v2 reads it, with an error in DIAG; -EFBIG: it
 * is too large to be read, DIAG says so; -ENOMEM.
 */
int kr_yaml_parse(const struct kr_file *file, struct kr_tree *tree,
                  struct kr_diag *diag, struct kr_yaml_document *ret);
