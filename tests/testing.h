/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What every unit test program starts from: check(3) with TAP on stdout, and a
 * fixture that makes a root directory and hands over its fd.
 *
 * A program ends with a function that adds its cases to a suite, and with
 * KR_TEST_MAIN() of that. Tables are run by tcase_add_loop_test(), the row's
 * .name in each message.
 */

#include <check.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/diag.h"
#include "base/fs.h"

/* A case of SUITE. SETUP runs before each of its tests and TEARDOWN behind it;
 * either may be NULL. */
TCase *kr_test_case(Suite *suite, const char *name, SFun setup, SFun teardown);

/* Runs what ADD adds; the exit status. */
int kr_test_run(void (*add)(Suite *suite));

#define KR_TEST_MAIN(add)                                                      \
	int main(void)                                                         \
	{                                                                      \
		return kr_test_run(add);                                       \
	}                                                                      \
	struct kr_allow_semicolon

/* A root directory below $TMPDIR, made by setup and removed with all that is in
 * it by teardown. */
extern int kr_root_fd;
extern char kr_root_path[];
void kr_root_setup(void);
void kr_root_teardown(void);

/* Files below the root; folders on the way are made. PATH starts with "/". */
void kr_root_write(const char *path, const char *text);
void kr_root_write_bytes(const char *path, const void *data, size_t size);
void kr_root_mkdir(const char *path);
void kr_root_symlink(const char *target, const char *path);

/* What is at PATH below the root; a link is not followed. It must be there. */
struct stat kr_root_stat(const char *path);

/* How many entries a folder below the root has; 0 where it is not there. */
unsigned kr_root_entries(const char *path);

/* A new view of the root; the caller frees it. */
struct kr_fs *kr_root_fs(void);

/* A struct kr_file of TEXT that lives until the test ends, named PATH. */
const struct kr_file *kr_test_file(const char *path, const void *data,
                                   size_t size);

/* All messages as "severity code file:line:column text" lines, for the failure
 * message of an assertion; valid until the next call. */
const char *kr_test_messages(const struct kr_diag *diag);
