/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The feature gates that kubelet knows, minor by minor: which names it takes,
 * which of them are locked, and which need another one.
 */

#include <stdbool.h>
#include <stddef.h>

#define KR_GATE_FIRST_MINOR 20U
#define KR_GATE_LAST_MINOR  36U

enum kr_gate_answer {
	KR_GATE_KNOWN,
	KR_GATE_UNKNOWN,  /* kubelet of that minor stops, whatever the value */
	KR_GATE_NOT_SURE, /* say nothing: see kr_gate_find() */
};

enum kr_gate_stage {
	KR_GATE_ALPHA, /* AllAlpha is for those, */
	KR_GATE_BETA,  /* AllBeta for those */
	KR_GATE_GA,
	KR_GATE_DEPRECATED,
};

struct kr_gate_state {
	enum kr_gate_stage stage;
	bool by_default;
	bool locked; /* kubelet stops at the value that is not the default */
};

/* Names stand in their rows, as in kubelet/flag-table.h. */
#define KR_GATE_NAME_SIZE 56

/* A name, and what it is in each minor from the first to the last: see
 * gates.c for the letters. */
struct kr_gate {
	char minors[KR_GATE_LAST_MINOR - KR_GATE_FIRST_MINOR + 2];
	char name[KR_GATE_NAME_SIZE];
};

/* GATE can only be on while NEEDS is, in the minors FIRST to LAST. */
struct kr_gate_need {
	char gate[KR_GATE_NAME_SIZE], needs[KR_GATE_NAME_SIZE];
	unsigned first, last;
};

/* What flags or files set: no name is there twice. */
struct kr_gate_setting {
	const char *name;
	size_t length;
	bool on;
};

/*
 * What the gate NAME (LENGTH bytes, case counts) is to kubelet 1.MINOR. RET is
 * written for KR_GATE_KNOWN only.
 *
 * KR_GATE_NOT_SURE: the minor is not in the table; or its point releases
 * differ; or the plain kubelet does not know the name, but a program that holds
 * all of Kubernetes (k3s, kubelite) does.
 */
enum kr_gate_answer kr_gate_find(const char *name, size_t length,
                                 unsigned minor, struct kr_gate_state *ret);

/*
 * The first and the last minor of the table in which some kubelet knows NAME,
 * and it is known in all between; for a message. False: no minor knows it.
 */
bool kr_gate_known_range(const char *name, size_t length, unsigned *ret_first,
                         unsigned *ret_last);

/*
 * A need that the N SETTINGS leave unmet in kubelet 1.MINOR, which stops it; or
 * NULL. SETTINGS are accepted ones: each known, none against a lock. What is
 * not sure counts as met.
 *
 * kubelet asks twice: for what the flags set alone, and for all together.
 */
const struct kr_gate_need *kr_gate_unmet(const struct kr_gate_setting *settings,
                                         size_t n, unsigned minor);

/* The N gates in order of their names. */
extern const struct kr_gate kr_gate_table[];
extern const size_t kr_n_gates;

/* The N needs, in order of GATE and NEEDS. */
extern const struct kr_gate_need kr_gate_needs[];
extern const size_t kr_n_gate_needs;
