/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A file's own hand: a part of doc/edit. What begins with kr_hand_ looks at
 * bytes, or writes some to a stream, whose failure its owner finds.
 */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/edit.h"
#include "doc/edit.h"

/* One edit of a document on its way. */
struct kr_editing {
	const struct kr_file *file;
	bool yaml;
	const struct kr_doc_path *path;
	const struct kr_doc_value *value; /* NULL: the member goes */
	struct kr_yaml_document doc;
	size_t n_looked; /* nodes, for merge keys */
	struct kr_diag *diag;
	struct kr_edits *edits;
};

static inline struct kr_span kr_editing_span(const struct kr_editing *e,
                                             size_t start, size_t end)
{
	return (struct kr_span){e->file, start, end - start};
}

/* KR_DOC_REFUSED, with REASON in the diag. */
int kr_editing_refuse(const struct kr_editing *e, struct kr_span span,
                      const char *reason);

/* An edit of what was written to OUT, which opened TEXT and is closed. 0;
 * -ENOMEM; KR_COLLIDES. */
int kr_editing_add(const struct kr_editing *e, FILE *out, char **text,
                   struct kr_span span);

/* How a mapping's members are written. */
struct kr_hand {
	bool quoted;          /* names are, as all are in JSON */
	bool flow;            /* it has braces */
	struct kr_span colon; /* between a name and its value */
	/* what a line of members starts with, with the end of the line before
	 * it; no file: they stand on one line */
	struct kr_span line;
	struct kr_span unit; /* the blanks that one more step in takes */
};

static inline bool kr_hand_is_blank(char c)
{
	return c && strchr(" \t\r\n", c);
}

static inline bool kr_hand_is_line_end(char c)
{
	return c == '\r' || c == '\n';
}

static inline void kr_hand_put(FILE *out, struct kr_span span)
{
	fwrite(span.file->data + span.offset, 1, span.length, out);
}

/* ": " */
struct kr_span kr_hand_usual_colon(void);

/* MAP's hand at its member NAME; NULL: the document alone is there. */
struct kr_hand kr_hand_of(const struct kr_editing *e,
                          const struct kr_yaml_node *map,
                          const struct kr_yaml_node *name);

/* Writes N steps in, part I of the path, a text (QUOTE: as the text before it
 * was; '\0': as it must be), and the value, in flow style, behind COLON. */
void kr_hand_steps(FILE *out, struct kr_span unit, size_t n);
void kr_hand_name(FILE *out, const struct kr_editing *e,
                  const struct kr_hand *hand, size_t i);
void kr_hand_string(FILE *out, const char *text, char quote);
void kr_hand_value(FILE *out, const struct kr_editing *e, struct kr_span colon);

/* The last member of MAP; NULL: it has none. */
struct kr_yaml_node *kr_hand_last_name(const struct kr_yaml_node *map);

/* The blanks before byte OFFSET; the last line end in BLANKS and what stands
 * behind it (no file: none); that without its line end. */
struct kr_span kr_hand_blanks_before(const struct kr_editing *e, size_t offset);
struct kr_span kr_hand_last_line(struct kr_span blanks);
struct kr_span kr_hand_without_line_end(struct kr_span line);

/* How the file ends its lines. */
const char *kr_hand_line_end(const struct kr_file *file);

/* The blanks that the name's line starts with; false: something else stands
 * before it, or it is one of "?", whose colon has a line of its own. */
bool kr_hand_indent_of(const struct kr_editing *e,
                       const struct kr_yaml_node *name, struct kr_span *ret);

/* The start of the line behind the one that the member NAME ends in, or the
 * file's end. False: something else than a comment stands in between. */
bool kr_hand_line_behind(const struct kr_editing *e,
                         const struct kr_yaml_node *name, size_t *ret);

/* Whether the member NAME ends in a block scalar, whose last line ends are its
 * own. */
bool kr_hand_is_open_ended(const struct kr_yaml_node *name);
