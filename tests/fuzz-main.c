/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Runs a fuzz target over all files of the folders that are named, where there
 * is no libFuzzer: the corpus is a test of every build. TAP on stdout.
 */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macro.h"

#define INPUT_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *folder, const char *name)
{
	_cleanup_free_ char *path = NULL, *data = NULL;
	_cleanup_fclose_ FILE *in = NULL;
	size_t size;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return -1;
	in = fopen(path, "re");
	data = malloc(INPUT_MAX);
	if (!in || !data)
		return -1;
	size = fread(data, 1, INPUT_MAX, in);
	return LLVMFuzzerTestOneInput((const uint8_t *)data, size);
}

int main(int argc, char **argv)
{
	size_t n_tests = 0;

	for (int i = 1; i < argc; i++) {
		struct dirent *entry;
		DIR *dir = opendir(argv[i]);

		if (!dir) {
			perror(argv[i]);
			return EXIT_FAILURE;
		}
		while ((entry = readdir(dir))) {
			if (entry->d_name[0] == '.')
				continue;
			/* a broken law aborts */
			printf("%s %zu - %s\n",
			       run_file(argv[i], entry->d_name) ? "not ok"
			                                        : "ok",
			       ++n_tests, entry->d_name);
			fflush(stdout);
		}
		closedir(dir);
	}
	printf("1..%zu\n", n_tests);
	return n_tests ? EXIT_SUCCESS : EXIT_FAILURE;
}
