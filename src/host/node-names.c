/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The names of the nodes to ask.
 *
 * A list in pages is one list only as long as its token lives: the API server
 * forgets old versions after five minutes (etcd's compaction) and answers 410.
 * With the 410 comes a token that goes on behind the last name of the list as
 * it is now; that is taken. Without one the list starts over. Every name that
 * came is remembered, so that no node is asked twice, whatever came or went
 * meanwhile and in whatever order; none is left out that was there all the
 * time.
 *
 * Whoever answers may be no API server, or a broken one: a token that comes
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

void kr_node_names_init(struct kr_node_names *names)
{
	*names = (struct kr_node_names){.limit = KR_NODE_NAMES_LIMIT};
}

int kr_node_names_init_given(struct kr_node_names *names,
                             const char *const *given, size_t n_given)
{
	*names = (struct kr_node_names){.complete = true};
	for (size_t i = 0; i < n_given; i++) {
		char **next = KR_VEC_NEXT(names->page.names, i);

		if (!next)
			return -ENOMEM;
		*next = strdup(given[i]);
		if (!*next)
			return -ENOMEM;
		names->page.n_names++;
	}
	names->n_known = n_given;
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
	return names->at < names->page.n_names;
}

char *kr_node_names_take(struct kr_node_names *names)
{
	if (!kr_node_names_any(names))
		return NULL;
	return TAKE_PTR(names->page.names[names->at++]);
}

size_t kr_node_names_total(const struct kr_node_names *names)
{
	return names->n_known + names->page.n_more;
}

bool kr_node_names_wants_page(const struct kr_node_names *names)
{
	return !names->complete &&
	       names->page.n_names - names->at <= names->limit / 2;
}

int kr_node_names_path(const struct kr_node_names *names, char **ret)
{
	int r = kr_node_page_path(names->limit, names->page.token, ret);

	return r == -EINVAL ? -EBADMSG : r;
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

static int give_up(struct kr_node_names *names, char **ret_reason,
                   const char *reason, const char *detail)
{
	int r = asprintf(ret_reason, "%s%s%s%s", reason, *detail ? " (" : "",
	                 detail, *detail ? ")" : "");

	names->complete = true;
	names->page.n_more = 0;
	return r < 0 ? -ENOMEM : -EBADMSG;
}

/* The names that were taken need no room any more. */
static void forget(struct kr_node_names *names)
{
	struct kr_node_page *page = &names->page;

	if (names->at == 0)
		return;
	page->n_names -= names->at;
	memmove(page->names, page->names + names->at,
	        page->n_names * sizeof(*page->names));
	names->at = 0;
}

/* Moves the names of PAGE that are new behind those that wait. 0; -EBADMSG: a
 * name that no node can have; -ENOMEM. */
static int append(struct kr_node_names *names, struct kr_node_page *page)
{
	for (size_t i = 0; i < page->n_names; i++) {
		char **next;
		int is_new;

		if (strlen(page->names[i]) > KR_NODE_NAMES_NAME_MAX)
			return -EBADMSG;
		is_new = remember(&names->known, page->names[i]);
		if (is_new < 0)
			return is_new;
		if (!is_new) {
			names->n_skipped += names->again;
			continue;
		}
		next = KR_VEC_NEXT(names->page.names, names->page.n_names);
		if (!next)
			return -ENOMEM;
		*next = TAKE_PTR(page->names[i]);
		names->page.n_names++;
		names->n_known++;
	}
	return 0;
}

/* Whether the list goes on behind PAGE, which brought names that were not KNOWN
 * before. NULL: it does, or it is over; else why it cannot. */
static const char *check_end(struct kr_node_names *names,
                             const struct kr_node_page *page, size_t known)
{
	if (names->n_known > known)
		names->n_fruitless = 0;
	else if (page->n_names == 0 || !names->again)
		names->n_fruitless++;
	names->n_pages++;
	if (!page->token)
		return NULL;
	if (names->n_fruitless == FRUITLESS_MAX ||
	    names->n_skipped > 2 * names->n_known + names->limit)
		return "the list of nodes does not end";
	if (names->n_known >= KR_NODE_NAMES_MAX)
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
	size_t known = names->n_known;
	const char *fault = NULL;
	int r = kr_node_page_parse(answer->body ? answer->body : "",
	                           answer->body_size, &page);

	if (r == -EBADMSG)
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
	r = append(names, &page);
	if (r == -EBADMSG)
		return give_up(names, ret_reason,
		               "the answer must be a list of nodes: a name has "
		               "more than 253 bytes",
		               "");
	if (r < 0)
		return r;
	fault = check_end(names, &page, known);
	if (fault)
		return give_up(names, ret_reason, fault, "");
	free(names->page.token);
	names->page.token = TAKE_PTR(page.token);
	names->page.n_more = page.n_more;
	names->complete = !names->page.token;
	return 0;
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
