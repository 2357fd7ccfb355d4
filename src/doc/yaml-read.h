/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * YAML as kubelet reads it: made JSON first, by yaml.v2 and sigs.k8s.io/yaml.
 */

#include "base/diag.h"
#include "doc/event.h"
#include "doc/yaml-parse.h"
#include "doc/yaml-scalar.h"

/*
 * Reads the first document of FILE aloud, as JSON has it: aliases and merge
 * keys resolved, names as strings. Of members with one name the last one
 * counts; at the top the earlier ones are reported too, as overridden. LAYOUT
 * is where a member can be added. 0; >0: the same, and RET_TWICE is the first
 * name that came again; KR_MALFORMED with an error in DIAG; -ENOMEM; what
 * LISTENER gave.
 */
int kr_yaml_read(const struct kr_file *file, const struct kr_listener *listener,
                 struct kr_diag *diag, struct kr_layout *layout,
                 struct kr_span *ret_twice);
