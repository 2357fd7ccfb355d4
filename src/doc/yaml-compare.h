/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Two YAML files, event by event: the second witness of an edit.
 */

#include <stdbool.h>

#include "base/span.h"

/*
 * Whether libyaml reads the same events in the first documents of BEFORE and
 * AFTER, apart from the members KEY at the top (in any case with FOLD), and
 * finds such a member in AFTER, each of them VALUE. 0; -EBADMSG: not, RET is
 * the byte of AFTER, roughly; -ENOMEM.
 */
int kr_yaml_compare(const char *key, bool fold, const struct kr_file *before,
                    const struct kr_file *after, bool value, size_t *ret);
