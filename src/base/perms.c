/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A change of mode and owner remembers both ends. Each of the two is judged for
 * itself when it is reverted: who changed the mode since did not say anything
 * about the owner. Owner and group are one, as chown(2) changes both at once.
 *
 * Owners are numbers here. A name is what a machine's own user database says,
 * and in an image that is another one than ours.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/perms.h"

struct kr_perms kr_file_perms(const struct kr_file *file)
{
	return (struct kr_perms){
		.mode = file->st.st_mode & KR_PERMS_MASK,
		.uid = file->st.st_uid,
		.gid = file->st.st_gid,
	};
}

struct kr_perms kr_perms_of(const struct stat *st)
{
	return (struct kr_perms){
		.mode = st->st_mode & KR_PERMS_MASK,
		.uid = st->st_uid,
		.gid = st->st_gid,
	};
}

bool kr_perms_same_owner(const struct kr_perms *a, const struct kr_perms *b)
{
	return a->uid == b->uid && a->gid == b->gid;
}

bool kr_perms_equal(const struct kr_perms *a, const struct kr_perms *b)
{
	return a->mode == b->mode && kr_perms_same_owner(a, b);
}

bool kr_perms_changes_mode(const struct kr_perms_change *change)
{
	return change->from.mode != change->to.mode;
}

bool kr_perms_changes_owner(const struct kr_perms_change *change)
{
	return !kr_perms_same_owner(&change->from, &change->to);
}

bool kr_perms_changes(const struct kr_perms_change *change)
{
	return !kr_perms_equal(&change->from, &change->to);
}

enum kr_perms_found kr_perms_take_back(const struct kr_perms_change *change,
                                       const struct kr_perms *now,
                                       struct kr_perms *ret)
{
	const struct kr_perms *from = &change->from, *to = &change->to;
	bool others = false;

	*ret = *now;
	if (kr_perms_changes_mode(change)) {
		if (now->mode == to->mode)
			ret->mode = from->mode;
		others |= ret->mode != from->mode;
	}
	if (kr_perms_changes_owner(change)) {
		if (kr_perms_same_owner(now, to)) {
			ret->uid = from->uid;
			ret->gid = from->gid;
		}
		others |= !kr_perms_same_owner(ret, from);
	}
	if (others)
		return KR_PERMS_OTHERS;
	return kr_perms_equal(ret, now) ? KR_PERMS_BEFORE : KR_PERMS_OURS;
}

/* --- in words ------------------------------------------------------------ */

void kr_mode_format(mode_t mode, char ret[static KR_MODE_SIZE])
{
	snprintf(ret, KR_MODE_SIZE, "%04o", (unsigned)(mode & KR_PERMS_MASK));
}

int kr_mode_parse(const char *s, mode_t *ret)
{
	char again[KR_MODE_SIZE];
	unsigned mode;

	if (strlen(s) != 4 || sscanf(s, "%4o", &mode) != 1)
		return -EINVAL;
	kr_mode_format((mode_t)mode, again);
	if (strcmp(again, s) != 0)
		return -EINVAL;
	*ret = (mode_t)mode;
	return 0;
}

void kr_owner_format(const struct kr_perms *perms,
                     char ret[static KR_OWNER_SIZE])
{
	snprintf(ret, KR_OWNER_SIZE, "%u:%u", (unsigned)perms->uid,
	         (unsigned)perms->gid);
}

int kr_owner_parse(const char *s, struct kr_perms *ret)
{
	char again[KR_OWNER_SIZE];
	struct kr_perms perms = *ret;

	if (strlen(s) >= KR_OWNER_SIZE ||
	    sscanf(s, "%10u:%10u", &perms.uid, &perms.gid) != 2)
		return -EINVAL;
	/* signs, blanks, leading zeros, and what does not fit */
	kr_owner_format(&perms, again);
	if (strcmp(again, s) != 0)
		return -EINVAL;
	*ret = perms;
	return 0;
}

static void describe(unsigned id, char ret[static 12])
{
	if (id == 0)
		strcpy(ret, "root");
	else
		snprintf(ret, 12, "%u", id);
}

void kr_owner_describe(const struct kr_perms *perms,
                       char ret[static KR_OWNER_SIZE])
{
	char user[12], group[12];

	describe(perms->uid, user);
	describe(perms->gid, group);
	snprintf(ret, KR_OWNER_SIZE, "%s:%s", user, group);
}
