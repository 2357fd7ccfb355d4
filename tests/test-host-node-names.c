/* SPDX-License-Identifier: Apache-2.0 */

/* host/node-names: whatever happens to the list, each name comes once. */

#include <errno.h>
#include <string.h>

#include "host/node-names.h"
#include "testing.h"

#define PAGE(token, items)                                                     \
	200, "{\"kind\":\"NodeList\",\"metadata\":{\"continue\":\"" token      \
	     "\",\"remainingItemCount\":3},\"items\":[" items "]}"
#define NODE(name)   "{\"metadata\":{\"name\":\"" name "\"}}"
#define EXPIRED(how) 410, "{\"kind\":\"Status\",\"metadata\":{" how "}}"
#define RESUME       "\"continue\":\"again\""
#define NODES        "/api/v1/nodes?limit="

/* An answer, what it leads to, and what is asked for then. */
struct step {
	unsigned status;
	const char *body;
	enum kr_http_error error;
	int want;
	const char *path; /* NULL: no page is wanted any more */
};

struct row {
	const char *name;
	struct step steps[14]; /* up to one without a status and an error */
	const char *names;     /* in order */
	const char *reason;    /* a part of it */
};

#define L50  "12345678901234567890123456789012345678901234567890"
#define L253 L50 L50 L50 L50 L50 "123"

#define FIRST                                                                  \
	{                                                                      \
		PAGE("t1", NODE("a") "," NODE("b")), 0, 0,                     \
			NODES "500&continue=t1"                                \
	}
#define AGAIN                                                                  \
	{                                                                      \
		EXPIRED(RESUME), 0, 1, NODES "500&continue=again"              \
	}

static const struct row rows[] = {
	{"one page", {{PAGE("", NODE("a") "," NODE("b"))}}, "a b"},
	{"an empty cluster", {{PAGE("", "")}}, ""},
	{"two pages", {FIRST, {PAGE("", NODE("c"))}}, "a b c"},
	{"an empty page",
         {FIRST,
          {PAGE("t2", ""), 0, 0, NODES "500&continue=t2"},
          {PAGE("", NODE("c"))}},
         "a b c"},
	{"in no order",
         {{PAGE("t1", NODE("b") "," NODE("a")), 0, 0, NODES "500&continue=t1"},
          {PAGE("", NODE("c"))}},
         "b a c"},
	{"too old, a token to go on",
         {FIRST, AGAIN, {PAGE("", NODE("c"))}},
         "a b c"},
	{"in no order, a token to go on",
         {{PAGE("t1", NODE("b") "," NODE("a")), 0, 0, NODES "500&continue=t1"},
          AGAIN,
          {PAGE("", NODE("c"))}},
         "b a c"},
	{"too old, from the start",
         {FIRST,
          {EXPIRED(""), 0, 1, NODES "500"},
          {PAGE("", NODE("a") "," NODE("b") "," NODE("c"))}},
         "a b c"},
	{"from the start, and one has gone and one has come",
         {FIRST,
          {EXPIRED(""), 0, 1, NODES "500"},
          {PAGE("t2", NODE("a")), 0, 0, NODES "500&continue=t2"},
          {PAGE("", NODE("aa") "," NODE("c") "," NODE("d"))}},
         "a b aa c d"},
	{"from the start, and a name that begins like the last",
         {FIRST,
          {EXPIRED(""), 0, 1, NODES "500"},
          {PAGE("", NODE("a") "," NODE("b") "," NODE("b0"))}},
         "a b b0"},
	{"from the start, many pages of what is known",
         {{PAGE("t1", NODE("a") "," NODE("b") "," NODE("c") "," NODE(
			      "d") "," NODE("e") "," NODE("f") "," NODE("g")),
           0, 0, NODES "500&continue=t1"},
          {EXPIRED(""), 0, 1, NODES "500"},
          {PAGE("1", NODE("a")), 0, 0, NODES "500&continue=1"},
          {PAGE("2", NODE("b")), 0, 0, NODES "500&continue=2"},
          {PAGE("3", NODE("c")), 0, 0, NODES "500&continue=3"},
          {PAGE("4", NODE("d")), 0, 0, NODES "500&continue=4"},
          {PAGE("5", NODE("e")), 0, 0, NODES "500&continue=5"},
          {PAGE("6", NODE("f")), 0, 0, NODES "500&continue=6"},
          {PAGE("", NODE("g") "," NODE("h"))}},
         "a b c d e f g h"},
	{"twice from the start",
         {FIRST,
          {EXPIRED(""), 0, 1, NODES "500"},
          {PAGE("t2", NODE("a") "," NODE("b") "," NODE("c")), 0, 0,
           NODES "500&continue=t2"},
          {EXPIRED(""), 0, 1, NODES "500"},
          {PAGE("", NODE("a") "," NODE("b") "," NODE("c") "," NODE("d"))}},
         "a b c d"},
	{"too large",
         {{0, NULL, KR_HTTP_TOO_LARGE, 1, NODES "250"},
          {0, NULL, KR_HTTP_TOO_LARGE, 1, NODES "125"},
          {PAGE("t1", NODE("a")), 0, 0, NODES "125&continue=t1"},
          {PAGE("", NODE("b"))}},
         "a b"},

	{"in no order, from the start",
         {{PAGE("t1", NODE("b") "," NODE("a")), 0, 0, NODES "500&continue=t1"},
          {EXPIRED(""), 0, 1, NODES "500"},
          {PAGE("", NODE("a") "," NODE("c") "," NODE("b"))}},
         "b a c"},
	{"a name twice, one behind the other",
         {{PAGE("", NODE("a") "," NODE("a") "," NODE("b"))}},
         "a b"},
	{"a name twice in a page",
         {{PAGE("", NODE("a") "," NODE("b") "," NODE("a"))}},
         "a b"},
	{"a name of a page before",
         {FIRST,
          {PAGE("t2", NODE("c") "," NODE("a")), 0, 0, NODES "500&continue=t2"},
          {PAGE("", NODE("b") "," NODE("d") "," NODE("c"))}},
         "a b c d"},
	{"a name that differs by its case, and one by its end",
         {FIRST, {PAGE("", NODE("A") "," NODE("a.") "," NODE("aa"))}},
         "a b A a. aa"},
	{"a token of the list that was too old",
         {FIRST,
          AGAIN,
          {PAGE("t1", NODE("c")), 0, 0, NODES "500&continue=t1"},
          {PAGE("", NODE("d"))}},
         "a b c d"},
	{"too old again and again",
         {FIRST,
          AGAIN,
          AGAIN,
          AGAIN,
          AGAIN,
          {EXPIRED(RESUME), 0, KR_MALFORMED}},
         "a b",
         "again and again"},
	{"too old without a token",
         {{EXPIRED(""), 0, KR_MALFORMED}},
         "",
         "410"},
	{"pages without end",
         {FIRST,
          {PAGE("s1", ""), 0, 0, NODES "500&continue=s1"},
          {PAGE("s2", ""), 0, 0, NODES "500&continue=s2"},
          {PAGE("s3", ""), 0, 0, NODES "500&continue=s3"},
          {PAGE("s4", ""), 0, 0, NODES "500&continue=s4"},
          {PAGE("s5", ""), 0, KR_MALFORMED}},
         "a b",
         "does not end"},
	{"a token that comes again",
         {FIRST, {PAGE("t1", NODE("c")), 0, KR_MALFORMED}},
         "a b",
         "came again"},
	{"a token that comes again later",
         {FIRST,
          {PAGE("t2", NODE("c")), 0, 0, NODES "500&continue=t2"},
          {PAGE("t3", NODE("d")), 0, 0, NODES "500&continue=t3"},
          {PAGE("t2", NODE("e")), 0, KR_MALFORMED}},
         "a b c d",
         "came again"},
	{"a token that comes again after the list was too old",
         {FIRST,
          AGAIN,
          {PAGE("t2", NODE("c")), 0, 0, NODES "500&continue=t2"},
          {PAGE("t3", NODE("d")), 0, 0, NODES "500&continue=t3"},
          {PAGE("t2", NODE("e")), 0, KR_MALFORMED}},
         "a b c d",
         "came again"},
	{"the token that the 410 gave comes again",
         {FIRST, AGAIN, {PAGE("again", NODE("c")), 0, KR_MALFORMED}},
         "a b",
         "came again"},
	{"the same page without end, with new tokens",
         {FIRST,
          {PAGE("s1", NODE("a")), 0, 0, NODES "500&continue=s1"},
          {PAGE("s2", NODE("b")), 0, 0, NODES "500&continue=s2"},
          {PAGE("s3", NODE("a")), 0, 0, NODES "500&continue=s3"},
          {PAGE("s4", NODE("b")), 0, 0, NODES "500&continue=s4"},
          {PAGE("s5", NODE("a")), 0, KR_MALFORMED}},
         "a b",
         "does not end"},
	{"a name of 253 bytes", {{PAGE("", NODE(L253))}}, L253},
	{"a name of 254 bytes",
         {{PAGE("", NODE(L253 "x")), 0, KR_MALFORMED}},
         "",
         "more than 253 bytes"},
	{"no JSON", {{200, "hello", 0, KR_MALFORMED}}, "", "a list of nodes"},
	{"no body", {{200, NULL, 0, KR_MALFORMED}}, "", "a list of nodes"},
	{"pods",
         {{200, "{\"kind\":\"PodList\",\"items\":[]}", 0, KR_MALFORMED}},
         "",
         "a list of nodes"},
	{"401",
         {{401, NULL, 0, KR_MALFORMED}},
         "",
         "status 401: the API server "
         "demands credentials"},
	{"403",
         {{403, "{\"kind\":\"Status\",\"message\":\"no, no\"}", 0,
           KR_MALFORMED}},
         "",
         "RBAC must grant list on nodes (no, no)"},
	{"403 for the second page",
         {FIRST, {403, NULL, 0, KR_MALFORMED}},
         "a b",
         "RBAC must grant list on nodes"},
	{"404",
         {{404, "404 page not found", 0, KR_MALFORMED}},
         "",
         "there is no API server at the URL"},
	{"500",
         {{500, NULL, 0, KR_MALFORMED}},
         "",
         "status 500: the API server "
         "failed"},
	{"504", {{504, NULL, 0, KR_MALFORMED}}, "", "took too long"},
	{"302", {{302, NULL, 0, KR_MALFORMED}}, "", "redirect"},
	{"nobody there",
         {{0, NULL, KR_HTTP_REFUSED, KR_MALFORMED}},
         "",
         "said words"},
	{"one node is too large",
         {{0, NULL, KR_HTTP_TOO_LARGE, 1, NODES "250"},
          {0, NULL, KR_HTTP_TOO_LARGE, 1, NODES "125"},
          {0, NULL, KR_HTTP_TOO_LARGE, 1, NODES "62"},
          {0, NULL, KR_HTTP_TOO_LARGE, 1, NODES "31"},
          {0, NULL, KR_HTTP_TOO_LARGE, 1, NODES "15"},
          {0, NULL, KR_HTTP_TOO_LARGE, 1, NODES "7"},
          {0, NULL, KR_HTTP_TOO_LARGE, 1, NODES "3"},
          {0, NULL, KR_HTTP_TOO_LARGE, 1, NODES "1"},
          {0, NULL, KR_HTTP_TOO_LARGE, KR_MALFORMED}},
         "",
         "said words"},
};

static void check_step(const struct row *row, size_t number,
                       struct kr_node_names *names, char **ret_reason)
{
	const struct step *step = &row->steps[number];
	struct kr_http_answer answer = {
		.error = step->error,
		.status = step->status,
		.body = step->body,
		.body_size = step->body ? strlen(step->body) : 0,
	};
	_cleanup_free_ char *path = NULL;
	struct kr_configz said;
	int r;

	if (step->error != KR_HTTP_ANSWERED)
		strlcpy(answer.words, "said words", sizeof(answer.words));
	ck_assert_msg(kr_node_names_wants_page(names), "%s, step %zu: no page",
	              row->name, number);
	kr_configz_judge(&answer, "", &said);
	r = kr_node_names_hear(names, &answer, &said, ret_reason);
	ck_assert_msg(r == step->want, "%s, step %zu: %d", row->name, number,
	              r);
	ck_assert_msg(kr_node_names_wants_page(names) == !!step->path,
	              "%s, step %zu: wants a page or not", row->name, number);
	if (!step->path)
		return;
	ck_assert_int_eq(kr_node_names_path(names, &path), 0);
	ck_assert_msg(strcmp(path, step->path) == 0, "%s, step %zu: %s",
	              row->name, number, path);
}

/* Takes all names into GOT, with blanks between. */
static void take_all(struct kr_node_names *names, char *got, size_t size)
{
	struct kr_node_entry node;

	while (kr_node_names_take(names, &node)) {
		strlcat(got, *got ? " " : "", size);
		strlcat(got, node.name, size);
		free(node.name);
	}
}

START_TEST(test_list)
{
	const struct row *row = &rows[_i];
	_cleanup_free_ char *why = NULL, *reason = NULL;
	struct kr_node_names names;
	char got[512] = "";
	size_t i;

	ck_assert_msg(kr_curl_load(&why) == 0, "%s", why);
	kr_node_names_init(&names, NULL);
	for (i = 0; row->steps[i].status || row->steps[i].error; i++) {
		check_step(row, i, &names, &reason);
		/* taken now or later: it makes no difference */
		if (i % 2 == 0)
			take_all(&names, got, sizeof(got));
	}
	take_all(&names, got, sizeof(got));
	ck_assert_msg(strcmp(got, row->names) == 0, "%s: %s", row->name, got);
	ck_assert_msg(!row->reason == !reason, "%s: %s", row->name, reason);
	if (reason)
		ck_assert_msg(strstr(reason, row->reason), "%s: %s", row->name,
		              reason);
	kr_node_names_done(&names);
}
END_TEST

/* A page of N names from number AT on, with another one behind it. */
static char *make_page(size_t at, size_t n)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fprintf(out,
	        "{\"kind\":\"NodeList\",\"metadata\":{\"continue\":"
	        "\"t%zu\"},\"items\":[",
	        at);
	for (size_t i = at; i < at + n; i++)
		fprintf(out,
		        "%s"
		        "{\"metadata\":{\"name\":\"%06zu\"}}",
		        i > at ? "," : "", i);
	fputs("]}", out);
	fclose(out);
	return text;
}

/* The page BODY is heard, or, with SAID, nothing in time after that. */
static int hear(struct kr_node_names *names, const char *body,
                const struct kr_configz *said, char **ret_reason)
{
	const struct kr_http_answer page = {
		.status = 200,
		.body = body,
		.body_size = strlen(body),
	};
	const struct kr_http_answer late = {
		.error = KR_HTTP_TIMED_OUT,
		.words = "no answer in time",
	};
	static const struct kr_configz none;

	return kr_node_names_hear(names, said ? &late : &page,
	                          said ? said : &none, ret_reason);
}

/* What was said before counts where the time is over then. */
START_TEST(test_said_before)
{
	static const struct {
		struct kr_configz said;
		const char *want;
	} waits[] = {
		{{.status = 503,
	          .reason = "status 503: the API server cannot answer now",
	          .detail = "etcd is away"},
	         "status 503: the API server cannot answer now (etcd is away)"},
		{{.status = 403,
	          .reason = "what is missing for configz",
	          .detail = "no role"},
	         "status 403: not allowed: RBAC must grant list on nodes (no "
	         "role)"},
		{{.reason = "no answer in time"}, "no answer in time"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		_cleanup_free_ char *reason = NULL;
		struct kr_node_names names;

		kr_node_names_init(&names, NULL);
		ck_assert_int_eq(hear(&names, "", &waits[i].said, &reason),
		                 KR_MALFORMED);
		ck_assert_str_eq(reason, waits[i].want);
		kr_node_names_done(&names);
	}
}
END_TEST

/* Pages of N names that are all new, and never the last; SAID: why it ended. */
static void list_without_end(size_t n, size_t want_pages, size_t want_names,
                             const char *said)
{
	_cleanup_free_ char *reason = NULL;
	struct kr_node_names names;
	size_t pages = 0;
	int r = 0;

	kr_node_names_init(&names, NULL);
	for (; r == 0 && pages <= want_pages; pages++) {
		_cleanup_free_ char *body = make_page(pages * n, n);

		ck_assert(kr_node_names_wants_page(&names));
		r = hear(&names, body, NULL, &reason);
		for (struct kr_node_entry node;
		     kr_node_names_take(&names, &node);)
			free(node.name);
	}
	ck_assert_int_eq(r, KR_MALFORMED);
	ck_assert_str_eq(reason, said);
	ck_assert_uint_eq(pages, want_pages);
	ck_assert_uint_eq(names.n_known, want_names);
	ck_assert(!kr_node_names_wants_page(&names));
	kr_node_names_done(&names);
}

START_TEST(test_without_end)
{
	list_without_end(20000, 10, 200000,
	                 "the list of nodes does not end: 200,000 names came");
	list_without_end(1, 5000, 5000,
	                 "the list of nodes does not end: 5,000 pages came");
}
END_TEST

/* A token is as long as a name at most, and some words. */
START_TEST(test_token_length)
{
	for (size_t more = 0; more < 2; more++) {
		size_t size = KR_NODE_NAMES_TOKEN_MAX + more;
		_cleanup_free_ char *token = calloc(1, size + 1);
		_cleanup_free_ char *body = NULL, *reason = NULL;
		struct kr_node_names names;

		memset(token, 'x', size);
		ck_assert_int_gt(asprintf(&body,
		                          "{\"kind\":\"NodeList\",\"items\":"
		                          "[],\"metadata\":{\"continue\":"
		                          "\"%s\"}}",
		                          token),
		                 0);
		kr_node_names_init(&names, NULL);
		ck_assert_int_eq(hear(&names, body, NULL, &reason),
		                 more ? KR_MALFORMED : 0);
		if (more)
			ck_assert_ptr_nonnull(strstr(reason, "4,096 bytes"));
		kr_node_names_done(&names);
	}
}
END_TEST

/* However long the list, no more than a page and a half wait. */
START_TEST(test_bounded)
{
	struct kr_node_names names;
	size_t taken = 0;

	kr_node_names_init(&names, NULL);
	for (size_t page = 0; page < 40; page++) {
		_cleanup_free_ char *body = make_page(page * 500, 500);
		_cleanup_free_ char *reason = NULL;

		ck_assert_int_eq(hear(&names, body, NULL, &reason), 0);
		ck_assert_uint_le(names.page.n_nodes, 750);
		while (!kr_node_names_wants_page(&names)) {
			struct kr_node_entry node;

			ck_assert(kr_node_names_take(&names, &node));
			ck_assert_uint_eq(strtoul(node.name, NULL, 10), taken);
			free(node.name);
			taken++;
		}
	}
	ck_assert_uint_ge(taken, 19000);
	kr_node_names_done(&names);
}
END_TEST

START_TEST(test_given)
{
	static const char *const given[] = {"b", "a"};
	struct kr_node_names names;
	char got[16] = "";

	ck_assert_int_eq(kr_node_names_init_given(&names, given, 2), 0);
	ck_assert(!kr_node_names_wants_page(&names));
	ck_assert_uint_eq(kr_node_names_total(&names), 2);
	ck_assert(kr_node_names_any(&names));
	take_all(&names, got, sizeof(got));
	ck_assert_str_eq(got, "b a");
	ck_assert(!kr_node_names_any(&names));
	kr_node_names_done(&names);
}
END_TEST

/* Those that are given, with what the list has of them; what it does not have
 * comes last, also where the list ends early. */
START_TEST(test_looked_up)
{
	static const char *const given[] = {"b", "c", "w", "zz"};
	static const char body[] =
		"{\"kind\":\"NodeList\",\"metadata\":{\"continue\":\"%s\"},"
		"\"items\":[" NODE("a") "," NODE(
			"b") ",{\"metadata\":{\"name\":"
			     "\"w\",\"labels\":{\"kubernetes.io/"
			     "os\":\"windows\"}}},"
			     "{\"metadata\":{\"name\":\"c\"},\"status\":{"
			     "\"nodeInfo\":"
			     "{\"kubeletVersion\":\"v1.30.1\"}}}]}";
	_cleanup_free_ char *whole = NULL, *reason = NULL;
	struct kr_node_names names;
	char got[64] = "";

	ck_assert_int_gt(asprintf(&whole, body, _i ? "t" : ""), 0);
	kr_node_names_init_looked_up(&names, given, ARRAY_SIZE(given));
	ck_assert_int_eq(hear(&names, whole, NULL, &reason), 0);
	ck_assert_uint_eq(names.page.nodes[1].minor, 30);
	take_all(&names, got, sizeof(got));
	ck_assert_str_eq(got, _i ? "b c" : "b c zz");
	if (_i)
		ck_assert_int_eq(hear(&names, "", NULL, &reason), KR_MALFORMED);
	take_all(&names, got, sizeof(got));
	ck_assert_str_eq(got, "b c zz");
	ck_assert_uint_eq(names.n_left_out, 1);
	ck_assert_uint_eq(kr_node_names_total(&names), 3);
	ck_assert(!kr_node_names_wants_page(&names));
	kr_node_names_done(&names);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "names", NULL, NULL);

	tcase_add_loop_test(tc, test_list, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_said_before);
	tcase_add_test(tc, test_without_end);
	tcase_add_test(tc, test_token_length);
	tcase_add_test(tc, test_bounded);
	tcase_add_loop_test(tc, test_looked_up, 0, 2);
	tcase_add_test(tc, test_given);
}

KR_TEST_MAIN(add_tests);
