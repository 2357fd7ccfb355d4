/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Owner and mode of a file, and a change of them as data.
 */

#include <stdbool.h>
#include <sys/stat.h>

#include "base/span.h"

#define KR_PERMS_MASK  ((mode_t)07777)
#define KR_SET_ID_BITS ((mode_t)(S_ISUID | S_ISGID))

#define KR_MODE_SIZE  8  /* "0644" */
#define KR_OWNER_SIZE 24 /* "4294967295:4294967295" */

struct kr_perms {
	mode_t mode; /* KR_PERMS_MASK of it */
	uid_t uid;
	gid_t gid;
};

/* What does not change is the same in both. All zero: nothing changes. */
struct kr_perms_change {
	struct kr_perms from, to;
};

struct kr_perms kr_perms_of(const struct stat *st);
struct kr_perms kr_file_perms(const struct kr_file *file);
bool kr_perms_equal(const struct kr_perms *a, const struct kr_perms *b);
bool kr_perms_same_owner(const struct kr_perms *a, const struct kr_perms *b);

/* Whether CHANGE is one of the mode, of the owner or group, of either. */
bool kr_perms_changes_mode(const struct kr_perms_change *change);
bool kr_perms_changes_owner(const struct kr_perms_change *change);
bool kr_perms_changes(const struct kr_perms_change *change);

enum kr_perms_found {
	KR_PERMS_BEFORE, /* nothing of the change is there */
	KR_PERMS_OURS,   /* the change is, or a part of it */
	KR_PERMS_OTHERS, /* what it changed was changed by others since: a mode
	                    or owner that is neither the old nor the new one */
};

/*
 * What reverts CHANGE on a file that has NOW. RET: what the file is to
 * have; mode and owner each for itself: the old one where it is ours or the old
 * one, else that of NOW.
 */
enum kr_perms_found kr_perms_take_back(const struct kr_perms_change *change,
                                       const struct kr_perms *now,
                                       struct kr_perms *ret);

/* "0644". */
void kr_mode_format(mode_t mode, char ret[static KR_MODE_SIZE]);

/* As kr_mode_format() writes it, and nothing else. 0; -EINVAL. */
int kr_mode_parse(const char *s, mode_t *ret);

/* "0:0"; numbers, as names are another machine's matter. */
void kr_owner_format(const struct kr_perms *perms,
                     char ret[static KR_OWNER_SIZE]);

/* As kr_owner_format() writes it, and nothing else; the mode stays as it is. 0;
 * -EINVAL. */
int kr_owner_parse(const char *s, struct kr_perms *ret);

/* The same for people: "root" stands for 0, the one name that all have. */
void kr_owner_describe(const struct kr_perms *perms,
                       char ret[static KR_OWNER_SIZE]);
