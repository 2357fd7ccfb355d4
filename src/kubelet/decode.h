/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * kubelet's decoder: events of a document in, its verdict on it out.
 */

#include "doc/event.h"
#include "doc/names.h"
#include "kubelet/config.h"
#include "kubelet/schema.h"

struct kr_decode_frame {
	const struct kr_schema *schema; /* NULL: kubelet knows no such field */
	const struct kr_schema *member; /* of the value that comes next */
	struct kr_span key;             /* the name it stands behind */
	size_t object;                  /* its number, from 1; 0: a list */
};

/* What a member at the top is to us. */
enum kr_decode_role {
	KR_ROLE_NONE,
	KR_ROLE_OURS,
	KR_ROLE_OURS_INTERNAL, /* as Go spells the field */
	KR_ROLE_KIND,
	KR_ROLE_API_VERSION,
	KR_ROLE_HEALTHZ_PORT,
	KR_ROLE_HEALTHZ_ADDRESS,
	KR_ROLE_MASQUERADE_BIT,
	KR_ROLE_DROP_BIT,
};

/* So many uses of the key are kept, -EFBIG for more: each is 60 bytes here, and
 * several hundred as a place that sets the value. */
#define KR_DECODE_USES_MAX ((size_t)120000)

struct kr_decode_uses {
	struct kr_config_use *items;
	size_t n;
};

/* Names that people take for our key, and kubelet does not. */
enum kr_stray {
	KR_STRAY_CASE,   /* at the top, in another case */
	KR_STRAY_NAME,   /* at the top, spelt otherwise */
	KR_STRAY_NESTED, /* inside another value */
	_KR_STRAY_MAX,
};

struct kr_decode_strays {
	struct kr_span names[KR_DIAG_KEPT];
	size_t n, n_more;
};

/* The first thing that kubelet would refuse, said when all is read. */
struct kr_decode_fault {
	struct kr_span span;
	const char *code;
	char *text; /* NULL: none */
};

struct kr_decode {
	const struct kr_setting *setting;
	const struct kr_file *file;
	bool dropin;   /* one file of --config-dir: types are judged later */
	bool unique;   /* the reader looks after repeated names itself */
	bool merged;   /* what is left after the merge: case is ignored */
	bool any_kind; /* a drop-in of 1.29 to 1.31: it only needs a kind */

	struct kr_decode_frame *frames;
	size_t depth;
	size_t n_objects;
	struct kr_names names; /* of a drop-in, where none may be there twice */

	enum kr_decode_role role;
	bool exact; /* the name is in kind's or apiVersion's own case */
	struct kr_span key, last_key, last_value, root;
	struct kr_decode_uses ours, internal;
	struct kr_decode_strays strays[_KR_STRAY_MAX];
	char *kind, *api_version;
	struct kr_span kind_span, api_version_span;
	int range; /* of the name at the top, -1: it has none */
	struct kr_range_value ranges[KR_N_RANGES];
	int healthz_port, masquerade_bit, drop_bit;
	char *healthz_address;
	struct kr_decode_fault fatal; /* in any version of the format */
	struct kr_decode_fault fault; /* in v1beta1 */
	char *scratch;
	size_t size_scratch;
};

/* MERGED: the events are those of a merge, and there is no file. */
void kr_decode_init(struct kr_decode *decode, const struct kr_setting *setting,
                    const struct kr_file *file,
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
