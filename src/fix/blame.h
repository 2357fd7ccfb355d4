/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which control a kubelet that did not come up means with its last words. */

#include "host/activation.h"
#include "policy/rules.h"

/*
 * The one of RULES that the lines of LOG name by which kubelet ended; NULL:
 * they name none of them, or more than one.
 */
const struct kr_rule *kr_blame_find(const struct kr_log *log,
                                    const struct kr_rule *const *rules,
                                    size_t n_rules);
