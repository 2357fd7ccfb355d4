/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * kubelet's decoder: events of a document in, its verdict on it out.
 */

#include "doc/event.h"
#include "doc/name.h"
#include "kubelet/config.h"
#include "kubelet/field.h"
#include "kubelet/schema.h"

struct kr_decode_frame {
	const struct kr_schema *schema; /* NULL: kubelet knows no such field */
	const struct kr_schema *member; /* of the value that comes next */
	uint64_t minors, member_minors; /* who knows them */
	struct kr_span key;             /* the name it stands behind */
	bool object;                    /* false: a list */
	bool overridden;                /* a later member undoes all of it */
	/* where in the fields' paths this is, by the names of v1beta1 and by
	 * Go's own; and what comes next */
	struct kr_field_place place, internal_place;
	struct kr_field_place next, internal_next;
	int field, internal_field; /* of what comes next; -1: none */
	/* the use whose value this list or map is, from 1; 0: of none */
	size_t use, internal_use;
	/* the use whose tree this is in, from 1; 0: in none; and the bytes of
	 * the path to here, and the elements that a list had */
	size_t tree;
	bool tree_internal;
	size_t path_length, n_elements;
	size_t first_name; /* in the decoder's names */
};

/* What a member at the top says of the document. */
enum kr_decode_role {
	KR_ROLE_NONE,
	KR_ROLE_KIND,
	KR_ROLE_API_VERSION,
};

/* So many uses of fields are kept, -EFBIG for more: each is 120 bytes here, and
 * several hundred as a place that sets the value. */
#define KR_DECODE_USES_MAX ((size_t)120000)

struct kr_decode_uses {
	struct kr_config_use *items;
	size_t n;
};

/* The first thing that kubelet would refuse, said when all is read. */
struct kr_decode_fault {
	struct kr_span span;
	const char *code;
	char *text; /* NULL: none */
};

struct kr_decode {
	const struct kr_file *file;
	bool dropin;   /* one file of --config-dir: types are judged later */
	bool unique;   /* the reader looks after repeated names itself */
	bool merged;   /* what is left after the merge: case is ignored */
	bool any_kind; /* a drop-in of 1.29 to 1.31: it only needs a kind */
	bool old_null; /* a null empties a string: JSON until 1.22 */

	struct kr_decode_frame *frames;
	size_t depth;
	struct kr_names names; /* of a drop-in, where none may be there twice */
	struct kr_span twice;  /* the first that is; no file: none */

	enum kr_decode_role role;
	bool exact; /* the name is in kind's or apiVersion's own case */
	struct kr_span root;
	struct kr_decode_uses uses, internal;
	struct kr_strays strays;
	char *kind, *api_version;
	struct kr_span kind_span, api_version_span;
	struct kr_decode_fault fatal; /* in any version of the format */
	/* in v1beta1, values of a wrong type: each can be changed; and the file
	 * of the first */
	struct kr_diag faults;
	const struct kr_file *blamed;
	bool refused;    /* of another field than those we ask for */
	uint64_t minors; /* the versions that may read it */
	struct kr_config_refusal *refusals; /* as in the config */
	size_t n_refusals;
	uint64_t refusing; /* who refuses by one of those */
	char *scratch;
	size_t size_scratch;
	size_t n_pairs; /* in the trees */
	char *path;     /* in a tree: to the value that comes next */
	size_t path_length, path_size;
};

/* MERGED: the events are those of a merge, and there is no file. */
void kr_decode_init(struct kr_decode *decode, const struct kr_file *file,
                    const struct kr_config_options *options);
void kr_decode_done(struct kr_decode *decode);
#define _cleanup_decode_ _cleanup_(kr_decode_done)

/* A struct kr_listener's hear(), USERDATA is the struct kr_decode. 0 or
 * -ENOMEM. */
int kr_decode_hear(void *userdata, const struct kr_event *event);

/*
 * A member is there again that has this NAME: a drop-in is decoded strictly,
 * and there is no lenient way behind it. 0 or -ENOMEM.
 */
int kr_decode_twice(struct kr_decode *decode, struct kr_span name);

/*
 * The verdict, after the last event. FORMAT is the caller's. What kubelet
 * refuses is INVALID, with an error in DIAG; READABLE is false where the reader
 * has put one there already. 0 or -ENOMEM.
 */
int kr_decode_finish(struct kr_decode *decode, bool readable,
                     struct kr_diag *diag, struct kr_config *ret);
