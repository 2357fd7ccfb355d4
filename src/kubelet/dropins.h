/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * --config, then the files of --config-dir merged over it, as kubelet does.
 *
 * What the walker hands over (kubelet's is Go's filepath.WalkDir, 1.29 and
 * later):
 *
 * - An empty --config-dir is off. A DIR that is not there is fatal, and so is
 *   any folder below it that cannot be read.
 * - DIR itself is looked at without following a link: a link to a folder is one
 *   entry that is no folder, whose own name then decides (usually it has not
 *   the extension, and nothing is read; "x.conf" is opened and is a folder:
 *   fatal). With a "/" at its end the link is followed by the system.
 * - DIR may be a single file, read if kr_dropin_name() takes its name.
 * - The entries of each folder come in byte order of their names. A folder is
 *   walked where it stands in that order, whatever its name is, "x.conf" too;
 *   its files come before its next sibling. So it is not the order of whole
 *   paths: "a/1.conf" stands before "a-b.conf" only if "a" < "a-b.conf".
 * - An entry that is no folder is read if kr_dropin_name() takes its name: a
 *   link to a file is followed; a link to a folder, a dangling link and
 *   whatever cannot be read are fatal. Other names are never opened.
 *
 * The merge itself is another one in 1.28 and in 1.29 to 1.31: enum kr_merge.
 */

#include "kubelet/config.h"
#include "kubelet/merge.h"

struct kr_merged {
	/* one a file, in the order of the files; two merges may share them */
	struct kr_config **configs;
	size_t n_configs;
	bool no_base; /* there is no file of --config among them */
	enum kr_merge merge;
	unsigned kubelet_minor;
	bool any_types; /* as in struct kr_config_options */
	/* INVALID: kubelet does not take the files; UNKNOWN: it is not known;
	 * else ABSENT */
	enum kr_state fault;
	int fault_file;                        /* whose file; -1 */
	const struct kr_config_use *fault_use; /* NULL: not by a field's use */
	bool merged;             /* RESULT is what counts, not the only file */
	struct kr_config result; /* the merge as if it were one file */
};

/*
 * Merges FILES, N of them: [0] is that of --config unless NO_BASE, the others
 * are the drop-ins in the order in which kubelet 1.KUBELET_MINOR (0: not known,
 * the newest) walks them. 0 or -ENOMEM.
 */
int kr_merge_parse(const struct kr_file *const *files, size_t n, bool no_base,
                   unsigned kubelet_minor, struct kr_diag *diag,
                   struct kr_merged *ret);

/* The same where the version is not known, as 1.KUBELET_MINOR merges them: what
 * a type is right for, RET's refusals say, of all versions. What LIKE has of a
 * file is shared where it is the same; NULL: nothing is. */
int kr_merge_parse_as(const struct kr_file *const *files, size_t n,
                      bool no_base, unsigned kubelet_minor,
                      const struct kr_merged *like, struct kr_merged *ret);

/* What kubelet has for a field after the merge and before the flags. */
struct kr_merged_value {
	/* TRUE, FALSE, VALUE; ABSENT: a default; INVALID or UNKNOWN, as the
	 * whole is */
	enum kr_state state;
	/* borrowed; NULL: none. Of ABSENT: a default that was printed */
	const struct kr_value *value;
	/* whose file, and the use in it, decide; -1, NULL: a default. Of
	 * INVALID: what is to blame, the use if it is the field's */
	int file;
	const struct kr_config_use *use;
};
void kr_merged_find(const struct kr_merged *merged, int field,
                    struct kr_merged_value *ret);

/* The value, where it is one of a file; NULL. */
const struct kr_value *kr_merged_value(const struct kr_merged *merged,
                                       int field);

void kr_merged_done(struct kr_merged *merged);
#define _cleanup_merged_ _cleanup_(kr_merged_done)

/* Whether kubelet reads a file of this name in --config-dir: the extension is
 * exactly ".conf" (filepath.Ext: "x.conf", ".conf", ".10-a.conf"). */
bool kr_dropin_name(const char *name);
