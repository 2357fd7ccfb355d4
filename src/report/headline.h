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

/* The view that J's verdict is from: the first that is as bad. */
const struct kr_view *kr_headline_view(const struct kr_judgement *j);

/* The worst first, those with no verdict last; the order of the audit decides
 * between equals. RET has room for the audit's n_items. */
void kr_headline_sort(const struct kr_audit *audit,
                      const struct kr_judgement **ret);
