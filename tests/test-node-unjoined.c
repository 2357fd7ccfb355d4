/* SPDX-License-Identifier: Apache-2.0 */

/*
 * node/unjoined: which nodes wait for kubeadm, and which have lost their
 * configuration; and what a plan makes of either.
 */

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "policy/plan.h"
#include "testing-node.h"
#include "testing.h"

#define UNIT    "/usr/lib/systemd/system/kubelet.service"
#define DROPIN  UNIT ".d/10-kubeadm.conf"
#define OLD     "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf"
#define CONFIG  "/var/lib/kubelet/config.yaml"
#define EXTRA   "/etc/default/kubelet"
#define PEM     "/var/lib/kubelet/pki/kubelet-client-current.pem"
#define SERVICE "[Service]\nExecStart=/usr/bin/kubelet\n"
#define RESET   "[Service]\nExecStart=\nExecStart=/usr/bin/kubelet "
#define KUBECONFIGS                                                            \
	"--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf "       \
	"--kubeconfig=/etc/kubernetes/kubelet.conf "
#define FLAGS_ENV "EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env\n"
#define KUBEADM                                                                \
	"[Service]\n" FLAGS_ENV "EnvironmentFile=-" EXTRA "\nExecStart=\n"     \
	"ExecStart=/usr/bin/kubelet " KUBECONFIGS "--config=" CONFIG           \
	" $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS\n"
#define SAYS_TRUE                                                              \
	"kind: KubeletConfiguration\n"                                         \
	"apiVersion: kubelet.config.k8s.io/v1beta1\n"

/* What the disk is. WAITS: unknown, as kubeadm has not run. */
enum want {
	WAITS,
	LOST,
	PASSES
};

static const struct row {
	const char *name;
	struct {
		const char *path, *text; /* NULL: a folder */
	} files[5];
	enum want want;
	const char *link;     /* config.yaml is a link to it */
	unsigned running_sec; /* a kubelet runs so long; 0: none does */
} rows[] = {
	/* the unit is kubeadm's */
	{"installed", {{UNIT, SERVICE}, {DROPIN, KUBEADM}}, WAITS},
	{"of the old repository", {{UNIT, SERVICE}, {OLD, KUBEADM}}, WAITS},
	{"the drop-in by its name",
         {{UNIT, SERVICE}, {DROPIN, RESET "--config=" CONFIG "\n"}},
         WAITS},
	{"by kubeadm-flags.env",
         {{UNIT, SERVICE FLAGS_ENV},
          {UNIT ".d/a.conf", RESET "--config=" CONFIG "\n"}},
         WAITS},
	{"minikube",
         {{UNIT, SERVICE},
          {UNIT ".d/b.conf", RESET KUBECONFIGS "--config=" CONFIG "\n"}},
         WAITS},
	{"by hand",
         {{UNIT, SERVICE},
          {UNIT ".d/b.conf", RESET "--kubeconfig=/etc/kubernetes/kubelet.conf "
                                   "--config=" CONFIG "\n"}},
         LOST},
	/* what is left of it */
	{"after a reset",
         {{UNIT, SERVICE},
          {DROPIN, KUBEADM},
          {"/var/lib/kubelet/pki", NULL},
          {"/etc/kubernetes/manifests", NULL}},
         WAITS},
	{"with arguments already",
         {{UNIT, SERVICE},
          {DROPIN, KUBEADM},
          {EXTRA, "KUBELET_EXTRA_ARGS=--node-ip=10.0.0.1\n"}},
         WAITS},
	{"with the flag already",
         {{UNIT, SERVICE},
          {DROPIN, KUBEADM},
          {EXTRA, "KUBELET_EXTRA_ARGS=--make-iptables-util-chains=false\n"}},
         WAITS},
	{"a link that leads nowhere",
         {{UNIT, SERVICE}, {DROPIN, KUBEADM}},
         WAITS,
         .link = "/mnt/config.yaml"},
	{"has its kubeconfig",
         {{UNIT, SERVICE},
          {DROPIN, KUBEADM},
          {"/etc/kubernetes/kubelet.conf", ""}},
         LOST},
	{"has its bootstrap kubeconfig",
         {{UNIT, SERVICE},
          {DROPIN, KUBEADM},
          {"/etc/kubernetes/bootstrap-kubelet.conf", ""}},
         LOST},
	{"has its certificate",
         {{UNIT, SERVICE}, {DROPIN, KUBEADM}, {PEM, ""}},
         LOST},
	{"has its certificate elsewhere",
         {{UNIT, SERVICE},
          {DROPIN, KUBEADM},
          {EXTRA, "KUBELET_EXTRA_ARGS=--cert-dir=/srv/pki\n"},
          {"/srv/pki/kubelet-client-current.pem", ""}},
         LOST},
	{"a certificate that is not its own",
         {{UNIT, SERVICE},
          {DROPIN, KUBEADM},
          {EXTRA, "KUBELET_EXTRA_ARGS=--cert-dir=/srv/pki\n"},
          {PEM, ""}},
         WAITS},
	{"a relative kubeconfig",
         {{UNIT, SERVICE "WorkingDirectory=/srv\n"},
          {DROPIN, KUBEADM},
          {EXTRA, "KUBELET_EXTRA_ARGS=--kubeconfig=k.conf\n"},
          {"/srv/k.conf", ""}},
         LOST},
	/* the config file */
	{"a folder",
         {{UNIT, SERVICE}, {DROPIN, KUBEADM}, {CONFIG, NULL}},
         LOST},
	{"another --config, which kubeadm never writes",
         {{UNIT, SERVICE},
          {DROPIN, KUBEADM},
          {EXTRA, "KUBELET_EXTRA_ARGS=--config=/etc/my.yaml\n"}},
         LOST},
	{"config.yaml alone",
         {{UNIT, SERVICE}, {DROPIN, KUBEADM}, {CONFIG, SAYS_TRUE}},
         PASSES},
	{"joined",
         {{UNIT, SERVICE},
          {DROPIN, KUBEADM},
          {CONFIG, SAYS_TRUE},
          {"/etc/kubernetes/kubelet.conf", ""},
          {PEM, ""}},
         PASSES},
	/* a kubelet that runs */
	{"in its crash loop",
         {{UNIT, SERVICE}, {DROPIN, KUBEADM}},
         WAITS,
         .running_sec = 1},
	{"it had its configuration at its start",
         {{UNIT, SERVICE}, {DROPIN, KUBEADM}},
         LOST,
         .running_sec = 25},
};

static void make(const struct row *row)
{
	static const char *const argv[] = {"/usr/bin/kubelet",
	                                   "--config=" CONFIG, NULL};
	uint64_t before = (uint64_t)row->running_sec * KR_USEC_PER_SEC;

	kr_root_write("/usr/bin/kubelet", "");
	for (size_t i = 0; i < ARRAY_SIZE(row->files); i++) {
		if (row->files[i].path && row->files[i].text)
			kr_root_write(row->files[i].path, row->files[i].text);
		else if (row->files[i].path)
			kr_root_mkdir(row->files[i].path);
	}
	if (row->link) {
		kr_root_mkdir("/var/lib/kubelet");
		kr_root_symlink(row->link, CONFIG);
	}
	if (row->running_sec > 0)
		kr_test_process(argv, kr_realtime_usec() - before,
		                "/system.slice/kubelet.service");
}

static int plan(struct kr_node *node, struct kr_diag *diag,
                struct kr_plan **ret)
{
	const struct kr_audit_options options = {0};
	const struct kr_plan_options how = {0};
	_cleanup_audit_ struct kr_audit *audit = NULL;

	ck_assert_int_eq(
		kr_audit_run(node, &kr_rules_usual, &options, diag, &audit), 0);
	return kr_plan_make(node, audit, &how, diag, ret);
}

START_TEST(test_rows)
{
	static const struct {
		enum kr_state state;
		int plan;
	} wanted[] = {
		[WAITS] = {KR_STATE_UNKNOWN, KR_NOTHING_YET},
		[LOST] = {KR_STATE_INVALID, KR_REFUSED},
		[PASSES] = {KR_STATE_TRUE, 0},
	};
	const struct row *row = &rows[_i];
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_plan_ struct kr_plan *made = NULL;
	_cleanup_decision_ struct kr_decision d = {0};
	int r;

	make(row);
	node = kr_test_node(NULL, &diag);
	ck_assert_int_eq(kr_node_decide(node, KR_FIELD_IPTABLES, &d), 0);
	ck_assert_msg(d.state == wanted[row->want].state, "%s: %s: %s%s",
	              row->name, kr_state_to_string(d.state), d.reason,
	              kr_test_messages(&diag));
	ck_assert_msg(kr_node_waits(node) == (row->want == WAITS),
	              "%s: unconfigured", row->name);
	ck_assert_msg((strstr(d.reason,
	                      CONFIG " is not there yet: kubeadm writes it "
	                             "at 'kubeadm init' and 'kubeadm "
	                             "join'") != NULL) == (row->want == WAITS),
	              "%s: %s", row->name, d.reason);
	r = plan(node, &diag, &made);
	ck_assert_msg(r == wanted[row->want].plan, "%s: the plan: %d%s",
	              row->name, r, kr_test_messages(&diag));
	ck_assert_msg(row->want == LOST || !kr_diag_first(&diag, KR_ERROR),
	              "%s:%s", row->name, kr_test_messages(&diag));
}
END_TEST

/* What is to be said of a flag is said before, too, but it decides nothing. */
START_TEST(test_sources)
{
	const struct kr_audit_options options = {0};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_audit_ struct kr_audit *a = NULL;

	kr_root_write(UNIT, SERVICE);
	kr_root_write(DROPIN, KUBEADM);
	kr_root_write(EXTRA,
	              "KUBELET_EXTRA_ARGS=--make-iptables-util-chains=no\n");
	node = kr_test_node(NULL, &diag);
	ck_assert_int_eq(
		kr_audit_run(node, &kr_rules_usual, &options, &diag, &a), 0);
	ck_assert_int_eq(a->verdict, KR_VERDICT_UNKNOWN);
	ck_assert_int_eq(a->items[0].disk.source, -1);
	ck_assert_uint_eq(a->items[0].sources.n, 2);
	ck_assert(!a->items[0].sources.items[1].wins);
	ck_assert_ptr_nonnull(kr_diag_find(&diag, "flag-value"));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "rows", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_sources);
}

KR_TEST_MAIN(add_tests);
