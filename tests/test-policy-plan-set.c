/* SPDX-License-Identifier: Apache-2.0 */

/*
 * policy/plan of several rules: the edits, as the files they make; which rules
 * are fixed, and which are left and why. Of each row that is edited:
 *
 *	twice	nothing that was fixed would be edited once more
 *	undo	no two edits touch, and taken back they give the first bytes
 *	whom	each edit is for rules that were fixed
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "policy/plan.h"
#include "testing-node.h"
#include "testing.h"

#define GVK                                                                    \
	"{\"kind\":\"KubeletConfiguration\","                                  \
	"\"apiVersion\":\"kubelet.config.k8s.io/v1beta1\""
#define YAML                                                                   \
	"kind: KubeletConfiguration\n"                                         \
	"apiVersion: kubelet.config.k8s.io/v1beta1\n"
#define UNIT   "/etc/systemd/system/kubelet.service"
#define DROPIN UNIT ".d/10-a.conf"
#define VENDOR "/usr/lib/systemd/system/kubelet.service"
#define ENV    "/etc/default/kubelet"
#define CONFIG "/etc/kubelet.json"
#define PKI    "/var/lib/kubelet/pki/kubelet-client-current.pem"
#define EXEC   "[Service]\nExecStart=/usr/bin/kubelet "
#define C      "--kubeconfig=/k --config=" CONFIG
#define S      "[Service]\n"
#define WITH   EXEC C " $KUBELET_ARGS\nEnvironmentFile=-" ENV "\n"
#define FLAGS  EXEC "--kubeconfig=/k $KUBELET_ARGS\nEnvironmentFile=" ENV "\n"

#define ANON "authentication.anonymous.enabled"
#define CA   "authentication.x509.clientCAFile"
#define MODE "authorization.mode"
#define RO   "readOnlyPort"
#define IPT  "makeIPTablesUtilChains"
#define IDLE "streamingConnectionIdleTimeout"
#define GATE "featureGates.RotateKubeletServerCertificate"
#define KERN "protectKernelDefaults"
#define ROT  "rotateCertificates"
#define BOOT "serverTLSBootstrap"
#define SECC "seccompDefault"
#define QPS  "eventRecordQPS"
#define PIDS "podPidsLimit"
#define NAME "hostname-override"
#define TLS  "tlsCipherSuites"

/* two authorities, and a kubeconfig that trusts the first */
#define PEM(text)                                                              \
	"-----BEGIN CERTIFICATE-----\n" text "\n-----END CERTIFICATE-----\n"
#define OURS   PEM("MAMCAQE=")
#define OTHERS PEM("MAMCAQI=")
#define KUBECONFIG(user)                                                       \
	"apiVersion: v1\nkind: Config\ncurrent-context: c\n"                   \
	"clusters:\n- name: k\n  cluster:\n    server: https://a\n"            \
	"    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tL"    \
	"S0tCk1BTUNBUUU9Ci0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0K\n"                \
	"contexts:\n- context: {cluster: k, user: u}\n  name: c\n"             \
	"users:\n- name: u\n  user:\n" user
#define BY_CERTIFICATE                                                         \
	"    client-certificate: " PKI "\n    client-key: " PKI "\n"
#define BY_TOKEN "    token: secret\n"
#define BY_EXEC  "    exec: {command: aws, apiVersion: a/v1}\n"
#define SYSCTLS                                                                \
	"vm.overcommit_memory = 1\nkernel.panic = 10\n"                        \
	"kernel.panic_on_oops = 1\n"

#define DIR  "--config-dir=/etc/k.d"
#define MADE "/etc/k.d/90-kubelet-remedy.conf"
#define MADE_HEAD                                                              \
	"# Made by kubelet-remedy.\n"                                          \
	"apiVersion: kubelet.config.k8s.io/v1beta1\n"                          \
	"kind: KubeletConfiguration\n"

struct row {
	const char *name;
	const char *rules; /* names with commas, in the table's order or not */
	const char *named, *allowed; /* of these; NULL: all are, and none */
	const char *held, *waived;   /* the one that is; NULL */
	const char *set;             /* "NAME=VALUE", by --set; NULL */
	const char *version;
	enum kr_method method;
	bool explicit_wanted;
	bool live; /* a node that runs and was configured */
	struct {
		const char *path, *before;
		const char *after; /* NULL: it stays */
	} files[7];
	int want;
	const char *fixed; /* names with commas */
	const char *left;  /* "NAME why,..." */
	const char *says;  /* what is left, or refused, says */
	/* of a refusal of all: what is left with its words and options */
	const char *lefts[4];
};

#define PAIR "tlsCertFile+tlsPrivateKeyFile"
#define BAD_QPS                                                                \
	CONFIG ":1:19: eventRecordQPS must be from 0 to 2147483647 "
#define SET_QPS "--control=" QPS " --set=" QPS "=VALUE"
#define NO_CA                                                                  \
	CONFIG ":5:24: authentication.x509.clientCAFile names /ca, which is "  \
	       "not there "
#define NO_K UNIT ":2:28: --kubeconfig names /k, which is not there "

#define SUITE    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
#define AL2023   "/etc/kubernetes/kubelet/config.json"
#define OURS_EKS "/etc/eks/nodeadm.d/90-kubelet-remedy.yaml"
#define HEADER                                                                 \
	"# Made by kubelet-remedy: nodeadm merges it into the NodeConfig of "  \
	"the user\n# data at every boot.\n"                                    \
	"apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n"         \
	"  kubelet:\n    config:\n"
#define NODEADM                                                                \
	{UNIT, EXEC "--kubeconfig=/k --config=" AL2023 "\n"},                  \
	{                                                                      \
		"/etc/systemd/system/nodeadm-run.service",                     \
			"[Service]\nExecStart=/usr/bin/nodeadm init --skip "   \
			"config "                                              \
			"--config-source imds://user-data --config-source "    \
			"file:///etc/eks/nodeadm.d/\n"                         \
	}
#define SAFE                                                                   \
	{"/k", KUBECONFIG(BY_CERTIFICATE)}, {"/ca", OURS},                     \
	{                                                                      \
		PKI, OURS                                                      \
	}

/* clang-format off */
static const struct row rows[] = {
	{.name = "JSON: nested keys, one plan",
	 .rules = ANON "," MODE "," RO "," IPT,
	 .files = {{UNIT, EXEC C "\n"}, SAFE,
	           {CONFIG, GVK ",\"authentication\":{\"anonymous\":{"
	                    "\"enabled\":true},\"x509\":{\"clientCAFile\":"
	                    "\"/ca\"}},\"readOnlyPort\":10255,"
	                    "\"authorization\":{\"mode\":\"AlwaysAllow\"},"
	                    "\"makeIPTablesUtilChains\":false}\n",
	                    GVK ",\"authentication\":{\"anonymous\":{"
	                    "\"enabled\":false},\"x509\":{\"clientCAFile\":"
	                    "\"/ca\"}},\"readOnlyPort\":0,"
	                    "\"authorization\":{\"mode\":\"Webhook\"},"
	                    "\"makeIPTablesUtilChains\":true}\n"}},
	 .fixed = ANON "," MODE "," RO "," IPT},
	{.name = "YAML: keys of different depths behind the last member",
	 .rules = ANON "," RO "," PIDS "," IPT,
	 .set = PIDS "=4096", .explicit_wanted = true,
	 .files = {{UNIT, EXEC C "\n"}, SAFE,
	           {CONFIG, YAML "authentication:\n  x509:\n"
	                    "    clientCAFile: /ca\n",
	                    YAML "authentication:\n  x509:\n"
	                    "    clientCAFile: /ca\n  anonymous:\n"
	                    "    enabled: false\nreadOnlyPort: 0\n"
	                    "podPidsLimit: 4096\n"
	                    "makeIPTablesUtilChains: true\n"}},
	 .fixed = ANON "," RO "," PIDS "," IPT},
	{.name = "flags side by side are cut, keys are written",
	 .rules = RO "," IPT,
	 .files = {{UNIT, WITH},
	           {ENV, "KUBELET_ARGS=--v=2 --read-only-port=10255 "
	                 "--make-iptables-util-chains=false --max-pods=9\n",
	            "KUBELET_ARGS=--v=2 --max-pods=9\n"},
	           {CONFIG, GVK "}\n", GVK ",\"readOnlyPort\":0,"
	                    "\"makeIPTablesUtilChains\":true}\n"}},
	 .fixed = RO "," IPT},
	{.name = "flags at the end of one variable",
	 .rules = RO "," IPT "," ROT,
	 .files = {{UNIT, FLAGS}, {"/k", KUBECONFIG(BY_CERTIFICATE)},
	           {ENV, "KUBELET_ARGS=\"--make-iptables-util-chains=false "
	                 "--v=2 --rotate-certificates=false\"\n",
	            "KUBELET_ARGS=\"--v=2 --read-only-port=0 "
	            "--make-iptables-util-chains=true "
	            "--rotate-certificates=true\"\n"}},
	 .fixed = RO "," IPT "," ROT},
	{.name = "flags in a vendor's command: one drop-in of ours",
	 .rules = RO "," IPT,
	 .files = {{VENDOR, EXEC C " --read-only-port=1 "
	                    "--make-iptables-util-chains=false --v=2\n"},
	           {CONFIG, GVK ",\"readOnlyPort\":0,"
	                    "\"makeIPTablesUtilChains\":true}\n"},
	           {UNIT ".d/90-kubelet-remedy.conf", NULL,
	            "# Made by kubelet-remedy: the vendor's command, with other "
	            "values of some flags.\n"
	            "# It hides later changes of the vendor's own.\n"
	            "# Vendor file: " VENDOR "\n"
	            "# SHA-256: 9d34bbf54519e0146685e0a15d24d27f3d1153cce7dfe512be"
	            "62c3ad1bb6e5ad\n"
	            "[Service]\nExecStart=\nExecStart=/usr/bin/kubelet " C
	            " --v=2\n"}},
	 .fixed = RO "," IPT},
	{.name = "a gate in a vendor's command, among others",
	 .rules = GATE, .version = "1.30", .method = KR_METHOD_FLAG,
	 .files = {{VENDOR, EXEC "--kubeconfig=/k --feature-gates=NodeSwap=true,"
	                    "RotateKubeletServerCertificate=false --v=2\n"},
	           {UNIT ".d/90-kubelet-remedy.conf", NULL,
	            "# Made by kubelet-remedy: the vendor's command, with other "
	            "values of some flags.\n"
	            "# It hides later changes of the vendor's own.\n"
	            "# Vendor file: " VENDOR "\n"
	            "# SHA-256: a04473f0e4bc8c15c37fdc781a151d08a9ebc547a011a8f0f53868"
	            "0754ae6bc8\n"
	            "[Service]\nExecStart=\nExecStart=/usr/bin/kubelet "
	            "--kubeconfig=/k --feature-gates=NodeSwap=true,"
	            "RotateKubeletServerCertificate=false --v=2 "
	            "--feature-gates=RotateKubeletServerCertificate=true\n"}},
	 .fixed = GATE},
	{.name = "the timeout's flag is cut, and no more",
	 .rules = IDLE,
	 .files = {{UNIT, WITH},
	           {ENV, "KUBELET_ARGS=--streaming-connection-idle-timeout=0 "
	                 "--v=2\n", "KUBELET_ARGS=--v=2\n"},
	           {CONFIG, GVK "}\n"}},
	 .fixed = IDLE},
	{.name = "the timeout of the file is negative",
	 .rules = IDLE,
	 .files = {{UNIT, EXEC C "\n"},
	           {CONFIG, GVK ",\"streamingConnectionIdleTimeout\":\"-1s\"}",
	            GVK ",\"streamingConnectionIdleTimeout\":\"4h0m0s\"}"}},
	 .fixed = IDLE},
	{.name = "the timeout by the flag method: cut, too",
	 .rules = IDLE, .method = KR_METHOD_FLAG,
	 .files = {{UNIT, FLAGS},
	           {ENV, "KUBELET_ARGS=--streaming-connection-idle-timeout=0\n",
	            "KUBELET_ARGS=\n"}},
	 .fixed = IDLE},
	{.name = "a gate among others, in the flag",
	 .rules = GATE,
	 .files = {{UNIT, WITH},
	           {ENV, "KUBELET_ARGS=--feature-gates=NodeSwap=true,"
	                 "RotateKubeletServerCertificate=false,MemoryQoS=true\n",
	            "KUBELET_ARGS=--feature-gates=NodeSwap=true,MemoryQoS=true\n"},
	           {CONFIG, GVK ",\"featureGates\":{\"AllAlpha\":false}}\n",
	            GVK ",\"featureGates\":{\"AllAlpha\":false,"
	            "\"RotateKubeletServerCertificate\":true}}\n"}},
	 .fixed = GATE, .version = "1.30"},
	/* what makes it last */
	{.name = "nodeadm: all keys in one file of ours",
	 .rules = ANON "," RO "," IPT "," TLS,
	 .explicit_wanted = true,
	 .files = {NODEADM, {AL2023, GVK ",\"authentication\":{\"x509\":"
	            "{\"clientCAFile\":\"/ca\"}}}",
	            GVK ",\"authentication\":{\"x509\":"
	            "{\"clientCAFile\":\"/ca\"},\"anonymous\":"
	            "{\"enabled\":false}},\"readOnlyPort\":0,"
	            "\"makeIPTablesUtilChains\":true,\"tlsCipherSuites\":"
	            "[\"" SUITE "\"]}"},
	           {OURS_EKS, NULL, HEADER
	            "      authentication:\n        anonymous:\n"
	            "          enabled: false\n"
	            "      readOnlyPort: 0\n"
	            "      makeIPTablesUtilChains: true\n"
	            "      tlsCipherSuites:\n        - " SUITE "\n"}},
	 .set = TLS "=" SUITE,
	 .fixed = ANON "," RO "," IPT "," TLS},
	{.name = "nodeadm: what a file of ours says stays",
	 .rules = RO,
	 .files = {NODEADM, {AL2023, GVK ",\"readOnlyPort\":1}",
	            GVK ",\"readOnlyPort\":0}"},
	           {OURS_EKS, HEADER "      makeIPTablesUtilChains: true\n",
	            HEADER "      readOnlyPort: 0\n"
	            "      makeIPTablesUtilChains: true\n"}},
	 .fixed = RO},
	{.name = "nodeadm: somebody's own file stays",
	 .rules = RO,
	 .files = {NODEADM, {AL2023, GVK ",\"readOnlyPort\":1}",
	            GVK ",\"readOnlyPort\":0}"},
	           {OURS_EKS, HEADER "      maxPods: 7\n"}},
	 .fixed = RO},
	/* mode and owner */
	{.name = "mode and bytes of one file",
	 .rules = "mode:config," RO ",owner:config",
	 .files = {{UNIT, EXEC C "\n"},
	           {CONFIG, GVK ",\"readOnlyPort\":1}",
	            GVK ",\"readOnlyPort\":0}"}},
	 .fixed = "mode:config," RO},
	{.name = "mode alone, of two files",
	 .rules = "mode:unit",
	 .files = {{UNIT, EXEC C "\n", EXEC C "\n"},
	           {DROPIN, S "Restart=no\n", S "Restart=no\n"},
	           {CONFIG, GVK "}"}},
	 .fixed = "mode:unit"},
	{.name = "mode of a vendor's unit: it is never changed",
	 .rules = "mode:unit," RO,
	 .files = {{VENDOR, EXEC C "\n"},
	           {CONFIG, GVK ",\"readOnlyPort\":1}",
	            GVK ",\"readOnlyPort\":0}"}},
	 .fixed = RO, .left = "mode:unit never"},
	{.name = "mode of a vendor's unit and of a drop-in: that alone",
	 .rules = "mode:unit," RO,
	 .files = {{VENDOR, EXEC C "\n"},
	           {DROPIN, S "Restart=no\n", S "Restart=no\n"},
	           {CONFIG, GVK ",\"readOnlyPort\":1}",
	            GVK ",\"readOnlyPort\":0}"}},
	 .fixed = "mode:unit," RO, .left = "mode:unit never",
	 .says = "copy it to /etc/systemd/system/kubelet.service (root:root, "
	         "0600)"},
	{.name = "the same alone",
	 .rules = "mode:unit",
	 .files = {{VENDOR, EXEC C "\n"},
	           {DROPIN, S "Restart=no\n", S "Restart=no\n"},
	           {CONFIG, GVK "}"}},
	 .fixed = "mode:unit", .left = "mode:unit never"},
	/* who may be fixed */
	{.name = "ask, not named",
	 .rules = RO "," ROT, .named = "",
	 .files = {{UNIT, EXEC C "\n"}, SAFE,
	           {CONFIG, GVK ",\"readOnlyPort\":1,"
	            "\"rotateCertificates\":false}",
	            GVK ",\"readOnlyPort\":0,\"rotateCertificates\":false}"}},
	 .fixed = RO, .left = ROT " ask", .says = "(--control=" ROT ")"},
	{.name = "ask, allowed",
	 .rules = RO "," ROT, .named = "", .allowed = ROT,
	 .files = {{UNIT, EXEC C "\n"}, SAFE,
	           {CONFIG, GVK ",\"readOnlyPort\":0,"
	            "\"rotateCertificates\":false}",
	            GVK ",\"readOnlyPort\":0,\"rotateCertificates\":true}"}},
	 .fixed = ROT},
	{.name = "ask, alone: nothing is edited, and it is no refusal",
	 .rules = ROT, .named = "",
	 .files = {{UNIT, EXEC C "\n"}, SAFE,
	           {CONFIG, GVK ",\"rotateCertificates\":false}"}},
	 .left = ROT " ask"},
	{.name = "the owner's value, named and not said",
	 .rules = QPS, .version = "1.30",
	 .files = {{UNIT, EXEC C "\n"}, {CONFIG, GVK ",\"eventRecordQPS\":-1}"}},
	 .left = QPS " ask"},
	{.name = "the owner's value, explicit, named and not said",
	 .rules = PIDS,
	 .files = {{UNIT, EXEC C "\n"}, {CONFIG, GVK "}"}},
	 .left = PIDS " ask", .says = "--set=podPidsLimit=VALUE"},
	{.name = "never",
	 .rules = NAME "," RO,
	 .files = {{UNIT, WITH}, {CONFIG, GVK ",\"readOnlyPort\":1}",
	                          GVK ",\"readOnlyPort\":0}"},
	           {ENV, "KUBELET_ARGS=--hostname-override=a\n"}},
	 .fixed = RO, .left = NAME " never"},
	{.name = "waived",
	 .rules = RO "," IPT, .waived = RO,
	 .files = {{UNIT, EXEC C "\n"},
	           {CONFIG, GVK ",\"readOnlyPort\":1}"}},
	 .left = RO " waived", .says = "we live with it"},
	{.name = "held, though named",
	 .rules = RO "," IPT, .held = RO,
	 .files = {{UNIT, EXEC C "\n"},
	           {CONFIG, GVK ",\"readOnlyPort\":1,"
	            "\"makeIPTablesUtilChains\":false}",
	            GVK ",\"readOnlyPort\":1,"
	            "\"makeIPTablesUtilChains\":true}"}},
	 .fixed = IPT, .left = RO " hold", .says = "--allow=" RO},
	{.name = "held and allowed",
	 .rules = RO, .held = RO, .allowed = RO,
	 .files = {{UNIT, EXEC C "\n"},
	           {CONFIG, GVK ",\"readOnlyPort\":1}",
	            GVK ",\"readOnlyPort\":0}"}},
	 .fixed = RO},
	/* refusals */
	{.name = "anonymous: there is no client CA",
	 .rules = ANON "," RO, .live = true,
	 .files = {{UNIT, EXEC C "\n"}, SAFE,
	           {CONFIG, GVK ",\"authentication\":{\"anonymous\":{"
	            "\"enabled\":true}}}"}},
	 .left = ANON " refused", .says = "there is no client CA"},
	{.name = "anonymous: the client CA is another's",
	 .rules = ANON "," RO, .live = true,
	 .files = {{UNIT, EXEC C "\n"}, {PKI, OURS}, {"/ca", OTHERS},
	           {"/k", KUBECONFIG(BY_CERTIFICATE)},
	           {CONFIG, GVK ",\"authentication\":{\"anonymous\":{"
	            "\"enabled\":true},\"x509\":{\"clientCAFile\":\"/ca\"}}}"}},
	 .left = ANON " refused", .says = "does not hold the authority"},
	{.name = "anonymous: the client CA holds it among others",
	 .rules = ANON "," RO, .live = true,
	 .files = {{UNIT, EXEC C "\n"}, {PKI, OURS}, {"/ca", OTHERS OURS},
	           {"/k", KUBECONFIG(BY_CERTIFICATE)},
	           {CONFIG, GVK ",\"authentication\":{\"anonymous\":{"
	            "\"enabled\":true},\"x509\":{\"clientCAFile\":\"/ca\"}}}",
	            GVK ",\"authentication\":{\"anonymous\":{"
	            "\"enabled\":false},\"x509\":{\"clientCAFile\":\"/ca\"}}}"}},
	 .fixed = ANON},
	{.name = "anonymous: the client CA comes with the same plan",
	 .rules = ANON "," CA, .live = true, .set = CA "=/ca",
	 .files = {{UNIT, EXEC C "\n"}, SAFE,
	           {CONFIG, YAML "authentication:\n  anonymous:\n"
	            "    enabled: true\n",
	            YAML "authentication:\n  anonymous:\n"
	            "    enabled: false\n  x509:\n    clientCAFile: /ca\n"}},
	 .fixed = ANON "," CA},
	{.name = "client CA: it is another's",
	 .rules = CA "," RO, .live = true, .set = CA "=/b",
	 .files = {{UNIT, EXEC C "\n"}, {PKI, OURS}, {"/b", OTHERS},
	           {"/k", KUBECONFIG(BY_CERTIFICATE)},
	           {CONFIG, YAML "authentication:\n  anonymous:\n"
	            "    enabled: false\n"}},
	 .left = CA " refused", .says = "does not hold the authority"},
	{.name = "client CA: it does not load",
	 .rules = CA "," RO, .live = true, .set = CA "=/b",
	 .files = {{UNIT, EXEC C "\n"}, {PKI, OURS}, {"/b", "no PEM"},
	           {"/k", KUBECONFIG(BY_CERTIFICATE)},
	           {CONFIG, YAML "authentication:\n  anonymous:\n"
	            "    enabled: false\n"}},
	 .left = CA " refused", .says = "does not load"},
	{.name = "client CA: it holds the authority among others",
	 .rules = CA "," RO, .live = true, .set = CA "=/b",
	 .files = {{UNIT, EXEC C "\n"}, {PKI, OURS}, {"/b", OTHERS OURS},
	           {"/k", KUBECONFIG(BY_CERTIFICATE)},
	           {CONFIG, YAML "authentication:\n  anonymous:\n"
	            "    enabled: false\n",
	            YAML "authentication:\n  anonymous:\n"
	            "    enabled: false\n  x509:\n    clientCAFile: /b\n"}},
	 .fixed = CA},
	{.name = "client CA: it is another's, where anyone is let in",
	 .rules = CA "," RO, .live = true, .set = CA "=/b",
	 .files = {{UNIT, EXEC C "\n"}, {PKI, OURS}, {"/b", OTHERS},
	           {"/k", KUBECONFIG(BY_CERTIFICATE)},
	           {CONFIG, YAML "authentication:\n  anonymous:\n"
	            "    enabled: true\n",
	            YAML "authentication:\n  anonymous:\n"
	            "    enabled: true\n  x509:\n    clientCAFile: /b\n"}},
	 .fixed = CA},
	{.name = "anonymous, in an image: the CA may come",
	 .rules = ANON "," RO,
	 .files = {{UNIT, EXEC C "\n"},
	           {CONFIG, YAML "authentication:\n  anonymous:\n"
	            "    enabled: true\n  x509:\n    clientCAFile: /ca\n",
	            YAML "authentication:\n  anonymous:\n"
	            "    enabled: false\n  x509:\n    clientCAFile: /ca\n"}},
	 .fixed = ANON},
	{.name = "anonymous, in an image: the CA that is there counts",
	 .rules = ANON "," RO,
	 .files = {{UNIT, EXEC C "\n"}, {"/ca", "no PEM"},
	           {CONFIG, YAML "authentication:\n  anonymous:\n"
	            "    enabled: true\n  x509:\n    clientCAFile: /ca\n"}},
	 .left = ANON " refused", .says = "does not load"},
	{.name = "Webhook without --kubeconfig, in an image",
	 .rules = MODE "," RO,
	 .files = {{UNIT, EXEC "--config=" CONFIG "\n"},
	           {CONFIG, YAML "authorization: {mode: AlwaysAllow}\n"
	            "authentication: {webhook: {enabled: false}}\n",
	            YAML "authorization: {mode: Webhook}\n"
	            "authentication: {webhook: {enabled: false}}\n"}},
	 .fixed = MODE},
	{.name = "Webhook without --kubeconfig, on a node that runs",
	 .rules = MODE "," RO, .live = true,
	 .files = {{UNIT, EXEC "--config=" CONFIG "\n"}, {PKI, OURS},
	           {CONFIG, YAML "authorization: {mode: AlwaysAllow}\n"
	            "authentication: {webhook: {enabled: false}}\n"}},
	 .left = MODE " refused", .says = "no known --kubeconfig"},
	{.name = "the kernel's settings are not written",
	 .rules = KERN "," IPT,
	 .files = {{UNIT, EXEC C "\n"},
	           {CONFIG, GVK ",\"makeIPTablesUtilChains\":false}",
	            GVK ",\"makeIPTablesUtilChains\":true}"}},
	 .fixed = IPT, .left = KERN " refused",
	 .says = "first:\nvm.overcommit_memory = 1\nkernel.panic = 10\n"
	         "kernel.panic_on_oops = 1 ()"},
	{.name = "the kernel's settings are written",
	 .rules = KERN,
	 .files = {{UNIT, EXEC C "\n"}, {"/etc/sysctl.d/k.conf", SYSCTLS},
	           {CONFIG, GVK "}", GVK ",\"protectKernelDefaults\":true}"}},
	 .fixed = KERN},
	{.name = "rotation with an exec plugin",
	 .rules = ROT "," IPT,
	 .files = {{UNIT, EXEC C "\n"}, {"/k", KUBECONFIG(BY_EXEC)},
	           {CONFIG, GVK ",\"rotateCertificates\":false}"}},
	 .left = ROT " refused", .says = "exec plugin"},
	{.name = "rotation with a token",
	 .rules = ROT "," IPT, .named = "",
	 .files = {{UNIT, EXEC C "\n"}, {"/k", KUBECONFIG(BY_TOKEN)},
	           {CONFIG, GVK ",\"rotateCertificates\":false}"}},
	 .left = ROT " refused", .says = "is a token"},
	{.name = "rotation with a bootstrap kubeconfig's token",
	 .rules = ROT,
	 .files = {{UNIT, EXEC C " --bootstrap-kubeconfig=/b\n"},
	           {"/b", KUBECONFIG(BY_TOKEN)},
	           {CONFIG, GVK ",\"rotateCertificates\":false}",
	            GVK ",\"rotateCertificates\":true}"}},
	 .fixed = ROT},
	{.name = "serving certificates with the gate off",
	 .rules = BOOT "," IPT, .version = "1.30",
	 .files = {{UNIT, EXEC C "\n"},
	           {CONFIG, YAML "featureGates:\n"
	            "  RotateKubeletServerCertificate: false\n"}},
	 .left = BOOT " refused", .says = "is off"},
	{.name = "serving certificates, and the gate with them",
	 .rules = BOOT "," GATE, .version = "1.30",
	 .files = {{UNIT, EXEC C "\n"},
	           {CONFIG, YAML "featureGates:\n"
	            "  RotateKubeletServerCertificate: false\n",
	            YAML "featureGates:\n"
	            "  RotateKubeletServerCertificate: true\n"
	            "serverTLSBootstrap: true\n"}},
	 .fixed = BOOT "," GATE},
	{.name = "no order of the edits",
	 .rules = BOOT "," RO "," GATE, .version = "1.30", .want = KR_REFUSED,
	 .files = {{UNIT, WITH},
	           {CONFIG, YAML "readOnlyPort: 70000\n"
	            "serverTLSBootstrap: false\n"},
	           {ENV, "KUBELET_ARGS=--read-only-port=10255 --feature-gates="
	            "RotateKubeletServerCertificate=false\n"}},
	 .left = BOOT " refused," RO " refused," GATE " refused",
	 .says = "no order of the edits"},
	{.name = "seccomp, version not known",
	 .rules = SECC "," IPT,
	 .files = {{UNIT, EXEC C "\n"}, {CONFIG, GVK "}"}},
	 .left = SECC " refused", .says = "--kubelet-version"},
	{.name = "seccomp, too old",
	 .rules = SECC "," IPT, .version = "1.24",
	 .files = {{UNIT, EXEC C "\n"}, {CONFIG, GVK "}"}},
	 .left = SECC " refused", .says = "1.25 is the first"},
	{.name = "seccomp",
	 .rules = SECC, .version = "1.25",
	 .files = {{UNIT, EXEC C "\n"},
	           {CONFIG, GVK "}", GVK ",\"seccompDefault\":true}"}},
	 .fixed = SECC},
	{.name = "a suite that kubelet's Go does not know",
	 .rules = TLS "," IPT, .set = TLS "=TLS_NO_SUCH",
	 .files = {{UNIT, EXEC C "\n"}, {CONFIG, GVK "}"}},
	 .left = TLS " refused"},
	/* --config-dir alone */
	{.name = "--config-dir alone, no file: one is made for both",
	 .rules = RO "," IPT, .version = "1.32", .explicit_wanted = true,
	 .files = {{UNIT, EXEC DIR "\n"}, {"/etc/k.d/README", "x"},
	           {MADE, NULL, MADE_HEAD "readOnlyPort: 0\n"
	                        "makeIPTablesUtilChains: true\n"}},
	 .fixed = RO "," IPT},
	{.name = "--config-dir alone, a file says something else",
	 .rules = MODE "," RO "," IPT, .version = "1.32",
	 .files = {{UNIT, EXEC DIR " --kubeconfig=/k\n"},
	           {"/k", KUBECONFIG(BY_CERTIFICATE)}, {PKI, OURS},
	           {"/etc/k.d/99.conf", YAML "makeIPTablesUtilChains: false\n",
	            YAML "makeIPTablesUtilChains: true\n"},
	           {MADE, NULL, MADE_HEAD "authorization:\n  mode: Webhook\n"
	                        "readOnlyPort: 0\n"}},
	 .fixed = MODE "," RO "," IPT},
	{.name = "--config-dir alone, an earlier fix made one",
	 .rules = RO "," IPT, .version = "1.32",
	 .files = {{UNIT, EXEC DIR "\n"}, {"/etc/k.d/10.conf", YAML},
	           {MADE, MADE_HEAD "makeIPTablesUtilChains: false\n",
	            MADE_HEAD "makeIPTablesUtilChains: true\n"
	            "readOnlyPort: 0\n"}},
	 .fixed = RO "," IPT},
	{.name = "--config-dir alone, by flag",
	 .rules = RO, .version = "1.32", .method = KR_METHOD_FLAG,
	 .files = {{UNIT, EXEC DIR "\n", EXEC DIR " --read-only-port=0\n"},
	           {"/etc/k.d/10.conf", YAML}},
	 .fixed = RO},
	{.name = "--config-dir alone, a vendor's",
	 .rules = RO, .version = "1.32",
	 .files = {{UNIT, EXEC "--config-dir=/usr/lib/k.d\n"},
	           {"/usr/lib/k.d/10.conf", YAML}},
	 .want = KR_REFUSED, .says = "must stand there"},
	{.name = "--config beside it: its file gets the key",
	 .rules = RO, .version = "1.32", .explicit_wanted = true,
	 .files = {{UNIT, EXEC C " " DIR "\n"}, {"/etc/k.d/10.conf", YAML},
	           {CONFIG, GVK "}", GVK ",\"readOnlyPort\":0}"}},
	 .fixed = RO},
	/* what cannot be edited */
	{.name = "one has no safe edit, the others are fixed",
	 .rules = RO "," GATE "," IPT, .version = "1.30",
	 .files = {{UNIT, EXEC C " --feature-gates=NodeSwap=true,${G}\n"
	                    "Environment=G=RotateKubeletServerCertificate=false\n"},
	           {CONFIG, GVK ",\"makeIPTablesUtilChains\":false,"
	            "\"readOnlyPort\":1}",
	            GVK ",\"makeIPTablesUtilChains\":true,"
	            "\"readOnlyPort\":0}"}},
	 .fixed = RO "," IPT, .left = GATE " refused",
	 .says = UNIT ":2:"},
	{.name = "another setting keeps kubelet from starting",
	 .rules = RO "," IPT,
	 .files = {{UNIT, EXEC C " --max-pods=x\n"},
	           {CONFIG, GVK ",\"readOnlyPort\":1}"}},
	 .want = KR_REFUSED, .left = RO " refused," IPT " refused",
	 .says = "max-pods"},
	{.name = "what the owner must choose keeps kubelet from starting",
	 .rules = ANON "," CA "," RO "," IPT "," NAME "," QPS "," PAIR ","
	          ROT "," TLS ",mode:config,owner:clientCA",
	 .named = RO,
	 .files = {{UNIT, WITH}, {ENV, "KUBELET_ARGS=--read-only-port=1\n"},
	           {CONFIG, "{\"eventRecordQPS\":-5,\"authentication\":{"
	            "\"anonymous\":{\"enabled\":true},\"x509\":{"
	            "\"clientCAFile\":\"/ca\"}},"
	            "\"kind\":\"KubeletConfiguration\",\"apiVersion\":"
	            "\"kubelet.config.k8s.io/v1beta1\"}"}, SAFE},
	 .want = KR_REFUSED,
	 .left = ANON " refused," CA " refused," RO " refused," IPT " refused,"
	         NAME " refused," QPS " ask," PAIR " never," ROT " refused,"
	         TLS " ask,mode:config refused",
	 .lefts = {ANON ": " BAD_QPS "(" SET_QPS ")\n"
	           CA ": " BAD_QPS "(" SET_QPS ")\n"
	           RO ": " BAD_QPS "(" SET_QPS ")\n"
	           IPT ": " BAD_QPS "(" SET_QPS ")\n"
	           NAME ": " BAD_QPS "(" SET_QPS ")\n",
	           "(" SET_QPS ")\n" PAIR, ROT ": " BAD_QPS,
	           "mode:config: " BAD_QPS}},
	{.name = "the same, of a file that is known and one that is not",
	 .rules = QPS ",mode:clientCA,mode:kubeconfig",
	 .files = {{UNIT, EXEC C "\n"}, {PKI, OURS}, {"/ca", OURS},
	           {"/k", KUBECONFIG(BY_CERTIFICATE),
	            KUBECONFIG(BY_CERTIFICATE)},
	           {CONFIG, YAML "eventRecordQPS: -5\nauthentication:\n"
	            "  x509: {clientCAFile: 5}\n"}},
	 .fixed = "mode:kubeconfig",
	 .left = QPS " ask,mode:clientCA refused",
	 .says = "mode:clientCA: " CONFIG ":"},
	{.name = "what nothing here sets keeps kubelet from starting",
	 .rules = CA "," RO "," NAME,
	 .files = {{UNIT, EXEC C "\n"}, SAFE,
	           {CONFIG, YAML "maxPods: -5\nauthentication:\n"
	            "  x509: {clientCAFile: /ca}\n"}},
	 .want = KR_REFUSED,
	 .left = CA " refused," RO " refused," NAME " refused",
	 .lefts = {CA ": " CONFIG ":3:10: maxPods must be from 0 to "
	           "2147483647 ()"}},
	{.name = "a client CA that is not there keeps kubelet from starting",
	 .rules = ANON "," CA "," RO ",mode:kubeconfig,mode:clientCA",
	 .live = true,
	 .files = {{UNIT, EXEC C "\n"}, {"/k", KUBECONFIG(BY_CERTIFICATE)},
	           {PKI, OURS},
	           {CONFIG, YAML "readOnlyPort: 0\nauthentication:\n"
	            "  x509: {clientCAFile: /ca}\n"}},
	 .want = KR_REFUSED,
	 .left = ANON " refused," CA " ask," RO " refused,mode:kubeconfig "
	         "refused,mode:clientCA refused",
	 .lefts = {ANON ": " NO_CA "(--control=" CA " --set=" CA "=VALUE)",
	           CA ": its value must be chosen: ",
	           RO ": " NO_CA "(--control=" CA " --set=" CA "=VALUE)",
	           "mode:clientCA: " NO_CA}},
	{.name = "a kubeconfig that is not there keeps kubelet from starting",
	 .rules = MODE "," CA ",mode:kubeconfig",
	 .live = true,
	 .files = {{UNIT, EXEC C "\n"}, {"/ca", OURS}, {PKI, OURS},
	           {CONFIG, YAML "authorization: {mode: AlwaysAllow}\n"
	            "authentication:\n"
	            "  x509: {clientCAFile: /ca}\n"}},
	 .want = KR_REFUSED,
	 .left = MODE " refused," CA " refused,mode:kubeconfig refused",
	 .lefts = {MODE ": " NO_K, CA ": " NO_K, "mode:kubeconfig: " NO_K}},
	{.name = "a value that is asked for would keep kubelet from starting",
	 .rules = CA "," RO "," IPT, .set = CA "=/nope", .live = true,
	 .files = {{UNIT, EXEC C "\n"}, SAFE,
	           {CONFIG, YAML "readOnlyPort: 1\nauthentication:\n"
	            "  x509: {clientCAFile: /ca}\n",
	            YAML "readOnlyPort: 0\nauthentication:\n"
	            "  x509: {clientCAFile: /ca}\n"}},
	 .fixed = RO, .left = CA " refused",
	 .says = CA ": the client CA /nope does not load"},
	{.name = "a rule's own value keeps kubelet from starting",
	 .rules = IPT "," RO,
	 .files = {{UNIT, WITH}, {ENV, "KUBELET_ARGS=--read-only-port=x\n",
	                          "KUBELET_ARGS=\n"},
	           {CONFIG, GVK ",\"makeIPTablesUtilChains\":false}",
	            GVK ",\"makeIPTablesUtilChains\":true,"
	            "\"readOnlyPort\":0}"}},
	 .fixed = IPT "," RO},
	{.name = "an operator's node",
	 .rules = RO "," IPT,
	 .files = {{UNIT, EXEC C "\n"}, {CONFIG, GVK ",\"readOnlyPort\":1}"},
	           {"/etc/machine-config-daemon/currentconfig", "{}"}},
	 .want = KR_REFUSED, .left = RO " refused"},
	{.name = "all is right",
	 .rules = RO "," IPT "," ANON,
	 .files = {{UNIT, EXEC C "\n"}, {CONFIG, GVK "}"}}},
};
/* clang-format on */

static bool is_among(const char *names, const char *name)
{
	size_t length = strlen(name);

	for (; names && *names; names += strcspn(names, ",")) {
		names += *names == ',';
		if (strncmp(names, name, length) == 0 &&
		    (names[length] == ',' || !names[length]))
			return true;
	}
	return false;
}

/* What a row is asked with; OWN are those whose value it sets. */
struct asked {
	struct kr_rule own;
	const struct kr_rule *items[24];
	struct kr_consent consents[24];
	struct kr_rules rules;
};

static void set_value(struct asked *a, const char *value)
{
	const struct kr_field *f = kr_field(a->own.fields[0]);

	ck_assert_int_eq(
		kr_value_parse(f->type, value, strlen(value), &a->own.want), 0);
	a->own.owners_value = false;
	a->own.test = kr_rule_is_wanted;
}

static void ask(const struct row *row, struct asked *a)
{
	const char *at = row->rules;

	memset(a, 0, sizeof(*a));
	for (size_t i = 0; *at; i++) {
		size_t length = strcspn(at, ",");
		const struct kr_rule *rule = kr_rule_find(at, length);
		struct kr_consent *c = &a->consents[i];

		ck_assert_msg(rule, "%s: %s", row->name, at);
		if (row->set &&
		    strncmp(row->set, rule->name, strlen(rule->name)) == 0) {
			a->own = *rule;
			set_value(a, strchr(row->set, '=') + 1);
			rule = &a->own;
		}
		a->items[i] = rule;
		c->named = !row->named || is_among(row->named, rule->name);
		c->allowed = is_among(row->allowed, rule->name);
		if (row->held && strcmp(row->held, rule->name) == 0)
			c->held = "somebody uses it";
		a->rules.n_items++;
		at += length + (at[length] == ',');
	}
	a->rules.items = a->items;
}

static void make_files(const struct row *row)
{
	kr_root_write("/usr/bin/kubelet", "");
	if (row->live)
		kr_root_symlink("../..", "/proc/1/root");
	for (size_t i = 0; i < 7 && row->files[i].path; i++) {
		if (row->files[i].before)
			kr_root_write(row->files[i].path, row->files[i].before);
	}
}

static int make_plan(const struct row *row, const struct asked *asked,
                     struct kr_node *node, struct kr_diag *diag,
                     struct kr_plan **ret)
{
	/* the plan's audit points to it */
	static char name[64], reason[] = "we live with it";
	static struct kr_waiver line = {.name = name, .reason = reason};
	const struct kr_waivers waivers = {&line, row->waived != NULL};
	const struct kr_audit_options options = {
		.explicit_wanted = row->explicit_wanted,
		.waivers = &waivers,
		.live = KR_STATE_ABSENT,
	};
	const struct kr_plan_options how = {
		.method = row->method,
		.explicit_wanted = row->explicit_wanted,
		.consents = asked->consents,
	};
	_cleanup_audit_ struct kr_audit *audit = NULL;
	_cleanup_diag_ struct kr_diag found = {0};

	strlcpy(name, row->waived ? row->waived : "", sizeof(name));
	ck_assert_int_eq(
		kr_audit_run(node, &asked->rules, &options, &found, &audit), 0);
	return kr_plan_make(node, audit, &how, diag, ret);
}

/* All edits are in files of the row, which become what it says. */
static void check_files(const struct row *row, const struct kr_plan *plan)
{
	size_t n_changed = 0;

	for (size_t i = 0; i < 7 && row->files[i].path; i++) {
		const char *after = row->files[i].after;
		_cleanup_free_ char *got = NULL;
		size_t size, k = 0;

		while (k < plan->edits.n_files &&
		       strcmp(plan->edits.files[k].path, row->files[i].path))
			k++;
		ck_assert_msg((k < plan->edits.n_files) == (after != NULL),
		              "%s: %s", row->name, row->files[i].path);
		if (!after)
			continue;
		n_changed++;
		ck_assert_int_eq(
			kr_file_edits_apply(&plan->edits.files[k], &got, &size),
			0);
		ck_assert_msg(strcmp(got, after) == 0,
		              "%s: %s becomes\n%s\nwanted\n%s", row->name,
		              row->files[i].path, got, after);
	}
	ck_assert_msg(plan->edits.n_files == n_changed,
	              "%s: other files are edited: %s", row->name,
	              plan->edits.n_files ? plan->edits.files[0].path : "");
}

static void check_rules(const struct row *row, const struct kr_plan *plan)
{
	char fixed[512] = "", left[512] = "", says[2048] = "";

	for (size_t i = 0; i < plan->n_rules; i++) {
		strcat(fixed, i > 0 ? "," : "");
		strcat(fixed, plan->rules[i]->name);
	}
	for (size_t i = 0; i < plan->n_left; i++) {
		const struct kr_left *l = &plan->left[i];
		size_t n = strlen(left);

		snprintf(left + n, sizeof(left) - n, "%s%s %s",
		         i > 0 ? "," : "", l->rule->name,
		         kr_why_to_string(l->why));
		n = strlen(says);
		snprintf(says + n, sizeof(says) - n, "%s: %s (%s)\n",
		         l->rule->name, l->text, l->options ? l->options : "");
	}
	ck_assert_msg(strcmp(fixed, row->fixed ? row->fixed : "") == 0,
	              "%s: fixed '%s'; left\n%s", row->name, fixed, says);
	ck_assert_msg(strcmp(left, row->left ? row->left : "") == 0,
	              "%s: left '%s'\n%s", row->name, left, says);
	ck_assert_msg(!row->says || strstr(says, row->says), "%s: says\n%s",
	              row->name, says);
}

static const struct kr_left *find_left(const struct kr_plan *plan,
                                       const struct kr_rule *rule)
{
	for (size_t i = 0; i < plan->n_left; i++) {
		if (plan->left[i].rule == rule)
			return &plan->left[i];
	}
	return NULL;
}

static void check_edits(const struct row *row, const struct kr_plan *plan)
{
	for (size_t i = 0; i < plan->edits.n_files; i++) {
		const struct kr_file_edits *f = &plan->edits.files[i];

		for (size_t k = 0; k < f->n_edits; k++) {
			const struct kr_edit *e = &f->edits[k];

			ck_assert_msg(k == 0 || e[-1].offset + e[-1].length <
			                                e->offset,
			              "%s: two edits touch", row->name);
			ck_assert_msg(e->about, "%s: %s is for nobody",
			              row->name, f->path);
		}
	}
	for (size_t i = 0; plan->audit && i < plan->n_rules; i++) {
		size_t k = 0;

		/* a part of its files stays */
		if (find_left(plan, plan->rules[i]))
			continue;
		while (plan->audit->items[k].rule != plan->rules[i])
			k++;
		ck_assert_int_eq(plan->audit->items[k].disk.answer,
		                 KR_ANSWER_PASS);
	}
}

/* The same once more, on the node as it would be. */
static void check_twice(const struct row *row, const struct asked *asked,
                        const struct kr_plan *plan)
{
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_plan_ struct kr_plan *again = NULL;

	if (!plan->after)
		return;
	ck_assert_int_eq(make_plan(row, asked, plan->after, &diag, &again), 0);
	ck_assert_msg(again->edits.n_files == 0, "%s: twice: %s", row->name,
	              again->edits.n_files ? again->edits.files[0].path : "");
	ck_assert_uint_eq(again->n_left, plan->n_left);
}

/* Of a plan that is refused as a whole nothing is done. */
static void check_refused(const struct row *row, const struct kr_plan *plan)
{
	_cleanup_free_ char *left = NULL, *says = NULL;

	ck_assert_uint_eq(plan->n_rules, 0);
	ck_assert_uint_eq(plan->edits.n_files, 0);
	for (size_t i = 0; i < plan->n_left; i++) {
		const struct kr_left *l = &plan->left[i];

		ck_assert_int_eq(kr_format(&left, "%s%s%s %s", left ? left : "",
		                           left ? "," : "", l->rule->name,
		                           kr_why_to_string(l->why)),
		                 0);
		ck_assert_int_eq(kr_format(&says, "%s%s: %s (%s)\n",
		                           says ? says : "", l->rule->name,
		                           l->text,
		                           l->options ? l->options : ""),
		                 0);
	}
	ck_assert_str_eq(left ? left : "", row->left ? row->left : "");
	for (size_t i = 0; i < 4 && row->lefts[i]; i++)
		ck_assert_msg(says && strstr(says, row->lefts[i]),
		              "%s: says\n%s", row->name, says ? says : "");
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	_cleanup_diag_ struct kr_diag diag = {0}, found = {0};
	_cleanup_node_ struct kr_node *node = NULL;
	_cleanup_plan_ struct kr_plan *plan = NULL;
	const struct kr_node_options options = {
		.root = kr_root_path, .kubelet_version = row->version};
	struct asked asked;
	int r;

	make_files(row);
	ask(row, &asked);
	ck_assert_int_eq(kr_node_open(&options, &found, &node), 0);
	ck_assert_int_eq(kr_node_read(node, &options, NULL, &found), 0);
	kr_diag_merge(&diag, &found);
	r = make_plan(row, &asked, node, &diag, &plan);
	ck_assert_msg(r == row->want, "%s: %d%s", row->name, r,
	              kr_test_messages(&diag));
	if (r == 0) {
		check_rules(row, plan);
		check_files(row, plan);
		check_edits(row, plan);
		check_twice(row, &asked, plan);
	} else if (row->says) {
		ck_assert_msg(strstr(kr_test_messages(&diag), row->says),
		              "%s:%s", row->name, kr_test_messages(&diag));
	}
	if (r == KR_REFUSED && plan)
		check_refused(row, plan);
	if (asked.own.name)
		kr_value_done(&asked.own.want);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "rows", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
}

KR_TEST_MAIN(add_tests);
