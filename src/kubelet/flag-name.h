/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Names that are no flags: which of them no kubelet can have, and which are
 * meant to be ours.
 */

#include <stdbool.h>
#include <stddef.h>

enum kr_flag_likeness {
	KR_FLAG_OTHER,      /* some kubelet may have it */
	KR_FLAG_IMPOSSIBLE, /* none can: a byte that no flag's name has */
	KR_FLAG_MISSPELT,   /* FLAG is meant, and this is not its name */
	KR_FLAG_COLON,      /* the same, with ":" for "=" */
};

/*
 * What NAME (LENGTH bytes, what stands between "--" and "=", not in the table)
 * is to FLAG.
 */
enum kr_flag_likeness kr_flag_compare(const char *flag, const char *name,
                                      size_t length);

/*
 * Whether WORD, which pflag takes for no long flag at all, is meant to be FLAG:
 * one dash, three, a typographic one, a slash or a quote in front.
 */
bool kr_flag_meant(const char *flag, const char *word);
