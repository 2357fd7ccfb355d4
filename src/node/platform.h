/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whose node this is, as far as the node itself tells: who wrote its files and
 * will write them again, and where a change has to stand to outlast that.
 */

#include <stdbool.h>

#include "base/fs.h"
#include "kubelet/field.h"
#include "unit/resolve.h"

#define KR_PLATFORM_FILES_MAX 6

/*
 * A platform. In the texts @KEY@ stands for the field's path, @FLAG@ for its
 * flag (without dashes) and @VALUE@ for what it has to be, as Go prints it, or,
 * behind @FLAG@, as the flag takes it; @JSON@ is the same in JSON. @MEMBERS@,
 * with blanks alone before it in its line, are the fields as lines of YAML,
 * each name of a path in its own. @OWN:ID@, alone in its line, is the line that
 * the platform ID has for the field. kr_platform_text() puts them in.
 */
struct kr_platform {
	const char *id;   /* "bottlerocket", for scripts */
	const char *name; /* for people */
	/* why its files must not be edited, NULL: they may be; and the proper
	 * channel for a field */
	const char *refusal, *instead;
	/* refused, yet known by what starts kubelet, or that no unit does */
	bool by_unit;
	/* who writes kubelet's files again, and when: "at every boot"; NULL:
	 * not known */
	const char *owner, *when;
	/* which files: paths of the node, NULL-terminated; none: all */
	const char *files[KR_PLATFORM_FILES_MAX];
	bool seldom;  /* not on a node that is there already: no warning */
	bool nodeadm; /* PLACE may be one we write: node/nodeadm */
	/* where a change outlasts that; NULL: nowhere that is known */
	const char *place;
	/* what to put there, lines with their line ends; NULL: nothing */
	const char *text;
	/* and where a flag is the cause, behind TEXT; NULL */
	const char *flag_text;
	/* what ends the text, behind both; NULL */
	const char *end_text;
};

/* What is known of the node when its platform is looked for. */
struct kr_platform_signs {
	const char *unit_name;
	const struct kr_unit *unit;            /* NULL: not read */
	const struct kr_unit_command *command; /* kubelet's, or NULL */
	const char *config; /* the config file kubelet is given, or NULL */
};

/*
 * The platform of the node whose files are FS's. With SIGNS NULL only those are
 * looked for that are known by the system itself, whatever unit starts kubelet:
 * these must not be edited. RET is NULL where no platform is known. RET_ERROR
 * becomes the errno of a sign that is there but cannot be read, else it is left
 * alone: then another platform may be the right one. 0 or -ENOMEM.
 */
int kr_platform_find(struct kr_fs *fs, const struct kr_platform_signs *signs,
                     const struct kr_platform **ret, int *ret_error);

/* The system of FS as Butane calls it, "flatcar" or "fcos"; NULL: it is
 * another, or not known. */
const char *kr_platform_butane(struct kr_fs *fs);

/* The words for MEDIUM ("eksctl"), whatever platform a node has; NULL: none. */
const struct kr_platform *kr_platform_medium(const char *medium);

/* Whether PLATFORM, which may be NULL, has OpenShift's own kubelet. */
bool kr_platform_is_openshift(const struct kr_platform *platform);

/* Whether PLATFORM, which may be NULL, has an owner who writes the file at
 * PATH.
 */
bool kr_platform_writes(const struct kr_platform *platform, const char *path);

/*
 * TEXT of a platform in the words of the N FIELDS, each of which has to be its
 * own of VALUES: a line that has marks comes once for each field, so a sentence
 * is of one. The caller frees it; NULL: no memory.
 */
char *kr_platform_text(const int *fields, const struct kr_value *values,
                       size_t n, const char *text);
