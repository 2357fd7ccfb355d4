/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The syntax of environment files (EnvironmentFile=, /etc/os-release), which is
 * neither that of unit files nor a shell's.
 */

#include <stdbool.h>

#include "base/diag.h"
#include "base/span.h"
#include "base/text.h"
#include "unit/resolve.h"

/* What one value may take in memory. POSIX leaves 2 MiB for all of them. */
#define KR_ENVFILE_VALUE_MAX ((size_t)18 * 1024 * 1024)

struct kr_envfile_entry {
	const char *key;           /* blanks behind it cut off */
	struct kr_text value;      /* may be moved away */
	struct kr_span span;       /* from the key to the value's last byte */
	struct kr_span value_span; /* between the quotes */
	enum kr_value_form form;
	char quote; /* KR_VALUE_QUOTED: which, else 0 */
	/* the last comment before it that ends in a backslash; else no file */
	struct kr_span comment;
};

typedef int kr_envfile_push_fn(void *userdata, struct kr_envfile_entry *entry);

/*
 * Reads FILE and hands on its assignments in order, keys not checked. With
 * LONG_COMMENTS a backslash at the end of a comment continues it, as before
 * systemd 254; *RET_COMMENT, where it is not NULL, is the first such comment,
 * or no file. 0; KR_MALFORMED: a NUL; -EINVAL: an assignment that is not UTF-8
 * (systemd then takes nothing of the file); -EFBIG: a value needs more than
 * KR_ENVFILE_VALUE_MAX; what PUSH gave; -ENOMEM.
 *
 * Source: parse_env_file_internal(), src/basic/env-file.c of systemd 252.
 */
int kr_envfile_parse(const struct kr_file *file, bool long_comments,
                     kr_envfile_push_fn *push, void *userdata,
                     struct kr_diag *diag, struct kr_span *ret_comment);
