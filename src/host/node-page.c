/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One page of the list of a cluster's nodes.
 *
 * A page of whole nodes is some MB (each carries the list of its images), so no
 * tree is made of it: the tokens go by, and of all of them four places count.
 *
 *	kind                          what it is
 *	metadata.continue             the token of the next page
 *	metadata.remainingItemCount   how many nodes are behind it
 *	items[].metadata.name         a name
 *
 * A name at any other depth is another thing's name: of an image's, of an
 * owner, of a field's manager. A Status with a token in its metadata.continue
 * (410) is read in the same way.
 *
 * Source: apimachinery, pkg/apis/meta/v1/types.go, ListMeta; the 410 is that of
 * apiserver, pkg/storage/etcd3/errors.go, handleExpiredError.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/vec.h"
#include "host/node-page.h"
#include "net/http.h"

#define DEPTH_MAX 4 /* of what counts */

struct reader {
	const struct kr_file *file;
	struct kr_node_page *page;
	size_t depth;
	struct {
		bool list;
		struct kr_json_token key; /* of an object: the last one */
	} at[DEPTH_MAX];
	char *kind;
	bool named;             /* the item that is open has a name */
	bool has_items, failed; /* items is there; an item is none */
};

static bool key_is(const struct reader *r, size_t depth, const char *name)
{
	const struct kr_json_token *key = &r->at[depth].key;

	return !r->at[depth].list && key->length == strlen(name) + 2 &&
	       memcmp(r->file->data + key->offset + 1, name, strlen(name)) == 0;
}

/* In items[], of which DEPTH brackets are open. */
static bool in_items(const struct reader *r, size_t depth)
{
	return r->depth == depth && key_is(r, 0, "items") && r->at[1].list;
}

static int take_string(const struct reader *r, const struct kr_json_token *t,
                       char **ret)
{
	char *text = malloc(3 * t->length + 1), *shorter;
	size_t size;

	if (!text)
		return -ENOMEM;
	size = kr_json_unescape(r->file->data + t->offset + 1, t->length - 2,
	                        text);
	text[size] = '\0';
	free(*ret);
	shorter = realloc(text, size + 1);
	*ret = shorter ? shorter : text;
	return 0;
}

static int take_name(struct reader *r, const struct kr_json_token *t)
{
	struct kr_node_page *page = r->page;
	char **name;
	int ret;

	/* once an item, whatever it says twice */
	if (r->named)
		return 0;
	name = KR_VEC_NEXT(page->names, page->n_names);
	if (!name)
		return -ENOMEM;
	ret = take_string(r, t, name);
	if (ret < 0)
		return ret;
	page->n_names++;
	r->named = true;
	return 0;
}

static int hear_value(struct reader *r, const struct kr_json_token *t)
{
	struct kr_node_page *page = r->page;

	if (in_items(r, 2))
		r->failed = true;
	if (r->depth == 1 && t->type == KR_JSON_STRING && key_is(r, 0, "kind"))
		return take_string(r, t, &r->kind);
	if (r->depth == 2 && key_is(r, 0, "metadata")) {
		if (t->type == KR_JSON_STRING && key_is(r, 1, "continue"))
			return take_string(r, t, &page->token);
		if (t->type == KR_JSON_NUMBER &&
		    key_is(r, 1, "remainingItemCount"))
			page->n_more =
				strtoul(r->file->data + t->offset, NULL, 10);
	}
	if (in_items(r, 4) && t->type == KR_JSON_STRING &&
	    key_is(r, 2, "metadata") && key_is(r, 3, "name"))
		return take_name(r, t);
	/* what Go writes for a list that is empty */
	if (r->depth == 1 && t->type == KR_JSON_NULL && key_is(r, 0, "items"))
		r->has_items = true;
	return 0;
}

static void open_bracket(struct reader *r, bool list)
{
	if (in_items(r, 2)) {
		r->failed = r->failed || list;
		r->named = false;
	}
	if (r->depth == 1 && list && key_is(r, 0, "items"))
		r->has_items = true;
	if (r->depth < DEPTH_MAX) {
		r->at[r->depth].list = list;
		r->at[r->depth].key = (struct kr_json_token){0};
	}
	r->depth++;
}

static void close_bracket(struct reader *r)
{
	r->depth--;
	if (in_items(r, 2) && !r->named)
		r->failed = true;
}

static int hear(struct reader *r, const struct kr_json_token *t)
{
	switch (t->type) {
	case KR_JSON_OBJECT:
	case KR_JSON_ARRAY:
		open_bracket(r, t->type == KR_JSON_ARRAY);
		return 0;
	case KR_JSON_OBJECT_END:
	case KR_JSON_ARRAY_END:
		close_bracket(r);
		return 0;
	case KR_JSON_COMMA:
	case KR_JSON_COLON:
		return 0;
	default:
		if (!t->key)
			return hear_value(r, t);
		if (r->depth <= DEPTH_MAX)
			r->at[r->depth - 1].key = *t;
		return 0;
	}
}

/* KIND is the caller's, also where it fails. */
static int read_all(const char *body, size_t size, struct kr_node_page *page,
                    char **ret_kind, bool *ret_is_list)
{
	const struct kr_file file = {.data = (char *)(uintptr_t)body,
	                             .size = size};
	_cleanup_json_ struct kr_json json;
	struct reader reader = {.file = &file, .page = page};
	struct kr_json_token token = {.type = KR_JSON_COMMA};
	int r;

	kr_json_init(&json, &file, 0, NULL);
	do {
		r = kr_json_next(&json, &token);
		if (r < 0 || token.type == KR_JSON_END)
			break;
		r = hear(&reader, &token);
	} while (r >= 0);
	*ret_kind = reader.kind;
	*ret_is_list = reader.has_items && !reader.failed;
	return r;
}

static bool is_node_list(const char *kind)
{
	return kind && (strcmp(kind, "NodeList") == 0 ||
	                strcmp(kind, "PartialObjectMetadataList") == 0);
}

int kr_node_page_parse(const char *body, size_t size, struct kr_node_page *ret)
{
	_cleanup_node_page_ struct kr_node_page page = {0};
	_cleanup_free_ char *kind = NULL;
	bool is_list;
	int r = read_all(body, size, &page, &kind, &is_list);

	*ret = (struct kr_node_page){0};
	if (r < 0)
		return r;
	if (!is_list || !is_node_list(kind))
		return -EBADMSG;
	/* "continue": "" is how some say that there is no more */
	if (page.token && !*page.token) {
		free(page.token);
		page.token = NULL;
	}
	*ret = page;
	page = (struct kr_node_page){0};
	return 0;
}

int kr_node_page_resume(const char *body, size_t size, char **ret)
{
	_cleanup_node_page_ struct kr_node_page page = {0};
	_cleanup_free_ char *kind = NULL;
	bool is_list;
	int r = read_all(body, size, &page, &kind, &is_list);

	*ret = NULL;
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (kind && strcmp(kind, "Status") == 0 && page.token && *page.token)
		*ret = TAKE_PTR(page.token);
	return 0;
}

int kr_node_page_path(size_t limit, const char *token, char **ret)
{
	_cleanup_free_ char *escaped = NULL;
	int r = 0;

	if (token)
		r = kr_http_escape(token, &escaped);
	if (r < 0)
		return r;
	r = asprintf(ret, "/api/v1/nodes?limit=%zu%s%s", limit,
	             escaped ? "&continue=" : "", escaped ? escaped : "");
	return r < 0 ? -ENOMEM : 0;
}

void kr_node_page_done(struct kr_node_page *page)
{
	for (size_t i = 0; i < page->n_names; i++)
		free(page->names[i]);
	free(page->names);
	free(page->token);
	*page = (struct kr_node_page){0};
}
