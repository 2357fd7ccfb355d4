/* SPDX-License-Identifier: Apache-2.0 */

/*
 * report/diff: the text that `diff -u` would give, and the law that patch(1)
 * makes of it the very bytes that kr_file_edits_apply() makes.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/edit.h"
#include "report/diff.h"
#include "testing.h"

struct splice {
	size_t offset, length;
	const char *text;
};

struct row {
	const char *name;
	const char *path; /* NULL: "/etc/k" */
	const char *in;   /* NULL: a file that is made */
	struct splice splices[4];
	const char *want;  /* behind the two lines with the names */
	const char *names; /* those lines; NULL: of "/etc/k" */
};

#define NAMES "--- a/etc/k\n+++ b/etc/k\n"
#define TEN   "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n"
#define NO_LF "\\ No newline at end of file\n"

static const struct row rows[] = {
	{.name = "one word of one line",
         .in = "k: false\n",
         .splices = {{3, 5, "true"}},
         .want = "@@ -1 +1 @@\n-k: false\n+k: true\n"},
	{.name = "three lines of context",
         .in = TEN,
         .splices = {{8, 1, "five"}},
         .want = "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"},
	{.name = "no final newline, changed there",
         .in = "a\nb",
         .splices = {{2, 1, "c"}},
         .want = "@@ -1,2 +1,2 @@\n a\n-b\n" NO_LF "+c\n" NO_LF},
	{.name = "no final newline in the context",
         .in = "a\nb",
         .splices = {{0, 1, "x"}},
         .want = "@@ -1,2 +1,2 @@\n-a\n+x\n b\n" NO_LF},
	{.name = "no final newline, far from the change",
         .in = "1\n2\n3\n4\n5\n6",
         .splices = {{0, 1, "x"}},
         .want = "@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n"},
	{.name = "the final newline is added",
         .in = "a",
         .splices = {{1, 0, "\n"}},
         .want = "@@ -1 +1 @@\n-a\n" NO_LF "+a\n"},
	{.name = "the final newline is taken away",
         .in = "a\n",
         .splices = {{1, 1, ""}},
         .want = "@@ -1 +1 @@\n-a\n+a\n" NO_LF},
	{.name = "a line behind a last one that has no newline",
         .in = "a",
         .splices = {{1, 0, "\nb"}},
         .want = "@@ -1 +1,2 @@\n-a\n" NO_LF "+a\n+b\n" NO_LF},
	{.name = "CRLF stays",
         .in = "a\r\nb\r\n",
         .splices = {{3, 1, "c"}},
         .want = "@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n"},
	{.name = "two edits in one line",
         .in = "abcdef\n",
         .splices = {{1, 1, "B"}, {4, 1, "E"}},
         .want = "@@ -1 +1 @@\n-abcdef\n+aBcdEf\n"},
	{.name = "near edits share a hunk",
         .in = TEN,
         .splices = {{0, 1, "x"}, {14, 1, "y"}},
         .want = "@@ -1,10 +1,10 @@\n-1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n"
                 "+y\n 9\n 10\n"},
	{.name = "edits of neighbouring lines",
         .in = "a\nb\nc\n",
         .splices = {{0, 1, "x"}, {2, 1, "y"}},
         .want = "@@ -1,3 +1,3 @@\n-a\n-b\n+x\n+y\n c\n"},
	{.name = "far edits have a hunk each",
         .in = TEN "11\n12\n",
         .splices = {{0, 1, "x"}, {21, 2, "y"}},
         .want = "@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n"
                 "@@ -8,5 +8,5 @@\n 8\n 9\n 10\n-11\n+y\n 12\n"},
	{.name = "a second hunk counts the first one's lines",
         .in = TEN "11\n12\n",
         .splices = {{0, 0, "a\nb\n"}, {21, 2, "y"}},
         .want = "@@ -1,3 +1,5 @@\n+a\n+b\n 1\n 2\n 3\n"
                 "@@ -8,5 +10,5 @@\n 8\n 9\n 10\n-11\n+y\n 12\n"},
	{.name = "a line at the start",
         .in = "a\nb\n",
         .splices = {{0, 0, "x\n"}},
         .want = "@@ -1,2 +1,3 @@\n+x\n a\n b\n"},
	{.name = "a line at the end",
         .in = "a\nb\n",
         .splices = {{4, 0, "x\n"}},
         .want = "@@ -1,2 +1,3 @@\n a\n b\n+x\n"},
	{.name = "bytes at the end, without a newline",
         .in = "a\nb\n",
         .splices = {{4, 0, "x"}},
         .want = "@@ -1,2 +1,3 @@\n a\n b\n+x\n" NO_LF},
	{.name = "a line between two",
         .in = "a\nb\n",
         .splices = {{2, 0, "x\n"}},
         .want = "@@ -1,2 +1,3 @@\n a\n+x\n b\n"},
	{.name = "a line put in before a newline",
         .in = "a\nb\n",
         .splices = {{1, 0, "\nx"}},
         .want = "@@ -1,2 +1,3 @@\n a\n+x\n b\n"},
	{.name = "a whole line is taken away",
         .in = "a\nb\nc\n",
         .splices = {{2, 2, ""}},
         .want = "@@ -1,3 +1,2 @@\n a\n-b\n c\n"},
	{.name = "two neighbouring lines go by two edits",
         .in = "a\nb\nc\nd\n",
         .splices = {{2, 2, ""}, {4, 2, ""}},
         .want = "@@ -1,4 +1,2 @@\n a\n-b\n-c\n d\n"},
	{.name = "the first line goes",
         .in = "a\nb\n",
         .splices = {{0, 2, ""}},
         .want = "@@ -1,2 +1 @@\n-a\n b\n"},
	{.name = "the last line goes",
         .in = "a\nb\n",
         .splices = {{2, 2, ""}},
         .want = "@@ -1,2 +1 @@\n a\n-b\n"},
	{.name = "everything goes",
         .in = "a\nb\n",
         .splices = {{0, 4, ""}},
         .want = "@@ -1,2 +0,0 @@\n-a\n-b\n"},
	{.name = "into an empty file",
         .in = "",
         .splices = {{0, 0, "x\n"}},
         .want = "@@ -0,0 +1 @@\n+x\n"},
	{.name = "two lines are joined",
         .in = "a\nb\nc\n",
         .splices = {{1, 1, " "}},
         .want = "@@ -1,3 +1,2 @@\n-a\n-b\n+a b\n c\n"},
	{.name = "three lines are joined by two edits",
         .in = "a\nb\nc\nd\n",
         .splices = {{1, 1, ""}, {3, 1, ""}},
         .want = "@@ -1,4 +1,2 @@\n-a\n-b\n-c\n+abc\n d\n"},
	{.name = "a cut from the middle of a line into the next",
         .in = "abc\ndef\ng\n",
         .splices = {{1, 4, ""}},
         .want = "@@ -1,3 +1,2 @@\n-abc\n-def\n+aef\n g\n"},
	{.name = "a cut through a newline to the end of the next line",
         .in = "ab \\\n  cd\ne\n",
         .splices = {{2, 7, ""}},
         .want = "@@ -1,3 +1,2 @@\n-ab \\\n-  cd\n+ab\n e\n"},
	{.name = "a line split in two",
         .in = "ab\n",
         .splices = {{1, 0, "\n"}},
         .want = "@@ -1 +1,2 @@\n-ab\n+a\n+b\n"},
	{.name = "a line that looks like a diff",
         .in = "--- a\n+++ b\n",
         .splices = {{4, 1, "c"}},
         .want = "@@ -1,2 +1,2 @@\n---- a\n+--- c\n +++ b\n"},
	{.name = "a path with a blank ends in a tab",
         .path = "/etc/a b/k",
         .in = "a\n",
         .splices = {{0, 1, "b"}},
         .names = "--- a/etc/a b/k\t\n+++ b/etc/a b/k\t\n",
         .want = "@@ -1 +1 @@\n-a\n+b\n"},
	{.name = "a file that is made",
         .splices = {{0, 0, "[Service]\nA=b\n"}},
         .names = "--- /dev/null\n+++ b/etc/k\n",
         .want = "@@ -0,0 +1,2 @@\n+[Service]\n+A=b\n"},
	{.name = "a file that is made, without a final newline",
         .splices = {{0, 0, "x"}},
         .names = "--- /dev/null\n+++ b/etc/k\n",
         .want = "@@ -0,0 +1 @@\n+x\n" NO_LF},
};

static void fill(struct kr_edits *edits, const struct row *row)
{
	const char *path = row->path ? row->path : "/etc/k";
	const struct kr_file *file;

	if (!row->in) {
		ck_assert_int_eq(
			kr_edits_create(edits, path, row->splices[0].text), 0);
		return;
	}
	file = kr_test_file(path, row->in, strlen(row->in));
	for (size_t i = 0; i < 4 && row->splices[i].text; i++) {
		const struct splice *s = &row->splices[i];
		struct kr_span span = {file, s->offset, s->length};

		ck_assert_msg(kr_edits_add(edits, span, s->text) == 0,
		              "%s: splice %zu", row->name, i);
	}
}

static char *draw(const struct kr_edits *edits)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	for (size_t i = 0; i < edits->n_files; i++)
		ck_assert_int_eq(kr_diff_print(out, &edits->files[i]), 0);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	const char *names = row->names ? row->names : NAMES;
	_cleanup_edits_ struct kr_edits edits = {0};
	_cleanup_free_ char *text = NULL;

	fill(&edits, row);
	text = draw(&edits);
	ck_assert_msg(strncmp(text, names, strlen(names)) == 0,
	              "%s: names in\n%s", row->name, text);
	ck_assert_msg(strcmp(text + strlen(names), row->want) == 0,
	              "%s: got\n%s\nwant\n%s%s", row->name, text, names,
	              row->want);
}
END_TEST

/* --- the law ------------------------------------------------------------- */

#define PATCH "/usr/bin/patch"

/* patch -p1 on the root, DIFF on its standard input. */
static int run_patch(const char *diff)
{
	int pipe_fds[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(pipe_fds[0], STDIN_FILENO);
		if (chdir(kr_root_path) == 0 &&
		    freopen("/dev/null", "w", stdout))
			execle(PATCH, "patch", "-p1", "--fuzz=0", "--binary",
			       "--no-backup-if-mismatch", (char *)NULL,
			       (char *[]){NULL});
		_exit(127);
	}
	close(pipe_fds[0]);
	ck_assert_int_eq(write(pipe_fds[1], diff, strlen(diff)),
	                 (ssize_t)strlen(diff));
	close(pipe_fds[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void check_patched(const char *name, const struct kr_edits *edits)
{
	const struct kr_file_edits *f = &edits->files[0];
	_cleanup_free_ char *diff = draw(edits), *want = NULL;
	_cleanup_fs_ struct kr_fs *fs = NULL;
	const struct kr_file *got = NULL;
	size_t size;
	int r;

	ck_assert_int_eq(kr_file_edits_apply(f, &want, &size), 0);
	if (f->file)
		kr_root_write_bytes(f->path, f->file->data, f->file->size);
	else
		unlinkat(kr_root_fd, f->path + 1, 0);
	ck_assert_msg(run_patch(diff) == 0, "%s: patch refuses\n%s", name,
	              diff);
	fs = kr_root_fs();
	r = kr_fs_read(fs, f->path, &got);
	/* patch removes what becomes empty */
	if (size == 0 && r == -ENOENT)
		return;
	ck_assert_msg(r == 0 && got->size == size &&
	                      memcmp(got->data, want, size) == 0,
	              "%s: patch made\n%s\nof\n%s\nwanted\n%s", name,
	              r == 0 ? got->data : strerror(-r), diff, want);
}

START_TEST(test_rows_patched)
{
	_cleanup_edits_ struct kr_edits edits = {0};

	fill(&edits, &rows[_i]);
	kr_root_mkdir("/etc");
	if (rows[_i].path)
		kr_root_mkdir("/etc/a b");
	check_patched(rows[_i].name, &edits);
}
END_TEST

/* A small generator, so that a failure comes again: the seed is its number. */
static unsigned next(unsigned *seed, unsigned below)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % below;
}

static void random_text(unsigned *seed, char *text, unsigned length)
{
	/* many newlines, few letters: lines that are alike */
	for (unsigned i = 0; i < length; i++)
		text[i] = "ab\n\n "[next(seed, 5)];
	text[length] = '\0';
}

START_TEST(test_random_patched)
{
	unsigned seed = (unsigned)_i + 1;
	char text[128], insert[8], name[32];
	_cleanup_edits_ struct kr_edits edits = {0};
	const struct kr_file *file;

	random_text(&seed, text, 1 + next(&seed, 100));
	file = kr_test_file("/etc/k", text, strlen(text));
	for (unsigned i = 1 + next(&seed, 4); i > 0; i--) {
		size_t at = next(&seed, (unsigned)file->size + 1);
		size_t n = next(&seed, 6);
		struct kr_span span = {file, at, n};

		if (kr_span_end(span) > file->size)
			span.length = file->size - at;
		random_text(&seed, insert, next(&seed, 5));
		if (span.length == 0 && !*insert)
			strcpy(insert, "x");
		(void)kr_edits_add(&edits, span, insert);
	}
	snprintf(name, sizeof(name), "seed %d", _i + 1);
	{
		_cleanup_free_ char *after = NULL;
		size_t size;

		ck_assert_int_eq(
			kr_file_edits_apply(&edits.files[0], &after, &size), 0);
		if (size == file->size && memcmp(after, file->data, size) == 0)
			return; /* edits that change nothing: no hunk */
	}
	check_patched(name, &edits);
}
END_TEST

/* --- mode and owner ------------------------------------------------------ */

static const struct {
	const char *name, *path;
	struct kr_perms from, to;
	const char *want;
} perms[] = {
	{"nothing", "/etc/k", {0}, {0}, ""},
	{"mode",
         "/etc/k",
         {0644, 5, 6},
         {0600, 5, 6},
         "# chmod 0600 /etc/k (0644 now)\n"},
	{"owner",
         "/etc/k",
         {0644, 1000, 1000},
         {0644, 0, 0},
         "# chown root:root /etc/k (1000:1000 now)\n"},
	{"both",
         "/etc/k",
         {0644, 0, 1000},
         {0, 0, 0},
         "# chmod 0000 /etc/k (0644 now)\n"
         "# chown root:root /etc/k (root:1000 now)\n"},
	{"an end of line in the name",
         "/etc/k\n--- a/x\033",
         {0644, 0, 0},
         {0600, 0, 0},
         "# chmod 0600 /etc/k\\012--- a/x\\033 (0644 now)\n"},
};

START_TEST(test_perms)
{
	const struct kr_file_edits f = {
		.file = kr_test_file(perms[_i].path, "a\n", 2),
		.path = (char *)(uintptr_t)perms[_i].path,
		.perms = {perms[_i].from, perms[_i].to},
	};
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	kr_diff_print_perms(out, &f);
	/* no byte differs */
	ck_assert_int_eq(kr_diff_print(out, &f), 0);
	fclose(out);
	ck_assert_msg(strcmp(text, perms[_i].want) == 0, "%s: %s",
	              perms[_i].name, text);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "rows", NULL, NULL);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_perms, 0, ARRAY_SIZE(perms));
	if (access(PATCH, X_OK) < 0) {
		printf("# skipped: the laws with patch(1): no " PATCH "\n");
		return;
	}
	tc = kr_test_case(suite, "patch", kr_root_setup, kr_root_teardown);
	tcase_add_loop_test(tc, test_rows_patched, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_random_patched, 0, 300);
}

KR_TEST_MAIN(add_tests);
