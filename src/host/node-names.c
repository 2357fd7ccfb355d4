/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The names of the nodes to ask.
 *
 * A list in pages is one list only as long as its token lives: the API server
 * forgets old versions after five minutes (etcd's compaction) and answers 410.
 * With the 410 comes a token that goes on behind the last name of the list as
 * it is now; that is taken. Without one the list starts over. Every name that
 * came is remembered, so that no node is asked twice, whatever came or went
 * meanwhile and in whatever order; no node is left out that was there all the
 * time.
 *
 * What answers may be no API server, or a broken one: a token that comes
 * again within one list, pages that bring nothing, too many names or pages end
 * the list with an error. The names that came by then are asked.
 *
 * Source: Kubernetes, "API concepts", retrieving large result sets in chunks;
 * apiserver, pkg/storage/etcd3/store.go (ranges of keys, which are the names).
 */

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "host/node-names.h"

#define FRUITLESS_MAX 5

void kr_node_names_init(struct kr_node_names *names, const char *selector)
{
	*names = (struct kr_node_names){
		.limit = KR_NODE_NAMES_LIMIT,
		.selector = selector,
	};
}

void kr_node_names_init_looked_up(struct kr_node_names *names,
                                  const char *const *given, size_t n_given)
{
	*names = (struct kr_node_names){
		.limit = KR_NODE_NAMES_LIMIT,
		.given = given,
		.n_given = n_given,
	};
}

/* Puts ENTRY, whose name is the list's then, to those that wait. */
static int put(struct kr_node_names *names, struct kr_node_entry entry)
{
	struct kr_node_entry *next =
		KR_VEC_NEXT(names->page.nodes, names->page.n_nodes);

	if (!next) {
		free(entry.name);
		return -ENOMEM;
	}
	*next = entry;
	names->page.n_nodes++;
	names->n_known++;
	return 0;
}

static int put_name(struct kr_node_names *names, const char *name)
{
	struct kr_node_entry entry = {.name = strdup(name)};

	return entry.name ? put(names, entry) : -ENOMEM;
}

int kr_node_names_init_given(struct kr_node_names *names,
                             const char *const *given, size_t n_given)
{
	*names = (struct kr_node_names){.complete = true};
	for (size_t i = 0; i < n_given; i++) {
		int r = put_name(names, given[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

void kr_node_names_done(struct kr_node_names *names)
{
	kr_node_page_done(&names->page);
	tdestroy(names->known, free);
	tdestroy(names->tokens, free);
	*names = (struct kr_node_names){.complete = true};
}

bool kr_node_names_any(const struct kr_node_names *names)
{
	return names->at < names->page.n_nodes;
}

bool kr_node_names_take(struct kr_node_names *names, struct kr_node_entry *ret)
{
	if (!kr_node_names_any(names))
		return false;
	*ret = names->page.nodes[names->at];
	names->page.nodes[names->at++].name = NULL;
	return true;
}

size_t kr_node_names_total(const struct kr_node_names *names)
{
	return names->given ? names->n_given - names->n_left_out
	                    : names->n_known + names->page.n_more;
}

bool kr_node_names_wants_page(const struct kr_node_names *names)
{
	return !names->complete &&
	       names->page.n_nodes - names->at <= names->limit / 2;
}

int kr_node_names_path(const struct kr_node_names *names, char **ret)
{
	int r = kr_node_page_path(names->limit, names->selector,
	                          names->page.token, ret);

	return r == -EINVAL ? KR_MALFORMED : r;
}

/* --- what was answered --------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Puts a copy of TEXT into the tree. 1; 0: it was there; -ENOMEM. */
static int remember(void **tree, const char *text)
{
	char *copy;

	if (tfind(text, tree, compare))
		return 0;
	copy = strdup(text);
	if (copy && tsearch(copy, tree, compare))
		return 1;
	free(copy);
	return -ENOMEM;
}

static int compare_given(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

static bool is_given(const struct kr_node_names *names, const char *name)
{
	return bsearch(name, names->given, names->n_given,
	               sizeof(*names->given), compare_given);
}

int kr_node_names_stop(struct kr_node_names *names)
{
	names->complete = true;
	names->page.n_more = 0;
	for (size_t i = 0; i < names->n_given; i++) {
		int r;

		if (tfind(names->given[i], &names->known, compare))
			continue;
		r = put_name(names, names->given[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int give_up(struct kr_node_names *names, char **ret_reason,
                   const char *reason, const char *detail)
{
	int r = kr_node_names_stop(names);

	if (r < 0)
		return r;
	r = asprintf(ret_reason, "%s%s%s%s", reason, *detail ? " (" : "",
	             detail, *detail ? ")" : "");
	return r < 0 ? -ENOMEM : KR_MALFORMED;
}

/* The names that were taken need no room any more. */
static void forget(struct kr_node_names *names)
{
	struct kr_node_page *page = &names->page;

	if (names->at == 0)
		return;
	page->n_nodes -= names->at;
	memmove(page->nodes, page->nodes + names->at,
	        page->n_nodes * sizeof(*page->nodes));
	names->at = 0;
}

/* Moves ENTRY behind those that wait, if it is wanted. */
static int append_one(struct kr_node_names *names, struct kr_node_entry *entry)
{
	struct kr_node_entry taken = *entry;

	if (names->given && !is_given(names, entry->name))
		return 0;
	if (entry->left_out) {
		names->n_left_out++;
		return 0;
	}
	entry->name = NULL;
	return put(names, taken);
}

/* Moves the nodes of PAGE that are new behind those that wait. RET_NEW: there
 * are any. 0; KR_MALFORMED: a name that no node can have; -ENOMEM. */
static int append(struct kr_node_names *names, struct kr_node_page *page,
                  bool *ret_new)
{
	KR_EACH(struct kr_node_entry, entry, page->nodes, page->n_nodes) {
		int r;

		if (strlen(entry->name) > KR_NODE_NAMES_NAME_MAX)
			return KR_MALFORMED;
		r = remember(&names->known, entry->name);
		if (r < 0)
			return r;
		if (r == 0) {
			names->n_skipped += names->again;
			continue;
		}
		*ret_new = true;
		names->n_heard++;
		r = append_one(names, entry);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Whether the list goes on behind PAGE, which brought names that are new. NULL:
 * it does, or it is over; else why it cannot. */
static const char *check_end(struct kr_node_names *names,
                             const struct kr_node_page *page, bool is_new)
{
	if (is_new)
		names->n_fruitless = 0;
	else if (page->n_nodes == 0 || !names->again)
		names->n_fruitless++;
	names->n_pages++;
	if (!page->token)
		return NULL;
	if (names->n_fruitless == FRUITLESS_MAX ||
	    names->n_skipped > 2 * names->n_heard + names->limit)
		return "the list of nodes does not end";
	if (names->n_heard >= KR_NODE_NAMES_MAX)
		return "the list of nodes does not end: 200,000 names came";
	if (names->n_pages >= KR_NODE_NAMES_PAGES_MAX)
		return "the list of nodes does not end: 5,000 pages came";
	return NULL;
}

/* The same of the token itself, before its page is believed. */
static int check_token(struct kr_node_names *names, const char *token,
                       const char **ret)
{
	int is_new;

	if (!token)
		return 0;
	if (strlen(token) > KR_NODE_NAMES_TOKEN_MAX) {
		*ret = "the token to go on with must be at most 4,096 bytes "
		       "long";
		return 0;
	}
	is_new = remember(&names->tokens, token);
	if (!is_new)
		*ret = "the list of nodes does not end: the token to go on "
		       "with came again";
	return is_new < 0 ? is_new : 0;
}

static int hear_page(struct kr_node_names *names,
                     const struct kr_http_answer *answer, char **ret_reason)
{
	_cleanup_node_page_ struct kr_node_page page = {0};
	const char *fault = NULL;
	bool is_new = false;
	int r = kr_node_page_parse(answer->body ? answer->body : "",
	                           answer->body_size, &page);

	if (r == KR_MALFORMED)
		return give_up(names, ret_reason,
		               "the answer must be a list of nodes", "");
	if (r < 0)
		return r;
	r = check_token(names, page.token, &fault);
	if (r < 0)
		return r;
	if (fault)
		return give_up(names, ret_reason, fault, "");
	forget(names);
	r = append(names, &page, &is_new);
	if (r == KR_MALFORMED)
		return give_up(names, ret_reason,
		               "the answer must be a list of nodes: a name has "
		               "more than 253 bytes",
		               "");
	if (r < 0)
		return r;
	fault = check_end(names, &page, is_new);
	if (fault)
		return give_up(names, ret_reason, fault, "");
	free(names->page.token);
	names->page.token = TAKE_PTR(page.token);
	names->page.n_more = page.n_more;
	return names->page.token ? 0 : kr_node_names_stop(names);
}

/* The token is too old. */
static int hear_expired(struct kr_node_names *names,
                        const struct kr_http_answer *answer, char **ret_reason)
{
	char *token = NULL;
	int r = kr_node_page_resume(answer->body ? answer->body : "",
	                            answer->body_size, &token);

	if (r < 0)
		return r;
	free(names->page.token);
	names->page.token = token;
	names->n_fruitless++;
	if (names->n_fruitless == FRUITLESS_MAX)
		return give_up(names, ret_reason,
		               "status 410: the list of nodes is too old again "
		               "and again",
		               "");
	/* it is another list from now on */
	tdestroy(names->tokens, free);
	names->tokens = NULL;
	if (token) {
		r = remember(&names->tokens, token);
		return r < 0 ? r : 1;
	}
	names->again = true;
	names->n_skipped = 0;
	return 1;
}

static int hear_refusal(struct kr_node_names *names,
                        const struct kr_configz *said, char **ret_reason)
{
	switch (said->status) {
	case 403:
		return give_up(names, ret_reason,
		               "status 403: not allowed: RBAC must grant list "
		               "on nodes",
		               said->detail);
	case 404:
		return give_up(names, ret_reason,
		               "status 404: there is no API server at the URL",
		               said->detail);
	case 504:
		return give_up(names, ret_reason,
		               "status 504: the API server took too long",
		               said->detail);
	default:
		return give_up(names, ret_reason, said->reason, said->detail);
	}
}

int kr_node_names_hear(struct kr_node_names *names,
                       const struct kr_http_answer *answer,
                       const struct kr_configz *said, char **ret_reason)
{
	if (answer->error == KR_HTTP_TOO_LARGE && names->limit > 1) {
		names->limit /= 2;
		return 1;
	}
	if (answer->error == KR_HTTP_ANSWERED && answer->status == 200)
		return hear_page(names, answer, ret_reason);
	if (answer->status == 410 && names->page.token)
		return hear_expired(names, answer, ret_reason);
	return hear_refusal(names, said, ret_reason);
}
