/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which systemd a root file system has. */

#include "base/fs.h"

/*
 * The version in the name of systemd's own library, libsystemd-shared-252.so or
 * libsystemd-shared-255.4-1.fc40.so, which is installed with it. 0: it is not
 * found, or there are two. Lists some folders, each time: to be asked only
 * where an answer depends on it.
 */
unsigned kr_systemd_version_in(struct kr_fs *fs);
