/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * kubelet's command line as kubelet reads it: pflag's rules and the arity of
 * every flag. No files: an argument is known by its index.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/macro.h"
#include "kubelet/setting.h"

/* What was found at one place: a value, or why kubelet refuses it. */
enum kr_state {
	KR_STATE_ABSENT,
	KR_STATE_TRUE,
	KR_STATE_FALSE,
	KR_STATE_NULL,    /* config files: there, but says nothing */
	KR_STATE_INVALID, /* kubelet would not start with it */
	KR_STATE_UNKNOWN, /* could not be told */
	_KR_STATE_MAX,
};

/* "absent", "true", "false", "null", "invalid", "unknown". */
const char *kr_state_to_string(enum kr_state state);

/*
 * A remark on one argument; TEXT without a place, lower case, no full stop.
 * Fatal codes: flag-value, flag-two-words, flag-colon, flag-misspelt,
 * flag-positional, flag-argument, flag-name, flag-syntax, flag-shorthand,
 * flag-exits. Warnings: flag-unknown, flag-swallows. Of one code the first
 * KR_DIAG_KEPT are kept; the last of them has the number of the others.
 */
struct kr_flags_remark {
	size_t arg;
	bool fatal;       /* kubelet refuses to start; else a warning */
	const char *code; /* static: "flag-value", "flag-unknown", ... */
	char *text;
	size_t n_more;
};

/* One occurrence of the setting's flag. */
struct kr_flag_use {
	size_t arg;    /* its index in argv */
	size_t n_args; /* 1; more for "--flag false", "--flag = false": all cut
	                */
	size_t value;  /* offset of the value in the argument, 0: bare */
	enum kr_state state; /* TRUE, FALSE or INVALID */
};

struct kr_flags {
	/* TRUE or FALSE where the flag decides, ABSENT, INVALID where kubelet
	 * refuses this command line (for whatever flag), UNKNOWN */
	enum kr_state state;
	struct kr_flag_use *uses; /* in order; the last one wins */
	size_t n_uses;
	/* the values that win; arg indexes of where the value stands, and its
	 * offset there; NULL: not given, "" given as empty */
	struct kr_flag_value {
		const char *text; /* borrowed from argv */
		size_t arg, offset;
	} config, config_dir, dynamic_config_dir, hostname_override,
		healthz_port, healthz_bind_address, masquerade_bit, drop_bit,
		cert_dir, kubeconfig, bootstrap_kubeconfig;
	bool *given;     /* of each flag of the table; NULL: none is */
	bool never_runs; /* --help or --version: prints and exits; INVALID too
	                  */
	struct kr_flags_remark *remarks;
	size_t n_remarks;
};

/*
 * Reads ARGV (ARGC of them, [0] is the program) for SETTING. 0 or -ENOMEM: what
 * kubelet would refuse is a result, not an error. The texts point into ARGV.
 *
 * Rules: spf13/pflag 1.0.5, component-base/cli/flag (underscores), the flags
 * of kubelet 1.20.2, measured, and of later ones (kubelet/flag-table.h).
 */
int kr_flags_parse(const struct kr_setting *setting, const char *const *argv,
                   size_t argc, struct kr_flags *ret);
/* Whether argument ARG is one of a use of the setting's flag. */
bool kr_flags_is_use(const struct kr_flags *flags, size_t arg);

/* Whether the flag NAME stands there. */
bool kr_flags_given(const struct kr_flags *flags, const char *name);

void kr_flags_done(struct kr_flags *flags);
#define _cleanup_flags_ _cleanup_(kr_flags_done)
