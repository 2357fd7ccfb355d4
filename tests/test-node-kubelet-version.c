/* SPDX-License-Identifier: Apache-2.0 */

/*
 * node/kubelet-version: what is a version, and the line in which kubelet says
 * it.
 */

#include "node/kubelet-version.h"
#include "testing.h"

#define TEXT "I1215 01:35:15.905303    8470 server.go:529] "
#define SAYS "\"Kubelet version\" kubeletVersion="
#define JSON "{\"ts\":1734226515905.3,\"caller\":\"app/server.go:484\","
#define MSG  "\"msg\":\"Kubelet version\","

static const struct {
	const char *name, *line;
	unsigned want;
} lines[] = {
	{"text", TEXT SAYS "\"v1.34.3\"", 34},
	{"a vendor's", TEXT SAYS "\"v1.31.2-eks-7f9249a\"", 31},
	{"k3s'", TEXT SAYS "\"v1.35.4+k3s1\"", 35},
	{"as of 1.22",
         "I0805 10:31:39.653961   12849 server.go:440] " SAYS "\"v1.22.0\"",
         22},
	{"JSON", JSON MSG "\"v\":0,\"kubeletVersion\":\"v1.30.1\"}", 30},
	{"JSON, in another order",
         JSON "\"kubeletVersion\":\"v1.30.1\"," MSG "\"v\":0}", 30},
	{"JSON, as an object",
         JSON MSG "\"kubeletVersion\":{\"major\":\"1\",\"minor\":\"31+\","
                  "\"gitVersion\":\"v1.31.0-gke.1\"}}",
         31},
	{"no version", TEXT SAYS "\"unknown\"", 0},
	{"an empty one", TEXT SAYS "\"\"", 0},
	{"cut off", TEXT SAYS, 0},
	{"another kind of line",
         "E1215 01:35:15.905303 1 x.go:1] " SAYS "\"v1.34.3\"", 0},
	{"other words before it", "the kubelet says ] " SAYS "\"v1.34.3\"", 0},
	{"in an error's text",
         TEXT "\"x\" err=\"] \\\"Kubelet version\\\" kubeletVersion=\"", 0},
	{"another message", TEXT "\"Golang settings\" GOGC=\"v1.34.3\"", 0},
	{"JSON, another message",
         JSON "\"msg\":\"Node\",\"kubeletVersion\":\"v1.30.1\"}", 0},
	{"JSON, of another version's object",
         JSON "\"msg\":\"Go\",\"gitVersion\":\"v1.30.1\"}", 0},
	{"empty", "", 0},
	{"one letter", "I", 0},
	{"a brace", "{", 0},
};

START_TEST(test_line)
{
	unsigned got = kr_kubelet_version_in_line(lines[_i].line);

	ck_assert_msg(got == lines[_i].want, "%s: got 1.%u, want 1.%u",
	              lines[_i].name, got, lines[_i].want);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "version", NULL, NULL);

	tcase_add_loop_test(tc, test_line, 0, ARRAY_SIZE(lines));
}

KR_TEST_MAIN(add_tests);
