/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * kubelet's configuration file as kubelet decodes it, and where our key is in
 * it. Bytes in, value and spans out; no I/O.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/edit.h"
#include "base/span.h"
#include "doc/event.h"
#include "kubelet/field.h"
#include "kubelet/flags.h"
#include "kubelet/value.h"

enum kr_config_format {
	KR_CONFIG_JSON,
	KR_CONFIG_YAML,
};

/* One occurrence of a field in the (first) document. */
struct kr_config_use {
	struct kr_span key;   /* with its quotes */
	struct kr_span value; /* with its quotes, tag or anchor; may be empty */
	struct kr_value v;    /* of TRUE, FALSE and VALUE */
	const char *reason;   /* static: why the value cannot be replaced in
	                         place; NULL: it can */
	int16_t field;        /* enum kr_field_id */
	/* TRUE or FALSE; VALUE of another type; NULL: there, but says nothing;
	 * INVALID: kubelet refuses it (of a drop-in: if it is still there after
	 * the merge) */
	enum kr_state state : 8;
	bool resets : 1;     /* NULL: takes an earlier value away */
	bool overridden : 1; /* YAML: a later one undoes it, even a wrong type
	                      */
	bool merged : 1; /* YAML: a merge key brings it, it is written elsewhere
	                  */
};

/* Names that people take for a field's, and kubelet does not. */
enum kr_stray_kind {
	KR_STRAY_CASE,   /* at the top, in another case */
	KR_STRAY_NAME,   /* at the top, spelt otherwise */
	KR_STRAY_NESTED, /* inside another value */
	_KR_STRAY_MAX,
};

/* Of each kind and field the first KR_DIAG_KEPT are kept. */
struct kr_strays {
	struct kr_stray {
		int field;
		enum kr_stray_kind kind;
		struct kr_span name;
	} * items;
	size_t n;
	size_t (*counts)[_KR_STRAY_MAX]; /* by field; NULL: none at all */
};

/* A wrong type of a field that only some versions have: the others pass over
 * it. */
struct kr_config_refusal {
	struct kr_span place;
	uint64_t minors; /* who refuses */
	char *text;      /* "the value of x must be ..." */
};

/* Why a file is doubtful. */
#define KR_CONFIG_DOUBT                                                        \
	"a tag must end with a blank: kubelet's YAML reader and "              \
	"this one's do not agree"

/*
 * A file that was read, with all fields' uses in it. What it says of one is
 * asked afterwards.
 */
struct kr_config {
	struct kr_config_use *uses; /* in order */
	uint32_t n_uses;
	enum kr_config_format format : 8;
	/* kubelet refuses the file whatever the fields say */
	bool refused;
	/* a YAML that kubelet may read otherwise than we do; DIAG has a
	 * warning */
	bool doubtful;
	/* apiVersion .../__internal, which kubelet takes: Go's field names are
	 * the keys there and nothing has a default, so that what is absent is
	 * Go's zero */
	bool internal;
	bool dropin;      /* as in the options */
	bool shares_uses; /* another one owns them */
	/* the field that has an INVALID use; -1: none has; KR_N_FIELDS: several
	 * have. Of a drop-in always -1 */
	int16_t invalid_field;
	int16_t internal_field;       /* the field it would be: */
	struct kr_span internal_name; /* not internal: the first name of Go's */
	struct kr_strays strays;
	struct kr_layout layout;
	/* where the version is not known: what only some refuse. Each adds a
	 * version that refuses, or is of the first KR_DIAG_KEPT */
	struct kr_config_refusal *refusals;
	uint32_t n_refusals;
	uint32_t n_others; /* merges that have it beside the first */
};

struct kr_config_options {
	bool dropin; /* --config-dir's rules: duplicates are fatal, case is
	                ignored, a wrong type is fatal only if it is still there
	                after the merge: no error in DIAG for it here */
	/* kubelet's minor version (20 for 1.20), 0: not known, the newest. It
	 * decides how the language is known (until 1.21), and whether a
	 * drop-in's kind and apiVersion matter (not from 1.29 to 1.31) */
	unsigned kubelet_minor;
	/* KUBELET_MINOR is only for those rules: which types are right is asked
	 * of all versions */
	bool any_types;
};

/*
 * Reads FILE. 0 or -ENOMEM: a file that kubelet would refuse is a result, with
 * an error in DIAG at the place. OPTIONS may be NULL.
 *
 * Rules: pkg/kubelet/kubeletconfig/util/codec, apimachinery's json serializer,
 * sigs.k8s.io/yaml and yaml.v2, as measured (tests/cases/kubelet-oracle.jsonl).
 */
int kr_config_parse(const struct kr_file *file,
                    const struct kr_config_options *options,
                    struct kr_diag *diag, struct kr_config *ret);

/*
 * What kubelet makes of FIELD from the file alone: TRUE, FALSE, VALUE; NULL,
 * ABSENT: its default; INVALID; UNKNOWN: the file is doubtful. RET_USE (may be
 * NULL) is the use that decides, or the first that is invalid; NULL: none.
 */
enum kr_state kr_config_state(const struct kr_config *config, int field,
                              const struct kr_config_use **ret_use);

/* Whether kubelet refuses the file, or it is unknown, whatever FIELD says;
 * -1: whatever is at fault. */
bool kr_config_stops(const struct kr_config *config, int field);

/* Why the value of USE cannot be replaced in place (static), or NULL. */
const char *kr_config_use_reason(const struct kr_config *config,
                                 const struct kr_config_use *use);

/* The first use of FIELD from *AT on, behind which *AT is then; NULL. */
const struct kr_config_use *kr_config_next(const struct kr_config *config,
                                           int field, size_t *at);

/* Notes in DIAG on what only looks like FIELD's name in FILE. */
void kr_config_remark(const struct kr_config *config,
                      const struct kr_file *file, int field,
                      struct kr_diag *diag);

/*
 * Gives back what CONFIG has of uses, if LIKE, of the same file, has the same:
 * it shares those, and must not be asked when LIKE is gone. Whether all else is
 * the same, too.
 */
bool kr_config_share(struct kr_config *config, const struct kr_config *like);

void kr_config_done(struct kr_config *config);
#define _cleanup_config_ _cleanup_(kr_config_done)

/*
 * Adds to EDITS what makes FIELD VALUE (of the field's type, and no map) in the
 * file that CONFIG was read from, as kr_doc_edit() writes it: each use that
 * says otherwise is changed in place; where there is none, a member is inserted
 * with the mappings on the way that are missing. Nothing where the file already
 * says so. 0; KR_REFUSED: no safe edit, DIAG says why and where; -ENOMEM.
 */
int kr_config_edit(int field, const struct kr_config *config,
                   const struct kr_file *file, const struct kr_value *value,
                   struct kr_diag *diag, struct kr_edits *edits);
/* The same where other fields of the file are at fault, too, and are corrected
 * by edits that follow: that is the caller's to prove. */
int kr_config_edit_together(int field, const struct kr_config *config,
                            const struct kr_file *file,
                            const struct kr_value *value, struct kr_diag *diag,
                            struct kr_edits *edits);

/*
 * The bytes of a new file, for --config or for --config-dir (whose name has to
 * end in ".conf"), that has the N FIELDS, each of them once and with its own of
 * VALUES (as above), and no other; a field that is a flag alone is left out.
 * The caller frees them. 0; KR_REFUSED: a value is not one of its field's;
 * -ENOMEM.
 */
int kr_config_make(const int *fields, const struct kr_value *values, size_t n,
                   char **ret);

/* The lines of its members alone, for another document's mapping. */
int kr_config_make_members(const int *fields, const struct kr_value *values,
                           size_t n, char **ret);

/*
 * Whether BEFORE and AFTER, two states of one file that is read with OPTIONS
 * (nullable), say the same in all but FIELD, which is VALUE in AFTER: by
 * kr_doc_prove(), and by every field that kubelet makes of both. 0: proven;
 * KR_MALFORMED: not, DIAG says where; -ENOMEM.
 */
int kr_config_prove(int field, const struct kr_file *before,
                    const struct kr_file *after,
                    const struct kr_config_options *options,
                    const struct kr_value *value, struct kr_diag *diag);
