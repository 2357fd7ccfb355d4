/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * All that one kubelet was given: its argv, the file of --config, the files of
 * --config-dir; and what it has for each field then.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/vec.h"
#include "kubelet/dropins.h"
#include "kubelet/field.h"
#include "kubelet/flags.h"

enum kr_decider {
	KR_BY_NOTHING, /* the state is INVALID or UNKNOWN */
	KR_BY_DEFAULT,
	KR_BY_CONFIG,
	KR_BY_DROPIN,
	KR_BY_FLAG,
};

struct kr_inputs {
	/* NULL-terminated; in one allocation, with the strings unless they are
	 * another's */
	char **argv;
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
	 * 1.29 to 1.31 make of them, and 1.28; MERGED is what 1.32 and later
	 * make */
	struct kr_merged older, oldest;
	bool older_valid;
	unsigned kubelet_minor;  /* as in the options, */
	bool openshift, wrapped; /* these too */
	/* static: why kubelet refuses --config-dir, in this version or, where
	 * that is not known, in 1.28 and 1.29; NULL: it does not */
	const char *config_dir_refusal;
	bool argv_refused; /* INVALID or UNKNOWN by the arguments alone */
	/* UNKNOWN because of this argument, which is not known; 0: it is not */
	size_t unknown_arg;
	/* of each field why the value of its flag is not known; borrowed, NULL:
	 * it is known */
	const char *doubts[KR_N_FIELDS];

	/* whatever a field says, kubelet would not start (INVALID), or it
	 * is unknown (UNKNOWN); else ABSENT */
	enum kr_state fault;
	char *fault_reason; /* one sentence; NULL where ABSENT */
	/* INVALID by what the file is like that this field names */
	bool fault_by_file;
	int fault_field;
	/* the version is not known, and the fault depends on it */
	bool fault_by_version;
	/* the version is not known, and some would refuse what others take */
	bool version_matters;
	/* what kubelet says of the merge, where that is INVALID; NULL */
	char *merge_error;
	/* why the files that were read are not those that kubelet reads: only
	 * flags tell anything; NULL: they are */
	char *files_doubt;
};

/* The first reason stands. 0 or -ENOMEM. */
int kr_inputs_fault(struct kr_inputs *in, enum kr_state state,
                    const char *format, ...) _printf_(3, 4);

struct kr_decision {
	enum kr_state state;   /* TRUE, FALSE, VALUE; ABSENT: a default that is
	                          not known here; INVALID, UNKNOWN */
	struct kr_value value; /* of TRUE, FALSE and VALUE */
	enum kr_decider by;
	/* what decides: a use in a file, or of the flag; NULL: neither */
	const struct kr_config_use *use;
	const struct kr_flag_use *flag;
	char *reason; /* of any state, one sentence */
	/* INVALID or UNKNOWN because of this field's flag or key, so that a fix
	 * may help */
	bool by_setting;
	/* UNKNOWN because kubelet's versions make different things of the
	 * drop-ins, of this field alone: a fix may help */
	bool by_version;
	/* UNKNOWN, and kubelet's version would tell */
	bool needs_version;
	/* ... which default it is: kr_field()'s BEFORE or BY_DEFAULT */
	bool either_default;
};

/*
 * What kubelet has for FIELD. 0 or -ENOMEM. RET borrows from IN.
 *
 * Order: defaults, --config, --config-dir, flags (cmd/kubelet/app/server.go).
 * A config file that kubelet cannot read stops it, whatever the flags say; one
 * that only we may not read is UNKNOWN; so are drop-ins of which kubelet's
 * versions make different things (kubelet/dropins.h) where the version is not
 * known. 1.28 does not count in that: it is long out of support, and a note is
 * all that is made of it.
 */
int kr_decide(const struct kr_inputs *in, int field, struct kr_decision *ret);

/* What stands for FIELD in inputs that kubelet refuses for something else: a
 * flag, or a key of files that it can read. 1: it is in RET; 0: nothing does;
 * -ENOMEM. */
int kr_decide_refused(const struct kr_inputs *in, int field,
                      struct kr_decision *ret);

void kr_decision_done(struct kr_decision *decision);
#define _cleanup_decision_ _cleanup_(kr_decision_done)

/*
 * What the flags of FIELD say, whatever kubelet makes of the files. 1: it is in
 * RET, and RET_USE is the last flag; 0: there is none; -ENOMEM.
 */
int kr_inputs_flag(const struct kr_inputs *in, int field, struct kr_value *ret,
                   const struct kr_flag_use **ret_use);

/* The same of any feature gate NAME. */
bool kr_inputs_flag_gate(const struct kr_inputs *in, const char *name,
                         bool *ret, const struct kr_flag_use **ret_use);

/* What holds whatever a field says: INVALID, kubelet would not start; UNKNOWN,
 * that is unknown; ABSENT: neither. */
enum kr_state kr_inputs_state(const struct kr_inputs *in);

/* The index of the file at REAL, links resolved, among those that kubelet
 * reads; -1. */
int kr_inputs_find_file(const struct kr_inputs *in, const char *real);

/* Whether kubelet's version, which is not known, would tell what its files say
 * of a setting. 1, 0 or -ENOMEM. */
int kr_inputs_need_version(const struct kr_inputs *in);

/* 1: kubelet's version is not known, and 1.28 would start with another value;
 * 0; -ENOMEM. */
int kr_inputs_differ_1_28(const struct kr_inputs *in, int field);

void kr_inputs_done(struct kr_inputs *inputs);
#define _cleanup_inputs_ _cleanup_(kr_inputs_done)
