/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Where a benchmark and kubelet mean different things by one value. */

#include "policy/views.h"

/* Adds to G's diag what is to be known of its judgement, which is made. 0 or
 * -ENOMEM. */
int kr_notes_add(struct kr_judging *g);
