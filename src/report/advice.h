/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What to do about a refusal. */

#include "base/diag.h"

/* What to do about the error M: a sentence, static. NULL: M is NULL, or its own
 * words say it. */
const char *kr_advice(const struct kr_message *m);

#define KR_ADVICE_THIS "correct this"

/* ADVICE on M, whose words do not stand before it: "correct FILE" instead of
 * KR_ADVICE_THIS. The caller frees it; NULL: no memory. */
char *kr_advice_named(const struct kr_message *m, const char *advice);
