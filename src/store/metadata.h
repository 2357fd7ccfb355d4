/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Owner, mode and extended attributes (ACLs and labels are such). */

#include "base/span.h"

/*
 * Gives one open file the owner, mode and xattrs of another, and takes away
 * those that this one lacks. Not security.ima and security.evm, which are the
 * kernel's; nor is another security.* taken away. 0 or an errno.
 */
int kr_metadata_copy(int from_fd, int to_fd);

/* The SHA-256 of names and values of the xattrs of an open file, in the order
 * of their names, but for the kernel's. 0 or an errno. */
int kr_metadata_hash(int fd, char ret[static KR_SHA256_HEX_SIZE]);
