/* SPDX-License-Identifier: Apache-2.0 */

/*
 * unit/credentials: which credentials a service has, and from where. What a
 * real systemd makes of them is tried by tests/test-systemd-start.py.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testing.h"
#include "unit/resolve.h"

#define UNIT "/etc/systemd/system/kubelet.service"
#define X    "ExecStart=/bin/x ${CREDENTIALS_DIRECTORY}"
#define D    "/run/credentials/kubelet.service"

static const struct {
	const char *name;
	const char *lines; /* of [Service] */
	const char *want;  /* NAME[=SOURCE] of each, "|" behind it */
	const char *word;  /* what the variable is; NULL: it is not known */
} rows[] = {
	{"none", "", "", ""},
	{"a file", "LoadCredential=k:/a/b\n", "k=/a/b|", D},
	{"two", "LoadCredential=k:/a\nLoadCredential=l:/b\n", "k=/a|l=/b|", D},
	{"the name again", "LoadCredential=k:/a\nLoadCredential=k:/b\n",
         "k=/b|", D},
	{"... encrypted", "LoadCredential=k:/a\nLoadCredentialEncrypted=k:/b\n",
         "k=/b|", D},
	{"a text, too", "LoadCredential=k:/a\nSetCredential=k:x:y\n", "k=/a|k|",
         D},
	{"taken back", "LoadCredential=k:/a\nLoadCredential=\n", "", ""},
	{"taken back, but for the text",
         "LoadCredential=k:/a\nSetCredential=k:x\nLoadCredentialEncrypted=\n",
         "k|", D},
	{"systemd's own",
         "LoadCredential=k\nLoadCredential=l:\n"
         "LoadCredential=m:n\n",
         "k|l|m|", D},
	{"imported", "ImportCredential=k*\n", "k*|", NULL},
	{"specifiers", "LoadCredential=%p:/a/%n%%\n",
         "kubelet=/a/kubelet.service%|", D},
	{"a specifier that cannot be told", "LoadCredential=k:/a/%s\n", "k|",
         D},
	{"a specifier that is none", "LoadCredential=k:/a/%z\n", "", ""},
	{"a name that is none",
         "LoadCredential=a/b:/a\nLoadCredential=:/a\nSetCredential=.:x\n"
         "SetCredential=..:x\nLoadCredential=\xc3\xa9:/a\n",
         "", ""},
	{"a path that is none",
         "LoadCredential=k:/a/../b\nLoadCredential=k:/a//b\n"
         "LoadCredential=k:/a/./b\nLoadCredential=k: /a\n"
         "LoadCredential=k:\"/a\"\nLoadCredential=k:a/b\n",
         "", ""},
	{"quotes", "LoadCredential=\"k:/a\"\n", "\"k=/a\"|", D},
	{"a bad line keeps the one before",
         "LoadCredential=k:/a\nLoadCredential=k:b/\n", "k=/a|", D},
	{"another section", "[Unit]\nLoadCredential=k:/a\n[Service]\n", "", ""},
};

START_TEST(test_row)
{
	_cleanup_unit_ struct kr_unit *unit = NULL;
	_cleanup_fs_ struct kr_fs *fs = NULL;
	_cleanup_free_ char *text = NULL;
	const struct kr_unit_word *word;
	char got[512] = "";

	ck_assert_int_ge(
		asprintf(&text, "[Service]\n%s" X "\n", rows[_i].lines), 0);
	kr_root_write(UNIT, text);
	fs = kr_root_fs();
	ck_assert_int_eq(
		kr_unit_resolve(fs, "kubelet.service", NULL, NULL, &unit), 0);
	for (size_t i = 0; i < unit->n_credentials; i++) {
		const struct kr_unit_credential *c = &unit->credentials[i];
		size_t n = strlen(got);

		snprintf(got + n, sizeof(got) - n, "%s%s%s|", c->name,
		         c->source ? "=" : "", c->source ? c->source : "");
		ck_assert_msg(
			strncmp(c->path, D "/", strlen(D "/")) == 0 &&
				strcmp(c->path + strlen(D "/"), c->name) == 0,
			"%s: %s", rows[_i].name, c->path);
		ck_assert_ptr_nonnull(c->span.file);
	}
	ck_assert_msg(strcmp(got, rows[_i].want) == 0, "%s: got '%s'",
	              rows[_i].name, got);
	word = &unit->commands[0].words[1];
	ck_assert_msg(word->from->unknown == !rows[_i].word, "%s",
	              rows[_i].name);
	ck_assert_msg(!rows[_i].word || strcmp(word->text, rows[_i].word) == 0,
	              "%s: '%s'", rows[_i].name, word->text);
}
END_TEST

START_TEST(test_too_many)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_unit_ struct kr_unit *unit = NULL;
	_cleanup_fs_ struct kr_fs *fs = NULL;
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs("[Service]\n", out);
	for (int i = 0; i < 251; i++)
		fprintf(out, "SetCredential=k%d:x\n", i);
	fputs(X "\n", out);
	fclose(out);
	kr_root_write(UNIT, text);
	fs = kr_root_fs();
	ck_assert_int_eq(
		kr_unit_resolve(fs, "kubelet.service", NULL, &diag, &unit),
		-EFBIG);
	ck_assert_ptr_nonnull(kr_diag_find(&diag, "credentials-too-large"));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "rows", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_row, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_too_many);
}

KR_TEST_MAIN(add_tests);
