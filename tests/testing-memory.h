/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Memory that runs out at a chosen place. The linker hands a program that is
 * linked so (meson.build: out_of_memory_tests) the allocations of all layers
 * below; cJSON gets them by its hooks.
 */

/* The Nth allocation from now on fails, those behind it do not; 0: none does.
 */
void kr_test_fail_allocation(unsigned n);

/* Whether that allocation is still to come: what was tried needs fewer. */
int kr_test_allocation_to_come(void);
