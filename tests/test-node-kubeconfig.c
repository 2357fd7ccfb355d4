/* SPDX-License-Identifier: Apache-2.0 */

/* node/kubeconfig: as whom kubelet reaches its API server, and whom it trusts
 * there. */

#include <errno.h>
#include <string.h>

#include "node/kubeconfig.h"
#include "testing.h"

#define PATH "/etc/kubernetes/kubelet.conf"
#define HEAD                                                                   \
	"apiVersion: v1\nkind: Config\ncurrent-context: c\n"                   \
	"contexts:\n- context:\n    cluster: k\n    user: u\n  name: c\n"
#define CLUSTER(text) "clusters:\n- name: k\n  cluster:\n" text
#define USER(text)    "users:\n- name: u\n  user:\n" text

static const struct row {
	const char *name, *text;
	enum kr_kubeconfig_user user;
	const char *key; /* that makes it so */
	const char *authority, *authority_file, *certificate, *private_key;
} rows[] = {
	{"kubeadm's",
         HEAD CLUSTER("    certificate-authority-data: UEVN\n"
                      "    server: https://192.0.2.1:6443\n")
                 USER("    client-certificate: /var/lib/kubelet/pki/c.pem\n"
                      "    client-key: /var/lib/kubelet/pki/k.pem\n"),
         KR_USER_CERTIFICATE, "client-certificate", "PEM", NULL,
         "/var/lib/kubelet/pki/c.pem", "/var/lib/kubelet/pki/k.pem"},
	{"EKS'",
         HEAD CLUSTER("    certificate-authority: /etc/ca.crt\n")
                 USER("    exec:\n      command: /usr/bin/aws\n"),
         KR_USER_EXEC, "exec", "ca", "/etc/ca.crt"},
	{"a token", HEAD USER("    token: abc.def\n"), KR_USER_TOKEN, "token"},
	{"a token's file", HEAD USER("    tokenFile: /t\n"), KR_USER_TOKEN,
         "tokenFile"},
	{"a password", HEAD USER("    username: a\n    password: b\n"),
         KR_USER_OTHER, "username"},
	{"auth-provider", HEAD USER("    auth-provider: {name: gcp}\n"),
         KR_USER_OTHER, "auth-provider"},
	{"a certificate within",
         HEAD USER("    client-certificate-data: QQ==\n"
                   "    client-key-data: QQ==\n"),
         KR_USER_CERTIFICATE, "client-certificate-data"},
	{"exec beside a certificate",
         HEAD USER("    client-certificate: c\n    exec: {command: x}\n"),
         KR_USER_EXEC, "exec", NULL, NULL, "/etc/kubernetes/c"},
	{"a token beside a certificate",
         HEAD USER("    client-certificate: c\n    token: x\n"), KR_USER_TOKEN,
         "token", NULL, NULL, "/etc/kubernetes/c"},
	{"exec: null",
         HEAD USER("    exec: null\n    token: ''\n"
                   "    client-certificate: c\n"),
         KR_USER_CERTIFICATE, "client-certificate", NULL, NULL,
         "/etc/kubernetes/c"},
	{"files beside it",
         HEAD CLUSTER("    certificate-authority: ./pki/../ca.crt\n")
                 USER("    client-certificate: pki/c.pem\n"
                      "    client-key: pki/k.pem\n"),
         KR_USER_CERTIFICATE, "client-certificate", "beside",
         "/etc/kubernetes/ca.crt", "/etc/kubernetes/pki/c.pem",
         "/etc/kubernetes/pki/k.pem"},
	{"a file that is not there",
         HEAD CLUSTER("    certificate-authority: /none\n"), KR_USER_UNKNOWN,
         NULL, NULL, "/none"},
	{"data before a file",
         HEAD CLUSTER("    certificate-authority: /etc/ca.crt\n"
                      "    certificate-authority-data: UEVN\n"),
         KR_USER_UNKNOWN, NULL, "PEM"},
	{"data in lines",
         HEAD CLUSTER("    certificate-authority-data: |\n      UE\n"
                      "      VN\n"),
         KR_USER_UNKNOWN, NULL, "PEM"},
	{"data with padding",
         HEAD CLUSTER("    certificate-authority-data: UEVNMQ==\n"),
         KR_USER_UNKNOWN, NULL, "PEM1"},
	{"data that is no base64",
         HEAD CLUSTER("    certificate-authority-data: UEV-\n"),
         KR_USER_UNKNOWN},
	{"data without its padding",
         HEAD CLUSTER("    certificate-authority-data: UEVNMQ\n"),
         KR_USER_UNKNOWN},
	{"padding within",
         HEAD CLUSTER("    certificate-authority-data: UE==UEVN\n"),
         KR_USER_UNKNOWN},
	{"padding alone",
         HEAD CLUSTER("    certificate-authority-data: ====\n"),
         KR_USER_UNKNOWN},
	{"no credential", HEAD USER("    {}\n"), KR_USER_NOBODY},
	{"no such user", HEAD "users:\n- name: v\n  user: {token: x}\n",
         KR_USER_UNKNOWN},
	{"two users of one name",
         HEAD "users:\n- name: u\n  user: {token: x}\n"
              "- name: u\n  user: {exec: {}}\n",
         KR_USER_UNKNOWN},
	{"a user that is null", HEAD "users:\n- name: u\n  user:\n",
         KR_USER_UNKNOWN},
	{"another context's user",
         "current-context: d\n"
         "contexts: [{name: c, context: {user: u}}, "
         "{name: d, context: {user: v}}]\n"
         "users: [{name: u, user: {exec: {command: x}}}, "
         "{name: v, user: {token: x}}]\n",
         KR_USER_TOKEN, "token"},
	{"no context is the current one",
         "contexts: [{name: c, context: {user: u}}]\n"
         "users: [{name: u, user: {token: x}}]\n",
         KR_USER_UNKNOWN},
	{"JSON",
         "{\"current-context\": \"c\", \"contexts\": [{\"name\": \"c\", "
         "\"context\": {\"user\": \"u\", \"cluster\": \"k\"}}], "
         "\"users\": [{\"name\": \"u\", \"user\": {\"token\": \"x\"}}]}",
         KR_USER_TOKEN, "\"token\""},
	{"lists that are none",
         "current-context: c\ncontexts: {name: c}\n"
         "users: u\nclusters: 1\n",
         KR_USER_UNKNOWN},
	{"no document", "", KR_USER_UNKNOWN},
	{"a list", "- a\n", KR_USER_UNKNOWN},
	{"neither JSON nor YAML", "{[", KR_USER_UNKNOWN},
};

static void check_text(int _i, const char *what, const char *got,
                       const char *want)
{
	ck_assert_msg(got && want ? strcmp(got, want) == 0 : got == want,
	              "%s: %s is %s", rows[_i].name, what,
	              got ? got : "not there");
}

static void check_place(int _i, const struct kr_kubeconfig *k)
{
	const struct row *row = &rows[_i];
	const char *at =
		k->place.file ? k->place.file->data + k->place.offset : "";

	ck_assert_msg(!row->key == !k->place.file &&
	                      (!row->key ||
	                       (k->place.length == strlen(row->key) &&
	                        strncmp(at, row->key, strlen(row->key)) == 0)),
	              "%s: the place is at '%.20s'", row->name, at);
}

START_TEST(test_read)
{
	const struct row *row = &rows[_i];
	struct kr_kubeconfig k;
	struct kr_fs *fs;

	kr_root_write(PATH, row->text);
	kr_root_write("/etc/ca.crt", "ca");
	kr_root_write("/etc/kubernetes/ca.crt", "beside");
	fs = kr_root_fs();
	ck_assert_int_eq(kr_kubeconfig_read(fs, PATH, &k), 0);
	ck_assert_msg(k.user == row->user, "%s: user %d", row->name, k.user);
	check_place(_i, &k);
	check_text(_i, "the authority", k.authority, row->authority);
	if (k.authority)
		ck_assert_uint_eq(k.authority_size, strlen(row->authority));
	check_text(_i, "its file", k.authority_file, row->authority_file);
	check_text(_i, "the certificate", k.certificate_file, row->certificate);
	check_text(_i, "the key", k.key_file, row->private_key);
	kr_kubeconfig_done(&k);
	kr_fs_free(fs);
}
END_TEST

START_TEST(test_missing)
{
	struct kr_fs *fs = kr_root_fs();
	struct kr_kubeconfig k;

	ck_assert_int_eq(kr_kubeconfig_read(fs, PATH, &k), -ENOENT);
	ck_assert_int_eq(k.user, KR_USER_UNKNOWN);
	kr_fs_free(fs);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "kubeconfig", kr_root_setup,
	                         kr_root_teardown);

	tcase_add_loop_test(tc, test_read, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_missing);
}

KR_TEST_MAIN(add_tests);
