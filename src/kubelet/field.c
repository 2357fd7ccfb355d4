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

#define B        .type = KR_TYPE_BOOL
#define I        .type = KR_TYPE_INT32
#define L        .type = KR_TYPE_INT64
#define D        .type = KR_TYPE_DURATION
#define F        .type = KR_TYPE_FLOAT
#define S        .type = KR_TYPE_STRING
#define LIST     .type = KR_TYPE_LIST
#define TREE     .type = KR_TYPE_TREE
#define SINCE(m) .first_minor = (m)
#define POINTER  .pointer = true
#define GATE     .combine = KR_COMBINE_GATE

/* Name, path, flag, type and default. */
#define ROW(id, ...) [KR_FIELD_##id] = {__VA_ARGS__}

/* clang-format off */
static const struct kr_field fields[] = {
	ROW(ANONYMOUS, "authentication.anonymous.enabled", "anonymous-auth",
	    B, "false", POINTER, .legacy = "true"),
	ROW(WEBHOOK, "authentication.webhook.enabled",
	    "authentication-token-webhook", B, "true", POINTER,
	    .legacy = "false"),
	ROW(CLIENT_CA, "authentication.x509.clientCAFile", "client-ca-file",
	    S, "", .is_path = true),
	ROW(AUTHORIZATION_MODE, "authorization.mode", "authorization-mode",
	    S, "Webhook", .legacy = "AlwaysAllow"),
	ROW(READ_ONLY_PORT, "readOnlyPort", "read-only-port",
	    I, "0", .legacy = "10255"),
	ROW(STREAMING_TIMEOUT, "streamingConnectionIdleTimeout",
	    "streaming-connection-idle-timeout", D, "4h"),
	ROW(PROTECT_KERNEL, "protectKernelDefaults", "protect-kernel-defaults",
	    B, "false"),
	ROW(IPTABLES, "makeIPTablesUtilChains", "make-iptables-util-chains",
	    B, "true", POINTER),
	ROW(HOSTNAME_OVERRIDE, NULL, "hostname-override", S, ""),
	ROW(EVENT_QPS, "eventRecordQPS", "event-qps",
	    I, "50", POINTER, .since = 27, .before = "5"),
	ROW(TLS_CERT, "tlsCertFile", "tls-cert-file", S, "", .is_path = true),
	ROW(TLS_KEY, "tlsPrivateKeyFile", "tls-private-key-file",
	    S, "", .is_path = true),
	ROW(ROTATE_CERTIFICATES, "rotateCertificates", "rotate-certificates",
	    B, "false"),
	ROW(SERVER_BOOTSTRAP, "serverTLSBootstrap",
	    "rotate-server-certificates", B, "false"),
	ROW(GATE_ROTATE_SERVER, "featureGates.RotateKubeletServerCertificate",
	    "feature-gates", B, "true", GATE),
	ROW(TLS_CIPHERS, "tlsCipherSuites", "tls-cipher-suites", LIST, ""),
	ROW(TLS_MIN_VERSION, "tlsMinVersion", "tls-min-version", S, ""),
	ROW(POD_PIDS, "podPidsLimit", "pod-max-pids",
	    L, "-1", POINTER, .negative = true),
	ROW(SECCOMP_DEFAULT, "seccompDefault", "seccomp-default",
	    B, "false", POINTER, .combine = KR_COMBINE_OR, .first_minor = 22),

	ROW(GATE_ALL_BETA, "featureGates.AllBeta", "feature-gates", B, GATE),
	ROW(HEALTHZ_ADDRESS, "healthzBindAddress", "healthz-bind-address", S),
	ROW(HEALTHZ_PORT, "healthzPort", "healthz-port", I, "10248", POINTER),
	ROW(DROP_BIT, "iptablesDropBit", "iptables-drop-bit", I, "15", POINTER),
	ROW(MASQUERADE_BIT, "iptablesMasqueradeBit", "iptables-masquerade-bit",
	    I, "14", POINTER),

	ROW(EVENT_BURST, "eventBurst", "event-burst", I),
	ROW(IMAGE_GC_HIGH, "imageGCHighThresholdPercent",
	    "image-gc-high-threshold", I, "85", POINTER),
	ROW(IMAGE_GC_LOW, "imageGCLowThresholdPercent",
	    "image-gc-low-threshold", I, "80", POINTER),
	ROW(KUBE_API_BURST, "kubeAPIBurst", "kube-api-burst", I),
	ROW(KUBE_API_QPS, "kubeAPIQPS", "kube-api-qps", I, POINTER),
	ROW(MAX_OPEN_FILES, "maxOpenFiles", "max-open-files", L),
	ROW(MAX_PODS, "maxPods", "max-pods", I),
	ROW(STATUS_MAX_IMAGES, "nodeStatusMaxImages", "node-status-max-images",
	    I, POINTER),
	ROW(OOM_SCORE_ADJ, "oomScoreAdj", "oom-score-adj", I, POINTER),
	ROW(PODS_PER_CORE, "podsPerCore", "pods-per-core", I, "0"),
	ROW(PORT, "port", "port", I, "10250"),
	ROW(REGISTRY_BURST, "registryBurst", "registry-burst", I),
	ROW(REGISTRY_QPS, "registryPullQPS", "registry-qps", I, POINTER),

	ROW(NODE_LEASE, "nodeLeaseDurationSeconds", NULL, I, "40"),
	ROW(CFS_PERIOD, "cpuCFSQuotaPeriod", "cpu-cfs-quota-period",
	    D, "100ms", POINTER),
	ROW(IMAGE_MIN_AGE, "imageMinimumGCAge", "minimum-image-ttl-duration",
	    D, "2m"),
	ROW(IMAGE_MAX_AGE, "imageMaximumGCAge", NULL, D, "0s", SINCE(29)),
	ROW(PARALLEL_PULLS, "maxParallelImagePulls", NULL,
	    I, POINTER, SINCE(27)),
	ROW(SERIALIZE_PULLS, "serializeImagePulls", "serialize-image-pulls",
	    B, POINTER),
	ROW(RUN_ONCE, "runOnce", "runonce", B, "false"),
	ROW(TOPOLOGY_POLICY, "topologyManagerPolicy", "topology-manager-policy",
	    S, "none"),
	ROW(TOPOLOGY_SCOPE, "topologyManagerScope", "topology-manager-scope",
	    S, "container"),
	ROW(TOPOLOGY_OPTIONS, "topologyManagerPolicyOptions", NULL,
	    TREE, SINCE(26), .unread_flag = "topology-manager-policy-options"),
	ROW(HAIRPIN, "hairpinMode", "hairpin-mode", S, "promiscuous-bridge"),
	ROW(SHUTDOWN_TOTAL, "shutdownGracePeriod", NULL, D, "0s"),
	ROW(SHUTDOWN_CRITICAL, "shutdownGracePeriodCriticalPods", NULL,
	    D, "0s"),
	ROW(SHUTDOWN_PRIORITY, "shutdownGracePeriodByPodPriority", NULL,
	    TREE, SINCE(23)),
	ROW(SWAP, "memorySwap.swapBehavior", NULL, S, "", SINCE(22)),
	ROW(MEMORY_THROTTLING, "memoryThrottlingFactor", NULL,
	    F, POINTER, SINCE(22)),
	ROW(MEMORY_RESERVATION, "memoryReservationPolicy", NULL,
	    S, "None", SINCE(36)),
	ROW(RESTART_PERIOD, "crashLoopBackOff.maxContainerRestartPeriod", NULL,
	    D, POINTER, SINCE(32)),
	ROW(ENFORCE, "enforceNodeAllocatable", "enforce-node-allocatable",
	    LIST, "pods"),
	ROW(CGROUPS_PER_QOS, "cgroupsPerQOS", "cgroups-per-qos",
	    B, "true", POINTER),
	ROW(CGROUP_ROOT, "cgroupRoot", "cgroup-root", S, ""),
	ROW(FAIL_CGROUP_V1, "failCgroupV1", "fail-cgroupv1",
	    B, "true", POINTER, SINCE(31), .since = 35, .before = "false"),
	ROW(SYSTEM_CGROUPS, "systemCgroups", "system-cgroups", S, ""),
	ROW(SYSTEM_CGROUP, "systemReservedCgroup", "system-reserved-cgroup",
	    S, ""),
	ROW(KUBE_CGROUP, "kubeReservedCgroup", "kube-reserved-cgroup", S, ""),
	ROW(RESERVED_CPUS, "reservedSystemCPUs", "reserved-cpus", S, ""),
	ROW(RESERVED_MEMORY, "reservedMemory", NULL,
	    TREE, SINCE(21), .unread_flag = "reserved-memory"),
	ROW(TAINTS, "registerWithTaints", NULL,
	    TREE, SINCE(23), .unread_flag = "register-with-taints"),
	ROW(LOG_WORKERS, "containerLogMaxWorkers", NULL, I, POINTER, SINCE(30)),
	ROW(LOG_INTERVAL, "containerLogMonitorInterval", NULL,
	    D, POINTER, SINCE(30)),
	ROW(LOG_FILES, "containerLogMaxFiles", "container-log-max-files",
	    I, "5", POINTER),
	ROW(LOG_SIZE, "containerLogMaxSize", "container-log-max-size",
	    S, "10Mi"),
	ROW(POD_LOGS, "podLogsDir", NULL,
	    S, "/var/log/pods", SINCE(30), .is_path = true),
	ROW(RUNTIME_ENDPOINT, "containerRuntimeEndpoint",
	    "container-runtime-endpoint", S,
	    "unix:///run/containerd/containerd.sock", SINCE(27)),
	ROW(IMAGE_ENDPOINT, "imageServiceEndpoint", "image-service-endpoint",
	    S, "", SINCE(27)),
	ROW(ENABLE_SERVER, "enableServer", "enable-server", B, "true", POINTER),
	ROW(LOG_HANDLER, "enableSystemLogHandler", NULL, B, "true", POINTER),
	ROW(LOG_QUERY, "enableSystemLogQuery", NULL,
	    B, "false", POINTER, SINCE(27)),
	ROW(PULL_POLICY, "imagePullCredentialsVerificationPolicy", NULL,
	    S, SINCE(33)),
	ROW(PULL_ALLOWLIST, "preloadedImagesVerificationAllowlist", NULL,
	    LIST, "", SINCE(33)),
	ROW(LOGGING_FORMAT, "logging.format", "logging-format", S, "text"),
	ROW(LOGGING_FLUSH, "logging.flushFrequency", "log-flush-frequency",
	    D, "5s", SINCE(23)),
	ROW(LOGGING_VERBOSITY, "logging.verbosity", NULL,
	    L, "0", SINCE(23), .unread_flag = "v"),
	ROW(LOGGING_VMODULE, "logging.vmodule", NULL,
	    TREE, SINCE(23), .unread_flag = "vmodule"),
	ROW(JSON_SPLIT, "logging.options.json.splitStream",
	    "log-json-split-stream", B, "false", SINCE(23)),
	ROW(JSON_BUFFER, "logging.options.json.infoBufferSize",
	    "log-json-info-buffer-size", S, SINCE(23)),
	ROW(TEXT_SPLIT, "logging.options.text.splitStream",
	    "log-text-split-stream", B, "false", SINCE(30)),
	ROW(TEXT_BUFFER, "logging.options.text.infoBufferSize",
	    "log-text-info-buffer-size", S, SINCE(30)),
	ROW(TRACING_RATE, "tracing.samplingRatePerMillion", NULL,
	    I, POINTER, SINCE(25)),
	ROW(TRACING_ENDPOINT, "tracing.endpoint", NULL, S, POINTER, SINCE(25)),
	ROW(HIDDEN_METRICS, "showHiddenMetricsForVersion",
	    "show-hidden-metrics-for-version", S, ""),
	ROW(IDS_PER_POD, "userNamespaces.idsPerPod", NULL,
	    L, POINTER, SINCE(33)),
	ROW(CPU_POLICY, "cpuManagerPolicy", "cpu-manager-policy", S, "none"),
	ROW(CPU_OPTIONS, "cpuManagerPolicyOptions", NULL,
	    TREE, SINCE(22), .unread_flag = "cpu-manager-policy-options"),
	ROW(MEMORY_POLICY, "memoryManagerPolicy", "memory-manager-policy",
	    S, "None", SINCE(21)),
	ROW(KUBE_RESERVED, "kubeReserved", "kube-reserved", TREE),
	ROW(SYSTEM_RESERVED, "systemReserved", "system-reserved", TREE),
	ROW(QOS_RESERVED, "qosReserved", "qos-reserved", TREE),
	ROW(EVICTION_HARD, "evictionHard", "eviction-hard", TREE),
	ROW(EVICTION_SOFT, "evictionSoft", "eviction-soft", TREE),
	ROW(EVICTION_GRACE, "evictionSoftGracePeriod",
	    "eviction-soft-grace-period", TREE),
	ROW(EVICTION_RECLAIM, "evictionMinimumReclaim",
	    "eviction-minimum-reclaim", TREE),
	ROW(EVICTION_MERGE, "mergeDefaultEvictionSettings", NULL,
	    B, POINTER, SINCE(33)),
	ROW(SYNC, "syncFrequency", "sync-frequency", D, "1m"),
	ROW(WATCH, "configMapAndSecretChangeDetectionStrategy", NULL,
	    S, "Watch"),
	ROW(TLS_CURVES, "tlsCurvePreferences", NULL, TREE, SINCE(36)),
	ROW(SYSCTLS, "allowedUnsafeSysctls", "allowed-unsafe-sysctls",
	    LIST, ""),
	ROW(ADDRESS, "address", "address", S, "0.0.0.0"),
	ROW(GATES, "featureGates", NULL, TREE),

	ROW(BOOTSTRAP_KUBECONFIG, NULL, "bootstrap-kubeconfig", S),
	ROW(CERT_DIR, NULL, "cert-dir", S),
	ROW(CONFIG, NULL, "config", S),
	ROW(CONFIG_DIR, NULL, "config-dir", S),
	ROW(DYNAMIC_CONFIG_DIR, NULL, "dynamic-config-dir", S),
	ROW(KUBECONFIG, NULL, "kubeconfig", S),
	ROW(CONTAINER_RUNTIME, NULL, "container-runtime", S),
	ROW(ROOT_DIR, NULL, "root-dir", S),
	ROW(LOCK_FILE, NULL, "lock-file", S),
	ROW(EXIT_ON_LOCK, NULL, "exit-on-lock-contention", B),
	ROW(CONTAINER_TTL, NULL, "minimum-container-ttl-duration", D),
	ROW(CLOUD_PROVIDER, NULL, "cloud-provider", S),
	ROW(NODE_LABELS, NULL, "node-labels", TREE),
	ROW(IGNORE_EVICTION, NULL, "experimental-allocatable-ignore-eviction",
	    B, "false"),
	ROW(CREDENTIAL_CONFIG, NULL, "image-credential-provider-config", S, ""),
	ROW(CREDENTIAL_FOLDER, NULL, "image-credential-provider-bin-dir",
	    S, ""),
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

		if (!path || (place.length > 0 &&
		              strncmp(path, walked, place.length) != 0))
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
