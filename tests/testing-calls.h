/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Calls that change a disk, and what happens just before one of them: the
 * program is killed there, or somebody else comes in between. A test program
 * that has this is linked with --wrap of each of them (tests/meson.build).
 */

enum kr_test_call {
	KR_TEST_ANY_CALL,
	KR_TEST_FCHOWN,
	KR_TEST_FCHMOD,
	KR_TEST_FSYNC,
	KR_TEST_RENAMEAT,
	KR_TEST_RENAMEAT2,
	KR_TEST_UNLINKAT,
	KR_TEST_MKDIRAT,
	KR_TEST_WRITE,
};

/* Before the NTH of these calls from now on, counted from 1, WHAT is called,
 * once. WHAT NULL: never. */
void kr_test_before_call(enum kr_test_call call, unsigned nth,
                         void (*what)(void));

/* The NTH of these calls from now on is not made and fails with ERROR. */
void kr_test_fail_call(enum kr_test_call call, unsigned nth, int error);

/* Whether that call has not come yet. */
int kr_test_call_to_come(void);
