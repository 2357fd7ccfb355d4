/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kubelet/yaml-*: what the words of YAML 1.1 are, what yaml.v2 refuses, and
 * where values stand in the file's bytes.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "doc/yaml-read.h"
#include "doc/yaml-scalar.h"
#include "kubelet/config.h"
#include "testing.h"

#define TAG "tag:yaml.org,2002:"

struct scalar_row {
	const char *text;
	enum kr_yaml_type want;
	const char *number;
	const char *tag;
	int r;
};

static const struct scalar_row scalars[] = {
	{"y", KR_YAML_TRUE},
	{"Yes", KR_YAML_TRUE},
	{"ON", KR_YAML_TRUE},
	{"True", KR_YAML_TRUE},
	{"n", KR_YAML_FALSE},
	{"NO", KR_YAML_FALSE},
	{"Off", KR_YAML_FALSE},
	{"tRUE", KR_YAML_STRING},
	{"yEs", KR_YAML_STRING},
	{"false,", KR_YAML_STRING},
	{"", KR_YAML_NULL},
	{"~", KR_YAML_NULL},
	{"Null", KR_YAML_NULL},
	{"nULL", KR_YAML_STRING},
	{"0", KR_YAML_INT, "0"},
	{"-0", KR_YAML_INT, "0"},
	{"+7", KR_YAML_INT, "7"},
	{"1_000", KR_YAML_INT, "1000"},
	{"0x1F", KR_YAML_INT, "31"},
	{"0o17", KR_YAML_INT, "15"},
	{"017", KR_YAML_INT, "15"},
	{"0b101", KR_YAML_INT, "5"},
	{"-0b101", KR_YAML_INT, "-5"},
	{"08", KR_YAML_FLOAT, "8"},
	{"9223372036854775807", KR_YAML_INT, "9223372036854775807"},
	{"-9223372036854775808", KR_YAML_INT, "-9223372036854775808"},
	{"9223372036854775808", KR_YAML_UINT, "9223372036854775808"},
	{"18446744073709551616", KR_YAML_FLOAT, "18446744073709551616"},
	{"110.0", KR_YAML_FLOAT, "110"},
	{"1.5", KR_YAML_FLOAT, "1.5"},
	{".5", KR_YAML_FLOAT, "0.5"},
	{"5.", KR_YAML_FLOAT, "5"},
	{"1e3", KR_YAML_FLOAT, "1000"},
	{"1e22", KR_YAML_FLOAT, "1e+22"},
	{"1e999", KR_YAML_STRING},
	{"0x", KR_YAML_STRING},
	{"0b2", KR_YAML_STRING},
	{"+", KR_YAML_STRING},
	{"-", KR_YAML_STRING},
	{".", KR_YAML_STRING},
	{"1.2.3", KR_YAML_STRING},
	{"10.0.0.10", KR_YAML_STRING},
	{"1:30", KR_YAML_STRING},
	{"2020-01-01", KR_YAML_STRING},
	{".nan", KR_YAML_NAN},
	{"-.Inf", KR_YAML_NAN},
	{".Nan", KR_YAML_STRING},
	{"false", KR_YAML_FALSE, NULL, TAG "bool"},
	{"no", KR_YAML_STRING, NULL, TAG "str"},
	{"no", KR_YAML_STRING, NULL, "!"},
	{"no", KR_YAML_STRING, NULL, "!mine"},
	{"aGk=", KR_YAML_STRING, NULL, TAG "binary"},
	{"aGk", KR_YAML_STRING, NULL, TAG "binary", KR_MALFORMED},
	{"a-k=", KR_YAML_STRING, NULL, TAG "binary", KR_MALFORMED},
	{"2020-1-02", KR_YAML_STRING, NULL, TAG "timestamp"},
	{"2020-01-02T1:2:3.5Z", KR_YAML_STRING, NULL, TAG "timestamp"},
	{"2020-01-02 01:02:03", KR_YAML_STRING, NULL, TAG "timestamp"},
	{"2020-13-02", KR_YAML_STRING, NULL, TAG "timestamp", KR_MALFORMED},
	{"soon", KR_YAML_STRING, NULL, TAG "timestamp", KR_MALFORMED},
	{"1", KR_YAML_INT, "1", TAG "float"},
	{"maybe", KR_YAML_STRING, NULL, TAG "bool", KR_MALFORMED},
	{"1", KR_YAML_STRING, NULL, TAG "bool", KR_MALFORMED},
	{"false", KR_YAML_STRING, NULL, TAG "null", KR_MALFORMED},
	{"1.5", KR_YAML_STRING, NULL, TAG "int", KR_MALFORMED},
	{"x", KR_YAML_STRING, NULL, TAG "float", KR_MALFORMED},
};

START_TEST(test_scalar)
{
	const struct scalar_row *row = &scalars[_i];
	char number[KR_YAML_NUMBER_SIZE] = "";
	enum kr_yaml_type type = KR_YAML_STRING;
	int r = kr_yaml_resolve(row->tag, row->text, strlen(row->text), &type,
	                        number);

	ck_assert_msg(r == row->r, "'%s' %s: %d", row->text, row->tag ?: "", r);
	if (r < 0)
		return;
	ck_assert_msg(type == row->want, "'%s' %s: type %d", row->text,
	              row->tag ?: "", type);
	if (row->number)
		ck_assert_msg(strcmp(number, row->number) == 0, "'%s': %s",
		              row->text, number);
}
END_TEST

struct read_row {
	const char *name;
	const char *in;
	const char *want; /* as JSON, unless it is refused: */
	const char *error;
	unsigned line, column;
};

static const struct read_row reads[] = {
	{.name = "block style",
         .in = "a: 1\nb:\n- x\n- {c: no}\n",
         .want = "{a:1,b:[\"x\",{c:false}]}"},
	{.name = "a later name wins below the top",
         .in = "x: {a: 1, a: 2}\n",
         .want = "{x:{a:2}}"},
	{.name = "names of other types",
         .in = "x: {1: a, 0x1: b, yes: c, 1.0: d}\n",
         .want = "{x:{1:\"b\",true:\"c\",1:\"d\"}}"},
	{.name = "an alias",
         .in = "x: &a {b: 1}\nw: *a\n",
         .want = "{x:{b:1},w:{b:1}}"},
	{.name = "an anchor again",
         .in = "x: &a 1\nw: &a 2\nz: *a\n",
         .want = "{x:1,w:2,z:2}"},
	{.name = "a merge before the name",
         .in = "x: {<<: {a: 1, b: 1}, a: 2}\n",
         .want = "{x:{b:1,a:2}}"},
	{.name = "a merge behind the name",
         .in = "x: {a: 2, <<: {a: 1}}\n",
         .want = "{x:{a:1}}"},
	{.name = "the first of a list of merges wins",
         .in = "x: {<<: [{a: 1}, {a: 2, b: 2}]}\n",
         .want = "{x:{b:2,a:1}}"},
	{.name = "a merge in a merge",
         .in = "x: {<<: {<<: {a: 1}, b: 2}}\n",
         .want = "{x:{a:1,b:2}}"},
	{.name = "a quoted << is a name",
         .in = "x: {\"<<\": {a: 1}}\n",
         .want = "{x:{<<:{a:1}}}"},
	{.name = "the tag ! makes a string",
         .in = "x: [! no, &a ! 1, !!str 2]\n",
         .want = "{x:[\"no\",\"1\",\"2\"]}"},
	{.name = "an infinite number that is overridden",
         .in = "x: {a: .inf, a: 1}\n",
         .want = "{x:{a:1}}"},
	{.name = "a colon before a bracket is text",
         .in = "x: [a:, {b:}]\n",
         .want = "{x:[\"a;\",{b;:null}]}"},
	{.name = "only the first document",
         .in = "a: 1\n---\n}{\n",
         .want = "{a:1}"},

	{.name = "nothing",
         .in = "# c\n",
         .error = "hold a Kubelet",
         .line = 1,
         .column = 1},
	{.name = "an unknown alias",
         .in = "a: *b\n",
         .error = "anchor",
         .line = 1,
         .column = 4},
	{.name = "an alias before its anchor",
         .in = "a: *b\nc: &b 1\n",
         .error = "anchor",
         .line = 1,
         .column = 4},
	{.name = "an anchor that holds itself",
         .in = "a: &a [1, *a]\n",
         .error = "free of itself",
         .line = 1,
         .column = 11},
	{.name = "a merge of a scalar",
         .in = "<<: 1\n",
         .error = "merge key",
         .line = 1,
         .column = 5},
	{.name = "a merge of a list of scalars",
         .in = "<<: [{}, 1]\n",
         .error = "merge key",
         .line = 1,
         .column = 10},
	{.name = "a list as a name",
         .in = "? [a]\n: 1\n",
         .error = "a name",
         .line = 1,
         .column = 3},
	{.name = "null as a name",
         .in = "a: {~: 1}\n",
         .error = "a name",
         .line = 1,
         .column = 5},
	{.name = "an infinite number",
         .in = "a: -.inf\n",
         .error = "finite",
         .line = 1,
         .column = 4},
	{.name = "a tag that lies",
         .in = "a: !!int x\n",
         .error = "its tag",
         .line = 1,
         .column = 4},
	{.name = "the escape \\/",
         .in = "a: \"b\\/c\"\n",
         .error = "escape",
         .line = 1,
         .column = 4},
	{.name = "YAML 1.2",
         .in = "%YAML 1.2\n---\na: 1\n",
         .error = "1.1",
         .line = 1,
         .column = 1},
	{.name = "a question mark in flow style",
         .in = "a: [b?c]\n",
         .error = "quoted",
         .line = 1,
         .column = 5},
	{.name = "a tab",
         .in = "a:\n\tb: 1\n",
         .error = "cannot start",
         .line = 2,
         .column = 1},
	{.name = "behind wide characters",
         .in = "# \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\na: \"\xc3\xa9\" b\n",
         .error = "",
         .line = 2,
         .column = 9},
	{.name = "no UTF-8",
         .in = "a: 1\n# \xe9\n",
         .error = "UTF-8",
         .line = 2,
         .column = 3},
	{.name = "a control character",
         .in = "a: 1\n# \x01\n",
         .error = "control",
         .line = 2,
         .column = 3},
	{.name = "no blank behind a name",
         .in = "a: 1\nb:false\nc: 2\n",
         .error = "a name must be followed by ':' and a blank (could not find",
         .line = 2,
         .column = 1},
	{.name = "'=' behind a name",
         .in = "a: 1\nb = false\nc: 2\n",
         .error = "a name must be followed by ':' and a blank (could not find",
         .line = 2,
         .column = 1},
	{.name = "a name alone",
         .in = "a: 1\nb\nc: 2\n",
         .error = "a name must be followed by ':' and a blank (could not find",
         .line = 2,
         .column = 1},
	{.name = "a word at the end",
         .in = "a: 1\nb: 2\nEOF\n",
         .error = "a name must be followed by ':' and a blank (could not find",
         .line = 3,
         .column = 1},
	{.name = "such a word with CR LF",
         .in = "a: 1\r\nEOF\r\n",
         .error = "a name must be followed by ':' and a blank (could not find",
         .line = 2,
         .column = 1},
	{.name = "a conflict's mark",
         .in = "a: 1\n=======\nb: 2\n",
         .error = "a name must be followed by ':' and a blank (could not find",
         .line = 2,
         .column = 1},
	{.name = "a conflict's mark first",
         .in = "<<<<<<< HEAD\na: 1\n",
         .error = "a name must be followed by ':' and a blank (mapping values",
         .line = 1,
         .column = 1},
	{.name = "a nested name alone",
         .in = "a:\n  b\n  c:\n    d: 1\n",
         .error = "a name must be followed by ':' and a blank (mapping values",
         .line = 2,
         .column = 3},
	{.name = "a name that is indented more",
         .in = "a: 1\n  b: 2\n",
         .error = "indented as the one above",
         .line = 2,
         .column = 3},
	{.name = "two colons in a line",
         .in = "a: 1\nb: c: d\n",
         .error = "mapping values",
         .line = 2,
         .column = 5},
	{.name = "a list that is not indented",
         .in = "a:\n[b]\nc: 1\n",
         .error = "must be indented below",
         .line = 2,
         .column = 1},
	{.name = "a map that is not indented",
         .in = "a:\n{b: 1}\nc: 1\n",
         .error = "must be indented below",
         .line = 2,
         .column = 1},
	{.name = "an item without its '-'",
         .in = "a:\n  - b\n  c\nd: 1\n",
         .error = "preceded by '-'",
         .line = 3,
         .column = 3},
	{.name = "a quote to the end",
         .in = "a: 1\nb: \"c\nd: 2\n",
         .error = "this quote must be closed (found unexpected end",
         .line = 2,
         .column = 4},
	{.name = "a quote to the document's end",
         .in = "a: 'b\n---\nc: 2\n",
         .error = "this quote must be closed (found unexpected doc",
         .line = 1,
         .column = 4},
	{.name = "a quote that another one closes",
         .in = "a: \"b\nc: \"d\"\n",
         .error = "must be closed before the next",
         .line = 1,
         .column = 4},
	{.name = "text behind two quotes in a line",
         .in = "a: 'b'\nc: \"d\" e\n",
         .error = "did not find expected key",
         .line = 2,
         .column = 8},
	{.name = "a list to the end",
         .in = "a: 1\nb: [c\n",
         .error = "this list must be closed",
         .line = 2,
         .column = 4},
	{.name = "such a list with a comma",
         .in = "a: 1\nb: [c,\n",
         .error = "this list must be closed",
         .line = 2,
         .column = 4},
	{.name = "a list to the next name",
         .in = "a: [b\nc: 1\n",
         .error = "this list must be closed",
         .line = 1,
         .column = 4},
	{.name = "a list to the name behind that",
         .in = "a: [b,\nc: 1\nd: 1\n",
         .error = "this list must be closed",
         .line = 1,
         .column = 4},
	{.name = "a map to the next name",
         .in = "x:\n  a: {b: 1\n  c: 1\n",
         .error = "this map must be closed",
         .line = 2,
         .column = 6},
	{.name = "a map in a list, to the end",
         .in = "a: [{b: 1\n",
         .error = "this map must be closed",
         .line = 1,
         .column = 5},
	{.name = "no comma in a list of lines",
         .in = "a: [\n  \"b\"\n  \"c\"\n]\n",
         .error = "did not find expected ',' or ']'",
         .line = 3,
         .column = 3},
	{.name = "no comma in a map that is the file",
         .in = "{\na: \"b\"\nc: 1\n}\n",
         .error = "did not find expected ',' or '}'",
         .line = 3,
         .column = 1},
	{.name = "another bracket",
         .in = "a: [b}\nc: 1\n",
         .error = "did not find expected ',' or ']'",
         .line = 1,
         .column = 6},
};

struct printer {
	FILE *out;
	bool comma;
};

static int print(void *userdata, const struct kr_event *e)
{
	struct printer *p = userdata;
	static const char *const marks[] = {
		[KR_EVENT_MAP] = "{",       [KR_EVENT_MAP_END] = "}",
		[KR_EVENT_LIST] = "[",      [KR_EVENT_LIST_END] = "]",
		[KR_EVENT_NULL] = "null",   [KR_EVENT_TRUE] = "true",
		[KR_EVENT_FALSE] = "false",
	};

	if (p->comma && e->type != KR_EVENT_MAP_END &&
	    e->type != KR_EVENT_LIST_END)
		fputc(',', p->out);
	p->comma =
		!e->key && e->type != KR_EVENT_MAP && e->type != KR_EVENT_LIST;
	if (e->key)
		fprintf(p->out, "%.*s:", (int)e->length, e->text);
	else if (e->type == KR_EVENT_STRING)
		fprintf(p->out, "\"%.*s\"", (int)e->length, e->text);
	else if (e->type == KR_EVENT_NUMBER)
		fprintf(p->out, "%.*s", (int)e->length, e->text);
	else
		fputs(marks[e->type], p->out);
	return 0;
}

START_TEST(test_read)
{
	const struct read_row *row = &reads[_i];
	const struct kr_file *file =
		kr_test_file("/f", row->in, strlen(row->in));
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_free_ char *got = NULL;
	struct kr_layout layout;
	struct printer printer = {0};
	const struct kr_listener listener = {print, &printer};
	struct kr_span twice;
	size_t size;
	int r;

	printer.out = open_memstream(&got, &size);
	r = kr_yaml_read(file, &listener, &diag, &layout, &twice);
	fclose(printer.out);
	if (row->want) {
		ck_assert_msg(r >= 0 && strcmp(got, row->want) == 0,
		              "%s: %d, %s%s", row->name, r, got,
		              kr_test_messages(&diag));
		return;
	}
	ck_assert_msg(r == KR_MALFORMED && diag.n_messages == 1, "%s: %d%s",
	              row->name, r, kr_test_messages(&diag));
	ck_assert_msg(strstr(diag.messages[0].text, row->error) &&
	                      diag.messages[0].line == row->line &&
	                      diag.messages[0].column == row->column,
	              "%s:%s", row->name, kr_test_messages(&diag));
}
END_TEST

/* Documents that need no tree. */
static const char *const plains[] = {
	"a: 1\nb:\n- x\n- {c: no}\n",
	"a:\n  b:\n    c: ~\n  d: |\n    text\n    more\n  e: >-\n    x\nf:\n",
	"{\"a\": [1, 1.5, null, \"\\u00e9\\n\", 'it''s'], b: {}, c: []}\n",
	"a: &x 1\nb: &y {c: &z [d]}\n",
	"- a\n- - b\n  - c\n-\n- {d: e}\n",
	"x: {a: 1}\nw: {a: 1}\nz: [{a: 1}, {a: 1}]\n",
	"? a\n: b\n? c\n",
	"---\na: 1 # c\n...\nb: }\n",
	"a: 1\n---\n}{\n",
	"%YAML 1.1\n---\n\xc3\xa9: \"\xe2\x82\xac\" # \xf0\x9f\x98\x80\nb: 1\n",
	"just a text\n",
	"a:\r\n  b: 1\r\n  c:\r\n  - 0x10\r\n",
	"a: -.inf\nb: 1\n",
};

/* Each event with all that it has; places are those behind SKIPPED bytes. */
struct teller {
	FILE *out;
	size_t skipped;
};

static int write_down(void *userdata, const struct kr_event *e)
{
	struct teller *t = userdata;

	fprintf(t->out, "%d%s%s%s%s %zu+%u '%.*s' %s\n", e->type,
	        e->key ? " key" : "", e->escaped ? " escaped" : "",
	        e->overridden ? " overridden" : "", e->merged ? " merged" : "",
	        e->span.offset - t->skipped, e->span.length, (int)e->length,
	        e->text ?: "", e->fixed ?: "");
	return 0;
}

/* What kr_yaml_read() makes of IN behind a comment that takes SKIPPED bytes. */
static char *read_all(const char *in, size_t skipped)
{
	size_t length = strlen(in), size;
	_cleanup_free_ char *text = malloc(skipped + length + 1);
	_cleanup_diag_ struct kr_diag diag = {0};
	struct kr_layout layout = {0};
	struct kr_span twice = KR_SPAN_NONE;
	char *got = NULL;
	struct teller teller = {open_memstream(&got, &size), skipped};
	const struct kr_listener listener = {write_down, &teller};
	int r;

	memset(text, '#', skipped);
	if (skipped > 0)
		text[skipped - 1] = '\n';
	memcpy(text + skipped, in, length + 1);
	r = kr_yaml_read(kr_test_file("/f", text, skipped + length), &listener,
	                 &diag, &layout, &twice);
	fprintf(teller.out, "%d %zu+%u %zu %s", r,
	        layout.root.offset - (layout.root.file ? skipped : 0),
	        layout.root.length, layout.end - (layout.end ? skipped : 0),
	        twice.file ? "twice" : "");
	if (diag.n_messages > 0)
		fprintf(teller.out, "%s", diag.messages[0].text);
	fclose(teller.out);
	return got;
}

#define LARGE ((size_t)3000)

/* A large file is told as a small one is, whose tree is made. */
static void check_told(const char *in)
{
	_cleanup_free_ char *tree = read_all(in, 0);
	_cleanup_free_ char *told = read_all(in, LARGE);

	ck_assert_msg(strcmp(tree, told) == 0, "%s: %s, not %s", in, told,
	              tree);
}

START_TEST(test_told)
{
	check_told(plains[_i]);
}
END_TEST

START_TEST(test_told_by_tree)
{
	check_told(reads[_i].in);
}
END_TEST

/* The value's bytes in UTF-16, whose marks count characters. */
START_TEST(test_utf16)
{
	static const char ascii[] =
		"apiVersion: kubelet.config.k8s.io/v1beta1\n"
		"kind: KubeletConfiguration\n"
		"makeIPTablesUtilChains: false\n";
	char bytes[2 * sizeof(ascii) + 8] = "\xff\xfe";
	_cleanup_config_ struct kr_config config = {0};
	_cleanup_edits_ struct kr_edits edits = {0};
	const struct kr_value wanted = {.type = KR_TYPE_BOOL, .b = true};
	const struct kr_file *file;
	size_t n = 2;

	/* a character beyond U+FFFF in a comment first */
	memcpy(bytes + n, "#\0\x3d\xd8\x00\xde\n\0", 8);
	n += 8;
	for (size_t i = 0; i < strlen(ascii); i++) {
		bytes[n++] = ascii[i];
		bytes[n++] = '\0';
	}
	file = kr_test_file("/f", bytes, n);
	ck_assert_int_eq(kr_config_parse(file, NULL, NULL, &config), 0);
	ck_assert_int_eq(kr_config_state(&config, KR_FIELD_IPTABLES, NULL),
	                 KR_STATE_FALSE);
	ck_assert_uint_eq(config.uses[0].value.offset, n - 12);
	ck_assert_uint_eq(config.uses[0].value.length, 10);
	ck_assert(config.uses[0].reason);
	ck_assert_int_eq(kr_config_edit(KR_FIELD_IPTABLES, &config, file,
	                                &wanted, NULL, &edits),
	                 KR_REFUSED);
}
END_TEST

static enum kr_state state_of(const char *text, size_t size)
{
	_cleanup_config_ struct kr_config config = {0};

	ck_assert_int_eq(kr_config_parse(kr_test_file("/f", text, size), NULL,
	                                 NULL, &config),
	                 0);
	return kr_config_state(&config, KR_FIELD_IPTABLES, NULL);
}

/* N times OPEN and CLOSE as the value of a field nobody knows. */
static enum kr_state nested(const char *open, const char *close, size_t n)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs("apiVersion: kubelet.config.k8s.io/v1beta1\n"
	      "kind: KubeletConfiguration\nx: ",
	      out);
	for (size_t i = 0; i < n; i++)
		fputs(open, out);
	for (size_t i = 0; i < n; i++)
		fputs(close, out);
	fputs("\n", out);
	fclose(out);
	return state_of(text, size);
}

START_TEST(test_depth)
{
	ck_assert_int_eq(nested("[", "]", 9999), KR_STATE_ABSENT);
	ck_assert_int_eq(nested("[", "]", 10000), KR_STATE_INVALID);
	ck_assert_int_eq(nested("{a: ", "}", 9999), KR_STATE_ABSENT);
	ck_assert_int_eq(nested("{a: ", "}", 10000), KR_STATE_INVALID);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "yaml", NULL, NULL);

	tcase_add_loop_test(tc, test_scalar, 0, ARRAY_SIZE(scalars));
	tcase_add_loop_test(tc, test_read, 0, ARRAY_SIZE(reads));
	tcase_add_loop_test(tc, test_told, 0, ARRAY_SIZE(plains));
	tcase_add_loop_test(tc, test_told_by_tree, 0, ARRAY_SIZE(reads));
	tcase_add_test(tc, test_utf16);
	tcase_add_test(tc, test_depth);
}

KR_TEST_MAIN(add_tests);
