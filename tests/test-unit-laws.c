/* SPDX-License-Identifier: Apache-2.0 */

/*
 * unit/: the laws, for many generated units: tokens of the syntaxes put
 * together by a generator with a seed of its own for each unit. UNIT_SEED is
 * the first one (default 1).
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testing.h"
#include "unit-laws.h"

#define N_UNITS  300
#define TEXT_MAX 4096

static uint64_t state;

static size_t below(size_t n)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (size_t)(state >> 33) % n;
}

static const char *const words[] = {
	"--v=2",     "x",      "-a",         "\"a b\"", "'c d'", "\"\"",
	"\\x41",     "a\\sb",  "#x",         "$A",      "${B}",  "$B",
	"\"$A\"",    "a${A}b", "%%",         "%n",      "\\;",   ";",
	"a\"b c\"d", "\\q",    "\"e\\\"f\"", "$$",      "k=v",
};

static const char *const blanks[] = {
	" ",       " ",    " ",          "  ",          "\t",      " \\\n",
	" \\\n  ", "\\\n", " \\\n# c\n", " \\\n;c\n  ", "\\\r\n ",
};

/* Of a variable's value: after the unit file's own quotes are gone. */
static const char *const values[] = {
	"--v=2", "x",  "\\\"a b\\\"", "c\\\\ d", "#e",     "'f g'",
	"%%",    "%n", "y",           "\\x20",   "\\x20z", "h;",
};

static const char *const value_blanks[] = {
	" ", " ", "  ", "\t", " \\\n", " \\\n  ", "\\\n", " \\\n#c\n",
};

static const char *const file_values[] = {
	"--v=2",  "x",  "'a", "\\\"b c\\\"", "#d",
	"e\\\\f", "\\", "$",  "y",           "z\\\n",
};

static const char *const file_blanks[] = {" ", " ", "  ", "\t", " \\\n"};

static const char *const shapes[][2] = {
	{"\"A=", "\""},  {"A=\"", "\""},  {"'B=", "'"},     {"A=", ""},
	{"B=x\"", "\""}, {"\"B=", "\"x"}, {"A=\"\"'", "'"},
};

static const char *const file_shapes[][2] = {
	{"A=", ""},  {"A=\"", "\""}, {"B='", "'"},       {"A=\"a \"", ""},
	{"B=", " "}, {"A = ", ""},   {"B=\"x\" '", "'"},
};

#define PICK(list) list[below(ARRAY_SIZE(list))]

static void add(char *text, const char *s)
{
	strlcat(text, s, TEXT_MAX);
}

static void add_command(char *text)
{
	add(text, "ExecStart=");
	add(text, below(5) ? "/bin/x" : "-@:/bin/x name");
	for (size_t n = below(7); n > 0; n--) {
		add(text, PICK(blanks));
		add(text, PICK(words));
	}
	add(text, below(6) ? "\n" : " \\\n\n");
}

static void add_variable(char *text)
{
	const char *const *shape = PICK(shapes);

	add(text, "Environment=");
	add(text, shape[0]);
	for (size_t n = below(5); n > 0; n--) {
		add(text, PICK(values));
		add(text, n > 1 ? PICK(value_blanks) : "");
	}
	add(text, shape[1]);
	add(text, "\n");
}

static void add_file_variable(char *text)
{
	const char *const *shape = PICK(file_shapes);

	add(text, shape[0]);
	for (size_t n = below(5); n > 0; n--) {
		add(text, PICK(file_values));
		add(text, n > 1 ? PICK(file_blanks) : "");
	}
	add(text, shape[1]);
	add(text, below(8) ? "\n" : "");
}

static void put(struct kr_fs *fs, const char *path, const char *text)
{
	ck_assert_int_eq(kr_fs_put(fs, path, text, strlen(text)), 0);
}

static size_t seed_of(int n)
{
	const char *first = getenv("UNIT_SEED");

	return (first ? strtoul(first, NULL, 10) : 1) + (size_t)n;
}

START_TEST(test_laws)
{
	_cleanup_fs_ struct kr_fs *root = kr_root_fs();
	_cleanup_fs_ struct kr_fs *fs = NULL;
	char unit[TEXT_MAX] = "[Service]\nType=oneshot\n"
			      "EnvironmentFile=-/etc/default/kubelet\n";
	char file[TEXT_MAX] = "";
	const char *fault;

	state = seed_of(_i) * 7919;
	ck_assert_int_eq(kr_fs_new_overlay(root, &fs), 0);
	for (size_t n = below(3); n > 0; n--)
		add_variable(unit);
	add_command(unit);
	if (below(2))
		add_command(unit);
	for (size_t n = below(3); n > 0; n--)
		add_file_variable(file);
	put(fs, "/etc/systemd/system/kubelet.service", unit);
	put(fs, "/etc/default/kubelet", file);
	fault = kr_unit_laws(fs, "kubelet.service");
	ck_assert_msg(!fault, "seed %zu: %s\n%s---\n%s---", seed_of(_i), fault,
	              unit, file);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "laws", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_laws, 0, N_UNITS);
}

KR_TEST_MAIN(add_tests);
