/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Every flag that kubelet has or had (1.4 to 1.37), and what it takes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kr_flag_type {
	KR_FLAG_STRING,  /* anything, or what is only known to kubelet */
	KR_FLAG_BOOL,    /* the one kind that takes no word of its own, */
	KR_FLAG_VERSION, /* but for this: a bool, or "raw" */
	KR_FLAG_INT32,
	KR_FLAG_INT64,
	KR_FLAG_UINT64,
	KR_FLAG_LEVEL, /* klog's verbosity, decimal only */
	KR_FLAG_FLOAT,
	KR_FLAG_DURATION,
	KR_FLAG_IP,
	KR_FLAG_CSV,       /* a,"b,c" */
	KR_FLAG_EQUAL_MAP, /* a=b,c=d */
	KR_FLAG_LESS_MAP,  /* a<b,c<d */
	KR_FLAG_COLON_MAP, /* a:b,c:d */
	KR_FLAG_BOOL_MAP,  /* a=true,b=false */
	KR_FLAG_VMODULE,   /* file=2,other=3 */
	_KR_FLAG_TYPE_MAX,
};

/*
 * A name stands in its row: a pointer in a large table would be relocated at
 * each start of the program, and its page copied.
 */
struct kr_flag {
	char name[52]; /* without dashes in front, "-" for every "_" */
	enum kr_flag_type type;
	bool ranged; /* kubelet refuses a last value out of MIN to MAX */
	int64_t min, max;
	/* The minors that have it, both included; 0: no bound that is known.
	 * LAST is 19 where 1.20 had it no more. */
	unsigned char first, last;
};

/* The flag NAME (LENGTH bytes, "_" and "-" alike), or NULL. */
const struct kr_flag *kr_flag_find(const char *name, size_t length);

/* The N flags in order of their names. */
extern const struct kr_flag kr_flag_table[];
extern const size_t kr_n_flags;

/* Whether kubelet 1.MINOR may have FLAG; a flag that it has not stops it.
 * 0 is a version not known: yes. */
bool kr_flag_in(const struct kr_flag *flag, unsigned minor);

/* Whether FLAG without "=" leaves the next word alone. */
bool kr_flag_is_bare(const struct kr_flag *flag);

/* Whether pflag takes VALUE; a value that only some kubelets take is valid. */
bool kr_flag_value_valid(const struct kr_flag *flag, const char *value);

/* Whether kubelet runs on with a valid VALUE as FLAG's last one. */
bool kr_flag_value_in_range(const struct kr_flag *flag, const char *value);

/* What it takes, for a message: "an integer of 32 bits". */
const char *kr_flag_wants(const struct kr_flag *flag);
