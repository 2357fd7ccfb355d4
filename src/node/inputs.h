/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * All that one kubelet reads at its start: its argv, the file of --config, the
 * files of --config-dir; and what it would decide from them.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/fs.h"
#include "base/vec.h"
#include "kubelet/dropins.h"
#include "kubelet/flags.h"
#include "unit/resolve.h"

enum kr_decider {
	KR_BY_NOTHING, /* the state is INVALID or UNKNOWN */
	KR_BY_DEFAULT,
	KR_BY_CONFIG,
	KR_BY_DROPIN,
	KR_BY_FLAG,
};

struct kr_inputs {
	char **argv; /* NULL-terminated copies */
	size_t argc;
	struct kr_flags flags;
	char *config_path; /* absolute; NULL: kubelet reads no config file */
	char *config_dir;  /* as kubelet names it; NULL: none */
	bool config_read;  /* FILES[0] is that of --config */
	/* ... and --config is a credential, which systemd makes of it at the
	 * start: a kubelet that runs has read a copy */
	bool config_copied;
	/* the config file, then the drop-ins in the order of the merge */
	const struct kr_file **files;
	size_t n_files;
	/* folders below --config-dir whose entries were listed */
	struct kr_strings folders;
	struct kr_merged merged;
	bool merged_valid; /* MERGED was filled */
	/* where kubelet's version is not known and there are drop-ins: what
	 * 1.29 to 1.31 make of them; MERGED is what 1.32 and later make */
	struct kr_merged older;
	bool older_valid;
	bool differs_1_28; /* ... and 1.28 would make something else of them */
	unsigned kubelet_minor; /* as in the options */
	/* the version is not known, and the answer depends on it */
	bool needs_version;

	enum kr_state state; /* TRUE, FALSE, INVALID, UNKNOWN */
	enum kr_decider by;
	char *reason; /* of any state, one sentence */
	/* INVALID or UNKNOWN because of our flag or key, so that a fix may help
	 */
	bool by_setting;
	/* UNKNOWN because of this argument, which is not known; 0: it is not
	 */
	size_t unknown_arg;
	/* UNKNOWN because MERGED and OLDER disagree about our key alone: a fix
	 * may help */
	bool by_version;
};

struct kr_inputs_options {
	const char *working_directory; /* for relative paths; NULL: "/" */
	const char *config;     /* read instead of what --config says; NULL */
	unsigned kubelet_minor; /* 31 for 1.31; 0: not known */
	/* of each argument why it is not what kubelet gets, one sentence, or
	 * NULL where it is; NULL: all are */
	const char *const *doubts;
	/* the unit whose credentials kubelet may read; NULL: none's */
	const struct kr_unit *unit;
};

/*
 * Reads and decides, for SETTING. What kubelet would refuse is a result. 0 or
 * -ENOMEM. The files belong to FS, which must live longer.
 *
 * Order: defaults, --config, --config-dir, flags (cmd/kubelet/app/server.go).
 * A config file that kubelet cannot read stops it, whatever the flags say; one
 * that only we may not read is UNKNOWN; so are drop-ins of which kubelet's
 * versions make different things (kubelet/dropins.h) where the version is not
 * known. 1.28 does not count in that: it is long out of support, and a note is
 * all that is made of it.
 *
 * An argument that is not known is UNKNOWN where it may be one that counts: no
 * fault is derived from it, nor is a file read that it names. A credential of
 * the unit is read where systemd would load it from, or is UNKNOWN.
 */
int kr_inputs_read(const struct kr_setting *setting, struct kr_fs *fs,
                   const char *const *argv, size_t argc,
                   const struct kr_inputs_options *options,
                   struct kr_diag *diag, struct kr_inputs *ret);
void kr_inputs_done(struct kr_inputs *inputs);
#define _cleanup_inputs_ _cleanup_(kr_inputs_done)
