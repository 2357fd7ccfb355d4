/* SPDX-License-Identifier: Apache-2.0 */

/*
 * node/hidden and unit/mounts: which mounts of a unit's own hide what kubelet
 * reads, by what the disk view says then.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "policy/plan.h"
#include "testing-node.h"
#include "testing.h"

#define GVK                                                                    \
	"{\"kind\":\"KubeletConfiguration\","                                  \
	"\"apiVersion\":\"kubelet.config.k8s.io/v1beta1\""
#define SET(v) GVK ",\"makeIPTablesUtilChains\":" v "}\n"
#define CONFIG "/etc/kubernetes/kubelet.json"
#define FOLDER "/etc/kubernetes/kubelet.d"
#define FLAG   "--make-iptables-util-chains"
#define C      "--config=" CONFIG

/* the file of the host says true everywhere */
#define T KR_STATE_TRUE
#define F KR_STATE_FALSE
#define U KR_STATE_UNKNOWN

static const struct row {
	const char *name;
	const char *args, *directives;
	enum kr_state want;
	const char *dropin; /* more directives */
	const char *says;   /* in the reason */
} rows[] = {
	{"none", C, "", T},
	{"in the reason", C, "BindPaths=/opt/k.json:" CONFIG "\n", U,
         .says = "kubelet.service:3:11: BindPaths= mounts over " CONFIG ": "},
	/* binds */
	{"a file", C, "BindPaths=/opt/k.json:" CONFIG "\n", U},
	{"read-only", C, "BindReadOnlyPaths=/opt/k.json:" CONFIG "\n", U},
	{"its folder", C, "BindPaths=/opt:/etc/kubernetes\n", U},
	{"a folder far above", C, "BindPaths=/opt:/etc\n", U},
	{"with options", C, "BindPaths=/opt/k.json:" CONFIG ":norbind\n", U},
	{"the second of a line", C, "BindPaths=/opt:/mnt /opt/:/etc\n", U},
	{"quoted", C, "BindPaths=\"/opt/k.json:" CONFIG "\"\n", U},
	{"with slashes", C,
         "BindPaths=/opt/k.json:/etc//kubernetes/kubelet.json\n", U},
	{"a specifier", C, "BindPaths=/opt/k.json:%E/kubernetes/%p.json\n", U},
	{"another folder", C, "BindPaths=/opt:/mnt\n", T},
	{"a name that begins so", C, "BindPaths=/opt:/etc/kube\n", T},
	{"beside it", C, "BindPaths=/opt/k.json:" CONFIG ".old\n", T},
	{"over itself", C, "BindPaths=/etc/kubernetes\n", T},
	{"over itself, written twice", C,
         "BindReadOnlyPaths=/etc/kubernetes:/etc/kubernetes\n", T},
	{"over itself, the file", C, "BindPaths=" CONFIG "\n", T},
	{"the same folder by a link", C, "BindPaths=/link:/etc/kubernetes\n",
         T},
	{"a hard link of it", C, "BindPaths=/opt/same.json:" CONFIG "\n", T},
	{"may be missing, and is", C, "BindPaths=-/nowhere:/etc/kubernetes\n",
         T},
	{"may be missing, and is not", C, "BindPaths=-/opt:/etc/kubernetes\n",
         U},
	{"must be there, and is not", C, "BindPaths=/nowhere:" CONFIG "\n", U},
	{"not absolute", C, "BindPaths=opt:" CONFIG "\n", T},
	{"the target of kubelet's link", "--config=/link/kubelet.json",
         "BindPaths=/opt:/etc/kubernetes\n", U},
	{"by a link of the mount's", C,
         "BindPaths=/opt/k.json:/link/kubelet.json\n", U},
	{"the host has no such file", "--config=/srv/k.json",
         "BindPaths=/opt/k.json:/srv/k.json\n", U},
	{"a relative --config", "--config=kubelet.json",
         "WorkingDirectory=/etc/kubernetes\nBindPaths=/opt:/etc/kubernetes\n",
         U},
	{"the program", C, "BindPaths=/opt/kubelet:/usr/bin/kubelet\n", U},
	/* taken back */
	{"an empty value", C, "BindPaths=/opt:/etc\nBindPaths=\n", T},
	{"an empty value of the other name", C,
         "BindPaths=/opt:/etc\nBindReadOnlyPaths=\n", T},
	{"an empty value in a drop-in", C, "BindPaths=/opt:/etc\n", T,
         .dropin = "BindPaths=\n"},
	{"in a drop-in", C, "", U, .dropin = "BindPaths=/opt:/etc\n"},
	{"an empty value of another list", C,
         "BindPaths=/opt:/etc\nTemporaryFileSystem=\n", U},
	/* a file system of its own */
	{"a tmpfs over the folder", C, "TemporaryFileSystem=/etc/kubernetes\n",
         U},
	{"a tmpfs with options", C, "TemporaryFileSystem=/etc:ro,mode=0755\n",
         U},
	{"a tmpfs elsewhere", C, "TemporaryFileSystem=/var /mnt\n", T},
	{"a tmpfs and the folder in it", C,
         "TemporaryFileSystem=/etc\nBindReadOnlyPaths=/etc/kubernetes\n", T},
	{"the same, in the other order", C,
         "BindReadOnlyPaths=/etc/kubernetes\nTemporaryFileSystem=/etc\n", T},
	{"a tmpfs and another folder in it", C,
         "TemporaryFileSystem=/etc\nBindPaths=/opt:/etc/kubernetes\n", U},
	{"a tmpfs in a bind", C,
         "BindPaths=/etc\nTemporaryFileSystem=/etc/kubernetes\n", U},
	{"inaccessible", C, "InaccessiblePaths=/etc/kubernetes\n", U},
	{"inaccessible, with marks", C,
         "InaccessiblePaths=-/mnt -+/etc/kubernetes\n", U},
	{"inaccessible elsewhere", C, "InaccessiblePaths=/boot\n", T},
	{"inaccessible, the old name", C,
         "InaccessibleDirectories=/etc/kubernetes\n", U},
	{"an image", C, "MountImages=/opt/i.raw:/etc/kubernetes\n", U},
	{"an image elsewhere", C, "MountImages=/opt/i.raw:/mnt\n", T},
	{"an extension", C, "ExtensionDirectories=/opt/e\n", U},
	{"read-only is the same files", C,
         "ProtectSystem=strict\nReadOnlyPaths=/etc\n"
         "ReadWritePaths=/etc/kubernetes\nPrivateMounts=yes\n"
         "PrivateDevices=yes\nProtectKernelTunables=yes\n",
         T},
	/* switches */
	{"PrivateTmp=", "--config=/tmp/k.json", "PrivateTmp=yes\n", U},
	{"PrivateTmp=, /var/tmp", "--config=/var/tmp/k.json", "PrivateTmp=on\n",
         U},
	{"PrivateTmp=, elsewhere", C, "PrivateTmp=yes\n", T},
	{"PrivateTmp=no", "--config=/tmp/k.json", "PrivateTmp=no\n", T},
	{"PrivateTmp=, taken back", "--config=/tmp/k.json", "PrivateTmp=true\n",
         T, .dropin = "PrivateTmp=0\n"},
	{"PrivateTmp=, no word", "--config=/tmp/k.json",
         "PrivateTmp=yes\nPrivateTmp=maybe\n", U},
	{"PrivateTmp=, not the folder", "--config=/tmpfiles/k.json",
         "PrivateTmp=yes\n", T},
	{"PrivateTmp=, but the file", "--config=/tmp/k.json",
         "PrivateTmp=yes\nBindPaths=/tmp/k.json\n", T},
	{"DynamicUser=", "--config=/tmp/k.json", "DynamicUser=yes\n", U},
	{"ProtectHome=", "--config=/root/k.json", "ProtectHome=yes\n", U},
	{"ProtectHome=, /home", "--config=/home/k/k.json", "ProtectHome=true\n",
         U},
	{"ProtectHome=tmpfs", "--config=/root/k.json", "ProtectHome=tmpfs\n",
         U},
	{"ProtectHome=read-only", "--config=/root/k.json",
         "ProtectHome=read-only\n", T},
	{"ProtectHome=no", "--config=/root/k.json",
         "ProtectHome=yes\nProtectHome=no\n", T},
	{"ProtectHome=, elsewhere", C, "ProtectHome=yes\n", T},
	/* drop-ins */
	{"the folder of drop-ins", C " --config-dir=" FOLDER,
         "BindPaths=/opt:" FOLDER "\n", U},
	{"a drop-in", C " --config-dir=" FOLDER,
         "BindPaths=/opt/k.json:" FOLDER "/1.conf\n", U},
	{"a drop-in that the host has not", C " --config-dir=" FOLDER,
         "BindPaths=/opt/k.json:" FOLDER "/9.conf\n", U},
	{"below the folder, the same", C " --config-dir=" FOLDER,
         "BindPaths=" FOLDER "/1.conf\n", T},
	{"a folder that is not given", C, "BindPaths=/opt:" FOLDER "\n", T},
	/* flags */
	{"false by a flag", C " " FLAG "=false",
         "BindPaths=/opt/k.json:" CONFIG "\n", F},
	{"true by a flag", C " " FLAG, "BindPaths=/opt/k.json:" CONFIG "\n", T},
	{"false by a flag, but no file", C " " FLAG "=false",
         "TemporaryFileSystem=/etc\n", F},
	{"true by a flag, but no file", C " " FLAG,
         "TemporaryFileSystem=/etc\n", U},
	{"a flag that kubelet refuses", C " " FLAG "=maybe",
         "BindPaths=/opt/k.json:" CONFIG "\n", KR_STATE_INVALID},
	{"no config file at all", "--v=2", "BindPaths=/opt:/etc\n", T},
	/* as before */
	{"another root", C, "RootDirectory=/opt\n", U},
	{"an image as root", C, "RootImage=/opt/i.raw\n", U},
};

static void make(const struct row *row)
{
	static const char *const files[] = {
		CONFIG,           "/tmp/k.json",    "/var/tmp/k.json",
		"/root/k.json",   "/home/k/k.json", "/tmpfiles/k.json",
		FOLDER "/1.conf",
	};
	char text[1024];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		kr_root_write(files[i], SET("true"));
	kr_root_write("/opt/k.json", SET("false"));
	kr_root_write("/opt/kubelet.json", SET("false"));
	kr_root_write("/opt/kubelet", "");
	kr_root_write("/usr/bin/kubelet", "");
	kr_root_symlink("/etc/kubernetes", "/link");
	ck_assert_int_eq(
		linkat(kr_root_fd, &CONFIG[1], kr_root_fd, "opt/same.json", 0),
		0);
	snprintf(text, sizeof(text),
	         "[Service]\nExecStart=/usr/bin/kubelet %s "
	         "--kubeconfig=/k\n%s",
	         row->args, row->directives);
	kr_root_write("/etc/systemd/system/kubelet.service", text);
	snprintf(text, sizeof(text), "[Service]\n%s",
	         row->dropin ? row->dropin : "");
	kr_root_write("/etc/systemd/system/kubelet.service.d/1.conf", text);
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_decision_ struct kr_decision d = {0};

	make(row);
	node = kr_test_node(NULL, &diag);
	ck_assert_int_eq(kr_judge_decide(node, kr_rules_usual.items[0], &d), 0);
	ck_assert_msg(d.state == row->want, "%s: %s: %s%s", row->name,
	              kr_state_to_string(d.state), d.reason,
	              kr_test_messages(&diag));
	ck_assert_msg(!row->says || strstr(d.reason, row->says), "%s: %s",
	              row->name, d.reason);
}
END_TEST

/* --- other fields --------------------------------------------------------- */

/* Each field's own flag tells, behind the same mount. */
static const struct {
	const char *name, *args, *directives;
	int field;
	bool told;
} others[] = {
	{"by its flag", "--read-only-port=0", "BindPaths=/opt:/etc\n",
         KR_FIELD_READ_ONLY_PORT, true},
	{"not by another's", "--read-only-port=0", "BindPaths=/opt:/etc\n",
         KR_FIELD_EVENT_QPS, false},
	{"what passes, but kubelet may not start", "--read-only-port=0",
         "TemporaryFileSystem=/etc\n", KR_FIELD_READ_ONLY_PORT, false},
	{"what fails, and kubelet may not start", "--read-only-port=1",
         "TemporaryFileSystem=/etc\n", KR_FIELD_READ_ONLY_PORT, true},
	{"no mount", "", "", KR_FIELD_READ_ONLY_PORT, true},
};

START_TEST(test_others)
{
	char args[128];
	const struct row row = {.args = args,
	                        .directives = others[_i].directives};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_decision_ struct kr_decision d = {0};

	snprintf(args, sizeof(args), C " %s", others[_i].args);
	make(&row);
	kr_root_write("/opt/kubernetes/kubelet.json", SET("true"));
	node = kr_test_node(NULL, &diag);
	ck_assert_int_eq(
		kr_judge_decide(node, kr_rule_of_field(others[_i].field), &d),
		0);
	ck_assert_msg(d.state == (others[_i].told ? KR_STATE_VALUE : U),
	              "%s: %s: %s", others[_i].name,
	              kr_state_to_string(d.state), d.reason);
}
END_TEST

/* --- a fix ---------------------------------------------------------------- */

static const struct {
	const char *name;
	struct row row;
	int want;
	const char *edited; /* NULL: nothing */
} fixes[] = {
	{"the file that is hidden is not edited",
         {.args = C, .directives = "BindPaths=/opt:/etc/kubernetes\n"},
         KR_REFUSED},
	{"a flag is made true, as the file cannot be told",
         {.args = C " " FLAG "=false",
          .directives = "BindPaths=/opt:/etc/kubernetes\n"},
         0,
         "/etc/systemd/system/kubelet.service"},
	{"nothing is hidden",
         {.args = "--config=/opt/k.json",
          .directives = "BindPaths=/opt/k.json\n"},
         0,
         "/opt/k.json"},
};

START_TEST(test_fix)
{
	const struct kr_audit_options options = {0};
	const struct kr_plan_options how = {0};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_audit_ struct kr_audit *a = NULL;
	_cleanup_plan_ struct kr_plan *plan = NULL;
	int r;

	make(&fixes[_i].row);
	node = kr_test_node(NULL, &diag);
	ck_assert_int_eq(
		kr_audit_run(node, &kr_rules_usual, &options, &diag, &a), 0);
	r = kr_plan_make(node, a, &how, &diag, &plan);
	ck_assert_msg(r == fixes[_i].want, "%s: %d%s", fixes[_i].name, r,
	              kr_test_messages(&diag));
	if (r < 0) {
		ck_assert_int_eq(a->items[0].disk.source, -1);
		ck_assert_ptr_nonnull(kr_diag_find(&diag, "mounted-over"));
		return;
	}
	ck_assert_uint_eq(plan->edits.n_files, 1);
	ck_assert_str_eq(plan->edits.files[0].path, fixes[_i].edited);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "rows", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_others, 0, ARRAY_SIZE(others));
	tcase_add_loop_test(tc, test_fix, 0, ARRAY_SIZE(fixes));
}

KR_TEST_MAIN(add_tests);
