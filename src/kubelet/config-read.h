/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A configuration file read aloud, whatever language it is in.
 */

#include "doc/event.h"
#include "kubelet/config.h"

/* The language of FILE. kubelet 1.KUBELET_MINOR reads it; 0: the version is not
 * known. */
enum kr_config_format kr_config_guess(const struct kr_file *file,
                                      unsigned kubelet_minor);

/*
 * Tells LISTENER the FILE. LAYOUT is set for YAML only. 0; >0: the same, and a
 * name of YAML is there twice, RET_TWICE; KR_MALFORMED: not readable, an error
 * is in DIAG; -ENOMEM; what LISTENER gave.
 */
int kr_config_read(const struct kr_file *file, enum kr_config_format format,
                   const struct kr_listener *listener, struct kr_diag *diag,
                   struct kr_layout *layout, struct kr_span *ret_twice);
