/* SPDX-License-Identifier: Apache-2.0 */

/*
 * report/finding and its formats: places in characters, the one place of an
 * audit, and bytes that each format must escape. That the whole is valid is
 * shown by tests/test-formats.py.
 */

#include <stdlib.h>
#include <string.h>

#include "report/finding.h"
#include "testing.h"

/* --- places -------------------------------------------------------------- */

static const struct place_row {
	const char *name;
	const char *data;
	size_t size; /* 0: data's length */
	size_t offset, length;
	unsigned line, column, char_column, end_line, end_char_column;
} place_rows[] = {
	{"the first byte", "abc\n", 0, 0, 1, 1, 1, 1, 1, 2},
	{"the second line", "abc\ndef\n", 0, 5, 2, 2, 2, 2, 2, 4},
	{"behind a character of two bytes", "\xc3\xa9x", 0, 2, 1, 1, 3, 2, 1,
         3},
	{"behind one of four bytes", "\xf0\x9f\x98\x80x", 0, 4, 1, 1, 5, 2, 1,
         3},
	{"a character of two bytes", "a\xc3\xa9x", 0, 1, 2, 1, 2, 2, 1, 3},
	{"bytes that are no character", "\xff\xc3x", 0, 2, 1, 1, 3, 3, 1, 4},
	{"a surrogate: three bytes, no character", "\xed\xa0\x80x", 0, 3, 1, 1,
         4, 4, 1, 5},
	{"over two lines", "ab\ncd\n", 0, 1, 3, 1, 2, 2, 2, 2},
	{"with the newline at its end", "ab\ncd\n", 0, 1, 2, 1, 2, 2, 2, 1},
	{"nothing", "ab\n", 0, 1, 0, 1, 2, 2, 1, 2},
	{"the end of a file without a newline", "ab", 0, 2, 0, 1, 3, 3, 1, 3},
	{"CR belongs to the line", "a\r\nb\r\n", 0, 3, 1, 2, 1, 1, 2, 2},
	{"a byte order mark is no column", "\xef\xbb\xbfk: v", 0, 6, 1, 1, 7, 4,
         1, 5},
	{"at a byte order mark", "\xef\xbb\xbfk", 0, 0, 3, 1, 1, 1, 1, 1},
	{"no mark in the second line", "a\n\xef\xbb\xbfk", 0, 5, 1, 2, 4, 2, 2,
         3},
	{"a NUL is a character", "a\0b", 3, 2, 1, 1, 3, 3, 1, 4},
	{"UTF-16, little end first",
         "\xff\xfe"
         "a\0\n\0b\0",
         8, 6, 2, 0, 0, 0, 0, 0},
	{"UTF-16, big end first", "\xfe\xff\0a", 4, 2, 2, 0, 0, 0, 0, 0},
};

START_TEST(test_place)
{
	const struct place_row *row = &place_rows[_i];
	size_t size = row->size ? row->size : strlen(row->data);
	const struct kr_file *file = kr_test_file("/f", row->data, size);
	struct kr_place p = kr_place_from_span(
		(struct kr_span){file, row->offset, row->length});

	ck_assert_msg(p.line == row->line && p.column == row->column,
	              "%s: %u:%u", row->name, p.line, p.column);
	ck_assert_msg(p.char_column == row->char_column, "%s: character %u",
	              row->name, p.char_column);
	ck_assert_msg(p.end_line == row->end_line &&
	                      p.end_char_column == row->end_char_column,
	              "%s: ends at %u:%u", row->name, p.end_line,
	              p.end_char_column);
	ck_assert_msg(p.has_bytes && p.offset == row->offset &&
	                      p.length == row->length,
	              "%s", row->name);
	ck_assert_ptr_eq(p.text, file->data + row->offset);
	ck_assert_str_eq(p.file, "/f");
}
END_TEST

START_TEST(test_no_place)
{
	struct kr_place p = kr_place_from_span(KR_SPAN_NONE);

	ck_assert_ptr_null(p.file);
	ck_assert(!p.has_bytes && p.line == 0);
}
END_TEST

static char path[] = "/f", source[] = "\xc3\xa9 = x", text[] = "no good";

static const struct message_row {
	const char *name;
	struct kr_message message;
	unsigned line, column, char_column, end_line, end_char_column;
} message_rows[] = {
	{"a place in a line",
         {.file = path, .line = 3, .column = 6, .source = source, .length = 1},
         3,
         6,
         5,
         3,
         6},
	{"to the end of the line",
         {.file = path, .line = 3, .column = 3, .source = source, .length = 4},
         3,
         3,
         2,
         3,
         6},
	{"more than the line has",
         {.file = path, .line = 3, .column = 6, .source = source, .length = 2},
         3,
         6,
         5,
         0,
         0},
	{"behind the line",
         {.file = path, .line = 3, .column = 9, .source = source, .length = 1},
         3,
         0,
         0,
         0,
         0},
	{"no bytes are meant",
         {.file = path, .line = 3, .column = 6, .source = source},
         3,
         6,
         5,
         0,
         0},
	{"a line as a whole", {.file = path, .line = 3}, 3, 0, 0, 0, 0},
	{"a file as a whole", {.file = path}, 0, 0, 0, 0, 0},
};

START_TEST(test_message)
{
	const struct message_row *row = &message_rows[_i];
	struct kr_place p = kr_place_from_message(&row->message);

	ck_assert_msg(p.file && !p.has_bytes, "%s", row->name);
	ck_assert_msg(p.line == row->line && p.column == row->column &&
	                      p.char_column == row->char_column,
	              "%s: %u:%u, character %u", row->name, p.line, p.column,
	              p.char_column);
	ck_assert_msg(p.end_line == row->end_line &&
	                      p.end_char_column == row->end_char_column,
	              "%s: ends at %u:%u", row->name, p.end_line,
	              p.end_char_column);
}
END_TEST

/* --- the one place of an audit ------------------------------------------- */

#define N KR_STATE_ABSENT
#define T KR_STATE_TRUE
#define F KR_STATE_FALSE
#define I KR_STATE_INVALID
#define U KR_STATE_UNKNOWN

/* Sources: 0 is nowhere, 1 at offset 1, 2 at offset 2; an error is at 9. */
static const struct audit_row {
	const char *name;
	enum kr_verdict verdict;
	struct kr_view disk, running;
	bool error;
	int want; /* an offset; -1: nowhere; 9: the error's */
} audit_rows[] = {
	{"pass: what decides",
         KR_VERDICT_PASS,
         {T, NULL, 2},
         {T, NULL, 2},
         false,
         2},
	{"pass: by default",
         KR_VERDICT_PASS,
         {T, NULL, 0},
         {N, NULL, -1},
         false,
         -1},
	{"pass: an error is not its place",
         KR_VERDICT_PASS,
         {T, NULL, 0},
         {N, NULL, -1},
         true,
         -1},
	{"fail: the disk",
         KR_VERDICT_FAIL,
         {F, NULL, 1},
         {F, NULL, 2},
         false,
         1},
	{"fail: the process",
         KR_VERDICT_FAIL,
         {T, NULL, 1},
         {F, NULL, 2},
         false,
         2},
	{"fail: the process, from nowhere",
         KR_VERDICT_FAIL,
         {T, NULL, 1},
         {F, NULL, 0},
         false,
         1},
	{"fail: nothing says so",
         KR_VERDICT_FAIL,
         {T, NULL, 0},
         {N, NULL, -1},
         false,
         -1},
	{"invalid: what is",
         KR_VERDICT_INVALID,
         {I, NULL, 1},
         {N, NULL, -1},
         true,
         1},
	{"invalid: the error",
         KR_VERDICT_INVALID,
         {I, NULL, -1},
         {N, NULL, -1},
         true,
         9},
	{"invalid: no error has a place",
         KR_VERDICT_INVALID,
         {I, NULL, -1},
         {N, NULL, -1},
         false,
         -1},
	{"unknown: the error",
         KR_VERDICT_UNKNOWN,
         {U, NULL, -1},
         {N, NULL, -1},
         true,
         9},
};

static void answer(struct kr_view *view)
{
	view->answer = view->state == KR_STATE_TRUE    ? KR_ANSWER_PASS
	               : view->state == KR_STATE_FALSE ? KR_ANSWER_FAIL
	                                               : KR_ANSWER_NONE;
}

START_TEST(test_audit)
{
	const struct audit_row *row = &audit_rows[_i];
	const struct kr_file *file = kr_test_file("/f", "0123456789\n", 11);
	struct kr_source sources[] = {
		{.span = KR_SPAN_NONE},
		{.span = {file, 1, 1}},
		{.span = {file, 2, 1}},
	};
	struct kr_judgement only = {
		.rule = kr_rules_usual.items[0],
		.verdict = row->verdict,
		.disk = row->disk,
		.running = row->running,
		.sources = {sources, ARRAY_SIZE(sources), -1},
		.reason = text,
	};
	const struct kr_audit audit = {
		.verdict = row->verdict,
		.reason = text,
		.items = &only,
		.n_items = 1,
	};
	_cleanup_diag_ struct kr_diag diag = {0};
	struct kr_finding f;

	answer(&only.disk);
	answer(&only.running);
	kr_diag_add(&diag, KR_WARNING, "w", (struct kr_span){file, 5, 1}, "w");
	kr_diag_add(&diag, KR_ERROR, "e", KR_SPAN_NONE, "no place");
	if (row->error)
		kr_diag_add(&diag, KR_ERROR, "e", (struct kr_span){file, 9, 1},
		            "e");
	f = kr_finding_from_audit("n", &audit, 0, &diag);
	ck_assert_msg(!f.place.file == (row->want < 0), "%s", row->name);
	if (f.place.file)
		ck_assert_msg((int)f.place.column == row->want + 1,
		              "%s: column %u", row->name, f.place.column);
	ck_assert_int_eq((int)f.n_sources, 3);
	ck_assert_str_eq(f.reason, text);
}
END_TEST

/* A file has its name in the reason, a line is the place. */
static const struct unread {
	const char *name, *file, *text;
	bool line;
	const char *want;
} unread[] = {
	{"a file", "/nowhere", "not there", false, "/nowhere: not there"},
	{"a line", "/f", "too large", true, "too large"},
	{"no place", NULL, "out of words", false, "out of words"},
	{"nothing", NULL, NULL, false, "otherwise"},
};

START_TEST(test_unread)
{
	const struct unread *row = &unread[_i];
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_free_ char *reason = NULL;
	struct kr_finding f;

	if (row->line)
		kr_diag_add(&diag, KR_ERROR, "a",
		            (struct kr_span){kr_test_file("/f", "x\nabc\n", 6),
		                             3, 1},
		            "%s", row->text);
	else if (row->text)
		kr_diag_add_path(&diag, KR_ERROR, "a", row->file, "%s",
		                 row->text);
	reason = kr_diag_reason(&diag, "otherwise");
	f = kr_finding_unread("n", kr_rules_usual.items[0], reason, &diag);
	ck_assert_msg(f.verdict == KR_VERDICT_UNKNOWN && f.disk == U &&
	                      f.running == U && f.live == N && f.diag == &diag,
	              "%s", row->name);
	ck_assert_msg(strcmp(f.reason, row->want) == 0, "%s: %s", row->name,
	              f.reason);
	ck_assert_msg(f.place.line == (row->line ? 2 : 0) &&
	                      !f.place.file == !row->line,
	              "%s", row->name);
}
END_TEST

/* --- bytes --------------------------------------------------------------- */

static char *render(const struct kr_finding_format *format, bool many,
                    const struct kr_finding *findings, size_t n_findings,
                    bool complete)
{
	const struct kr_finding_about about = {
		.rules = &kr_rules_usual,
		.root = "/mnt/a b",
		.many = many,
	};
	struct kr_findings w;
	char *bytes = NULL;
	size_t size;
	FILE *out = open_memstream(&bytes, &size);

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(kr_findings_begin(&w, format, out, &about), 0);
	for (size_t i = 0; i < n_findings; i++) {
		struct kr_finding f = findings[i];

		f.rule = kr_rules_usual.items[0];
		f.first = true;
		ck_assert_int_eq(kr_findings_add(&w, &f, 1), 0);
	}
	ck_assert_int_eq(kr_findings_end(&w, complete), 0);
	ck_assert_int_eq(fclose(out), 0);
	return bytes;
}

#define BAD "\xef\xbf\xbd"

static const struct bytes_row {
	const char *name;
	const struct kr_finding_format *format;
	const char *bytes;
	const char *want; /* stands in the output */
} bytes_rows[] = {
	{"junit: markup", &kr_junit, "<a b=\"c\"> & ]]> 'd'",
         "message=\"&lt;a b=&quot;c&quot;&gt; &amp; ]]&gt; 'd'\""},
	{"junit: blanks that readers would change", &kr_junit, "a\tb\nc\rd",
         "message=\"a&#9;b&#10;c&#13;d\""},
	{"junit: characters that XML has not", &kr_junit,
         "\x01\x08\x0b\x1f\x7f", "message=\"" BAD BAD BAD BAD "\x7f\""},
	{"junit: U+FFFE, U+FFFF and what is beside", &kr_junit,
         "\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbc\xf0\x90\x80\x80",
         "message=\"" BAD BAD "\xef\xbf\xbc\xf0\x90\x80\x80\""},
	{"junit: the last byte starts a character", &kr_junit, "x\xc3",
         "message=\"x" BAD "\""},
	{"junit: the last character is of two bytes", &kr_junit, "x\xc3\xa9",
         "message=\"x\xc3\xa9\""},
	{"junit: overlong, a surrogate, too high", &kr_junit,
         "\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80",
         "message=\"" BAD BAD BAD BAD BAD BAD BAD BAD BAD "\""},
	{"sarif: quotes and control bytes", &kr_sarif, "a\"b\\c\x01\n",
         "{\"text\":\"a\\\"b\\\\c\\u0001\\n\"}"},
	{"sarif: no UTF-8", &kr_sarif, "a\xff\xc3",
         "{\"text\":\"a" BAD BAD "\"}"},
};

START_TEST(test_bytes)
{
	const struct bytes_row *row = &bytes_rows[_i];
	const struct kr_finding f = {
		.verdict = KR_VERDICT_FAIL,
		.reason = row->bytes,
	};
	_cleanup_free_ char *out = render(row->format, false, &f, 1, true);

	ck_assert_msg(strstr(out, row->want), "%s: %s", row->name, out);
}
END_TEST

static const struct label_row {
	const char *name;
	const char *node;
	const char *want;
} label_rows[] = {
	{"plain", "ip-10-0-0-1",
         "node=\"ip-10-0-0-1\",control=\"makeIPTablesUtilChains\",verdict="
         "\"fail\"} 1\n"},
	{"a quote, a backslash, a newline", "a\"b\\c\nd",
         "node=\"a\\\"b\\\\c\\nd\",control=\"makeIPTablesUtilChains\",verdict="
         "\"fail\"} 1\n"},
	{"braces and commas are plain", "a},b=",
         "node=\"a},b=\",control=\"makeIPTablesUtilChains\",verdict=\"fail\"} "
         "1\n"},
	{"no UTF-8", "\xff\xc3",
         "node=\"" BAD BAD
         "\",control=\"makeIPTablesUtilChains\",verdict=\"fail\"} 1\n"},
	{"no name", NULL,
         "node=\"\",control=\"makeIPTablesUtilChains\",verdict=\"fail\"} 1\n"},
};

START_TEST(test_label)
{
	const struct label_row *row = &label_rows[_i];
	const struct kr_finding f = {
		.node = row->node,
		.verdict = KR_VERDICT_FAIL,
		.reason = "r",
	};
	_cleanup_free_ char *out = render(&kr_prometheus, true, &f, 1, true);

	ck_assert_msg(strstr(out, row->want), "%s: %s", row->name, out);
}
END_TEST

static const struct uri_row {
	const char *name;
	const char *path;
	const char *want;
} uri_rows[] = {
	{"plain", "/etc/a-b_c.d~/e",
         "\"uri\":\"etc/a-b_c.d~/e\",\"uriBaseId\":"
         "\"ROOT\""},
	{"a blank, a per cent sign, a hash", "/a b%c#d?",
         "\"a%20b%25c%23d%3F\""},
	{"a colon makes no scheme", "/a:b/c", "\"a%3Ab/c\""},
	{"no UTF-8, quotes, control bytes", "/\xff\"\\\n", "\"%FF%22%5C%0A\""},
	{"several slashes make no host", "//etc//a", "\"etc//a\""},
	{"the root", "/", "\"uri\":\"\""},
};

START_TEST(test_uri)
{
	const struct uri_row *row = &uri_rows[_i];
	const struct kr_finding f = {
		.verdict = KR_VERDICT_FAIL,
		.reason = "r",
		.place = {.file = row->path},
	};
	_cleanup_free_ char *out = render(&kr_sarif, false, &f, 1, true);

	ck_assert_msg(strstr(out, row->want), "%s: %s", row->name, out);
	ck_assert_ptr_nonnull(strstr(
		out, "\"originalUriBaseIds\":{\"ROOT\":{\"uri\":\"file:///mnt/"
		     "a%20b/\"}}"));
}
END_TEST

/* --- verdicts ------------------------------------------------------------ */

static const struct verdict_row {
	enum kr_verdict verdict;
	const char *sarif, *junit, *prometheus;
} verdict_rows[] = {
	{KR_VERDICT_PASS, "\"kind\":\"pass\",\"level\":\"none\"",
         "failures=\"0\" errors=\"0\" skipped=\"0\">", "verdict=\"pass\"} 1\n"},
	{KR_VERDICT_FAIL, "\"kind\":\"fail\",\"level\":\"error\"",
         "failures=\"1\" errors=\"0\" skipped=\"0\">", "verdict=\"fail\"} 1\n"},
	{KR_VERDICT_INVALID, "\"kind\":\"fail\",\"level\":\"error\"",
         "failures=\"0\" errors=\"1\" skipped=\"0\">",
         "verdict=\"invalid\"} 1\n"},
	{KR_VERDICT_UNKNOWN, "\"kind\":\"open\",\"level\":\"none\"",
         "failures=\"0\" errors=\"1\" skipped=\"0\">",
         "verdict=\"unknown\"} 1\n"},
	{KR_VERDICT_WAIVED, "\"kind\":\"informational\",\"level\":\"none\"",
         "failures=\"0\" errors=\"0\" skipped=\"1\">",
         "verdict=\"waived\"} 1\n"},
	{KR_VERDICT_NOT_APPLICABLE,
         "\"kind\":\"notApplicable\",\"level\":\"none\"",
         "failures=\"0\" errors=\"0\" skipped=\"1\">",
         "verdict=\"not-applicable\"} 1\n"},
};

static size_t occurrences(const char *in, const char *what)
{
	size_t n = 0;

	while ((in = strstr(in, what))) {
		in += strlen(what);
		n++;
	}
	return n;
}

START_TEST(test_verdict)
{
	const struct verdict_row *row = &verdict_rows[_i];
	const struct kr_finding f = {.verdict = row->verdict, .reason = "r"};
	_cleanup_free_ char *sarif = render(&kr_sarif, false, &f, 1, true);
	_cleanup_free_ char *junit = render(&kr_junit, false, &f, 1, true);
	_cleanup_free_ char *metrics =
		render(&kr_prometheus, false, &f, 1, true);

	ck_assert_msg(strstr(sarif, row->sarif), "%d: %s", _i, sarif);
	ck_assert_msg(strstr(junit, row->junit), "%d: %s", _i, junit);
	ck_assert_msg(strstr(metrics, row->prometheus), "%d: %s", _i, metrics);
	ck_assert_uint_eq(occurrences(metrics, "_verdict{control="), 6);
	ck_assert_uint_eq(occurrences(junit, "<failure ") +
	                          occurrences(junit, "<error "),
	                  row->verdict != KR_VERDICT_PASS &&
	                          row->verdict <= KR_VERDICT_UNKNOWN);
}
END_TEST

static const struct kr_finding fleet[] = {
	{.node = "a", .verdict = KR_VERDICT_PASS, .reason = "r"},
	{.node = "b", .verdict = KR_VERDICT_FAIL, .reason = "r"},
	{.node = "c", .verdict = KR_VERDICT_FAIL, .reason = "r"},
};

START_TEST(test_many)
{
	_cleanup_free_ char *sarif = render(&kr_sarif, true, fleet, 3, false);
	_cleanup_free_ char *junit = render(&kr_junit, true, fleet, 3, false);
	_cleanup_free_ char *metrics =
		render(&kr_prometheus, true, fleet, 3, false);

	ck_assert_uint_eq(occurrences(sarif, "\"ruleId\":"), 3);
	ck_assert_ptr_nonnull(strstr(sarif, "\"executionSuccessful\":false"));
	ck_assert_uint_eq(occurrences(junit, "<testsuite id="), 3);
	ck_assert_ptr_nonnull(strstr(junit, "id=\"2\""));
	ck_assert_ptr_nonnull(
		strstr(metrics, "_nodes{control=\"makeIPTablesUtilChains\","
	                        "verdict=\"fail\"} 2\n"));
	ck_assert_ptr_nonnull(
		strstr(metrics, "_nodes{control=\"makeIPTablesUtilChains\","
	                        "verdict=\"pass\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(metrics, "_last_audit_complete 0\n"));
	ck_assert_ptr_null(strstr(metrics, "_state"));
}
END_TEST

START_TEST(test_none)
{
	_cleanup_free_ char *sarif = render(&kr_sarif, true, NULL, 0, true);
	_cleanup_free_ char *junit = render(&kr_junit, true, NULL, 0, true);

	ck_assert_ptr_nonnull(strstr(sarif, "\"results\":[],"));
	ck_assert_ptr_nonnull(strstr(junit, "<testsuites>\n</testsuites>\n"));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "report-finding", NULL, NULL);

	tcase_add_loop_test(tc, test_place, 0, ARRAY_SIZE(place_rows));
	tcase_add_test(tc, test_no_place);
	tcase_add_loop_test(tc, test_message, 0, ARRAY_SIZE(message_rows));
	tcase_add_loop_test(tc, test_audit, 0, ARRAY_SIZE(audit_rows));
	tcase_add_loop_test(tc, test_unread, 0, ARRAY_SIZE(unread));
	tcase_add_loop_test(tc, test_bytes, 0, ARRAY_SIZE(bytes_rows));
	tcase_add_loop_test(tc, test_label, 0, ARRAY_SIZE(label_rows));
	tcase_add_loop_test(tc, test_uri, 0, ARRAY_SIZE(uri_rows));
	tcase_add_loop_test(tc, test_verdict, 0, ARRAY_SIZE(verdict_rows));
	tcase_add_test(tc, test_many);
	tcase_add_test(tc, test_none);
}

KR_TEST_MAIN(add_tests);
