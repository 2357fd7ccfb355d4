/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The nodes to ask, one behind the other: those that were given, or those of
 * the cluster, page by page, or those of the cluster that were given: so their
 * kubelets' versions are known, where the list can be read.
 *
 * It says which page is wanted and hears what was answered; the caller asks the
 * API server. No more than a page and a half of names ever wait at one time;
 * names that were taken are remembered, so that no name is given twice.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"
#include "host/configz.h"
#include "host/node-page.h"

/* The limit that kubectl asks for. */
#define KR_NODE_NAMES_LIMIT ((size_t)500)
/* A page of 500 whole nodes with 50 images each has 10 MB. */
#define KR_NODE_NAMES_SIZE_MAX ((size_t)16 * 1024 * 1024)

/* Where a list ends that has no end: clusters have had 130,000 nodes. */
#define KR_NODE_NAMES_MAX       ((size_t)200000)
#define KR_NODE_NAMES_PAGES_MAX 5000
/* A name is a DNS subdomain (RFC 1123); a token holds one, and some words. */
#define KR_NODE_NAMES_NAME_MAX  ((size_t)253)
#define KR_NODE_NAMES_TOKEN_MAX ((size_t)4096)

struct kr_node_names {
	const char *selector;     /* of labels; NULL: all */
	struct kr_node_page page; /* nodes that are known */
	size_t at;                /* those before were taken */
	size_t n_known;           /* all to ask that were ever known */
	size_t n_heard;           /* all that the list ever had */
	bool complete;            /* no page is behind these */
	size_t limit;
	void *known, *tokens; /* that ever came; trees of tsearch(3) */
	/* only these, which are borrowed and sorted; NULL: all */
	const char *const *given;
	size_t n_given;
	size_t n_left_out; /* that have no kubelet to ask */
	unsigned n_pages;
	bool again;           /* it started over */
	size_t n_skipped;     /* that were known, since then */
	unsigned n_fruitless; /* answers in a row that brought nothing */
};

/* All nodes of the cluster that SELECTOR, which is borrowed, selects; NULL:
 * all. */
void kr_node_names_init(struct kr_node_names *names, const char *selector);

/* Only these, which are copied. 0 or -ENOMEM. */
int kr_node_names_init_given(struct kr_node_names *names,
                             const char *const *given, size_t n_given);

/* Only these, in strcmp(3)'s order and borrowed, with what the list says of
 * them; those that it does not have come last. */
void kr_node_names_init_looked_up(struct kr_node_names *names,
                                  const char *const *given, size_t n_given);
void kr_node_names_done(struct kr_node_names *names);

/* No page will be wanted any more. Those that were given and that did not come
 * are taken all the same: the API server says what is wrong with them. 0 or
 * -ENOMEM. */
int kr_node_names_stop(struct kr_node_names *names);

/* The next node, whose name is the caller's. False: not known just now. */
bool kr_node_names_take(struct kr_node_names *names, struct kr_node_entry *ret);
bool kr_node_names_any(const struct kr_node_names *names);

/* How many there are, as far as it is known. */
size_t kr_node_names_total(const struct kr_node_names *names);

/* Whether a page is wanted soon, and its path, which the caller frees. 0;
 * KR_MALFORMED: the token of the server cannot be asked with; -ENOMEM. */
bool kr_node_names_wants_page(const struct kr_node_names *names);
int kr_node_names_path(const struct kr_node_names *names, char **ret);

/*
 * Hears the ANSWER to that page. SAID is what kr_configz_judge() makes of it;
 * of an answer before it, where this one was waited for in vain.
 *
 * 0: it brought names, or was the last. 1: ask again, for what
 * kr_node_names_path() says now: a token was too old (410), and the list goes
 * on with the one that the answer gives, or starts over without the names that
 * are known; or the page was too large and becomes smaller. KR_MALFORMED: there
 * is no way to go on; *RET_REASON is one sentence, which the caller frees, and
 * no page will be wanted any more. -ENOMEM.
 */
int kr_node_names_hear(struct kr_node_names *names,
                       const struct kr_http_answer *answer,
                       const struct kr_configz *said, char **ret_reason);
