/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The table of platforms: who writes kubelet's files on it, when, where a
 * change outlasts that, and what to write there. Below it how each is known,
 * the special before the general, and what costs no look at a file before what
 * does: the unit was read anyway.
 *
 * Refused are those whose owner fights back: OpenShift's config drift monitor
 * marks a node Degraded within seconds of an edit; Bottlerocket and Talos have
 * no files of their own, they are rendered from settings; on the nodes of EKS
 * Auto Mode and GKE Autopilot only the cloud may write them.
 *
 * Sources: awslabs/amazon-eks-ami (nodeadm, the AL2 and AL2023 templates),
 * aws/eks-hybrid, eksctl-io/eksctl, Azure/AgentBaker (cse_config.sh),
 * kubernetes cluster/gce (configure-helper.sh), cmd/kubeadm, kubernetes/kops
 * (nodeup), kubespray's roles, rancher/rke (cluster/plan.go, services/),
 * openshift/machine-config-operator,
 * bottlerocket-core-kit, siderolabs/talos; the os-release of each. That
 * Autopilot's nodes are named gk3-, and that Auto Mode's system is called
 * "Bottlerocket (EKS Auto, ...)", is what 'kubectl get nodes' shows.
 */

#include "node/platform-table.h"
#include "base/macro.h"

#define NODE_CONFIG                                                            \
	"apiVersion: node.eks.aws/v1alpha1\n"                                  \
	"kind: NodeConfig\n"                                                   \
	"spec:\n"                                                              \
	"  kubelet:\n"                                                         \
	"    config:\n"                                                        \
	"      @MEMBERS@\n"
#define NODE_CONFIG_FLAG                                                       \
	"    flags:\n"                                                         \
	"      - \"--@FLAG@=@VALUE@\"\n"
#define EKSCTL_TEXT                                                            \
	"nodeGroups:\n"                                                        \
	"  - name: GROUP\n"                                                    \
	"    kubeletExtraConfig:\n"                                            \
	"      @MEMBERS@\n"
/* The command of AL2023's own is a NodeConfig, merged behind eksctl's. */
#define EKSCTL_FLAG                                                            \
	"    # of AL2023; of AL2 a script that gives bootstrap.sh these in "   \
	"--kubelet-extra-args\n"                                               \
	"    overrideBootstrapCommand: |\n"                                    \
	"      apiVersion: node.eks.aws/v1alpha1\n"                            \
	"      kind: NodeConfig\n"                                             \
	"      spec:\n"                                                        \
	"        kubelet:\n"                                                   \
	"          flags:\n"                                                   \
	"            - \"--@FLAG@=@VALUE@\"\n"
#define AGENT_PLACE                                                            \
	"a DaemonSet with the node's / at /host, unless the node pool has a "  \
	"setting for it"
/* the options that name the controls are this program's (policy/durable) */
#define AGENT_TEXT "kubelet-remedy fix --root=/host@OPTIONS@\n"
#define SHOW_LIVE  "kubectl get --raw /api/v1/nodes/NODE/proxy/configz\n"

#define MCO_POOL "pools.operator.machineconfiguration.openshift.io"

static const struct kr_platform openshift = {
	.id = "openshift",
	.name = "OpenShift",
	.refusal = "the Machine Config Operator owns this node's files and "
		   "marks the node Degraded when they are edited",
	.instead = "apply a KubeletConfig resource with "
		   "spec.kubeletConfig.@KEY@: @VALUE@ instead",
	.owner = "the Machine Config Operator",
	.when = "within seconds",
	.place = "a KubeletConfig resource, with 'oc apply -f'",
	.text = "apiVersion: machineconfiguration.openshift.io/v1\n"
		"kind: KubeletConfig\n"
		"metadata:\n"
		"  name: kubelet-remedy\n"
		"spec:\n"
		"  machineConfigPoolSelector:\n"
		"    matchLabels:\n"
		"      " MCO_POOL "/worker: \"\"\n"
		"  kubeletConfig:\n"
		"    @MEMBERS@\n",
};

static const struct kr_platform eks_auto = {
	.id = "eks-auto",
	.name = "Amazon EKS Auto Mode",
	.refusal = "Amazon configures the nodes of EKS Auto Mode",
	.instead = "replace this node, whose @KEY@ is wrong, with 'kubectl "
		   "delete nodeclaim'",
	.owner = "EKS Auto Mode",
	.when = "at every boot",
	.place = "the cluster, which makes another node",
	.text = "kubectl get nodeclaims\n"
		"kubectl delete nodeclaim NAME\n",
};

static const struct kr_platform bottlerocket = {
	.id = "bottlerocket",
	.name = "Bottlerocket",
	.refusal = "Bottlerocket renders kubelet's files from its settings",
	.instead = "set @KEY@ there, in the user data or with 'apiclient set', "
		   "instead",
	.owner = "Bottlerocket",
	.when = "at every boot, from its settings",
	.place = "the control or admin container",
	.text = "@OWN:bottlerocket@\n",
};

static const struct kr_platform talos = {
	.id = "talos",
	.name = "Talos Linux",
	.refusal = "Talos renders kubelet's files from its machine "
		   "configuration",
	.instead = "set machine.kubelet.extraConfig.@KEY@: @VALUE@ with "
		   "'talosctl patch machineconfig' instead",
	.owner = "Talos",
	.when = "at every boot, from its machine configuration",
	.place = "the machine configuration, with 'talosctl patch "
		 "machineconfig --patch @FILE'",
	.text = "machine:\n"
		"  kubelet:\n"
		"    extraConfig:\n"
		"      @MEMBERS@\n",
};

static const struct kr_platform gke_autopilot = {
	.id = "gke-autopilot",
	.name = "Google Kubernetes Engine, Autopilot",
	.refusal = "Google configures the nodes of GKE Autopilot",
	.instead = "report one whose @KEY@ is wrong to Google Cloud's "
		   "support, with its configz",
	.owner = "GKE",
	.when = "at every boot, from the instance's metadata",
	.place = "a case for Google Cloud's support",
	.text = SHOW_LIVE,
};

static const struct kr_platform rke1 = {
	.id = "rke1",
	.name = "RKE1",
	.by_unit = true,
	.refusal = "RKE1 runs kubelet in a container of docker that 'rke up' "
		   "makes",
	.instead = "set services.kubelet.extra_args.@FLAG@: \"@VALUE@\" in "
		   "cluster.yml, then run 'rke up'",
	.owner = "rke",
	.when = "at every 'rke up'",
	.place = "cluster.yml, with 'rke up'",
	.text = "services:\n"
		"  kubelet:\n"
		"    extra_args:\n"
		"      @FLAG@: \"@VALUE@\"\n",
};

static const struct kr_platform eks_al2023 = {
	.id = "eks-al2023",
	.name = "Amazon EKS, AL2023",
	.nodeadm = true,
	.owner = "nodeadm",
	.when = "at every boot",
	.files = {"/etc/eks/kubelet/environment",
                  "/etc/kubernetes/kubelet/config.json",
                  "/etc/kubernetes/kubelet/config.json.d/00-nodeadm.conf",
                  "/etc/kubernetes/kubelet/config.json.d/40-nodeadm.conf",
                  "/etc/systemd/system/kubelet.service.d/environment.conf"},
	.place = "the NodeConfig in the user data of the instance",
	.text = NODE_CONFIG,
	.flag_text = NODE_CONFIG_FLAG,
};

static const struct kr_platform eks_hybrid = {
	.id = "eks-hybrid",
	.name = "Amazon EKS Hybrid Nodes",
	.owner = "nodeadm",
	.when = "at 'nodeadm init' and 'nodeadm upgrade'",
	.files = {"/etc/eks/kubelet/environment",
                  "/etc/kubernetes/kubelet/config.json",
                  "/etc/kubernetes/kubelet/config.json.d/00-nodeadm.conf",
                  "/etc/kubernetes/kubelet/config.json.d/40-nodeadm.conf"},
	.place = "the NodeConfig that nodeadm is given with --config-source",
	.text = NODE_CONFIG,
	.flag_text = NODE_CONFIG_FLAG,
};

static const struct kr_platform eks_ubuntu = {
	.id = "eks-ubuntu",
	.name = "Amazon EKS, Ubuntu",
};

static const struct kr_platform eksctl = {
	.id = "eks-eksctl",
	.name = "Amazon EKS, a node of an older eksctl",
	.owner = "eksctl",
	.when = "on each new node",
	.seldom = true,
	.place = "the node group in eksctl's ClusterConfig",
	.text = EKSCTL_TEXT,
	.flag_text = EKSCTL_FLAG,
};

static const struct kr_platform eks_al2 = {
	.id = "eks-al2",
	.name = "Amazon EKS, AL2",
	.owner = "/etc/eks/bootstrap.sh",
	.when = "on each new node",
	.seldom = true,
	.place = "the user data, before bootstrap.sh is called",
	.text = "config=/etc/kubernetes/kubelet/kubelet-config.json\n"
		"json=$(cat $config)\n"
		"json=$(jq '.@KEY@ = @JSON@' <<< \"$json\")\n"
		"[ -z \"$json\" ] || echo \"$json\" > $config\n",
	.flag_text = "# the flag that bootstrap.sh is given last wins\n"
		     "extra=\"$extra --@FLAG@=@VALUE@\"\n"
		     "/etc/eks/bootstrap.sh CLUSTER --kubelet-extra-args "
		     "\"$extra\"\n",
};

static const struct kr_platform aks = {
	.id = "aks",
	.name = "Azure Kubernetes Service",
	.owner = "AKS",
	.when = "at a node image upgrade, a reimage and on each new node",
	.place = AGENT_PLACE,
	.text = AGENT_TEXT,
};

static const struct kr_platform gke = {
	.id = "gke",
	.name = "Google Kubernetes Engine",
	.owner = "GKE",
	.when = "at every boot, from the instance's metadata",
	.place = AGENT_PLACE,
	.text = AGENT_TEXT,
};

/* /var is mounted noexec there, so that what reverts a killed fix from a
 * container could not run: such a fix is refused. */
static const struct kr_platform gke_cos = {
	.id = "gke",
	.name = "Google Kubernetes Engine",
	.owner = "GKE",
	.when = "at every boot, from the instance's metadata",
	.place = "a node pool of Ubuntu nodes with the DaemonSet that fixes "
		 "(this image refuses that DaemonSet), unless the node pool "
		 "has a setting for it",
	.text = "gcloud container node-pools create POOL --cluster=CLUSTER "
		"--image-type=UBUNTU_CONTAINERD\n",
};

static const struct kr_platform kops = {
	.id = "kops",
	.name = "kops",
	.owner = "nodeup",
	.when = "at every boot",
	.place = "a hook of the cluster or the instance group, as kops has no "
		 "field for this key",
	.text = "spec:\n"
		"  hooks:\n"
		"    - name: kubelet-remedy.service\n"
		"      before:\n"
		"        - kubelet.service\n"
		"      manifest: |\n"
		"        Type=oneshot\n"
		"        ExecStart=kubelet-remedy fix --restart=never "
		"-q@OPTIONS@\n",
};

static const struct kr_platform kubespray = {
	.id = "kubespray",
	.name = "kubespray",
	.owner = "kubespray",
	.when = "at every run of its playbook",
	.place = "the inventory's group_vars/k8s_cluster/k8s-cluster.yml",
	.text = "@OWN:kubespray@\n",
	.flag_text = "# and kubelet_custom_flags without --@FLAG@\n",
};

static const struct kr_platform kubeadm = {
	.id = "kubeadm",
	.name = "kubeadm",
	.owner = "kubeadm",
	.when = "at 'kubeadm upgrade'",
	.files = {"/var/lib/kubelet/config.yaml",
                  "/var/lib/kubelet/kubeadm-flags.env"},
	.place = "the cluster's configuration, with 'kubectl -n kube-system "
		 "edit configmap kubelet-config'",
	.text = "@MEMBERS@\n",
	.flag_text = "# and in nodeRegistration.kubeletExtraArgs of kubeadm's "
		     "configuration\n"
		     "- name: @FLAG@\n"
		     "  value: \"@VALUE@\"\n",
};

static const struct kr_platform flatcar = {
	.id = "flatcar",
	.name = "Flatcar Container Linux",
	.owner = "Ignition",
	.when = "on each new node",
	.seldom = true,
	.place = "the Butane or Ignition configuration, in kubelet's config "
		 "file",
	.text = "@MEMBERS@\n",
	.flag_text = "# and kubelet's unit without --@FLAG@\n",
};

static const struct kr_platform rke2 = {.id = "rke2", .name = "RKE2"};
static const struct kr_platform k3s = {.id = "k3s", .name = "k3s"};
static const struct kr_platform k0s = {.id = "k0s", .name = "k0s"};
static const struct kr_platform microk8s = {.id = "microk8s",
                                            .name = "MicroK8s"};
static const struct kr_platform canonical = {
	.id = "canonical-k8s", .name = "Canonical Kubernetes (the snap k8s)"};
static const struct kr_platform kubeedge = {.id = "kubeedge",
                                            .name = "KubeEdge"};

/* clang-format off */
const struct kr_platform_line kr_platform_lines[] = {
	/* settings.kubernetes of bottlerocket-settings-models; the last since the
	 * releases that have kubelet-extra-config */
	{"bottlerocket", "eventRecordQPS",
	 "apiclient set settings.kubernetes.event-qps=@VALUE@\n"},
	{"bottlerocket", "podPidsLimit",
	 "apiclient set settings.kubernetes.pod-pids-limit=@VALUE@\n"},
	{"bottlerocket", "seccompDefault",
	 "apiclient set settings.kubernetes.seccomp-default=@VALUE@\n"},
	{"bottlerocket", "serverTLSBootstrap",
	 "apiclient set settings.kubernetes.server-tls-bootstrap=@VALUE@\n"},
	{"bottlerocket", NULL,
	 "# @KEY@: @JSON@ has no setting of its own; kubelet-extra-config takes "
	 "it, in releases that have that\n"},
	/* roles/kubernetes/node/templates/kubelet-config.v1beta1.yaml.j2 */
	{"kubespray", "authentication.anonymous.enabled",
	 "# nothing: kubespray always writes @KEY@: false\n"},
	{"kubespray", "authentication.webhook.enabled",
	 "kubelet_authentication_token_webhook: @VALUE@\n"},
	{"kubespray", "authorization.mode",
	 "kubelet_authorization_mode_webhook: true\n"},
	{"kubespray", "readOnlyPort", "kube_read_only_port: @VALUE@\n"},
	{"kubespray", "streamingConnectionIdleTimeout",
	 "kubelet_streaming_connection_idle_timeout: @VALUE@\n"},
	{"kubespray", "protectKernelDefaults",
	 "kubelet_protect_kernel_defaults: @VALUE@\n"},
	{"kubespray", "makeIPTablesUtilChains",
	 "kubelet_make_iptables_util_chains: @VALUE@\n"},
	{"kubespray", "eventRecordQPS", "kubelet_event_record_qps: @VALUE@\n"},
	{"kubespray", "rotateCertificates",
	 "kubelet_rotate_certificates: @VALUE@\n"},
	{"kubespray", "serverTLSBootstrap",
	 "kubelet_rotate_server_certificates: @VALUE@\n"},
	{"kubespray", "featureGates.RotateKubeletServerCertificate",
	 "kubelet_feature_gates: [RotateKubeletServerCertificate=@VALUE@]\n"},
	{"kubespray", "tlsCipherSuites", "tls_cipher_suites: @JSON@\n"},
	{"kubespray", "tlsMinVersion", "tls_min_version: @VALUE@\n"},
	{"kubespray", "podPidsLimit", "kubelet_pod_pids_limit: @VALUE@\n"},
	{"kubespray", "seccompDefault", "kubelet_seccomp_default: @VALUE@\n"},
	{"kubespray", "healthzPort", "kubelet_healthz_port: @VALUE@\n"},
	{"kubespray", NULL, "# @KEY@: @JSON@ goes into kubelet_config_extra_args\n"},
};
/* clang-format on */

const size_t kr_platform_n_lines = ARRAY_SIZE(kr_platform_lines);

#define SYSTEM_UNITS "/etc/systemd/system/"

const struct kr_platform_row kr_platform_rows[] = {
	/* known by the system itself, and refused */
	{&openshift, {{KR_SIGN_OS, "rhcos"}}},
	{&openshift, {{KR_SIGN_OS, "scos"}}},
	{&eks_auto,
         {{KR_SIGN_OS, "bottlerocket"},
          {KR_SIGN_PRETTY, "Bottlerocket (EKS Auto"}}},
	{&bottlerocket, {{KR_SIGN_OS, "bottlerocket"}}},
	{&talos, {{KR_SIGN_OS, "talos"}}},
	{&gke_autopilot, {{KR_SIGN_OS, "cos"}, {KR_SIGN_HOST, "gk3-"}}},
	{&openshift, {{KR_SIGN_PATH, "/etc/machine-config-daemon"}}},
	/* by what starts kubelet */
	{&eks_al2023, {{KR_SIGN_PATH, SYSTEM_UNITS "nodeadm-run.service"}}},
	{&eks_hybrid, {{KR_SIGN_ENV_FILE, "/etc/eks/kubelet/environment"}}},
	{&eks_ubuntu, {{KR_SIGN_UNIT, "snap.kubelet-eks.daemon.service"}}},
	{&eksctl, {{KR_SIGN_CONFIG, "/etc/eksctl/kubelet.yaml"}}},
	{&eks_al2,
         {{KR_SIGN_CONFIG, "/etc/kubernetes/kubelet/kubelet-config.json"},
          {KR_SIGN_VARIABLE, "KUBELET_EXTRA_ARGS"}}},
	{&aks,
         {{KR_SIGN_ENV_FILE, "/etc/default/kubelet"},
          {KR_SIGN_VARIABLE, "KUBELET_FLAGS"}}},
	{&gke_cos, {{KR_SIGN_OS, "cos"}, {KR_SIGN_PATH, "/home/kubernetes"}}},
	{&gke,
         {{KR_SIGN_ENV_FILE, "/etc/default/kubelet"},
          {KR_SIGN_VARIABLE, "KUBELET_OPTS"}}},
	{&kops,
         {{KR_SIGN_ENV_FILE, "/etc/sysconfig/kubelet"},
          {KR_SIGN_VARIABLE, "DAEMON_ARGS"}}},
	{&kubespray, {{KR_SIGN_ENV_FILE, "/etc/kubernetes/kubelet.env"}}},
	{&kubeadm, {{KR_SIGN_ENV_FILE, "/var/lib/kubelet/kubeadm-flags.env"}}},
	{&rke2, {{KR_SIGN_UNIT, "rke2-server.service"}}},
	{&rke2, {{KR_SIGN_UNIT, "rke2-agent.service"}}},
	{&k3s, {{KR_SIGN_UNIT, "k3s.service"}}},
	{&k3s, {{KR_SIGN_UNIT, "k3s-agent.service"}}},
	{&k0s, {{KR_SIGN_UNIT, "k0sworker.service"}}},
	{&k0s, {{KR_SIGN_UNIT, "k0scontroller.service"}}},
	{&microk8s, {{KR_SIGN_UNIT, "snap.microk8s.daemon-kubelite.service"}}},
	{&microk8s, {{KR_SIGN_UNIT, "snap.microk8s.daemon-kubelet.service"}}},
	{&canonical, {{KR_SIGN_UNIT, "snap.k8s.kubelet.service"}}},
	{&kubeedge, {{KR_SIGN_UNIT, "edgecore.service"}}},
	{&rke1, {{KR_SIGN_NO_UNIT}, {KR_SIGN_PATH, "/var/lib/rancher/rke"}}},
	/* by the system, where nothing that starts kubelet tells more */
	{&flatcar, {{KR_SIGN_OS, "flatcar"}}},
	{&eks_al2, {{KR_SIGN_OS, "amzn"}, {KR_SIGN_PATH, "/etc/eks"}}},
	{&aks, {{KR_SIGN_PATH, "/opt/azure/containers"}}},
};

const size_t kr_platform_n_rows = ARRAY_SIZE(kr_platform_rows);

/*
 * fix --for=MEDIUM: the same change in the form of a medium that the operator
 * names, since the node need not tell by what it was made. Ignition's own form
 * is JSON without text in it, which butane makes of this one. Sources: those
 * above, and nodeadm's user data (awslabs/amazon-eks-ami), eksctl's schema and
 * pkg/nodebootstrap/al2023.go, coreos/butane's config/flatcar/v1_0 and
 * config/fcos/v1_0.
 */
const struct kr_platform kr_platform_media[] = {
	{
		.id = "nodeadm",
		.owner = "nodeadm",
		.when = "at every boot",
		.place = "the NodeConfig that nodeadm is given",
		.text = NODE_CONFIG,
		.flag_text = NODE_CONFIG_FLAG,
	},
	{
		.id = "userdata",
		.owner = "nodeadm",
		.when = "at every boot",
		.place = "the user data of an AL2023 instance, one part of "
			 "which this is",
		.text = "MIME-Version: 1.0\n"
			"Content-Type: multipart/mixed; "
			"boundary=\"KUBELET-REMEDY\"\n"
			"\n"
			"--KUBELET-REMEDY\n"
			"Content-Type: application/node.eks.aws\n"
			"\n" NODE_CONFIG,
		.flag_text = NODE_CONFIG_FLAG,
		.end_text = "--KUBELET-REMEDY--\n",
	},
	{
		.id = "aks",
		.owner = "AKS",
		.when = "at a node image upgrade, a reimage and on each new "
			"node",
		.place = AGENT_PLACE,
		.text = AGENT_TEXT,
	},
	{
		.id = "eksctl",
		.owner = "eksctl",
		.when = "on each new node",
		.place = "the node group in eksctl's ClusterConfig",
		.text = EKSCTL_TEXT,
		.flag_text = EKSCTL_FLAG,
	},
	{
		.id = "ignition",
		.owner = "Ignition",
		.when = "on each new node",
		.place = "the Butane configuration, for a kubelet of 1.30 or "
			 "later",
		.text = "variant: @VARIANT@\n"
			"version: 1.0.0\n"
			"storage:\n"
			"  files:\n"
			"    - path: @CONFIG-DIR@/90-kubelet-remedy.conf\n"
			"      mode: @MODE@\n"
			"      contents:\n"
			"        inline: |\n"
			"          apiVersion: kubelet.config.k8s.io/v1beta1\n"
			"          kind: KubeletConfiguration\n"
			"          @MEMBERS@\n"
			"systemd:\n"
			"  units:\n"
			"    - name: @UNIT@\n"
			"      dropins:\n"
			"        - name: 90-kubelet-remedy.conf\n"
			"          contents: |\n"
			"            # Where kubelet's command is without this "
			"variable, or it is set already,\n"
			"            # its words go to the end of kubelet's "
			"arguments.\n"
			"            [Service]\n"
			"            Environment=\"KUBELET_EXTRA_ARGS="
			"--config-dir=@CONFIG-DIR@ \\\n",
		.flag_text = "              --@FLAG@=@VALUE@ \\\n",
		.end_text = "              \"\n",
	},
};

const size_t kr_platform_n_media = ARRAY_SIZE(kr_platform_media);
