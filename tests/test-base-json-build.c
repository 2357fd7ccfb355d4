/* SPDX-License-Identifier: Apache-2.0 */

/*
 * base/json-build: bytes that are text and bytes that are not. Base64: RFC
 * 4648, section 10, and each length of its last group.
 */

#include "base/json-build.h"
#include "testing.h"

static const struct row {
	const char *name;
	const char *in;
	size_t size;
	const char *line;
} rows[] = {
	{"nothing", "", 0, "{\"text\":\"\"}"},
	{"text", "f\xc3\xb6", 3, "{\"text\":\"f\xc3\xb6\"}"},
	{"a NUL", "\0", 1, "{\"text\":null,\"text_base64\":\"AA==\"}"},
	{"one byte", "\xff", 1, "{\"text\":null,\"text_base64\":\"/w==\"}"},
	{"two", "f\xfe", 2, "{\"text\":null,\"text_base64\":\"Zv4=\"}"},
	{"three", "f\0o", 3, "{\"text\":null,\"text_base64\":\"ZgBv\"}"},
	{"four", "foo\0", 4, "{\"text\":null,\"text_base64\":\"Zm9vAA==\"}"},
	{"five", "foo\0b", 5, "{\"text\":null,\"text_base64\":\"Zm9vAGI=\"}"},
	{"six", "foo\0ba", 6, "{\"text\":null,\"text_base64\":\"Zm9vAGJh\"}"},
	{"seven", "foo\0bar", 7,
         "{\"text\":null,\"text_base64\":\"Zm9vAGJhcg==\"}"},
	{"cut in a character", "\xc3", 1,
         "{\"text\":null,\"text_base64\":\"ww==\"}"},
	{"UTF-16", "f\0a\0l\0s\0e\0", 10,
         "{\"text\":null,\"text_base64\":\"ZgBhAGwAcwBlAA==\"}"},
};

START_TEST(test_exact)
{
	const struct row *row = &rows[_i];
	_cleanup_free_ char *in = NULL, *line = NULL;
	struct kr_build b = {0};
	cJSON *o = cJSON_CreateObject();

	/* a copy of its own size, so that a sanitizer sees what is behind it */
	in = malloc(row->size + !row->size);
	ck_assert_ptr_nonnull(in);
	memcpy(in, row->in, row->size);
	kr_build_exact(&b, o, "text", in, row->size);
	line = kr_build_line(&b, o);
	ck_assert_msg(line && strcmp(line, row->line) == 0, "%s: %s", row->name,
	              line);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "base-json-build", NULL, NULL);

	tcase_add_loop_test(tc, test_exact, 0, ARRAY_SIZE(rows));
}

KR_TEST_MAIN(add_tests);
