/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A unit that is not kubelet's own: another program (k3s, RKE2, k0s, a snap, a
 * container's) starts kubelet with arguments that it takes from elsewhere.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/fs.h"
#include "node/inputs.h"
#include "node/platform.h"
#include "unit/resolve.h"

/* An argument of kubelet and where it is written. */
struct kr_foreign_word {
	char *text;
	struct kr_span span; /* no file: the platform's own */
	long order;          /* among those of its name: k3s sorts them */
	const char *doubt;   /* why it is not known, the unit's; NULL */
	struct kr_span by;   /* of one that was replaced: the list that did */
};

struct kr_foreign {
	const char *name; /* "k3s", for people */
	char *restart;    /* the command that restarts kubelet */
	/* what to write where, in the marks of kr_platform_text() */
	const char *where;
	/* place and text of several */
	const struct kr_platform *by_hand;
	/* static: the media (kr_platform_medium()) whose words reach kubelet
	 * here, with blanks between */
	const char *media;
	/* of these two, where they are not static; NULL */
	char *own_where, *own_place;
	struct kr_platform own_by_hand;
	struct kr_foreign_word *words; /* [0] is the program */
	size_t n_words;
	/* words of lists whose place a later one has taken */
	struct kr_foreign_word *replaced;
	size_t n_replaced;
	/* a folder of k3s' whose words may not be read: it came with 1.21, and
	 * the version is not known; NULL */
	char *folder;
	struct kr_inputs inputs; /* of these words; taken over by the node */
	bool inputs_valid;
	/* why nothing is sure of them, one sentence; NULL: it is */
	char *doubt;
};

/*
 * The unit that starts kubelet where there is no kubelet.service: the first of
 * those that are known and that has a file. RET is static; NULL: there is none.
 * 0 or -ENOMEM.
 */
int kr_foreign_find_unit(struct kr_fs *fs, const char **ret);

/*
 * What the platform would start kubelet with, UNIT being its unit, of which no
 * command runs kubelet itself. Its version is 1.KUBELET_MINOR, 0: not known.
 * RET is NULL where it is no platform that is known. 0 or -ENOMEM.
 */
int kr_foreign_read(struct kr_fs *fs, const struct kr_unit *unit,
                    unsigned kubelet_minor, struct kr_diag *diag,
                    struct kr_foreign **ret);

/* Whether what MEDIUM, "eksctl", writes reaches kubelet here. */
bool kr_foreign_reads(const struct kr_foreign *foreign, const char *medium);

/* Whether none of these programs sets FIELD by itself, so that kubelet's
 * default counts where nothing else is found. */
bool kr_foreign_leaves(int field);
struct kr_foreign *kr_foreign_free(struct kr_foreign *foreign);
DEFINE_FREEP(struct kr_foreign, kr_foreign_free);
#define _cleanup_foreign_ _cleanup_(kr_foreign_freep)
