/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The program as systemd of the host can run it, whatever becomes of us.
 */

#include "base/diag.h"
#include "base/fs.h"
#include "host/host.h"

#define KR_PROGRAM_WORDS_MAX 4

struct kr_program {
	char *words[KR_PROGRAM_WORDS_MAX]; /* the command without arguments */
	size_t n_words;
	bool copied; /* it lies below the root, kr_program_remove() it */
};

/*
 * Finds the program that systemd of HOST can run, and has it tried. Where HOST
 * is below a --root, it is copied there with what it needs. The caller holds
 * the lock. 0; KR_REFUSED: the host cannot run it; other errnos; with words.
 */
int kr_program_find(struct kr_host *host, struct kr_diag *diag,
                    struct kr_program *ret);

/* Takes the copy away, if there is one. The caller holds the lock. 0 or an
 * errno. */
int kr_program_remove(struct kr_fs *fs);

void kr_program_done(struct kr_program *program);
