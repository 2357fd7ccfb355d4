/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A field as the documents of doc/ have it: what the edit of a configuration
 * file and its proof have in common.
 */

#include "doc/edit.h"
#include "kubelet/config.h"

/* Where FIELD, which is not a flag alone, stands in a file that was read as
 * CONFIG. 0 or -ENOMEM. */
int kr_config_path(const struct kr_config *config, int field,
                   struct kr_doc_path *ret);

/* VALUE, no map, as it is to be written; RET refers to it and to TEXT, which
 * the caller frees. 0 or -ENOMEM. */
int kr_config_doc_value(const struct kr_value *value, char **text,
                        struct kr_doc_value *ret);

/* Whether USE says VALUE, or what it says is undone without its being written
 * here. */
bool kr_config_use_is(const struct kr_config_use *use,
                      const struct kr_value *value);
