/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * kubelet's configuration file as kubelet decodes it, and where our key is in
 * it. Bytes in, value and spans out; no I/O.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/edit.h"
#include "base/span.h"
#include "doc/layout.h"
#include "kubelet/flags.h"
#include "kubelet/ranges.h"
#include "kubelet/setting.h"

enum kr_config_format {
	KR_CONFIG_JSON,
	KR_CONFIG_YAML,
};

/* One occurrence of the key at the top of the (first) document. */
struct kr_config_use {
	struct kr_span key;   /* with its quotes */
	struct kr_span value; /* with its quotes, tag or anchor; may be empty */
	enum kr_state state;  /* TRUE, FALSE, NULL, INVALID */
	bool editable;        /* the value can be replaced in place */
	const char *reason;   /* static: why not, else NULL */
	bool overridden; /* YAML: a later one undoes it, even a wrong type */
	bool merged; /* YAML: a merge key brings it, it is written elsewhere */
};

struct kr_config {
	enum kr_config_format format;
	/* what kubelet makes of the file alone: TRUE, FALSE, NULL, ABSENT
	 * (both: the default), INVALID (DIAG says why), UNKNOWN (a YAML that
	 * kubelet may read otherwise than we do, and DIAG has a warning) */
	enum kr_state state;
	struct kr_config_use *uses; /* in order; the last one wins */
	size_t n_uses;
	int wins; /* index of the use that decides, -1: none */
	/* INVALID or UNKNOWN whatever our key says: kubelet does not take the
	 * file, or it cannot be told */
	bool refused;
	struct kr_range_value ranges[KR_N_RANGES];
	/* other keys that matter to us, where they are well formed */
	int healthz_port;             /* 0: off, -1: not set */
	char *healthz_bind_address;   /* NULL: not set */
	int masquerade_bit, drop_bit; /* -1: not set */
	/* apiVersion .../__internal, which kubelet takes: Go's field names are
	 * the keys there and nothing has a default, so that an absent key is
	 * FALSE (WINS is -1 then) */
	bool internal;
	bool dropin; /* as in the options */
	struct kr_layout layout;
};

struct kr_config_options {
	bool dropin; /* --config-dir's rules: duplicates are fatal, case is
	                ignored, a wrong type is fatal only if it is still there
	                after the merge: no error in DIAG for it here */
	/* kubelet's minor version (20 for 1.20), 0: not known, the newest. It
	 * decides how the language is told (until 1.21), and whether a
	 * drop-in's kind and apiVersion matter (not from 1.29 to 1.31) */
	unsigned kubelet_minor;
};

/*
 * Reads FILE. 0 or -ENOMEM: a file that kubelet would refuse is a result
 * (INVALID), with an error in DIAG at the place. OPTIONS may be NULL.
 *
 * Rules: pkg/kubelet/kubeletconfig/util/codec, apimachinery's json serializer,
 * sigs.k8s.io/yaml and yaml.v2, as measured (tests/cases/kubelet-oracle.jsonl).
 */
int kr_config_parse(const struct kr_setting *setting,
                    const struct kr_file *file,
                    const struct kr_config_options *options,
                    struct kr_diag *diag, struct kr_config *ret);
void kr_config_done(struct kr_config *config);
#define _cleanup_config_ _cleanup_(kr_config_done)

/*
 * Adds to EDITS what makes the key VALUE in the file that CONFIG was read from,
 * with the fewest bytes: each use that says otherwise is changed in place;
 * where there is none, the key is inserted in the file's own style (indent,
 * line ends, spacing after ":"), behind the last member. Nothing where the file
 * already says so. 0; -EOPNOTSUPP: no safe edit, DIAG says why and where;
 * -ENOMEM.
 */
int kr_config_edit(const struct kr_setting *setting,
                   const struct kr_config *config, const struct kr_file *file,
                   bool value, struct kr_diag *diag, struct kr_edits *edits);

/*
 * Whether BEFORE and AFTER, two states of one file, say the same in all but
 * SETTING's key: every byte outside of its values and of a member inserted
 * behind the last one is the same, and a second reader (cJSON, libyaml) finds
 * VALUE in AFTER. 0: proven; -EBADMSG: not, DIAG says where; -ENOMEM.
 */
int kr_config_prove(const struct kr_setting *setting,
                    const struct kr_file *before, const struct kr_file *after,
                    bool value, struct kr_diag *diag);

/* The same for a file that is read with OPTIONS (a drop-in). */
int kr_config_prove_with(const struct kr_setting *setting,
                         const struct kr_file *before,
                         const struct kr_file *after,
                         const struct kr_config_options *options, bool value,
                         struct kr_diag *diag);
