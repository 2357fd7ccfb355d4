/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Two YAML files, event by event: the second witness of an edit.
 */

#include "base/span.h"
#include "doc/written.h"

/*
 * Whether libyaml reads the same events in the first documents of BEFORE and
 * AFTER, apart from the members at the first CUT (at least one) names of PATH,
 * and finds such a member in AFTER, each of them with VALUE at the rest of PATH
 * (NULL: finds none). 0; KR_MALFORMED: not, RET is the byte of AFTER, roughly;
 * -ENOMEM.
 */
int kr_yaml_compare(const struct kr_doc_path *path, size_t cut,
                    const struct kr_file *before, const struct kr_file *after,
                    const struct kr_doc_value *value, size_t *ret);
