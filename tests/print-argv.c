/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a unit of tests/systemd-property.py runs: appends its argv to
 * /run/print-argv/UNIT, the number of words and then each word, all ended by
 * NUL. UNIT is the last part of its cgroup's path: its arguments are what is
 * tested and cannot say it.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char line[4096] = "", path[4200];
	FILE *file = fopen("/proc/self/cgroup", "re");
	const char *name = NULL;

	while (file && !name && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::", 3) == 0)
			name = strrchr(line, '/');
	}
	if (!name)
		return EXIT_FAILURE;
	fclose(file);
	snprintf(path, sizeof(path), "/run/print-argv%s", name);
	file = fopen(path, "ae");
	if (!file)
		return EXIT_FAILURE;
	fprintf(file, "%d%c", argc, '\0');
	for (int i = 0; i < argc; i++)
		fwrite(argv[i], 1, strlen(argv[i]) + 1, file);
	return fclose(file) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
