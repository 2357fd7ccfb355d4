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

#define LABEL(key, value) "{\"" key "\":\"" value "\"}"
#define PART(name, labels)                                                     \
	"{\"metadata\":{\"name\":\"" name "\",\"labels\":" labels "}}"
#define WHOLE(name, labels, version)                                           \
	"{\"metadata\":{\"name\":\"" name "\",\"labels\":" labels              \
	"},\"status\":{\"nodeInfo\":{\"kubeletVersion\":\"" version "\"}}}"
#define COLUMNS                                                                \
	"{\"name\":\"Name\"},{\"name\":\"Status\"},{\"name\":\"Version\"},"    \
	"{\"name\":\"Version\"}"
#define ROW(cells, name, labels)                                               \
	"{\"cells\":[" cells "],\"object\":" PART(name, labels) "}"
#define TABLE(columns, rows)                                                   \
	"{\"kind\":\"Table\",\"metadata\":{\"continue\":\"t\","                \
	"\"remainingItemCount\":3},\"columnDefinitions\":[" columns            \
	"],\"rows\":[" rows "]}"

struct row {
	const char *name;
	const char *body;
	/* "a b=minor,platform,-|token|n"; "-": left out; NULL: no list */
	const char *want;
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

	/* whose node, and which kubelet */
	{"a whole node",
         LIST(A, "[" WHOLE("a", LABEL("kubernetes.io/os", "linux"),
                           "v1.31.2") "]"),
         "a=31,||0"},
	{"a version that is none",
         LIST(A, "[" WHOLE("a", LABEL("a", "b"), "new") "]"), "a||0"},
	{"the version of another thing",
         LIST(A, "[{\"metadata\":{\"name\":\"a\",\"labels\":"
                 "{\"kubeletVersion\":\"v1.30.0\"}},\"status\":{"
                 "\"kubeletVersion\":\"v1.30.0\"}}]"),
         "a||0"},
	{"EKS by its version",
         LIST(A, "[" WHOLE("a", LABEL("a", "b"), "v1.29.3-eks-ae9a62a") "]"),
         "a=29,eks-al2023||0"},
	{"GKE by its version",
         LIST(A, "[" WHOLE("a", LABEL("a", "b"), "v1.30.5-gke.100") "]"),
         "a=30,gke||0"},
	{"RKE2", LIST(A, "[" WHOLE("a", LABEL("a", "b"), "v1.30.5+rke2r1") "]"),
         "a=30,rke2||0"},
	{"k3s", LIST(A, "[" WHOLE("a", LABEL("a", "b"), "v1.30.5+k3s1") "]"),
         "a=30,k3s||0"},
	{"a label says it better than the version",
         LIST(A, "[" WHOLE("a", LABEL("kubernetes.azure.com/cluster", "x"),
                           "v1.30.5+k3s1") "]"),
         "a=30,aks||0"},
	{"labels",
         LIST(A,
              "[" PART("a", LABEL("eks.amazonaws.com/nodegroup", "x")) "," PART(
		      "b",
		      LABEL("alpha.eksctl.io/cluster-name",
                            "x")) "," PART("c",
                                           LABEL("cloud.google.com/"
                                                 "gke-nodepool",
                                                 "x")) "," PART("d",
                                                                LABEL("node."
                                                                      "opensh"
                                                                      "ift."
                                                                      "io/"
                                                                      "os_id",
                                                                      "rhco"
                                                                      "s")) "," PART("e",
                                                                                     LABEL("eks.amazonaws.com",
                                                                                           "x")) "]"),
         "a=0,eks-al2023 b=0,eks-al2023 c=0,gke d=0,openshift e||0"},
	{"Fargate, Windows, and what is only called so",
         LIST(A,
              "[" PART("a", LABEL("eks.amazonaws.com/compute-type", "fargate")) "," PART("b", LABEL("kubernetes.io/os", "windows")) "," PART(
		      "fargate-windows",
		      LABEL("kubernetes.io/os",
                            "linux")) "," PART("c",
                                               LABEL("eks.amazonaws.com/"
                                                     "compute-type",
                                                     "auto")) "," PART("d",
                                                                       LABEL("w"
                                                                             "i"
                                                                             "n"
                                                                             "d"
                                                                             "o"
                                                                             "w"
                                                                             "s",
                                                                             "w"
                                                                             "i"
                                                                             "n"
                                                                             "d"
                                                                             "o"
                                                                             "w"
                                                                             "s")) "]"),
         "a=0,eks-al2023,- b=0,,- fargate-windows c=0,eks-al2023 d||0"},
	{"an annotation is no label",
         LIST(A, "[{\"metadata\":{\"name\":\"a\",\"annotations\":" LABEL(
			 "kubernetes.io/os", "windows") "}}]"),
         "a||0"},
	{"a table",
         TABLE(COLUMNS,
               ROW("\"x\",\"Ready\",\"v1.30.2\"", "a",
                   LABEL("kubernetes.io/os",
                         "linux")) "," ROW("\"y\",null,\"v1.31.0-eks-1\"", "b",
                                           LABEL("a", "b"))),
         "a=30, b=31,eks-al2023|t|3"},
	{"a table whose cells are odd",
         TABLE(COLUMNS, ROW("[\"v1.30.2\"],{\"a\":[1]},\"v1.31.2\",7", "a",
                            LABEL("a", "b"))),
         "a=31,|t|3"},
	{"a table with a cell too few",
         TABLE(COLUMNS, ROW("\"x\",\"v1.30.2\"", "a", LABEL("a", "b"))),
         "a|t|3"},
	{"a table without the column",
         TABLE("{\"name\":\"Name\"}",
               ROW("\"x\",\"Ready\",\"v1.30.2\"", "a", LABEL("a", "b"))),
         "a|t|3"},
	{"a row without metadata", TABLE(COLUMNS, "{\"cells\":[\"x\"]}"), NULL},
	{"a row without an object",
         TABLE(COLUMNS, "{\"cells\":[\"x\"],\"object\":null}"), NULL},
	{"a table without rows", "{\"kind\":\"Table\"}", NULL},
	{"an empty table", TABLE(COLUMNS, ""), "|t|3"},

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

	for (size_t i = 0; i < page->n_nodes; i++) {
		const struct kr_node_entry *e = &page->nodes[i];

		fprintf(out, "%s%s", i > 0 ? " " : "", e->name);
		if (e->minor > 0 || e->platform || e->left_out)
			fprintf(out, "=%u,%s%s", e->minor,
			        e->platform ? e->platform : "",
			        e->left_out ? ",-" : "");
	}
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
	ck_assert_msg(r == (row->want ? 0 : KR_MALFORMED), "%s: %d", row->name,
	              r);
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

		ck_assert_msg(r == KR_MALFORMED && page.n_nodes == 0, "%s: %d",
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
	const char *name, *selector, *token, *want;
} paths[] = {
	{"the first page", NULL, NULL, "/api/v1/nodes?limit=500"},
	{"labels", "pool in (a,b),!x", NULL,
         "/api/v1/"
         "nodes?limit=500&labelSelector=pool%20in%20%28a%2Cb%29%2C%21x"},
	{"labels and a token", "a=b", "t",
         "/api/v1/nodes?limit=500&labelSelector=a%3Db&continue=t"},
	{"a token", NULL, "eyJ2", "/api/v1/nodes?limit=500&continue=eyJ2"},
	{"a token that would be more", NULL, "a&limit=1#/ +",
         "/api/v1/nodes?limit=500&continue=a%26limit%3D1%23%2F%20%2B"},
	{"no token at all", NULL, "..", NULL},
};

START_TEST(test_path)
{
	const struct path_row *row = &paths[_i];
	_cleanup_free_ char *why = NULL, *got = NULL;
	int r;

	ck_assert_msg(kr_curl_load(&why) == 0, "%s", why);
	r = kr_node_page_path(500, row->selector, row->token, &got);
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
