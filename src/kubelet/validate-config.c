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

#include "kubelet/grammar.h"
#include "kubelet/validate-constraint.h"

/* The same where zero is no value ("off"). */
static bool out_of_range_or_zero(struct kr_validation *j,
                                 const struct kr_constraint *rule)
{
	int64_t n;

	return kr_validation_number(j, rule->fields[0], &n) && n != 0 &&
	       (n < rule->min || n > rule->max);
}

/* An element of a list that is no name. */
static bool no_names(struct kr_validation *j, const struct kr_constraint *rule)
{
	const struct kr_strings *list = kr_validation_items(j, rule->fields[0]);

	for (size_t i = 0; i < list->n_items; i++) {
		if (kr_constraint_is_name(list->items[i], rule->names))
			continue;
		if (kr_validation_refuse(j, list, i))
			return true;
	}
	return false;
}

static bool other_cfs_period(struct kr_validation *j,
                             const struct kr_constraint *rule)
{
	int64_t n;

	return kr_validation_number(j, rule->fields[0], &n) && n != 100 * MS;
}

/* The one that is set is spoken of. */
static bool gc_order(struct kr_validation *j, const struct kr_constraint *rule)
{
	bool low_set = kr_validation_is_set(j, rule->fields[0]);
	int64_t low, high;

	if (!kr_validation_number(j, rule->fields[0], &low) ||
	    !kr_validation_number(j, rule->fields[1], &high))
		return false;
	snprintf(j->words, sizeof(j->words),
	         "would have to be %s %s, which is %lld",
	         low_set ? "below" : "above",
	         kr_field_name(rule->fields[low_set ? 1 : 0]),
	         (long long)(low_set ? high : low));
	return low >= high;
}

static bool image_age_order(struct kr_validation *j,
                            const struct kr_constraint *rule)
{
	int64_t max, min;

	return kr_validation_number(j, rule->fields[0], &max) &&
	       kr_validation_number(j, rule->fields[1], &min) && max > 0 &&
	       max <= min;
}

/* Where it is not written, kubelet chooses what fits. */
static bool serial_pulls(struct kr_validation *j,
                         const struct kr_constraint *rule)
{
	int64_t n;

	return kr_validation_is_set(j, rule->fields[1]) &&
	       kr_validation_is_bool(j, rule->fields[1], true) &&
	       kr_validation_number(j, rule->fields[0], &n) && n > 1;
}

static bool shutdown_order(struct kr_validation *j,
                           const struct kr_constraint *rule)
{
	int64_t critical, total;

	return kr_validation_number(j, rule->fields[0], &critical) &&
	       kr_validation_number(j, rule->fields[1], &total) &&
	       critical > total;
}

static bool is_positive(struct kr_validation *j,
                        const struct kr_constraint *rule)
{
	int64_t n;

	return kr_validation_number(j, rule->fields[0], &n) && n > 0;
}

static bool shutdown_both(struct kr_validation *j,
                          const struct kr_constraint *rule)
{
	int64_t total, critical;

	return kr_validation_items(j, rule->fields[0])->n_items > 0 &&
	       kr_validation_number(j, rule->fields[1], &total) &&
	       kr_validation_number(j, rule->fields[2], &critical) &&
	       (total > 0 || critical > 0);
}

static bool throttling(struct kr_validation *j,
                       const struct kr_constraint *rule)
{
	struct kr_held held = kr_validation_hold(j, rule->fields[0]);

	return held.value && held.whence != KR_WHENCE_UNKNOWN &&
	       !(held.value->d > 0 && held.value->d <= 1);
}

/* In whole milliseconds. */
static bool restart_period(struct kr_validation *j,
                           const struct kr_constraint *rule)
{
	int64_t n;

	return kr_validation_number(j, rule->fields[0], &n) &&
	       (n / MS < rule->min || n / MS > rule->max);
}

static bool is_written(struct kr_validation *j,
                       const struct kr_constraint *rule)
{
	return kr_validation_is_set(j, rule->fields[0]) &&
	       kr_validation_hold(j, rule->fields[0]).value;
}

static bool tiered_reservation(struct kr_validation *j,
                               const struct kr_constraint *rule)
{
	return kr_validation_is_text(j, rule->fields[0], "TieredReservation");
}

static bool none_and_others(struct kr_validation *j,
                            const struct kr_constraint *rule)
{
	return kr_validation_items(j, rule->fields[0])->n_items > 1 &&
	       kr_validation_has_item(j, rule->fields[0], "none");
}

/* A name in the list that needs the cgroup of the second field. */
static bool no_cgroup(struct kr_validation *j, const char *name,
                      const char *compressible,
                      const struct kr_constraint *rule)
{
	if (!kr_validation_is_text(j, rule->fields[1], ""))
		return false;
	return kr_validation_has_item(j, rule->fields[0], name) ||
	       (j->minor >= 32 &&
	        kr_validation_has_item(j, rule->fields[0], compressible));
}

static bool no_system_cgroup(struct kr_validation *j,
                             const struct kr_constraint *rule)
{
	return no_cgroup(j, "system-reserved", "system-reserved-compressible",
	                 rule);
}

static bool no_kube_cgroup(struct kr_validation *j,
                           const struct kr_constraint *rule)
{
	return no_cgroup(j, "kube-reserved", "kube-reserved-compressible",
	                 rule);
}

static bool not_per_qos(struct kr_validation *j,
                        const struct kr_constraint *rule)
{
	const struct kr_strings *list = kr_validation_items(j, rule->fields[1]);

	if (!kr_validation_is_bool(j, rule->fields[0], false))
		return false;
	for (size_t i = 0; i < list->n_items; i++) {
		if (j->minor <= 30 || strcmp(list->items[i], "none") != 0)
			return true;
	}
	return false;
}

static bool twice(struct kr_validation *j, const struct kr_constraint *rule)
{
	const struct kr_strings *list = kr_validation_items(j, rule->fields[0]);

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

static bool both_compressible(struct kr_validation *j,
                              const struct kr_constraint *rule)
{
	int field = rule->fields[0];

	return (kr_validation_has_item(j, field, "system-reserved") &&
	        kr_validation_has_item(j, field,
	                               "system-reserved-compressible")) ||
	       (kr_validation_has_item(j, field, "kube-reserved") &&
	        kr_validation_has_item(j, field, "kube-reserved-compressible"));
}

static bool no_cgroup_root(struct kr_validation *j,
                           const struct kr_constraint *rule)
{
	return kr_validation_is_not_empty(j, rule->fields[0]) &&
	       kr_validation_is_text(j, rule->fields[1], "");
}

static bool is_root(struct kr_validation *j, const struct kr_constraint *rule)
{
	return kr_validation_is_text(j, rule->fields[0], "/");
}

static bool cpus_and_cgroup(struct kr_validation *j,
                            const struct kr_constraint *rule)
{
	return kr_validation_is_not_empty(j, rule->fields[0]) &&
	       (kr_validation_is_not_empty(j, rule->fields[1]) ||
	        kr_validation_is_not_empty(j, rule->fields[2]));
}

static bool no_cpu_list(struct kr_validation *j,
                        const struct kr_constraint *rule)
{
	const char *s = kr_validation_text(j, rule->fields[0]);

	return s && *s && !kr_cpu_list_valid(s, j->minor);
}

/* The member NAME of a list's elements that VALID does not take. */
static bool member_invalid(struct kr_validation *j,
                           const struct kr_constraint *rule, const char *name,
                           bool (*valid)(const char *))
{
	const struct kr_strings *pairs =
		kr_validation_items(j, rule->fields[0]);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		const char *slash = strchr(pairs->items[i], '/');

		if (!slash || strcmp(slash + 1, name) != 0 ||
		    !kr_validation_counts(pairs, i) ||
		    valid(pairs->items[i + 1]))
			continue;
		if (kr_validation_refuse_value(j, pairs, i))
			return true;
	}
	return false;
}

static bool taint_key(struct kr_validation *j, const struct kr_constraint *rule)
{
	const struct kr_strings *pairs =
		kr_validation_items(j, rule->fields[0]);

	for (size_t i = 0; i + 1 < pairs->n_items; i += 2) {
		char path[40];

		if (strchr(pairs->items[i], '/'))
			continue;
		snprintf(path, sizeof(path), "%s/key", pairs->items[i]);
		if (kr_validation_entry(j, rule->fields[0], path) ||
		    !kr_validation_refuse_name(j, pairs, i))
			continue;
		j->item = NULL;
		return true;
	}
	return member_invalid(j, rule, "key", kr_qualified_name_valid);
}

static bool taint_value(struct kr_validation *j,
                        const struct kr_constraint *rule)
{
	return member_invalid(j, rule, "value", kr_label_value_valid);
}

static bool effect_valid(const char *s)
{
	static const char *const names[] = {"", "NoSchedule", "NoExecute",
	                                    "PreferNoSchedule", NULL};

	return kr_constraint_is_name(s, names);
}

static bool taint_effect(struct kr_validation *j,
                         const struct kr_constraint *rule)
{
	return member_invalid(j, rule, "effect", effect_valid);
}

static bool never(const char *s)
{
	(void)s;
	return false;
}

static bool taint_time(struct kr_validation *j,
                       const struct kr_constraint *rule)
{
	return member_invalid(j, rule, "timeAdded", never);
}

/* A relative one in the file of --config is made absolute. */
static bool pod_logs(struct kr_validation *j, const struct kr_constraint *rule)
{
	struct kr_held held = kr_validation_hold(j, rule->fields[0]);
	bool main_file = j->in->config_read && held.file == 0;

	if (!held.value || held.whence == KR_WHENCE_UNKNOWN)
		return false;
	if (main_file && *held.value->s != '/')
		return false;
	return !kr_clean_path_valid(held.value->s);
}

static bool query_without_handler(struct kr_validation *j,
                                  const struct kr_constraint *rule)
{
	return kr_validation_is_bool(j, rule->fields[0], true) &&
	       kr_validation_is_bool(j, rule->fields[1], false);
}

static bool allowlist_policy(struct kr_validation *j,
                             const struct kr_constraint *rule)
{
	return kr_validation_items(j, rule->fields[0])->n_items > 0 &&
	       !kr_validation_is_unknown(j, rule->fields[1]) &&
	       !kr_validation_is_text(j, rule->fields[1],
	                              "NeverVerifyAllowlistedImages");
}

static bool allowlist_pattern(struct kr_validation *j,
                              const struct kr_constraint *rule)
{
	const struct kr_strings *list = kr_validation_items(j, rule->fields[0]);

	if (!kr_validation_is_text(j, rule->fields[1],
	                           "NeverVerifyAllowlistedImages"))
		return false;
	for (size_t i = 0; i < list->n_items; i++) {
		if (kr_image_pattern_valid(list->items[i]))
			continue;
		if (kr_validation_refuse(j, list, i))
			return true;
	}
	return false;
}

static bool is_json(struct kr_validation *j, const struct kr_constraint *rule)
{
	return kr_validation_is_text(j, rule->fields[0], "json");
}

static bool vmodule_format(struct kr_validation *j,
                           const struct kr_constraint *rule)
{
	return kr_validation_items(j, rule->fields[0])->n_items > 0 &&
	       kr_validation_is_text(j, rule->fields[1], "json");
}

static bool pattern_valid(const char *s)
{
	return *s && !strpbrk(s, "=,");
}

static bool vmodule_pattern(struct kr_validation *j,
                            const struct kr_constraint *rule)
{
	return member_invalid(j, rule, "filePattern", pattern_valid);
}

static bool verbosity_valid(const char *s)
{
	return strtoll(s, NULL, 10) <= INT32_MAX;
}

static bool vmodule_verbosity(struct kr_validation *j,
                              const struct kr_constraint *rule)
{
	return member_invalid(j, rule, "verbosity", verbosity_valid);
}

static bool is_amount(struct kr_validation *j, const struct kr_constraint *rule)
{
	const char *s = kr_validation_text(j, rule->fields[0]);
	int sign;

	return s && kr_quantity_valid(s, strlen(s), &sign) && sign != 0;
}

static bool trace_endpoint(struct kr_validation *j,
                           const struct kr_constraint *rule)
{
	const char *s = kr_validation_text(j, rule->fields[0]);

	return s && !kr_trace_endpoint_valid(s);
}

/* One that is newer counts as the last that is known, and has its own. */
static bool hidden_metrics(struct kr_validation *j,
                           const struct kr_constraint *rule)
{
	const char *s = kr_validation_text(j, rule->fields[0]);
	unsigned minors[] = {j->minor, j->in->kubelet_minor};
	char want[16];

	for (size_t i = 0; i < ARRAY_SIZE(minors); i++) {
		snprintf(want, sizeof(want), "1.%u", minors[i] - 1);
		if (s && minors[i] > 0 && strcmp(s, want) == 0)
			return false;
	}
	if (minors[1] > 0)
		snprintf(j->words, sizeof(j->words),
		         "would have to be \"%s\", the minor version before "
		         "kubelet's own",
		         want);
	return s && *s;
}

static bool ids_per_pod(struct kr_validation *j,
                        const struct kr_constraint *rule)
{
	int64_t n;

	return kr_validation_number(j, rule->fields[0], &n) &&
	       (n < 65536 || n % 65536 != 0 || n > UINT32_MAX);
}

/* --- the table ----------------------------------------------------------- */

/* clang-format off */
static const struct kr_constraint rules[] = {
	{{F(NODE_LEASE)}, ALL, RANGE(1, INT32_MAX)},
	{{F(EVENT_BURST)}, ALL, RANGE(0, INT32_MAX)},
	{{F(EVENT_QPS)}, ALL, RANGE(0, INT32_MAX)},
	{{F(HEALTHZ_PORT)}, ALL, RANGE(0, 65535)},
	{{F(CFS_PERIOD)}, ALL, OFF("CustomCPUCFSQuotaPeriod"),
	 .refuses = other_cfs_period,
	 WORDS("would have to be 100ms while the feature gate "
	       "CustomCPUCFSQuotaPeriod is off")},
	{{F(CFS_PERIOD)}, 20, 25, ON("CustomCPUCFSQuotaPeriod"),
	 RANGE(1000, SECOND), WORDS("would have to be from 1us to 1s")},
	{{F(CFS_PERIOD)}, 26, 36, ON("CustomCPUCFSQuotaPeriod"),
	 RANGE(MS, SECOND), WORDS("would have to be from 1ms to 1s")},
	{{F(IMAGE_GC_HIGH)}, ALL, RANGE(0, 100)},
	{{F(IMAGE_GC_LOW)}, ALL, RANGE(0, 100)},
	{{F(IMAGE_GC_LOW), F(IMAGE_GC_HIGH)}, ALL, .refuses = gc_order,
	 WORDS("would have to leave the lower threshold below the higher")},
	{{F(IMAGE_MAX_AGE)}, 29, 36, OFF("ImageMaximumGCAge"), .refuses = kr_constraint_says,
	 WORDS("would have to be 0s while the feature gate "
	       "ImageMaximumGCAge is off")},
	{{F(IMAGE_MAX_AGE)}, 29, 36, RANGE(0, INT64_MAX),
	 WORDS("would have to be 0s or more")},
	{{F(IMAGE_MAX_AGE), F(IMAGE_MIN_AGE)}, 29, 36,
	 .refuses = image_age_order,
	 WORDS("would have to be 0s, or above imageMinimumGCAge (2m where it "
	       "is not set)")},
	{{F(IMAGE_MIN_AGE)}, 36, 36, RANGE(0, INT64_MAX),
	 WORDS("would have to be 0s or more")},
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
	{{F(PARALLEL_PULLS), F(SERIALIZE_PULLS)}, 27, 36,
	 .refuses = serial_pulls,
	 WORDS("would have to be 1 while serializeImagePulls is true")},
	{{F(SERVER_BOOTSTRAP)}, ALL, OFF("RotateKubeletServerCertificate"),
	 .refuses = kr_constraint_is_true,
	 WORDS("would have to be false while the feature gate "
	       "RotateKubeletServerCertificate is off")},
	{{F(RUN_ONCE)}, 32, 36, .refuses = kr_constraint_is_true,
	 WORDS("would have to be false: kubelet has no such mode any more")},
	{{F(TOPOLOGY_POLICY)}, ALL,
	 ONE_OF("none", "best-effort", "restricted", "single-numa-node"),
	 WORDS("would have to be none, best-effort, restricted or "
	       "single-numa-node")},
	{{F(TOPOLOGY_POLICY)}, 20, 26, OFF("TopologyManager"), ONE_OF("none"),
	 WORDS("would have to be none while the feature gate TopologyManager "
	       "is off")},
	{{F(TOPOLOGY_SCOPE)}, ALL, ONE_OF("container", "pod"),
	 WORDS("would have to be container or pod")},
	{{F(TOPOLOGY_SCOPE)}, 20, 26, OFF("TopologyManager"),
	 ONE_OF("container"),
	 WORDS("would have to be container while the feature gate "
	       "TopologyManager is off")},
	{{F(HAIRPIN)}, ALL, ONE_OF("none", "hairpin-veth", "promiscuous-bridge"),
	 WORDS("would have to be none, hairpin-veth or promiscuous-bridge")},
	{{F(SHUTDOWN_TOTAL)}, ALL, ON("GracefulNodeShutdown"),
	 .refuses = out_of_range_or_zero, .min = SECOND, .max = INT64_MAX,
	 WORDS("would have to be 0s, or 1s or more")},
	{{F(SHUTDOWN_CRITICAL)}, ALL, ON("GracefulNodeShutdown"),
	 .refuses = out_of_range_or_zero, .min = SECOND, .max = INT64_MAX,
	 WORDS("would have to be 0s, or 1s or more")},
	{{F(SHUTDOWN_CRITICAL), F(SHUTDOWN_TOTAL)}, ALL,
	 ON("GracefulNodeShutdown"), .refuses = shutdown_order,
	 WORDS("would have to be no more than shutdownGracePeriod")},
	{{F(SHUTDOWN_TOTAL)}, ALL, OFF("GracefulNodeShutdown"),
	 .refuses = is_positive,
	 WORDS("would have to be 0s while the feature gate "
	       "GracefulNodeShutdown is off")},
	{{F(SHUTDOWN_CRITICAL)}, ALL, OFF("GracefulNodeShutdown"),
	 .refuses = is_positive,
	 WORDS("would have to be 0s while the feature gate "
	       "GracefulNodeShutdown is off")},
	{{F(SHUTDOWN_PRIORITY), F(SHUTDOWN_TOTAL), F(SHUTDOWN_CRITICAL)},
	 23, 36, ON("GracefulNodeShutdownBasedOnPodPriority"),
	 .refuses = shutdown_both,
	 WORDS("would have to stand without shutdownGracePeriod and "
	       "shutdownGracePeriodCriticalPods")},
	{{F(SHUTDOWN_PRIORITY)}, 23, 36,
	 OFF("GracefulNodeShutdownBasedOnPodPriority"), .refuses = kr_constraint_says,
	 WORDS("would have to be empty while the feature gate "
	       "GracefulNodeShutdownBasedOnPodPriority is off")},
	{{F(SWAP)}, 22, 29, ON("NodeSwap"),
	 ONE_OF("", "LimitedSwap", "UnlimitedSwap"),
	 WORDS("would have to be LimitedSwap or UnlimitedSwap")},
	{{F(SWAP)}, 30, 36, ON("NodeSwap"), ONE_OF("", "NoSwap", "LimitedSwap"),
	 WORDS("would have to be NoSwap or LimitedSwap")},
	{{F(SWAP)}, 23, 36, OFF("NodeSwap"), ONE_OF(""),
	 WORDS("would have to be empty while the feature gate NodeSwap is "
	       "off")},
	{{F(MEMORY_THROTTLING)}, 22, 36, .refuses = throttling,
	 WORDS("would have to be above 0 and no more than 1")},
	{{F(MEMORY_RESERVATION)}, 36, 36, ONE_OF("None", "TieredReservation"),
	 WORDS("would have to be None or TieredReservation")},
	{{F(MEMORY_RESERVATION)}, 36, 36, OFF("MemoryQoS"),
	 .refuses = tiered_reservation,
	 WORDS("would have to be None while the feature gate MemoryQoS is "
	       "off")},
	{{F(RESTART_PERIOD)}, 32, 36, ON("KubeletCrashLoopBackOffMax"),
	 .refuses = restart_period, .min = 1000, .max = 300000,
	 WORDS("would have to be from 1s to 300s")},
	{{F(RESTART_PERIOD)}, 32, 36, OFF("KubeletCrashLoopBackOffMax"),
	 .refuses = is_written,
	 WORDS("would have to be left out while the feature gate "
	       "KubeletCrashLoopBackOffMax is off")},
	{{F(ENFORCE)}, 20, 31, .refuses = no_names,
	 NAMES("pods", "system-reserved", "kube-reserved", "none"),
	 WORDS("would have to hold pods, system-reserved, kube-reserved or "
	       "none")},
	{{F(ENFORCE)}, 32, 36, .refuses = no_names,
	 NAMES("pods", "system-reserved", "system-reserved-compressible",
	       "kube-reserved", "kube-reserved-compressible", "none"),
	 WORDS("would have to hold pods, system-reserved, kube-reserved, the "
	       "last two also with -compressible, or none")},
	{{F(ENFORCE)}, ALL, .refuses = none_and_others,
	 WORDS("would have to hold none alone, or other names")},
	{{F(ENFORCE), F(SYSTEM_CGROUP)}, ALL, .refuses = no_system_cgroup,
	 WORDS("would have to be without system-reserved while "
	       "systemReservedCgroup is not set")},
	{{F(ENFORCE), F(KUBE_CGROUP)}, ALL, .refuses = no_kube_cgroup,
	 WORDS("would have to be without kube-reserved while "
	       "kubeReservedCgroup is not set")},
	{{F(CGROUPS_PER_QOS), F(ENFORCE)}, ALL, .refuses = not_per_qos,
	 WORDS("would have to be true while enforceNodeAllocatable ([pods] "
	       "where it is not set) is not empty")},
	{{F(ENFORCE)}, 31, 36, .refuses = twice,
	 WORDS("would have to hold each name once")},
	{{F(ENFORCE)}, 32, 36, .refuses = both_compressible,
	 WORDS("would have to hold a name or its -compressible form, not "
	       "both")},
	{{F(SYSTEM_CGROUPS), F(CGROUP_ROOT)}, ALL, .refuses = no_cgroup_root,
	 WORDS("would have to be empty while cgroupRoot is not set")},
	{{F(SYSTEM_CGROUPS)}, ALL, .refuses = is_root,
	 WORDS("would have to be another cgroup than /")},
	{{F(RESERVED_CPUS), F(SYSTEM_CGROUP), F(KUBE_CGROUP)}, ALL,
	 .refuses = cpus_and_cgroup,
	 WORDS("would have to stand without systemReservedCgroup and "
	       "kubeReservedCgroup")},
	{{F(RESERVED_CPUS)}, ALL, .refuses = no_cpu_list,
	 WORDS("would have to be a list of CPUs such as 0-3,7")},
	{{F(TAINTS)}, 23, 36, .refuses = taint_key,
	 WORDS("would have to have a label's name as each key")},
	{{F(TAINTS)}, 23, 36, .refuses = taint_value,
	 WORDS("would have to have label values of 63 letters, digits, \"-\", "
	       "\"_\" and \".\" at most")},
	{{F(TAINTS)}, 23, 36, .refuses = taint_effect, GROWS,
	 WORDS("would have to have NoSchedule, PreferNoSchedule or NoExecute "
	       "as each effect")},
	{{F(TAINTS)}, 23, 36, .refuses = taint_time,
	 WORDS("would have to be without timeAdded")},
	{{F(LOG_WORKERS)}, 30, 36, RANGE(1, INT32_MAX)},
	{{F(LOG_INTERVAL)}, 30, 36, RANGE(3 * SECOND, INT64_MAX),
	 WORDS("would have to be 3s or more")},
	{{F(POD_LOGS)}, 30, 36, .refuses = pod_logs,
	 WORDS("would have to be an absolute path of ASCII characters, "
	       "without \"//\", \".\", \"..\" and a \"/\" at its end")},
	{{F(RUNTIME_ENDPOINT)}, 27, 36, .refuses = kr_constraint_is_empty,
	 WORDS("would have to name a socket")},
	{{F(LOG_QUERY)}, 27, 36, OFF("NodeLogQuery"), .refuses = kr_constraint_is_true,
	 WORDS("would have to be false while the feature gate NodeLogQuery is "
	       "off")},
	{{F(LOG_QUERY), F(LOG_HANDLER)}, 27, 36,
	 .refuses = query_without_handler,
	 WORDS("would have to be false while enableSystemLogHandler is "
	       "false")},
	{{F(PULL_POLICY)}, 33, 36, ON("KubeletEnsureSecretPulledImages"),
	 ONE_OF("NeverVerify", "NeverVerifyPreloadedImages",
	        "NeverVerifyAllowlistedImages", "AlwaysVerify"),
	 WORDS("would have to be NeverVerify, NeverVerifyPreloadedImages, "
	       "NeverVerifyAllowlistedImages or AlwaysVerify")},
	{{F(PULL_POLICY)}, 33, 36, OFF("KubeletEnsureSecretPulledImages"),
	 ONE_OF(""),
	 WORDS("would have to be empty while the feature gate "
	       "KubeletEnsureSecretPulledImages is off")},
	{{F(PULL_ALLOWLIST)}, 33, 36, OFF("KubeletEnsureSecretPulledImages"),
	 .refuses = kr_constraint_says,
	 WORDS("would have to be empty while the feature gate "
	       "KubeletEnsureSecretPulledImages is off")},
	{{F(PULL_ALLOWLIST), F(PULL_POLICY)}, 33, 36,
	 ON("KubeletEnsureSecretPulledImages"), .refuses = allowlist_policy,
	 WORDS("would have to be empty unless "
	       "imagePullCredentialsVerificationPolicy is "
	       "NeverVerifyAllowlistedImages")},
	{{F(PULL_ALLOWLIST), F(PULL_POLICY)}, 33, 36,
	 ON("KubeletEnsureSecretPulledImages"), .refuses = allowlist_pattern,
	 WORDS("would have to hold images without a tag, or beginnings that "
	       "end with /*")},
	{{F(LOGGING_FORMAT)}, ALL, ONE_OF("text", "json"),
	 WORDS("would have to be text or json")},
	{{F(LOGGING_FORMAT)}, 25, 36, OFF("LoggingBetaOptions"),
	 .refuses = is_json,
	 WORDS("would have to be text while the feature gate "
	       "LoggingBetaOptions is off")},
	{{F(LOGGING_VERBOSITY)}, 23, 36, RANGE(0, INT32_MAX)},
	{{F(LOGGING_VMODULE), F(LOGGING_FORMAT)}, 23, 36,
	 .refuses = vmodule_format,
	 WORDS("would have to be empty while logging.format is json")},
	{{F(LOGGING_VMODULE)}, 23, 36, .refuses = vmodule_pattern,
	 WORDS("would have to have patterns without \"=\" and \",\"")},
	{{F(LOGGING_VMODULE)}, 23, 36, .refuses = vmodule_verbosity,
	 WORDS("would have to have numbers of 2147483647 at most")},
	{{F(JSON_SPLIT)}, 25, 36, OFF("LoggingAlphaOptions"), .refuses = kr_constraint_is_true,
	 WORDS("would have to be false while the feature gate "
	       "LoggingAlphaOptions is off")},
	{{F(JSON_BUFFER)}, 25, 36, OFF("LoggingAlphaOptions"),
	 .refuses = is_amount,
	 WORDS("would have to be 0 while the feature gate "
	       "LoggingAlphaOptions is off")},
	{{F(TEXT_SPLIT)}, 30, 36, OFF("LoggingAlphaOptions"), .refuses = kr_constraint_is_true,
	 WORDS("would have to be false while the feature gate "
	       "LoggingAlphaOptions is off")},
	{{F(TEXT_BUFFER)}, 30, 36, OFF("LoggingAlphaOptions"),
	 .refuses = is_amount,
	 WORDS("would have to be 0 while the feature gate "
	       "LoggingAlphaOptions is off")},
	{{F(LOGGING_FLUSH)}, 35, 36, RANGE(1, INT64_MAX),
	 WORDS("would have to be above 0s")},
	{{F(TRACING_RATE)}, 25, 33, OFF("KubeletTracing"), .refuses = is_written,
	 WORDS("would have to be left out while the feature gate "
	       "KubeletTracing is off")},
	{{F(TRACING_ENDPOINT)}, 25, 33, OFF("KubeletTracing"),
	 .refuses = is_written,
	 WORDS("would have to be left out while the feature gate "
	       "KubeletTracing is off")},
	{{F(TRACING_RATE)}, 25, 36, RANGE(0, 1000000)},
	{{F(TRACING_ENDPOINT)}, 25, 36, .refuses = trace_endpoint, GROWS,
	 WORDS("would have to be host:port, or begin with dns:, unix: or "
	       "unix-abstract:")},
	{{F(HIDDEN_METRICS)}, ALL, .refuses = hidden_metrics, GROWS,
	 WORDS("would have to be the minor version before kubelet's own")},
	{{F(IDS_PER_POD)}, 33, 36, .refuses = ids_per_pod,
	 WORDS("would have to be a multiple of 65536, up to 4294901760")},
};
/* clang-format on */

const struct kr_constraint *kr_constraints_config(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(rules);
	return rules;
}
