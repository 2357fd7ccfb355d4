/* SPDX-License-Identifier: Apache-2.0 */

/*
 * policy/iptables: other managers, no iptables at all, and equal mark bits.
 */

#include <string.h>

#include "base/clock.h"
#include "policy/iptables.h"
#include "policy/remarks.h"
#include "testing-node.h"
#include "testing.h"

#define WANTS  "/etc/systemd/system/multi-user.target.wants/"
#define EARLY  "/etc/systemd/system/sysinit.target.wants/"
#define WHOLE  "/usr/bin/env"
#define MASK   "--iptables-masquerade-bit"
#define DROP   "--iptables-drop-bit"
#define CONFIG "/k/config"
#define DIR    "/k/d/1.conf"
#define GVK                                                                    \
	"{\"kind\":\"KubeletConfiguration\","                                  \
	"\"apiVersion\":\"kubelet.config.k8s.io/v1beta1\""

static const struct {
	const char *name;
	const char *args;     /* of kubelet */
	const char *unit;     /* further lines of its unit */
	const char *paths[4]; /* empty files */
	const char *config;   /* at CONFIG */
	const char *dropin;   /* at DIR */
	bool asked;           /* systemd was */
	const char *active[4];
	const char *version;
	const char *want; /* all remarks: "severity code " each; "bits " */
	const char *text; /* the first one's text holds this */
} rows[] = {
	{.name = "nothing", .want = ""},
	/* managers, by systemd */
	{.name = "none active", .asked = true, .want = ""},
	{.name = "none active, one enabled",
         .asked = true,
         .paths = {WANTS "ufw.service"},
         .want = ""},
	{.name = "one active",
         .asked = true,
         .active = {"firewalld.service"},
         .want = "note iptables-manager ",
         .text = "firewalld.service is active here: it manages"},
	{.name = "two active",
         .asked = true,
         .active = {"ufw.service", "nftables.service"},
         .want = "note iptables-manager ",
         .text = "ufw.service, nftables.service are active here: they"},
	/* by what is enabled */
	{.name = "one enabled",
         .paths = {WANTS "netfilter-persistent.service"},
         .want = "note iptables-manager ",
         .text = "netfilter-persistent.service is enabled here"},
	{.name = "early",
         .paths = {EARLY "nftables.service"},
         .want = "note iptables-manager ",
         .text = "nftables.service is enabled"},
	{.name = "several, each once",
         .paths = {WANTS "ip6tables.service", EARLY "iptables.service",
                   WANTS "iptables.service"},
         .want = "note iptables-manager ",
         .text = "iptables.service, ip6tables.service are enabled"},
	{.name = "others are enabled",
         .paths = {WANTS "sshd.service", WANTS "ufw.service.bak",
                   WANTS "xufw.service"},
         .want = ""},
	{.name = "there, but not enabled",
         .paths = {"/usr/lib/systemd/system/ufw.service"},
         .want = ""},
	{.name = "for another target",
         .paths = {"/etc/systemd/system/rescue.target.wants/ufw.service"},
         .want = ""},
	/* the program */
	{.name = "a whole node without iptables",
         .paths = {WHOLE},
         .want = "note no-iptables "},
	{.name = "only nft, which kubelet does not run",
         .paths = {WHOLE, "/usr/sbin/nft"},
         .want = "note no-iptables "},
	{.name = "only for IPv6",
         .paths = {WHOLE, "/usr/sbin/ip6tables"},
         .want = "note no-iptables "},
	{.name = "iptables",
         .paths = {WHOLE, "/usr/sbin/iptables"},
         .want = ""},
	{.name = "elsewhere",
         .paths = {WHOLE, "/usr/local/bin/iptables"},
         .want = ""},
	{.name = "where /sbin is no link",
         .paths = {WHOLE, "/sbin/iptables"},
         .want = ""},
	{.name = "in /bin", .paths = {WHOLE, "/bin/iptables"}, .want = ""},
	{.name = "in a folder that systemd does not search",
         .paths = {WHOLE, "/opt/bin/iptables"},
         .want = "note no-iptables "},
	{.name = "kubelet has another root",
         .unit = "RootDirectory=/srv\n",
         .paths = {WHOLE},
         .want = ""},
	{.name = "kubelet has an image",
         .unit = "RootImage=/srv/image\n",
         .paths = {WHOLE},
         .want = ""},
	{.name = "another program starts it, with an iptables of its own",
         .unit = "ExecStart=\nExecStart=/usr/bin/docker run k kubelet\n",
         .paths = {WHOLE},
         .want = ""},
	/* the mark bits */
	{.name = "equal flags", .args = MASK "=3 " DROP "=3", .want = "bits "},
	{.name = "of a kubelet that can live with it",
         .args = MASK "=3 " DROP "=3",
         .version = "1.28",
         .want = ""},
	{.name = "of the last that cannot",
         .args = MASK "=3 " DROP "=3",
         .version = "1.27",
         .want = "bits "},
	{.name = "other flags", .args = MASK "=3 " DROP "=4", .want = ""},
	{.name = "a flag and the other's default",
         .args = MASK "=15",
         .want = "bits "},
	{.name = "the other way", .args = DROP "=14", .want = "bits "},
	{.name = "its own default", .args = MASK "=14 " DROP "=15", .want = ""},
	{.name = "as Go writes numbers",
         .args = MASK "=0xf " DROP "=017",
         .want = "bits "},
	{.name = "two that kubelet refuses",
         .args = MASK "=40 " DROP "=40",
         .want = ""},
	{.name = "no numbers", .args = MASK "=a " DROP "=a", .want = ""},
	{.name = "equal in the file",
         .args = "--config=" CONFIG,
         .config = GVK ",\"iptablesMasqueradeBit\":1,\"iptablesDropBit\":1}",
         .want = "bits "},
	{.name = "the file and a default",
         .args = "--config=" CONFIG,
         .config = GVK ",\"iptablesMasqueradeBit\":15}",
         .want = "bits "},
	{.name = "the flag beats the file",
         .args = "--config=" CONFIG " " DROP "=2",
         .config = GVK ",\"iptablesMasqueradeBit\":1,\"iptablesDropBit\":1}",
         .want = ""},
	{.name = "and makes them equal",
         .args = "--config=" CONFIG " " DROP "=2",
         .config = GVK ",\"iptablesMasqueradeBit\":2,\"iptablesDropBit\":1}",
         .want = "bits "},
	{.name = "a drop-in makes them equal",
         .args = "--config=" CONFIG " --config-dir=/k/d",
         .config = GVK ",\"iptablesMasqueradeBit\":2}",
         .dropin = GVK ",\"iptablesDropBit\":2}",
         .want = "bits "},
	{.name = "a drop-in makes them different",
         .args = "--config=" CONFIG " --config-dir=/k/d",
         .config = GVK ",\"iptablesMasqueradeBit\":2,\"iptablesDropBit\":2}",
         .dropin = GVK ",\"iptablesDropBit\":3}",
         .want = ""},
	{.name = "null is the default",
         .args = "--config=" CONFIG,
         .config = GVK ",\"iptablesMasqueradeBit\":15,"
                       "\"iptablesDropBit\":null}",
         .want = "bits "},
	{.name = "all of it",
         .asked = true,
         .active = {"ufw.service"},
         .paths = {WHOLE},
         .args = MASK "=15",
         .want = "note iptables-manager note no-iptables bits "},
};

static void stage(int i)
{
	char exec[256];

	snprintf(exec, sizeof(exec), "[Service]\nExecStart=/srv/kubelet %s\n%s",
	         rows[i].args ? rows[i].args : "",
	         rows[i].unit ? rows[i].unit : "");
	kr_root_write("/etc/systemd/system/kubelet.service", exec);
	kr_root_write("/srv/kubelet", "");
	for (size_t k = 0; k < 4 && rows[i].paths[k]; k++)
		kr_root_write(rows[i].paths[k], "");
	if (rows[i].config)
		kr_root_write(CONFIG, rows[i].config);
	if (rows[i].dropin)
		kr_root_write(DIR, rows[i].dropin);
}

START_TEST(remarks)
{
	const struct kr_node_options options = {
		.root = kr_root_path, .kubelet_version = rows[_i].version};
	const struct kr_node_systemd systemd = {.version = 252};
	struct kr_diag diag = {0};
	struct kr_node *node = NULL;
	char got[256] = "";
	const char *first = NULL;

	stage(_i);
	ck_assert_int_eq(kr_node_open(&options, &diag, &node), 0);
	ck_assert_int_eq(kr_node_read(node, &options, &systemd, &diag), 0);
	ck_assert_int_eq(
		kr_remarks_find(node, &kr_rules_usual,
	                        rows[_i].asked ? rows[_i].active : NULL, &diag),
		0);
	for (size_t i = 0; i < diag.n_messages; i++) {
		const struct kr_message *m = &diag.messages[i];
		size_t n = strlen(got);

		if (!strstr(m->code, "iptables"))
			continue;
		snprintf(got + n, sizeof(got) - n, "%s %s ",
		         kr_severity_to_string(m->severity), m->code);
		first = first ? first : m->text;
	}
	if (kr_node_inputs(node) &&
	    kr_iptables_bits_fatal(node, kr_node_inputs(node), NULL))
		strlcat(got, "bits ", sizeof(got));
	ck_assert_msg(strcmp(got, rows[_i].want) == 0, "%s: %s", rows[_i].name,
	              got);
	ck_assert_msg(!rows[_i].text || strstr(first, rows[_i].text), "%s: %s",
	              rows[_i].name, first);
	kr_node_free(node);
	kr_diag_done(&diag);
}
END_TEST

/* A kubelet that runs with the setting on and these bits is a newer one. */
START_TEST(proven_by_the_process)
{
	static const struct running {
		const char *argv[4];
		bool fatal;
	} cases[] = {
		{{"kubelet", MASK "=15", NULL}, false},
		{{"kubelet", MASK "=15", "--make-iptables-util-chains=false",
	          NULL},
	         true},
		{{"kubelet", NULL}, true},
	};
	const struct running *c = &cases[_i];
	struct kr_diag diag = {0};
	struct kr_node *node;

	kr_test_unit("/usr/bin/kubelet " MASK "=15");
	kr_test_process(c->argv, kr_realtime_usec(),
	                "/system.slice/kubelet.service");
	node = kr_test_node(NULL, &diag);
	ck_assert(node->running_valid);
	ck_assert_msg(kr_iptables_bits_fatal(node, &node->disk.inputs, NULL) ==
	                      c->fatal,
	              "case %d: %s", _i, kr_test_messages(&diag));
	kr_node_free(node);
	kr_diag_done(&diag);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc = kr_test_case(suite, "iptables", kr_root_setup,
	                         kr_root_teardown);

	tcase_add_loop_test(tc, remarks, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, proven_by_the_process, 0, 3);
}

KR_TEST_MAIN(add_tests);
