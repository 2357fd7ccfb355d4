/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Base64 as RFC 4648 has it, and as Go's encoding/base64 reads it.
 */

#include <stddef.h>
#include <sys/types.h>

/*
 * Decodes LENGTH characters of S, with their padding; line ends are passed
 * over. RET has room for three quarters of LENGTH, rounded up to whole groups
 * of three bytes; it may be S itself. The number of bytes, or KR_MALFORMED.
 */
ssize_t kr_base64_decode(const char *s, size_t length, char *ret);
