/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* An audit in one sentence. */

#include "policy/editions.h"
#include "policy/judge.h"

/*
 * The first line's words behind the verdict. Of one control: its number in
 * EDITION, which may be NULL, and its reason. Of several: how many fail, or
 * have no verdict, or pass, of how many; what is waived or not applicable is
 * counted apart. The caller frees it; NULL: no memory.
 */
char *kr_headline(const struct kr_audit *audit,
                  const struct kr_edition *edition);

/* "CIS Amazon EKS 1.8"; the caller frees it; NULL: no memory. */
char *kr_headline_edition(const struct kr_edition *edition);

/* Why several controls of AUDIT have no verdict, where it is one and the same:
 * the headline says it. NULL: there is no such reason. */
const char *kr_headline_shared(const struct kr_audit *audit);

/* Whether J has no verdict for the reason SHARED, which may be NULL. */
bool kr_headline_shares(const struct kr_judgement *j, const char *shared);

/* The view that J's verdict is from: the first that is as bad. */
const struct kr_view *kr_headline_view(const struct kr_judgement *j);

/* The worst first, those with no verdict last; the order of the audit decides
 * between equals. RET has room for the audit's n_items. */
void kr_headline_sort(const struct kr_audit *audit,
                      const struct kr_judgement **ret);
