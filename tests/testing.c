/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The common part of the unit test programs.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "testing.h"

int kr_root_fd = -1;
char kr_root_path[PATH_MAX];

TCase *kr_test_case(Suite *suite, const char *name, SFun setup, SFun teardown)
{
	TCase *tc = tcase_create(name);

	/* check's own 4 s are what a busy machine stalls for; this is a little
	 * less than meson's for the whole program */
	tcase_set_timeout(tc, 240);
	tcase_add_checked_fixture(tc, setup, teardown);
	suite_add_tcase(suite, tc);
	return tc;
}

static bool make_temporary(char path[static PATH_MAX])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path, PATH_MAX, "%s/kr-test-XXXXXX", tmp ? tmp : "/tmp");
	return mkdtemp(path);
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *ftw)
{
	return remove(path);
}

static void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int kr_test_run(void (*add)(Suite *suite))
{
	Suite *suite = suite_create(program_invocation_short_name);
	char folder[PATH_MAX];
	SRunner *runner;
	int failed;

	umask(022);
	/* a test that fails does not come to its teardown */
	if (!make_temporary(folder)) {
		perror(folder);
		return EXIT_FAILURE;
	}
	setenv("TMPDIR", folder, true);
	add(suite);
	runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	remove_tree(folder);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

void kr_root_setup(void)
{
	ck_assert_msg(make_temporary(kr_root_path), "%s: %s", kr_root_path,
	              strerror(errno));
	kr_root_fd = open(kr_root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(kr_root_fd, 0);
}

void kr_root_teardown(void)
{
	close(kr_root_fd);
	kr_root_fd = -1;
	remove_tree(kr_root_path);
}

static void make_folders(const char *path)
{
	char buffer[PATH_MAX];
	char *slash = buffer;

	ck_assert_uint_lt(strlen(path), sizeof(buffer));
	strcpy(buffer, path);
	while ((slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		if (mkdirat(kr_root_fd, buffer + 1, 0755) < 0)
			ck_assert_int_eq(errno, EEXIST);
		*slash = '/';
	}
}

void kr_root_write_bytes(const char *path, const void *data, size_t size)
{
	int fd;

	make_folders(path);
	fd = openat(kr_root_fd, path + 1,
	            O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
	close(fd);
}

void kr_root_write(const char *path, const char *text)
{
	kr_root_write_bytes(path, text, strlen(text));
}

void kr_root_mkdir(const char *path)
{
	make_folders(path);
	ck_assert_int_eq(mkdirat(kr_root_fd, path + 1, 0755), 0);
}

void kr_root_symlink(const char *target, const char *path)
{
	make_folders(path);
	ck_assert_int_eq(symlinkat(target, kr_root_fd, path + 1), 0);
}

struct stat kr_root_stat(const char *path)
{
	struct stat st;

	ck_assert_int_eq(
		fstatat(kr_root_fd, path + 1, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

unsigned kr_root_entries(const char *path)
{
	int fd = openat(kr_root_fd, path + 1,
	                O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	unsigned n = 0;
	DIR *dir;

	if (fd < 0)
		return 0;
	dir = fdopendir(fd);
	ck_assert_ptr_nonnull(dir);
	while ((e = readdir(dir)))
		n += strcmp(e->d_name, ".") != 0 &&
		     strcmp(e->d_name, "..") != 0;
	closedir(dir);
	return n;
}

struct kr_fs *kr_root_fs(void)
{
	struct kr_fs *fs = NULL;

	ck_assert_int_eq(kr_fs_new(kr_root_fd, &fs), 0);
	return fs;
}

/* The files made by kr_test_file(), given back at exit for valgrind's sake. */
static struct kr_file **files;
static size_t n_files;

static void files_done(void)
{
	for (size_t i = 0; i < n_files; i++) {
		free(files[i]->path);
		free(files[i]->real);
		free(files[i]->data);
		free(files[i]->line);
		free(files[i]);
	}
	free(files);
	files = NULL;
	n_files = 0;
}

const struct kr_file *kr_test_file(const char *path, const void *data,
                                   size_t size)
{
	struct kr_file *file = calloc(1, sizeof(*file));

	if (!files)
		atexit(files_done);
	files = reallocarray(files, n_files + 1, sizeof(struct kr_file *));
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(files);
	files[n_files++] = file;
	file->path = strdup(path);
	file->real = strdup(path);
	file->data = malloc(size + 1);
	file->line = calloc(1, sizeof(*file->line));
	ck_assert_ptr_nonnull(file->data);
	ck_assert_ptr_nonnull(file->line);
	memcpy(file->data, data, size);
	file->data[size] = '\0';
	file->size = size;
	return file;
}

const char *kr_test_messages(const struct kr_diag *diag)
{
	static char *text;
	static size_t size;
	FILE *out;

	free(text);
	text = NULL;
	out = open_memstream(&text, &size);
	for (size_t i = 0; i < diag->n_messages; i++) {
		const struct kr_message *m = &diag->messages[i];

		fprintf(out, "\n  %s %s %s:%u:%u %s",
		        kr_severity_to_string(m->severity), m->code,
		        m->file ? m->file : "-", m->line, m->column, m->text);
	}
	fclose(out);
	return text;
}
