/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The table of fields.
 *
 * Source: k8s.io/kubelet config/v1beta1/types.go and kubernetes
 * pkg/kubelet/apis/config/v1beta1/defaults.go of 1.20 to 1.36,
 * cmd/kubelet/app/options; measured on 1.20.2 and on 1.34's decoder.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "doc/name.h"
#include "kubelet/field.h"

#define B          .type = KR_TYPE_BOOL
#define I          .type = KR_TYPE_INT32
#define L          .type = KR_TYPE_INT64
#define D          .type = KR_TYPE_DURATION
#define F          .type = KR_TYPE_FLOAT
#define S          .type = KR_TYPE_STRING
#define LIST       .type = KR_TYPE_LIST
#define TREE       .type = KR_TYPE_TREE
#define SINCE(m)   .first_minor = (m)
#define POINTER    .pointer = true
#define DEFAULT(d) .by_default = (d)
#define GATE       .combine = KR_COMBINE_GATE

/* clang-format off */
static const struct kr_field fields[] = {
	[KR_FIELD_ANONYMOUS] = {
		"authentication.anonymous.enabled", "anonymous-auth",
		B, POINTER, DEFAULT("false"), .legacy = "true"},
	[KR_FIELD_WEBHOOK] = {
		"authentication.webhook.enabled", "authentication-token-webhook",
		B, POINTER, DEFAULT("true"), .legacy = "false"},
	[KR_FIELD_CLIENT_CA] = {
		"authentication.x509.clientCAFile", "client-ca-file",
		S, DEFAULT(""), .is_path = true},
	[KR_FIELD_AUTHORIZATION_MODE] = {
		"authorization.mode", "authorization-mode",
		S, DEFAULT("Webhook"), .legacy = "AlwaysAllow"},
	[KR_FIELD_READ_ONLY_PORT] = {
		"readOnlyPort", "read-only-port",
		I, DEFAULT("0"), .legacy = "10255"},
	[KR_FIELD_STREAMING_TIMEOUT] = {
		"streamingConnectionIdleTimeout", "streaming-connection-idle-timeout",
		D, DEFAULT("4h")},
	[KR_FIELD_PROTECT_KERNEL] = {
		"protectKernelDefaults", "protect-kernel-defaults",
		B, DEFAULT("false")},
	[KR_FIELD_IPTABLES] = {
		"makeIPTablesUtilChains", "make-iptables-util-chains",
		B, POINTER, DEFAULT("true")},
	[KR_FIELD_HOSTNAME_OVERRIDE] = {
		NULL, "hostname-override",
		S, DEFAULT("")},
	[KR_FIELD_EVENT_QPS] = {
		"eventRecordQPS", "event-qps",
		I, POINTER, DEFAULT("50"), .since = 27, .before = "5"},
	[KR_FIELD_TLS_CERT] = {
		"tlsCertFile", "tls-cert-file",
		S, DEFAULT(""), .is_path = true},
	[KR_FIELD_TLS_KEY] = {
		"tlsPrivateKeyFile", "tls-private-key-file",
		S, DEFAULT(""), .is_path = true},
	[KR_FIELD_ROTATE_CERTIFICATES] = {
		"rotateCertificates", "rotate-certificates",
		B, DEFAULT("false")},
	[KR_FIELD_SERVER_BOOTSTRAP] = {
		"serverTLSBootstrap", "rotate-server-certificates",
		B, DEFAULT("false")},
	[KR_FIELD_GATE_ROTATE_SERVER] = {
		"featureGates.RotateKubeletServerCertificate", "feature-gates",
		B, GATE, DEFAULT("true")},
	[KR_FIELD_TLS_CIPHERS] = {
		"tlsCipherSuites", "tls-cipher-suites",
		LIST, DEFAULT("")},
	[KR_FIELD_TLS_MIN_VERSION] = {
		"tlsMinVersion", "tls-min-version",
		S, DEFAULT("")},
	[KR_FIELD_POD_PIDS] = {
		"podPidsLimit", "pod-max-pids",
		L, POINTER, DEFAULT("-1"), .negative = true},
	[KR_FIELD_SECCOMP_DEFAULT] = {
		"seccompDefault", "seccomp-default",
		B, POINTER, DEFAULT("false"), .combine = KR_COMBINE_OR,
		.first_minor = 22},

	[KR_FIELD_GATE_ALL_BETA] = {
		"featureGates.AllBeta", "feature-gates",
		B, GATE},
	[KR_FIELD_HEALTHZ_ADDRESS] = {
		"healthzBindAddress", "healthz-bind-address", S},
	[KR_FIELD_HEALTHZ_PORT] = {
		"healthzPort", "healthz-port", I, POINTER},
	[KR_FIELD_DROP_BIT] = {
		"iptablesDropBit", "iptables-drop-bit",
		I, POINTER, DEFAULT("15")},
	[KR_FIELD_MASQUERADE_BIT] = {
		"iptablesMasqueradeBit", "iptables-masquerade-bit",
		I, POINTER, DEFAULT("14")},

	[KR_FIELD_EVENT_BURST] = {
		"eventBurst", "event-burst", I},
	[KR_FIELD_IMAGE_GC_HIGH] = {
		"imageGCHighThresholdPercent", "image-gc-high-threshold",
		I, POINTER, DEFAULT("85")},
	[KR_FIELD_IMAGE_GC_LOW] = {
		"imageGCLowThresholdPercent", "image-gc-low-threshold",
		I, POINTER, DEFAULT("80")},
	[KR_FIELD_KUBE_API_BURST] = {
		"kubeAPIBurst", "kube-api-burst", I},
	[KR_FIELD_KUBE_API_QPS] = {
		"kubeAPIQPS", "kube-api-qps", I, POINTER},
	[KR_FIELD_MAX_OPEN_FILES] = {
		"maxOpenFiles", "max-open-files", L},
	[KR_FIELD_MAX_PODS] = {
		"maxPods", "max-pods", I},
	[KR_FIELD_STATUS_MAX_IMAGES] = {
		"nodeStatusMaxImages", "node-status-max-images",
		I, POINTER},
	[KR_FIELD_OOM_SCORE_ADJ] = {
		"oomScoreAdj", "oom-score-adj", I, POINTER},
	[KR_FIELD_PODS_PER_CORE] = {
		"podsPerCore", "pods-per-core", I, DEFAULT("0")},
	[KR_FIELD_PORT] = {
		"port", "port", I, DEFAULT("10250")},
	[KR_FIELD_REGISTRY_BURST] = {
		"registryBurst", "registry-burst", I},
	[KR_FIELD_REGISTRY_QPS] = {
		"registryPullQPS", "registry-qps", I, POINTER},

	[KR_FIELD_NODE_LEASE] = {
		"nodeLeaseDurationSeconds", NULL, I, DEFAULT("40")},
	[KR_FIELD_CFS_PERIOD] = {
		"cpuCFSQuotaPeriod", "cpu-cfs-quota-period",
		D, POINTER, DEFAULT("100ms")},
	[KR_FIELD_IMAGE_MIN_AGE] = {
		"imageMinimumGCAge", "minimum-image-ttl-duration",
		D, DEFAULT("2m")},
	[KR_FIELD_IMAGE_MAX_AGE] = {
		"imageMaximumGCAge", NULL, D, DEFAULT("0s"), SINCE(29)},
	[KR_FIELD_PARALLEL_PULLS] = {
		"maxParallelImagePulls", NULL, I, POINTER, SINCE(27)},
	[KR_FIELD_SERIALIZE_PULLS] = {
		"serializeImagePulls", "serialize-image-pulls", B, POINTER},
	[KR_FIELD_RUN_ONCE] = {
		"runOnce", "runonce", B, DEFAULT("false")},
	[KR_FIELD_TOPOLOGY_POLICY] = {
		"topologyManagerPolicy", "topology-manager-policy",
		S, DEFAULT("none")},
	[KR_FIELD_TOPOLOGY_SCOPE] = {
		"topologyManagerScope", "topology-manager-scope",
		S, DEFAULT("container")},
	[KR_FIELD_TOPOLOGY_OPTIONS] = {
		"topologyManagerPolicyOptions", NULL, TREE, SINCE(26),
		.unread_flag = "topology-manager-policy-options"},
	[KR_FIELD_HAIRPIN] = {
		"hairpinMode", "hairpin-mode",
		S, DEFAULT("promiscuous-bridge")},
	[KR_FIELD_SHUTDOWN_TOTAL] = {
		"shutdownGracePeriod", NULL, D, DEFAULT("0s")},
	[KR_FIELD_SHUTDOWN_CRITICAL] = {
		"shutdownGracePeriodCriticalPods", NULL, D, DEFAULT("0s")},
	[KR_FIELD_SHUTDOWN_PRIORITY] = {
		"shutdownGracePeriodByPodPriority", NULL, TREE, SINCE(23)},
	[KR_FIELD_SWAP] = {
		"memorySwap.swapBehavior", NULL, S, DEFAULT(""), SINCE(22)},
	[KR_FIELD_MEMORY_THROTTLING] = {
		"memoryThrottlingFactor", NULL, F, POINTER, SINCE(22)},
	[KR_FIELD_MEMORY_RESERVATION] = {
		"memoryReservationPolicy", NULL,
		S, DEFAULT("None"), SINCE(36)},
	[KR_FIELD_RESTART_PERIOD] = {
		"crashLoopBackOff.maxContainerRestartPeriod", NULL,
		D, POINTER, SINCE(32)},
	[KR_FIELD_ENFORCE] = {
		"enforceNodeAllocatable", "enforce-node-allocatable",
		LIST, DEFAULT("pods")},
	[KR_FIELD_CGROUPS_PER_QOS] = {
		"cgroupsPerQOS", "cgroups-per-qos",
		B, POINTER, DEFAULT("true")},
	[KR_FIELD_CGROUP_ROOT] = {
		"cgroupRoot", "cgroup-root", S, DEFAULT("")},
	[KR_FIELD_FAIL_CGROUP_V1] = {
		"failCgroupV1", "fail-cgroupv1",
		B, POINTER, DEFAULT("true"), SINCE(31),
		.since = 35, .before = "false"},
	[KR_FIELD_SYSTEM_CGROUPS] = {
		"systemCgroups", "system-cgroups", S, DEFAULT("")},
	[KR_FIELD_SYSTEM_CGROUP] = {
		"systemReservedCgroup", "system-reserved-cgroup",
		S, DEFAULT("")},
	[KR_FIELD_KUBE_CGROUP] = {
		"kubeReservedCgroup", "kube-reserved-cgroup", S, DEFAULT("")},
	[KR_FIELD_RESERVED_CPUS] = {
		"reservedSystemCPUs", "reserved-cpus", S, DEFAULT("")},
	[KR_FIELD_RESERVED_MEMORY] = {
		"reservedMemory", NULL, TREE, SINCE(21),
		.unread_flag = "reserved-memory"},
	[KR_FIELD_TAINTS] = {
		"registerWithTaints", NULL, TREE, SINCE(23),
		.unread_flag = "register-with-taints"},
	[KR_FIELD_LOG_WORKERS] = {
		"containerLogMaxWorkers", NULL, I, POINTER, SINCE(30)},
	[KR_FIELD_LOG_INTERVAL] = {
		"containerLogMonitorInterval", NULL, D, POINTER, SINCE(30)},
	[KR_FIELD_LOG_FILES] = {
		"containerLogMaxFiles", "container-log-max-files",
		I, POINTER, DEFAULT("5")},
	[KR_FIELD_LOG_SIZE] = {
		"containerLogMaxSize", "container-log-max-size",
		S, DEFAULT("10Mi")},
	[KR_FIELD_POD_LOGS] = {
		"podLogsDir", NULL, S, DEFAULT("/var/log/pods"), SINCE(30),
		.is_path = true},
	[KR_FIELD_RUNTIME_ENDPOINT] = {
		"containerRuntimeEndpoint", "container-runtime-endpoint",
		S, DEFAULT("unix:///run/containerd/containerd.sock"),
		SINCE(27)},
	[KR_FIELD_IMAGE_ENDPOINT] = {
		"imageServiceEndpoint", "image-service-endpoint",
		S, DEFAULT(""), SINCE(27)},
	[KR_FIELD_ENABLE_SERVER] = {
		"enableServer", "enable-server", B, POINTER, DEFAULT("true")},
	[KR_FIELD_LOG_HANDLER] = {
		"enableSystemLogHandler", NULL, B, POINTER, DEFAULT("true")},
	[KR_FIELD_LOG_QUERY] = {
		"enableSystemLogQuery", NULL,
		B, POINTER, DEFAULT("false"), SINCE(27)},
	[KR_FIELD_PULL_POLICY] = {
		"imagePullCredentialsVerificationPolicy", NULL, S, SINCE(33)},
	[KR_FIELD_PULL_ALLOWLIST] = {
		"preloadedImagesVerificationAllowlist", NULL,
		LIST, DEFAULT(""), SINCE(33)},
	[KR_FIELD_LOGGING_FORMAT] = {
		"logging.format", "logging-format", S, DEFAULT("text")},
	[KR_FIELD_LOGGING_FLUSH] = {
		"logging.flushFrequency", "log-flush-frequency",
		D, DEFAULT("5s"), SINCE(23)},
	[KR_FIELD_LOGGING_VERBOSITY] = {
		"logging.verbosity", NULL, L, DEFAULT("0"), SINCE(23),
		.unread_flag = "v"},
	[KR_FIELD_LOGGING_VMODULE] = {
		"logging.vmodule", NULL, TREE, SINCE(23),
		.unread_flag = "vmodule"},
	[KR_FIELD_JSON_SPLIT] = {
		"logging.options.json.splitStream", "log-json-split-stream",
		B, DEFAULT("false"), SINCE(23)},
	[KR_FIELD_JSON_BUFFER] = {
		"logging.options.json.infoBufferSize",
		"log-json-info-buffer-size", S, SINCE(23)},
	[KR_FIELD_TEXT_SPLIT] = {
		"logging.options.text.splitStream", "log-text-split-stream",
		B, DEFAULT("false"), SINCE(30)},
	[KR_FIELD_TEXT_BUFFER] = {
		"logging.options.text.infoBufferSize",
		"log-text-info-buffer-size", S, SINCE(30)},
	[KR_FIELD_TRACING_RATE] = {
		"tracing.samplingRatePerMillion", NULL, I, POINTER, SINCE(25)},
	[KR_FIELD_TRACING_ENDPOINT] = {
		"tracing.endpoint", NULL, S, POINTER, SINCE(25)},
	[KR_FIELD_HIDDEN_METRICS] = {
		"showHiddenMetricsForVersion",
		"show-hidden-metrics-for-version", S, DEFAULT("")},
	[KR_FIELD_IDS_PER_POD] = {
		"userNamespaces.idsPerPod", NULL, L, POINTER, SINCE(33)},
	[KR_FIELD_CPU_POLICY] = {
		"cpuManagerPolicy", "cpu-manager-policy", S, DEFAULT("none")},
	[KR_FIELD_CPU_OPTIONS] = {
		"cpuManagerPolicyOptions", NULL, TREE, SINCE(22),
		.unread_flag = "cpu-manager-policy-options"},
	[KR_FIELD_MEMORY_POLICY] = {
		"memoryManagerPolicy", "memory-manager-policy",
		S, DEFAULT("None"), SINCE(21)},
	[KR_FIELD_KUBE_RESERVED] = {"kubeReserved", "kube-reserved", TREE},
	[KR_FIELD_SYSTEM_RESERVED] = {
		"systemReserved", "system-reserved", TREE},
	[KR_FIELD_QOS_RESERVED] = {"qosReserved", "qos-reserved", TREE},
	[KR_FIELD_EVICTION_HARD] = {"evictionHard", "eviction-hard", TREE},
	[KR_FIELD_EVICTION_SOFT] = {"evictionSoft", "eviction-soft", TREE},
	[KR_FIELD_EVICTION_GRACE] = {
		"evictionSoftGracePeriod", "eviction-soft-grace-period", TREE},
	[KR_FIELD_EVICTION_RECLAIM] = {
		"evictionMinimumReclaim", "eviction-minimum-reclaim", TREE},
	[KR_FIELD_EVICTION_MERGE] = {
		"mergeDefaultEvictionSettings", NULL, B, POINTER, SINCE(33)},
	[KR_FIELD_SYNC] = {
		"syncFrequency", "sync-frequency", D, DEFAULT("1m")},
	[KR_FIELD_WATCH] = {
		"configMapAndSecretChangeDetectionStrategy", NULL,
		S, DEFAULT("Watch")},
	[KR_FIELD_TLS_CURVES] = {
		"tlsCurvePreferences", NULL, TREE, SINCE(36)},
	[KR_FIELD_SYSCTLS] = {
		"allowedUnsafeSysctls", "allowed-unsafe-sysctls",
		LIST, DEFAULT("")},
	[KR_FIELD_ADDRESS] = {
		"address", "address", S, DEFAULT("0.0.0.0")},
	[KR_FIELD_GATES] = {"featureGates", NULL, TREE},

	[KR_FIELD_BOOTSTRAP_KUBECONFIG] = {NULL, "bootstrap-kubeconfig", S},
	[KR_FIELD_CERT_DIR] = {NULL, "cert-dir", S},
	[KR_FIELD_CONFIG] = {NULL, "config", S},
	[KR_FIELD_CONFIG_DIR] = {NULL, "config-dir", S},
	[KR_FIELD_DYNAMIC_CONFIG_DIR] = {NULL, "dynamic-config-dir", S},
	[KR_FIELD_KUBECONFIG] = {NULL, "kubeconfig", S},
	[KR_FIELD_CONTAINER_RUNTIME] = {NULL, "container-runtime", S},
	[KR_FIELD_ROOT_DIR] = {NULL, "root-dir", S},
	[KR_FIELD_LOCK_FILE] = {NULL, "lock-file", S},
	[KR_FIELD_EXIT_ON_LOCK] = {NULL, "exit-on-lock-contention", B},
	[KR_FIELD_CONTAINER_TTL] = {
		NULL, "minimum-container-ttl-duration", D},
	[KR_FIELD_CLOUD_PROVIDER] = {NULL, "cloud-provider", S},
	[KR_FIELD_NODE_LABELS] = {NULL, "node-labels", TREE},
	[KR_FIELD_IGNORE_EVICTION] = {
		NULL, "experimental-allocatable-ignore-eviction",
		B, DEFAULT("false")},
	[KR_FIELD_CREDENTIAL_CONFIG] = {
		NULL, "image-credential-provider-config", S, DEFAULT("")},
	[KR_FIELD_CREDENTIAL_FOLDER] = {
		NULL, "image-credential-provider-bin-dir", S, DEFAULT("")},
};
/* clang-format on */

static_assert(ARRAY_SIZE(fields) == KR_N_FIELDS, "a row for each field");

const struct kr_field *kr_field(enum kr_field_id id)
{
	return &fields[id];
}

const char *kr_field_name(enum kr_field_id id)
{
	return fields[id].path ?: fields[id].flag;
}

static bool is_name(const char *name, const char *text, size_t length)
{
	return name && strlen(name) == length &&
	       memcmp(name, text, length) == 0;
}

int kr_field_find_setting(const char *name, size_t length)
{
	for (int i = 0; i < KR_N_SETTINGS; i++) {
		const struct kr_field *f = &fields[i];

		if (is_name(f->path, name, length) ||
		    (f->combine != KR_COMBINE_GATE &&
		     is_name(f->flag, name, length)))
			return i;
	}
	return -1;
}

int kr_field_of_flag(const char *name)
{
	for (int i = 0; i < KR_N_FIELDS; i++) {
		if (fields[i].flag && strcmp(fields[i].flag, name) == 0)
			return i;
	}
	return -1;
}

void kr_field_go_name(const char *name, size_t length, char *ret)
{
	/* Go's own words are written in capitals */
	static const char *const words[] = {"cpu", "ipt", "oom", "tls"};
	size_t n = 1;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (length > 3 && memcmp(name, words[i], 3) == 0)
			n = 3;
	}
	memcpy(ret, name, length);
	ret[length] = '\0';
	for (size_t i = 0; i < n && i < length; i++) {
		if (ret[i] >= 'a' && ret[i] <= 'z')
			ret[i] = (char)(ret[i] - 'a' + 'A');
	}
}

bool kr_field_place_ends(struct kr_field_place place)
{
	return place.row >= 0 && !fields[place.row].path[place.length];
}

#define NAME_MAX_LENGTH 64

struct kr_field_place kr_field_step(struct kr_field_place place,
                                    const char *key, size_t length, bool fold,
                                    bool go_names, int *ret_field)
{
	const char *walked = place.row >= 0 ? fields[place.row].path : NULL;
	struct kr_field_place found = {-1, 0};

	*ret_field = -1;
	if (!walked || length > NAME_MAX_LENGTH)
		return found;
	for (int i = 0; i < KR_N_FIELDS; i++) {
		const char *path = fields[i].path, *segment;
		char name[NAME_MAX_LENGTH + 1];
		bool last, any_case = fold;
		size_t n;

		if (!path || strncmp(path, walked, place.length) != 0)
			continue;
		segment = path + place.length;
		if (!kr_name_may_equal(segment, key, length))
			continue;
		n = strcspn(segment, ".");
		last = !segment[n];
		if (last && fields[i].combine == KR_COMBINE_GATE) {
			memcpy(name, segment, n + 1);
			any_case = false;
		} else if (go_names) {
			kr_field_go_name(segment, n, name);
		} else {
			memcpy(name, segment, n);
			name[n] = '\0';
		}
		if (!kr_name_equal(name, key, length, any_case))
			continue;
		if (last)
			*ret_field = i;
		/* of a map that is a field, too: the way to its members */
		if (found.row >= 0 && (last || !kr_field_place_ends(found)))
			continue;
		found = (struct kr_field_place){
			.row = (short)i,
			.length = (unsigned char)(place.length + n + !last),
		};
	}
	return found;
}

int kr_field_default(enum kr_field_id id, bool legacy, unsigned minor,
                     struct kr_value *ret)
{
	const struct kr_field *f = &fields[id];
	const char *text = f->by_default;

	if (legacy && f->legacy)
		text = f->legacy;
	if (f->since && minor > 0 && minor < f->since)
		text = f->before;
	if (!text)
		return -ENOENT;
	return kr_value_parse(f->type, text, strlen(text), ret);
}
