/* SPDX-License-Identifier: Apache-2.0 */

/* host/node-info: the version where a Node has it, and nowhere else. */

#include <errno.h>
#include <string.h>

#include "host/node-info.h"
#include "testing.h"

#define NODE(status) "{\"kind\":\"Node\",\"status\":" status "}"
#define INFO(member) NODE("{\"nodeInfo\":{" member "}}")
#define VERSION(v)   INFO("\"kubeletVersion\":\"" v "\"")
#define L31          "1234567890123456789012345678901"

static const struct row {
	const char *name;
	const char *body;
	const char *want; /* NULL: none */
} rows[] = {
	{"a version", VERSION("v1.31.2"), "v1.31.2"},
	{"a vendor's", VERSION("v1.31.2-eks-7f9249a+x~1"),
         "v1.31.2-eks-7f9249a+x~1"},
	{"in escapes", VERSION("v1\\u002e31\\u002e2"), "v1.31.2"},
	{"with others around it",
         INFO("\"bootID\":\"b\",\"kubeletVersion\":\"v1.30.0\","
              "\"kubeProxyVersion\":\"v1.20.0\""),
         "v1.30.0"},
	{"behind large lists",
         NODE("{\"images\":[{\"names\":[\"a\"],\"nodeInfo\":"
              "{\"kubeletVersion\":\"x\"}},[[]]],\"addresses\":[],"
              "\"nodeInfo\":{\"kubeletVersion\":\"v1.29.0\"},\"config\":{}}"),
         "v1.29.0"},
	{"of other objects",
         "{\"nodeInfo\":{\"kubeletVersion\":\"a\"},\"kubeletVersion\":\"b\","
         "\"spec\":{\"nodeInfo\":{\"kubeletVersion\":\"c\"}},"
         "\"metadata\":{\"status\":{\"nodeInfo\":{\"kubeletVersion\":\"d\"}}},"
         "\"status\":{\"kubeletVersion\":\"e\",\"x\":{\"nodeInfo\":"
         "{\"kubeletVersion\":\"f\"}},\"nodeInfo\":{\"x\":"
         "{\"kubeletVersion\":\"g\"},\"kubeletVersion\":\"v1.28.1\"}}}",
         "v1.28.1"},
	{"as long as may be", VERSION("v" L31 L31 "b"), NULL},
	{"a little shorter", VERSION("v" L31 "123456789012345678901234567890"),
         "v" L31 "123456789012345678901234567890"},

	{"nothing", "", NULL},
	{"no JSON", "<html>v1.31.2</html>", NULL},
	{"cut", "{\"status\":{\"nodeInfo\":{\"kubeletVersion\":\"v1.31.2\"",
         NULL},
	{"something behind it", VERSION("v1.31.2") "x", NULL},
	{"an empty object", "{}", NULL},
	{"no version", INFO("\"bootID\":\"b\""), NULL},
	{"a name alone", NODE("{\"nodeInfo\":\"kubeletVersion\"}"), NULL},
	{"another case", INFO("\"kubeletversion\":\"v1.31.2\""), NULL},
	{"a number", INFO("\"kubeletVersion\":1.31"), NULL},
	{"null", INFO("\"kubeletVersion\":null"), NULL},
	{"an object",
         INFO("\"kubeletVersion\":{\"kubeletVersion\":\"v1.31.2\"}"), NULL},
	{"a list of objects",
         NODE("[{\"nodeInfo\":{\"kubeletVersion\":\"v1.31.2\"}}]"), NULL},
	{"the whole in a list", "[" VERSION("v1.31.2") "]", NULL},
	{"two versions",
         INFO("\"kubeletVersion\":\"v1.31.2\",\"kubeletVersion\":\"v1.32.0\""),
         NULL},
	{"two objects",
         NODE("{\"nodeInfo\":{\"kubeletVersion\":\"v1.31.2\"},\"nodeInfo\":"
              "{\"kubeletVersion\":\"v1.31.2\"}}"),
         NULL},
	{"a terminal's command", VERSION("v1.31.\\u001b[2J"), NULL},
	{"a C1 byte", VERSION("v1.31.\x9b"), NULL},
	{"a blank", VERSION("v1.31 2"), NULL},
	{"a NUL", VERSION("v1.31.2\\u0000"), NULL},
	{"empty", VERSION(""), NULL},
};

START_TEST(test_parse)
{
	const struct row *row = &rows[_i];
	char got[KR_NODE_VERSION_SIZE] = "old";
	int r = kr_node_info_parse(row->body, strlen(row->body), got);

	ck_assert_msg(r == (row->want ? 0 : KR_MALFORMED), "%s: %d, %s",
	              row->name, r, got);
	ck_assert_msg(strcmp(got, row->want ? row->want : "old") == 0, "%s: %s",
	              row->name, got);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "net-node-info", NULL, NULL);

	tcase_add_loop_test(tc, test_parse, 0, ARRAY_SIZE(rows));
}

KR_TEST_MAIN(add_tests);
