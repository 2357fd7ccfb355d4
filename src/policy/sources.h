/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Every place that sets a field on disk, weakest first; every file whose mode
 * or owner counts. */

#include "base/perms.h"
#include "base/span.h"
#include "node/node.h"

enum kr_source_kind {
	KR_SOURCE_DEFAULT,
	KR_SOURCE_CONFIG,
	KR_SOURCE_CONFIG_DIR,
	KR_SOURCE_FLAG,
	KR_SOURCE_FILE, /* the file itself, its mode or owner */
	_KR_SOURCE_KIND_MAX,
};

/* "default", "config", "config-dir", "flag", "file". */
const char *kr_source_kind_to_string(enum kr_source_kind kind);

/* One place that sets the value. */
struct kr_source {
	enum kr_source_kind kind;
	int field;           /* that it sets; -1: a file's mode or owner */
	struct kr_span span; /* the deciding word or value; no file: default,
	                        or a flag whose bytes are in no file */
	/* TRUE, FALSE, VALUE, INVALID, NULL; UNKNOWN: a default that is not
	 * known here */
	enum kr_state state;
	struct kr_value value; /* of TRUE, FALSE and VALUE */
	bool wins;
	bool editable;
	char *reason; /* why it is not editable or why it loses; NULL */
	char *text;   /* a flag that is in no file: the word; else NULL */
	/* of KR_SOURCE_FILE, which has no SPAN: the file as the node names it,
	 * the same with links resolved, and what it has; else NULL */
	char *path, *real;
	struct kr_perms perms;
};

struct kr_sources {
	struct kr_source *items; /* weakest first */
	size_t n;
	int deciding; /* index of the one that decides; -1: none */
};

/*
 * Fills RET, which is empty, with what sets FIELD on NODE's disk, of which
 * DECISION was made. 0 or -ENOMEM: then RET holds what there is.
 */
int kr_sources_collect(struct kr_node *node, int field,
                       const struct kr_decision *decision,
                       struct kr_sources *ret);
void kr_sources_done(struct kr_sources *sources);

/* Why a change of FILE would not be safe or would not last (static), or NULL.
 */
const char *kr_source_refusal(const struct kr_file *file);

/* The same of the file at REAL, links resolved. */
const char *kr_source_refusal_at(const char *real);

/* Whether it is a file of a store that a system is made of (Nix, Guix). */
bool kr_source_is_of_store(const char *real);

/* What to do instead of changing FILE, where even a drop-in would not last, in
 * the marks of kr_platform_text() (static); NULL: nothing special. */
const char *kr_source_instead(const struct kr_file *file);

/* The same where another program starts kubelet: where to set it instead. */
const char *kr_source_where(const struct kr_file *file);
