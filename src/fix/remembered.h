/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What was tried on this node before, and put back or reverted. */

#include "fix/holds.h"

/*
 * Bars the rules of HOLDS' consents that were to blame when a change was put
 * back, unless that is to be tried again. 0 or -ENOMEM.
 */
int kr_remembered_bar(struct kr_applying *a, struct kr_holds *holds);

/* "a fix with it, made at TIME, was put back (REASON): ...", of M. 0 or
 * -ENOMEM. */
int kr_remembered_describe(const struct kr_manifest *m, char **ret);

/* Refuses a plan that was put back before, or that contains such a plan. GO_ON;
 * ENDED; -ENOMEM. */
int kr_remembered_check(struct kr_applying *a);
