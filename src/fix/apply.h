/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The common way of fix and undo from a plan to its end: what a restart would
 * apply besides, the files, kubelet, and back.
 */

#include "fix/fix.h"
#include "fix/transaction.h"

struct kr_applying {
	const struct kr_fix_options *options;
	struct kr_fix *fix; /* plan, before and host are there */
	const char *root;   /* the node's, for messages */
	struct kr_diag *diag;
	bool undo;                        /* the plan takes a fix back */
	const struct kr_manifest *undone; /* that fix, in an undo */
	/* out, and the steps' own */
	int lock_fd; /* -1: not taken yet */
	struct kr_transaction *tx;
	bool was_healthy;
	char *unhealthy_why;
	bool was_invalid; /* the disk, by our own setting */
};

/*
 * Sets the outcome and its sentence. 1: the steps of applying stop at it;
 * -ENOMEM.
 */
int kr_apply_end(struct kr_applying *a, enum kr_outcome outcome,
                 const char *format, ...) _printf_(3, 4);

/* The same with the first error of the diag as the sentence. */
int kr_apply_end_by_error(struct kr_applying *a, enum kr_outcome outcome,
                          const char *otherwise);

/* The same; where no error has been found yet, it is that the node cannot be
 * read, for ERROR. */
int kr_apply_end_unread(struct kr_applying *a, int error);

/*
 * Opens the node and audits it: the fix's host and before. 0; 1: it could not
 * be read, the outcome is set; -ENOMEM.
 */
int kr_apply_read(struct kr_applying *a, const struct kr_setting *setting,
                  const struct kr_node_options *node_options);

/*
 * Applies the plan, or shows it (dry_run): the outcome and reason of the fix
 * are set. 0 or 1; -EAGAIN: another run had to be waited for, all must be read
 * and planned again; -ENOMEM.
 */
int kr_apply_run(struct kr_applying *a);

void kr_applying_done(struct kr_applying *a);
