/* SPDX-License-Identifier: Apache-2.0 */

/* net/metrics: the samples of one name, whatever is around them, and however
 * the text comes. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/metrics.h"
#include "testing.h"

#define N "requests_total"

static const struct row {
	const char *name, *text;
	const char *want; /* "label=value,... number;" for each sample */
	bool malformed;
} rows[] = {
	{"as kubelet has it",
         "# HELP " N " [ALPHA] Number\n# TYPE " N " counter\n" N
         "{long_running=\"false\",method=\"GET\"} 3\n",
         "long_running=false,method=GET 3;"},
	{"several, among others",
         "a 1\n" N "{m=\"a\"} 1\nb 2\n" N "{m=\"b\"} 2\n", "m=a 1;m=b 2;"},
	{"no labels", N " 7\n", " 7;"},
	{"no labels in braces", N "{} 7\n", " 7;"},
	{"a comma behind the last", N "{a=\"b\",} 7\n", "a=b 7;"},
	{"a comma alone", N "{,} 7\n", "", true},
	{"two commas", N "{a=\"b\",,c=\"d\"} 7\n", "", true},
	{"blanks everywhere",
         " \t" N " { a = \"b\" , c = \"d\" } \t 7 \t 17000 \n", "a=b,c=d 7;"},
	{"no blank before the value", N "{a=\"b\"}7\n", "a=b 7;"},
	{"escapes", N "{a=\"\\\\ \\\" \\n\"} 1\n", "a=\\ \" \n 1;"},
	{"braces, commas and hashes in a value", N "{a=\"}, b=1 #\"} 1\n",
         "a=}, b=1 # 1;"},
	{"an empty value", N "{a=\"\"} 1\n", "a= 1;"},
	{"UTF-8", N "{a=\"\303\244\"} 1\n", "a=\303\244 1;"},
	{"an exponent", N " 1.5e+06\n", " 1.5e+06;"},
	{"a time", N " 1 1700000000000\n", " 1;"},
	{"a time before 1970", N " 1 -17\n", " 1;"},
	{"no number", N " NaN\n", " nan;"},
	{"infinite", N " +Inf\n", " inf;"},
	{"another name that begins so", N "_created 5\n" N ":x 6\n", ""},
	{"another name that ends so", "x_" N " 5\n", ""},
	{"a comment of that name", "# " N " 5\n#" N " 5\n", ""},
	{"the name in another's label", "x{a=\"\\n" N " 5\"} 1\n", ""},
	{"nothing", "", ""},
	{"empty lines", "\n\n" N " 1\n\n", " 1;"},
	{"no value", N "\n", "", true},
	{"no value behind labels", N "{a=\"b\"}\n", "", true},
	{"words", N " many\n", "", true},
	{"a number and more", N " 5x\n", "", true},
	{"a time of words", N " 5 now\n", "", true},
	{"three numbers", N " 5 6 7\n", "", true},
	{"a brace that stays open", N "{a=\"b\" 5\n", "", true},
	{"an open quote", N "{a=\"b} 5\n", "", true},
	{"no quote", N "{a=b} 5\n", "", true},
	{"an escape that is none", N "{a=\"\\t\"} 5\n", "", true},
	{"an escape at the end", N "{a=\"\\", "", true},
	{"a label without a name", N "{=\"b\"} 5\n", "", true},
	{"a label without a value", N "{a} 5\n", "", true},
	{"a label without anything", N "{a=} 5\n", "", true},
	{"a brace alone", N "{\n", "", true},
	{"cut in a line", N " 1\n" N " 1", " 1;", true},
	{"cut in another's line", N " 1\nx 1", " 1;", true},
	{"chunks", "4\r\n" N " 1\n\r\n", " 1;", true},
	{"a CR at the end of a line", N " 1\r\n", "", true},
	{"good behind bad", N " x\n" N " 1\n", " 1;", true},
};

static void tell(void *closure, const struct kr_metric_label *labels,
                 size_t n_labels, double value)
{
	char *text = closure;

	for (size_t i = 0; i < n_labels; i++)
		sprintf(text + strlen(text), "%s%s=%s", i ? "," : "",
		        labels[i].name, labels[i].value);
	sprintf(text + strlen(text), " %g;", value);
}

static void hear(struct kr_metrics *m, const char *data, size_t size,
                 size_t step)
{
	for (size_t i = 0; i < size; i += step) {
		/* of its own size, so that a sanitizer sees what is read */
		size_t n = size - i < step ? size - i : step;
		char *piece = malloc(n);

		memcpy(piece, data + i, n);
		kr_metrics_hear(m, piece, n);
		free(piece);
	}
	kr_metrics_end(m);
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];

	for (size_t step = 1; step <= 4096; step *= 2) {
		char got[512] = "";
		struct kr_metrics m = {.name = N, .tell = tell, .closure = got};

		hear(&m, row->text, strlen(row->text), step);
		ck_assert_msg(strcmp(got, row->want) == 0, "%s: '%s'",
		              row->name, got);
		ck_assert_msg(m.malformed == row->malformed, "%s: %d",
		              row->name, m.malformed);
	}
}
END_TEST

static void count(void *closure, const struct kr_metric_label *labels,
                  size_t n_labels, double value)
{
	for (size_t i = 0; i < n_labels; i++)
		*(size_t *)closure += strlen(labels[i].value);
}

/* A line may be as long as one may be, and no longer where it is ours. */
START_TEST(test_long)
{
	static const struct {
		const char *begin;
		size_t length;
		bool malformed;
		size_t n_samples;
	} lines[] = {
		{N "{a=\"", KR_METRICS_LINE_SIZE, false, 2},
		{N "{a=\"", KR_METRICS_LINE_SIZE + 1, true, 1},
		{N "{a=\"", 100000, true, 1},
		{"other{a=\"", 100000, false, 1},
		{"# ", 100000, false, 1},
	};
	static const char end[] = "\"} 1\n" N " 1\n";
	size_t length = lines[_i].length, total = 0;
	struct kr_metrics m = {.name = N, .tell = count, .closure = &total};
	char *text = malloc(length + sizeof(end));

	memset(text, 'x', length);
	memcpy(text, lines[_i].begin, strlen(lines[_i].begin));
	memcpy(text + length - strlen("\"} 1"), end, sizeof(end));
	hear(&m, text, strlen(text), 777);
	ck_assert_int_eq(m.malformed, lines[_i].malformed);
	ck_assert_uint_eq(m.n_samples, lines[_i].n_samples);
	free(text);
}
END_TEST

START_TEST(test_labels)
{
	char text[1024] = N "{";
	size_t total = 0;
	struct kr_metrics m = {.name = N, .tell = count, .closure = &total};

	for (int i = 0; i < KR_METRICS_LABELS_MAX + _i; i++)
		sprintf(text + strlen(text), "a%d=\"x\",", i);
	strcat(text, "} 1\n");
	hear(&m, text, strlen(text), sizeof(text));
	ck_assert_int_eq(m.malformed, _i > 0);
	ck_assert_uint_eq(total, _i > 0 ? 0 : KR_METRICS_LABELS_MAX);
}
END_TEST

/* Any bytes: nothing is read or written beside the line (a sanitizer sees it),
 * and what is told has its labels. */
START_TEST(test_noise)
{
	static const char alphabet[] = N "{}\"\\=, \n\n\r\0#1e+x";
	unsigned seed = 14;

	for (int round = 0; round < 3000; round++) {
		size_t total = 0, size = 0;
		struct kr_metrics m = {
			.name = N, .tell = count, .closure = &total};
		char text[256];

		while (size < sizeof(text) - strlen(N)) {
			seed = seed * 1103515245 + 12345;
			if (seed >> 28 == 0) {
				memcpy(text + size, N, strlen(N));
				size += strlen(N);
			}
			text[size++] =
				alphabet[strlen(N) +
			                 (seed >> 16) % (sizeof(alphabet) - 1 -
			                                 strlen(N))];
		}
		hear(&m, text, size, 1 + seed % 64);
		ck_assert_uint_le(total, size);
	}
}
END_TEST

START_TEST(test_nul)
{
	static const char text[] = N "{a=\"b\0\"} 1\n" N " 1\n";
	size_t total = 0;
	struct kr_metrics m = {.name = N, .tell = count, .closure = &total};

	hear(&m, text, sizeof(text) - 1, 8);
	ck_assert_int_eq(m.malformed, true);
	ck_assert_uint_eq(m.n_samples, 1);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "metrics", NULL, NULL);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_long, 0, 5);
	tcase_add_loop_test(tc, test_labels, 0, 2);
	tcase_add_test(tc, test_noise);
	tcase_add_test(tc, test_nul);
}

KR_TEST_MAIN(add_tests);
