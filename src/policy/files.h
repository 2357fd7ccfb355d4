/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The files that a control is about: mode and owner of the files that kubelet's
 * unit and arguments lead to, and whether those load that a setting names. */

#include "policy/judge.h"

/*
 * The disk view of RULE, which is about the mode or owner of files, as EDITION
 * demands: a source for each file, and the value of the worst. What is not
 * there is closed to all: without any file the view is ABSENT. SOURCES and RET
 * are empty. 0 or -ENOMEM.
 */
int kr_files_look(struct kr_node *node, const struct kr_rule *rule,
                  const struct kr_edition *edition, struct kr_sources *sources,
                  struct kr_view *ret);

enum kr_loads {
	KR_LOADS,
	KR_LOADS_NOT,
	KR_LOADS_LATER,   /* it is not there yet, which it may be in time */
	KR_LOADS_UNKNOWN, /* it cannot be read here: too large, not allowed */
};

/*
 * Whether the files load that RULE's fields name, of which DECISIONS are made:
 * of a client CA each certificate, of a server's the first; its key only has to
 * be a file, and is never read. RET_WHY is one sentence of what does not, which
 * the caller frees; NULL where all do. 0 or -ENOMEM.
 */
int kr_files_load(struct kr_node *node, const struct kr_rule *rule,
                  const struct kr_decision *decisions, enum kr_loads *ret,
                  char **ret_why);

/* PATH, of a setting or a flag, as kubelet opens it, which starts where its
 * unit says. The caller frees it; NULL: no memory. */
char *kr_files_path(const struct kr_node *node, const char *path);
