/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ValidateKubeletConfiguration(): ranges, enumerations and cross rules of the
 * configuration that flags, files and defaults have come to. kubelet asks it
 * before it does anything else, and collects all that is wrong.
 *
 * Source: kubernetes pkg/kubelet/apis/config/validation, component-base logs,
 * metrics and tracing, of 1.20, 1.21 and 1.23 to 1.36; of 1.22 the rules that
 * 1.21 and 1.23 share.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "kubelet/grammar.h"
#include "kubelet/validate-constraint.h"

/* The same where zero is no value ("off"). */
static bool out_of_range_or_zero(struct kr_validation *j)
{
	int64_t n;

	return kr_validation_number(j, j->rule->fields[0], &n) && n != 0 &&
	       (n < j->rule->min || n > j->rule->max);
}

static bool is_named(struct kr_validation *j, const char *item)
{
	return kr_constraint_is_name(item, j->rule->names);
}

/* An element of a list that is no name. */
static bool no_names(struct kr_validation *j)
{
	return kr_validation_refuse_items(j, is_named);
}

static bool other_cfs_period(struct kr_validation *j)
{
	int64_t n;

	return kr_validation_number(j, j->rule->fields[0], &n) && n != 100 * MS;
}

/* The message names the setting that is set. */
static bool gc_order(struct kr_validation *j)
{
	bool low_set = kr_validation_is_set(j, j->rule->fields[0]);
	int64_t low, high;

	if (!kr_validation_number(j, j->rule->fields[0], &low) ||
	    !kr_validation_number(j, j->rule->fields[1], &high) || low < high)
		return false;
	snprintf(j->words, sizeof(j->words), "must be %s %s, which is %lld",
	         low_set ? "below" : "above",
	         kr_field_name(j->rule->fields[low_set ? 1 : 0]),
	         (long long)(low_set ? high : low));
	return true;
}

static bool image_age_order(struct kr_validation *j)
{
	int64_t max, min;

	return kr_validation_number(j, j->rule->fields[0], &max) &&
	       kr_validation_number(j, j->rule->fields[1], &min) && max > 0 &&
	       max <= min;
}

/* Where it is not written, kubelet chooses what fits. */
static bool serial_pulls(struct kr_validation *j)
{
	int64_t n;

	return kr_validation_is_set(j, j->rule->fields[1]) &&
	       kr_validation_is_bool(j, j->rule->fields[1], true) &&
	       kr_validation_number(j, j->rule->fields[0], &n) && n > 1;
}

static bool shutdown_order(struct kr_validation *j)
{
	int64_t critical, total;

	return kr_validation_number(j, j->rule->fields[0], &critical) &&
	       kr_validation_number(j, j->rule->fields[1], &total) &&
	       critical > total;
}

static bool is_positive(struct kr_validation *j)
{
	int64_t n;

	return kr_validation_number(j, j->rule->fields[0], &n) && n > 0;
}

static bool shutdown_both(struct kr_validation *j)
{
	int64_t total, critical;

	return kr_validation_items(j, j->rule->fields[0])->n_items > 0 &&
	       kr_validation_number(j, j->rule->fields[1], &total) &&
	       kr_validation_number(j, j->rule->fields[2], &critical) &&
	       (total > 0 || critical > 0);
}

static bool throttling(struct kr_validation *j)
{
	struct kr_held held = kr_validation_hold(j, j->rule->fields[0]);

	return held.value && held.whence != KR_WHENCE_UNKNOWN &&
	       !(held.value->d > 0 && held.value->d <= 1);
}

/* In whole milliseconds. */
static bool restart_period(struct kr_validation *j)
{
	int64_t n;

	return kr_validation_number(j, j->rule->fields[0], &n) &&
	       (n / MS < j->rule->min || n / MS > j->rule->max);
}

static bool is_written(struct kr_validation *j)
{
	return kr_validation_is_set(j, j->rule->fields[0]) &&
	       kr_validation_hold(j, j->rule->fields[0]).value;
}

static bool none_and_others(struct kr_validation *j)
{
	return kr_validation_items(j, j->rule->fields[0])->n_items > 1 &&
	       kr_validation_has_item(j, j->rule->fields[0], "none");
}

/* A name in the list that needs the cgroup of the second field: the first of
 * NAMES, from 1.32 on also the second. */
static bool no_cgroup(struct kr_validation *j)
{
	const char *const *names = j->rule->names;
	int field = j->rule->fields[0];

	return kr_validation_is_text(j, j->rule->fields[1], "") &&
	       (kr_validation_has_item(j, field, names[0]) ||
	        (kr_validation_minor(j) >= 32 &&
	         kr_validation_has_item(j, field, names[1])));
}

static bool not_per_qos(struct kr_validation *j)
{
	const struct kr_strings *list =
		kr_validation_items(j, j->rule->fields[1]);

	if (!kr_validation_is_bool(j, j->rule->fields[0], false))
		return false;
	return KR_ANY(one, list->items, list->n_items,
	              kr_validation_minor(j) <= 30 ||
	                      strcmp(*one, "none") != 0);
}

static bool twice(struct kr_validation *j)
{
	const struct kr_strings *list =
		kr_validation_items(j, j->rule->fields[0]);

	for (size_t i = 0; i < list->n_items; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strcmp(list->items[i], list->items[k]) != 0)
				continue;
			if (kr_validation_refuse(j, list, i))
				return true;
			break;
		}
	}
	return false;
}

static bool both_compressible(struct kr_validation *j)
{
	int field = j->rule->fields[0];

	return (kr_validation_has_item(j, field, "system-reserved") &&
	        kr_validation_has_item(j, field,
	                               "system-reserved-compressible")) ||
	       (kr_validation_has_item(j, field, "kube-reserved") &&
	        kr_validation_has_item(j, field, "kube-reserved-compressible"));
}

static bool no_cgroup_root(struct kr_validation *j)
{
	return kr_validation_is_not_empty(j, j->rule->fields[0]) &&
	       kr_validation_is_text(j, j->rule->fields[1], "");
}

static bool cpus_and_cgroup(struct kr_validation *j)
{
	return kr_validation_is_not_empty(j, j->rule->fields[0]) &&
	       (kr_validation_is_not_empty(j, j->rule->fields[1]) ||
	        kr_validation_is_not_empty(j, j->rule->fields[2]));
}

static bool no_cpu_list(struct kr_validation *j)
{
	const char *s = kr_validation_text(j, j->rule->fields[0]);

	return s && *s && !kr_cpu_list_valid(s, kr_validation_minor(j));
}

/* A member of a list's elements that is not VALID. */
static bool bad_member(struct kr_validation *j)
{
	const struct kr_strings *pairs =
		kr_validation_items(j, j->rule->fields[0]);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		const char *slash = strchr(pairs->items[i], '/');

		if (slash && strcmp(slash + 1, j->rule->member) == 0 &&
		    kr_validation_counts(pairs, i) &&
		    !j->rule->valid(pairs->items[i + 1]) &&
		    kr_validation_refuse_value(j, pairs, i))
			return true;
	}
	return false;
}

static bool taint_key(struct kr_validation *j)
{
	const struct kr_strings *pairs =
		kr_validation_items(j, j->rule->fields[0]);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		char path[40];

		if (strchr(pairs->items[i], '/'))
			continue;
		snprintf(path, sizeof(path), "%s/key", pairs->items[i]);
		if (kr_validation_entry(j, j->rule->fields[0], path) ||
		    !kr_validation_refuse_name(j, pairs, i))
			continue;
		snprintf(j->words, sizeof(j->words),
		         "must have a key in element %d",
		         atoi(pairs->items[i]) + 1);
		return true;
	}
	return bad_member(j);
}

static bool effect_valid(const char *s)
{
	static const char *const names[] = {"", "NoSchedule", "NoExecute",
	                                    "PreferNoSchedule", NULL};

	return kr_constraint_is_name(s, names);
}

static bool never(const char *s)
{
	(void)s;
	return false;
}

/* A relative one in the file of --config is made absolute. */
static bool pod_logs(struct kr_validation *j)
{
	struct kr_held held = kr_validation_hold(j, j->rule->fields[0]);
	bool main_file = j->in->config_read && held.file == 0;

	if (!held.value || held.whence == KR_WHENCE_UNKNOWN)
		return false;
	if (main_file && *held.value->s != '/')
		return false;
	return !kr_clean_path_valid(held.value->s);
}

static bool query_without_handler(struct kr_validation *j)
{
	return kr_validation_is_bool(j, j->rule->fields[0], true) &&
	       kr_validation_is_bool(j, j->rule->fields[1], false);
}

static bool allowlist_policy(struct kr_validation *j)
{
	return kr_validation_items(j, j->rule->fields[0])->n_items > 0 &&
	       !kr_validation_is_unknown(j, j->rule->fields[1]) &&
	       !kr_validation_is_text(j, j->rule->fields[1],
	                              "NeverVerifyAllowlistedImages");
}

static bool pattern_ok(struct kr_validation *j, const char *item)
{
	return kr_image_pattern_valid(item);
}

static bool allowlist_pattern(struct kr_validation *j)
{
	return kr_validation_is_text(j, j->rule->fields[1],
	                             "NeverVerifyAllowlistedImages") &&
	       kr_validation_refuse_items(j, pattern_ok);
}

static bool vmodule_format(struct kr_validation *j)
{
	return kr_validation_items(j, j->rule->fields[0])->n_items > 0 &&
	       kr_validation_is_text(j, j->rule->fields[1], "json");
}

static bool pattern_valid(const char *s)
{
	return *s && !strpbrk(s, "=,");
}

static bool verbosity_valid(const char *s)
{
	return strtoll(s, NULL, 10) <= INT32_MAX;
}

static bool is_amount(struct kr_validation *j)
{
	const char *s = kr_validation_text(j, j->rule->fields[0]);
	int sign;

	return s && kr_quantity_valid(s, strlen(s), &sign) && sign != 0;
}

static bool trace_endpoint(struct kr_validation *j)
{
	const char *s = kr_validation_text(j, j->rule->fields[0]);

	return s && !kr_trace_endpoint_valid(s);
}

/* A newer version counts as the last that is known, and has its own. */
static bool hidden_metrics(struct kr_validation *j)
{
	const char *s = kr_validation_text(j, j->rule->fields[0]);
	unsigned minors[] = {kr_validation_minor(j), j->in->kubelet_minor};
	char want[16];

	if (!s || !*s)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(minors); i++) {
		snprintf(want, sizeof(want), "1.%u", minors[i] - 1);
		if (minors[i] > 0 && strcmp(s, want) == 0)
			return false;
	}
	if (minors[1] > 0)
		snprintf(j->words, sizeof(j->words),
		         "must be \"%s\", the minor version before "
		         "kubelet's own",
		         want);
	return true;
}

static bool ids_per_pod(struct kr_validation *j)
{
	int64_t n;

	return kr_validation_number(j, j->rule->fields[0], &n) &&
	       (n < 65536 || n % 65536 != 0 || n > UINT32_MAX);
}

/* --- the table ----------------------------------------------------------- */

#define MEMBER(name, is_valid) .member = (name), .valid = (is_valid)
#define EACH(name, is_valid)   IF(bad_member), MEMBER(name, is_valid)

/* clang-format off */
const struct kr_constraint kr_constraints_config[] = {
	{{F(NODE_LEASE)}, ALL, RANGE(1, INT32_MAX)},
	{{F(EVENT_BURST)}, ALL, RANGE(0, INT32_MAX)},
	{{F(EVENT_QPS)}, ALL, RANGE(0, INT32_MAX)},
	{{F(HEALTHZ_PORT)}, ALL, RANGE(0, 65535)},
	{{F(CFS_PERIOD)}, ALL, OFF("CustomCPUCFSQuotaPeriod"),
	 IF(other_cfs_period), WOULD("be 100ms")},
	{{F(CFS_PERIOD)}, 20, 25, ON("CustomCPUCFSQuotaPeriod"),
	 RANGE(1000, SECOND), WOULD("be from 1us to 1s")},
	{{F(CFS_PERIOD)}, 26, 36, ON("CustomCPUCFSQuotaPeriod"),
	 RANGE(MS, SECOND), WOULD("be from 1ms to 1s")},
	{{F(IMAGE_GC_HIGH)}, ALL, RANGE(0, 100)},
	{{F(IMAGE_GC_LOW)}, ALL, RANGE(0, 100)},
	{{F(IMAGE_GC_LOW), F(IMAGE_GC_HIGH)}, ALL, IF(gc_order),
	 WOULD("leave the lower threshold below the higher")},
	{{F(IMAGE_MAX_AGE)}, 29, 36, OFF("ImageMaximumGCAge"),
	 IF(kr_constraint_says), WOULD("be 0s")},
	{{F(IMAGE_MAX_AGE)}, 29, 36, RANGE(0, INT64_MAX),
	 WOULD("be 0s or more")},
	{{F(IMAGE_MAX_AGE), F(IMAGE_MIN_AGE)}, 29, 36, IF(image_age_order),
	 WOULD("be 0s, or above imageMinimumGCAge (2m where it is not set)")},
	{{F(IMAGE_MIN_AGE)}, 36, 36, RANGE(0, INT64_MAX),
	 WOULD("be 0s or more")},
	{{F(DROP_BIT)}, ALL, RANGE(0, 31)},
	{{F(MASQUERADE_BIT)}, ALL, RANGE(0, 31)},
	{{F(KUBE_API_BURST)}, ALL, RANGE(0, INT32_MAX)},
	{{F(KUBE_API_QPS)}, ALL, RANGE(0, INT32_MAX)},
	{{F(STATUS_MAX_IMAGES)}, ALL, RANGE(-1, INT32_MAX)},
	{{F(MAX_OPEN_FILES)}, ALL, RANGE(0, INT64_MAX)},
	{{F(MAX_PODS)}, ALL, RANGE(0, INT32_MAX)},
	{{F(OOM_SCORE_ADJ)}, ALL, RANGE(-1000, 1000)},
	{{F(PODS_PER_CORE)}, ALL, RANGE(0, INT32_MAX)},
	{{F(PORT)}, ALL, RANGE(1, 65535)},
	{{F(READ_ONLY_PORT)}, ALL, RANGE(0, 65535)},
	{{F(REGISTRY_BURST)}, ALL, RANGE(0, INT32_MAX)},
	{{F(REGISTRY_QPS)}, ALL, RANGE(0, INT32_MAX)},
	{{F(PARALLEL_PULLS)}, 27, 36, RANGE(1, INT32_MAX)},
	{{F(PARALLEL_PULLS), F(SERIALIZE_PULLS)}, 27, 36, IF(serial_pulls),
	 WOULD("be 1 while serializeImagePulls is true")},
	{{F(SERVER_BOOTSTRAP)}, ALL, OFF("RotateKubeletServerCertificate"),
	 IF(kr_constraint_is_true), WOULD("be false")},
	{{F(RUN_ONCE)}, 32, 36, IF(kr_constraint_is_true),
	 WOULD("be false: kubelet has no such mode any more")},
	{{F(TOPOLOGY_POLICY)}, ALL,
	 ONE_OF("none", "best-effort", "restricted", "single-numa-node"),
	 WOULD("be none, best-effort, restricted or single-numa-node")},
	{{F(TOPOLOGY_POLICY)}, 20, 26, OFF("TopologyManager"), ONE_OF("none"),
	 WOULD("be none")},
	{{F(TOPOLOGY_SCOPE)}, ALL, ONE_OF("container", "pod"),
	 WOULD("be container or pod")},
	{{F(TOPOLOGY_SCOPE)}, 20, 26, OFF("TopologyManager"),
	 ONE_OF("container"), WOULD("be container")},
	{{F(HAIRPIN)}, ALL,
	 ONE_OF("none", "hairpin-veth", "promiscuous-bridge"),
	 WOULD("be none, hairpin-veth or promiscuous-bridge")},
	{{F(SHUTDOWN_TOTAL)}, ALL, ON("GracefulNodeShutdown"),
	 IF(out_of_range_or_zero), .min = SECOND, .max = INT64_MAX,
	 WOULD("be 0s, or 1s or more")},
	{{F(SHUTDOWN_CRITICAL)}, ALL, ON("GracefulNodeShutdown"),
	 IF(out_of_range_or_zero), .min = SECOND, .max = INT64_MAX,
	 WOULD("be 0s, or 1s or more")},
	{{F(SHUTDOWN_CRITICAL), F(SHUTDOWN_TOTAL)}, ALL,
	 ON("GracefulNodeShutdown"), IF(shutdown_order),
	 WOULD("be no more than shutdownGracePeriod")},
	{{F(SHUTDOWN_TOTAL)}, ALL, OFF("GracefulNodeShutdown"), IF(is_positive),
	 WOULD("be 0s")},
	{{F(SHUTDOWN_CRITICAL)}, ALL, OFF("GracefulNodeShutdown"),
	 IF(is_positive), WOULD("be 0s")},
	{{F(SHUTDOWN_PRIORITY), F(SHUTDOWN_TOTAL), F(SHUTDOWN_CRITICAL)}, 23,
	 36, ON("GracefulNodeShutdownBasedOnPodPriority"), IF(shutdown_both),
	 WOULD("stand without shutdownGracePeriod and "
	       "shutdownGracePeriodCriticalPods")},
	{{F(SHUTDOWN_PRIORITY)}, 23, 36,
	 OFF("GracefulNodeShutdownBasedOnPodPriority"), IF(kr_constraint_says),
	 WOULD("be empty")},
	{{F(SWAP)}, 22, 29, ON("NodeSwap"),
	 ONE_OF("", "LimitedSwap", "UnlimitedSwap"),
	 WOULD("be LimitedSwap or UnlimitedSwap")},
	{{F(SWAP)}, 30, 36, ON("NodeSwap"), ONE_OF("", "NoSwap", "LimitedSwap"),
	 WOULD("be NoSwap or LimitedSwap")},
	{{F(SWAP)}, 23, 36, OFF("NodeSwap"), ONE_OF(""), WOULD("be empty")},
	{{F(MEMORY_THROTTLING)}, 22, 36, IF(throttling),
	 WOULD("be above 0 and no more than 1")},
	{{F(MEMORY_RESERVATION)}, 36, 36, ONE_OF("None", "TieredReservation"),
	 WOULD("be None or TieredReservation")},
	{{F(MEMORY_RESERVATION)}, 36, 36, OFF("MemoryQoS"),
	 NONE_OF("TieredReservation"), WOULD("be None")},
	{{F(RESTART_PERIOD)}, 32, 36, ON("KubeletCrashLoopBackOffMax"),
	 IF(restart_period), .min = 1000, .max = 300000,
	 WOULD("be from 1s to 300s")},
	{{F(RESTART_PERIOD)}, 32, 36, OFF("KubeletCrashLoopBackOffMax"),
	 IF(is_written), WOULD("be left out")},
	{{F(ENFORCE)}, 20, 31, IF(no_names),
	 NAMES("pods", "system-reserved", "kube-reserved", "none"),
	 WOULD("hold pods, system-reserved, kube-reserved or none")},
	{{F(ENFORCE)}, 32, 36, IF(no_names),
	 NAMES("pods", "system-reserved", "system-reserved-compressible",
	       "kube-reserved", "kube-reserved-compressible", "none"),
	 WOULD("hold pods, system-reserved, kube-reserved, the "
	       "last two also with -compressible, or none")},
	{{F(ENFORCE)}, ALL, IF(none_and_others),
	 WOULD("hold none alone, or other names")},
	{{F(ENFORCE), F(SYSTEM_CGROUP)}, ALL, IF(no_cgroup),
	 NAMES("system-reserved", "system-reserved-compressible"),
	 WOULD("be without system-reserved while systemReservedCgroup is not "
	       "set")},
	{{F(ENFORCE), F(KUBE_CGROUP)}, ALL, IF(no_cgroup),
	 NAMES("kube-reserved", "kube-reserved-compressible"),
	 WOULD("be without kube-reserved while kubeReservedCgroup is not set")},
	{{F(CGROUPS_PER_QOS), F(ENFORCE)}, ALL, IF(not_per_qos),
	 WOULD("be true while enforceNodeAllocatable ([pods] where it is not "
	       "set) is not empty")},
	{{F(ENFORCE)}, 31, 36, IF(twice), WOULD("hold each name once")},
	{{F(ENFORCE)}, 32, 36, IF(both_compressible),
	 WOULD("hold a name or its -compressible form, not both")},
	{{F(SYSTEM_CGROUPS), F(CGROUP_ROOT)}, ALL, IF(no_cgroup_root),
	 WOULD("be empty while cgroupRoot is not set")},
	{{F(SYSTEM_CGROUPS)}, ALL, NONE_OF("/"),
	 WOULD("be another cgroup than /")},
	{{F(RESERVED_CPUS), F(SYSTEM_CGROUP), F(KUBE_CGROUP)}, ALL,
	 IF(cpus_and_cgroup),
	 WOULD("stand without systemReservedCgroup and kubeReservedCgroup")},
	{{F(RESERVED_CPUS)}, ALL, IF(no_cpu_list),
	 WOULD("be a list of CPUs such as 0-3,7")},
	{{F(TAINTS)}, 23, 36, IF(taint_key),
	 MEMBER("key", kr_qualified_name_valid),
	 WOULD("have a label's name as each key")},
	{{F(TAINTS)}, 23, 36, EACH("value", kr_label_value_valid),
	 WOULD("have label values of 63 letters, digits, \"-\", \"_\" and "
	       "\".\" at most")},
	{{F(TAINTS)}, 23, 36, EACH("effect", effect_valid), GROWS,
	 WOULD("have NoSchedule, PreferNoSchedule or NoExecute as each "
	       "effect")},
	{{F(TAINTS)}, 23, 36, EACH("timeAdded", never),
	 WOULD("be without timeAdded")},
	{{F(LOG_WORKERS)}, 30, 36, RANGE(1, INT32_MAX)},
	{{F(LOG_INTERVAL)}, 30, 36, RANGE(3 * SECOND, INT64_MAX),
	 WOULD("be 3s or more")},
	{{F(POD_LOGS)}, 30, 36, IF(pod_logs),
	 WOULD("be an absolute path of ASCII characters, without \"//\", "
	       "\".\", \"..\" and a \"/\" at its end")},
	{{F(RUNTIME_ENDPOINT)}, 27, 36, NONE_OF(""), WOULD("name a socket")},
	{{F(LOG_QUERY)}, 27, 36, OFF("NodeLogQuery"), IF(kr_constraint_is_true),
	 WOULD("be false")},
	{{F(LOG_QUERY), F(LOG_HANDLER)}, 27, 36, IF(query_without_handler),
	 WOULD("be false while enableSystemLogHandler is false")},
	{{F(PULL_POLICY)}, 33, 36, ON("KubeletEnsureSecretPulledImages"),
	 ONE_OF("NeverVerify", "NeverVerifyPreloadedImages",
	        "NeverVerifyAllowlistedImages", "AlwaysVerify"),
	 WOULD("be NeverVerify, NeverVerifyPreloadedImages, "
	       "NeverVerifyAllowlistedImages or AlwaysVerify")},
	{{F(PULL_POLICY)}, 33, 36, OFF("KubeletEnsureSecretPulledImages"),
	 ONE_OF(""), WOULD("be empty")},
	{{F(PULL_ALLOWLIST)}, 33, 36, OFF("KubeletEnsureSecretPulledImages"),
	 IF(kr_constraint_says), WOULD("be empty")},
	{{F(PULL_ALLOWLIST), F(PULL_POLICY)}, 33, 36,
	 ON("KubeletEnsureSecretPulledImages"), IF(allowlist_policy),
	 WOULD("be empty unless imagePullCredentialsVerificationPolicy is "
	       "NeverVerifyAllowlistedImages")},
	{{F(PULL_ALLOWLIST), F(PULL_POLICY)}, 33, 36,
	 ON("KubeletEnsureSecretPulledImages"), IF(allowlist_pattern),
	 WOULD("hold images without a tag, or beginnings that end with /*")},
	{{F(LOGGING_FORMAT)}, ALL, ONE_OF("text", "json"),
	 WOULD("be text or json")},
	{{F(LOGGING_FORMAT)}, 25, 36, OFF("LoggingBetaOptions"),
	 NONE_OF("json"), WOULD("be text")},
	{{F(LOGGING_VERBOSITY)}, 23, 36, RANGE(0, INT32_MAX)},
	{{F(LOGGING_VMODULE), F(LOGGING_FORMAT)}, 23, 36, IF(vmodule_format),
	 WOULD("be empty while logging.format is json")},
	{{F(LOGGING_VMODULE)}, 23, 36, EACH("filePattern", pattern_valid),
	 WOULD("have patterns without \"=\" and \",\"")},
	{{F(LOGGING_VMODULE)}, 23, 36, EACH("verbosity", verbosity_valid),
	 WOULD("have numbers of 2147483647 at most")},
	{{F(JSON_SPLIT)}, 25, 36, OFF("LoggingAlphaOptions"),
	 IF(kr_constraint_is_true), WOULD("be false")},
	{{F(JSON_BUFFER)}, 25, 36, OFF("LoggingAlphaOptions"), IF(is_amount),
	 WOULD("be 0")},
	{{F(TEXT_SPLIT)}, 30, 36, OFF("LoggingAlphaOptions"),
	 IF(kr_constraint_is_true), WOULD("be false")},
	{{F(TEXT_BUFFER)}, 30, 36, OFF("LoggingAlphaOptions"), IF(is_amount),
	 WOULD("be 0")},
	{{F(LOGGING_FLUSH)}, 35, 36, RANGE(1, INT64_MAX), WOULD("be above 0s")},
	{{F(TRACING_RATE)}, 25, 33, OFF("KubeletTracing"), IF(is_written),
	 WOULD("be left out")},
	{{F(TRACING_ENDPOINT)}, 25, 33, OFF("KubeletTracing"), IF(is_written),
	 WOULD("be left out")},
	{{F(TRACING_RATE)}, 25, 36, RANGE(0, 1000000)},
	{{F(TRACING_ENDPOINT)}, 25, 36, IF(trace_endpoint), GROWS,
	 WOULD("be host:port, or begin with dns:, unix: or unix-abstract:")},
	{{F(HIDDEN_METRICS)}, ALL, IF(hidden_metrics), GROWS,
	 WOULD("be the minor version before kubelet's own")},
	{{F(IDS_PER_POD)}, 33, 36, IF(ids_per_pod),
	 WOULD("be a multiple of 65536, up to 4294901760")},
	{.refuses = NULL},
};
/* clang-format on */
