/* SPDX-License-Identifier: Apache-2.0 */

/* base/json: what is JSON, where its tokens are, and where it ends to be. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "testing.h"

struct row {
	const char *name;
	const char *in;
	/* the tokens' texts, each in <>; or where and why it is no JSON */
	const char *tokens;
	unsigned line, column;
	const char *error;
};

static const struct row rows[] = {
	{.name = "members",
         .in = " {\"a\" : 1 ,\"b\":[true,null]}\n",
         .tokens = "<{><\"a\"><:><1><,><\"b\"><:><[><true><,><null><]><}>"},
	{.name = "empty", .in = "[{},[]]", .tokens = "<[><{><}><,><[><]><]>"},
	{.name = "numbers",
         .in = "[0,-0,1.50,1e3,1E-3,-12.5e+10,9007199254740993]",
         .tokens = "<[><0><,><-0><,><1.50><,><1e3><,><1E-3><,><-12.5e+10><,>"
                   "<9007199254740993><]>"},
	{.name = "strings",
         .in = "[\"\",\"\\\\\",\"\\\"\",\"\\u00e9\\/\",\"\xff\x7f\"]",
         .tokens = "<[><\"\"><,><\"\\\\\"><,><\"\\\"\"><,><\"\\u00e9\\/\"><,>"
                   "<\"\xff\x7f\"><]>"},
	{.name = "a bare word", .in = "false", .tokens = "<false>"},

	{.name = "nothing",
         .in = "",
         .line = 1,
         .column = 1,
         .error = "expected a value"},
	{.name = "blanks only",
         .in = " \n ",
         .line = 2,
         .column = 2,
         .error = "expected a value"},
	{.name = "not closed",
         .in = "{\n\"a\":1\n",
         .line = 3,
         .column = 1,
         .error = "expected '}' to close the object opened at 1:1"},
	{.name = "not closed behind the colon",
         .in = "{\"a\":",
         .line = 1,
         .column = 6,
         .error = "expected '}' to close the object opened at 1:1"},
	{.name = "array not closed",
         .in = "{\"a\":[1}",
         .line = 1,
         .column = 8,
         .error = "expected ',' or ']' to close the array opened at 1:6"},
	{.name = "object closed by ]",
         .in = "{\"a\":1]",
         .line = 1,
         .column = 7,
         .error = "expected ',' or '}' to close the object opened at 1:1"},
	{.name = "trailing comma",
         .in = "{\"a\":1,}",
         .line = 1,
         .column = 8,
         .error = "expected a name in double quotes"},
	{.name = "trailing comma in an array",
         .in = "[1,]",
         .line = 1,
         .column = 4,
         .error = "expected a value"},
	{.name = "leading comma",
         .in = "{,}",
         .line = 1,
         .column = 2,
         .error = "expected a name in double quotes or '}'"},
	{.name = "two commas",
         .in = "[1,,2]",
         .line = 1,
         .column = 4,
         .error = "expected a value"},
	{.name = "missing comma",
         .in = "{\"a\":1 \"b\":2}",
         .line = 1,
         .column = 8,
         .error = "expected ',' or '}' to close the object opened at 1:1"},
	{.name = "missing colon",
         .in = "{\"a\" 1}",
         .line = 1,
         .column = 6,
         .error = "expected ':' behind the name"},
	{.name = "two colons",
         .in = "{\"a\"::1}",
         .line = 1,
         .column = 6,
         .error = "expected a value"},
	{.name = "name without quotes",
         .in = "{a:1}",
         .line = 1,
         .column = 2,
         .error = "expected a name in double quotes or '}'"},
	{.name = "single quotes",
         .in = "{'a':1}",
         .line = 1,
         .column = 2,
         .error = "expected a name in double quotes or '}'"},
	{.name = "number as a name",
         .in = "{1:1}",
         .line = 1,
         .column = 2,
         .error = "expected a name in double quotes or '}'"},
	{.name = "second value",
         .in = "{}{}",
         .line = 1,
         .column = 3,
         .error = "expected the end of the file behind the outermost value"},
	{.name = "extra brace",
         .in = "{}}",
         .line = 1,
         .column = 3,
         .error = "expected the end of the file behind the outermost value"},
	{.name = "comment",
         .in = "{\n# c\n}",
         .line = 2,
         .column = 1,
         .error = "expected a name in double quotes or '}'"},
	{.name = "slash comment behind",
         .in = "{} // c",
         .line = 1,
         .column = 4,
         .error = "expected the end of the file behind the outermost value"},
	{.name = "form feed",
         .in = "\f{}",
         .line = 1,
         .column = 1,
         .error = "expected a value"},
	{.name = "capital word",
         .in = "[True]",
         .line = 1,
         .column = 2,
         .error = "expected a value or ']'"},
	{.name = "half a word",
         .in = "[fals]",
         .line = 1,
         .column = 2,
         .error = "expected 'false', the only word that starts so"},
	{.name = "word too long",
         .in = "[falsee]",
         .line = 1,
         .column = 7,
         .error = "expected ',' or ']' to close the array opened at 1:1"},
	{.name = "leading zero",
         .in = "[00]",
         .line = 1,
         .column = 3,
         .error = "expected ',' or ']' to close the array opened at 1:1"},
	{.name = "plus",
         .in = "[+1]",
         .line = 1,
         .column = 2,
         .error = "expected a value or ']'"},
	{.name = "lone minus",
         .in = "[-]",
         .line = 1,
         .column = 3,
         .error = "expected a digit"},
	{.name = "no fraction",
         .in = "[1.]",
         .line = 1,
         .column = 4,
         .error = "expected a digit behind '.'"},
	{.name = "no exponent",
         .in = "[1e]",
         .line = 1,
         .column = 4,
         .error = "expected a digit of the exponent"},
	{.name = "NaN",
         .in = "[NaN]",
         .line = 1,
         .column = 2,
         .error = "expected a value or ']'"},
	{.name = "open string",
         .in = "[\"a",
         .line = 1,
         .column = 4,
         .error = "expected '\"' to close the string"},
	{.name = "open string behind a backslash",
         .in = "[\"a\\",
         .line = 1,
         .column = 5,
         .error = "expected one of \"\\/bfnrtu behind '\\'"},
	{.name = "raw tab",
         .in = "[\"a\tb\"]",
         .line = 1,
         .column = 4,
         .error = "control characters in a string must be escaped"},
	{.name = "raw line end",
         .in = "[\"a\nb\"]",
         .line = 1,
         .column = 4,
         .error = "control characters in a string must be escaped"},
	{.name = "unknown escape",
         .in = "[\"\\x41\"]",
         .line = 1,
         .column = 4,
         .error = "expected one of \"\\/bfnrtu behind '\\'"},
	{.name = "short \\u",
         .in = "[\"\\u12\"]",
         .line = 1,
         .column = 7,
         .error = "expected four hexadecimal digits behind '\\u'"},
};

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	const struct kr_file *file =
		kr_test_file("/f", row->in, strlen(row->in));
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_json_ struct kr_json json;
	_cleanup_free_ char *got = NULL;
	struct kr_json_token t;
	size_t size;
	FILE *out = open_memstream(&got, &size);
	int r;

	kr_json_init(&json, file, 0, &diag);
	while ((r = kr_json_next(&json, &t)) == 0 && t.type != KR_JSON_END)
		fprintf(out, "<%.*s>", (int)t.length, file->data + t.offset);
	fclose(out);
	if (!row->error) {
		ck_assert_msg(r == 0 && strcmp(got, row->tokens) == 0,
		              "%s: %d, %s%s", row->name, r, got,
		              kr_test_messages(&diag));
		return;
	}
	ck_assert_msg(r == KR_MALFORMED && diag.n_messages == 1, "%s: %d%s",
	              row->name, r, kr_test_messages(&diag));
	ck_assert_msg(diag.messages[0].line == row->line &&
	                      diag.messages[0].column == row->column &&
	                      strcmp(diag.messages[0].text, row->error) == 0,
	              "%s:%s", row->name, kr_test_messages(&diag));
}
END_TEST

/* DEPTH arrays in each other. */
static int read_nested(size_t depth)
{
	_cleanup_free_ char *text = malloc(2 * depth);
	_cleanup_json_ struct kr_json json;
	struct kr_json_token t;
	int r;

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	kr_json_init(&json, kr_test_file("/f", text, 2 * depth), 0, NULL);
	while ((r = kr_json_next(&json, &t)) == 0 && t.type != KR_JSON_END)
		;
	return r;
}

START_TEST(test_depth)
{
	ck_assert_int_eq(read_nested(10000), 0);
	ck_assert_int_eq(read_nested(10001), KR_MALFORMED);
	ck_assert_int_eq(read_nested(1000000), KR_MALFORMED);
}
END_TEST

START_TEST(test_nul)
{
	static const struct {
		const char *data;
		size_t size;
	} bad[] = {
		{"{}\0", 3},  {"\0{}", 3},       {"[\"\0\"]", 5},
		{"[1\0]", 4}, {"[\"\\\0\"]", 6}, {"[tru\0]", 6},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_json_ struct kr_json json;
		struct kr_json_token t;
		int r;

		kr_json_init(&json,
		             kr_test_file("/f", bad[i].data, bad[i].size), 0,
		             NULL);
		while ((r = kr_json_next(&json, &t)) == 0 &&
		       t.type != KR_JSON_END)
			;
		ck_assert_msg(r == KR_MALFORMED, "row %zu", i);
	}
}
END_TEST

static const struct {
	const char *in, *want;
} escapes[] = {
	{"plain", "plain"},
	{"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
	{"\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac"},
	{"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
	{"\\ud83d", "\xef\xbf\xbd"},
	{"\\ud83dx", "\xef\xbf\xbdx"},
	{"\\ude00\\ud83d", "\xef\xbf\xbd\xef\xbf\xbd"},
	{"\\ud83d\\u0041", "\xef\xbf\xbd"
                           "A"},
	{"\xff", "\xef\xbf\xbd"},
	{"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},
	{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	{"\xc3\xa9", "\xc3\xa9"},
	{"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
};

START_TEST(test_escapes)
{
	char out[64];
	size_t n =
		kr_json_unescape(escapes[_i].in, strlen(escapes[_i].in), out);

	ck_assert_msg(n == strlen(escapes[_i].want) &&
	                      memcmp(out, escapes[_i].want, n) == 0,
	              "%s: got %.*s", escapes[_i].in, (int)n, out);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "json", NULL, NULL);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_escapes, 0, ARRAY_SIZE(escapes));
	tcase_add_test(tc, test_depth);
	tcase_add_test(tc, test_nul);
}

KR_TEST_MAIN(add_tests);
