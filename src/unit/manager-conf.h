/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What systemd's own configuration, system.conf, says of environments and
 * limits.
 */

#include "unit/environment.h"
#include "unit/specifier.h"

/*
 * The assignments of KEY ("DefaultEnvironment", "ManagerEnvironment") in
 * system.conf and its drop-ins, in the order in which the later one of a name
 * wins, added to RET's Environment= ones. SPECIFIERS gives the files and the
 * diag. What systemd cannot read is a warning. 0; -EFBIG: the environment is
 * too large to be held, the diag names the file; the errno of a file that is
 * there and cannot be read (the diag names it); -ENOMEM.
 *
 * Source: parse_configuration() in src/core/main.c, config_parse_many() in
 * src/shared/conf-parser.c of systemd 252; systemd-system.conf(5).
 */
int kr_manager_conf_read(const struct kr_specifiers *specifiers,
                         const char *key, struct kr_environment *ret);

/*
 * The last value of KEY ("DefaultLimitSTACK") there that is not empty; NULL: it
 * has none. The caller frees RET. 0; the errno of a file that is there and
 * cannot be read; -ENOMEM.
 */
int kr_manager_conf_value(struct kr_fs *fs, const char *key, char **ret);
