/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The measured cases below $CASES: what the real kubelet, or its libraries,
 * made of an argv and of files.
 */

#include <stdio.h>

#include <cjson/cJSON.h>

#include "kubelet/flags.h"

/* A file of them, which must be there; the caller closes it. */
FILE *kr_cases_open(const char *name);

struct kr_case {
	char *line;
	cJSON *object; /* of the line */
};

/* Those of the file that was loaded last. */
extern struct kr_case *kr_cases;
extern size_t kr_n_cases;

/* Loads a file of one object a line. */
void kr_cases_load(const char *name);

/* The text of a member; NULL: it is not there, or no text. */
const char *kr_case_text(const cJSON *object, const char *name);

/* The flags of its "args". */
void kr_case_flags(const struct kr_case *c, struct kr_flags *ret);

/* What kubelet had in the end: true, false, or invalid. */
enum kr_state kr_case_effective(const struct kr_case *c);
