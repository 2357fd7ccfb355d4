/* SPDX-License-Identifier: Apache-2.0 */

/*
 * unit/exec-limits: what execve(2) takes, and what the kernel of this machine
 * says to that.
 */

#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing.h"
#include "unit/exec-limits.h"

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

static struct kr_fs *fs;

static void setup(void)
{
	kr_root_setup();
	ck_assert_int_eq(kr_fs_new(kr_root_fd, &fs), 0);
}

static void teardown(void)
{
	kr_fs_freep(&fs);
	fs = NULL;
	kr_root_teardown();
}

static void write_program(const char *path, unsigned machine)
{
	const Elf64_Ehdr header = {
		.e_ident = ELFMAG,
		.e_machine = (Elf64_Half)machine,
	};

	kr_root_write_bytes(path, &header, sizeof(header));
}

static const struct {
	const char *name, *program;
	unsigned machine; /* of PROGRAM; 0: it is not there */
	size_t page_size, length;
	enum kr_limit want;
} strings[] = {
	{"short", NULL, 0, 0, 128 * KIB - 1, KR_LIMIT_FITS},
	{"nobody knows the machine", NULL, 0, 0, 128 * KIB, KR_LIMIT_ASSUMED},
	{"whatever the machine is", NULL, 0, 0, 2 * MIB, KR_LIMIT_EXCEEDED},
	{"x86-64", "/usr/bin/kubelet", EM_X86_64, 0, 128 * KIB,
         KR_LIMIT_EXCEEDED},
	{"aarch64", "/usr/bin/kubelet", EM_AARCH64, 0, 128 * KIB,
         KR_LIMIT_UNKNOWN},
	{"aarch64 by its systemd", "/usr/lib/systemd/systemd", EM_AARCH64, 0,
         128 * KIB, KR_LIMIT_UNKNOWN},
	{"aarch64 by its shell", "/bin/sh", EM_AARCH64, 0, 2 * MIB - 1,
         KR_LIMIT_UNKNOWN},
	{"too long for any page", "/bin/sh", EM_AARCH64, 0, 2 * MIB,
         KR_LIMIT_EXCEEDED},
	{"pages of 4 KiB", "/bin/sh", EM_AARCH64, 4096, 128 * KIB,
         KR_LIMIT_EXCEEDED},
	{"pages of 16 KiB", "/bin/sh", EM_AARCH64, 16384, 512 * KIB - 1,
         KR_LIMIT_FITS},
	{"more than such", "/bin/sh", EM_AARCH64, 16384, 512 * KIB,
         KR_LIMIT_EXCEEDED},
	{"pages of 64 KiB", "/bin/sh", EM_AARCH64, 65536, 2 * MIB - 1,
         KR_LIMIT_FITS},
};

START_TEST(test_string)
{
	const struct kr_limits limits = {
		.fs = fs,
		.program = "/usr/bin/kubelet",
		.page_size = strings[_i].page_size,
	};
	enum kr_limit got;

	if (strings[_i].machine)
		write_program(strings[_i].program, strings[_i].machine);
	got = kr_limits_string(&limits, strings[_i].length);
	ck_assert_msg(got == strings[_i].want, "%s: %d", strings[_i].name, got);
}
END_TEST

static const struct {
	const char *name, *stack;
	const char *path, *conf; /* of the manager */
	size_t n_bytes;
	enum kr_limit want;
} all[] = {
	{"few", NULL, NULL, NULL, 128 * KIB, KR_LIMIT_FITS},
	{"the usual limit", NULL, NULL, NULL, 2 * MIB, KR_LIMIT_FITS},
	{"more", NULL, NULL, NULL, 2 * MIB + 1, KR_LIMIT_EXCEEDED},
	{"a small stack", "1M", NULL, NULL, 256 * KIB, KR_LIMIT_FITS},
	{"too small", "1M", NULL, NULL, 256 * KIB + 1, KR_LIMIT_EXCEEDED},
	{"the smallest", "4K", NULL, NULL, 128 * KIB, KR_LIMIT_FITS},
	{"too many for that", "4096", NULL, NULL, 128 * KIB + 1,
         KR_LIMIT_EXCEEDED},
	{"soft and hard", "1M:infinity", NULL, NULL, 256 * KIB + 1,
         KR_LIMIT_EXCEEDED},
	{"a large stack", "16M", NULL, NULL, 2 * MIB, KR_LIMIT_FITS},
	{"what it takes is not read", "16M", NULL, NULL, 4 * MIB,
         KR_LIMIT_UNKNOWN},
	{"more than it takes", "16M", NULL, NULL, 4 * MIB + 1,
         KR_LIMIT_EXCEEDED},
	{"no limit", "infinity", NULL, NULL, 6 * MIB, KR_LIMIT_UNKNOWN},
	{"more than any stack gives", "infinity", NULL, NULL, 6 * MIB + 1,
         KR_LIMIT_EXCEEDED},
	{"more than a number holds", "99999999E", NULL, NULL, 6 * MIB,
         KR_LIMIT_UNKNOWN},
	{"not understood", "1.5M", NULL, NULL, 128 * KIB + 1, KR_LIMIT_UNKNOWN},
	{"systemd ignores it", "8M:1M", NULL, NULL, 128 * KIB + 1,
         KR_LIMIT_UNKNOWN},
	{"the manager's", NULL, "/etc/systemd/system.conf",
         "[Manager]\n DefaultLimitSTACK=1M\n", 256 * KIB, KR_LIMIT_FITS},
	{"more than the manager's", NULL, "/etc/systemd/system.conf",
         "[Manager]\n DefaultLimitSTACK=1M\n", 256 * KIB + 1,
         KR_LIMIT_EXCEEDED},
	{"the manager's, as 64 MiB", NULL, "/etc/systemd/system.conf",
         "[Manager]\nDefaultLimitSTACK=64M\n", 2 * MIB + 1, KR_LIMIT_UNKNOWN},
	{"the last of the manager's", NULL, "/etc/systemd/system.conf",
         "[Manager]\nDefaultLimitSTACK=64M\nDefaultLimitSTACK=1M\n"
         "DefaultLimitSTACK=\n",
         256 * KIB + 1, KR_LIMIT_EXCEEDED},
	{"... that is not understood", NULL, "/etc/systemd/system.conf",
         "[Manager]\nDefaultLimitSTACK=1M\nDefaultLimitSTACK=1.5M\n",
         256 * KIB + 1, KR_LIMIT_UNKNOWN},
	{"of another section", NULL, "/etc/systemd/system.conf",
         "[Other]\nDefaultLimitSTACK=1M\n", 256 * KIB + 1, KR_LIMIT_FITS},
	{"of a longer name", NULL, "/etc/systemd/system.conf",
         "[Manager]\nDefaultLimitSTACKS=1M\n", 256 * KIB + 1, KR_LIMIT_FITS},
	{"inside of a value", NULL, "/etc/systemd/system.conf",
         "[Manager]\nA=b \\\nDefaultLimitSTACK=1M\n", 256 * KIB + 1,
         KR_LIMIT_FITS},
	{"of a file that is none", NULL, "/etc/systemd/system.conf.d/x.txt",
         "[Manager]\nDefaultLimitSTACK=1M\n", 256 * KIB + 1, KR_LIMIT_FITS},
	{"behind what ends the file", NULL, "/etc/systemd/system.conf",
         "[Manager]\n[x\nDefaultLimitSTACK=1M\n", 256 * KIB + 1, KR_LIMIT_FITS},
	{"the manager's drop-in", NULL,
         "/usr/lib/systemd/system.conf.d/50-x.conf",
         "[Manager]\nDefaultLimitSTACK=infinity\n", 2 * MIB + 1,
         KR_LIMIT_UNKNOWN},
	{"a comment of it", NULL, "/etc/systemd/system.conf",
         "[Manager]\n#DefaultLimitSTACK=\n", 2 * MIB + 1, KR_LIMIT_EXCEEDED},
	{"the unit's counts", "1M", "/etc/systemd/system.conf",
         "[Manager]\nDefaultLimitSTACK=infinity\n", 256 * KIB + 1,
         KR_LIMIT_EXCEEDED},
};

START_TEST(test_all)
{
	struct kr_limits limits = {.fs = fs, .stack = all[_i].stack};
	enum kr_limit got;

	if (all[_i].path)
		kr_root_write(all[_i].path, all[_i].conf);
	got = kr_limits_all(&limits, all[_i].n_bytes);
	ck_assert_msg(got == all[_i].want, "%s: %d", all[_i].name, got);
}
END_TEST

/* --- the kernel ----------------------------------------------------------- */

/* Whether this kernel runs a program with N arguments of LENGTH bytes. */
static bool runs(size_t n, size_t length, rlim_t stack)
{
	struct rlimit limit;
	char *none[] = {NULL};
	char **argv = calloc(n + 1, sizeof(*argv));
	char *word = malloc(length + 1);
	int status;
	pid_t pid;

	ck_assert(argv && word);
	memset(word, 'x', length);
	word[length] = '\0';
	for (size_t i = 0; i < n; i++)
		argv[i] = word;
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		getrlimit(RLIMIT_STACK, &limit);
		limit.rlim_cur = stack;
		if (setrlimit(RLIMIT_STACK, &limit) < 0)
			_exit(3);
		execve("/bin/true", argv, none);
		_exit(errno == E2BIG ? 2 : 3);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	free(argv);
	free(word);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) != 3);
	return WEXITSTATUS(status) == 0;
}

/* Whether execve(2) is the kernel's here, and a stack of BYTES allowed:
 * valgrind has an execve of its own, and a container may have a lower hard
 * limit. */
static bool can_ask(rlim_t bytes)
{
	const char *preload = getenv("LD_PRELOAD");
	struct rlimit now;

	ck_assert_int_eq(getrlimit(RLIMIT_STACK, &now), 0);
	if (!(preload && strstr(preload, "vgpreload")) && bytes <= now.rlim_max)
		return true;
	printf("# skipped: execve(2) with a stack of %ju KiB\n",
	       (uintmax_t)bytes / KIB);
	return false;
}

START_TEST(test_kernel_string)
{
	struct kr_limits limits = {.fs = fs,
	                           .page_size = (size_t)sysconf(_SC_PAGESIZE)};
	size_t most = 32 * limits.page_size - 1;

	ck_assert_int_eq(kr_limits_string(&limits, most), KR_LIMIT_FITS);
	ck_assert_int_eq(kr_limits_string(&limits, most + 1),
	                 KR_LIMIT_EXCEEDED);
	if (!can_ask(RLIM_INFINITY))
		return;
	ck_assert(runs(1, most, RLIM_INFINITY));
	ck_assert(!runs(1, most + 1, RLIM_INFINITY));
}
END_TEST

static const struct {
	const char *stack;
	rlim_t bytes;
	size_t most;
} stacks[] = {
	{"256K", 256 * KIB, 128 * KIB},
	{"1M", 1 * MIB, 256 * KIB},
	{"8M", 8 * MIB, 2 * MIB},
	{"16M", 16 * MIB, 4 * MIB},
	{"infinity", RLIM_INFINITY, 6 * MIB},
};

START_TEST(test_kernel_all)
{
	struct kr_limits limits = {.fs = fs, .stack = stacks[_i].stack};
	size_t one = KIB + sizeof(char *), most = stacks[_i].most;

	ck_assert_int_eq(kr_limits_all(&limits, most + 1), KR_LIMIT_EXCEEDED);
	if (!can_ask(stacks[_i].bytes))
		return;
	/* the name of the program takes some bytes of it, too */
	ck_assert(runs(most / one - 4, KIB - 1, stacks[_i].bytes));
	ck_assert(!runs(most / one + 1, KIB - 1, stacks[_i].bytes));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "limits", setup, teardown);

	tcase_add_loop_test(tc, test_string, 0, ARRAY_SIZE(strings));
	tcase_add_loop_test(tc, test_all, 0, ARRAY_SIZE(all));
	tcase_add_test(tc, test_kernel_string);
	tcase_add_loop_test(tc, test_kernel_all, 0, ARRAY_SIZE(stacks));
}

KR_TEST_MAIN(add_tests);
