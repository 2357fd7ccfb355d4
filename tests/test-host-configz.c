/* SPDX-License-Identifier: Apache-2.0 */

/* host/configz: an answer is true, false, or unknown with its own words. */

#include <errno.h>
#include <string.h>

#include "host/configz.h"
#include "testing-cases.h"
#include "testing.h"

#define KEY      "makeIPTablesUtilChains"
#define OK(text) "{\"kubeletconfig\":{" text "}}"
#define STATUS(message)                                                        \
	"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\","   \
	"\"message\":\"" message "\"}"

#define LONG                                                                   \
	"1234567890123456789012345678901234567890123456789012345678901234567"  \
	"890123456789012345678901234567890"

struct row {
	const char *name;
	unsigned status;
	const char *body;
	enum kr_state want;
	const char *reason; /* all of it */
	size_t size;        /* of a body with a NUL in it */
	bool named;         /* credentials were given */
};

#define NOT_JSON "the answer is not JSON"
#define NO_KEY   ".kubeletconfig." KEY " is not in the answer"
#define NO_BOOL  ".kubeletconfig." KEY " must be true or false"

static const struct row rows[] = {
	/* what is known */
	{"true", 200, OK("\"" KEY "\":true"), KR_STATE_TRUE, ""},
	{"false", 200, OK("\"" KEY "\":false"), KR_STATE_FALSE, ""},
	{"blanks", 200, " \r\n" OK("\t\"" KEY "\" : true ") "\n\n",
         KR_STATE_TRUE, ""},
	{"siblings", 200,
         "{\"a\":{\"" KEY "\":true},\"" KEY "\":true,"
         "\"kubeletconfig\":{\"b\":[{\"" KEY "\":true}],"
         "\"" KEY "\":false,\"MakeIPTablesUtilChains\":true}}",
         KR_STATE_FALSE, ""},
	{"kind and apiVersion", 200,
         OK("\"kind\":\"KubeletConfiguration\",\"" KEY "\":true,"
            "\"apiVersion\":\"kubelet.config.k8s.io/v1beta1\""),
         KR_STATE_TRUE, ""},

	/* 200, and nothing to be believed */
	{"no body", 200, NULL, KR_STATE_UNKNOWN, NOT_JSON},
	{"empty", 200, "", KR_STATE_UNKNOWN, NOT_JSON},
	{"a login page", 200, "<html>true</html>", KR_STATE_UNKNOWN, NOT_JSON},
	{"cut", 200, "{\"kubeletconfig\":{\"" KEY "\":true", KR_STATE_UNKNOWN,
         NOT_JSON},
	{"something behind it", 200, OK("\"" KEY "\":true") "x",
         KR_STATE_UNKNOWN, NOT_JSON},
	{"two answers", 200, OK("\"" KEY "\":true") OK("\"" KEY "\":true"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"a NUL behind it", 200, OK("\"" KEY "\":true") "\0", KR_STATE_UNKNOWN,
         NOT_JSON, sizeof(OK("\"" KEY "\":true"))},
	{"a NUL in the key", 200, OK("\"" KEY "\0z\":true"), KR_STATE_UNKNOWN,
         NOT_JSON, sizeof(OK("\"" KEY "\0z\":true")) - 1},
	{"an array", 200, "[{\"kubeletconfig\":{\"" KEY "\":true}}]",
         KR_STATE_UNKNOWN, "the answer must be an object"},
	{"true alone", 200, "true", KR_STATE_UNKNOWN,
         "the answer must be an object"},
	{"a string alone", 200, "\"kubeletconfig\"", KR_STATE_UNKNOWN,
         "the answer must be an object"},
	{"an empty object", 200, "{}", KR_STATE_UNKNOWN,
         ".kubeletconfig is not in the answer"},
	{"another object", 200, "{\"componentconfig\":{\"" KEY "\":true}}",
         KR_STATE_UNKNOWN, ".kubeletconfig is not in the answer"},
	{"KubeletConfig", 200, "{\"KubeletConfig\":{\"" KEY "\":true}}",
         KR_STATE_UNKNOWN, ".kubeletconfig is not in the answer"},
	{"a Status with 200", 200, STATUS("ok"), KR_STATE_UNKNOWN,
         ".kubeletconfig is not in the answer"},
	{"the key at the top", 200, "{\"" KEY "\":true}", KR_STATE_UNKNOWN,
         ".kubeletconfig is not in the answer"},
	{"null", 200, "{\"kubeletconfig\":null}", KR_STATE_UNKNOWN,
         ".kubeletconfig must be an object"},
	{"a list of settings", 200, "{\"kubeletconfig\":[true]}",
         KR_STATE_UNKNOWN, ".kubeletconfig must be an object"},
	{"twice the object", 200,
         "{\"kubeletconfig\":{\"" KEY "\":false},"
         "\"kubeletconfig\":{\"" KEY "\":true}}",
         KR_STATE_UNKNOWN, ".kubeletconfig is in the answer twice"},
	{"no settings", 200, OK(""), KR_STATE_UNKNOWN, NO_KEY},
	{"the key's case", 200, OK("\"makeIptablesUtilChains\":true"),
         KR_STATE_UNKNOWN, NO_KEY},
	{"the key deeper", 200, OK("\"x\":{\"" KEY "\":true}"),
         KR_STATE_UNKNOWN, NO_KEY},
	{"twice the key", 200, OK("\"" KEY "\":true,\"" KEY "\":true"),
         KR_STATE_UNKNOWN, ".kubeletconfig." KEY " is in the answer twice"},
	{"thrice the key", 200,
         OK("\"" KEY "\":true,\"" KEY "\":true,\"" KEY "\":true"),
         KR_STATE_UNKNOWN, ".kubeletconfig." KEY " is in the answer twice"},
	{"a string", 200, OK("\"" KEY "\":\"true\""), KR_STATE_UNKNOWN,
         NO_BOOL},
	{"a number", 200, OK("\"" KEY "\":1"), KR_STATE_UNKNOWN, NO_BOOL},
	{"null for it", 200, OK("\"" KEY "\":null"), KR_STATE_UNKNOWN, NO_BOOL},
	{"an object for it", 200, OK("\"" KEY "\":{}"), KR_STATE_UNKNOWN,
         NO_BOOL},

	/* 200, and no JSON although the key is there */
	{"a number that starts with 0", 200, OK("\"" KEY "\":true,\"x\":[012]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"a negative one", 200, OK("\"" KEY "\":true,\"x\":[-012]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"and -01", 200, OK("\"" KEY "\":true,\"x\":[-01]"), KR_STATE_UNKNOWN,
         NOT_JSON},
	{"a number that ends with .", 200, OK("\"" KEY "\":true,\"x\":[1.]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"and -2.", 200, OK("\"" KEY "\":true,\"x\":[-2.]"), KR_STATE_UNKNOWN,
         NOT_JSON},
	{"a number without digits behind .", 200,
         OK("\"" KEY "\":true,\"x\":[2.e3]"), KR_STATE_UNKNOWN, NOT_JSON},
	{"and 2.e+3", 200, OK("\"" KEY "\":true,\"x\":[2.e+3]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"and 2.e-3", 200, OK("\"" KEY "\":true,\"x\":[2.e-3]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"and 0.e1", 200, OK("\"" KEY "\":true,\"x\":[0.e1]"), KR_STATE_UNKNOWN,
         NOT_JSON},
	{"a number that starts with .", 200, OK("\"" KEY "\":true,\"x\":[.5]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"and -.123", 200, OK("\"" KEY "\":true,\"x\":[-.123]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"a plus", 200, OK("\"" KEY "\":true,\"x\":[+1]"), KR_STATE_UNKNOWN,
         NOT_JSON},
	{"a bare minus", 200, OK("\"" KEY "\":true,\"x\":[-]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"an empty exponent", 200, OK("\"" KEY "\":true,\"x\":[1e]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"and 1e+", 200, OK("\"" KEY "\":true,\"x\":[1e+]"), KR_STATE_UNKNOWN,
         NOT_JSON},
	{"hexadecimal", 200, OK("\"" KEY "\":true,\"x\":[0x1]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"NaN", 200, OK("\"" KEY "\":true,\"x\":[NaN]"), KR_STATE_UNKNOWN,
         NOT_JSON},
	{"an unknown escape", 200, OK("\"" KEY "\":true,\"x\":[\"\\a\"]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"a hexadecimal escape", 200, OK("\"" KEY "\":true,\"x\":[\"\\x00\"]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"an escape of no digits", 200,
         OK("\"" KEY "\":true,\"x\":[\"\\uqqqq\"]"), KR_STATE_UNKNOWN,
         NOT_JSON},
	{"an escape of three digits", 200,
         OK("\"" KEY "\":true,\"x\":[\"\\u00a\"]"), KR_STATE_UNKNOWN, NOT_JSON},
	{"a line end in a string", 200,
         OK("\"" KEY "\":true,\"x\":[\"new\nline\"]"), KR_STATE_UNKNOWN,
         NOT_JSON},
	{"a tab in a string", 200, OK("\"" KEY "\":true,\"x\":[\"\t\"]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"a control character", 200, OK("\"" KEY "\":true,\"x\":[\"\001\"]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"a form feed", 200, OK("\"" KEY "\":true,\"x\":[\f]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"a no-break space", 200, OK("\"" KEY "\":true,\"x\":[\xc2\xa0]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"a trailing comma", 200, OK("\"" KEY "\":true,\"x\":[1,]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"a missing comma", 200, OK("\"" KEY "\":true,\"x\":[1 2]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"single quotes", 200, OK("\"" KEY "\":true,\"x\":['a']"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"a comment", 200, OK("\"" KEY "\":true,\"x\":[/*1*/]"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"True", 200, OK("\"" KEY "\":true,\"x\":[True]"), KR_STATE_UNKNOWN,
         NOT_JSON},
	{"a bracket that does not fit", 200, OK("\"" KEY "\":true,\"x\":[}"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"a byte order mark", 200, "\xef\xbb\xbf" OK("\"" KEY "\":true"),
         KR_STATE_UNKNOWN, NOT_JSON},
	{"a key that goes on behind NUL", 200, OK("\"" KEY "\\u0000x\":true"),
         KR_STATE_UNKNOWN, NO_KEY},
	{"a key that ends with NUL", 200, OK("\"" KEY "\\u0000\":true"),
         KR_STATE_UNKNOWN, NO_KEY},
	{"an object that goes on behind NUL", 200,
         "{\"kubeletconfig\\u0000\":{\"" KEY "\":true}}", KR_STATE_UNKNOWN,
         ".kubeletconfig is not in the answer"},
	{"both, and the right one", 200,
         OK("\"" KEY "\\u0000x\":true,\"" KEY "\":false"), KR_STATE_FALSE, ""},
	{"a key in escapes", 200, OK("\"\\u006dakeIPTablesUtilChains\":true"),
         KR_STATE_TRUE, ""},
	{"half a surrogate pair", 200, OK("\"x\":\"\\ud800\",\"" KEY "\":true"),
         KR_STATE_TRUE, ""},
	{"an array in place of the key", 200, OK("\"x\":[\"" KEY "\",true]"),
         KR_STATE_UNKNOWN, NO_KEY},
	{"the key in an array", 200, "{\"kubeletconfig\":[{\"" KEY "\":true}]}",
         KR_STATE_UNKNOWN, ".kubeletconfig must be an object"},
	/* configz always shows our key: its absence is no false */
	{"the others that are always shown", 200,
         OK("\"authentication\":{\"anonymous\":{\"enabled\":false}},"
            "\"authorization\":{\"mode\":\"Webhook\"}"),
         KR_STATE_UNKNOWN, NO_KEY},

	/* other statuses: what a body says counts for nothing */
	{"201", 201, OK("\"" KEY "\":true"), KR_STATE_UNKNOWN,
         "status 201: not an answer of configz"},
	{"204", 204, NULL, KR_STATE_UNKNOWN,
         "status 204: not an answer of configz"},
	{"302", 302, OK("\"" KEY "\":true"), KR_STATE_UNKNOWN,
         "status 302: a redirect, which is not followed"},
	{"http to https", 400,
         "Client sent an HTTP request to an HTTPS server.\n", KR_STATE_UNKNOWN,
         "status 400: the server wants https"},
	{"http to https, nginx", 400,
         "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS "
         "port</title></head>\r\n",
         KR_STATE_UNKNOWN, "status 400: the server wants https"},
	{"http to https, with credentials", 400,
         "Client sent an HTTP request to an HTTPS server.\n", KR_STATE_UNKNOWN,
         "status 400: the server wants https", .named = true},
	{"400", 400, STATUS("invalid node request"), KR_STATE_UNKNOWN,
         "status 400: not an answer of configz"},
	{"401", 401, STATUS("Unauthorized"), KR_STATE_UNKNOWN,
         "status 401: the API server demands credentials: --token-file, or "
         "--cert and --key"},
	{"401 without words", 401, NULL, KR_STATE_UNKNOWN,
         "status 401: the API server demands credentials: --token-file, or "
         "--cert and --key"},
	{"401 with credentials", 401, STATUS("Unauthorized"), KR_STATE_UNKNOWN,
         "status 401: the API server refuses the token or the certificate",
         .named = true},
	{"401 with credentials, without words", 401, NULL, KR_STATE_UNKNOWN,
         "status 401: the API server refuses the token or the certificate",
         .named = true},
	{"401 of kubelet", 401, "Unauthorized", KR_STATE_UNKNOWN,
         "status 401: kubelet does not accept the API server's "
         "certificate"},
	{"401 of kubelet, with credentials", 401, "Unauthorized\n",
         KR_STATE_UNKNOWN,
         "status 401: kubelet does not accept the API server's "
         "certificate",
         .named = true},
	{"403", 403,
         STATUS("nodes \\\"n1\\\" is forbidden: User \\\"u\\\" cannot get "
                "resource \\\"nodes/proxy\\\""),
         KR_STATE_UNKNOWN,
         "status 403: not allowed: RBAC must grant get on nodes/proxy"},
	{"403 with credentials", 403,
         STATUS("nodes \\\"n1\\\" is forbidden: User \\\"u\\\" cannot get "
                "resource \\\"nodes/proxy\\\""),
         KR_STATE_UNKNOWN,
         "status 403: not allowed: RBAC must grant get on nodes/proxy",
         .named = true},
	{"403 for nobody", 403,
         STATUS("nodes \\\"n1\\\" is forbidden: User "
                "\\\"system:anonymous\\\" cannot get resource "
                "\\\"nodes/proxy\\\" in API group \\\"\\\" at the cluster "
                "scope"),
         KR_STATE_UNKNOWN,
         "status 403: not allowed: RBAC must grant get on nodes/proxy, and the "
         "request was one of system:anonymous"},
	/* both as minikube's issue 11966 has them */
	{"403 of a start", 403,
         STATUS("nodes \\\"n1\\\" is forbidden: User \\\"u\\\" cannot get "
                "resource \\\"nodes/proxy\\\" in API group \\\"\\\" at the "
                "cluster scope: RBAC: "
                "[clusterrole.rbac.authorization.k8s.io "
                "\\\"system:discovery\\\" not found, "
                "clusterrole.rbac.authorization.k8s.io \\\"x\\\" not "
                "found]"),
         KR_STATE_UNKNOWN,
         "status 403: not allowed: RBAC must grant get on nodes/proxy, and "
         "does not find a role that is bound"},
	{"403 of a start, and a long name before it", 403,
         STATUS("nodes \\\"" LONG LONG LONG LONG "\\\" is forbidden: RBAC: "
                "clusterrole.rbac.authorization.k8s.io \\\"x\\\" not found"),
         KR_STATE_UNKNOWN,
         "status 403: not allowed: RBAC must grant get on nodes/proxy, and "
         "does not find a role that is bound"},
	{"403 of kubectl proxy", 403, "<h3>Unauthorized</h3>", KR_STATE_UNKNOWN,
         "status 403: kubectl proxy does not take the request "
         "(--accept-hosts, --accept-paths)"},
	{"403 of somebody else", 403, "<html>blocked</html>", KR_STATE_UNKNOWN,
         "status 403: not allowed: RBAC must grant get on nodes/proxy"},
	{"403 that says true", 403, OK("\"" KEY "\":true"), KR_STATE_UNKNOWN,
         "status 403: not allowed: RBAC must grant get on nodes/proxy"},
	{"403 of kubelet", 403,
         "Forbidden (user=kube-apiserver-kubelet-client, verb=get, "
         "resource=nodes, subresource(s)=[configz proxy])\n",
         KR_STATE_UNKNOWN,
         "status 403: kubelet does not answer the API server: its user "
         "lacks get on nodes/proxy"},
	{"no such node", 404, STATUS("nodes \\\"n1\\\" not found"),
         KR_STATE_UNKNOWN,
         "status 404: the API server has no node of this name"},
	{"no such path", 404,
         STATUS("the server could not find the requested resource"),
         KR_STATE_UNKNOWN,
         "status 404: the API server does not know the path: the URL must "
         "be its own"},
	{"no handlers", 404, "404 page not found\n", KR_STATE_UNKNOWN,
         "status 404: kubelet has no configz (enableDebuggingHandlers: "
         "false), or there is no API server at the URL"},
	{"no handlers, go-restful", 404, "404: Page Not Found",
         KR_STATE_UNKNOWN,
         "status 404: kubelet has no configz (enableDebuggingHandlers: "
         "false), or there is no API server at the URL"},
	{"some web server", 404, "<html><h1>Not Found</h1></html>",
         KR_STATE_UNKNOWN, "status 404: there is no API server at the URL"},
	{"405", 405, "Debug endpoints are disabled.\n", KR_STATE_UNKNOWN,
         "status 405: not an answer of configz"},
	{"429", 429, STATUS("Too many requests"), KR_STATE_UNKNOWN,
         "status 429: the API server has too much to do"},
	{"500", 500, STATUS("Internal error occurred"), KR_STATE_UNKNOWN,
         "status 500: the API server failed"},
	{"a node without an address", 500,
         STATUS("no preferred addresses found; known addresses: []"),
         KR_STATE_UNKNOWN,
         "status 500: the API server knows no address of the node"},
	{"500 of kubectl proxy", 500,
         "dial tcp 10.0.0.1:6443: connect: connection refused\n",
         KR_STATE_UNKNOWN,
         "status 500: the proxy does not reach the API server"},
	{"500 with words of a dial", 500, STATUS("etcd: dial tcp: refused"),
         KR_STATE_UNKNOWN, "status 500: the API server failed"},
	{"502", 502, NULL, KR_STATE_UNKNOWN,
         "status 502: the proxy does not reach the API server"},
	{"503", 503,
         STATUS("error trying to reach service: dial tcp 10.0.0.5:10250: "
                "connect: connection refused"),
         KR_STATE_UNKNOWN, "status 503: the API server does not reach kubelet"},
	{"502 of the API server", 502,
         STATUS("error trying to reach service: dial tcp 10.0.0.5:10250: "
                "connect: no route to host"),
         KR_STATE_UNKNOWN, "status 502: the API server does not reach kubelet"},
	{"500 of the API server", 500,
         STATUS("error trying to reach service: EOF"), KR_STATE_UNKNOWN,
         "status 500: the API server does not reach kubelet"},
	{"503 as text", 503, "Error trying to reach service: 'EOF'",
         KR_STATE_UNKNOWN, "status 503: the API server does not reach kubelet"},
	{"503 of its own", 503, STATUS("etcd is away"), KR_STATE_UNKNOWN,
         "status 503: the API server cannot answer now"},
	{"504", 504, STATUS("Timeout"), KR_STATE_UNKNOWN,
         "status 504: kubelet did not answer the API server in time"},
	{"505", 505, NULL, KR_STATE_UNKNOWN,
         "status 505: the API server failed"},
	{"a Status that is none", 404, "{\"kind\":[],\"message\":{}}",
         KR_STATE_UNKNOWN, "status 404: there is no API server at the URL"},
	{"999", 999, NULL, KR_STATE_UNKNOWN,
         "status 999: not an answer of configz"},
};

static struct kr_http_answer answer(const struct row *row)
{
	size_t size = row->size ? row->size : row->body ? strlen(row->body) : 0;

	return (struct kr_http_answer){
		.status = row->status,
		.body = size ? row->body : NULL,
		.body_size = size,
		.named = row->named,
	};
}

START_TEST(test_judge)
{
	const struct row *row = &rows[_i];
	struct kr_http_answer a = answer(row);
	struct kr_configz got = {.state = KR_STATE_TRUE, .reason = "old"};

	kr_configz_judge(&a, KEY, &got);
	ck_assert_msg(got.state == row->want, "%s: got %d: %s", row->name,
	              got.state, got.reason);
	ck_assert_msg(strcmp(got.reason, row->reason) == 0, "%s: got '%s'",
	              row->name, got.reason);
}
END_TEST

/* Nothing that does not answer is anything but unknown. */
START_TEST(test_no_answer)
{
	struct kr_http_answer a = {
		.error = (enum kr_http_error)_i,
		.words = "what went wrong",
		.status = 200,
		.body = OK("\"" KEY "\":true"),
		.body_size = strlen(OK("\"" KEY "\":true")),
	};
	struct kr_configz got;

	kr_configz_judge(&a, KEY, &got);
	ck_assert_int_eq(got.state, KR_STATE_UNKNOWN);
	ck_assert_str_eq(got.reason, "what went wrong");
	ck_assert(got.again == KR_AGAIN_NEVER || got.again == KR_AGAIN_OFTEN);
}
END_TEST

/* What the server said is told as a terminal may be given it. */
static const struct detail_row {
	const char *name;
	const char *body;
	size_t size; /* of a body with a NUL in it */
	const char *want;
} details[] = {
	{"plain", STATUS("no, no"), 0, "no, no"},
	{"C0 in a Status", STATUS("no\\u001b[31m for you\\n"), 0,
         "no\\x1b[31m for you"},
	{"letters", STATUS("\\u00e9 \xe6\x97\xa5"), 0, "\xc3\xa9 \xe6\x97\xa5"},
	{"C1 in a Status", STATUS("a\\u009b31m"), 0, "a\\u009b31m"},
	{"marks in a Status", STATUS("a\\u202e\\u2066b"), 0,
         "a\\u202e\\u2066b"},
	{"C0 in text", "404\033]0;x\007 y\n", 0, "404\\x1b]0;x\\x07 y"},
	{"C1 in text, no UTF-8",
         "404 \x9b"
         "2J\x80\x9f",
         0, "404 \\x9b2J\\x80\\x9f"},
	{"C1 in text, UTF-8",
         "404 \xc2\x9b"
         "2J",
         0, "404 \\u009b2J"},
	{"marks in text",
         "404 \xe2\x80\xae"
         "x\xe2\x81\xa9",
         0, "404 \\u202ex\\u2069"},
	{"lines", "<html>\r\n<p>no\n\n", 0, "<html>\\x0d\\x0a<p>no"},
	{"nothing but lines", "\r\n\n", 0, ""},
	{"a NUL ends it", "ab\0c", 4, "ab"},
	{"a word of ours", STATUS("say \\\\x1b"), 0, "say \\x1b"},
	{"a Status without words", "{\"kind\":\"Status\"}", 0, ""},
	{"much", STATUS(LONG LONG LONG "123456789012345678\\u202e\\u202e"), 0,
         LONG LONG LONG "123456789012345678"},
	{"much, and one fits",
         STATUS(LONG LONG LONG "1234567890123\\u202e\\u202e"), 0,
         LONG LONG LONG "1234567890123\\u202e"},
};

START_TEST(test_detail)
{
	const struct detail_row *row = &details[_i];
	struct kr_http_answer a = {
		.status = 403,
		.body = row->body,
		.body_size = row->size ? row->size : strlen(row->body),
	};
	struct kr_configz got;

	kr_configz_judge(&a, KEY, &got);
	ck_assert_msg(strcmp(got.detail, row->want) == 0, "%s: '%s'", row->name,
	              got.detail);
}
END_TEST

/* A Status that is larger than any is not made a tree of. */
START_TEST(test_large_status)
{
	static const char text[] = STATUS("m");
	static char body[300 * 1024];
	struct kr_http_answer a = {
		.status = 403, .body = body, .body_size = sizeof(body) - 1};
	struct kr_configz got;

	memset(body, ' ', sizeof(body) - 1);
	memcpy(body, text, strlen(text));
	kr_configz_judge(&a, KEY, &got);
	ck_assert_str_eq(got.detail, text);
	a.body_size = 200 * 1024;
	body[a.body_size] = '\0';
	kr_configz_judge(&a, KEY, &got);
	ck_assert_str_eq(got.detail, "m");
}
END_TEST

/* A real kubelet's answer, whole and cut at each byte. */
START_TEST(test_sample)
{
	_cleanup_fclose_ FILE *file = kr_cases_open("configz-sample.json");
	struct kr_http_answer a = {.status = 200};
	struct kr_configz got;
	char text[8192];
	size_t size;

	size = fread(text, 1, sizeof(text), file);
	ck_assert_uint_lt(size, sizeof(text));
	a.body = text;
	text[size] = '\0';
	for (a.body_size = 0; a.body_size < size; a.body_size++) {
		char next = text[a.body_size];

		text[a.body_size] = '\0';
		kr_configz_judge(&a, KEY, &got);
		text[a.body_size] = next;
		ck_assert_msg(got.state == KR_STATE_UNKNOWN, "%zu bytes",
		              a.body_size);
	}
	kr_configz_judge(&a, KEY, &got);
	ck_assert_msg(got.state == KR_STATE_FALSE, "%s", got.reason);
	kr_configz_judge(&a, "failSwapOn", &got);
	ck_assert_int_eq(got.state, KR_STATE_FALSE);
	kr_configz_judge(&a, "enableServer", &got);
	ck_assert_int_eq(got.state, KR_STATE_TRUE);
}
END_TEST

/* Objects within objects are no way to our stack. */
START_TEST(test_deep)
{
	enum {
		SIZE = 1 << 20
	};
	struct kr_http_answer a = {.status = 200, .body_size = SIZE};
	_cleanup_free_ char *text = malloc(SIZE + 1);
	struct kr_configz got;

	ck_assert_ptr_nonnull(text);
	memset(text, '[', SIZE);
	text[SIZE] = '\0';
	a.body = text;
	kr_configz_judge(&a, KEY, &got);
	ck_assert_str_eq(got.reason, NOT_JSON);
}
END_TEST

static const struct name_row {
	const char *name;
	const char *want; /* the path; NULL: refused */
} names[] = {
	{"ip-10-0-3-4.ec2.internal",
         "/api/v1/nodes/ip-10-0-3-4.ec2.internal/proxy/configz"},
	{"a_b~c", "/api/v1/nodes/a_b~c/proxy/configz"},
	{"a b", "/api/v1/nodes/a%20b/proxy/configz"},
	{"../../secrets", "/api/v1/nodes/..%2F..%2Fsecrets/proxy/configz"},
	{"n?x=1#y", "/api/v1/nodes/n%3Fx%3D1%23y/proxy/configz"},
	{"https:n:10255", "/api/v1/nodes/https%3An%3A10255/proxy/configz"},
	{"a\r\nHost: b", "/api/v1/nodes/a%0D%0AHost%3A%20b/proxy/configz"},
	{"100%", "/api/v1/nodes/100%25/proxy/configz"},
	{"n\xc3\xa9", "/api/v1/nodes/n%C3%A9/proxy/configz"},
	{"", NULL},
	{".", NULL},
	{"..", NULL},
};

START_TEST(test_path)
{
	const struct name_row *row = &names[_i];
	_cleanup_free_ char *why = NULL, *path = NULL;
	int r;

	ck_assert_msg(kr_curl_load(&why) == 0, "%s", why);
	r = kr_configz_path(row->name, &path);
	if (!row->want) {
		ck_assert_msg(r == -EINVAL, "'%s': %d", row->name, r);
		return;
	}
	ck_assert_msg(r == 0, "'%s': %d", row->name, r);
	ck_assert_str_eq(path, row->want);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "configz", NULL, NULL);

	tcase_add_loop_test(tc, test_judge, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_no_answer, KR_HTTP_ANSWERED + 1,
	                    _KR_HTTP_ERROR_MAX);
	tcase_add_loop_test(tc, test_detail, 0, ARRAY_SIZE(details));
	tcase_add_test(tc, test_large_status);
	tcase_add_test(tc, test_sample);
	tcase_add_test(tc, test_deep);
	tcase_add_loop_test(tc, test_path, 0, ARRAY_SIZE(names));
}

KR_TEST_MAIN(add_tests);
