/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/* What was found at one place: a value, or why kubelet refuses it. */
enum kr_state {
	KR_STATE_ABSENT,
	KR_STATE_TRUE,
	KR_STATE_FALSE,
	KR_STATE_VALUE,   /* of a field that is no boolean */
	KR_STATE_NULL,    /* config files: there, but says nothing */
	KR_STATE_INVALID, /* kubelet would not start with it */
	KR_STATE_UNKNOWN, /* not known */
	_KR_STATE_MAX,
};

/* "absent", "true", "false", "value", "null", "invalid", "unknown". */
const char *kr_state_to_string(enum kr_state state);

/* TRUE, FALSE or VALUE. */
static inline bool kr_state_is_value(enum kr_state state)
{
	return state == KR_STATE_TRUE || state == KR_STATE_FALSE ||
	       state == KR_STATE_VALUE;
}
