/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The table of platforms: a part of node/platform. */

#include <stddef.h>

#include "node/platform.h"

#define KR_PLATFORM_SIGNS_MAX 3

/* One thing by which a platform is known. */
struct kr_platform_sign {
	enum {
		KR_SIGN_NONE,
		KR_SIGN_OS,       /* ID= of os-release is this */
		KR_SIGN_PRETTY,   /* PRETTY_NAME= of os-release starts so */
		KR_SIGN_HOST,     /* the host name starts so */
		KR_SIGN_PATH,     /* there is such a file or folder */
		KR_SIGN_UNIT,     /* kubelet's unit has this name */
		KR_SIGN_NO_UNIT,  /* there is no unit for it */
		KR_SIGN_ENV_FILE, /* its unit reads this environment file */
		KR_SIGN_VARIABLE, /* its command expands this variable */
		KR_SIGN_CONFIG,   /* it is given this config file */
	} kind;
	const char *value;
};

struct kr_platform_row {
	const struct kr_platform *platform;
	/* all of them; the first row that fits is it */
	struct kr_platform_sign signs[KR_PLATFORM_SIGNS_MAX];
};

/* What the text of a change can be made for, each by its ID; without a name. */
extern const struct kr_platform kr_platform_media[];
extern const size_t kr_platform_n_media;

/* What a platform has of its own for a field: the line that @OWN:ID@ becomes.
 */
struct kr_platform_line {
	const char *id;
	const char *path; /* NULL: all others, the last row of its ID */
	const char *line; /* with marks */
};

extern const struct kr_platform_line kr_platform_lines[];
extern const size_t kr_platform_n_lines;

extern const struct kr_platform_row kr_platform_rows[];
extern const size_t kr_platform_n_rows;
