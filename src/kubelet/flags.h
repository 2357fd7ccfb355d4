/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * kubelet's command line as kubelet reads it: pflag's rules and the arity of
 * every flag. No files: an argument is known by its index.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/macro.h"
#include "kubelet/field.h"

/*
 * A remark on one argument; TEXT without a place, lower case, no full stop.
 * Fatal codes: flag-value, flag-two-words, flag-colon, flag-misspelt,
 * flag-positional, flag-argument, flag-name, flag-syntax, flag-shorthand,
 * flag-exits. Warnings: flag-unknown, flag-swallows. By the version, either:
 * flag-unknown, flag-version. Of one code the first
 * KR_DIAG_KEPT are kept; the last of them has the number of the others.
 */
struct kr_flags_remark {
	size_t arg;
	enum kr_severity severity; /* KR_ERROR: kubelet refuses to start */
	const char *code; /* static: "flag-value", "flag-unknown", ... */
	char *text;
	size_t n_more;
};

/* One occurrence of a field's flag. There may be very many. */
struct kr_flag_use {
	const char *text;   /* the value, borrowed from argv; NULL: INVALID */
	uint32_t arg;       /* its index in argv */
	uint32_t value_arg; /* the argument that holds the value */
	uint32_t value;     /* and its offset there, 0: bare */
	int16_t field;      /* enum kr_field_id; of gates the first */
	/* 1; more for "--flag false", "--flag = false": all cut */
	uint8_t n_args;
	/* TRUE, FALSE, VALUE of another type, or INVALID */
	enum kr_state state : 8;
};

struct kr_flags {
	struct kr_flag_use *uses; /* in order */
	size_t n_uses;
	/* of each flag of the table: 1 more than the argument of the last one;
	 * 0: it is not given; NULL: no flag is given */
	size_t *given;
	/* of each field: an unknown flag may have taken its word; NULL: none */
	bool *ambiguous;
	bool refused;    /* kubelet refuses this command line */
	bool unknown;    /* not all of it is known: no flag decides */
	bool never_runs; /* --help or --version: prints and exits; refused, too
	                  */
	struct kr_flags_remark *remarks;
	size_t n_remarks;
};

/*
 * Reads ARGV (ARGC of them, [0] is the program). 0 or -ENOMEM: what kubelet
 * would refuse is a result, not an error. The texts point into ARGV.
 *
 * Rules: spf13/pflag 1.0.5, component-base/cli/flag (underscores), the flags
 * of kubelet 1.20.2, measured, and of later ones (kubelet/flag-table.h).
 */
int kr_flags_parse(const char *const *argv, size_t argc, struct kr_flags *ret);

/*
 * Refuses what kubelet 1.MINOR has not: a flag of other versions, and, unless
 * MINOR is newer than all that are known, a flag of no version. 0 is a version
 * that is not known: nothing is refused. 0 or -ENOMEM.
 */
int kr_flags_refuse(struct kr_flags *flags, unsigned minor);

/* A flag is given that no known version has. */
bool kr_flags_have_unknown(const struct kr_flags *flags);

/* TRUE, FALSE or VALUE where FIELD's flag decides, ABSENT, INVALID where
 * kubelet refuses this command line (for whatever flag), UNKNOWN. */
enum kr_state kr_flags_state(const struct kr_flags *flags, int field);

/* The first use of FIELD's flag from *AT on, behind which *AT is then; NULL. */
const struct kr_flag_use *kr_flags_next(const struct kr_flags *flags, int field,
                                        size_t *at);

/* The last one that kubelet takes, or NULL. */
const struct kr_flag_use *kr_flags_last(const struct kr_flags *flags,
                                        int field);

/* The text of that; NULL: the flag is not given. */
const char *kr_flags_text(const struct kr_flags *flags, int field);

/* The value of USE, of FIELD; of a gate's flag the whole text. 0; -ENOENT: it
 * is invalid; -ENOMEM. */
int kr_flag_use_value(const struct kr_flag_use *use, int field,
                      struct kr_value *ret);

size_t kr_flags_count(const struct kr_flags *flags, int field);

/* Whether one of FIELD's flag is what kubelet refuses. */
bool kr_flags_invalid(const struct kr_flags *flags, int field);

/* Whether argument ARG is one of a use of FIELD's flag. */
bool kr_flags_is_use(const struct kr_flags *flags, int field, size_t arg);

/* Whether the flag NAME stands there. */
bool kr_flags_given(const struct kr_flags *flags, const char *name);

/* A remark on the argument ARG. 0 or -ENOMEM. */
int kr_flags_add_remark(struct kr_flags *flags, size_t arg,
                        enum kr_severity severity, const char *code,
                        const char *format, ...) _printf_(5, 6);

void kr_flags_done(struct kr_flags *flags);
#define _cleanup_flags_ _cleanup_(kr_flags_done)
