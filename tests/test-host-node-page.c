/* SPDX-License-Identifier: Apache-2.0 */

/* host/node-page: names where a node's name is, and nowhere else. */

#include <errno.h>
#include <string.h>

#include "host/node-page.h"
#include "net/curl.h"
#include "testing.h"

#define LIST(metadata, items)                                                  \
	"{\"kind\":\"NodeList\",\"apiVersion\":\"v1\",\"metadata\":" metadata  \
	",\"items\":" items "}"
#define NODE(name) "{\"metadata\":{\"name\":\"" name "\"}}"
#define A          "{\"resourceVersion\":\"7\"}"

struct row {
	const char *name;
	const char *body;
	const char *want; /* "a b|token|n"; NULL: no list */
};

static const struct row rows[] = {
	{"two nodes", LIST(A, "[" NODE("a") "," NODE("b") "]"), "a b||0"},
	{"more behind",
         LIST("{\"continue\":\"t\",\"remainingItemCount\":12}",
              "[" NODE("a") "]"),
         "a|t|12"},
	{"more, and not how many",
         LIST("{\"continue\":\"t\"}", "[" NODE("a") "]"), "a|t|0"},
	{"an empty token", LIST("{\"continue\":\"\"}", "[" NODE("a") "]"),
         "a||0"},
	{"no nodes", LIST(A, "[]"), "||0"},
	{"null, as Go writes it", LIST(A, "null"), "||0"},
	{"without metadata", "{\"kind\":\"NodeList\",\"items\":[]}", "||0"},
	{"the token behind the nodes",
         "{\"items\":[" NODE("a") "],\"metadata\":{\"continue\":\"t\"},"
                                  "\"kind\":\"NodeList\"}",
         "a|t|0"},
	{"partial objects",
         "{\"kind\":\"PartialObjectMetadataList\",\"metadata\":{},\"items\":"
         "[{\"kind\":\"PartialObjectMetadata\",\"metadata\":{\"name\":\"a\"}}]"
         "}",
         "a||0"},
	{"an escaped name", LIST(A, "[" NODE("\\u0061\\/b") "]"), "a/b||0"},
	{"names of other things",
         LIST("{\"name\":\"x\",\"continue\":\"t\"}",
              "[{\"name\":\"x\",\"metadata\":{\"labels\":{\"name\":\"x\"},"
              "\"ownerReferences\":[{\"name\":\"x\"}],\"name\":\"a\","
              "\"managedFields\":[{\"name\":\"x\",\"metadata\":"
              "{\"name\":\"x\"}}]},\"spec\":{\"name\":\"x\"},"
              "\"status\":{\"metadata\":{\"name\":\"x\"}}}]"),
         "a|t|0"},
	{"other tokens",
         "{\"kind\":\"NodeList\",\"continue\":\"x\",\"spec\":"
         "{\"continue\":\"x\",\"metadata\":{\"continue\":\"x\"}},"
         "\"items\":[{\"metadata\":{\"name\":\"a\",\"continue\":\"x\"}}]}",
         "a||0"},
	{"items elsewhere",
         LIST("{\"items\":[" NODE("x") "]}", "[" NODE("a") "]"), "a||0"},
	{"items twice, once an object",
         "{\"kind\":\"NodeList\",\"items\":[" NODE(
		 "a") "],\"items\":{\"b\":" NODE("x") "}}",
         "a||0"},
	{"a name twice in one node",
         LIST(A, "[{\"metadata\":{\"name\":\"a\",\"name\":\"b\"}}]"), "a||0"},

	{"nothing", "", NULL},
	{"no JSON", "<html></html>", NULL},
	{"cut", "{\"kind\":\"NodeList\",\"items\":[" NODE("a"), NULL},
	{"something behind it", LIST(A, "[]") "x", NULL},
	{"true", "true", NULL},
	{"a list alone", "[" NODE("a") "]", NULL},
	{"an object", "{}", NULL},
	{"no kind", "{\"items\":[" NODE("a") "]}", NULL},
	{"pods", "{\"kind\":\"PodList\",\"items\":[" NODE("a") "]}", NULL},
	{"one node", "{\"kind\":\"Node\",\"metadata\":{\"name\":\"a\"}}", NULL},
	{"a Status", "{\"kind\":\"Status\",\"items\":[]}", NULL},
	{"the kind is a number", "{\"kind\":1,\"items\":[]}", NULL},
	{"no items", "{\"kind\":\"NodeList\",\"metadata\":{}}", NULL},
	{"items is an object", LIST(A, "{\"a\":" NODE("a") "}"), NULL},
	{"a node without a name", LIST(A, "[" NODE("a") ",{\"metadata\":{}}]"),
         NULL},
	{"a node without metadata", LIST(A, "[{\"name\":\"a\"}]"), NULL},
	{"a name that is a number", LIST(A, "[{\"metadata\":{\"name\":7}}]"),
         NULL},
	{"a name that is a list",
         LIST(A, "[{\"metadata\":{\"name\":[\"a\"]}}]"), NULL},
	{"metadata is a list", LIST(A, "[{\"metadata\":[\"name\"]}]"), NULL},
	{"a string for a node", LIST(A, "[\"a\"]"), NULL},
	{"null for a node", LIST(A, "[null]"), NULL},
	{"a list for a node", LIST(A, "[[" NODE("a") "]]"), NULL},
};

/* "a b|token|n"; the caller frees it. */
static char *describe(const struct kr_node_page *page)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < page->n_names; i++)
		fprintf(out, "%s%s", i > 0 ? " " : "", page->names[i]);
	fprintf(out, "|%s|%zu", page->token ? page->token : "", page->n_more);
	fclose(out);
	return text;
}

START_TEST(test_parse)
{
	const struct row *row = &rows[_i];
	_cleanup_node_page_ struct kr_node_page page = {0};
	_cleanup_free_ char *got = NULL;
	int r = kr_node_page_parse(row->body, strlen(row->body), &page);

	got = describe(&page);
	ck_assert_msg(r == (row->want ? 0 : -EBADMSG), "%s: %d", row->name, r);
	ck_assert_msg(strcmp(got, row->want ? row->want : "||0") == 0,
	              "%s: %s, not %s", row->name, got, row->want);
}
END_TEST

/* Wherever a list is cut, it is none. */
START_TEST(test_cut)
{
	static const char whole[] =
		LIST("{\"continue\":\"t\"}", "[" NODE("a") "," NODE("b") "]");

	for (size_t size = 0; size < strlen(whole); size++) {
		_cleanup_node_page_ struct kr_node_page page = {0};
		_cleanup_free_ char *part = strndup(whole, size);
		int r = kr_node_page_parse(part, size, &page);

		ck_assert_msg(r == -EBADMSG && page.n_names == 0, "%s: %d",
		              part, r);
	}
}
END_TEST

static const struct resume_row {
	const char *name, *body, *want;
} resumes[] = {
	{"a token",
         "{\"kind\":\"Status\",\"metadata\":{\"continue\":\"t\"},"
         "\"code\":410}",
         "t"},
	{"none", "{\"kind\":\"Status\",\"metadata\":{},\"code\":410}", NULL},
	{"an empty one",
         "{\"kind\":\"Status\",\"metadata\":{\"continue\":\"\"}}", NULL},
	{"of a list", LIST("{\"continue\":\"t\"}", "[]"), NULL},
	{"no JSON", "too old", NULL},
	{"nothing", "", NULL},
};

START_TEST(test_resume)
{
	const struct resume_row *row = &resumes[_i];
	_cleanup_free_ char *got = NULL;
	int r = kr_node_page_resume(row->body, strlen(row->body), &got);

	ck_assert_msg(r == 0, "%s: %d", row->name, r);
	ck_assert_msg(!got == !row->want, "%s: %s", row->name, got);
	if (got)
		ck_assert_msg(strcmp(got, row->want) == 0, "%s: %s", row->name,
		              got);
}
END_TEST

static const struct path_row {
	const char *name, *token, *want;
} paths[] = {
	{"the first page", NULL, "/api/v1/nodes?limit=500"},
	{"a token", "eyJ2", "/api/v1/nodes?limit=500&continue=eyJ2"},
	{"a token that would be more", "a&limit=1#/ +",
         "/api/v1/nodes?limit=500&continue=a%26limit%3D1%23%2F%20%2B"},
	{"no token at all", "..", NULL},
};

START_TEST(test_path)
{
	const struct path_row *row = &paths[_i];
	_cleanup_free_ char *why = NULL, *got = NULL;
	int r;

	ck_assert_msg(kr_curl_load(&why) == 0, "%s", why);
	r = kr_node_page_path(500, row->token, &got);
	ck_assert_msg(r == (row->want ? 0 : -EINVAL), "%s: %d", row->name, r);
	if (row->want)
		ck_assert_msg(strcmp(got, row->want) == 0, "%s: %s", row->name,
		              got);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "page", NULL, NULL);

	tcase_add_loop_test(tc, test_parse, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_cut);
	tcase_add_loop_test(tc, test_resume, 0, ARRAY_SIZE(resumes));
	tcase_add_loop_test(tc, test_path, 0, ARRAY_SIZE(paths));
}

KR_TEST_MAIN(add_tests);
