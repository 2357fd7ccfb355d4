/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The version of a node's kubelet.
 *
 * kubelet writes it into its Node at each registration, with the first status
 * after a start (kubelet, pkg/kubelet/nodestatus/setters.go, VersionInfo). A
 * whole Node has some 50 KB, most of it names of images, so no tree is made of
 * it: the tokens go by, and of them those count that go down path[].
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "host/node-info.h"

static const char *const path[] = {"status", "nodeInfo", "kubeletVersion"};

struct reader {
	const char *body;
	size_t depth;   /* brackets that are open */
	size_t n_found; /* of path[], whose objects are open */
	bool found;     /* the last name is path[n_found] */
	unsigned n_versions;
	bool failed;
	char *version;
};

/* In the object that has to have path[n_found]. */
static bool is_on_path(const struct reader *rd)
{
	return rd->depth == rd->n_found + 1;
}

static bool is_name(const struct reader *rd, const struct kr_json_token *t)
{
	const char *want = path[rd->n_found];

	return t->length == strlen(want) + 2 &&
	       memcmp(rd->body + t->offset + 1, want, strlen(want)) == 0;
}

static void take_version(struct reader *rd, const struct kr_json_token *t)
{
	char plain[3 * KR_NODE_VERSION_SIZE];
	size_t size;

	rd->n_versions++;
	rd->failed |=
		t->type != KR_JSON_STRING || t->length > KR_NODE_VERSION_SIZE;
	if (rd->failed)
		return;
	size = kr_json_unescape(rd->body + t->offset + 1, t->length - 2, plain);
	plain[size] = '\0';
	for (size_t i = 0; i < size; i++)
		rd->failed |= plain[i] <= ' ' || plain[i] > '~';
	rd->failed |= size == 0 || size >= KR_NODE_VERSION_SIZE;
	strlcpy(rd->version, plain, KR_NODE_VERSION_SIZE);
}

static void hear_value(struct reader *rd, const struct kr_json_token *t)
{
	bool found = rd->found && is_on_path(rd);

	rd->found = false;
	if (found && rd->n_found == ARRAY_SIZE(path) - 1)
		take_version(rd, t);
	else if (found && t->type == KR_JSON_OBJECT)
		rd->n_found++;
	if (t->type == KR_JSON_OBJECT || t->type == KR_JSON_ARRAY)
		rd->depth++;
}

static void close_bracket(struct reader *rd)
{
	rd->found = false;
	if (rd->n_found > 0 && is_on_path(rd))
		rd->n_found--;
	rd->depth--;
}

static void hear(struct reader *rd, const struct kr_json_token *t)
{
	switch (t->type) {
	case KR_JSON_COMMA:
	case KR_JSON_COLON:
		break;
	case KR_JSON_OBJECT_END:
	case KR_JSON_ARRAY_END:
		close_bracket(rd);
		break;
	default:
		if (!t->key)
			hear_value(rd, t);
		else if (is_on_path(rd))
			rd->found = is_name(rd, t);
	}
}

int kr_node_info_parse(const char *body, size_t size,
                       char ret[static KR_NODE_VERSION_SIZE])
{
	const struct kr_file file = {
		.data = (char *)(uintptr_t)body,
		.size = size,
	};
	_cleanup_json_ struct kr_json json;
	struct kr_json_token token = {.type = KR_JSON_COMMA};
	char version[KR_NODE_VERSION_SIZE] = "";
	struct reader reader = {.body = body, .version = version};

	kr_json_init(&json, &file, 0, NULL);
	while (token.type != KR_JSON_END) {
		int r = kr_json_next(&json, &token);

		if (r < 0)
			return r;
		if (token.type != KR_JSON_END)
			hear(&reader, &token);
	}
	if (reader.n_versions != 1 || reader.failed)
		return KR_MALFORMED;
	strlcpy(ret, version, KR_NODE_VERSION_SIZE);
	return 0;
}

int kr_node_info_get(struct kr_http_transfer *t, const char *node,
                     char ret[static KR_NODE_VERSION_SIZE])
{
	_cleanup_free_ char *name = NULL, *where = NULL;
	const struct kr_http_answer *answer = kr_http_answer(t);
	int r = kr_http_escape(node, &name);

	*ret = '\0';
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	if (asprintf(&where, "/api/v1/nodes/%s", name) < 0) {
		where = NULL;
		return -ENOMEM;
	}
	r = kr_http_get(t, where);
	if (r < 0 || answer->error != KR_HTTP_ANSWERED ||
	    answer->status != 200 || !answer->body)
		return r;
	r = kr_node_info_parse(answer->body, answer->body_size, ret);
	return r == KR_MALFORMED ? 0 : r;
}
