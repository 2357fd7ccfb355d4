/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* An audit in one sentence. */

#include "policy/editions.h"
#include "policy/judge.h"

/*
 * The first line's words behind the verdict. Of one control: its number, if it
 * has one, and its reason. Of several: how many fail, or have no verdict, or
 * pass, of how many; what is waived or not applicable is counted apart. The
 * caller frees it; NULL: no memory.
 */
char *kr_headline(const struct kr_audit *audit);

/* What the first line says behind them while a run is not at its end, by the
 * messages of DIAG: what is audited may change by itself. Static;
 * "": there is no such run. */
const char *kr_headline_pending(const struct kr_diag *diag);

/* J's reason behind its number and name, which it does not say again: "3.2.6
 * makeIPTablesUtilChains: kubelet would start with false". The caller frees it;
 * NULL: no memory. */
char *kr_headline_reason(const struct kr_judgement *j);

/* "CIS Amazon EKS 1.8"; the caller frees it; NULL: no memory. */
char *kr_headline_edition(const struct kr_edition *edition);

/* The control whose reason the headline has in words: the lone one, else one
 * that kubelet would not start with (of these a control that is at fault), else
 * one of several that have no verdict for the same reason. NULL: there
 * are only counts. */
const struct kr_judgement *kr_headline_cause(const struct kr_audit *audit);

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
