/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The lines of a unit file: sections, keys and values.
 */

#include "base/diag.h"
#include "base/span.h"
#include "base/text.h"

/* One assignment, which LINE holds. SECTION and KEY are valid during the call;
 * VALUE, without the blanks around it, may be moved away (*VALUE becomes
 * empty). 0, or an errno that ends the file. */
typedef int kr_syntax_assign_fn(void *userdata, const char *section,
                                const char *key, struct kr_text *value,
                                struct kr_span line);

/*
 * Reads FILE as systemd reads a unit file that knows SECTIONS
 * (NULL-terminated), and hands on every assignment in them. 0; KR_MALFORMED (a
 * bad section header), -EINVAL (not UTF-8), -ENOBUFS (a line of 1
 * MiB): systemd reads no further; what ASSIGN gave; -ENOMEM. What is ignored is
 * a warning.
 *
 * Source: config_parse() in src/shared/conf-parser.c of systemd 252.
 */
int kr_syntax_parse(const struct kr_file *file, const char *const *sections,
                    kr_syntax_assign_fn *assign, void *userdata,
                    struct kr_diag *diag);
