/* SPDX-License-Identifier: Apache-2.0 */

/*
 * policy/files: which files a control is about, which is the worst, what is not
 * there, and what of them is not to be changed.
 */

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "policy/judge.h"
#include "testing-node.h"
#include "testing.h"

#define UNIT    "/etc/systemd/system/kubelet.service"
#define DROPINS "/etc/systemd/system/kubelet.service.d"
#define CONFIG  "/var/lib/kubelet/config.yaml"
#define GVK                                                                    \
	"kind: KubeletConfiguration\n"                                         \
	"apiVersion: kubelet.config.k8s.io/v1beta1\n"

#define A KR_STATE_ABSENT
#define V KR_STATE_VALUE
#define P KR_VERDICT_PASS
#define F KR_VERDICT_FAIL
#define U KR_VERDICT_UNKNOWN
#define N KR_VERDICT_NOT_APPLICABLE

/* A file of the node; without a text it is a link to TARGET. */
struct given {
	const char *path, *text;
	mode_t mode;
	const char *target;
};

/* clang-format off */
static const struct row {
	const char *name;
	const char *edition; /* NULL: none */
	const char *args;
	struct given files[4];
	enum kr_verdict want;
	const char *value; /* NULL: there is no file */
	const char *worst; /* its path */
	size_t n;          /* how many count */
	const char *says;  /* a part of the reason */
	bool kept;         /* the worst is not to be changed */
	enum kr_policy policy;
	bool scanned;      /* a scanner wants more */
	bool started;      /* in this boot, on a live node */
} rows[] = {
	/* the unit: each file that systemd takes a line of */
	{"mode:unit", NULL, "", {{UNIT, "", 0600}}, P, "0600", UNIT, 1},
	{"mode:unit", NULL, "", {{UNIT, "", 0640}}, F, "0640", UNIT, 1,
	 "kubelet.service has mode 0640, must be 0600 or stricter"},
	{"mode:unit", "cis-1.12", "", {{UNIT, "", 0644}}, F, "0644", UNIT, 1},
	{"mode:unit", "cis-1.23", "", {{UNIT, "", 0644}}, P, "0644", UNIT, 1},
	{"mode:unit", "cis-1.23", "", {{UNIT, "", 0755}}, F, "0755", UNIT, 1},
	{"mode:unit", "cis-1.23", "", {{UNIT, "", 0660}}, F, "0660", UNIT, 1,
	 "must be 0644 or stricter"},
	{"mode:unit", "rh-1.8", "", {{UNIT, "", 0644}}, P, "0644", UNIT, 1},
	{"mode:unit", NULL, "", {{UNIT, "", 04600}}, F, "4600", UNIT, 1},
	{"mode:unit", NULL, "", {{UNIT, "", 0400}}, P, "0400", UNIT, 1},
	{"mode:unit", NULL, "", {{UNIT, "", 0600}, {DROPINS "/10-a.conf",
	 "[Service]\n", 0644}}, F, "0644", DROPINS "/10-a.conf", 2},
	{"mode:unit", NULL, "", {{UNIT, "", 0640}, {DROPINS "/10-a.conf",
	 "[Service]\n", 0666}, {DROPINS "/20-b.conf", "[Service]\n", 0666}},
	 F, "0666", DROPINS "/10-a.conf", 3, "0666, must be 0600 or stricter; 1 more file also fails"},
	{"mode:unit", NULL, "", {{UNIT, "", 0600}, {DROPINS "/README", "",
	 0666}}, P, "0600", UNIT, 1},
	/* a configuration of kubelet there, of which systemd takes nothing */
	{"mode:unit", NULL, "", {{UNIT, "", 0600}, {DROPINS "/10-a.conf", GVK,
	 0666}}, P, "0600", UNIT, 1},
	/* of those of one name only the first is read */
	{"mode:unit", NULL, "", {{UNIT, "", 0600}, {DROPINS "/10-a.conf",
	 "[Service]\n", 0600},
	 {"/usr/lib/systemd/system/kubelet.service.d/10-a.conf",
	 "[Service]\n", 0644}}, P, "0600", UNIT, 2},
	{"mode:unit", NULL, "", {{UNIT, "", 0600},
	 {"/usr/lib/systemd/system/kubelet.service.d/10-a.conf",
	 "[Service]\n", 0644}}, F, "0644",
	 "/usr/lib/systemd/system/kubelet.service.d/10-a.conf", 2, .kept =
	 true},
	{"mode:unit", "eks-1.8", "", {{UNIT, "", 0644}}, N, "0644", UNIT, 1},

	/* the kubeconfig is where its flag says */
	{"mode:kubeconfig", NULL, "", {{"/etc/kubernetes/kubelet.conf", "",
	 0666}}, P, NULL, .says = "no such file"},
	{"mode:kubeconfig", NULL, "--kubeconfig=/j", {{0}}, P, NULL, .says =
	 "/j is not there yet"},
	/* what kubelet needs, or makes itself */
	{"mode:kubeconfig", NULL, "--kubeconfig=/j", {{0}},
	 KR_VERDICT_INVALID, NULL, .says = "kubelet would not start: "
	 "--kubeconfig names /j", .started = true},
	{"owner:kubeconfig", NULL, "--kubeconfig=/j --bootstrap-kubeconfig=/b",
	 {{"/b", "", 0600}}, U, NULL, .says = "/j is not there", .started =
	 true},
	{"mode:kubeconfig", NULL, "--kubeconfig=/k", {{"/k", "", 0600}}, P,
	 "0600", "/k", 1, .started = true},
	{"mode:kubeconfig", NULL, "", {{0}}, P, NULL, .says = "no such file",
	 .started = true},
	{"mode:kubeconfig", NULL, "--kubeconfig=/k", {{"/k", "", 0600}}, P,
	 "0600", "/k", 1},
	{"mode:kubeconfig", "eks-1.8", "--kubeconfig=/k", {{"/k", "", 0644}},
	 P, "0644", "/k", 1},
	{"mode:kubeconfig", "eks-1.8", "--kubeconfig=/k", {{"/k", "", 0664}},
	 F, "0664", "/k", 1},
	{"mode:kubeconfig", "gke-1.9", "--kubeconfig=/k", {{"/k", "", 0644}},
	 P, "0644", "/k", 1},
	{"mode:kubeconfig", NULL, "--kubeconfig=k", {{"/k", "", 0644}}, F,
	 "0644", "/k", 1},
	/* a link's own mode means nothing, and one that leads nowhere is no
	 * file */
	{"mode:kubeconfig", NULL, "--kubeconfig=/etc/k", {{"/etc/k.1", "",
	 0600}, {"/etc/k", .target = "k.1"}}, P, "0600", "/etc/k", 1},
	{"mode:kubeconfig", NULL, "--kubeconfig=/etc/k", {{"/srv/k", "",
	 0644}, {"/etc/k", .target = "/srv/k"}}, F, "0644", "/etc/k", 1, .kept
	 = true},
	{"mode:kubeconfig", NULL, "--kubeconfig=/etc/k", {{"/etc/k", .target =
	 "/srv/k"}}, P, NULL},
	{"mode:kubeconfig", NULL, "--kubeconfig", {{0}}, KR_VERDICT_INVALID,
	 NULL},

	/* what kubelet refuses is no reason not to look at the file */
	{"mode:kubeconfig", NULL, "--kubeconfig=/k --config=" CONFIG, {{CONFIG,
	 GVK "readOnlyPort: 65536\n", 0600}, {"/k", "", 0644}}, F, "0644",
	 "/k", 1},
	{"mode:kubeconfig", NULL, "--kubeconfig=/k --config=" CONFIG, {{CONFIG,
	 "{", 0600}, {"/k", "", 0600}}, P, "0600", "/k", 1},
	{"mode:clientCA", NULL, "--config=" CONFIG, {{CONFIG, GVK
	 "readOnlyPort: 65536\nauthentication: {x509: {clientCAFile: ca}}\n",
	 0600}, {"/var/lib/kubelet/ca", "", 0666}}, F, "0666",
	 "/var/lib/kubelet/ca", 1},
	{"mode:clientCA", NULL, "--config=" CONFIG, {{CONFIG, GVK
	 "makeIPTablesUtilChains: no thanks\n"
	 "authentication: {x509: {clientCAFile: ca}}\n", 0600},
	 {"/var/lib/kubelet/ca", "", 0666}}, KR_VERDICT_INVALID, NULL},
	{"mode:clientCA", NULL, "--config=" CONFIG, {{CONFIG, GVK
	 "readOnlyPort: 65536\n", 0600}}, KR_VERDICT_INVALID, NULL},

	/* the client CA that kubelet would have */
	{"mode:clientCA", NULL, "--client-ca-file=/ca", {{"/ca", "", 0644}},
	 P, "0644", "/ca", 1},
	{"mode:clientCA", NULL, "--client-ca-file=/ca", {{"/ca", "", 0664}},
	 F, "0664", "/ca", 1},
	{"mode:clientCA", "cis-1.12", "--client-ca-file=/ca", {{"/ca", "",
	 0644}}, P, "0644", "/ca", 1},
	{"mode:clientCA", "cis-1.10", "--client-ca-file=/ca", {{"/ca", "",
	 0644}}, F, "0644", "/ca", 1, .policy = KR_POLICY_ASK},
	{"mode:clientCA", "cis-1.24", "--client-ca-file=/ca", {{"/ca", "",
	 0644}}, P, "0644", "/ca", 1, .scanned = true},
	{"mode:clientCA", "cis-1.24", "--client-ca-file=/ca", {{"/ca", "",
	 0600}}, P, "0600", "/ca", 1},
	{"mode:clientCA", NULL, "--client-ca-file=/ca", {{"/ca", "", 0666},
	 {"/etc/kubernetes/manifests/kube-apiserver.yaml", "", 0600}}, F,
	 "0666", "/ca", 1, .policy = KR_POLICY_ASK},
	{"mode:clientCA", NULL, "--client-ca-file=/etc/pki/ca",
	 {{"/etc/pki/ca", "", 0666}}, F, "0666", "/etc/pki/ca", 1, .kept =
	 true},
	{"mode:clientCA", NULL, "", {{0}}, P, NULL, .says = "no such file"},
	{"mode:clientCA", NULL, "--client-ca-file=/c", {{0}}, P, NULL, .says =
	 "/c is not there yet"},
	{"mode:clientCA", NULL, "--client-ca-file=/c --kubeconfig=/k", {{"/k",
	 "", 0600}}, KR_VERDICT_INVALID, NULL, .says = "names /c", .started =
	 true},
	{"mode:clientCA", NULL, "--config=" CONFIG, {{CONFIG, GVK
	 "authentication:\n  x509:\n    clientCAFile: ca\n", 0600},
	 {"/var/lib/kubelet/ca", "", 0666}}, F, "0666", "/var/lib/kubelet/ca",
	 1},

	/* the configuration, and each of its drop-ins */
	{"mode:config", NULL, "--config=" CONFIG, {{CONFIG, GVK, 0644}}, F,
	 "0644", CONFIG, 1},
	{"mode:config", "aks-1.8", "--config=" CONFIG, {{CONFIG, GVK, 0644}},
	 N, "0644", CONFIG, 1},
	{"mode:config", "eks-1.5", "--config=" CONFIG, {{CONFIG, GVK, 0644}},
	 P, "0644", CONFIG, 1},
	{"mode:config", "gke-1.6", "--config=" CONFIG, {{CONFIG, GVK, 0644}},
	 F, "0644", CONFIG, 1},
	{"mode:config", NULL, "--config=" CONFIG " --config-dir=/d", {{CONFIG,
	 GVK, 0600}, {"/d/10-a.conf", GVK, 0600}, {"/d/20-b.conf", GVK, 0640},
	 {"/d/README", "", 0666}}, F, "0640", "/d/20-b.conf", 3},
	{"mode:config", NULL, "--config-dir=/d", {{"/d/10-a.conf", GVK,
	 0600}}, P, "0600", "/d/10-a.conf", 1},
	{"mode:config", NULL, "", {{0}}, P, NULL, .says = "no such file"},
	{"mode:config", NULL, "--config=" CONFIG, {{0}}, KR_VERDICT_INVALID,
	 NULL, .says = "cannot read " CONFIG},
	{"mode:config", NULL, "--kubeconfig=/k --config=" CONFIG, {{"/k", "",
	 0600}}, KR_VERDICT_INVALID, NULL, .says = "cannot read " CONFIG,
	 .started = true},
	/* what kubelet would refuse has a mode all the same */
	{"mode:config", NULL, "--config=" CONFIG, {{CONFIG, "{", 0666}}, F,
	 "0666", CONFIG, 1},
};
/* clang-format on */

static void write_files(const struct given *files)
{
	char path[512];

	for (size_t i = 0; i < ARRAY_SIZE(rows[0].files) && files[i].path;
	     i++) {
		const struct given *f = &files[i];

		if (f->target) {
			kr_root_symlink(f->target, f->path);
			continue;
		}
		/* the unit is there already */
		if (strcmp(f->path, UNIT) != 0)
			kr_root_write(f->path, f->text);
		snprintf(path, sizeof(path), "%s%s", kr_root_path, f->path);
		ck_assert_int_eq(chmod(path, f->mode), 0);
	}
}

static void make_unit(const char *args)
{
	char text[512];

	snprintf(text, sizeof(text), "/usr/bin/kubelet %s", args);
	kr_test_unit(text);
}

static struct kr_audit *judge(struct kr_node *node, const char *name,
                              const char *edition, struct kr_diag *diag)
{
	static const struct kr_audit_options options = {
		.live = KR_STATE_ABSENT};
	const struct kr_rule *rule = kr_rule_find(name, strlen(name));
	int id = edition ? kr_edition_find(edition) : -1;
	const struct kr_rules rules = {&rule, 1,
	                               edition ? &kr_editions[id] : NULL};
	struct kr_audit *a = NULL;

	ck_assert_msg(rule && (!edition || id >= 0), "%s %s", name, edition);
	ck_assert_int_eq(kr_audit_run(node, &rules, &options, diag, &a), 0);
	return a;
}

static void check_worst(const struct row *row, const struct kr_judgement *j)
{
	const struct kr_source *worst = kr_judgement_deciding(j);

	ck_assert_msg(worst != NULL, "%s %s", row->name, row->args);
	ck_assert_int_eq(worst->kind, KR_SOURCE_FILE);
	ck_assert_ptr_null(worst->span.file);
	ck_assert_str_eq(worst->path, row->worst);
	ck_assert(worst->wins);
	ck_assert_msg(worst->editable == !row->kept, "%s %s: %s", row->name,
	              worst->path, worst->reason);
	ck_assert(worst->editable == !worst->reason);
}

START_TEST(test_mode)
{
	const struct kr_loaded_unit started = {.started_realtime_usec = 1};
	const struct row *row = &rows[_i];
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_audit_ struct kr_audit *a = NULL;
	const struct kr_judgement *j;

	make_unit(row->args);
	write_files(row->files);
	if (row->started)
		kr_root_symlink("../..", "/proc/1/root");
	node = kr_test_node(row->started ? &started : NULL, &diag);
	ck_assert(node->live == row->started);
	a = judge(node, row->name, row->edition, &diag);
	j = &a->items[0];
	ck_assert_msg(j->verdict == row->want, "%s %s %s: %s: %s", row->name,
	              row->edition, row->args, kr_verdict_to_string(j->verdict),
	              j->reason);
	ck_assert_msg(j->sources.n == row->n, "%s %s: %zu files", row->name,
	              row->args, j->sources.n);
	ck_assert_msg(!row->says || strstr(j->reason, row->says), "%s: %s",
	              row->name, j->reason);
	ck_assert_int_eq(j->policy, row->policy);
	ck_assert_int_eq(j->scanner != NULL, row->scanned);
	ck_assert_int_eq(j->running.state, A);
	ck_assert_int_eq(j->live.state, A);
	if (!row->value) {
		ck_assert_int_ne(j->disk.state, V);
		return;
	}
	ck_assert_int_eq(j->disk.state, V);
	ck_assert_str_eq(j->disk.value.s, row->value);
	check_worst(row, j);
}
END_TEST

/* Another owner than root, or group, fails; numbers are numbers. */
static const struct {
	uid_t uid;
	gid_t gid;
	const char *value;
	enum kr_verdict want;
} owners[] = {
	{0, 0, "root:root", P},
	{0, 7, "root:7", F},
	{1000, 0, "1000:root", F},
	{1000, 1000, "1000:1000", F},
};

START_TEST(test_owner)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_audit_ struct kr_audit *a = NULL;
	char path[512];

	make_unit("--kubeconfig=/k");
	kr_root_write("/k", "");
	snprintf(path, sizeof(path), "%s/k", kr_root_path);
	ck_assert_int_eq(chown(path, owners[_i].uid, owners[_i].gid), 0);
	node = kr_test_node(NULL, &diag);
	a = judge(node, "owner:kubeconfig", NULL, &diag);
	ck_assert_str_eq(a->items[0].disk.value.s, owners[_i].value);
	ck_assert_int_eq(a->items[0].verdict, owners[_i].want);
	ck_assert(!strstr(a->items[0].reason, ", must be root:root") ==
	          (owners[_i].want == P));
}
END_TEST

/* Who is not root sees his own files, which are not root's. */
START_TEST(test_own)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_audit_ struct kr_audit *a = NULL;
	struct stat st;

	make_unit("");
	st = kr_root_stat(UNIT);
	node = kr_test_node(NULL, &diag);
	a = judge(node, "owner:unit", NULL, &diag);
	ck_assert_int_eq(a->items[0].verdict,
	                 st.st_uid == 0 && st.st_gid == 0 ? P : F);
}
END_TEST

/* Without a unit nothing is known of what kubelet would read. */
static const struct {
	const char *name;
	enum kr_verdict want;
} unconfigured[] = {
	{"mode:unit", P},        {"owner:unit", P},    {"mode:kubeconfig", U},
	{"owner:kubeconfig", U}, {"mode:clientCA", U}, {"owner:clientCA", U},
	{"mode:config", U},      {"owner:config", U},
};

START_TEST(test_unconfigured)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = kr_test_node(NULL, &diag);
	_cleanup_audit_ struct kr_audit *a =
		judge(node, unconfigured[_i].name, NULL, &diag);

	ck_assert_msg(a->items[0].verdict == unconfigured[_i].want, "%s: %s",
	              unconfigured[_i].name, a->items[0].reason);
	ck_assert_int_ne(a->items[0].disk.state, V);
}
END_TEST

/* A file whose mode is looked at is none that kubelet has read: its views of
 * settings stay as they are. */
START_TEST(test_running)
{
	static const struct kr_audit_options options = {
		.live = KR_STATE_ABSENT};
	const char *const argv[] = {"/usr/bin/kubelet", "--kubeconfig=/k",
	                            NULL};
	const struct kr_rule *items[] = {
		&kr_rules_table[KR_RULE_MODE_KUBECONFIG],
		&kr_rules_table[KR_RULE_MODE_UNIT],
		kr_rule_of_field(KR_FIELD_IPTABLES),
	};
	const struct kr_rules rules = {items, ARRAY_SIZE(items), NULL};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_audit_ struct kr_audit *a = NULL;

	kr_test_process(argv, kr_realtime_usec() - KR_USEC_PER_SEC,
	                "/system.slice/kubelet.service");
	make_unit("--kubeconfig=/k");
	write_files((const struct given[4]){{"/k", "", 0644}});
	node = kr_test_node(NULL, &diag);
	ck_assert_int_eq(kr_audit_run(node, &rules, &options, &diag, &a), 0);
	ck_assert_int_eq(a->items[0].verdict, F);
	ck_assert(!a->items[0].restart_needed);
	ck_assert_int_eq(a->items[2].running.state, KR_STATE_TRUE);
	ck_assert_int_eq(a->items[2].verdict, P);
	ck_assert(!a->items[2].assumed);
	ck_assert(!a->restart_needed);
	ck_assert_uint_eq(a->changed.n_items, 0);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "files", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_mode, 0, ARRAY_SIZE(rows));
	if (geteuid() == 0)
		tcase_add_loop_test(tc, test_owner, 0, ARRAY_SIZE(owners));
	tcase_add_test(tc, test_own);
	tcase_add_loop_test(tc, test_unconfigured, 0, ARRAY_SIZE(unconfigured));
	tcase_add_test(tc, test_running);
}

KR_TEST_MAIN(add_tests);
