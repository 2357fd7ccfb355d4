/* SPDX-License-Identifier: Apache-2.0 */

/*
 * node/foreign: kubelets that another program starts. What is said of them,
 * where it is written, and that nothing of it is edited.
 */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "policy/judge.h"
#include "policy/plan.h"
#include "testing-node.h"
#include "testing.h"

#define T KR_STATE_TRUE
#define F KR_STATE_FALSE
#define U KR_STATE_UNKNOWN
#define I KR_STATE_INVALID

#define ARG        "--kubelet-arg=make-iptables-util-chains"
#define NAME       "make-iptables-util-chains"
#define K3S_UNIT   "/etc/systemd/system/k3s.service"
#define K3S(words) "[Service]\nExecStart=/usr/local/bin/k3s server" words "\n"
#define CONFIG     "/etc/rancher/k3s/config.yaml"
#define CONF_D     "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/"
#define GVK                                                                    \
	"kind: KubeletConfiguration\n"                                         \
	"apiVersion: kubelet.config.k8s.io/v1beta1\n"
#define DEFAULTS CONF_D "00-k3s-defaults.conf", GVK
#define KEY(v)   GVK "makeIPTablesUtilChains: " v "\n"
#define SNAP     "/etc/systemd/system/snap.microk8s.daemon-kubelite.service"
#define SNAP_EXEC                                                              \
	"[Service]\nExecStart=/usr/bin/snap run microk8s.daemon-kubelite\n"
#define SNAP_ARGS "/var/snap/microk8s/current/args/kubelet"

struct row {
	const char *name;
	struct {
		const char *path, *text;
	} files[6];
	enum kr_state want;
	/* the places with a file, weakest first: "file:line:column state" each,
	 * a blank between; "!" in front of the one that wins */
	const char *places;
	const char *unit;   /* NULL: k3s.service */
	const char *reason; /* a part of the disk view's */
	const char
		*restart; /* a part of what fix says; NULL: it says nothing */
	const char *list; /* where arguments are added; NULL: not asked */
};

static const struct row rows[] = {
	{.name = "k3s without a word",
         .files = {{K3S_UNIT, K3S("")}},
         .want = T,
         .places = "",
         .list = "kubelet-arg of " CONFIG},
	{.name = "k3s, an argument",
         .files = {{K3S_UNIT, K3S(" " ARG "=false")}},
         .want = F,
         .places = "!" K3S_UNIT ":2:37 false",
         .restart = "systemctl restart k3s.service",
         .list = "kubelet-arg of " CONFIG},
	{.name = "k3s, in two words",
         .files = {{K3S_UNIT, K3S(" --kubelet-arg " NAME "=false")}},
         .want = F,
         .places = "!" K3S_UNIT ":2:51 false",
         .restart = "systemctl restart k3s.service"},
	{.name = "k3s, dashes in the argument",
         .files = {{K3S_UNIT, K3S(" --kubelet-arg=--" NAME "=false")}},
         .want = F,
         .places = "!" K3S_UNIT ":2:37 false",
         .restart = "systemctl restart"},
	{.name = "k3s, no value is true",
         .files = {{K3S_UNIT, K3S(" " ARG)}},
         .want = T,
         .places = "!" K3S_UNIT ":2:37 true"},
	{.name = "k3s, a value that kubelet refuses",
         .files = {{K3S_UNIT, K3S(" " ARG "=maybe")}},
         .want = I,
         .places = "!" K3S_UNIT ":2:37 invalid",
         .restart = "yourself"},
	{.name = "k3s, the last one wins",
         .files = {{K3S_UNIT, K3S(" " ARG "=false " ARG "=true")}},
         .want = T,
         .places = K3S_UNIT ":2:37 false !" K3S_UNIT ":2:83 true"},
	{.name = "k3s, another argument",
         .files = {{K3S_UNIT, K3S(" --kubelet-arg=v=2")}},
         .want = T,
         .places = ""},
	{.name = "k3s, its own flag of that name does not count",
         .files = {{K3S_UNIT, K3S(" --" NAME "=false")}},
         .want = T,
         .places = ""},
	{.name = "k3s, a server without kubelet",
         .files = {{K3S_UNIT, K3S(" --disable-agent " ARG "=false")}},
         .want = U,
         .places = K3S_UNIT ":2:53 false",
         .reason = "does not run kubelet",
         .restart = "yourself"},
	{.name = "k3s, one more value",
         .files = {{K3S_UNIT,
                    K3S(" " ARG "=true --kubelet-arg=" NAME "+=false")}},
         .want = F,
         .places = K3S_UNIT ":2:37 true !" K3S_UNIT ":2:82 false",
         .restart = "yourself"},
	{.name = "k3s, a value before the others",
         .files = {{K3S_UNIT,
                    K3S(" " ARG "=true --kubelet-arg=" NAME "-=false")}},
         .want = T,
         .places = K3S_UNIT ":2:82 false !" K3S_UNIT ":2:37 true"},
	{.name = "k3s, a value before none",
         .files = {{K3S_UNIT, K3S(" --kubelet-arg=" NAME "-=false")}},
         .want = F,
         .places = "!" K3S_UNIT ":2:37 false",
         .restart = "yourself"},
	{.name = "k3s, its own value joined",
         .files = {{K3S_UNIT, K3S(" --kubelet-arg=config-dir-=/x")}},
         .want = U,
         .places = "",
         .reason = "joins",
         .restart = "yourself"},
	{.name = "k3s, two spellings are sorted",
         .files = {{K3S_UNIT, K3S(" --kubelet-arg=make_iptables_util_chains"
                                  "=false " ARG "=true")}},
         .want = F,
         .places = K3S_UNIT ":2:83 true !" K3S_UNIT ":2:37 false",
         .restart = "yourself"},
	{.name = "k3s, the file",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG,
                    "a: b\nkubelet-arg:\n  - v=2\n  - \"" NAME "=false\"\n"}},
         .want = F,
         .places = "!" CONFIG ":4:6 false",
         .restart = "systemctl restart k3s.service"},
	{.name = "k3s, the file, no list",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG, "kubelet-arg: " NAME "=false\n"}},
         .want = F,
         .places = "!" CONFIG ":1:14 false",
         .restart = "yourself"},
	{.name = "k3s, a flow list",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG, "{kubelet-arg: ['v=2', '" NAME "=0']}"}},
         .want = F,
         .places = "!" CONFIG ":1:24 false",
         .restart = "yourself"},
	{.name = "k3s, the key below another one",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG, "x:\n  kubelet-arg: " NAME "=false\n"}},
         .want = T,
         .places = ""},
	{.name = "k3s, a list in the list",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG, "kubelet-arg: [[" NAME "=false]]\n"}},
         .want = U,
         .places = "",
         .reason = "no plain list",
         .restart = "config.yaml"},
	{.name = "k3s, an alias in the list",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG, "x: &a " NAME "=false\nkubelet-arg: [*a]\n"}},
         .want = U,
         .places = "",
         .restart = "config.yaml"},
	{.name = "k3s, a merged mapping",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG, "<<: {kubelet-arg: [" NAME "=false]}\n"}},
         .want = U,
         .places = "",
         .reason = "merges",
         .restart = "config.yaml"},
	{.name = "k3s, no YAML",
         .files = {{K3S_UNIT, K3S(" " ARG "=true")}, {CONFIG, "a: [\n"}},
         .want = U,
         .places = K3S_UNIT ":2:37 true",
         .reason = "not what k3s can read",
         .restart = "can read; here it says true"},
	{.name = "k3s, a list at the top",
         .files = {{K3S_UNIT, K3S("")}, {CONFIG, "- kubelet-arg\n"}},
         .want = U,
         .places = "",
         .reason = "not what k3s can read",
         .restart = "systemctl"},
	{.name = "k3s, an empty file",
         .files = {{K3S_UNIT, K3S("")}, {CONFIG, ""}},
         .want = T,
         .places = ""},
	{.name = "k3s, another file",
         .files = {{K3S_UNIT, K3S(" --config /srv/k.yaml")},
                   {CONFIG, "kubelet-arg: " NAME "=true\n"},
                   {"/srv/k.yaml", "kubelet-arg: " NAME "=false\n"}},
         .want = F,
         .places = "!/srv/k.yaml:1:14 false",
         .restart = "yourself",
         .list = "kubelet-arg of "
                 "/srv/k.yaml"},
	{.name = "k3s, another file, by the environment",
         .files = {{K3S_UNIT, K3S(" -c /nowhere") "Environment="
                                                  "K3S_CONFIG_FILE=/e\n"},
                   {"/e", "kubelet-arg: " NAME "=false\n"}},
         .want = F,
         .places = "!/e:1:14 false",
         .restart = "yourself",
         .list = "kubelet-arg of "
                 "/e"},
	{.name = "k3s, a file that was named and is not there",
         .files = {{K3S_UNIT, K3S(" --config=/srv/k.yaml")}},
         .want = U,
         .places = "",
         .reason = "/srv/k.yaml",
         .restart = "yourself"},
	{.name = "k3s, a file of another machine",
         .files = {{K3S_UNIT, K3S(" -c https://example.org/k.yaml")}},
         .want = U,
         .places = "",
         .reason = "https://",
         .restart = "yourself"},
	{.name = "k3s, a relative file",
         .files = {{K3S_UNIT, K3S(" -c k.yaml")},
                   {"/k.yaml", "kubelet-arg: " NAME "=false\n"}},
         .want = U,
         .places = "",
         .reason = "not absolute",
         .restart = "yourself",
         .list = "kubelet-arg of " CONFIG},
	{.name = "k3s, the file and the command agree",
         .files = {{K3S_UNIT, K3S(" " ARG "=0")},
                   {CONFIG, "kubelet-arg: " NAME "=false\n"}},
         .want = F,
         .places = CONFIG ":1:14 false !" K3S_UNIT ":2:37 false",
         .restart = "yourself"},
	{.name = "k3s, the command has the last word either way",
         .files = {{K3S_UNIT, K3S(" " ARG "=true")},
                   {CONFIG, "kubelet-arg: " NAME "=false\n"}},
         .want = T,
         .places = CONFIG ":1:14 false !" K3S_UNIT ":2:37 true"},
	{.name = "k3s, the command's words come behind the file's",
         .files = {{K3S_UNIT, K3S(" --kubelet-arg=v=2")},
                   {CONFIG, "kubelet-arg: " NAME "=false\n"}},
         .want = F,
         .places = "!" CONFIG ":1:14 false",
         .restart = "yourself"},
	{.name = "k3s, a drop-in of config.yaml",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG ".d/10.yaml", "kubelet-arg+: " NAME "=false\n"},
                   {CONFIG ".d/20.json", "kubelet-arg: " NAME "=true\n"}},
         .want = F,
         .places = "!" CONFIG ".d/10.yaml:1:15 false",
         .restart = "yourself"},
	{.name = "k3s, a later list takes the place",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG ".d/10.yaml", "kubelet-arg: " NAME "=false\n"},
                   {CONFIG ".d/20.yaml", "kubelet-arg: v=2\n"}},
         .want = T,
         .places = "",
         .list = "kubelet-arg of " CONFIG ".d/20.yaml"},
	{.name = "k3s, of the main file, too",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG, "kubelet-arg: [" NAME "=false]\n"},
                   {CONFIG ".d/50-rancher.yaml", "kubelet-arg: [v=2]\n"}},
         .want = T,
         .places = "",
         .list = "kubelet-arg of " CONFIG ".d/50-rancher.yaml"},
	{.name = "k3s, a later list is appended",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG, "kubelet-arg: [" NAME "=false]\n"},
                   {CONFIG ".d/50-rancher.yaml", "kubelet-arg+: [v=2]\n"}},
         .want = F,
         .places = "!" CONFIG ":1:15 false",
         .restart = "yourself",
         .list = "kubelet-arg of " CONFIG},
	{.name = "k3s, appended, nothing before it",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG ".d/50-rancher.yaml", "kubelet-arg+: [v=2]\n"}},
         .want = T,
         .places = "",
         .list = "kubelet-arg of " CONFIG},
	{.name = "k3s, appended and later",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG, "kubelet-arg: " NAME "=true\n"},
                   {CONFIG ".d/a.yaml", "kubelet-arg+: " NAME "=false\n"}},
         .want = F,
         .places = CONFIG ":1:14 true !" CONFIG ".d/a.yaml:1:15 false",
         .restart = "yourself"},
	{.name = "k3s, appended, and then another list",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG ".d/1.yaml", "kubelet-arg: v=2\n"},
                   {CONFIG ".d/2.yaml", "kubelet-arg+: " NAME "=false\n"},
                   {CONFIG ".d/3.yaml", "kubelet-arg: v=3\n"},
                   {CONFIG ".d/4.yaml", "kubelet-arg+: v=4\n"}},
         .want = T,
         .places = ""},
	{.name = "k3s, twice in one file",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG, "kubelet-arg: " NAME "=false\n"
                            "kubelet-arg: v=2\n"}},
         .want = T,
         .places = ""},
	{.name = "k3s, twice in one file, appended",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG, "kubelet-arg: " NAME "=false\n"
                            "kubelet-arg+: v=2\n"}},
         .want = F,
         .places = "!" CONFIG ":1:14 false",
         .restart = "yourself"},
	{.name = "k3s, an empty list takes the place",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG, "kubelet-arg: " NAME "=false\n"},
                   {CONFIG ".d/a.yaml", "kubelet-arg: []\n"}},
         .want = T,
         .places = ""},
	{.name = "k3s, nothing is appended",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG, "kubelet-arg: " NAME "=false\n"},
                   {CONFIG ".d/a.yaml", "kubelet-arg+:\n"}},
         .want = F,
         .places = "!" CONFIG ":1:14 false",
         .restart = "yourself"},
	{.name = "k3s, the order of the files is that of their bytes",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG ".d/9.yaml", "kubelet-arg: " NAME "=false\n"},
                   {CONFIG ".d/10.yaml", "kubelet-arg: " NAME "=true\n"}},
         .want = F,
         .places = "!" CONFIG ".d/9.yaml:1:14 false",
         .restart = "yourself"},
	{.name = "k3s, a capital letter, and another ending",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG ".d/Z.YML", "kubelet-arg: " NAME "=false\n"},
                   {CONFIG ".d/a.txt", "kubelet-arg: " NAME "=true\n"}},
         .want = F,
         .places = "!" CONFIG ".d/Z.YML:1:14 false",
         .restart = "yourself"},
	{.name = "k3s, a drop-in of another file",
         .files = {{K3S_UNIT, K3S(" --config=/srv/k.yaml")},
                   {"/srv/k.yaml", "a: b\n"},
                   {"/srv/k.yaml.d/a.yaml", "kubelet-arg: " NAME "=0\n"},
                   {CONFIG ".d/a.yaml", "kubelet-arg: " NAME "=1\n"}},
         .want = F,
         .places = "!/srv/k.yaml.d/a.yaml:1:14 false",
         .restart = "yourself"},
	{.name = "rke2, its files and the command",
         .files = {{"/usr/local/lib/systemd/system/rke2-agent.service",
                    "[Service]\nExecStart=/usr/local/bin/rke2 agent " ARG
                    "=true\n"},
                   {"/etc/rancher/rke2/config.yaml",
                    "kubelet-arg:\n- " NAME "=false\n"},
                   {"/etc/rancher/rke2/config.yaml.d/50-rancher.yaml",
                    "kubelet-arg+:\n- v=2\n"}},
         .want = T,
         .unit = "rke2-agent.service",
         .places = "/etc/rancher/rke2/config.yaml:2:3 false "
                   "!/usr/local/lib/systemd/system/rke2-agent.service:2:37 "
                   "true"},
	{.name = "k3s, kubelet's drop-in",
         .files = {{K3S_UNIT, K3S("")},
                   {DEFAULTS},
                   {CONF_D "50-x.conf", KEY("false")}},
         .want = F,
         .places = "!" CONF_D "50-x.conf:3:25 false",
         .restart = "makeIPTablesUtilChains: true yourself"},
	{.name = "k3s, the argument beats the drop-in",
         .files = {{K3S_UNIT, K3S(" " ARG "=true")},
                   {DEFAULTS},
                   {CONF_D "50-x.conf", KEY("false")}},
         .want = T,
         .places = CONF_D "50-x.conf:3:25 false !" K3S_UNIT ":2:37 true"},
	{.name = "k3s, a folder that it may not read",
         .files = {{K3S_UNIT, K3S("")}, {CONF_D "50-x.conf", KEY("false")}},
         .want = U,
         .places = CONF_D "50-x.conf:3:25 false",
         .reason = "00-k3s-defaults.conf",
         .restart = "yourself"},
	{.name = "k3s, a data folder of its own",
         .files = {{K3S_UNIT, K3S(" -d /srv/k3s")},
                   {"/srv/k3s/agent/etc/kubelet.conf.d/"
                    "00-k3s-defaults.conf",
                    KEY("false")},
                   {DEFAULTS}},
         .want = F,
         .places = "!/srv/k3s/agent/etc/kubelet.conf.d/"
                   "00-k3s-defaults.conf:3:25 false",
         .restart = "yourself"},
	{.name = "k3s, a data folder by its file",
         .files = {{K3S_UNIT, K3S("")},
                   {CONFIG, "data-dir: /srv/k3s\n"},
                   {"/srv/k3s/agent/etc/kubelet.conf.d/"
                    "00-k3s-defaults.conf",
                    KEY("false")}},
         .want = F,
         .places = "!/srv/k3s/agent/etc/kubelet.conf.d/"
                   "00-k3s-defaults.conf:3:25 false",
         .restart = "yourself"},
	{.name = "k3s, a word that only systemd knows",
         .files = {{K3S_UNIT, K3S(" --node-name=%H")}},
         .want = U,
         .places = "",
         .reason = "running systemd",
         .restart = "yourself"},
	{.name = "rke2",
         .files = {{"/usr/local/lib/systemd/system/rke2-agent.service",
                    "[Service]\nExecStart=/usr/local/bin/rke2 agent\n"},
                   {"/etc/rancher/rke2/config.yaml",
                    "kubelet-arg:\n- " NAME "=false\n"}},
         .want = F,
         .unit = "rke2-agent.service",
         .places = "!/etc/rancher/rke2/config.yaml:2:3 false",
         .restart = "systemctl restart rke2-agent.service"},
	{.name = "rke2 does not read k3s' files",
         .files = {{"/usr/lib/systemd/system/rke2-server.service",
                    "[Service]\nExecStart=/usr/bin/rke2 server\n"
                    "Environment=K3S_CONFIG_FILE=/e\n"},
                   {"/e", "kubelet-arg: " NAME "=false\n"},
                   {CONFIG, "kubelet-arg: " NAME "=false\n"}},
         .want = T,
         .unit = "rke2-server.service",
         .places = ""},
	{.name = "microk8s",
         .files = {{SNAP, SNAP_EXEC},
                   {SNAP_ARGS, "# no\n\n --v=2 \n --" NAME "=\"false\"\t\n"}},
         .want = F,
         .unit = "snap.microk8s.daemon-kubelite.service",
         .places = "!" SNAP_ARGS ":4:2 false",
         .restart = "snap restart microk8s.daemon-kubelite"},
	{.name = "microk8s, nothing set",
         .files = {{SNAP, SNAP_EXEC}, {SNAP_ARGS, "--v=2\n"}},
         .want = T,
         .unit = "snap.microk8s.daemon-kubelite.service",
         .places = ""},
	{.name = "microk8s, a comment",
         .files = {{SNAP, SNAP_EXEC}, {SNAP_ARGS, "#--" NAME "=false\n"}},
         .want = T,
         .unit = "snap.microk8s.daemon-kubelite.service",
         .places = ""},
	{.name = "microk8s, two arguments in a line are one",
         .files = {{SNAP, SNAP_EXEC},
                   {SNAP_ARGS, "--node-labels=a --" NAME "=false\n"}},
         .want = T,
         .unit = "snap.microk8s.daemon-kubelite.service",
         .places = ""},
	{.name = "microk8s, a config file below its data",
         .files = {{SNAP, SNAP_EXEC "WorkingDirectory=/var/snap/microk8s/7\n"},
                   {"/var/snap/microk8s/7/args/kubelet",
                    "--config=${SNAP_DATA}/k\n"},
                   {"/var/snap/microk8s/7/k", KEY("off")}},
         .want = F,
         .unit = "snap.microk8s.daemon-kubelite.service",
         .places = "!/var/snap/microk8s/7/k:3:25 false",
         .restart = "snap restart"},
	{.name = "microk8s, a variable that is not known",
         .files = {{SNAP, SNAP_EXEC},
                   {SNAP_ARGS, "--x=$OTHER\n--" NAME "=false\n"}},
         .want = U,
         .unit = "snap.microk8s.daemon-kubelite.service",
         .places = SNAP_ARGS ":2:1 false",
         .reason = "variable",
         .restart = "snap restart"},
	{.name = "microk8s, no file",
         .files = {{SNAP, SNAP_EXEC}},
         .want = U,
         .unit = "snap.microk8s.daemon-kubelite.service",
         .places = "",
         .reason = SNAP_ARGS,
         .restart = "snap restart"},
	{.name = "another part of microk8s",
         .files = {{SNAP, "[Service]\nExecStart=/usr/bin/snap run "
                          "microk8s.daemon-containerd\n"},
                   {SNAP_ARGS, "--" NAME "=false\n"}},
         .want = U,
         .unit = "snap.microk8s.daemon-kubelite.service",
         .places = "",
         .reason = "no ExecStart=",
         .restart = "no ExecStart="},
	{.name = "the snap kubelet-eks: nothing is sure",
         .files = {{"/etc/systemd/system/snap.kubelet-eks.daemon.service",
                    "[Service]\nExecStart=/usr/bin/snap run "
                    "kubelet-eks.daemon\n"},
                   {"/var/snap/kubelet-eks/current/args",
                    "--node-ip \"10.0.0.1\" --" NAME "='false'\n"}},
         .want = U,
         .unit = "snap.kubelet-eks.daemon.service",
         .places = "/var/snap/kubelet-eks/current/args:1:22 false",
         .reason = "not documented",
         .restart = "snap restart kubelet-eks"},
	{.name = "k0s: nothing is sure",
         .files = {{"/etc/systemd/system/k0sworker.service",
                    "[Service]\nExecStart=/usr/local/bin/k0s worker "
                    "\"--kubelet-extra-args=--v=2 --" NAME "=false\"\n"},
                   {"/var/lib/k0s/kubelet-config.yaml", KEY("true")}},
         .want = U,
         .unit = "k0sworker.service",
         .places = "/var/lib/k0s/kubelet-config.yaml:3:25 true "
                   "/etc/systemd/system/k0sworker.service:2:65 false",
         .reason = "regenerates",
         .restart = "change this to --" NAME "=true yourself"},
	{.name = "k0s: its words behind the option",
         .files = {{"/etc/systemd/system/k0sworker.service",
                    "[Service]\nExecStart=/usr/local/bin/k0s worker "
                    "--kubelet-extra-args '--" NAME " false'\n"}},
         .want = U,
         .unit = "k0sworker.service",
         .places = "/etc/systemd/system/k0sworker.service:2:59 invalid",
         .reason = "regenerates",
         .restart = "change this and the word behind it to --" NAME},
#define K8S_UNIT "/etc/systemd/system/snap.k8s.kubelet.service"
#define K8S_ARGS "/var/snap/k8s/common/args/kubelet"
#define K8S(name_, text, want_, places_, reason_, restart_)                    \
	{                                                                      \
		.name = "Canonical's snap, " name_,                            \
		.files = {{K8S_UNIT, "[Service]\nExecStart=/usr/bin/snap run " \
		                     "k8s.kubelet\n"                           \
		                     "WorkingDirectory=/var/snap/k8s/1\n"},    \
		          {K8S_ARGS, text},                                    \
		          {"/var/snap/k8s/common/k.yaml", KEY("false")}},      \
		.want = want_, .unit = "snap.k8s.kubelet.service",             \
		.places = places_, .reason = reason_, .restart = restart_,     \
	}
	K8S("a line", "--v=2\n--" NAME "=false\n", F, "!" K8S_ARGS ":2:1 false",
            "Canonical", "snap restart k8s.kubelet"),
	K8S("none", "--v=2\n", T, "", NULL, NULL),
	K8S("two on a line, in quotes", "--v=2 --" NAME "=\"false\"\n", F,
            "!" K8S_ARGS ":1:7 false", NULL, "yourself"),
	K8S("a comment", "#--" NAME "=false\n--v=2 #--" NAME "=false\n", T, "",
            NULL, NULL),
	K8S("what a shell would keep in quotes",
            "--eviction-hard=\"memory.available<100Mi\"\n--" NAME "=false\n", F,
            "!" K8S_ARGS ":2:1 false", NULL, "yourself"),
	K8S("its folder", "--config=$SNAP_COMMON/k.yaml\n", F,
            "!/var/snap/k8s/common/k.yaml:3:25 false", NULL, "yourself"),
	K8S("a pattern", "--v=*\n--" NAME "=true\n", U, K8S_ARGS ":2:1 true",
            "what a shell makes of a '*'", "says true"),
	K8S("a command", "--v=$(nproc)\n", U, "", "what a shell makes of", ""),
	K8S("a quote that goes on", "--v=\"2\n--" NAME "=false\"\n", U,
            K8S_ARGS ":2:1 false", "what a shell makes of a '\"'", "yourself"),
	{.name = "KubeEdge",
         .files = {{"/etc/systemd/system/edgecore.service",
                    "[Service]\nExecStart=/usr/local/bin/edgecore\n"}},
         .want = U,
         .unit = "edgecore.service",
         .places = "",
         .reason = "KubeEdge starts kubelet",
         .restart = "below modules.edged.tailoredKubeletConfig in "
                    "/etc/kubeedge/config/edgecore.yaml yourself, then run "
                    "'systemctl restart edgecore.service'"},
	{.name = "a container",
         .files = {{"/etc/systemd/system/kubelet.service",
                    "[Service]\nExecStart=/usr/bin/docker logs -f kubelet\n"}},
         .want = U,
         .unit = "kubelet.service",
         .places = "",
         .reason = "a container (docker)",
         .restart = "systemctl restart kubelet.service"},
#define KUBELET_UNIT "/etc/systemd/system/kubelet.service"
#define CONTAINER(name_, lines, places_, restart_)                             \
	{                                                                      \
		.name = "a container, " name_,                                 \
		.files = {{KUBELET_UNIT, "[Service]\n" lines "\n"},            \
		          {"/etc/kube/k.yaml", KEY("false")}},                 \
		.want = U, .unit = "kubelet.service", .places = places_,       \
		.reason = "a container (", .restart = restart_,                \
	}
#define BY_HAND "change this to --" NAME "=true yourself"
#define TWO_WORDS                                                              \
	"change this and the word behind it to --" NAME "=true yourself"
	CONTAINER("the flag in its words",
                  "ExecStart=/usr/bin/podman run --name kubelet \\\n"
                  "  -v /etc:/etc I --v=2 \\\n  --" NAME "=false",
                  KUBELET_UNIT ":4:3 false", BY_HAND),
	CONTAINER("the flag and its value",
                  "ExecStart=docker run I kubelet --" NAME "=0 --v 2",
                  KUBELET_UNIT ":2:32 false",
                  "systemctl daemon-reload && systemctl restart kubelet"),
	CONTAINER("underscores",
                  "ExecStart=docker run I --make_iptables_util_chains=false",
                  KUBELET_UNIT ":2:24 false", BY_HAND),
	CONTAINER("what kubelet refuses",
                  "ExecStart=docker run I --" NAME "=False1",
                  KUBELET_UNIT ":2:24 invalid", BY_HAND),
	CONTAINER("the value in a word of its own",
                  "ExecStart=docker run I --" NAME " False --v=2",
                  KUBELET_UNIT ":2:24 invalid", TWO_WORDS),
	CONTAINER("no value, and another word",
                  "ExecStart=docker run I --" NAME " falsehood",
                  KUBELET_UNIT ":2:24 true", "says true already"),
	CONTAINER("twice",
                  "ExecStart=docker run I --" NAME "=true --" NAME "=false",
                  KUBELET_UNIT ":2:24 true " KUBELET_UNIT ":2:57 false",
                  BY_HAND),
	CONTAINER("in a variable",
                  "Environment='A=--" NAME "=false'\n"
                  "ExecStart=docker run I $A",
                  KUBELET_UNIT ":2:16 false", BY_HAND),
	CONTAINER("before it is followed",
                  "ExecStartPre=-/usr/bin/docker rm -f kubelet\n"
                  "ExecStartPre=/usr/bin/docker run -d I --" NAME "=false\n"
                  "ExecStart=docker logs -f kubelet",
                  KUBELET_UNIT ":3:39 false", BY_HAND),
	CONTAINER("another one before it",
                  "ExecStartPre=/bin/echo run --" NAME "=false\n"
                  "ExecStart=docker run I",
                  "", "in the file of kubelet's --config"),
	CONTAINER("an earlier list that is taken back",
                  "ExecStartPre=docker run I --" NAME "=false\nExecStartPre=\n"
                  "ExecStart=docker run I",
                  "", "in the file of kubelet's --config"),
	CONTAINER("an option of docker itself",
                  "ExecStart=docker --config /etc/kube/k.yaml run I", "",
                  "in the file of kubelet's --config"),
	CONTAINER("its file, which a volume shows",
                  "ExecStart=docker run -v /etc/kube:/etc/kube:ro I "
                  "--config=/etc/kube/k.yaml",
                  "/etc/kube/k.yaml:3:25 false",
                  "change this to makeIPTablesUtilChains: true yourself"),
	CONTAINER("its file, in two words, and a volume above it",
                  "ExecStart=docker run --volume=/etc:/etc I "
                  "--config /etc/kube/k.yaml",
                  "/etc/kube/k.yaml:3:25 false",
                  "change this to makeIPTablesUtilChains: true yourself"),
	CONTAINER("its file, from another path",
                  "ExecStart=docker run -v /srv/kube:/etc/kube I "
                  "--config=/etc/kube/k.yaml",
                  "", "in the file of kubelet's --config"),
	CONTAINER("its file, beside the volume",
                  "ExecStart=docker run -v /etc/ku:/etc/ku I "
                  "--config=/etc/kube/k.yaml",
                  "", "in the file of kubelet's --config"),
	CONTAINER("the image's own file",
                  "ExecStart=docker run I --config=/etc/kube/k.yaml", "",
                  "in the file of kubelet's --config"),
	CONTAINER("the flag over its file",
                  "ExecStart=docker run -v /etc:/etc I --" NAME
                  "=false --config=/etc/kube/k.yaml",
                  "/etc/kube/k.yaml:3:25 false " KUBELET_UNIT ":2:37 false",
                  BY_HAND),
	CONTAINER("what is true already",
                  "ExecStart=docker run I --" NAME "=true",
                  KUBELET_UNIT ":2:24 true", "says true already"),
	CONTAINER("a flag without a word behind it",
                  "ExecStart=docker run -v /:/ I --config", "",
                  "in the file of kubelet's --config"),
#define WRAPPER(name_, exec, script, places_, restart_)                        \
	{                                                                      \
		.name = "a wrapper, " name_,                                   \
		.files = {{KUBELET_UNIT, "[Service]\nExecStart=" exec "\n"},   \
		          {"/opt/start", script},                              \
		          {"/etc/kube/k.yaml", KEY("false")}},                 \
		.want = U, .unit = "kubelet.service", .places = places_,       \
		.reason = "may change kubelet's arguments",                    \
		.restart = restart_,                                           \
	}
	WRAPPER("nsenter", "/usr/bin/nsenter -t 1 -m /bin/kubelet --" NAME "=0",
                "", KUBELET_UNIT ":2:49 false", BY_HAND),
	WRAPPER("systemd-inhibit",
                "systemd-inhibit --what=shutdown kubelet --" NAME "=false", "",
                KUBELET_UNIT ":2:51 false",
                "'systemctl daemon-reload && systemctl restart kubelet"),
	WRAPPER("its config file",
                "/usr/bin/nice kubelet --config "
                "/etc/kube/k.yaml",
                "", "/etc/kube/k.yaml:3:25 false", "true yourself"),
	WRAPPER("env with options",
                "/usr/bin/env -i /bin/kubelet --" NAME "=false", "",
                KUBELET_UNIT ":2:40 false", BY_HAND),
	WRAPPER("a flag of its own", "/opt/x --" NAME "=false kubelet", "", "",
                "among kubelet's arguments yourself"),
	WRAPPER("a shell", "/bin/sh -c \"exec kubelet --v=2 --" NAME "=false\"",
                "", KUBELET_UNIT ":2:42 false", BY_HAND),
	WRAPPER("a shell's last word",
                "/bin/bash -ec 'kubelet --" NAME "=false; x'", "",
                KUBELET_UNIT ":2:34 false", BY_HAND),
	WRAPPER("a script", "/opt/start",
                "#!/bin/sh\n# --" NAME "=true\nexec kubelet \\\n  --" NAME
                "=false \"$@\"\n",
                "/opt/start:4:3 false", BY_HAND),
	WRAPPER("a script's file", "/opt/start",
                "#!/bin/sh\nexec kubelet --config=/etc/kube/k.yaml\n",
                "/etc/kube/k.yaml:3:25 false", "true yourself"),
	WRAPPER("a script that is given it",
                "/opt/start kubelet --" NAME "=true",
                "#!/bin/sh\nexec \"$@\" --" NAME "=false\n",
                KUBELET_UNIT ":2:30 true /opt/start:2:11 false", BY_HAND),
	{.name = "a script that names no kubelet",
         .files = {{KUBELET_UNIT, "[Service]\nExecStart=/opt/start\n"},
                   {"/opt/start", "#!/bin/sh\nx --" NAME "=false\n"}},
         .want = U,
         .unit = "kubelet.service",
         .places = "",
         .reason = "no ExecStart=",
         .restart = "no ExecStart="},
	{.name = "a program that nobody knows",
         .files = {{"/etc/systemd/system/kubelet.service",
                    "[Service]\nExecStart=/usr/bin/start-it\n"}},
         .want = U,
         .unit = "kubelet.service",
         .places = "",
         .reason = "no ExecStart=",
         .restart = "no ExecStart="},
	{.name = "kubelet.service comes first",
         .files = {{"/etc/systemd/system/kubelet.service",
                    "[Service]\nExecStart=/usr/bin/kubelet\n"},
                   {"/usr/bin/kubelet", ""},
                   {K3S_UNIT, K3S(" " ARG "=false")}},
         .want = T,
         .unit = "kubelet.service",
         .places = ""},
	{.name = "no unit at all",
         .want = U,
         .unit = "kubelet.service",
         .places = "",
         .reason = "not configured"},
};

static void format_places(const struct kr_audit *audit, char *ret, size_t size)
{
	*ret = '\0';
	for (size_t i = 0; i < audit->items[0].sources.n; i++) {
		const struct kr_source *s = &audit->items[0].sources.items[i];
		unsigned line, column;
		char text[512];

		if (!s->span.file)
			continue;
		ck_assert(!s->editable && s->reason);
		kr_span_position(s->span, &line, &column);
		snprintf(text, sizeof(text), "%s%s%s:%u:%u %s", *ret ? " " : "",
		         s->wins ? "!" : "", s->span.file->path, line, column,
		         kr_state_to_string(s->state));
		strlcat(ret, text, size);
	}
}

static void check_plan(const struct row *row, struct kr_node *node,
                       const struct kr_audit *audit)
{
	const struct kr_plan_options options = {.method = KR_METHOD_AUTO};
	_cleanup_plan_ struct kr_plan *plan = NULL;
	_cleanup_diag_ struct kr_diag diag = {0};
	int r = kr_plan_make(node, audit, &options, &diag, &plan);

	if (row->want == T) {
		ck_assert_msg(r == 0 && plan->edits.n_files == 0, "%s: %d",
		              row->name, r);
		return;
	}
	ck_assert_msg(r == (row->restart ? KR_REFUSED : KR_NOTHING_YET),
	              "%s: %d", row->name, r);
	ck_assert_msg(!row->restart ||
	                      strstr(kr_test_messages(&diag), row->restart),
	              "%s:%s", row->name, kr_test_messages(&diag));
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	const struct kr_audit_options options = {.live = KR_STATE_ABSENT};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_audit_ struct kr_audit *audit = NULL;
	_cleanup_node_ struct kr_node *node = NULL;
	char places[2048];

	for (size_t i = 0; i < ARRAY_SIZE(row->files) && row->files[i].path;
	     i++)
		kr_root_write(row->files[i].path, row->files[i].text);
	node = kr_test_node(NULL, &diag);
	ck_assert_int_eq(
		kr_audit_run(node, &kr_rules_usual, &options, &diag, &audit),
		0);
	ck_assert_msg(audit->items[0].disk.state == row->want, "%s: %s: %s%s",
	              row->name, kr_state_to_string(audit->items[0].disk.state),
	              audit->items[0].disk.reason, kr_test_messages(&diag));
	ck_assert_msg(strcmp(node->unit_name,
	                     row->unit ? row->unit : "k3s.service") == 0,
	              "%s: %s", row->name, node->unit_name);
	ck_assert_msg(!row->reason ||
	                      strstr(audit->items[0].disk.reason, row->reason),
	              "%s: %s", row->name, audit->items[0].disk.reason);
	format_places(audit, places, sizeof(places));
	ck_assert_msg(strcmp(places, row->places) == 0, "%s: %s", row->name,
	              places);
	check_plan(row, node, audit);
	ck_assert_msg(!row->list || strcmp(node->disk.foreign->by_hand->place,
	                                   row->list) == 0,
	              "%s: %s", row->name, node->disk.foreign->by_hand->place);
}
END_TEST

/* k3s runs and shows nothing: its main process is no kubelet. */
START_TEST(test_hidden_process)
{
	const struct kr_audit_options options = {.live = KR_STATE_ABSENT};
	const char *const argv[] = {"/usr/local/bin/k3s server", NULL};
	const struct kr_node_options node_options = {.root = kr_root_path,
	                                             .unit = "k3s.service"};
	struct kr_loaded_unit loaded = {.main_pid = KR_TEST_PID};
	const struct kr_node_systemd systemd = {.loaded = &loaded,
	                                        .version = 252};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_audit_ struct kr_audit *audit = NULL;
	_cleanup_node_ struct kr_node *node = NULL;

	kr_root_write(K3S_UNIT, K3S(""));
	kr_test_process(argv, kr_realtime_usec(), "/system.slice/k3s.service");
	kr_root_write("/proc/7/comm", "k3s-server\n");
	ck_assert_int_eq(kr_node_open(&node_options, &diag, &node), 0);
	ck_assert_int_eq(kr_node_read(node, &node_options, &systemd, &diag), 0);
	ck_assert_int_eq(
		kr_audit_run(node, &kr_rules_usual, &options, &diag, &audit),
		0);
	ck_assert_int_eq(audit->items[0].disk.state, T);
	ck_assert_int_eq(audit->items[0].running.state, U);
	ck_assert_int_eq(audit->pid, KR_TEST_PID);
	ck_assert_int_eq(audit->verdict, KR_VERDICT_UNKNOWN);
	ck_assert_msg(strstr(audit->items[0].running.reason, "k3s[7]"), "%s",
	              audit->items[0].running.reason);
}
END_TEST

/* kubelet.service runs kubelet, but its main process is another program. */
START_TEST(test_no_kubelet_process)
{
	const struct kr_audit_options options = {.live = KR_STATE_ABSENT};
	const char *const argv[] = {"/usr/bin/other", NULL};
	struct kr_loaded_unit loaded = {.main_pid = KR_TEST_PID};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_audit_ struct kr_audit *audit = NULL;
	_cleanup_node_ struct kr_node *node = NULL;

	kr_test_unit("/usr/bin/kubelet");
	kr_test_process(argv, kr_realtime_usec(),
	                "/system.slice/kubelet.service");
	kr_root_write("/proc/7/comm", "other\n");
	node = kr_test_node(&loaded, &diag);
	ck_assert_int_eq(
		kr_audit_run(node, &kr_rules_usual, &options, &diag, &audit),
		0);
	ck_assert_int_eq(audit->items[0].disk.state, T);
	ck_assert_int_eq(audit->items[0].running.state, U);
	ck_assert_int_eq(audit->pid, KR_TEST_PID);
	ck_assert_uint_gt(audit->started_usec, 0);
	ck_assert_int_eq(audit->verdict, KR_VERDICT_UNKNOWN);
}
END_TEST

/* rke2 is the unit's main process, kubelet its child. */
START_TEST(test_child_process)
{
	const struct kr_audit_options options = {.live = KR_STATE_ABSENT};
	const char *const argv[] = {"/var/lib/rancher/rke2/bin/kubelet",
	                            "--" NAME "=false", NULL};
	const struct kr_node_options node_options = {
		.root = kr_root_path, .unit = "rke2-agent.service"};
	struct kr_loaded_unit loaded = {.main_pid = 5};
	const struct kr_node_systemd systemd = {.loaded = &loaded,
	                                        .version = 252};
	_cleanup_diag_ struct kr_diag diag = {0};
	_cleanup_audit_ struct kr_audit *audit = NULL;
	_cleanup_node_ struct kr_node *node = NULL;

	kr_root_write("/usr/local/lib/systemd/system/rke2-agent.service",
	              "[Service]\nExecStart=/usr/local/bin/rke2 agent\n");
	kr_test_process(argv, kr_realtime_usec(),
	                "/system.slice/rke2-agent.service");
	kr_root_write_bytes("/proc/5/cmdline", "rke2\0agent", 11);
	kr_root_write("/proc/5/comm", "rke2\n");
	kr_root_write("/proc/5/stat",
	              "5 (rke2) S 1 5 5 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 9 0\n");
	kr_root_write("/proc/5/cgroup",
	              "0::/system.slice/rke2-agent.service\n");
	ck_assert_int_eq(kr_node_open(&node_options, &diag, &node), 0);
	ck_assert_int_eq(kr_node_read(node, &node_options, &systemd, &diag), 0);
	ck_assert_int_eq(
		kr_audit_run(node, &kr_rules_usual, &options, &diag, &audit),
		0);
	ck_assert_int_eq(audit->pid, KR_TEST_PID);
	ck_assert_int_eq(audit->items[0].running.state, F);
	ck_assert_uint_eq(audit->items[0].running_arg, 1);
	ck_assert_msg(strstr(audit->items[0].running.reason,
	                     "its argument 1 is --" NAME "=false"),
	              "%s", audit->items[0].running.reason);
	ck_assert_int_eq(audit->items[0].disk.state, T);
	ck_assert(audit->restart_needed);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tc =
		kr_test_case(suite, "rows", kr_root_setup, kr_root_teardown);

	tcase_add_loop_test(tc, test_rows, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, test_hidden_process);
	tcase_add_test(tc, test_no_kubelet_process);
	tcase_add_test(tc, test_child_process);
}

KR_TEST_MAIN(add_tests);
