/* SPDX-License-Identifier: Apache-2.0 */

/*
 * node/kernel-settings: which of the six the next boot has, by sysctl.d as
 * systemd-sysctl reads it, and by the kernel's command line.
 */

#include <errno.h>
#include <string.h>

#include "node/kernel-settings.h"
#include "testing.h"

#define ETC "/etc/sysctl.d/"
#define LIB "/usr/lib/sysctl.d/"

/* What EKS' image writes: all that is not right by itself. */
#define EKS "vm.overcommit_memory=1\nkernel.panic=10\nkernel.panic_on_oops=1\n"

static const struct row {
	const char *name;
	struct {
		const char *path, *text; /* a TEXT "->X" is a link */
	} files[3];
	const char *command_line;
	const char *wrong; /* names, each with what it is instead */
} rows[] = {
	{"nothing is written",
         {{NULL}},
         NULL,
         "vm.overcommit_memory= kernel.panic= kernel.panic_on_oops="},
	{"three, as EKS writes them", {{ETC "99-amazon.conf", EKS}}, NULL, ""},
	{"in a package's folder", {{LIB "50-k.conf", EKS}}, NULL, ""},
	{"another ending",
         {{ETC "99-amazon.txt", EKS}},
         NULL,
         "vm.overcommit_memory= kernel.panic= kernel.panic_on_oops="},
	{"of this boot alone",
         {{"/run/sysctl.d/9.conf", EKS}},
         NULL,
         "vm.overcommit_memory= kernel.panic= kernel.panic_on_oops="},
	{"a later name",
         {{ETC "10.conf", EKS}, {LIB "20.conf", "kernel.panic = 0\n"}},
         NULL,
         "kernel.panic=0"},
	{"an earlier name",
         {{ETC "20.conf", EKS}, {LIB "10.conf", "kernel.panic = 0\n"}},
         NULL,
         ""},
	{"the same name",
         {{ETC "10.conf", "# nothing\n"}, {LIB "10.conf", EKS}},
         NULL,
         "vm.overcommit_memory= kernel.panic= kernel.panic_on_oops="},
	{"hidden by /dev/null",
         {{ETC "10.conf", "->/dev/null"}, {LIB "10.conf", EKS}},
         NULL,
         "vm.overcommit_memory= kernel.panic= kernel.panic_on_oops="},
	{"a link to sysctl.conf",
         {{ETC "99-sysctl.conf", "->../sysctl.conf"},
          {"/etc/sysctl.conf", EKS}},
         NULL,
         ""},
	{"sysctl.conf alone",
         {{"/etc/sysctl.conf", EKS}},
         NULL,
         "vm.overcommit_memory= kernel.panic= kernel.panic_on_oops="},
	{"the last line counts",
         {{ETC "1.conf", EKS "kernel.panic=5\nkernel.panic=10\n"}},
         NULL,
         ""},
	{"slashes, blanks, minus, comments",
         {{ETC "1.conf",
           " \t vm/overcommit_memory =\t1 \r\n-kernel.panic=10\n"
           "#kernel.panic=0\n;kernel.panic=0\n  # kernel.panic=1\n"
           "kernel/panic_on_oops=0x1"}},
         NULL,
         ""},
	{"another file of that name",
         {{ETC "1.conf", EKS "kernel/panic.x=0\nkernel.panic/=0\n"}},
         NULL,
         ""},
	{"those that are right by themselves",
         {{ETC "1.conf", EKS "vm.panic_on_oom=1\nkernel.keys.root_maxkeys=200\n"
                             "kernel/keys/root_maxbytes=20000\n"}},
         NULL,
         "vm.panic_on_oom=1 kernel.keys.root_maxkeys=200 "
         "kernel.keys.root_maxbytes=20000"},
	{"octal", {{ETC "1.conf", EKS "kernel.panic=012\n"}}, NULL, ""},
	{"no number",
         {{ETC "1.conf", EKS "kernel.panic=10 s\n"}},
         NULL,
         "kernel.panic=10 s"},
	{"negative",
         {{ETC "1.conf", EKS "kernel.panic=-10\n"}},
         NULL,
         "kernel.panic=-10"},
	{"an empty value",
         {{ETC "1.conf", EKS "kernel.panic=\n"}},
         NULL,
         "kernel.panic="},
	{"a pattern",
         {{ETC "1.conf", EKS "vm.panic_on_*=1\n"}},
         NULL,
         "vm.panic_on_oom=1"},
	{"a pattern before and behind a line of its own",
         {{ETC "1.conf", "kernel.pani?=0\n" EKS "kernel.pani[c]=0\n"}},
         NULL,
         ""},
	{"a pattern does not cross a slash",
         {{ETC "1.conf", EKS "kernel.*maxkeys=7\n"}},
         NULL,
         ""},
	{"of two patterns the last",
         {{ETC "1.conf", EKS "vm.panic*=1\nvm.panic_*=0\n"}},
         NULL,
         ""},
	{"one that comes again as it was keeps its place",
         {{ETC "1.conf", EKS "vm.panic*=1\nvm.panic_*=0\nvm.panic*=1\n"}},
         NULL,
         ""},
	{"one that comes again as another goes to the end",
         {{ETC "1.conf", EKS "vm.panic*=2\nvm.panic_*=0\nvm.panic*=1\n"}},
         NULL,
         "vm.panic_on_oom=1"},
	{"kept from patterns",
         {{ETC "1.conf", EKS "-vm.panic_on_oom\nvm.*_on_oom=1\n"}},
         NULL,
         ""},
	{"taken back",
         {{ETC "1.conf", EKS "-kernel.panic\n"}},
         NULL,
         "kernel.panic="},
	{"no assignment", {{ETC "1.conf", EKS "kernel.panic 5\n"}}, NULL, ""},
	{"the unit is masked",
         {{ETC "1.conf", EKS},
          {"/etc/systemd/system/systemd-sysctl.service", "->/dev/null"}},
         NULL,
         "vm.overcommit_memory= kernel.panic= kernel.panic_on_oops="},
	{"the unit is the administrator's",
         {{ETC "1.conf", EKS},
          {"/etc/systemd/system/systemd-sysctl.service", "[Unit]\n"},
          {"/usr/lib/systemd/system/systemd-sysctl.service", "->/dev/null"}},
         NULL,
         ""},
	{"by the command line",
         {{ETC "1.conf", "vm.overcommit_memory=1\n"}},
         "BOOT_IMAGE=/vmlinuz sysctl.kernel.panic=10 ro "
         "sysctl.kernel/panic_on_oops=1\n",
         ""},
	{"of the command line the last word",
         {{ETC "1.conf", "vm.overcommit_memory=1\nkernel.panic_on_oops=1\n"}},
         "sysctl.kernel.panic=10 sysctl.kernel.panic=3",
         "kernel.panic=3"},
	{"files come after it",
         {{ETC "1.conf", EKS}},
         "sysctl.kernel.panic=0",
         ""},
	{"not vm",
         {{ETC "1.conf", "kernel.panic=10\nkernel.panic_on_oops=1"}},
         "sysctl.vm.overcommit_memory=1",
         "vm.overcommit_memory="},
	{"other words of it",
         {{ETC "1.conf", EKS}},
         "sysctl. sysctl.= =sysctl.kernel.panic=0 x.sysctl.kernel.panic=0",
         ""},
};

static void make_files(const struct row *row)
{
	for (size_t i = 0; i < ARRAY_SIZE(row->files); i++) {
		const char *text = row->files[i].text;

		if (!row->files[i].path)
			break;
		if (strncmp(text, "->", 2) == 0)
			kr_root_symlink(text + 2, row->files[i].path);
		else
			kr_root_write(row->files[i].path, text);
	}
}

static void add_wrong(char *text, size_t size,
                      const struct kr_kernel_setting *s)
{
	size_t length = strlen(text);

	snprintf(text + length, size - length, "%s%s=%s", length ? " " : "",
	         s->name, s->value);
}

START_TEST(test_next_boot)
{
	const struct row *row = &rows[_i];
	struct kr_kernel_setting settings[KR_N_KERNEL_SETTINGS];
	struct kr_diag diag = {0};
	struct kr_fs *fs;
	char wrong[512] = "";
	bool masked;

	kr_root_mkdir("/dev");
	kr_root_symlink("/proc/self/nonexistent", "/dev/other");
	make_files(row);
	fs = kr_root_fs();
	ck_assert_int_eq(kr_kernel_settings_read(fs, row->command_line, &diag,
	                                         &masked, settings),
	                 0);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const struct kr_kernel_setting *s = &settings[i];

		if (!s->right)
			add_wrong(wrong, sizeof(wrong), s);
		if (s->place.file)
			ck_assert_msg(
				strncmp(s->place.file->data + s->place.offset,
			                s->value, strlen(s->value)) == 0,
				"%s: the place of %s", row->name, s->name);
	}
	ck_assert_msg(masked == (strcmp(row->name, "the unit is masked") == 0),
	              "%s: masked", row->name);
	ck_assert_msg(strcmp(wrong, row->wrong) == 0, "%s: %s", row->name,
	              wrong);
	kr_fs_free(fs);
	kr_diag_done(&diag);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "kernel-settings", kr_root_setup,
	                         kr_root_teardown);

	tcase_add_loop_test(tc, test_next_boot, 0, ARRAY_SIZE(rows));
}

KR_TEST_MAIN(add_tests);
