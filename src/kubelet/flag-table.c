/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The flags of kubelet, old and new, and which values stop it.
 *
 * pflag must know a flag to tell whether the next word is its value, so the
 * table is the union of all versions: a flag's arity never changed while it was
 * there. Bools take no word, all others do. "_" and "-" are one in a name
 * (component-base's WordSepNormalizeFunc); case is not folded.
 *
 * A value is checked as far as each version does the same: a row says STRING
 * where versions differ or the check needs more than the word (taints, feature
 * gates' names). Ranges are what kubelet's validation asks of the last value.
 *
 * A flag that a kubelet does not have stops it before it reads any file. The
 * first and last minor are those of 1.20 to 1.36, each read in two copies of
 * its source (in 1.33 to 1.35 one, with the change logs); no flag came or went
 * between the point releases that were read. A vendor's own flag has neither:
 * nothing is said of it.
 *
 * Source: the flags of 1.20.2 as measured (tests/cases/kubelet-flags.tsv);
 * spf13/pflag string_slice.go, encoding/csv reader.go;
 * cmd/kubelet/app/options/{options,globalflags,container_runtime}.go from 1.4
 * to 1.36, pkg/kubelet/config/flags.go, component-base/logs, klog, cadvisor;
 * pkg/kubelet/apis/config/validation/validation.go.
 */

#include <arpa/inet.h>
#include <string.h>

#include "base/macro.h"
#include "kubelet/flag-table.h"
#include "kubelet/go.h"

/* Sorted by name: it is searched by halves. */
const struct kr_flag kr_flag_table[] = {
	{"add-dir-header", KR_FLAG_BOOL, .last = 25},
	{"address", KR_FLAG_IP},
	{"allow-privileged", KR_FLAG_BOOL, .last = 19},
	{"allowed-unsafe-sysctls", KR_FLAG_CSV},
	{"alsologtostderr", KR_FLAG_BOOL, .last = 25},
	{"anonymous-auth", KR_FLAG_BOOL},
	{"api-servers", KR_FLAG_STRING, .last = 19},
	{"application-metrics-count-limit", KR_FLAG_INT64},
	{"auth-path", KR_FLAG_STRING, .last = 19},
	{"authentication-token-webhook", KR_FLAG_BOOL},
	{"authentication-token-webhook-cache-ttl", KR_FLAG_DURATION},
	{"authorization-mode", KR_FLAG_STRING},
	{"authorization-webhook-cache-authorized-ttl", KR_FLAG_DURATION},
	{"authorization-webhook-cache-unauthorized-ttl", KR_FLAG_DURATION},
	{"azure-container-registry-config", KR_FLAG_STRING, .last = 29},
	{"babysit-daemons", KR_FLAG_BOOL, .last = 19},
	{"boot-id-file", KR_FLAG_STRING},
	{"bootstrap-checkpoint-path", KR_FLAG_STRING, .last = 19},
	{"bootstrap-kubeconfig", KR_FLAG_STRING},
	{"cadvisor-port", KR_FLAG_INT32, .last = 19},
	{"cert-dir", KR_FLAG_STRING},
	{"cgroup-driver", KR_FLAG_STRING},
	{"cgroup-root", KR_FLAG_STRING},
	{"cgroups-per-qos", KR_FLAG_BOOL},
	{"chaos-chance", KR_FLAG_FLOAT, .last = 21},
	{"client-ca-file", KR_FLAG_STRING},
	{"cloud-config", KR_FLAG_STRING, .last = 33},
	{"cloud-provider", KR_FLAG_STRING},
	{"cloud-provider-gce-lb-src-cidrs", KR_FLAG_STRING, .last = 19},
	{"cluster-dns", KR_FLAG_CSV},
	{"cluster-domain", KR_FLAG_STRING},
	{"cni-bin-dir", KR_FLAG_STRING, .last = 23},
	{"cni-cache-dir", KR_FLAG_STRING, .last = 23},
	{"cni-conf-dir", KR_FLAG_STRING, .last = 23},
	{"config", KR_FLAG_STRING},
	{"config-dir", KR_FLAG_STRING, .first = 28},
	{"configure-cbr0", KR_FLAG_BOOL, .last = 19},
	{"container-hints", KR_FLAG_STRING},
	{"container-log-max-files", KR_FLAG_INT32},
	{"container-log-max-size", KR_FLAG_STRING},
	{"container-runtime", KR_FLAG_STRING, .last = 26},
	{"container-runtime-endpoint", KR_FLAG_STRING},
	{"containerd", KR_FLAG_STRING},
	{"containerd-namespace", KR_FLAG_STRING},
	{"containerized", KR_FLAG_BOOL, .last = 19},
	{"contention-profiling", KR_FLAG_BOOL},
	{"cpu-cfs-quota", KR_FLAG_BOOL},
	{"cpu-cfs-quota-period", KR_FLAG_DURATION},
	{"cpu-manager-policy", KR_FLAG_STRING},
	{"cpu-manager-policy-options", KR_FLAG_STRING, .first = 22},
	{"cpu-manager-reconcile-period", KR_FLAG_DURATION},
	{"custom-scalar-resources", KR_FLAG_STRING, .last = 19},
	{"default-not-ready-toleration-seconds", KR_FLAG_INT64, .last = 19},
	{"default-unreachable-toleration-seconds", KR_FLAG_INT64, .last = 19},
	{"docker", KR_FLAG_STRING, .last = 23},
	{"docker-disable-shared-pid", KR_FLAG_BOOL, .last = 19},
	{"docker-endpoint", KR_FLAG_STRING, .last = 23},
	{"docker-env-metadata-whitelist", KR_FLAG_STRING, .last = 23},
	{"docker-exec-handler", KR_FLAG_STRING, .last = 19},
	{"docker-only", KR_FLAG_BOOL, .last = 23},
	{"docker-root", KR_FLAG_STRING, .last = 23},
	{"docker-tls", KR_FLAG_BOOL, .last = 23},
	{"docker-tls-ca", KR_FLAG_STRING, .last = 23},
	{"docker-tls-cert", KR_FLAG_STRING, .last = 23},
	{"docker-tls-key", KR_FLAG_STRING, .last = 23},
	{"dynamic-config-dir", KR_FLAG_STRING, .last = 23},
	{"enable-cadvisor-json-endpoints", KR_FLAG_BOOL, .last = 20},
	{"enable-controller-attach-detach", KR_FLAG_BOOL},
	{"enable-custom-metrics", KR_FLAG_BOOL, .last = 19},
	{"enable-debugging-handlers", KR_FLAG_BOOL},
	{"enable-load-reader", KR_FLAG_BOOL},
	{"enable-server", KR_FLAG_BOOL},
	{"enable-tracing", KR_FLAG_BOOL, .last = 19},
	{"enforce-node-allocatable", KR_FLAG_CSV},
	{"event-burst", KR_FLAG_INT32, true, 0, INT32_MAX},
	{"event-qps", KR_FLAG_INT32, true, 0, INT32_MAX},
	{"event-storage-age-limit", KR_FLAG_STRING},
	{"event-storage-event-limit", KR_FLAG_STRING},
	{"eviction-hard", KR_FLAG_LESS_MAP},
	{"eviction-max-pod-grace-period", KR_FLAG_INT32},
	{"eviction-minimum-reclaim", KR_FLAG_EQUAL_MAP},
	{"eviction-pressure-transition-period", KR_FLAG_DURATION},
	{"eviction-soft", KR_FLAG_LESS_MAP},
	{"eviction-soft-grace-period", KR_FLAG_EQUAL_MAP},
	{"exit-on-lock-contention", KR_FLAG_BOOL},
	{"experimental-allocatable-ignore-eviction", KR_FLAG_BOOL},
	{"experimental-allowed-unsafe-sysctls", KR_FLAG_CSV, .last = 19},
	{"experimental-bootstrap-kubeconfig", KR_FLAG_STRING, .last = 22},
	{"experimental-cgroups-per-qos", KR_FLAG_BOOL, .last = 19},
	{"experimental-check-node-capabilities-before-mount", KR_FLAG_BOOL,
         .last = 23},
	{"experimental-dockershim", KR_FLAG_BOOL, .last = 19},
	{"experimental-dockershim-root-directory", KR_FLAG_STRING, .last = 23},
	{"experimental-fail-swap-on", KR_FLAG_BOOL, .last = 19},
	{"experimental-flannel-overlay", KR_FLAG_BOOL, .last = 19},
	{"experimental-kernel-memcg-notification", KR_FLAG_BOOL, .last = 24},
	{"experimental-logging-sanitization", KR_FLAG_BOOL, .last = 23},
	{"experimental-mounter-path", KR_FLAG_STRING},
	{"experimental-nvidia-gpus", KR_FLAG_INT32, .last = 19},
	{"experimental-qos-reserved", KR_FLAG_STRING, .last = 19},
	{"fail-cgroupv1", KR_FLAG_BOOL, .first = 31},
	{"fail-swap-on", KR_FLAG_BOOL},
	{"feature-gates", KR_FLAG_BOOL_MAP},
	{"file-check-frequency", KR_FLAG_DURATION},
	{"global-housekeeping-interval", KR_FLAG_DURATION},
	{"google-json-key", KR_FLAG_STRING, .last = 19},
	{"hairpin-mode", KR_FLAG_STRING},
	{"healthz-bind-address", KR_FLAG_IP},
	{"healthz-port", KR_FLAG_INT32, true, 0, 65535},
	{"help", KR_FLAG_BOOL},
	{"host-ipc-sources", KR_FLAG_CSV, .last = 19},
	{"host-network-sources", KR_FLAG_CSV, .last = 19},
	{"host-pid-sources", KR_FLAG_CSV, .last = 19},
	{"hostname-override", KR_FLAG_STRING},
	{"housekeeping-interval", KR_FLAG_DURATION},
	{"http-check-frequency", KR_FLAG_DURATION},
	{"image-credential-provider-bin-dir", KR_FLAG_STRING},
	{"image-credential-provider-config", KR_FLAG_STRING},
	{"image-gc-high-threshold", KR_FLAG_INT32, true, 0, 100},
	{"image-gc-low-threshold", KR_FLAG_INT32, true, 0, 100},
	{"image-pull-progress-deadline", KR_FLAG_DURATION, .last = 23},
	{"image-service-endpoint", KR_FLAG_STRING},
	{"init-config-dir", KR_FLAG_STRING, .last = 19},
	{"iptables-drop-bit", KR_FLAG_INT32, true, 0, 31, .last = 30},
	{"iptables-masquerade-bit", KR_FLAG_INT32, true, 0, 31, .last = 30},
	{"keep-terminated-pod-volumes", KR_FLAG_BOOL, .last = 30},
	{"kernel-memcg-notification", KR_FLAG_BOOL},
	{"kube-api-burst", KR_FLAG_INT32, true, 0, INT32_MAX},
	{"kube-api-content-type", KR_FLAG_STRING},
	{"kube-api-qps", KR_FLAG_INT32, true, 0, INT32_MAX},
	{"kube-reserved", KR_FLAG_EQUAL_MAP},
	{"kube-reserved-cgroup", KR_FLAG_STRING},
	{"kubeconfig", KR_FLAG_STRING},
	{"kubelet-cgroups", KR_FLAG_STRING},
	{"local-storage-capacity-isolation", KR_FLAG_BOOL, .first = 25},
	{"lock-file", KR_FLAG_STRING},
	{"log-backtrace-at", KR_FLAG_STRING, .last = 25},
	{"log-cadvisor-usage", KR_FLAG_BOOL},
	{"log-dir", KR_FLAG_STRING, .last = 25},
	{"log-file", KR_FLAG_STRING, .last = 25},
	{"log-file-max-size", KR_FLAG_UINT64, .last = 25},
	{"log-flush-frequency", KR_FLAG_DURATION},
	{"log-json-info-buffer-size", KR_FLAG_STRING, .first = 23},
	{"log-json-split-stream", KR_FLAG_BOOL, .first = 23},
	{"log-text-info-buffer-size", KR_FLAG_STRING, .first = 30},
	{"log-text-split-stream", KR_FLAG_BOOL, .first = 30},
	{"logging-format", KR_FLAG_STRING},
	{"logtostderr", KR_FLAG_BOOL, .last = 25},
	{"low-diskspace-threshold-mb", KR_FLAG_INT32, .last = 19},
	{"machine-id-file", KR_FLAG_STRING},
	{"make-iptables-util-chains", KR_FLAG_BOOL},
	{"manifest-url", KR_FLAG_STRING},
	{"manifest-url-header", KR_FLAG_COLON_MAP},
	{"master-service-namespace", KR_FLAG_STRING, .last = 26},
	{"max-housekeeping-interval", KR_FLAG_DURATION}, /* OpenShift's */
	{"max-open-files", KR_FLAG_INT64, true, 0, INT64_MAX},
	{"max-pods", KR_FLAG_INT32, true, 0, INT32_MAX},
	{"maximum-dead-containers", KR_FLAG_INT32},
	{"maximum-dead-containers-per-container", KR_FLAG_INT32},
	{"memory-manager-policy", KR_FLAG_STRING, .first = 21},
	{"minimum-container-ttl-duration", KR_FLAG_DURATION},
	{"minimum-image-ttl-duration", KR_FLAG_DURATION},
	{"network-plugin", KR_FLAG_STRING, .last = 23},
	{"network-plugin-dir", KR_FLAG_STRING, .last = 19},
	{"network-plugin-mtu", KR_FLAG_INT32, .last = 23},
	{"node-ip", KR_FLAG_STRING},
	{"node-labels", KR_FLAG_STRING},
	{"node-status-max-images", KR_FLAG_INT32, true, -1, INT32_MAX},
	{"node-status-report-frequency", KR_FLAG_STRING, .last = 19},
	{"node-status-update-frequency", KR_FLAG_DURATION},
	{"non-masquerade-cidr", KR_FLAG_STRING, .last = 23},
	{"one-output", KR_FLAG_BOOL, .last = 25},
	{"oom-score-adj", KR_FLAG_INT32, true, -1000, 1000},
	{"outofdisk-transition-frequency", KR_FLAG_DURATION, .last = 19},
	{"pod-cidr", KR_FLAG_STRING},
	{"pod-infra-container-image", KR_FLAG_STRING, .last = 34},
	{"pod-manifest-path", KR_FLAG_STRING},
	{"pod-max-pids", KR_FLAG_INT64},
	{"pods-per-core", KR_FLAG_INT32, true, 0, INT32_MAX},
	{"port", KR_FLAG_INT32, true, 1, 65535},
	{"protect-kernel-defaults", KR_FLAG_BOOL},
	{"provider-id", KR_FLAG_STRING},
	{"qos-reserved", KR_FLAG_EQUAL_MAP},
	{"read-only-port", KR_FLAG_INT32, true, 0, 65535},
	{"really-crash-for-testing", KR_FLAG_BOOL, .last = 23},
	{"reconcile-cidr", KR_FLAG_BOOL, .last = 19},
	{"redirect-container-streaming", KR_FLAG_BOOL, .last = 21},
	{"register-node", KR_FLAG_BOOL},
	{"register-schedulable", KR_FLAG_BOOL, .last = 33},
	{"register-with-taints", KR_FLAG_STRING},
	{"registry-burst", KR_FLAG_INT32, true, 0, INT32_MAX},
	{"registry-qps", KR_FLAG_INT32, true, 0, INT32_MAX},
	{"require-kubeconfig", KR_FLAG_BOOL, .last = 19},
	{"reserved-cpus", KR_FLAG_STRING},
	{"reserved-memory", KR_FLAG_STRING, .first = 21},
	{"resolv-conf", KR_FLAG_STRING},
	{"resource-container", KR_FLAG_STRING, .last = 19},
	{"rkt-api-endpoint", KR_FLAG_STRING, .last = 19},
	{"rkt-path", KR_FLAG_STRING, .last = 19},
	{"rkt-stage1-image", KR_FLAG_STRING, .last = 19},
	{"root-dir", KR_FLAG_STRING},
	{"rotate-certificates", KR_FLAG_BOOL},
	{"rotate-server-certificates", KR_FLAG_BOOL},
	{"runonce", KR_FLAG_BOOL},
	{"runtime-cgroups", KR_FLAG_STRING},
	{"runtime-request-timeout", KR_FLAG_DURATION},
	{"seccomp-default", KR_FLAG_BOOL, .first = 22},
	{"seccomp-profile-root", KR_FLAG_STRING, .last = 22},
	{"serialize-image-pulls", KR_FLAG_BOOL},
	{"show-hidden-metrics-for-version", KR_FLAG_STRING, .last = 19},
	{"skip-headers", KR_FLAG_BOOL, .last = 25},
	{"skip-log-headers", KR_FLAG_BOOL, .last = 25},
	{"stderrthreshold", KR_FLAG_STRING, .last = 25},
	{"storage-driver-buffer-duration", KR_FLAG_DURATION},
	{"storage-driver-db", KR_FLAG_STRING},
	{"storage-driver-host", KR_FLAG_STRING},
	{"storage-driver-password", KR_FLAG_STRING},
	{"storage-driver-secure", KR_FLAG_BOOL},
	{"storage-driver-table", KR_FLAG_STRING},
	{"storage-driver-user", KR_FLAG_STRING},
	{"streaming-connection-idle-timeout", KR_FLAG_DURATION},
	{"sync-frequency", KR_FLAG_DURATION},
	{"system-cgroups", KR_FLAG_STRING},
	{"system-container", KR_FLAG_STRING, .last = 19},
	{"system-reserved", KR_FLAG_EQUAL_MAP},
	{"system-reserved-cgroup", KR_FLAG_STRING},
	{"tls-cert-file", KR_FLAG_STRING},
	{"tls-cipher-suites", KR_FLAG_CSV},
	{"tls-curve-preferences", KR_FLAG_STRING, .first = 37},
	{"tls-min-version", KR_FLAG_STRING},
	{"tls-private-key-file", KR_FLAG_STRING},
	{"topology-manager-policy", KR_FLAG_STRING},
	{"topology-manager-policy-options", KR_FLAG_STRING, .first = 26},
	{"topology-manager-scope", KR_FLAG_STRING},
	{"v", KR_FLAG_LEVEL},
	{"version", KR_FLAG_VERSION},
	{"vmodule", KR_FLAG_VMODULE},
	{"volume-plugin-dir", KR_FLAG_STRING},
	{"volume-stats-agg-period", KR_FLAG_DURATION},
};

const size_t kr_n_flags = ARRAY_SIZE(kr_flag_table);

static char normalise(char c)
{
	return c == '_' ? '-' : c;
}

static int compare(const char *name, const char *key, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char c = normalise(key[i]);

		if (name[i] != c)
			return (unsigned char)name[i] - (unsigned char)c;
	}
	return (unsigned char)name[length];
}

const struct kr_flag *kr_flag_find(const char *name, size_t length)
{
	size_t low = 0, high = kr_n_flags;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int r = compare(kr_flag_table[middle].name, name, length);

		if (r == 0)
			return &kr_flag_table[middle];
		if (r < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool kr_flag_in(const struct kr_flag *flag, unsigned minor)
{
	return minor == 0 ||
	       (minor >= flag->first && (!flag->last || minor <= flag->last));
}

bool kr_flag_is_bare(const struct kr_flag *flag)
{
	return flag->type == KR_FLAG_BOOL || flag->type == KR_FLAG_VERSION;
}

/* --version=v1.30.0 is taken by newer ones, which then run. */
static bool version_valid(const char *value)
{
	return kr_go_bool(value) >= 0 || !strcmp(value, "raw") ||
	       value[0] == 'v';
}

/* "010.0.0.1": four decimal numbers to Go before 1.17, nothing since. */
static bool is_old_ip(const char *value)
{
	for (int i = 0; i < 4; i++) {
		size_t length = strspn(value, "0123456789");
		int64_t v;

		if (!kr_go_int_text(value, length, 10, 64, &v) || v > 255 ||
		    value[length] != (i < 3 ? '.' : '\0'))
			return false;
		value += length + 1;
	}
	return true;
}

/* Empty means no address. */
static bool ip_valid(const char *value)
{
	struct in6_addr address;

	return !*value || inet_pton(AF_INET, value, &address) == 1 ||
	       inet_pton(AF_INET6, value, &address) == 1 || is_old_ip(value);
}

/* klog: the file and a level, neither empty, level not negative. */
static bool vmodule_pair_valid(const char *pair, size_t length)
{
	const char *equal = memchr(pair, '=', length);
	const char *level;

	if (!equal || equal == pair)
		return false;
	level = equal + 1;
	return kr_go_int_text_valid(level, pair + length - level, 10, 32) &&
	       *level != '-';
}

static bool bool_pair_valid(const char *pair, size_t length)
{
	const char *equal = memchr(pair, '=', length);
	_cleanup_free_ char *value = NULL;
	const char *start, *end = pair + length;

	if (!equal)
		return false;
	start = equal + 1;
	while (start < end && strchr(" \t", *start))
		start++;
	while (end > start && strchr(" \t", end[-1]))
		end--;
	value = strndup(start, end - start);
	return !value || kr_go_bool(value) >= 0;
}

static bool pair_valid(enum kr_flag_type type, const char *pair, size_t length)
{
	switch (type) {
	case KR_FLAG_EQUAL_MAP:
		return memchr(pair, '=', length);
	case KR_FLAG_LESS_MAP:
		return memchr(pair, '<', length);
	case KR_FLAG_COLON_MAP:
		return memchr(pair, ':', length);
	case KR_FLAG_BOOL_MAP:
		return bool_pair_valid(pair, length);
	case KR_FLAG_VMODULE:
		return vmodule_pair_valid(pair, length);
	default:
		return true;
	}
}

/* Pairs between commas; an empty one is skipped. */
static bool pairs_valid(enum kr_flag_type type, const char *value)
{
	for (;;) {
		size_t length = strcspn(value, ",");

		if (length && !pair_valid(type, value, length))
			return false;
		if (!value[length])
			return true;
		value += length + 1;
	}
}

/*
 * pflag's lists: the first record that Go's encoding/csv finds. A quote stands
 * around a whole field or, doubled, in such a one; empty lines before the
 * record are skipped, and lines alone are no record.
 */
static bool csv_valid(const char *value)
{
	const char *s = value;

	if (!*s)
		return true;
	while (*s == '\n' || strncmp(s, "\r\n", 2) == 0)
		s += *s == '\r' ? 2 : 1;
	if (!*s || strcmp(s, "\r") == 0)
		return false;
	for (;; s++) {
		if (*s == '"') {
			do {
				s = strchr(s + 1, '"');
				if (!s)
					return false;
				s++;
			} while (*s == '"');
		} else {
			s += strcspn(s, ",\"\n");
		}
		if (*s != ',')
			return !*s || *s == '\n' || strcmp(s, "\r") == 0 ||
			       strncmp(s, "\r\n", 2) == 0;
	}
}

bool kr_flag_value_valid(const struct kr_flag *flag, const char *value)
{
	size_t length = strlen(value);
	int64_t ignored;

	switch (flag->type) {
	case KR_FLAG_BOOL:
		return kr_go_bool(value) >= 0;
	case KR_FLAG_VERSION:
		return version_valid(value);
	case KR_FLAG_INT32:
		return kr_go_int_text_valid(value, length, 0, 32);
	case KR_FLAG_INT64:
		return kr_go_int_text_valid(value, length, 0, 64);
	case KR_FLAG_UINT64:
		return kr_go_uint_text_valid(value, length, 0, 64);
	case KR_FLAG_LEVEL:
		return kr_go_int_text_valid(value, length, 10, 32);
	case KR_FLAG_FLOAT:
		return kr_go_float_valid(value, length);
	case KR_FLAG_DURATION:
		return kr_go_duration(value, length, &ignored);
	case KR_FLAG_IP:
		return ip_valid(value);
	case KR_FLAG_CSV:
		return csv_valid(value);
	default:
		return pairs_valid(flag->type, value);
	}
}

bool kr_flag_value_in_range(const struct kr_flag *flag, const char *value)
{
	int64_t v;

	if (!flag->ranged || !kr_go_int_text(value, strlen(value), 0, 64, &v))
		return true;
	return v >= flag->min && v <= flag->max;
}

const char *kr_flag_wants(const struct kr_flag *flag)
{
	static const char *const wants[_KR_FLAG_TYPE_MAX] = {
		[KR_FLAG_STRING] = "a word",
		[KR_FLAG_BOOL] = "true or false",
		[KR_FLAG_VERSION] = "true, false or raw",
		[KR_FLAG_INT32] = "a 32-bit integer",
		[KR_FLAG_INT64] = "a 64-bit integer",
		[KR_FLAG_UINT64] = "an integer that is not negative",
		[KR_FLAG_LEVEL] = "a decimal integer",
		[KR_FLAG_FLOAT] = "a number",
		[KR_FLAG_DURATION] = "a duration such as 1m30s",
		[KR_FLAG_IP] = "an IP address",
		[KR_FLAG_CSV] = "a list with commas, whose quotes are paired",
		[KR_FLAG_EQUAL_MAP] = "pairs such as cpu=100m",
		[KR_FLAG_LESS_MAP] = "pairs such as memory.available<100Mi",
		[KR_FLAG_COLON_MAP] = "pairs such as name:value",
		[KR_FLAG_BOOL_MAP] = "pairs such as Gate=true",
		[KR_FLAG_VMODULE] = "pairs such as file=2",
	};

	return wants[flag->type];
}
