/* SPDX-License-Identifier: Apache-2.0 */

/*
 * node/refusals: files that kubelet's settings name, on a node that has been
 * configured, one that has not, and in an image; and what makes it configured.
 */

#include <string.h>

#include "base/clock.h"
#include "node/node.h"
#include "testing-node.h"
#include "testing.h"

#define CONFIG "/etc/kubernetes/kubelet.yaml"
#define CA     "/etc/kubernetes/pki/ca.crt"
#define CRT    "/etc/kubernetes/pki/kubelet.crt"
#define KEY    "/etc/kubernetes/pki/kubelet.key"
#define PEM    "kubelet-client-current.pem"
#define HEAD                                                                   \
	"kind: KubeletConfiguration\n"                                         \
	"apiVersion: kubelet.config.k8s.io/v1beta1\n"
#define CLIENT_CA(file) "authentication: {x509: {clientCAFile: " file "}}\n"
#define PAIR(cert, key) "tlsCertFile: " cert "\ntlsPrivateKeyFile: " key "\n"
#define KUBECONFIG      "--kubeconfig=/k "
#define ALONE                                                                  \
	"authentication: {webhook: {enabled: false}}\n"                        \
	"authorization: {mode: AlwaysAllow}\n"

enum answer {
	TAKEN,
	REFUSED, /* a note where the node is not configured */
};

static const struct row {
	const char *name, *args, *config;
	enum answer answer;
	const char *words; /* in the message */
	const char *unit;  /* more lines of it */
	const char *version;
} rows[] = {
	{"nothing is named", KUBECONFIG, "", TAKEN},
	/* the container runtime, for which some have no default */
	{"no runtime, 1.23", KUBECONFIG, "", TAKEN, .version = "1.23.0"},
	{"no runtime, 1.24", KUBECONFIG, "", REFUSED,
         "--container-runtime-endpoint", .version = "1.24.0"},
	{"no runtime, 1.26", KUBECONFIG, "", REFUSED,
         "--container-runtime-endpoint", .version = "1.26.0"},
	{"a runtime in the file, 1.26", KUBECONFIG,
         "containerRuntimeEndpoint: /run/x.sock\n", REFUSED,
         "--container-runtime-endpoint", .version = "1.26.0"},
	{"a runtime, 1.26",
         KUBECONFIG "--container-runtime-endpoint=/run/x.sock ", "", TAKEN,
         .version = "1.26.0"},
	{"no runtime, 1.27", KUBECONFIG, "", TAKEN, .version = "1.27.0"},
	{"no runtime, no version", KUBECONFIG, "", TAKEN},
	/* the authorities */
	{"authorities", KUBECONFIG, CLIENT_CA(CA), TAKEN},
	{"no authorities", KUBECONFIG, CLIENT_CA("/none"), REFUSED,
         "authentication.x509.clientCAFile names /none, which is not there"},
	{"... by the flag", KUBECONFIG "--client-ca-file=/none ", "", REFUSED,
         "--client-ca-file names /none, which is not there"},
	{"... that the flag names another for",
         KUBECONFIG "--client-ca-file=" CA " ", CLIENT_CA("/none"), TAKEN},
	{"... and not by an empty flag",
         KUBECONFIG "--client-ca-file= ", CLIENT_CA("/none"), TAKEN},
	{"a text", KUBECONFIG, CLIENT_CA("/text"), REFUSED,
         "which has no certificate that loads"},
	{"a folder", KUBECONFIG, CLIENT_CA("/etc"), REFUSED,
         "which is a folder"},
	{"beside the file", KUBECONFIG, CLIENT_CA("pki/ca.crt"), TAKEN},
	{"not beside the file", KUBECONFIG, CLIENT_CA("ca.crt"), REFUSED,
         "names /etc/kubernetes/ca.crt"},
	{"in the working directory", KUBECONFIG "--client-ca-file=pki/ca.crt ",
         "", TAKEN, NULL, "WorkingDirectory=/etc/kubernetes\n"},
	{"a credential",
         KUBECONFIG "--client-ca-file=/run/credentials/kubelet.service/ca ", "",
         TAKEN},
	{"behind a mount", KUBECONFIG, CLIENT_CA("/srv/ca.crt"), TAKEN, NULL,
         "TemporaryFileSystem=/srv\n"},
	/* the pair */
	{"a pair", KUBECONFIG, PAIR(CRT, KEY), TAKEN},
	{"no certificate", KUBECONFIG, PAIR("/none", KEY), REFUSED,
         "tlsCertFile names /none"},
	{"no key", KUBECONFIG, PAIR(CRT, "/none"), REFUSED,
         "tlsPrivateKeyFile names /none"},
	{"no key by the flag", KUBECONFIG "--tls-private-key-file=/none ",
         PAIR(CRT, KEY), REFUSED, "--tls-private-key-file names /none"},
	{"a key is not read", KUBECONFIG, PAIR(CRT, "/text"), TAKEN},
	{"a certificate is", KUBECONFIG, PAIR("/text", KEY), REFUSED,
         "which has no certificate that loads"},
	{"a pair of a server that does not listen", KUBECONFIG,
         PAIR("/none", "/none") "enableServer: false\n", TAKEN},
	{"a pair beside serverTLSBootstrap, 1.35", KUBECONFIG,
         PAIR("/none", "/none") "serverTLSBootstrap: true\n", REFUSED, "/none",
         NULL, "1.35"},
	{"a pair beside serverTLSBootstrap, 1.36", KUBECONFIG,
         PAIR("/none", "/none") "serverTLSBootstrap: true\n", TAKEN, NULL, NULL,
         "1.36"},
	{"... of any version", KUBECONFIG,
         PAIR("/none", "/none") "serverTLSBootstrap: true\n", TAKEN},
	/* the kubeconfig */
	{"no kubeconfig", "--kubeconfig=/none ", "", REFUSED,
         "--kubeconfig names /none, which is not there"},
	{"... but one to begin with",
         "--kubeconfig=/none --bootstrap-kubeconfig=/k ", "", TAKEN},
	{"... nor one to begin with",
         "--kubeconfig=/none --bootstrap-kubeconfig=/too ", "", REFUSED,
         "--kubeconfig names /none"},
	{"... not given", "", ALONE, TAKEN},
	{"... that a webhook needs", "", "authorization: {mode: AlwaysAllow}\n",
         REFUSED, "--kubeconfig"},
	{"... that the mode needs", "",
         "authentication: {webhook: {enabled: false}}\n", REFUSED,
         "--kubeconfig"},
};

static void make(const struct row *row)
{
	static const char certificate[] = "-----BEGIN CERTIFICATE-----\n"
					  "MAMCAQU=\n"
					  "-----END CERTIFICATE-----\n";
	_cleanup_free_ char *unit = NULL, *config = NULL;

	ck_assert_int_ge(asprintf(&unit,
	                          "[Service]\n%sExecStart=/usr/bin/kubelet "
	                          "%s--config=" CONFIG "\n",
	                          row->unit ?: "", row->args),
	                 0);
	ck_assert_int_ge(asprintf(&config, HEAD "%s", row->config), 0);
	kr_root_write("/etc/systemd/system/kubelet.service", unit);
	kr_root_write("/usr/bin/kubelet", "");
	kr_root_write(CONFIG, config);
	kr_root_write(CA, certificate);
	kr_root_write(CRT, certificate);
	kr_root_write(KEY, "");
	kr_root_write("/k", "");
	kr_root_write("/text", "text\n");
}

static struct kr_node *open_node(const struct row *row,
                                 const struct kr_loaded_unit *loaded,
                                 struct kr_diag *diag)
{
	const struct kr_node_options options = {
		.root = kr_root_path, .kubelet_version = row->version};
	const struct kr_node_systemd systemd = {.loaded = loaded,
	                                        .version = 252};
	struct kr_node *node = NULL;

	ck_assert_int_eq(kr_node_open(&options, diag, &node), 0);
	ck_assert_int_eq(kr_node_read(node, &options, &systemd, diag), 0);
	return node;
}

static const struct kr_message *find_note(const struct kr_diag *diag)
{
	for (size_t i = 0; i < diag->n_messages; i++) {
		if (strcmp(diag->messages[i].code, "file-not-there-yet") == 0)
			return &diag->messages[i];
	}
	return NULL;
}

/* What was started in this boot is complete. */
START_TEST(test_configured)
{
	const struct row *row = &rows[_i];
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	struct kr_loaded_unit loaded = {.started_realtime_usec = 1};
	const struct kr_message *error;

	make(row);
	kr_root_symlink("../..", "/proc/1/root");
	node = open_node(row, &loaded, &diag);
	ck_assert(node->live && node->configured);
	error = kr_diag_first(&diag, KR_ERROR);
	ck_assert_msg(kr_node_is_invalid(node) == (row->answer == REFUSED),
	              "%s: %s", row->name, kr_test_messages(&diag));
	ck_assert_msg(!error == (row->answer == TAKEN), "%s: %s", row->name,
	              kr_test_messages(&diag));
	ck_assert_ptr_null(find_note(&diag));
	if (row->answer == TAKEN)
		return;
	ck_assert_msg(
		strstr(error->text, row->words) &&
			strstr(node->disk.inputs.fault_reason, row->words),
		"%s: %s: %s", row->name, error->text,
		node->disk.inputs.fault_reason);
	ck_assert_msg(error->line > 0 || strstr(row->name, "that "), "%s: %s",
	              row->name, kr_test_messages(&diag));
}
END_TEST

static void check_note(const struct row *row)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	const struct kr_message *note;

	node = open_node(row, NULL, &diag);
	ck_assert(!node->configured);
	ck_assert_msg(!kr_node_is_invalid(node) &&
	                      !kr_diag_first(&diag, KR_ERROR),
	              "%s: %s", row->name, kr_test_messages(&diag));
	note = find_note(&diag);
	ck_assert_msg(!note == (row->answer == TAKEN), "%s: %s", row->name,
	              kr_test_messages(&diag));
	ck_assert_msg(!note || (note->severity == KR_NOTE &&
	                        strstr(note->text, row->words)),
	              "%s: %s", row->name, kr_test_messages(&diag));
}

START_TEST(test_image)
{
	make(&rows[_i]);
	check_note(&rows[_i]);
}
END_TEST

START_TEST(test_not_started)
{
	make(&rows[_i]);
	kr_root_symlink("../..", "/proc/1/root");
	check_note(&rows[_i]);
}
END_TEST

/* kubelet's certificate tells that it was once started, where its arguments say
 * that it keeps it. */
START_TEST(test_certificate)
{
	static const struct {
		const char *args, *path;
		bool configured;
	} cases[] = {
		{KUBECONFIG, "/var/lib/kubelet/pki/" PEM, true},
		{KUBECONFIG "--cert-dir=/srv/pki ", "/srv/pki/" PEM, true},
		{KUBECONFIG "--cert-dir= ", "/var/lib/kubelet/pki/" PEM, true},
		{KUBECONFIG "--cert-dir=/srv/pki ", "/var/lib/kubelet/pki/" PEM,
	         false},
		{KUBECONFIG, "/srv/pki/" PEM, false},
	};
	const struct row row = {.name = cases[_i].path,
	                        .args = cases[_i].args,
	                        .config = CLIENT_CA("/none"),
	                        .answer = REFUSED,
	                        .words = "/none"};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;

	make(&row);
	kr_root_symlink("../..", "/proc/1/root");
	kr_root_write(cases[_i].path, "");
	node = open_node(&row, NULL, &diag);
	ck_assert_int_eq(node->configured, cases[_i].configured);
	ck_assert_int_eq(kr_node_is_invalid(node), cases[_i].configured);
}
END_TEST

/* A kubelet that runs has loaded what was there at its start. */
START_TEST(test_by_file)
{
	static const char *const argv[] = {"/usr/bin/kubelet", KUBECONFIG,
	                                   "--config=" CONFIG, NULL};
	static const struct {
		const char *config;
		bool later, by_file;
	} cases[] = {
		{CLIENT_CA("/none"), false, true},
		{CLIENT_CA("/text"), true, true},
		{CLIENT_CA("/text"), false, false},
	};
	const struct row row = {.name = "by file",
	                        .args = KUBECONFIG,
	                        .config = cases[_i].config};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	uint64_t now = kr_realtime_usec();

	make(&row);
	kr_test_process(argv,
	                cases[_i].later ? now - 5 * KR_USEC_PER_SEC
	                                : now + 5 * KR_USEC_PER_SEC,
	                "/system.slice/kubelet.service");
	node = open_node(&row, NULL, &diag);
	ck_assert(node->has_process && kr_node_is_invalid(node));
	ck_assert_int_eq(node->disk.by_file, cases[_i].by_file);
}
END_TEST

/* Which cgroups the host has only a live node tells. */
START_TEST(test_cgroup)
{
	static const struct {
		const char *args, *config, *version;
		const char *words; /* of an image; NULL: no note */
	} cases[] = {
		{KUBECONFIG, "", "1.35", "true by default"},
		{KUBECONFIG, "", "1.34", NULL},
		{KUBECONFIG, "", NULL, NULL},
		{KUBECONFIG, "failCgroupV1: false\n", "1.35", NULL},
		{KUBECONFIG, "failCgroupV1: true\n", "1.31",
	         "failCgroupV1 is true: "},
		{KUBECONFIG, "failCgroupV1: true\n", "1.30", NULL},
		{KUBECONFIG, "failCgroupV1: true\n", NULL,
	         "failCgroupV1 is true: "},
		{KUBECONFIG "--fail-cgroupv1 ", "", NULL,
	         "failCgroupV1 is true: "},
		{KUBECONFIG "--fail-cgroupv1=false ", "", "1.35", NULL},
	};
	const struct row row = {.name = "cgroups",
	                        .args = cases[_i].args,
	                        .config = cases[_i].config,
	                        .version = cases[_i].version};
	_cleanup_diag_ struct kr_diag diag = {0}, live = {0};
	_cleanup_node_ struct kr_node *node = NULL, *live_node = NULL;
	const struct kr_message *note = NULL;

	make(&row);
	node = open_node(&row, NULL, &diag);
	ck_assert(!kr_node_is_invalid(node));
	for (size_t i = 0; i < diag.n_messages; i++) {
		if (strcmp(diag.messages[i].code, "old-cgroups") == 0)
			note = &diag.messages[i];
	}
	ck_assert_msg(!note == !cases[_i].words &&
	                      (!note || strstr(note->text, cases[_i].words)),
	              "%d: %s", _i, kr_test_messages(&diag));
	/* one whose /sys/fs/cgroup is none at all */
	kr_root_symlink("../..", "/proc/1/root");
	live_node = open_node(&row, NULL, &live);
	ck_assert(live_node->live && !kr_node_is_invalid(live_node));
	for (size_t i = 0; i < live.n_messages; i++)
		ck_assert_str_eq(live.messages[i].code, "flag-version");
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "refusals", kr_root_setup,
	                         kr_root_teardown);

	tcase_add_loop_test(tc, test_configured, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_image, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_not_started, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, test_certificate, 0, 5);
	tcase_add_loop_test(tc, test_by_file, 0, 3);
	tcase_add_loop_test(tc, test_cgroup, 0, 9);
}

KR_TEST_MAIN(add_tests);
