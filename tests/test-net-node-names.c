/* SPDX-License-Identifier: Apache-2.0 */

/* net/node-names: whatever happens to the list, each name comes once. */

#include <errno.h>
#include <string.h>

#include "net/node-names.h"
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
         "a b c d"},
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
          {EXPIRED(""), 0, -EBADMSG}},
         "b a",
         "not in order"},
	{"too old again and again",
         {FIRST, AGAIN, AGAIN, AGAIN, AGAIN, {EXPIRED(RESUME), 0, -EBADMSG}},
         "a b",
         "again and again"},
	{"too old without a token", {{EXPIRED(""), 0, -EBADMSG}}, "", "410"},
	{"pages without end",
         {FIRST,
          {PAGE("s1", ""), 0, 0, NODES "500&continue=s1"},
          {PAGE("s2", ""), 0, 0, NODES "500&continue=s2"},
          {PAGE("s3", ""), 0, 0, NODES "500&continue=s3"},
          {PAGE("s4", ""), 0, 0, NODES "500&continue=s4"},
          {PAGE("s5", ""), 0, -EBADMSG}},
         "a b",
         "does not end"},
	{"a token that comes again",
         {FIRST, {PAGE("t1", NODE("c")), 0, -EBADMSG}},
         "a b",
         "came again"},
	{"no JSON", {{200, "hello", 0, -EBADMSG}}, "", "a list of nodes"},
	{"no body", {{200, NULL, 0, -EBADMSG}}, "", "a list of nodes"},
	{"pods",
         {{200, "{\"kind\":\"PodList\",\"items\":[]}", 0, -EBADMSG}},
         "",
         "a list of nodes"},
	{"401",
         {{401, NULL, 0, -EBADMSG}},
         "",
         "status 401: the API server "
         "does not accept who asks"},
	{"403",
         {{403, "{\"kind\":\"Status\",\"message\":\"no, no\"}", 0, -EBADMSG}},
         "",
         "RBAC must grant list on nodes (no, no)"},
	{"403 for the second page",
         {FIRST, {403, NULL, 0, -EBADMSG}},
         "a b",
         "RBAC must grant list on nodes"},
	{"404",
         {{404, "404 page not found", 0, -EBADMSG}},
         "",
         "there is no API server at the URL"},
	{"500",
         {{500, NULL, 0, -EBADMSG}},
         "",
         "status 500: the API server "
         "failed"},
	{"504", {{504, NULL, 0, -EBADMSG}}, "", "took too long"},
	{"302", {{302, NULL, 0, -EBADMSG}}, "", "redirect"},
	{"nobody there",
         {{0, NULL, KR_HTTP_REFUSED, -EBADMSG}},
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
          {0, NULL, KR_HTTP_TOO_LARGE, -EBADMSG}},
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
	int r;

	if (step->error != KR_HTTP_ANSWERED)
		strlcpy(answer.words, "said words", sizeof(answer.words));
	ck_assert_msg(kr_node_names_wants_page(names), "%s, step %zu: no page",
	              row->name, number);
	r = kr_node_names_hear(names, &answer, ret_reason);
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
	char *name;

	while ((name = kr_node_names_take(names))) {
		strlcat(got, *got ? " " : "", size);
		strlcat(got, name, size);
		free(name);
	}
}

START_TEST(test_list)
{
	const struct row *row = &rows[_i];
	_cleanup_free_ char *why = NULL, *reason = NULL;
	struct kr_node_names names;
	char got[256] = "";
	size_t i;

	ck_assert_msg(kr_curl_load(&why) == 0, "%s", why);
	kr_node_names_init(&names);
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

/* However long the list, no more than a page and a half are known. */
START_TEST(test_bounded)
{
	struct kr_node_names names;
	size_t taken = 0;

	kr_node_names_init(&names);
	for (size_t page = 0; page < 40; page++) {
		_cleanup_free_ char *body = make_page(page * 500, 500);
		_cleanup_free_ char *reason = NULL;
		const struct kr_http_answer answer = {
			.status = 200,
			.body = body,
			.body_size = strlen(body),
		};

		ck_assert_int_eq(kr_node_names_hear(&names, &answer, &reason),
		                 0);
		ck_assert_uint_le(names.page.n_names, 750);
		while (!kr_node_names_wants_page(&names)) {
			_cleanup_free_ char *name = kr_node_names_take(&names);

			ck_assert_uint_eq(strtoul(name, NULL, 10), taken);
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

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "names", NULL, NULL);

	tcase_add_loop_test(tc, test_list, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_bounded);
	tcase_add_test(tc, test_given);
}

KR_TEST_MAIN(add_tests);
