/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What kubelet's configz says of a setting. */

#include <stddef.h>

#include "kubelet/flags.h"

/*
 * .kubeletconfig.KEY, a boolean, of the answer BODY, SIZE bytes, which may be
 * NULL: KR_STATE_TRUE or KR_STATE_FALSE where it is spelt like this and not
 * twice; whatever else is there does not matter. Else KR_STATE_UNKNOWN, and
 * REASON, REASON_SIZE bytes, says what must be: one sentence, lower
 * case, no full stop.
 */
enum kr_state kr_configz_decode(const char *body, size_t size, const char *key,
                                char *reason, size_t reason_size);
