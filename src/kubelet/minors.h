/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sets of kubelet's versions: bit 20 is 1.20.
 */

#include <stdint.h>

/* The versions whose rules are known, 20 for 1.20. A later one counts as the
 * last, an earlier one as the first. */
#define KR_FIRST_MINOR 20U
#define KR_LAST_MINOR  36U

static inline uint64_t kr_minors_bit(unsigned minor)
{
	return UINT64_C(1) << minor;
}

/* 1.FIRST to 1.LAST, which are known ones. */
static inline uint64_t kr_minors_range(unsigned first, unsigned last)
{
	return (UINT64_MAX >> (63 - last)) & (UINT64_MAX << first);
}

/* 1.MINOR alone, or all where that is 0: not known. */
static inline uint64_t kr_minors_of(unsigned minor)
{
	if (minor == 0)
		return kr_minors_range(KR_FIRST_MINOR, KR_LAST_MINOR);
	if (minor < KR_FIRST_MINOR)
		minor = KR_FIRST_MINOR;
	if (minor > KR_LAST_MINOR)
		minor = KR_LAST_MINOR;
	return kr_minors_range(minor, minor);
}
