/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The types of KubeletConfiguration v1beta1.
 *
 * kubelet decodes its file into a Go struct, and one wrong type in any field is
 * the end of it: `maxPods: many` stops a kubelet whatever our key says. So each
 * field is here with what the decoder takes for it:
 *
 * - a string, a bool, a list, a map, an object: just that, nothing is
 * converted;
 * - an integer: digits only (not 1.0 or 1e2), within its width;
 * - metav1.Duration: a string that time.ParseDuration() reads;
 * - metav1.Time: a string of RFC 3339; resource.Quantity: a string or a number;
 * - null leaves any field as it is, but a metav1.Duration that is no pointer:
 *   its UnmarshalJSON() reads null into an empty string, which it refuses.
 *
 * An unknown key is no error: a field that only some versions have is here with
 * its type and its versions, and a wrong type is an error in those alone.
 *
 * logging.flushFrequency is Go's time.Duration until 1.27, a number; from 1.28
 * on it is TimeOrMetaDuration, which takes a string, too.
 *
 * Source: k8s.io/kubelet config/v1beta1/types.go, k8s.io/component-base
 * config/v1alpha1 (until 1.24), logs/api/v1 and tracing/api/v1, each branch
 * release-1.20 to release-1.36; k8s.io/api core/v1 (Taint); apimachinery
 * meta/v1/{duration,time}.go.
 */

#include <string.h>

#include "base/macro.h"
#include "base/vec.h"
#include "doc/name.h"
#include "kubelet/go.h"
#include "kubelet/grammar.h"
#include "kubelet/minors.h"
#include "kubelet/schema.h"

struct schema_member {
	const char *key;
	const struct kr_schema *type;
	unsigned first, last; /* the minors that have it; 0: no bound */
};

struct kr_schema {
	enum kr_schema_kind kind;
	bool null_invalid;
	unsigned string_first; /* no string before 1.STRING_FIRST; 0: always */
	const struct kr_schema *element;
	const struct schema_member *members;
	size_t n_members;
};

#define SINCE(m)   .first = (m)
#define MEMBERS(m) .members = (m), .n_members = ARRAY_SIZE(m)

/* A type of one kind, a list and a map of another type, and an object. */
#define PLAIN(id, k) static const struct kr_schema t_##id = {.kind = (k)}
#define LIST(id, e)                                                            \
	static const struct kr_schema t_##id = {.kind = KR_SCHEMA_LIST,        \
	                                        .element = &t_##e}
#define MAP(id, e)                                                             \
	static const struct kr_schema t_##id = {.kind = KR_SCHEMA_MAP,         \
	                                        .element = &t_##e}
#define OBJECT(id, ...)                                                        \
	static const struct schema_member id##_members[] = {__VA_ARGS__};      \
	static const struct kr_schema t_##id = {MEMBERS(id##_members)}

/* clang-format off */
PLAIN(string, KR_SCHEMA_STRING);
PLAIN(bool, KR_SCHEMA_BOOL);
PLAIN(int32, KR_SCHEMA_INT32);
PLAIN(int64, KR_SCHEMA_INT64);
PLAIN(uint32, KR_SCHEMA_UINT32);
PLAIN(float64, KR_SCHEMA_FLOAT64);
PLAIN(time, KR_SCHEMA_TIME);
PLAIN(quantity, KR_SCHEMA_QUANTITY);
PLAIN(duration_pointer, KR_SCHEMA_DURATION);
static const struct kr_schema t_duration = {
	.kind = KR_SCHEMA_DURATION, .null_invalid = true};
static const struct kr_schema t_flush_duration = {
	.kind = KR_SCHEMA_FLUSH_DURATION, .string_first = 28};

LIST(strings, string);
LIST(int32s, int32);
MAP(string_map, string);
MAP(bool_map, bool);
MAP(strings_map, strings);
MAP(quantity_map, quantity);

OBJECT(x509, {"clientCAFile", &t_string});
OBJECT(webhook_authn, {"enabled", &t_bool}, {"cacheTTL", &t_duration});
OBJECT(anonymous, {"enabled", &t_bool});
OBJECT(authn,
	{"x509", &t_x509}, {"webhook", &t_webhook_authn},
	{"anonymous", &t_anonymous});
OBJECT(webhook_authz,
	{"cacheAuthorizedTTL", &t_duration},
	{"cacheUnauthorizedTTL", &t_duration});
OBJECT(authz, {"mode", &t_string}, {"webhook", &t_webhook_authz});
OBJECT(memory_swap, {"swapBehavior", &t_string});
OBJECT(crash_loop, {"maxContainerRestartPeriod", &t_duration_pointer});
OBJECT(user_namespaces, {"idsPerPod", &t_int64});
OBJECT(tracing, {"endpoint", &t_string}, {"samplingRatePerMillion", &t_int32});
OBJECT(taint,
	{"key", &t_string}, {"value", &t_string}, {"effect", &t_string},
	{"timeAdded", &t_time});
LIST(taints, taint);
OBJECT(memory_reservation, {"numaNode", &t_int32}, {"limits", &t_quantity_map});
LIST(memory_reservations, memory_reservation);
OBJECT(grace_period,
	{"priority", &t_int32}, {"shutdownGracePeriodSeconds", &t_int64});
LIST(grace_periods, grace_period);
OBJECT(log_routing, {"splitStream", &t_bool}, {"infoBufferSize", &t_quantity});
OBJECT(log_options,
	{"text", &t_log_routing, SINCE(30)}, {"json", &t_log_routing});
OBJECT(vmodule, {"filePattern", &t_string}, {"verbosity", &t_uint32});
LIST(vmodules, vmodule);
OBJECT(logging,
	{"format", &t_string}, {"sanitization", &t_bool, .last = 23},
	{"flushFrequency", &t_flush_duration, SINCE(23)},
	{"verbosity", &t_uint32, SINCE(23)},
	{"vmodule", &t_vmodules, SINCE(23)},
	{"options", &t_log_options, SINCE(23)});

/* In the order of types.go. */
static const struct schema_member root_members[] = {
	{"kind", &t_string},
	{"apiVersion", &t_string},
	{"enableServer", &t_bool},
	{"staticPodPath", &t_string},
	{"podLogsDir", &t_string, SINCE(30)},
	{"syncFrequency", &t_duration},
	{"fileCheckFrequency", &t_duration},
	{"httpCheckFrequency", &t_duration},
	{"staticPodURL", &t_string},
	{"staticPodURLHeader", &t_strings_map},
	{"address", &t_string},
	{"port", &t_int32},
	{"readOnlyPort", &t_int32},
	{"tlsCertFile", &t_string},
	{"tlsPrivateKeyFile", &t_string},
	{"tlsCipherSuites", &t_strings},
	{"tlsCurvePreferences", &t_int32s, SINCE(36)},
	{"tlsMinVersion", &t_string},
	{"rotateCertificates", &t_bool},
	{"serverTLSBootstrap", &t_bool},
	{"authentication", &t_authn},
	{"authorization", &t_authz},
	{"registryPullQPS", &t_int32},
	{"registryBurst", &t_int32},
	{"imagePullCredentialsVerificationPolicy", &t_string, SINCE(33)},
	{"preloadedImagesVerificationAllowlist", &t_strings, SINCE(33)},
	{"eventRecordQPS", &t_int32},
	{"eventBurst", &t_int32},
	{"enableDebuggingHandlers", &t_bool},
	{"enableContentionProfiling", &t_bool},
	{"healthzPort", &t_int32},
	{"healthzBindAddress", &t_string},
	{"oomScoreAdj", &t_int32},
	{"clusterDomain", &t_string},
	{"clusterDNS", &t_strings},
	{"streamingConnectionIdleTimeout", &t_duration},
	{"nodeStatusUpdateFrequency", &t_duration},
	{"nodeStatusReportFrequency", &t_duration},
	{"nodeLeaseDurationSeconds", &t_int32},
	{"imageMinimumGCAge", &t_duration},
	{"imageMaximumGCAge", &t_duration, SINCE(29)},
	{"imageGCHighThresholdPercent", &t_int32},
	{"imageGCLowThresholdPercent", &t_int32},
	{"volumeStatsAggPeriod", &t_duration},
	{"kubeletCgroups", &t_string},
	{"systemCgroups", &t_string},
	{"cgroupRoot", &t_string},
	{"cgroupsPerQOS", &t_bool},
	{"cgroupDriver", &t_string},
	{"cpuManagerPolicy", &t_string},
	{"singleProcessOOMKill", &t_bool, SINCE(32)},
	{"cpuManagerPolicyOptions", &t_string_map, SINCE(22)},
	{"cpuManagerReconcilePeriod", &t_duration},
	{"memoryManagerPolicy", &t_string, SINCE(21)},
	{"topologyManagerPolicy", &t_string},
	{"topologyManagerScope", &t_string},
	{"topologyManagerPolicyOptions", &t_string_map, SINCE(26)},
	{"qosReserved", &t_string_map},
	{"runtimeRequestTimeout", &t_duration},
	{"hairpinMode", &t_string},
	{"maxPods", &t_int32},
	{"podCIDR", &t_string},
	{"podPidsLimit", &t_int64},
	{"resolvConf", &t_string},
	{"runOnce", &t_bool},
	{"cpuCFSQuota", &t_bool},
	{"cpuCFSQuotaPeriod", &t_duration_pointer},
	{"nodeStatusMaxImages", &t_int32},
	{"maxOpenFiles", &t_int64},
	{"contentType", &t_string},
	{"kubeAPIQPS", &t_int32},
	{"kubeAPIBurst", &t_int32},
	{"serializeImagePulls", &t_bool},
	{"maxParallelImagePulls", &t_int32, SINCE(27)},
	{"evictionHard", &t_string_map},
	{"evictionSoft", &t_string_map},
	{"evictionSoftGracePeriod", &t_string_map},
	{"evictionPressureTransitionPeriod", &t_duration},
	{"evictionMaxPodGracePeriod", &t_int32},
	{"evictionMinimumReclaim", &t_string_map},
	{"mergeDefaultEvictionSettings", &t_bool, SINCE(33)},
	{"podsPerCore", &t_int32},
	{"enableControllerAttachDetach", &t_bool},
	{"protectKernelDefaults", &t_bool},
	{"makeIPTablesUtilChains", &t_bool},
	{"iptablesMasqueradeBit", &t_int32},
	{"iptablesDropBit", &t_int32},
	{"featureGates", &t_bool_map},
	{"failSwapOn", &t_bool},
	{"memorySwap", &t_memory_swap, SINCE(22)},
	{"containerLogMaxSize", &t_string},
	{"containerLogMaxFiles", &t_int32},
	{"containerLogMaxWorkers", &t_int32, SINCE(30)},
	{"containerLogMonitorInterval", &t_duration_pointer, SINCE(30)},
	{"configMapAndSecretChangeDetectionStrategy", &t_string},
	{"systemReserved", &t_string_map},
	{"kubeReserved", &t_string_map},
	{"reservedSystemCPUs", &t_string},
	{"showHiddenMetricsForVersion", &t_string},
	{"systemReservedCgroup", &t_string},
	{"kubeReservedCgroup", &t_string},
	{"enforceNodeAllocatable", &t_strings},
	{"allowedUnsafeSysctls", &t_strings},
	{"volumePluginDir", &t_string},
	{"providerID", &t_string},
	{"kernelMemcgNotification", &t_bool},
	{"logging", &t_logging},
	{"enableSystemLogHandler", &t_bool},
	{"enableSystemLogQuery", &t_bool, SINCE(27)},
	{"shutdownGracePeriod", &t_duration},
	{"shutdownGracePeriodCriticalPods", &t_duration},
	{"shutdownGracePeriodByPodPriority", &t_grace_periods, SINCE(23)},
	{"crashLoopBackOff", &t_crash_loop, SINCE(32)},
	{"reservedMemory", &t_memory_reservations, SINCE(21)},
	{"enableProfilingHandler", &t_bool, SINCE(21)},
	{"enableDebugFlagsHandler", &t_bool, SINCE(21)},
	{"seccompDefault", &t_bool, SINCE(22)},
	{"memoryThrottlingFactor", &t_float64, SINCE(22)},
	{"memoryReservationPolicy", &t_string, SINCE(36)},
	{"registerWithTaints", &t_taints, SINCE(23)},
	{"registerNode", &t_bool, SINCE(23)},
	{"tracing", &t_tracing, SINCE(25)},
	{"localStorageCapacityIsolation", &t_bool, SINCE(25)},
	{"containerRuntimeEndpoint", &t_string, SINCE(27)},
	{"imageServiceEndpoint", &t_string, SINCE(27)},
	{"failCgroupV1", &t_bool, SINCE(31)},
	{"userNamespaces", &t_user_namespaces, SINCE(33)},
};
static const struct kr_schema t_root = {MEMBERS(root_members)};
/* clang-format on */

const struct kr_schema *kr_schema_root(void)
{
	return &t_root;
}

enum kr_schema_kind kr_schema_kind(const struct kr_schema *schema)
{
	return schema->kind;
}

static uint64_t minors_of(const struct schema_member *member)
{
	return kr_minors_range(member->first ?: KR_FIRST_MINOR,
	                       member->last ?: KR_LAST_MINOR);
}

const struct kr_schema *kr_schema_find(const struct kr_schema *object,
                                       const char *key, size_t length,
                                       bool fold_case, uint64_t *ret_minors)
{
	KR_EACH(const struct schema_member, member, object->members,
	        object->n_members) {
		if (!kr_name_may_equal(member->key, key, length) ||
		    !kr_name_equal(member->key, key, length, fold_case))
			continue;
		*ret_minors = minors_of(member);
		return member->type;
	}
	return NULL;
}

const struct kr_schema *kr_schema_member(const struct kr_schema *object,
                                         const char *key, size_t length,
                                         bool fold_case)
{
	uint64_t ignored;

	return kr_schema_find(object, key, length, fold_case, &ignored);
}

uint64_t kr_schema_string_minors(const struct kr_schema *schema)
{
	return kr_minors_range(schema->string_first ?: KR_FIRST_MINOR,
	                       KR_LAST_MINOR);
}

const struct kr_schema *kr_schema_element(const struct kr_schema *schema)
{
	return schema->element;
}

const struct kr_schema *kr_schema_at(const char *path)
{
	const struct kr_schema *schema = kr_schema_root();

	for (;;) {
		size_t length = strcspn(path, ".");

		if (kr_schema_kind(schema) == KR_SCHEMA_MAP)
			return kr_schema_element(schema);
		schema = kr_schema_member(schema, path, length, false);
		if (!path[length])
			return schema;
		path += length + 1;
	}
}

bool kr_schema_null_valid(const struct kr_schema *schema)
{
	return !schema->null_invalid;
}

bool kr_schema_bool_valid(const struct kr_schema *schema)
{
	return schema->kind == KR_SCHEMA_BOOL;
}

/* A quantity decodes itself, and takes blanks off; in a map of texts, which
 * kubelet parses later, it has none. */
static bool quantity_valid(const char *s, size_t length)
{
	static const char blanks[] = " \t\n\v\f\r";
	int sign;

	while (length > 0 && memchr(blanks, *s, sizeof(blanks) - 1)) {
		s++;
		length--;
	}
	while (length > 0 && memchr(blanks, s[length - 1], sizeof(blanks) - 1))
		length--;
	return kr_quantity_valid(s, length, &sign);
}

bool kr_schema_string_valid(const struct kr_schema *schema, const char *s,
                            size_t length)
{
	int64_t ignored;

	switch (schema->kind) {
	case KR_SCHEMA_STRING:
		return true;
	case KR_SCHEMA_DURATION:
	case KR_SCHEMA_FLUSH_DURATION:
		return kr_go_duration(s, length, &ignored);
	case KR_SCHEMA_TIME:
		return kr_go_time_valid(s, length);
	case KR_SCHEMA_QUANTITY:
		return quantity_valid(s, length);
	default:
		return false;
	}
}

bool kr_schema_number_valid(const struct kr_schema *schema, const char *text,
                            size_t length)
{
	switch (schema->kind) {
	case KR_SCHEMA_INT32:
		return kr_go_int_valid(text, length, 32);
	case KR_SCHEMA_INT64:
	case KR_SCHEMA_FLUSH_DURATION:
		return kr_go_int_valid(text, length, 64);
	case KR_SCHEMA_UINT32:
		return kr_go_uint_valid(text, length, 32);
	case KR_SCHEMA_FLOAT64:
		return kr_go_float_valid(text, length);
	case KR_SCHEMA_QUANTITY:
		return quantity_valid(text, length);
	default:
		return false;
	}
}

const char *kr_schema_wants(const struct kr_schema *schema, uint64_t minors)
{
	static const char *const wants[_KR_SCHEMA_KIND_MAX] = {
		[KR_SCHEMA_OBJECT] = "an object",
		[KR_SCHEMA_LIST] = "a list",
		[KR_SCHEMA_MAP] = "a map",
		[KR_SCHEMA_STRING] = "a string",
		[KR_SCHEMA_BOOL] = "a boolean",
		[KR_SCHEMA_INT32] = "a 32-bit integer",
		[KR_SCHEMA_INT64] = "a 64-bit integer",
		[KR_SCHEMA_UINT32] = "a 32-bit integer that is not negative",
		[KR_SCHEMA_FLOAT64] = "a number",
		[KR_SCHEMA_DURATION] = "a duration such as \"1m30s\"",
		[KR_SCHEMA_FLUSH_DURATION] =
			"a duration such as \"1m30s\", or nanoseconds",
		[KR_SCHEMA_TIME] = "a time such as \"2026-01-31T08:00:00Z\"",
		[KR_SCHEMA_QUANTITY] = "a quantity such as \"10Mi\"",
	};

	if (!(minors & kr_schema_string_minors(schema)))
		return "an integer, in nanoseconds";
	return wants[schema->kind];
}
