/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What kubelet's configz says of every field. */

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"
#include "kubelet/field.h"
#include "kubelet/value.h"

struct kr_configz_value {
	/* TRUE, FALSE, VALUE; UNKNOWN; ABSENT: configz never shows it */
	enum kr_state state;
	struct kr_value value; /* of TRUE, FALSE and VALUE; owned */
	const char *reason;    /* one sentence; static */
	/* it is a zero that is not shown: nothing sets the field, or sets it to
	 * that */
	bool left_out;
	/* of tlsCertFile and tlsPrivateKeyFile: by its name kubelet has made it
	 * itself, as it was given none */
	bool self_made;
};

struct kr_configz_values {
	struct kr_configz_value items[KR_N_FIELDS];
};

/* Whether configz shows FIELD, if only where it is no zero. It shows no flag
 * that the file has no field for, or that is or-ed with it. */
bool kr_configz_shows(int field);

/*
 * Reads BODY (SIZE bytes), an answer of configz; NULL: there is none. What is
 * no such answer, or leaves open what it says, is UNKNOWN. 0 or -ENOMEM; the
 * caller ends RET.
 */
int kr_configz_values_read(const char *body, size_t size,
                           struct kr_configz_values *ret);
void kr_configz_values_done(struct kr_configz_values *values);
#define _cleanup_configz_values_ _cleanup_(kr_configz_values_done)
