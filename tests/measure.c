/* SPDX-License-Identifier: Apache-2.0 */

/*
 * measure: runs a command again and again and says what each run cost.
 *
 *     measure RUNS PROGRAM [ARGUMENT]...
 *
 * One line a run: wall, user and system time in nanoseconds, the largest
 * resident set in KiB, minor faults, the exit status. The command's stdout goes
 * to /dev/null. The first run warms the caches and is not printed.
 *
 * It is a program of its own since the resident set that wait4(2) gives is the
 * larger one of the command's and of its parent's at the time of the fork
 * (exec_mmap() of Linux): below an interpreter it would be the interpreter's.
 * For the same reason its own is kept small.
 */

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MAX 100000

static long long now_nsec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static long long to_nsec(struct timeval tv)
{
	return tv.tv_sec * 1000000000LL + tv.tv_usec * 1000LL;
}

static int run_once(char **argv, const posix_spawn_file_actions_t *actions,
                    int print)
{
	long long start = now_nsec(), wall;
	struct rusage usage;
	int status, r;
	pid_t pid;

	r = posix_spawnp(&pid, argv[0], actions, NULL, argv, environ);
	if (r != 0) {
		fprintf(stderr, "measure: %s: %s\n", argv[0], strerror(r));
		return -1;
	}
	if (wait4(pid, &status, 0, &usage) < 0)
		return -1;
	wall = now_nsec() - start;
	if (print)
		printf("%lld %lld %lld %ld %ld %d\n", wall,
		       to_nsec(usage.ru_utime), to_nsec(usage.ru_stime),
		       usage.ru_maxrss, usage.ru_minflt,
		       WIFEXITED(status) ? WEXITSTATUS(status)
		                         : 128 + WTERMSIG(status));
	return 0;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t actions;
	const char *error = "too few words";
	int runs = 0;

	if (argc > 2)
		runs = (int)strtonum(argv[1], 1, RUNS_MAX, &error);
	if (error) {
		fprintf(stderr, "measure: runs: %s\n", error);
		return 2;
	}
	if (posix_spawn_file_actions_init(&actions) != 0 ||
	    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO,
	                                     "/dev/null", O_WRONLY, 0) != 0)
		return 1;
	for (int i = 0; i <= runs; i++) {
		if (run_once(argv + 2, &actions, i > 0) < 0)
			return 1;
	}
	posix_spawn_file_actions_destroy(&actions);
	return 0;
}
