/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One page of the list of a cluster's nodes.
 *
 * A page of whole nodes is some MB (each carries the list of its images), so no
 * tree is made of it: the tokens go by, and of all of them those at the places
 * of places[] count. A name at any other place is another thing's name: of an
 * image's, of an owner, of a field's manager. A Status with a token in its
 * metadata.continue (410) is read in the same way.
 *
 * A table has columns, of which each row has a cell, and the node's metadata
 * beside the cells. The columns stand before the rows, as Go orders them; where
 * they do not, no version is known.
 *
 * Whose node it is shows in what its cloud writes there: labels, which
 * kubelet or the cloud's controller sets, and the suffix of kubelet's version.
 * A name of a host tells nothing.
 *
 * Source: apimachinery, pkg/apis/meta/v1/types.go, ListMeta and Table; the 410
 * is that of apiserver, pkg/storage/etcd3/errors.go, handleExpiredError; the
 * columns of nodes: kubernetes, pkg/printers/internalversion/printers.go
 * (tried with 1.20). Labels: the documentation of EKS (compute-type), AKS and
 * GKE, and kubernetes.io/os, which every kubelet sets.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/vec.h"
#include "host/node-page.h"
#include "net/http.h"
#include "node/kubelet-version.h"

#define DEPTH_MAX 6 /* of what counts */
#define TEXT_MAX  (size_t)128

enum place {
	PLACE_KIND,
	PLACE_TOKEN,
	PLACE_MORE,
	PLACE_NAME,
	PLACE_LABEL,
	PLACE_VERSION,
	PLACE_COLUMN,
	PLACE_CELL,
	PLACE_OTHER,
};

#define LIST "" /* any element of one */
#define ANY  "*"

static const struct {
	enum place place;
	const char *path[DEPTH_MAX];
} places[] = {
	{PLACE_KIND, {"kind"}},
	{PLACE_TOKEN, {"metadata", "continue"}},
	{PLACE_MORE, {"metadata", "remainingItemCount"}},
	{PLACE_NAME, {"items", LIST, "metadata", "name"}},
	{PLACE_LABEL, {"items", LIST, "metadata", "labels", ANY}},
	{PLACE_VERSION,
         {"items", LIST, "status", "nodeInfo", "kubeletVersion"}},
	{PLACE_COLUMN, {"columnDefinitions", LIST, "name"}},
	{PLACE_CELL, {"rows", LIST, "cells", LIST}},
	{PLACE_NAME, {"rows", LIST, "object", "metadata", "name"}},
	{PLACE_LABEL, {"rows", LIST, "object", "metadata", "labels", ANY}},
};

/* What a label says of its node; a key that ends in "/" is that of all that
 * begin so. */
static const struct {
	const char *key, *value; /* NULL: any */
	const char *platform;
	bool left_out;
} labels[] = {
	{"kubernetes.io/os", "windows", NULL, true},
	{"eks.amazonaws.com/compute-type", "fargate", "eks-al2023", true},
	{"eks.amazonaws.com/", NULL, "eks-al2023", false},
	{"alpha.eksctl.io/", NULL, "eks-al2023", false},
	{"kubernetes.azure.com/", NULL, "aks", false},
	{"cloud.google.com/gke-nodepool", NULL, "gke", false},
	{"node.openshift.io/", NULL, "openshift", false},
};

/* The same of a part of kubelet's version. */
static const struct {
	const char *part, *platform;
} versions[] = {
	{"-eks-", "eks-al2023"},
	{"-gke.", "gke"},
	{"+rke2", "rke2"},
	{"+k3s", "k3s"},
};

struct reader {
	const struct kr_file *file;
	struct kr_node_page *page;
	size_t depth;
	struct {
		bool list;
		struct kr_json_token key; /* of an object: the last one */
	} at[DEPTH_MAX];
	char *kind;
	struct kr_node_entry entry;         /* the item that is open */
	unsigned n_columns, version_column; /* from 1; 0: none */
	unsigned n_cells;                   /* of the row that is open */
	bool has_items, failed; /* the list is there; an item is no node */
};

static bool key_is(const struct reader *r, size_t depth, const char *name)
{
	const struct kr_json_token *key = &r->at[depth].key;

	return !r->at[depth].list && key->length == strlen(name) + 2 &&
	       memcmp(r->file->data + key->offset + 1, name, strlen(name)) == 0;
}

static bool step_is(const struct reader *r, size_t depth, const char *want)
{
	if (strcmp(want, LIST) == 0)
		return r->at[depth].list;
	if (strcmp(want, ANY) == 0)
		return !r->at[depth].list;
	return key_is(r, depth, want);
}

static bool path_is(const struct reader *r, const char *const *path)
{
	size_t n = 0;

	while (n < DEPTH_MAX && path[n])
		n++;
	/* what differs most comes last */
	if (n != r->depth)
		return false;
	while (n > 0 && step_is(r, n - 1, path[n - 1]))
		n--;
	return n == 0;
}

/* Of the value whose brackets, and name, have gone by. */
static enum place find_place(const struct reader *r)
{
	for (size_t i = 0; r->depth <= DEPTH_MAX && i < ARRAY_SIZE(places);
	     i++) {
		if (path_is(r, places[i].path))
			return places[i].place;
	}
	return PLACE_OTHER;
}

static bool is_list_key(const struct reader *r)
{
	return key_is(r, 0, "items") || key_is(r, 0, "rows");
}

/* In items[] or rows[], of which DEPTH brackets are open. */
static bool in_items(const struct reader *r, size_t depth)
{
	return r->depth == depth && is_list_key(r) && r->at[1].list;
}

/* --- what counts --------------------------------------------------------- */

/* The text of a string, cut where it is longer than any that counts. */
static void read_short(const struct reader *r, const struct kr_json_token *t,
                       char ret[static 3 * TEXT_MAX + 1])
{
	size_t length = t->length - 2 < TEXT_MAX ? t->length - 2 : TEXT_MAX;
	size_t size =
		kr_json_unescape(r->file->data + t->offset + 1, length, ret);

	ret[size] = '\0';
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool label_is(const char *key, const char *want)
{
	return want[strlen(want) - 1] == '/' ? begins(key, want)
	                                     : strcmp(key, want) == 0;
}

static void take_label(struct reader *r, const struct kr_json_token *t)
{
	char key[3 * TEXT_MAX + 1], value[3 * TEXT_MAX + 1];

	read_short(r, &r->at[r->depth - 1].key, key);
	read_short(r, t, value);
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		if (!label_is(key, labels[i].key) ||
		    (labels[i].value && strcmp(value, labels[i].value) != 0))
			continue;
		r->entry.left_out |= labels[i].left_out;
		if (labels[i].platform)
			r->entry.platform = labels[i].platform;
		return;
	}
}

static void take_version(struct reader *r, const struct kr_json_token *t)
{
	char text[3 * TEXT_MAX + 1];
	unsigned minor;

	read_short(r, t, text);
	if (kr_kubelet_version_parse(text, &minor) < 0)
		return;
	r->entry.minor = minor;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		/* a label says it better */
		if (!r->entry.platform && strstr(text, versions[i].part))
			r->entry.platform = versions[i].platform;
	}
}

static void take_column(struct reader *r, const struct kr_json_token *t)
{
	char text[3 * TEXT_MAX + 1];

	read_short(r, t, text);
	if (strcmp(text, "Version") == 0 && r->version_column == 0)
		r->version_column = r->n_columns;
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
	/* once an item, whatever it says twice */
	return r->entry.name ? 0 : take_string(r, t, &r->entry.name);
}

static int take_place(struct reader *r, const struct kr_json_token *t,
                      enum place place)
{
	switch (place) {
	case PLACE_KIND:
		return take_string(r, t, &r->kind);
	case PLACE_TOKEN:
		return take_string(r, t, &r->page->token);
	case PLACE_NAME:
		return take_name(r, t);
	case PLACE_LABEL:
		take_label(r, t);
		return 0;
	case PLACE_COLUMN:
		take_column(r, t);
		return 0;
	case PLACE_CELL:
		if (r->n_cells == r->version_column)
			take_version(r, t);
		return 0;
	case PLACE_VERSION:
		take_version(r, t);
		return 0;
	default:
		return 0;
	}
}

static int hear_value(struct reader *r, const struct kr_json_token *t)
{
	enum place place;

	if (in_items(r, 2))
		r->failed = true;
	/* what Go writes for a list that is empty */
	if (r->depth == 1 && t->type == KR_JSON_NULL && is_list_key(r))
		r->has_items = true;
	place = find_place(r);
	if (place == PLACE_CELL)
		r->n_cells++;
	if (place == PLACE_MORE && t->type == KR_JSON_NUMBER)
		r->page->n_more = strtoul(r->file->data + t->offset, NULL, 10);
	return t->type == KR_JSON_STRING ? take_place(r, t, place) : 0;
}

static void open_bracket(struct reader *r, bool list)
{
	if (in_items(r, 2)) {
		r->failed = r->failed || list;
		r->n_cells = 0;
	}
	/* a cell may be one, too */
	if (find_place(r) == PLACE_CELL)
		r->n_cells++;
	if (r->depth == 2 && key_is(r, 0, "columnDefinitions"))
		r->n_columns++;
	if (r->depth == 1 && list && is_list_key(r))
		r->has_items = true;
	if (r->depth < DEPTH_MAX) {
		r->at[r->depth].list = list;
		r->at[r->depth].key = (struct kr_json_token){0};
	}
	r->depth++;
}

/* Of an item that is no node, too: its page is not valid then. */
static int take_entry(struct reader *r)
{
	struct kr_node_page *page = r->page;
	struct kr_node_entry *next;

	if (!r->entry.name) {
		r->failed = true;
	} else {
		next = KR_VEC_NEXT(page->nodes, page->n_nodes);
		if (!next)
			return -ENOMEM;
		*next = r->entry;
		page->n_nodes++;
	}
	r->entry = (struct kr_node_entry){0};
	return 0;
}

static int close_bracket(struct reader *r)
{
	r->depth--;
	return in_items(r, 2) ? take_entry(r) : 0;
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
		return close_bracket(r);
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
	free(reader.entry.name);
	*ret_kind = reader.kind;
	*ret_is_list = reader.has_items && !reader.failed;
	return r;
}

static bool is_node_list(const char *kind)
{
	return kind && (strcmp(kind, "NodeList") == 0 ||
	                strcmp(kind, "PartialObjectMetadataList") == 0 ||
	                strcmp(kind, "Table") == 0);
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
		return KR_MALFORMED;
	/* "continue": "" is how some say that there is no more */
	if (page.token && !*page.token) {
		free(page.token);
		page.token = NULL;
	}
	*ret = TAKE(page);
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

int kr_node_page_path(size_t limit, const char *selector, const char *token,
                      char **ret)
{
	_cleanup_free_ char *selecting = NULL, *escaped = NULL;
	int r = selector ? kr_http_escape(selector, &selecting) : 0;

	if (r < 0)
		return r;
	r = token ? kr_http_escape(token, &escaped) : 0;
	if (r < 0)
		return r;
	r = asprintf(ret, "/api/v1/nodes?limit=%zu%s%s%s%s", limit,
	             selecting ? "&labelSelector=" : "",
	             selecting ? selecting : "", escaped ? "&continue=" : "",
	             escaped ? escaped : "");
	return r < 0 ? -ENOMEM : 0;
}

void kr_node_page_done(struct kr_node_page *page)
{
	for (size_t i = 0; i < page->n_nodes; i++)
		free(page->nodes[i].name);
	free(page->nodes);
	free(page->token);
	*page = (struct kr_node_page){0};
}
