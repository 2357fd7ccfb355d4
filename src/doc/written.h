/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A document as it is written, JSON or YAML: what an edit and its proof go by.
 */

#include "base/vec.h"
#include "doc/yaml-parse.h"

/* A place in a document: names from the top on, all of them of mappings. */
struct kr_doc_path {
	struct kr_strings names;
	bool fold;       /* in any case, as kr_name_equal() has it */
	bool exact_last; /* ... but for the last one */
	/* a null takes away what another document has there: on the way it is
	 * not made a mapping */
	bool null_counts;
};

/* "a.b.c"; a name holds no dot. 0 or -ENOMEM. */
int kr_doc_path_parse(const char *text, struct kr_doc_path *ret);
void kr_doc_path_done(struct kr_doc_path *path);
#define _cleanup_doc_path_ _cleanup_(kr_doc_path_done)

enum kr_doc_type {
	KR_DOC_WORD,   /* true, false, a number: the same in JSON and YAML */
	KR_DOC_STRING, /* quoted where the language asks for it */
	KR_DOC_LIST,   /* of strings */
};

/* A value that is to be written. */
struct kr_doc_value {
	enum kr_doc_type type;
	const char *text;              /* of a word or string */
	const struct kr_strings *list; /* of a list */
};

/*
 * Reads FILE, which is YAML or else JSON, as kr_yaml_parse() does; DOC has no
 * root where there is no document. 0; KR_MALFORMED with an error in DIAG;
 * -EFBIG; -ENOMEM.
 */
int kr_written_parse(const struct kr_file *file, bool yaml,
                     struct kr_tree *tree, struct kr_diag *diag,
                     struct kr_yaml_document *doc);

/* The name in MAP, a mapping, that is part I of PATH: the first from AFTER's
 * next member on (NULL: from its first). Its value is the node behind it. NULL:
 * there is none. */
struct kr_yaml_node *kr_written_find(const struct kr_yaml_node *map,
                                     const struct kr_doc_path *path, size_t i,
                                     struct kr_yaml_node *after);

/* The byte behind the last one of NODE that says something: comments and line
 * ends behind a block do not. */
size_t kr_written_end(const struct kr_yaml_node *node);

/* The same of the member NAME. */
size_t kr_written_member_end(const struct kr_yaml_node *name);

/* Whether NODE, or what it is an alias of, says VALUE: >0 or 0; -ENOMEM. */
int kr_written_says(const struct kr_yaml_node *node,
                    const struct kr_doc_value *value);

/* Whether NODE is a null: >0 or 0; -ENOMEM. */
int kr_written_is_null(const struct kr_yaml_node *node);

/* Whether a name is the merge key "<<". */
bool kr_written_is_merge(const struct kr_yaml_node *name);

/* Why the bytes of a value cannot be exchanged for others (static), or NULL. */
const char *kr_written_fixed(const struct kr_yaml_node *node);
